"""How each table of a judged track is brought up to date: files are read once into rows, all else follows from rows."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from pipeline.components.catalog import catalog_row
from pipeline.components.recompute import Outcome, Recompute, recompute_whole
from pipeline.components.track_files import TrackFile, state_of, track_files
from pipeline.judging import (
    Content,
    Grid,
    Track,
    Verdict,
    board_of,
    comparison_rows,
    correlation_rows,
    judged,
    leaderboard_rows,
    measure_rows,
    primary_of,
    read_unchanged,
    require_measures,
    spec_rows,
    specs_of,
    stage_code,
    topics_in,
    used_measures,
)
from pipeline.leaderboard import Leaderboard, MeasureSpec
from pipeline.leaderboard.formats import Loaded
from pipeline.tables import (
    ALL_TOPICS_ID,
    BOARDS,
    COMPARISONS,
    CORRELATIONS,
    MEASURE_SPECS,
    MEASURES,
    OFFICIAL,
    TRACK_FILES,
    TRACK_LEADERBOARD,
    TableSpec,
)
from pipeline.warehouse import Store, compose

FILES_SEEN = "podium/files_seen"
"""Metadata of a track's files: the digest of what lay there."""

Topics = tuple[str, ...] | None


def update_catalog(store: Store, track: Track, config: Recompute) -> Outcome:
    """Write the declaration, for readers of SQL."""
    row = catalog_row(track)
    code = stage_code("catalog", track, repr(row))
    return recompute_whole(store, BOARDS, track.name, code, config, lambda: pd.DataFrame([row]))


def update_files(store: Store, track: Track, config: Recompute) -> Outcome:
    """Read every file, by itself and together with the others, and say which are refused; if any changed."""
    files = track_files(track)
    seen = state_of(files)  # before anything is read: what is written to meanwhile is another state
    contents = [(one, one.content()) for one in files]

    def rows() -> pd.DataFrame:
        found = [row for judge in track.boards for row in _verdict_rows(track, judge, contents)]
        columns = [name for name in TRACK_FILES.column_names if name != TRACK_FILES.board]
        return pd.DataFrame(found, columns=columns)

    hashes = [(file.judge, file.role, content.name, content.sha256, content.reason) for file, content in contents]
    done = recompute_whole(store, TRACK_FILES, track.name, stage_code("files", track, repr(hashes)), config, rows)
    return Outcome(done.changes, done.why, {FILES_SEEN: seen, **_told_of_files(store, track)})


def update_measures(store: Store, track: Track, config: Recompute) -> Outcome:
    """Make the boards of the files that were accepted: what their measures mean, and every value."""

    @cache  # for both tables
    def boards() -> dict[str, Loaded]:
        found = dict(_read_boards(store, track))
        refused = (store.read(TRACK_FILES, track.name)["status"] != "accepted").any()
        require_measures(track, {judge: one.board.measures for judge, one in found.items()}, bool(refused))
        return found

    def used(loaded: Loaded) -> tuple[MeasureSpec, ...]:
        return used_measures(loaded.inferences, track.measures)

    def specs() -> pd.DataFrame:
        parts = {judge: spec_rows(one.inferences, used(one)) for judge, one in boards().items()}
        return _with_judges(parts, MEASURE_SPECS)

    def values() -> pd.DataFrame:
        parts = {}
        for judge, one in boards().items():
            if used(one):
                grid = Grid.of(one.board, used(one))
                parts[judge] = measure_rows(grid, board_of(grid, used(one), track.on_missing))
        return _with_judges(parts, MEASURES)

    code = stage_code("measures", track)
    done = [
        recompute_whole(store, spec, track.name, code, config, rows)
        for spec, rows in ((MEASURE_SPECS, specs), (MEASURES, values))
    ]
    return Outcome(done[-1].changes, done[-1].why)


def update_leaderboard(store: Store, track: Track, config: Recompute) -> Outcome:
    """Rank the runs of every board."""

    def rows() -> pd.DataFrame:
        boards = _boards(store, track)
        parts = {judge: leaderboard_rows(board, primary_of(track, judge, board)) for judge, board in boards.items()}
        return _with_judges(parts, TRACK_LEADERBOARD)

    code = stage_code("leaderboard", track)
    return recompute_whole(store, TRACK_LEADERBOARD, track.name, code, config, rows)


