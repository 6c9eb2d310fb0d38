"""Evaluation sets as pages show them: the board of a part, and one metric of all models on all parts."""

import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.charts import ValueAxis, parts_chart
from pipeline.leaderboard import Direction
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.evaluation_columns import Metric
from pipeline.reports.pages.figures import NOTHING
from pipeline.reports.pages.measures import between, ends, half_width, said, value_of
from pipeline.reports.queries import Evaluated, EvaluationBoard, EvaluationRow
from pipeline.reports.queries.breakdowns import Breakdown, Cell, Listed

_SERIES = ("cycle", "target_time")
"""Divisions whose parts follow each other in time."""

_DRAWN = 3
"""Models that the chart shows unless others are ticked: the best, beside the baseline."""


@dataclass(frozen=True)
class BoardRow:
    """A model on the board of a part: its values as texts, and that which is drawn; ``ends`` are its interval's."""

    row: EvaluationRow
    title: str
    value: str
    ends: str
    interval: Interval | None
    said: str
    values: tuple[str, ...]
    n: int


@dataclass(frozen=True)
class BoardTable:
    """The board of a part.

    Parameters
    ----------
    others : tuple of Metric
        Columns beside the one that is drawn.
    rows : tuple of BoardRow
    axis : Axis or None
        Of the drawings of intervals.
    reference : float or None
        Where what values are read against is on it.
    ranks : Axis or None
        Of the drawings of ranks that could be.
    """

    others: tuple[Metric, ...]
    rows: tuple[BoardRow, ...]
    axis: Axis | None
    reference: float | None
    ranks: Axis | None


@dataclass(frozen=True)
class Shaded:
    """One value in the table of parts: text, classes of its shade, and what it is in words."""

    text: str
    classes: str
    said: str


@dataclass(frozen=True)
class PartHead:
    """A column of the table of parts: its name in tables, a heading of one or two lines, and its tasks."""

    part: str
    label: str
    small: str
    n_tasks: int


@dataclass(frozen=True)
class PartRow:
    """A model on all parts."""

    model: Listed
    cells: tuple[Shaded, ...]
    is_drawn: bool


def board_table(
    board: EvaluationBoard, metrics: Mapping[str, Metric], shown: Metric, titles: Mapping[str, str], *, virtual: bool
) -> BoardTable:
    """The board of a part, in the order of one metric.

    Parameters
    ----------
    board : EvaluationBoard
    metrics : mapping of str to Metric
        All columns.
    shown : Metric
        Whose intervals are drawn.
    titles : mapping of str to str
        Of models.
    virtual : bool
        Whether virtual models are listed.
    """
    listed = [row for row in board.rows if virtual or not row.is_ensemble]
    if shown.name != board.rank_by:
        listed.sort(key=lambda row: _order(row, shown))
    measured = [row.values.get(shown.name) for row in listed]
    on = _axis(shown, measured)
    written = shown.scale(map(value_of, measured), map(half_width, measured))
    others = tuple(metric for metric in metrics.values() if metric != shown)
    scales = [metric.scale([value_of(row.values.get(metric.name)) for row in listed]) for metric in others]
    n_ranked = sum(row.rank is not None for row in board.rows)
    rows = tuple(
        BoardRow(
            row,
            titles.get(row.model_id, row.model_id),
            written.text(value_of(one)),
            between(one, written),
            None if one is None else drawings.interval(on, *map(shown.drawn, (one.value, one.ci_low, one.ci_high))),
            _said(one, shown),
            tuple(to.text(value_of(row.values.get(of.name))) for of, to in zip(others, scales, strict=True)),
            max((value.n for value in row.values.values()), default=0),
        )
        for row, one in zip(listed, measured, strict=True)
    )
    is_bounded = any(row.rank_lo is not None for row in board.rows)
    return BoardTable(
        others,
        rows,
        on,
        None if on is None or (level := shown.drawn(shown.reference)) is None else on.place(level),
        Axis(1, max(1, n_ranked), drawings.RANKS_WIDTH) if is_bounded else None,
    )


def _axis(shown: Metric, measured: Sequence[Evaluated | None]) -> Axis | None:
    """What all intervals of a metric are drawn on, its reference too; None where there is no value."""
    reached = ends(measured)
    if all(end is None for end in reached):
        return None
    return drawings.axis(map(shown.drawn, [*reached, shown.reference]))


