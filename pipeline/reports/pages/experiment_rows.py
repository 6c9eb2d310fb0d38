"""Boards of an experiment as their page shows them: contestants and runs with scores, intervals and drawings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reports.natural import natural_key
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.experiment_figures import score_scale
from pipeline.reports.pages.figures import NOTHING, Scale
from pipeline.reports.queries.experiment_boards import (
    SORTED_BY_SCORER,
    Contestant,
    ContestantRow,
    Distribution,
    ExperimentBoard,
    RankedRun,
    RunBoard,
)
from pipeline.reports.wrong import WrongInputError

_OF_ROWS: Mapping[str, Callable[[ContestantRow], Any]] = {
    "title": lambda row: natural_key(row.title),
    "score": lambda row: row.score,
    "n_scored": lambda row: row.n_scored,
    "coverage": lambda row: row.coverage,
    "n_zero": lambda row: row.n_zero,
    "n_full": lambda row: row.n_full,
    "cost": lambda row: row.cost,
    "duration": lambda row: row.duration_ms,
    "tokens_in": lambda row: row.tokens_in,
    "tokens_out": lambda row: row.tokens_out,
}
_DIFFERENCE = "difference"


@dataclass(frozen=True)
class Against:
    """A configuration beside the baseline: the difference as text, as drawing and in words, and the verdict."""

    difference: str
    interval: Interval | None
    said: str
    verdict: str


@dataclass(frozen=True)
class Row:
    """A configuration, model or prompt: texts and drawings.

    Parameters
    ----------
    row : ContestantRow
    score, ends, said : str
        The score, its interval, and both in words.
    interval : Interval or None
    values : tuple of (str, str)
        By scorer the mean, and what there is to say of it, such as of how many runs.
    spread : Distribution or None
    against : Against or None
        None for the baseline, for what is not compared, and on boards of models and prompts.
    """

    row: ContestantRow
    score: str
    ends: str
    said: str
    interval: Interval | None
    values: tuple[tuple[str, str], ...]
    spread: Distribution | None
    against: Against | None


@dataclass(frozen=True)
class Table:
    """The contestants of a page; axes are None where nothing is drawn on them."""

    rows: tuple[Row, ...]
    total: int
    scores: Axis | None
    ranks: Axis | None
    differences: Axis | None


@dataclass(frozen=True)
class RunRow:
    """A run on the board of runs: texts."""

    run: RankedRun
    score: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """Which rows of a table are shown: those from ``offset`` on in an order."""

    sort: str
    limit: int
    offset: int

    def of(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows that are shown of those in order."""
        return rows[self.offset : self.offset + self.limit]


def table_of(
    board: ExperimentBoard, spread: Mapping[str, Distribution], against: Mapping[str, Mapping[str, Any]], part: Part
) -> Table:
    """The board of a grouping.

    Parameters
    ----------
    board : ExperimentBoard
    spread : mapping
        Distributions by contestant.
    against : mapping
        Rows of comparisons with the baseline by configuration.
    part : Part

    Raises
    ------
    WrongInputError
        If rows cannot be sorted so.
    """
    ordered = in_order(board, against, part.sort)
    rows = [one.row for one in board.rows]
    written = score_scale([row.score for row in rows], [_half(row.ci_low, row.ci_high) for row in rows])
    scores = drawings.axis([end for row in rows for end in (row.score, row.ci_low, row.ci_high)])
    differences = drawings.axis(
        [0.0, *(one[name] for one in against.values() for name in ("difference", "ci_low", "ci_high"))]
    )
    is_bounded = any(row.rank_lo is not None for row in rows)
    n_ranked = sum(row.rank is not None for row in rows)
    by_scorer = {one.name: score_scale([_value(row, one.name) for row in board.rows]) for one in board.scorers}
    shown = tuple(
        Row(
            one.row,
            written.text(one.row.score),
            _ends(written, one.row.ci_low, one.row.ci_high),
            _said(written, one.row.score, one.row.ci_low, one.row.ci_high),
            drawings.interval(scores, one.row.score, one.row.ci_low, one.row.ci_high),
            tuple(_scorer_cell(one, name, to) for name, to in by_scorer.items()),
            spread.get(one.row.contestant),
            _against(against.get(one.row.contestant), differences),
        )
        for one in part.of(ordered)
    )
    ranks = Axis(1, max(1, n_ranked), drawings.RANKS_WIDTH) if is_bounded else None
    return Table(shown, len(ordered), scores, ranks, differences if against else None)


