"""What several tables of a competition are computed from, as they read it from the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.metrics import BESIDE
from pipeline.competition.stages import member_metrics
from pipeline.tables import CYCLE_METRICS, ENSEMBLE_METRICS, MEMBER_METRICS, TRUTH
from pipeline.warehouse import Store, compose
from pipeline.warehouse.identifiers import Sql, join, literal

_METRIC_COLUMNS = Sql("category, metric, model_id, reason, cycle, known_at, value, numerator, denominator, is_imputed")


def known_metrics(
    store: Store,
    contract: Contract,
    until: datetime | None,
    *,
    virtual: bool = False,
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Every version of the cycles' metrics known by then, names as categories: a byte or two for each, not a text.

    With ``virtual``, those of virtual models and of members beside an ensemble too. Of all metrics, or of those named.
    """
    of_board = Sql("WHERE competition = $board AND known_at <= coalesce($until, 'infinity'::TIMESTAMP)")
    parts = [
        compose("SELECT {columns} FROM {table} {only}", columns=_METRIC_COLUMNS, table=CYCLE_METRICS, only=of_board)
    ]
    if virtual and contract.active_ensembles:
        parts.append(
            compose(
                "SELECT {columns} FROM {table} {only}", columns=_METRIC_COLUMNS, table=ENSEMBLE_METRICS, only=of_board
            )
        )
        parts.extend(_beside(contract, name, of_board) for name in (metric.name for metric in member_metrics(contract)))
    rows = compose(
        "SELECT * FROM ({every}) WHERE list_contains(coalesce($metrics, [metric]), metric)",
        every=join(parts, " UNION ALL "),
    )
    parameters = {"board": contract.name, "until": until, "metrics": None if metrics is None else list(metrics)}
    names = {
        column: _as_category(store, rows, parameters, column) for column in ("category", "metric", "model_id", "reason")
    }
    statement = compose(
        "SELECT {category}, {metric}, {model_id}, {reason}, cycle, known_at, value, numerator, denominator, is_imputed"
        " FROM ({rows})",
        rows=rows,
        **names,
    )
    return store.query(statement, parameters)


def _beside(contract: Contract, listed: str, only: Sql) -> Sql:
    """A listed metric of members beside its ensemble, under the name that it is listed by."""
    return compose(
        "SELECT {columns} FROM (SELECT * REPLACE ({listed} AS metric) FROM {table} {only}"
        " AND ensemble = {ensemble} AND metric = {metric})",
        columns=_METRIC_COLUMNS,
        listed=literal(listed),
        table=MEMBER_METRICS,
        only=only,
        ensemble=literal(contract.ensemble_beside(listed).name),
        metric=literal(listed.partition(BESIDE)[0]),
    )


def _as_category(store: Store, rows: Sql, parameters: Mapping[str, object], column: str) -> Sql:
    """A column of some rows as DuckDB's ENUM, which pandas takes for categories; one has at least one name."""
    distinct = compose(
        "SELECT DISTINCT {column} FROM ({rows}) WHERE {column} IS NOT NULL ORDER BY 1", column=column, rows=rows
    )
    names = store.query(distinct, parameters)[column].tolist() or [""]
    return compose("{column}::ENUM({names}) AS {column}", column=column, names=join([literal(name) for name in names]))


def truth_of(store: Store, contract: Contract, predictions: pd.DataFrame) -> pd.DataFrame:
    """Every version of the outcomes at the target times of some predictions."""
    return store.read(TRUTH, contract.name, times(predictions["target_time"]))


def times(values: "pd.Series[pd.Timestamp]") -> list[datetime]:
    """Distinct times in order, as plain datetimes."""
    return [pd.Timestamp(value).to_pydatetime() for value in sorted(values.unique())]