def part_heads(found: Breakdown) -> list[PartHead]:
    """The parts as columns, with the tasks of each."""
    tasks: dict[str, int] = {}
    for (_, part), cell in found.cells.items():
        tasks[part] = max(tasks.get(part, 0), cell.n_tasks)
    return [PartHead(part, *_head(found.by, title), tasks[part]) for part, title in found.parts.items()]


def part_rows(
    found: Breakdown, metric: Metric, whole: Mapping[str, Cell], drawn: Collection[str], *, virtual: bool
) -> list[PartRow]:
    """Models as rows, with their value of the whole set and of every part.

    Values that have no fixed reference are read against the median of the models of their column.

    Parameters
    ----------
    found : Breakdown
    metric : Metric
    whole : mapping of str to Cell
        Of the whole set, by model.
    drawn : collection of str
        Models that the chart shows.
    virtual : bool
        Whether virtual models are listed.
    """
    columns = [whole, *(_column(found, part) for part in found.parts)]
    references = [metric.reference if metric.reference is not None else _median(column) for column in columns]
    written = metric.short_scale([cell.value for cell in found.cells.values()])
    return [
        PartRow(
            model,
            tuple(
                _shaded(column.get(model.model_id), metric, reference, written.text)
                for column, reference in zip(columns, references, strict=True)
            ),
            model.model_id in drawn,
        )
        for model in found.models
        if virtual or not model.is_ensemble
    ]


def drawn_models(found: Breakdown, asked: Sequence[str], baseline: str | None) -> list[str]:
    """The models of a chart: those asked for, if there are some, else the best on most parts and the baseline."""
    known = [one.model_id for one in found.models]
    chosen = [model for model in known if model in asked]
    if chosen:
        return chosen
    on_parts = Counter(model for (model, _), cell in found.cells.items() if cell.value is not None)
    best = [
        one.model_id
        for one in found.models
        if not one.is_ensemble and one.model_id != baseline and 2 * on_parts[one.model_id] > len(found.parts)
    ]
    return [*best[:_DRAWN], *([baseline] if baseline in known else [])]


def parts_drawn(found: Breakdown, metric: Metric, models: Sequence[str]) -> dict[str, Any]:
    """The chart of a metric of some models over parts."""
    titles = {one.model_id: one.title for one in found.models}
    is_series = found.by in _SERIES
    rows = [
        {
            "part": datetime.fromisoformat(part).isoformat() if is_series else title,
            "label": titles[model],
            "value": cell.value,
            "ci_low": cell.ci_low,
            "ci_high": cell.ci_high,
        }
        for part, title in found.parts.items()
        for model in models
        if (cell := found.cells.get((model, part))) is not None and cell.value is not None
    ]
    named = [titles[model] for model in models]
    axis = ValueAxis(metric.label, "%" if metric.unit == "share" else "", metric.reference)
    return parts_chart(rows, named, axis, is_series=is_series)


def _order(row: EvaluationRow, metric: Metric) -> tuple[bool, float]:
    """The best first, of coverages those nearest to nominal; without a value last."""
    value = value_of(row.values.get(metric.name))
    if value is None:
        return True, 0.0
    if metric.direction == Direction.NONE:
        return False, abs(value - metric.reference) if metric.reference is not None else -value
    return False, value if metric.direction == Direction.ASC else -value


def _said(one: Evaluated | Cell | None, metric: Metric) -> str:
    """A value with its interval in words."""
    if one is None or one.value is None:
        return NOTHING if one is None or one.reason is None else one.reason.replace("_", " ")
    return said(one, metric.scale([one.value]))


def _column(found: Breakdown, part: str) -> dict[str, Cell]:
    return {model: cell for (model, of_part), cell in found.cells.items() if of_part == part}


def _median(column: Mapping[str, Cell]) -> float | None:
    known = [cell.value for cell in column.values() if cell.value is not None]
    return statistics.median(known) if known else None


def _shaded(cell: Cell | None, metric: Metric, reference: float | None, text: Any) -> Shaded:
    if cell is None:
        return Shaded(NOTHING, "none", "no forecast")
    classes = [metric.shade(cell.value, reference), "sure" if metric.is_sure(cell.ci_low, cell.ci_high) else ""]
    return Shaded(text(cell.value), " ".join(filter(None, classes)), f"{_said(cell, metric)}; {cell.n:,} tasks")


def _head(by: str, title: str) -> tuple[str, str]:
    """A heading: of dates the day above the year."""
    if by not in _SERIES:
        return title, ""
    moment = datetime.fromisoformat(title)
    return f"{moment.day} {moment:%b}", f"{moment:%Y}" if moment.time() == datetime.min.time() else f"{moment:%H:%M %Y}"
