"""What the stages of a competition read, and how much of it at once.

New cycles are to cost the same after a long history as after a short one: read here what cycles or moments reach, not
all there is.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.labels import labels
from pipeline.competition.metrics import Need
from pipeline.competition.previous import cycles_before
from pipeline.competition.stages import compute_cycle_metrics, earlier_board
from pipeline.settings import settings
from pipeline.tables import CYCLE_METRICS, FACTORS, PREDICTIONS, SNAPSHOTS, TRUTH
from pipeline.warehouse import Store, compose

ARRAYS = 24
"""Numbers held for each prediction of a block while it is scored, at most; rows of text are most of it."""

ARRAYS_OF_METRICS = 10
"""The same while its metrics are computed: part by part, out of codes."""


def predictions_and_truth(
    store: Store, contract: Contract, cycles: list[datetime]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of some cycles, and every version of the outcomes at their target times."""
    predictions = _read_predictions(store, contract, cycles)
    return predictions, store.read(TRUTH, contract.name, times_of(pd.Series(labels(predictions["target_time"]))))


def _read_predictions(store: Store, contract: Contract, cycles: list[datetime]) -> pd.DataFrame:
    coded = (("cycle", "horizon", "target_time"), ("model_id",), ("subject",))
    return store.read_coded(PREDICTIONS, contract.name, cycles, coded, ("value", "is_late"))


@dataclass(frozen=True)
class MetricInputs:
    """What the metrics of some cycles are computed from; None what no listed metric needs."""

    predictions: pd.DataFrame
    truth: pd.DataFrame
    earlier: pd.DataFrame | None
    factors: pd.DataFrame | None

    def metrics(self, contract: Contract) -> pd.DataFrame:
        """Rows of ``cycle_metrics``."""
        return compute_cycle_metrics(self.predictions, self.truth, None, contract, self.earlier, self.factors)


def inputs_of_metrics(store: Store, contract: Contract, cycles: list[datetime]) -> MetricInputs:
    """Read what the metrics of some cycles are computed from."""
    predictions, truth = predictions_and_truth(store, contract, cycles)
    earlier = factors = None
    if Need.PREVIOUS in contract.needs:
        earlier = _read_predictions(store, contract, cycles_before(cycles, _played_until(store, contract, cycles)))
    if Need.FACTORS in contract.needs:
        factors = store.read(FACTORS, contract.name, cycles)
    return MetricInputs(predictions, truth, earlier, factors)


def _played_until(store: Store, contract: Contract, cycles: Sequence[datetime]) -> list[datetime]:
    """The cycles with a prediction in time, ascending: from the one before ``cycles``, if any, to their last."""
    statement = compose(
        "SELECT DISTINCT cycle FROM {table} WHERE competition = ? AND NOT is_late AND cycle BETWEEN ? AND ?",
        table=PREDICTIONS,
    )
    return _since_before(
        min(cycles),
        sorted(store.seqs(PREDICTIONS, contract.name)),
        lambda first: times_of(store.query(statement, [contract.name, first, max(cycles)]).iloc[:, 0]),
        lambda found: bool(found) and found[0] < min(cycles),
    )


def known_metrics(store: Store, contract: Contract, until: datetime | None) -> pd.DataFrame:
    """Every version of the cycles' metrics known by then, names as categories: a byte or two for each, not a text."""
    coded = [[name] for name in ("category", "metric", "model_id", "reason")]
    plain = ("cycle", "known_at", "value", "numerator", "denominator")
    rows = store.read_coded(CYCLE_METRICS, contract.name, [*store.seqs(CYCLE_METRICS, contract.name)], coded, plain)
    return rows if until is None else rows[rows["known_at"] <= until]


def moments_with_snapshots(store: Store, contract: Contract, as_ofs: Sequence[datetime]) -> list[datetime]:
    """The moments that have snapshots, ascending: as far back as the newest board a day before ``as_ofs``, if any."""
    statement = compose(
        "SELECT DISTINCT as_of FROM {table} WHERE competition = ? AND as_of BETWEEN ? AND ?", table=SNAPSHOTS
    )
    return _since_before(
        min(as_ofs),
        sorted(store.seqs(SNAPSHOTS, contract.name)),
        lambda first: times_of(store.query(statement, [contract.name, first, max(as_ofs)]).iloc[:, 0]),
        lambda found: earlier_board(min(as_ofs), found) is not None,
    )


def _since_before(
    moment: datetime,
    known: Sequence[datetime],
    found_since: Callable[[datetime], list[datetime]],
    is_enough: Callable[[list[datetime]], bool],
) -> list[datetime]:
    """What is found from a few of the moments known before one on; more of them while it is not enough."""
    n_before, look_back = bisect_left(known, moment), _LOOK_BACK
    while known:
        found = found_since(known[max(0, n_before - look_back)])
        if look_back >= n_before or is_enough(found):
            return found
        look_back *= _LOOK_BACK
    return []


_LOOK_BACK = 8
"""A moment without rows is rare, so the history is not searched for where it begins."""


def cycles_per_block(
    store: Store, contract: Contract, cycles: Sequence[datetime], arrays: int = ARRAYS_OF_METRICS
) -> int:
    """How many of these cycles' predictions are computed at once."""
    # Counted exactly: DuckDB does that once for each text of a segment, but approximately for every row.
    statement = compose(
        "SELECT count(DISTINCT model_id) * count(DISTINCT subject) AS cells FROM {table}"
        " WHERE competition = ? AND cycle BETWEEN ? AND ?",
        table=PREDICTIONS,
    )
    counted = store.query(statement, [contract.name, min(cycles), max(cycles)])
    return fitting(int(counted["cells"].iloc[0]), arrays)


def fitting(cells: int, arrays: int = ARRAYS) -> int:
    """How many cycles of so many predictions each fill the memory that settings allow for a block."""
    return max(1, settings().block_megabytes * 1_000_000 // (8 * arrays * max(1, cells)))


def times_of(values: "pd.Series[pd.Timestamp]") -> list[datetime]:
    """Distinct times in order, as plain datetimes."""
    return [pd.Timestamp(value).to_pydatetime() for value in sorted(values.unique())]