def update_correlations(store: Store, track: Track, config: Recompute) -> Outcome:
    """Correlate the board of every judge with the official one."""

    def rows() -> pd.DataFrame:
        boards = _boards(store, track)
        truth = boards.pop(OFFICIAL, None)
        if truth is None:
            return _with_judges({}, CORRELATIONS)
        first = primary_of(track, OFFICIAL, truth)
        parts = {
            judge: correlation_rows(
                truth, board, (first, primary_of(track, judge, board)), track.correlations, track.on_missing
            )
            for judge, board in boards.items()
        }
        return _with_judges(parts, CORRELATIONS)

    code = stage_code("correlations", track)
    done = recompute_whole(store, CORRELATIONS, track.name, code, config, rows)
    return Outcome(done.changes, done.why, _told_of_correlations(store, track))


def update_comparisons(store: Store, track: Track, config: Recompute) -> Outcome:
    """Compare the runs of every board, each with each."""

    def rows() -> pd.DataFrame:
        parts = {
            judge: comparison_rows(board, primary_of(track, judge, board), track.comparisons)
            for judge, board in _boards(store, track).items()
        }
        return _with_judges(parts, COMPARISONS)

    code = stage_code("comparisons", track)
    done = recompute_whole(store, COMPARISONS, track.name, code, config, rows)
    return Outcome(done.changes, done.why, _told_of_comparisons(store, track))


def _verdict_rows(track: Track, judge: str, contents: list[tuple[TrackFile, Content]]) -> Iterator[dict[str, object]]:
    """The rows of ``files`` for one board."""
    mine = [(file, content) for file, content in contents if file.judge == judge]
    declared, topics = track.boards[judge], track.boards[judge].topics
    for file, content in mine:
        if file.role == "topics":
            verdict, topics = topics_in(content)
            yield _verdict_row(judge, file.role, verdict)
    results = [content for file, content in mine if file.role == "results"]
    for verdict in judged(results, declared, track.declared_measures(), topics):
        yield _verdict_row(judge, "results", verdict)


def _verdict_row(judge: str, role: str, verdict: Verdict) -> dict[str, object]:
    content = verdict.content
    return {
        "judge": judge,
        "name": content.name,
        "role": role,
        "sha256": content.sha256,
        "size_bytes": content.size_bytes,
        "format": verdict.format,
        "n_rows": verdict.n_rows,
        "n_runs": verdict.n_runs,
        "n_differences": verdict.n_differences,
        "status": "accepted" if verdict.is_accepted else "refused",
        "reason": verdict.reason,
    }


def _read_boards(store: Store, track: Track) -> Iterator[tuple[str, Loaded]]:
    """The board of every judge that has a file that was accepted."""
    stored = store.read(TRACK_FILES, track.name)
    accepted = stored[stored["status"] == "accepted"].set_index(["judge", "name"])["sha256"].to_dict()
    files = [one for one in track_files(track) if (one.judge, one.name) in accepted]
    for judge, declared in track.boards.items():
        mine = [one for one in files if one.judge == judge]
        topics: Topics = declared.topics
        for one in mine:
            if one.role == "topics":
                _, topics = topics_in(one.content())
        results = [
            Content(one.path, one.name, str(accepted[judge, one.name]), None) for one in mine if one.role == "results"
        ]
        if results:
            yield judge, read_unchanged(results, declared, track.declared_measures(), topics)


def _boards(store: Store, track: Track) -> dict[str, Leaderboard]:
    """The boards as the tables have them."""
    specs = store.read(MEASURE_SPECS, track.name)
    boards = {}
    for judge in track.boards:
        used = specs_of(specs[specs["judge"] == judge])
        if used:
            boards[judge] = board_of(_grid(store, track, judge, used), used, track.on_missing)
    return boards


