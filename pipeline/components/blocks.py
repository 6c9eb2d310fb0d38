"""How many cycles are computed at once, so that a block fits the memory that settings allow."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd

from pipeline.competition import Contract, stage_code
from pipeline.competition.categories import By
from pipeline.competition.metrics import COVERAGE, RESOLVED
from pipeline.components.recompute import Outcome, Recompute, recompute
from pipeline.settings import settings
from pipeline.tables import PREDICTIONS, TableSpec
from pipeline.warehouse import Store, compose
from pipeline.warehouse.identifiers import Sql

RowsOf = Callable[[list[datetime]], pd.DataFrame]

ARRAYS = 24
"""Numbers held for each prediction of a block while it is scored, at most; rows of text are most of it."""

ARRAYS_OF_METRICS = 10
"""The same while its metrics are computed: part by part, out of codes."""

ARRAYS_OF_AN_ID = 6
"""The same for each number of a distribution: its row, and its place among those that are scored."""

ARRAYS_OF_SNAPSHOTS = 100
"""The same for each row of snapshots: twenty columns, five of them texts, all of it twice on its way to the table."""

_SAMPLES = 100
"""As many as hubs ask for."""

_ARRAYS_OF_A_ROW = 40
"""What a row of metrics takes, as so many numbers: texts too, and all of it twice while rows are put together."""


def arrays_of_metrics(contract: Contract) -> int:
    """Numbers held for each prediction while metrics are computed; each subject's own are rows for each prediction."""
    if contract.divided(By.SUBJECT) is None:
        return ARRAYS_OF_METRICS
    rows = len({*contract.metrics_by(By.SUBJECT), COVERAGE.name, RESOLVED.name})
    return ARRAYS_OF_METRICS + rows * _ARRAYS_OF_A_ROW


def numbers_of_each(contract: Contract) -> int:
    """Numbers of a prediction that is not read yet; how many samples there will be nobody knows."""
    return len(contract.output.ids) or (_SAMPLES if contract.output.is_distribution else 1)


def by_cycle(
    store: Store, spec: TableSpec, contract: Contract, config: Recompute, rows_of: RowsOf, arrays: int = ARRAYS
) -> Outcome:
    """A table whose rows follow, cycle by cycle, from predictions and what became known of them."""
    return recompute(
        store,
        spec,
        contract.name,
        stage_code(spec.name, contract),
        config,
        rows_of,
        cycles_per_block=lambda cycles: cycles_per_block(store, contract, cycles, arrays),
    )


def cycles_per_block(
    store: Store, contract: Contract, cycles: Sequence[datetime], arrays: int = ARRAYS_OF_METRICS
) -> int:
    """How many of these cycles' predictions are computed at once."""
    # Counted exactly: DuckDB does that once for each text of a segment, but approximately for every row.
    statement = compose(
        "SELECT count(DISTINCT model_id) * count(DISTINCT subject) * {horizons}, {ids} FROM {table}"
        " WHERE competition = ? AND cycle BETWEEN ? AND ?",
        horizons=Sql("count(DISTINCT horizon)" if contract.output.is_distribution else "1"),
        ids=Sql("count(DISTINCT output_type_id)" if contract.output.is_distribution else "0"),
        table=PREDICTIONS,
    )
    cells, ids = store.query(statement, [contract.name, min(cycles), max(cycles)]).iloc[0].tolist()
    return fitting(int(cells), arrays + ARRAYS_OF_AN_ID * int(ids))


def fitting(cells: int, arrays: int = ARRAYS) -> int:
    """How many cycles of so many predictions each fill the memory that settings allow for a block."""
    return max(1, settings().block_megabytes * 1_000_000 // (8 * arrays * max(1, cells)))
