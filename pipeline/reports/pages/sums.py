"""The primary metric of models summed over a window, as the lines of pages."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from pipeline.leaderboard import Direction
from pipeline.reports.pages.figures import metric_name
from pipeline.reports.queries.curves import Curve, cycle_values
from pipeline.reports.queries.standings import Contest
from pipeline.warehouse import Memory


def sums_of(
    connection: duckdb.DuckDBPyConnection,
    memory: Memory,
    of: Contest,
    models: Sequence[str],
    as_of: datetime,
    last: int | None,
) -> dict[str, Curve]:
    """By model the sum over its last so many cycles (None for all), as known at a moment; of losses the lead summed.

    Nothing where the contest is too large to keep, and of models without a value.
    """
    values = memory.of(("cycle values", of.name), lambda: cycle_values(connection, of.name, of.primary))
    return {} if values is None else values.curves(as_of, models, last, is_loss=_is_loss(of))


def sums_title(of: Contest) -> str:
    """What the sums are of."""
    return "Lead over the mean" if _is_loss(of) else f"Cumulative {metric_name(of.primary)}"


def _is_loss(of: Contest) -> bool:
    return of.directions.get(of.primary) == Direction.ASC
