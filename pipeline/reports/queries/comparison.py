"""A few models beside each other: their metrics over a window, and which the evidence separates."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from pipeline.competition import Contract
from pipeline.competition.metrics import COVERAGE, base_and_ensemble
from pipeline.competition.stages import RankEvidence, member_metrics, rows_as_listed
from pipeline.competition.stages.missing import FILLED
from pipeline.leaderboard import Direction
from pipeline.reports.queries.standings import Contest, Measured
from pipeline.tables import OVERALL
from pipeline.warehouse import Sql, Store, compose

Better = npt.NDArray[np.bool_]

_MEASURED = """
    SELECT model_id, metric, value, ci_low, ci_high, n, reason, coverage, is_final FROM competition.snapshots
    WHERE competition = $competition AND category = $overall AND as_of = $as_of AND window_name = $window
    AND list_contains($models, model_id)
"""

_COLUMNS = Sql("model_id, cycle, category, metric, known_at, value, numerator, denominator, reason, is_imputed")

_KNOWN = Sql("""
    competition = $competition AND category = $overall AND known_at <= $as_of
    AND ($first IS NULL OR cycle >= $first)
""")

_ROWS = compose(
    """
    SELECT {columns} FROM competition.cycle_metrics
    WHERE {known} AND ($real IS NULL OR list_contains($real, model_id)) AND list_contains($metrics, metric)
    UNION ALL
    SELECT {columns} FROM competition.ensemble_metrics
    WHERE {known} AND list_contains($models, model_id) AND list_contains($metrics, metric)
    UNION ALL
    (SELECT DISTINCT ON (cycle) {columns} FROM competition.cycle_metrics
     WHERE {known} AND metric = $coverage AND NOT is_imputed ORDER BY cycle, known_at, model_id)
""",
    columns=_COLUMNS,
    known=_KNOWN,
)
"""Last one row of every cycle that anybody had an outcome of: windows count these too."""

_MEMBERS = compose(
    """
    SELECT ensemble, {columns} FROM competition.member_metrics
    WHERE {known} AND list_contains($models, model_id) AND list_contains($metrics, metric)
""",
    columns=_COLUMNS,
    known=_KNOWN,
)


def measured_of(
    connection: duckdb.DuckDBPyConnection, of: Contest, models: Sequence[str], window: str, as_of: datetime
) -> dict[tuple[str, str], Measured]:
    """Every metric of some models over a window as of a board, by model and metric."""
    asked = {"competition": of.name, "overall": OVERALL, "as_of": as_of, "window": window, "models": list(models)}
    return {
        (model, metric): Measured(*rest) for model, metric, *rest in connection.execute(_MEASURED, asked).fetchall()
    }


def better_by_metric(
    connection: duckdb.DuckDBPyConnection,
    of: Contest,
    models: Sequence[str],
    window: str,
    cycles: Sequence[datetime],
    as_of: datetime,
) -> Mapping[str, Better]:
    """Which of some models are significantly better than which, metric by metric.

    Every two are compared on the cycles that both have, as rank intervals compare all models of a board, corrected for
    the pairs of these models. What counts of dependence between cycles is what these models show.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    of : Contest
    models : sequence of str
        A few, real or virtual.
    window : str
    cycles : sequence of datetime
        Those of the window, in order.
    as_of : datetime
        Only what was known by then.

    Returns
    -------
    mapping of str to bool array, shape (models, models)
        By metric of which one end is better: where the model of the row is better than that of the column. Metrics
        without an influence of single cycles, such as the drawdown, are not there; nor is any while nothing is
        resolved, or where this Podium cannot use the contest's declaration.
    """
    contract = _contract(of)
    if contract is None or not cycles or len(models) < 2:
        return {}
    ordered = [metric for metric, direction in of.directions.items() if direction != Direction.NONE]
    bases = list(dict.fromkeys([*(contract.base(metric) for metric in ordered), COVERAGE]))
    names = [metric.name for metric in bases]
    rows = _rows(connection, contract, models, names, cycles[0], as_of)
    evidence = RankEvidence(rows, contract, bases)
    at, who = np.datetime64(as_of, "us"), np.array(models, dtype=object)
    found = {metric: evidence.better(at, OVERALL, who, f"{window}.{metric}") for metric in ordered}
    return {metric: better for metric, better in found.items() if better is not None}


def _contract(of: Contest) -> Contract | None:
    """The declaration of a contest; None where it names functions that are not here."""
    try:
        return Contract.model_validate_json(of.declaration)
    except ValidationError:
        return None


def _rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    models: Sequence[str],
    metrics: Sequence[str],
    first: datetime,
    as_of: datetime,
) -> pd.DataFrame:
    """Rows of ``cycle_metrics`` of some models; of all where others stand in for the cycles that they left out."""
    is_filled = contract.missing.policy in FILLED
    asked = {
        "competition": contract.name,
        "overall": OVERALL,
        "as_of": as_of,
        "first": None if is_filled else first,
        "models": list(models),
    }
    real = None if is_filled else list(models)
    coverage = {"real": real, "coverage": COVERAGE.name, "metrics": list(metrics)}
    store = Store(connection)
    frames = [store.query(_ROWS, {**asked, **coverage})]
    listed = [metric.name for metric in member_metrics(contract)]
    if listed:
        bases = [base_and_ensemble(name)[0] for name in listed]
        beside = store.query(_MEMBERS, {**asked, "metrics": bases})
        frames += [part for name in listed if len(part := rows_as_listed(beside, name, contract))]
    return pd.concat(frames, ignore_index=True)
