"""The rows and columns of a board's page: numbers as texts, intervals and lines as drawings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.figures import Scale, metric_name, scale, window_name
from pipeline.reports.pages.measures import ends, half_width, meaning_of, said, unit_of, value_of
from pipeline.reports.queries.curves import Curve
from pipeline.reports.queries.metrics import Described
from pipeline.reports.queries.standings import Measured, Standing, Standings
from pipeline.reports.wrong import WrongInputError

_FEW = 2
"""Metrics that are shown beside that which ranks, unless all are asked for."""

_SORTABLE = ("rank", "model", "change", "coverage", "n")


@dataclass(frozen=True)
class Ranked:
    """What ranks a board: the window and the metric that its value is of, and how that is called.

    Parameters
    ----------
    window, metric : str
        Of a weighted board the first part.
    label : str
    is_weighted : bool
        The value is a weighted sum, which has no interval of its own.
    """

    window: str
    metric: str
    label: str
    is_weighted: bool


@dataclass(frozen=True)
class Column:
    """A column of numbers: what an address sorts it by, its heading, what it means, and a text for each row."""

    key: str
    label: str
    description: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row with its drawings; ``said`` is the interval in words."""

    standing: Standing
    value: str
    interval: Interval | None
    said: str
    points: str


@dataclass(frozen=True)
class Table:
    """The rows of a page, and the axes of its drawings; None where nothing is to be drawn."""

    ranked: Ranked
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    values: Axis | None
    ranks: Axis | None
    hidden: int


def ranked_by(found: Standings) -> Ranked:
    """What ranks a board."""
    window, _, metric = found.board.keys[0].partition(".")
    if found.board.is_weighted:
        return Ranked(window, metric, "Combined score", True)
    return Ranked(window, metric, metric_name(metric), False)


def table_of(
    found: Standings,
    means: Mapping[str, Described],
    curves: Mapping[str, Curve],
    n_ranked: int,
    *,
    every_metric: bool = False,
) -> Table:
    """A board as its page shows it.

    Parameters
    ----------
    found : Standings
    means : mapping
        What its metrics mean.
    curves : mapping
        Of its models, as far as there are some.
    n_ranked : int
        Models that have a rank, on all pages.
    every_metric : bool
        All metrics of the window, not the first few alone.
    """
    ranked = ranked_by(found)
    measured = [None if ranked.is_weighted else _measured(one, ranked, found.window) for one in found.rows]
    written = key_scale(found, means)
    values = [
        one.row.rank_key if one.row.rank_key is not None else value_of(own)
        for one, own in zip(found.rows, measured, strict=True)
    ]
    on = drawings.axis(ends(measured))
    rows = tuple(
        Row(
            one,
            written.text(value),
            None if own is None else drawings.interval(on, own.value, own.ci_low, own.ci_high),
            said(own, written),
            drawings.polyline(curves[one.row.model_id].values) if one.row.model_id in curves else "",
        )
        for one, own, value in zip(found.rows, measured, values, strict=True)
    )
    columns, hidden = _columns(found, ranked, means, every_metric)
    has_ranks = any(one.row.rank_lo is not None for one in found.rows)
    axis = Axis(1, max(1, n_ranked), drawings.RANKS_WIDTH) if has_ranks else None
    return Table(ranked, rows, columns, on, axis, hidden)


def key_scale(found: Standings, means: Mapping[str, Described]) -> Scale:
    """How the values that rank a board are written."""
    ranked = ranked_by(found)
    keys = [one.row.rank_key for one in found.rows]
    if ranked.is_weighted:
        return scale(keys)
    widths = [half_width(_measured(one, ranked, found.window)) for one in found.rows]
    return scale(keys, widths, unit_of(means, ranked.metric))


def sorted_rows(found: Standings, by: str) -> tuple[Standing, ...]:
    """The rows in the order of a column, those without a value last; ``-`` before its name is from the greatest.

    Raises
    ------
    WrongInputError
        If there is no such column.
    """
    name = by.removeprefix("-")
    keyed = [(_sort_value(found, one, name), one) for one in found.rows]
    known = [(value, one) for value, one in keyed if value is not None]
    known.sort(key=lambda pair: pair[0], reverse=by.startswith("-"))
    return tuple(one for _, one in (*known, *((value, one) for value, one in keyed if value is None)))


def _sort_value(found: Standings, one: Standing, name: str) -> float | str | None:
    row = one.row
    if name == "model":
        return row.title.casefold()
    if name in _SORTABLE:
        return {"rank": row.position, "change": row.rank_change, "coverage": row.coverage, "n": row.n}[name]
    window, _, metric = name.partition(".")
    if metric == found.contest.primary and window in found.contest.windows:
        return value_of(one.windows.get(window))
    if window == found.window and metric in found.contest.directions:
        return value_of(one.metrics.get(metric))
    known = ", ".join([*_SORTABLE, f"{found.window}.{found.contest.primary}"])
    raise WrongInputError(f"cannot sort by {name!r}; sort by one of {known}, or another column of the page")


def _measured(one: Standing, ranked: Ranked, window: str) -> Measured | None:
    """The metric that ranks, with its interval."""
    if ranked.window == window:
        return one.metrics.get(ranked.metric)
    return one.windows.get(ranked.window)


def _columns(
    found: Standings, ranked: Ranked, means: Mapping[str, Described], every: bool
) -> tuple[tuple[Column, ...], int]:
    """The primary metric of the other windows, then other metrics of the window shown; how many are not shown."""
    primary = found.contest.primary
    in_view = None if ranked.is_weighted else (ranked.window, ranked.metric)
    windows = [one for one in found.contest.windows if (one, primary) != in_view]
    others = [one for one in found.contest.directions if one != primary and (found.window, one) != in_view]
    others = [one for one in others if any(one in row.metrics for row in found.rows)]
    shown = others if every else others[:_FEW]
    of_windows = [
        _column(
            f"{one}.{primary}",
            f"{window_name(one)} {metric_name(primary)}",
            f"{meaning_of(means, primary)} Over the window {one}.",
            [row.windows.get(one) for row in found.rows],
            unit_of(means, primary),
        )
        for one in windows
    ]
    of_metrics = [
        _column(
            f"{found.window}.{one}",
            metric_name(one),
            meaning_of(means, one),
            [row.metrics.get(one) for row in found.rows],
            unit_of(means, one),
        )
        for one in shown
    ]
    return (*of_windows, *of_metrics), len(others) - len(shown)


def _column(key: str, label: str, description: str, measured: Sequence[Measured | None], unit: str) -> Column:
    values = list(map(value_of, measured))
    written = scale(values, map(half_width, measured), unit)
    return Column(key, label, description, tuple(map(written.text, values)))