def in_order(board: ExperimentBoard, against: Mapping[str, Mapping[str, Any]], sort: str) -> list[Contestant]:
    """The contestants of a board in another order; empty is that of their ranks.

    Raises
    ------
    WrongInputError
        If rows cannot be sorted so.
    """
    keys: dict[str, Callable[[Contestant], Any]] = {
        name: lambda one, of=of: of(one.row)  # type: ignore[misc]
        for name, of in _OF_ROWS.items()
    }
    for scorer in board.scorers:
        keys[SORTED_BY_SCORER + scorer.name] = lambda one, name=scorer.name: _value(one, name)  # type: ignore[misc]
    if against:
        keys[_DIFFERENCE] = lambda one: against.get(one.row.contestant, {}).get("difference")
    return _sorted(board.rows, sort, keys)


def run_rows(board: RunBoard) -> tuple[RunRow, ...]:
    """The board of runs."""
    written = score_scale([one.score for one in board.rows])
    by_scorer = {one.name: score_scale([row.values.get(one.name) for row in board.rows]) for one in board.scorers}
    return tuple(
        RunRow(one, written.text(one.score), tuple(to.text(one.values.get(name)) for name, to in by_scorer.items()))
        for one in board.rows
    )


def scorer_key(name: str) -> str:
    """What rows are sorted by for a scorer."""
    return SORTED_BY_SCORER + name


def _sorted(rows: Sequence[Any], by: str, keys: Mapping[str, Callable[[Any], Any]]) -> list[Any]:
    """Rows in another order, those without a value last; ``-`` before is from the greatest, empty as they are."""
    name = by.removeprefix("-")
    if not name:
        return list(rows)
    if name not in keys:
        raise WrongInputError(f"cannot sort by {by!r}; sort by one of {', '.join(keys)}, with - before from the top")
    of = keys[name]
    known = [row for row in rows if of(row) is not None]
    known.sort(key=of, reverse=by.startswith("-"))
    return [*known, *(row for row in rows if of(row) is None)]


def _value(one: Contestant, scorer: str) -> float | None:
    found = one.scorers.get(scorer)
    return None if found is None else found.value


def _scorer_cell(one: Contestant, name: str, to: Scale) -> tuple[str, str]:
    found = one.scorers.get(name)
    if found is None or found.value is None:
        return NOTHING, ""
    return to.text(found.value), f"of {found.n_scored:,} runs" if found.n_unscored else ""


def _against(row: Mapping[str, Any] | None, on: Axis | None) -> Against | None:
    if row is None or row["difference"] is None:
        return None
    to = Scale(3, signed=True)
    low, high = row["ci_low"], row["ci_high"]
    return Against(
        to.text(row["difference"]),
        drawings.interval(on, row["difference"], low, high),
        _said(to, row["difference"], low, high),
        row["verdict"],
    )


def p_text(p: float | None) -> str:
    """A p value with three decimals."""
    return "<0.001" if p is not None and 0 <= p < 0.001 else Scale(3).text(p)


def _half(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else (high - low) / 2


def _ends(to: Scale, low: float | None, high: float | None) -> str:
    return NOTHING if low is None or high is None else f"{to.text(low)} to {to.text(high)}"


def _said(to: Scale, value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "no value"
    ends = "no interval" if low is None or high is None else f"95 % interval {_ends(to, low, high)}"
    return f"{to.text(value)}, {ends}"
