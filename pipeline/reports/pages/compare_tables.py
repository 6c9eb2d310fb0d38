"""The tables of models side by side: metrics as texts, who is ahead of whom, how alike they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.leaderboard import Direction
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.figures import NOTHING, Scale, scale
from pipeline.reports.pages.measures import ends, half_width, meaning_of, said, unit_of, value_of
from pipeline.reports.queries.comparison import Better
from pipeline.reports.queries.metrics import Described
from pipeline.reports.queries.profiles import Place
from pipeline.reports.queries.standings import Contest, Measured

AHEAD, BEHIND, OPEN = "ahead", "behind", "open"
_CORRELATION = Scale(2, signed=True)


@dataclass(frozen=True)
class Heading:
    """A model that is compared, and its place on the board; None where it is not on it."""

    model_id: str
    title: str
    place: Place | None


@dataclass(frozen=True)
class Cell:
    """A metric of a model: its value, its interval drawn and in words, why there is none, and whether it is best.

    ``is_best`` is said of a model only that is significantly better than every other one that has a value.
    """

    value: str
    interval: Interval | None
    said: str
    reason: str | None
    is_best: bool


@dataclass(frozen=True)
class MetricRow:
    """A metric of every model, on one axis."""

    metric: str
    description: str
    better: str
    axis: Axis | None
    cells: tuple[Cell, ...]


def metric_rows(
    of: Contest,
    models: Sequence[str],
    measured: Mapping[tuple[str, str], Measured],
    better: Mapping[str, Better],
    means: Mapping[str, Described],
) -> tuple[MetricRow, ...]:
    """Metrics that any of the models has a value or a reason of."""
    rows = []
    for metric in of.directions:
        found = [measured.get((model, metric)) for model in models]
        if any(one is not None for one in found):
            rows.append(_metric_row(of, metric, found, better.get(metric), means))
    return tuple(rows)


def _metric_row(
    of: Contest,
    metric: str,
    found: Sequence[Measured | None],
    better: Better | None,
    means: Mapping[str, Described],
) -> MetricRow:
    written = scale(map(value_of, found), map(half_width, found), unit_of(means, metric))
    axis = drawings.axis(ends(found))
    lower = "lower is better" if of.directions[metric] == Direction.ASC else ""
    cells = tuple(
        _cell(one, written, axis, is_best=best) for one, best in zip(found, _best(better, found), strict=True)
    )
    return MetricRow(metric, meaning_of(means, metric), lower, axis, cells)


def _cell(measured: Measured | None, written: Scale, axis: Axis | None, *, is_best: bool) -> Cell:
    if measured is None:
        return Cell(NOTHING, None, "", None, False)
    drawn = drawings.interval(axis, measured.value, measured.ci_low, measured.ci_high)
    return Cell(written.text(measured.value), drawn, said(measured, written), measured.reason, is_best)


def _best(better: Better | None, found: Sequence[Measured | None]) -> list[bool]:
    """Who is significantly better than all others that have a value."""
    others = sum(value_of(one) is not None for one in found) - 1
    if better is None or others < 1:
        return [False] * len(found)
    return [int(row.sum()) == others for row in better]


def ahead_rows(models: int, better: Better | None) -> tuple[tuple[str, ...], ...]:
    """How each model compares with each other one; empty beside itself."""
    said = np.full((models, models), OPEN, dtype=object)
    if better is not None:
        said[better], said[better.T] = AHEAD, BEHIND
    np.fill_diagonal(said, "")
    return tuple(map(tuple, said.tolist()))


def alike_rows(models: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> tuple[tuple[str, ...], ...]:
    """Correlations of signals by row and column; empty beside itself."""
    return tuple(
        tuple("" if one == other else _CORRELATION.text(pairs.get((one, other))) for other in models) for one in models
    )