def _grid(store: Store, track: Track, judge: str, specs: tuple[MeasureSpec, ...]) -> Grid:
    """The values of one board; read measure by measure, so that texts of one are held at a time."""

    def listed(column: str, but: str = "") -> tuple[str, ...]:
        statement = compose(
            "SELECT DISTINCT {column} AS id FROM judging.measures WHERE track = ? AND judge = ? AND {column} <> ?"
            " ORDER BY id",
            column=column,
        )
        return tuple(map(str, store.query(statement, [track.name, judge, but])["id"]))

    runs, topics = listed("run_id"), listed("topic_id", but=ALL_TOPICS_ID)
    of_measure = "SELECT run_id, topic_id, value FROM judging.measures WHERE track = ? AND judge = ? AND measure = ?"
    values, aggregates = {}, {}
    for spec in specs:
        rows = store.query(of_measure, [track.name, judge, spec.name])
        cells = np.full((len(runs), len(topics) + 1), np.nan)  # the last column is of all topics
        run = pd.Categorical(rows["run_id"], categories=runs).codes
        topic = pd.Categorical(rows["topic_id"], categories=(*topics, ALL_TOPICS_ID)).codes
        cells[run, topic] = rows["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        if topics and not spec.only_in_all:
            values[spec.name] = cells[:, :-1]
        if not topics:
            aggregates[spec.name] = cells[:, -1]
    return Grid(runs, topics, values, aggregates)


def _with_judges(parts: dict[str, pd.DataFrame], spec: TableSpec) -> pd.DataFrame:
    """The rows of all boards below one another, each with the name of its board."""
    if not parts:
        return pd.DataFrame(columns=[name for name in spec.column_names if name != spec.board])
    judges = np.repeat(np.arange(len(parts)), [len(rows) for rows in parts.values()])
    joined = {name: _joined([rows[name] for rows in parts.values()]) for name in next(iter(parts.values()))}
    return pd.DataFrame({"judge": pd.Categorical.from_codes(judges, pd.Index(list(parts), dtype="str")), **joined})


def _joined(columns: list[pd.Series]) -> object:
    """Columns below one another; texts that are coded stay so, since there may be millions of few."""
    if isinstance(columns[0].dtype, pd.CategoricalDtype):
        return union_categoricals(columns)
    return pd.concat(columns, ignore_index=True)


def _told_of_files(store: Store, track: Track) -> dict[str, str]:
    """How many files the boards have, and why some are refused."""
    stored = store.read(TRACK_FILES, track.name)
    refused = stored[stored["status"] != "accepted"]
    told = {"podium/files": f"{len(stored) - len(refused)} accepted, {len(refused)} refused"}
    if len(refused):
        reasons = zip(refused["judge"], refused["name"], refused["reason"], strict=True)
        told["podium/refused"] = "; ".join(f"{judge}: {name}: {reason}" for judge, name, reason in reasons)
    return told


def _told_of_correlations(store: Store, track: Track) -> dict[str, str]:
    """Judges whose correlations of single topics are left out, because there would be too many."""
    found = store.query(
        "SELECT judge, count(*) FILTER (topic_id = ?) * max(n_topics) AS n FROM judging.correlations WHERE track = ? "
        "GROUP BY judge HAVING bool_and(topic_id = ?) AND max(n_topics) > 1 ORDER BY judge",
        [ALL_TOPICS_ID, track.name, ALL_TOPICS_ID],
    )
    if not track.correlations.per_topic or found.empty:
        return {}
    remedy = "list fewer `measures` or `correlations.methods`"
    listed = [
        f"{judge}: {n:,} correlations of single topics" for judge, n in zip(found["judge"], found["n"], strict=True)
    ]
    return {"podium/left_out": f"{'; '.join(listed)}; {remedy}"}


def _told_of_comparisons(store: Store, track: Track) -> dict[str, str]:
    """Boards of which not all runs are compared, because their pairs would be too many."""
    runs = track.comparisons.runs
    found = store.query(
        "SELECT judge, count(DISTINCT run_id) AS n FROM judging.measures WHERE track = ? "
        "GROUP BY judge HAVING n > ? ORDER BY judge",
        [track.name, runs],
    )
    if found.empty:
        return {}
    listed = [f"{judge}: the best {runs:,} of {n:,} runs" for judge, n in zip(found["judge"], found["n"], strict=True)]
    return {"podium/compared": f"{'; '.join(listed)}; for more, raise `comparisons.runs`"}
