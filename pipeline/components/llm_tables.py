"""How each table of a ranking is brought up to date: what is said of sources first, then what their figures come to.

What a table's rows are is decided by the pure functions of :mod:`pipeline.rankings.stages`. Which figures are used is
read once, for ``fetch_status``; all that follows rests on the figures that this speaks of.
"""

import functools
from collections.abc import Callable, Mapping
from datetime import datetime

import pandas as pd

from pipeline.components.automation import Seen
from pipeline.components.catalog import catalog_row
from pipeline.components.files_seen import FILES_SEEN, seen_of
from pipeline.components.recompute import Outcome, Recompute, recompute, recompute_whole
from pipeline.fingerprint import digest
from pipeline.intake.decisions import decisions_file, decisions_of
from pipeline.intake.figures import breaks_of, figures_code, note_unlooked, published_before, published_now, state_of
from pipeline.intake.sources import Archive
from pipeline.rankings import Benchmark
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.fingerprint import stage_code
from pipeline.rankings.identity import Decision, Identity, identify
from pipeline.rankings.stages import (
    Published,
    alias_rows,
    benchmark_rows,
    break_rows,
    fetch_status_rows,
    leaderboard_rows,
    model_rows,
    names_of,
    result_rows,
    score_rows,
    snapshot_rows,
    unmatched_rows,
    unread_rows,
)
from pipeline.rankings.vocabulary import vocabulary
from pipeline.tables import (
    BOARDS,
    LLM_ALIASES,
    LLM_BENCHMARKS,
    LLM_BREAKS,
    LLM_FETCH_STATUS,
    LLM_LEADERBOARD,
    LLM_MODELS,
    LLM_RESULTS,
    LLM_SCORES,
    LLM_SNAPSHOTS,
    LLM_UNMATCHED,
    LLM_UNREAD,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Store

_BY_DAY = "by day"
"""The code of history: days that are over stay as they were written, whatever code wrote them."""


def update_catalog(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Write the declaration, for readers of SQL."""
    row = catalog_row(rankings)
    code = stage_code("catalog", rankings, repr(row))
    return recompute_whole(store, BOARDS, rankings.name, code, config, lambda: pd.DataFrame([row]))


def update_fetch_status(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Say of every source which of its figures are used, and why; if anything came, or anybody looked."""
    archive = Archive.of_settings()
    note_unlooked(rankings, archive)
    code = stage_code("fetch_status", rankings, figures_code(rankings), state_of(rankings, archive))
    done = recompute_whole(
        store,
        LLM_FETCH_STATUS,
        rankings.name,
        code,
        config,
        lambda: fetch_status_rows(published_now(rankings, archive)),
    )
    return Outcome(done.changes, done.why, _told_of_sources(store, rankings))


def update_unread(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """List what could not be read."""
    return _whole(store, LLM_UNREAD, rankings, config, lambda: unread_rows(_published(store, rankings)))


def update_breaks(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """List from when on figures are on another scale."""
    return _whole(store, LLM_BREAKS, rankings, config, lambda: break_rows(breaks_of(rankings, Archive.of_settings())))


def update_models(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """List the releases that any source has a name of."""

    def rows() -> pd.DataFrame:
        published = _published(store, rankings)
        return model_rows(_identity(rankings, published), published)

    return _whole(store, LLM_MODELS, rankings, config, rows, _decided(rankings))


def update_aliases(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Say of every name which release it means, with what people decided."""

    def rows() -> pd.DataFrame:
        published = _published(store, rankings)
        return alias_rows(_identity(rankings, published), published)

    seen = decisions_seen(rankings).state  # before they are read: what is decided meanwhile is another state
    done = _whole(store, LLM_ALIASES, rankings, config, rows, _decided(rankings))
    return Outcome(done.changes, done.why, {FILES_SEEN: seen, **_told_of_aliases(store, rankings)})


def decisions_seen(rankings: Rankings) -> Seen:
    """The state of the file of people's decisions, whether there is one or not."""
    return seen_of([decisions_file(rankings)])


def update_results(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Take every figure, with what its name means and whether scores rest on it."""

    def rows() -> pd.DataFrame:
        return result_rows(_published(store, rankings), store.read(LLM_ALIASES, rankings.name), rankings)

    return _whole(store, LLM_RESULTS, rankings, config, rows, _used(store, rankings))


def update_unmatched(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """List the names that a person may decide on."""

    def rows() -> pd.DataFrame:
        return unmatched_rows(*(store.read(spec, rankings.name) for spec in (LLM_ALIASES, LLM_RESULTS)))

    return _whole(store, LLM_UNMATCHED, rankings, config, rows)


def update_benchmarks(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """List what figures are about."""

    def rows() -> pd.DataFrame:
        return benchmark_rows(store.read(LLM_RESULTS, rankings.name), _vocabulary(rankings))

    return _whole(store, LLM_BENCHMARKS, rankings, config, rows)


def update_scores(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Score every model."""

    def rows() -> pd.DataFrame:
        return score_rows(store.read(LLM_RESULTS, rankings.name), rankings, _vocabulary(rankings))

    return _whole(store, LLM_SCORES, rankings, config, rows)


def update_leaderboard(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Rank the models."""

    def rows() -> pd.DataFrame:
        scores, models, results = (store.read(spec, rankings.name) for spec in (LLM_SCORES, LLM_MODELS, LLM_RESULTS))
        return leaderboard_rows(scores, models, results, rankings, _vocabulary(rankings))

    return _whole(store, LLM_LEADERBOARD, rankings, config, rows)


def update_snapshots(store: Store, rankings: Rankings, config: Recompute) -> Outcome:
    """Write where every model stands today; days that are over stay as they are."""
    today = _day(store, rankings)
    if today is None:
        return Outcome((), "no source was looked at yet")
    days = _days(store, rankings) | {today: store.seqs(LLM_LEADERBOARD, rankings.name).get(WHOLE, 0)}

    def rows(wanted: list[datetime]) -> pd.DataFrame:
        over = [day for day in wanted if day != today]
        columns = [name for name in LLM_SNAPSHOTS.column_names if name != LLM_SNAPSHOTS.board]
        parts = [store.read(LLM_SNAPSHOTS, rankings.name, over, columns)] if over else []
        if today in wanted:
            parts.append(snapshot_rows(store.read(LLM_LEADERBOARD, rankings.name), today))
        return pd.concat(parts, ignore_index=True)

    return recompute(store, LLM_SNAPSHOTS, rankings.name, _BY_DAY, config, rows, cycles=days)


def _whole(
    store: Store,
    spec: TableSpec,
    rankings: Rankings,
    config: Recompute,
    rows: Callable[[], pd.DataFrame],
    *also: str,
) -> Outcome:
    """Bring a table up to date that changes as one."""
    code = stage_code(spec.name, rankings, figures_code(rankings), *also)
    return recompute_whole(store, spec, rankings.name, code, config, rows)


def _published(store: Store, rankings: Rankings) -> list[Published]:
    """The sources with the figures that ``fetch_status`` speaks of."""
    return published_before(rankings, Archive.of_settings(), store.read(LLM_FETCH_STATUS, rankings.name))


def _used(store: Store, rankings: Rankings) -> str:
    """A digest of which figures are used: names may mean what they meant, and figures be others."""
    found = store.query(
        "SELECT source, sha256, fetched_at, source_updated_at FROM llm.fetch_status WHERE ranking = ? ORDER BY source",
        [rankings.name],
    )
    return digest(found.to_csv(index=False))


def _decided(rankings: Rankings) -> str:
    """A hash of what people decided."""
    path = decisions_file(rankings)
    return digest(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else ""


def _identity(rankings: Rankings, published: list[Published]) -> Identity:
    """Who is who; worked out once for both tables that are made of it."""
    return _identified(_Names(published), tuple(decisions_of(rankings)))


class _Names:
    """What sources call models; equal where it is of the same snapshots."""

    def __init__(self, published: list[Published]) -> None:
        self.names = names_of(published)
        self._key = tuple(
            (one.about.name, one.sha256, one.status.fetched_at, len(one.parsed.names)) for one in published
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Names) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.lru_cache(maxsize=2)
def _identified(names: _Names, decisions: tuple[Decision, ...]) -> Identity:
    return identify(names.names, decisions)


def _vocabulary(rankings: Rankings) -> Mapping[str, Benchmark]:
    """All benchmarks, with those that sources of one's own add."""
    return vocabulary(getattr(rankings.source(name), "benchmarks", {}) for name in rankings.sources)


def _day(store: Store, rankings: Rankings) -> datetime | None:
    """The day of the newest look at a source."""
    found = store.query(
        "SELECT date_trunc('day', max(checked_at))::TIMESTAMP AS day FROM llm.fetch_status WHERE ranking = ?",
        [rankings.name],
    )["day"].iloc[0]
    return None if pd.isna(found) else found.to_pydatetime()


def _days(store: Store, rankings: Rankings) -> dict[datetime, int]:
    """The days that history has, none of them with a change to take in."""
    return dict.fromkeys(store.seqs(LLM_SNAPSHOTS, rankings.name), 0)


def _told_of_sources(store: Store, rankings: Rankings) -> dict[str, str]:
    """How many sources are in which state."""
    found = store.query(
        "SELECT status, count(*) AS n FROM llm.fetch_status WHERE ranking = ? GROUP BY ALL ORDER BY ALL",
        [rankings.name],
    )
    return {"podium/sources": ", ".join(f"{n} {status}" for status, n in zip(found["status"], found["n"], strict=True))}


def _told_of_aliases(store: Store, rankings: Rankings) -> dict[str, str]:
    """Of each source, how many of its names of single models mean a release."""
    found = store.query(
        "SELECT source, count(*) FILTER (status = 'accepted') AS n_accepted, count(*) AS n FROM llm.aliases "
        "WHERE ranking = ? AND NOT is_system GROUP BY source ORDER BY source",
        [rankings.name],
    )
    rows = zip(found["source"], found["n_accepted"], found["n"], strict=True)
    return {"podium/matched": ", ".join(f"{source} {accepted} of {n}" for source, accepted, n in rows)}
