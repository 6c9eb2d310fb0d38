"""A ranking of language models as commands show it: models in order, what is unranked and why, and the sources."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import duckdb
from rich.text import Text

from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, Column, console, counted, percent, print_table
from pipeline.rankings.origin import FETCHING_OFF, is_unasked
from pipeline.reports.queries.ranking_sources import RankingSource, ranking_sources
from pipeline.reports.queries.rankings import RankedModel, declared_ranking, ranked_models

SORT_KEYS: Mapping[str, tuple[Callable[[RankedModel], Any], bool]] = MappingProxyType(
    {
        "rank": (lambda row: row.rank, False),
        "ability": (lambda row: row.ability, True),
        "coding": (lambda row: row.coding, True),
        "performance": (lambda row: row.performance, True),
        "value": (lambda row: row.value, True),
        "overall": (lambda row: row.overall, True),
        "coverage": (lambda row: row.coverage, True),
        "benchmarks": (lambda row: row.n_benchmarks, True),
        "sources": (lambda row: row.n_sources, True),
        "price": (lambda row: row.price_input, False),
        "price_output": (lambda row: row.price_output, False),
        "context": (lambda row: row.context, True),
        "ttft": (lambda row: row.ttft, False),
        "throughput": (lambda row: row.throughput, True),
        "quality": (lambda row: row.quality, True),
        "released": (lambda row: row.released_on, True),
        "title": (lambda row: row.title.casefold(), False),
    }
)
"""What models can be sorted by, each with whether more comes first."""
_USED_UNASKED = {
    "kept": "Last good snapshots are used of",
    "bundled": "Bundled facts are used of",
    "missing": "Nothing is there of",
}
_NOT_CURRENT = ("kept", "bundled", "missing")
_UNRANKED = "unranked: "


@dataclass(frozen=True)
class ModelBoard:
    """A published ranking: its models in order, unranked ones last, and its sources."""

    name: str
    title: str
    rank_by: str
    rows: tuple[RankedModel, ...]
    sources: tuple[RankingSource, ...]


def model_board(connection: duckdb.DuckDBPyConnection, name: str, now: datetime) -> ModelBoard:
    """A published ranking, with the ages of its sources.

    Raises
    ------
    UnknownBoardError
        If there is no such board, or it is of another kind.
    """
    declared = declared_ranking(connection, name)
    sources = sorted(ranking_sources(connection, name, now), key=lambda one: one.source)
    return ModelBoard(name, declared.title, declared.rank_by, ranked_models(connection, name), tuple(sources))


def sorted_rows(rows: Iterable[RankedModel], by: str) -> list[RankedModel]:
    """Models sorted by a key, those without it last; equal ones in the order of the board.

    Raises
    ------
    InputError
        If there is no such key.
    """
    if by not in SORT_KEYS:
        raise InputError(f"--sort {by!r} is no key; known: {', '.join(SORT_KEYS)}")
    key, is_descending = SORT_KEYS[by]
    ordered = sorted(rows, key=lambda row: row.position)
    there = [row for row in ordered if key(row) is not None]
    there.sort(key=key, reverse=is_descending)
    return there + [row for row in ordered if key(row) is None]


def print_model_board(found: ModelBoard, top: int | None = None, sort: str = "rank") -> None:
    """Print a ranking.

    Parameters
    ----------
    found : ModelBoard
    top : int or None
        How many models to show; None for all.
    sort : str
        One of :data:`SORT_KEYS`.
    """
    rows = sorted_rows(found.rows, sort)
    # Who is not ranked is counted below; sorted by something else, whoever has it is shown.
    rows = [row for row in rows if row.rank is not None] if sort == "rank" else rows
    by = "" if sort == "rank" else f", sorted by {sort}"
    print_table(_columns(rows[:top]), Text(f"{found.title}\nranked by {found.rank_by}{by}"))
    out = console()
    out.print(_counted(found, len(rows[:top])), soft_wrap=True, highlight=False, markup=False)
    print_sources(found.sources)


def print_sources(sources: Iterable[RankingSource]) -> None:
    """Print which figures of each source are used, how old they are, and why they are not newer."""
    rows = list(sources)
    columns = [
        Column("source", [row.source for row in rows], is_text=True, rank=0),
        Column("figures", [row.status for row in rows], is_text=True, rank=0),
        Column("as of", [age_told(row) for row in rows], rank=0),
        Column("results", [f"{row.n_results:,}" for row in rows], rank=1),
        Column("models", [f"{row.n_models:,}" for row in rows], rank=1),
        Column("unread", [f"{row.n_unread:,}" if row.n_unread else "" for row in rows], rank=2),
        Column("why", ["" if is_unasked(row.why) else row.why or "" for row in rows], is_text=True, rank=0),
    ]
    print_table(columns, Text("Sources"), dim=[row.status == "missing" for row in rows])
    told = fetching_told(rows)
    if told:
        console().print(told, soft_wrap=True, highlight=False, markup=False)


def fetching_told(sources: Iterable[RankingSource]) -> str:
    """A line for all sources that nobody asked because fetching is off; empty where it is on."""
    unasked = [row for row in sources if is_unasked(row.why)]
    if not unasked:
        return ""
    parts = {said: [row.source for row in unasked if row.status == status] for status, said in _USED_UNASKED.items()}
    listed = [f" {said} {', '.join(names)}." for said, names in parts.items() if names]
    return f"No publisher was asked: {FETCHING_OFF}.{''.join(listed)}"


def sources_told(name: str, sources: Iterable[RankingSource]) -> list[str]:
    """A line for all sources that have nothing for one reason, but that fetching is off."""
    without: dict[str, list[str]] = {}
    for row in sources:
        if row.status == "missing" and not is_unasked(row.why):
            without.setdefault(row.why or "", []).append(row.source)
    return [f"board {name}: it is made without {', '.join(rows)}: {why}" for why, rows in without.items()]


def states_told(sources: Iterable[RankingSource]) -> list[str]:
    """How many sources are in which state: ``3 live``, ``1 kept``."""
    counts = Counter(row.status for row in sources)
    order = ("live", "unchanged", "files", "frozen", *_NOT_CURRENT)
    return [f"{counts[status]} {status}" for status in order if counts[status]]


def _columns(rows: list[RankedModel]) -> list[Column]:
    scores = ("coding", "performance", "value", "overall")
    return [
        Column("rank", [MISSING if row.rank is None else str(row.rank) for row in rows], rank=0),
        Column("could be", [_range(row.rank_lo, row.rank_hi) for row in rows], rank=1),
        Column("model", [_title(row) for row in rows], is_text=True, rank=0),
        Column("ability", [_number(row.ability) for row in rows], rank=0),
        Column("95 % interval", [_interval(row) for row in rows], rank=1),
        *(
            Column(name, [_number(getattr(row, name)) for row in rows], rank=rank)
            for name, rank in zip(scores, (1, 3, 3, 2), strict=True)
        ),
        Column("coverage", [percent(row.coverage) for row in rows], rank=3),
        Column("sources", [str(row.n_sources) for row in rows], rank=2),
        Column("without one source", [_range(row.loo_rank_lo, row.loo_rank_hi) for row in rows], rank=4),
        Column("USD in/out", [_price(row) for row in rows], rank=4),
        Column("context", [MISSING if row.context is None else f"{row.context:,}" for row in rows], rank=5),
        Column("first token", [MISSING if row.ttft is None else f"{row.ttft:.2f} s" for row in rows], rank=5),
    ]


def _counted(found: ModelBoard, n_shown: int) -> str:
    ranked = sum(row.rank is not None for row in found.rows)
    reasons = Counter(row.status.removeprefix(_UNRANKED) for row in found.rows if row.rank is None)
    listed = ", ".join(f"{n:,} {reason}" for reason, n in reasons.most_common())
    unranked = f"; {sum(reasons.values()):,} unranked: {listed}" if reasons else ""
    more = f"; the first {n_shown:,} are shown (--top)" if n_shown < ranked else ""
    return f"{counted(ranked, 'model')} ranked{unranked}{more}."


def _title(row: RankedModel) -> str:
    marks = [row.status] if row.rank is None else []
    marks += ["partial"] if row.is_partial else []
    return f"{row.title} ({', '.join(marks)})" if marks else row.title


def _range(low: int | None, high: int | None) -> str:
    return MISSING if low is None else f"{low}-{high}"


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


def _interval(row: RankedModel) -> str:
    return MISSING if row.ability_low is None else f"{row.ability_low:.1f} … {row.ability_high:.1f}"


def _price(row: RankedModel) -> str:
    if row.price_input is None:
        return MISSING
    return f"{row.price_input:g}/{MISSING if row.price_output is None else f'{row.price_output:g}'}"


def age_told(row: RankingSource) -> str:
    """When the figures were last known to be what the source publishes, and how long ago that is."""
    if row.confirmed_at is None or row.age_days is None:
        return MISSING
    days = int(row.age_days)
    return f"{row.confirmed_at:%Y-%m-%d}, {'today' if days < 1 else counted(days, 'day')}"
