"""How alike the signals of models are, over the cycles of a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.competition.correlations import signal_correlations
from pipeline.competition.panel import Axes
from pipeline.competition.peers import is_virtual
from pipeline.reports.queries.listing import names_of_models
from pipeline.reports.queries.standings import Contest
from pipeline.warehouse import Store

_MOST_SIGNALS = 500_000
"""Read at once, of the newest cycles: what a page can wait for."""

_COUNTS = """
    SELECT cycle, count(*) FROM competition.scores
    WHERE competition = $competition AND cycle BETWEEN $first AND $last
    AND ($models IS NULL OR list_contains($models, model_id))
    GROUP BY cycle ORDER BY cycle DESC
"""

_SIGNALS = """
    SELECT model_id, cycle, horizon, subject, prediction FROM competition.scores
    WHERE competition = $competition AND cycle BETWEEN $first AND $last AND known_at <= $as_of AND NOT is_imputed
    AND ($models IS NULL OR list_contains($models, model_id))
    UNION ALL
    SELECT model_id, cycle, horizon, subject, prediction FROM competition.ensemble_scores
    WHERE competition = $competition AND cycle BETWEEN $first AND $last AND known_at <= $as_of
    AND list_contains($virtual, model_id)
"""
"""Of a distribution its point; what is the same in several versions of a score replaces itself."""


@dataclass(frozen=True, eq=False)
class Signals:
    """What models predicted, cross-section by cross-section, as far as outcomes are known.

    Parameters
    ----------
    models : array of str, shape (models,)
        Those that predicted anything, sorted.
    values : array of float, shape (sections, models, subjects)
        NaN is absent.
    n_cycles : int
        How many cycles they are of.
    """

    models: npt.NDArray[np.object_]
    values: npt.NDArray[np.float64]
    n_cycles: int


@dataclass(frozen=True)
class ModelCorrelation:
    """The mean rank correlation of a model's signals with those of another; None without a cross-section for it."""

    model_id: str
    model_name: str
    correlation: float | None
    n_sections: int


@dataclass(frozen=True)
class Correlations:
    """A model beside every other real one, the most alike first, over so many cycles."""

    rows: tuple[ModelCorrelation, ...]
    n_cycles: int

    def table(self) -> pa.Table:
        """The rows as a table."""
        names = ("model_id", "model_name", "correlation", "n_sections")
        types = (pa.string(), pa.string(), pa.float64(), pa.int64())
        columns = [
            pa.array([getattr(row, name) for row in self.rows], of) for name, of in zip(names, types, strict=True)
        ]
        return pa.table(dict(zip(names, columns, strict=True)))


def correlations(
    connection: duckdb.DuckDBPyConnection, of: Contest, model_id: str, cycles: Sequence[datetime], as_of: datetime
) -> Correlations:
    """A model beside every other real one.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    of : Contest
    model_id : str
        Real or virtual.
    cycles : sequence of datetime
        Those of a window, in order; of a large contest the newest, as far as half a million signals reach.
    as_of : datetime
        Only cross-sections whose outcome was known by then.
    """
    found = _signals(connection, of, None, [model_id] if is_virtual(model_id) else [], cycles, as_of)
    if model_id not in found.models:
        return Correlations((), found.n_cycles)
    own = int(np.searchsorted(found.models, model_id))
    others = [place for place, name in enumerate(found.models) if place != own and not is_virtual(str(name))]
    alike = signal_correlations(found.values[:, own], found.values[:, others], of.contract["min_subjects"])
    named = {one: known.title for one, known in names_of_models(connection, of.name).items()}
    rows = [
        ModelCorrelation(name, named.get(name, name), None if np.isnan(value) else float(value), int(n))
        for name, value, n in zip(found.models[others].tolist(), alike.value, alike.n, strict=True)
    ]
    rows.sort(key=lambda row: (row.correlation is None, -(row.correlation or 0.0), row.model_id))
    return Correlations(tuple(rows), found.n_cycles)


def pairwise(
    connection: duckdb.DuckDBPyConnection,
    of: Contest,
    models: Sequence[str],
    cycles: Sequence[datetime],
    as_of: datetime,
) -> dict[tuple[str, str], float]:
    """The mean rank correlation of every two of some models, real or virtual, both ways; pairs without one are absent.

    Parameters
    ----------
    connection, of, cycles, as_of
        As for :func:`correlations`.
    models : sequence of str
        A few: every one is compared with every other.
    """
    real = [model for model in models if not is_virtual(model)]
    found = _signals(connection, of, real, [model for model in models if is_virtual(model)], cycles, as_of)
    pairs = {}
    for place, model in enumerate(found.models):
        alike = signal_correlations(found.values[:, place], found.values, of.contract["min_subjects"])
        for other, value in zip(found.models, alike.value, strict=True):
            if model != other and not np.isnan(value):
                pairs[str(model), str(other)] = float(value)
    return pairs


def _signals(
    connection: duckdb.DuckDBPyConnection,
    of: Contest,
    models: Sequence[str] | None,
    virtual: Sequence[str],
    cycles: Sequence[datetime],
    as_of: datetime,
) -> Signals:
    """Signals of the newest of some cycles; of all real models where ``models`` is None."""
    if not cycles:
        return Signals(np.array([], dtype=object), np.empty((0, 0, 0)), 0)
    asked = {"competition": of.name, "models": None if models is None else list(models), "last": cycles[-1]}
    first, n_cycles = _newest(connection, {**asked, "first": cycles[0]}, len(cycles))
    rows = Store(connection).query(_SIGNALS, {**asked, "first": first, "as_of": as_of, "virtual": list(virtual)})
    axes = Axes.of(rows)
    return Signals(axes.models.to_numpy(dtype=object), axes.cube(rows, "prediction"), n_cycles)


def _newest(connection: duckdb.DuckDBPyConnection, asked: Mapping[str, object], n_cycles: int) -> tuple[object, int]:
    """The first cycle from which on there are not too many signals, and how many there are; at least the newest."""
    counted = connection.execute(_COUNTS, dict(asked)).fetchall()
    sums = np.cumsum([n for _, n in counted])
    kept = max(1, int(np.searchsorted(sums, _MOST_SIGNALS, side="right")))
    if kept >= len(counted):
        return asked["first"], n_cycles
    return counted[kept - 1][0], kept
