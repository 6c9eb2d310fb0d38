"""How a board is doing, as its kind tells it: for a person, and as JSON has it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import duckdb

from pipeline.cli.experiments_shown import experiment_files, experiment_runs
from pipeline.cli.failures import told_of
from pipeline.cli.output import MISSING, counted
from pipeline.cli.rankings_shown import age_told, sources_told, states_told
from pipeline.cli.tracks import refusals_told
from pipeline.competition import Contract
from pipeline.declaration import BoardDeclaration
from pipeline.experiments import Experiment
from pipeline.judging import Track
from pipeline.rankings.declaration import Rankings
from pipeline.reports.queries import (
    Contents,
    FileCounts,
    Freshness,
    board_files,
    contents,
    freshness,
    n_ranked,
    n_runs,
)
from pipeline.reports.queries.ranking_sources import Age, RankingSource, next_look, ranking_sources
from pipeline.settings import settings


@dataclass(frozen=True)
class BoardState:
    """How one board is doing.

    Parameters
    ----------
    state : str
        In one word.
    newest, files : tuple of str
        Lines that say how new it is, and what became of its files.
    record : mapping
        All of that as JSON has it.
    notes : tuple of str
        What its operator must know.
    sources : tuple of SourceState
        Of a ranking: what it is made of.
    """

    state: str
    newest: tuple[str, ...]
    files: tuple[str, ...]
    record: Mapping[str, Any]
    notes: tuple[str, ...]
    sources: tuple["SourceState", ...] = ()


@dataclass(frozen=True)
class SourceState:
    """How one source of a ranking is doing, and when it is looked at next.

    Parameters
    ----------
    source : str
    state : str
        How old its figures are: fresh, ageing, old, frozen or missing.
    figures : str
        Whence those that are used are: live, unchanged, files, kept, bundled, missing or frozen.
    as_of : str
        When they were last known to be what it publishes, and how long ago that is.
    checked_at : datetime or None
        When it was looked at last; None for never.
    next_look : datetime or None
        When it is looked at next by itself; None for never.
    why_not : str
        Why never.
    why : str
        What there is to be told of its figures.
    """

    source: str
    state: str
    figures: str
    as_of: str
    checked_at: datetime | None
    next_look: datetime | None
    why_not: str
    why: str


def state_of(connection: duckdb.DuckDBPyConnection | None, declared: BoardDeclaration, moment: datetime) -> BoardState:
    """How a declared board is doing.

    Parameters
    ----------
    connection : DuckDB connection or None
        Of a published file, where there is one.
    declared : BoardDeclaration
        The board.
    moment : datetime
        Now: UTC, without a zone.
    """
    return _STATES[declared.kind](connection, declared, moment)


def _of_competition(
    connection: duckdb.DuckDBPyConnection | None, declared: BoardDeclaration, moment: datetime
) -> BoardState:
    from pipeline.landing import pending

    contract = cast(Contract, declared)
    published = Contents() if connection is None else contents(connection, contract.name)
    fresh = freshness(published.cycles, moment, frozen=contract.frozen, late_after=contract.late_after)
    waiting = pending(settings().inbox_dir, contract.name, tuple(contract.folders))
    record = {
        "state": fresh.state,
        "newest_cycle": published.newest_cycle,
        "late_from": fresh.late_from,
        "newest_board": published.newest_board,
        "inbox": {
            "waiting": len(waiting),
            "oldest_received_at": min((file.received_at for file in waiting), default=None),
        },
        "files": published.files,
        "failed_functions": published.failed,
    }
    files = _landed(published, len(waiting)) if contract.has_inbox else _read(published)
    notes = tuple(told_of(contract.name, published.failed))
    return BoardState(fresh.state, _newest(published, fresh), files, record, notes)


def _newest(published: Contents, fresh: Freshness) -> tuple[str, ...]:
    dates = {"cycle": published.newest_cycle, "board": published.newest_board}
    lines = [f"{what} {when:%Y-%m-%d}" for what, when in dates.items() if when is not None]
    if fresh.late_from is not None:
        lines.append(f"{'late since' if fresh.state == 'late' else 'late from'} {fresh.late_from:%Y-%m-%d}")
    return tuple(lines)


def _read(published: Contents) -> tuple[str, ...]:
    """What became of the files of a hub, which are read where they are; nothing where there are none."""
    counts = published.files
    return (f"{counts.landed:,} read", *_refused(counts)) if counts.landed else ()


def _landed(published: Contents, waiting: int) -> tuple[str, ...]:
    counts = published.files
    landed = f"{counts.landed:,} landed" if published.is_published else "nothing published yet"
    return (f"{waiting:,} waiting", landed, *_refused(counts))


def _refused(counts: FileCounts) -> tuple[str, ...]:
    lines = []
    if counts.unreadable:
        lines.append(f"{counts.unreadable:,} unreadable")
    if counts.rows_rejected:
        lines.append(f"{counted(counts.rows_rejected, 'row')} refused")
    if counts.rows_late:
        lines.append(f"{counted(counts.rows_late, 'row')} late")
    return tuple(lines)


def _of_track(connection: duckdb.DuckDBPyConnection | None, declared: BoardDeclaration, _: datetime) -> BoardState:
    from pipeline.components.track_files import track_files

    track = cast(Track, declared)
    runs = {} if connection is None else n_runs(connection, track.name)
    read = () if connection is None else board_files(connection, track.name)
    known = {(one.judge, one.name): one.sha256 for one in read}
    there = {(one.judge, one.name): one for one in track_files(track)}
    counts = {
        "accepted": sum(not one.is_refused for one in read),
        "refused": sum(one.is_refused for one in read),
        "waiting": sum(key not in known or one.content().sha256 != known[key] for key, one in there.items()),
        "gone": len(known.keys() - there.keys()),
    }
    state = "fresh" if runs else "empty"
    newest = tuple(f"{judge}: {counted(n, 'run')}" for judge, n in runs.items())
    lines = tuple(f"{n:,} {what}" for what, n in counts.items() if n or what in ("accepted", "waiting"))
    return BoardState(
        state, newest, lines, {"state": state, "runs": runs, "files": counts}, tuple(refusals_told(track.name, read))
    )


def _of_ranking(
    connection: duckdb.DuckDBPyConnection | None, declared: BoardDeclaration, moment: datetime
) -> BoardState:
    sources = () if connection is None else ranking_sources(connection, declared.name, moment)
    n_models = 0 if connection is None else n_ranked(connection, declared.name)
    states = _source_states(cast(Rankings, declared), sources, moment)
    late = [one.source for one in sources if one.state == Age.OLD]
    state = "empty" if not sources else "late" if late else "fresh"
    record = {
        "state": state,
        "ranked_models": n_models,
        "newest_look": max((one.checked_at for one in sources), default=None),
        "late_sources": late,
        "sources": {one.source: one.status for one in sources},
        "looks": states,
    }
    newest = [counted(n_models, "ranked model"), *([f"late: {', '.join(late)}"] if late else [])] if sources else []
    told = tuple(sources_told(declared.name, sources))
    return BoardState(state, tuple(newest), tuple(states_told(sources)), record, told, states)


def _source_states(declared: Rankings, published: Iterable[RankingSource], moment: datetime) -> tuple[SourceState, ...]:
    """Every declared source, also one that nothing is published of yet."""
    from pipeline.components.cron import next_tick

    known = {one.source: one for one in published}
    found = []
    for name, spec in declared.sources.items():
        row, about = known.get(name), declared.source(name).about
        look = next_look(spec, about.days, moment, next_tick, is_frozen=about.is_frozen, is_fetching=settings().fetch)
        found.append(
            SourceState(
                source=name,
                state=row.state if row else Age.MISSING,
                figures=row.status if row else "missing",
                as_of=age_told(row) if row else MISSING,
                checked_at=row.checked_at if row else None,
                next_look=look.at,
                why_not=look.why_not or "",
                why=(row.why or "") if row else "nothing is published of it yet",
            )
        )
    return tuple(found)


def _of_experiment(connection: duckdb.DuckDBPyConnection | None, declared: BoardDeclaration, _: datetime) -> BoardState:
    from pipeline.landing import pending

    files, runs = experiment_files(connection, declared.name), experiment_runs(connection, declared.name)
    waiting = len(pending(settings().inbox_dir, declared.name, tuple(declared.folders)))
    state = "fresh" if any(runs.values()) else "empty"
    record = {"state": state, "runs": runs, "inbox": {"waiting": waiting}, "files": files}
    newest = tuple(f"{n:,} {status}" for status, n in runs.items() if n)
    landed = f"{files.landed:,} landed" if connection is not None else "nothing published yet"
    return BoardState(state, newest, (f"{waiting:,} waiting", landed, *_refused(files)), record, ())


_STATES: dict[str, Callable[[duckdb.DuckDBPyConnection | None, BoardDeclaration, datetime], BoardState]] = {
    Contract.kind: _of_competition,
    Track.kind: _of_track,
    Rankings.kind: _of_ranking,
    Experiment.kind: _of_experiment,
}
