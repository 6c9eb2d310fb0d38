"""What several tables of a competition are computed from, as they read it from the warehouse."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.labels import times
from pipeline.competition.metrics import Need
from pipeline.competition.previous import cycles_before
from pipeline.competition.stages import compute_cycle_metrics, earlier_board, member_metrics, rows_as_listed
from pipeline.tables import (
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    FACTORS,
    MEMBER_METRICS,
    PREDICTIONS,
    SNAPSHOTS,
    TRUTH,
    TableSpec,
)
from pipeline.warehouse import Store, compose
from pipeline.warehouse.identifiers import join


@dataclass(frozen=True)
class MetricInputs:
    """What the metrics of some cycles are computed from; None what no listed metric needs."""

    predictions: pd.DataFrame
    truth: pd.DataFrame
    earlier: pd.DataFrame | None
    factors: pd.DataFrame | None
    peers: pd.DataFrame | None = None

    def metrics(self, contract: Contract) -> pd.DataFrame:
        """Rows of ``cycle_metrics``; scores are computed on the way, which is quicker than to read them."""
        return compute_cycle_metrics(
            self.predictions, self.truth, None, contract, self.earlier, self.factors, self.peers
        )


def inputs_of_metrics(
    store: Store,
    contract: Contract,
    cycles: list[datetime],
    predictions: TableSpec = PREDICTIONS,
    peers: TableSpec | None = None,
) -> MetricInputs:
    """Read what the metrics of some cycles are computed from; ``peers`` are compared with, where others are."""
    rows, truth = predictions_and_truth(store, contract, cycles, predictions)
    earlier = factors = beside = None
    if Need.PREVIOUS in contract.needs:
        before = cycles_before(cycles, _played_until(store, contract, cycles, predictions))
        earlier = predictions_of(store, contract, before, predictions)
    if Need.FACTORS in contract.needs:
        factors = store.read(FACTORS, contract.name, cycles)
    if peers is not None:
        beside = predictions_of(store, contract, cycles, peers)
    return MetricInputs(rows, truth, earlier, factors, beside)


def predictions_and_truth(
    store: Store, contract: Contract, cycles: list[datetime], predictions: TableSpec = PREDICTIONS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of some cycles, and every version of the outcomes at their target times."""
    rows = predictions_of(store, contract, cycles, predictions)
    return rows, truth_of(store, contract, rows)


def predictions_of(
    store: Store, contract: Contract, cycles: list[datetime], spec: TableSpec = PREDICTIONS
) -> pd.DataFrame:
    """The predictions of some cycles in no particular order, names and times as categories."""
    coded = [("cycle", "horizon", "target_time", "deadline"), ("model_id",), ("subject",)]
    if contract.output.is_distribution:
        coded.append(("output_type_id",))
    return store.read_coded(spec, contract.name, cycles, coded, ("value", "is_late", "is_imputed"))


def truth_of(store: Store, contract: Contract, predictions: pd.DataFrame) -> pd.DataFrame:
    """Every version of the outcomes at the target times of some predictions."""
    return store.read(TRUTH, contract.name, times(predictions["target_time"]))


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
    frames = [_metrics(store, contract, CYCLE_METRICS)]
    if virtual and contract.active_ensembles:
        frames.append(_metrics(store, contract, ENSEMBLE_METRICS))
        beside = _metrics(store, contract, MEMBER_METRICS, "ensemble")
        frames.extend(rows_as_listed(beside, metric.name, contract) for metric in member_metrics(contract))
    rows = _together(frames)
    if metrics is not None:
        rows = rows[rows["metric"].isin(metrics)]
    return rows if until is None else rows[rows["known_at"] <= until]


_CODED = ("category", "metric", "model_id", "reason")
_PLAIN = ("cycle", "known_at", "value", "numerator", "denominator", "is_imputed")


def _metrics(store: Store, contract: Contract, spec: TableSpec, *also: str) -> pd.DataFrame:
    coded = [[name] for name in (*_CODED, *also)]
    return store.read_coded(spec, contract.name, [*store.seqs(spec, contract.name)], coded, _PLAIN)


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One frame whose categories are those of all."""
    if len(frames) == 1:
        return frames[0]
    columns: dict[str, object] = {
        name: pd.api.types.union_categoricals([frame[name].astype("category") for frame in frames]) for name in _CODED
    }
    columns |= {name: np.concatenate([frame[name].to_numpy() for frame in frames]) for name in _PLAIN}
    return pd.DataFrame(columns)


def known_times(store: Store, contract: Contract) -> list[datetime]:
    """When anything became known that snapshots are computed from."""
    tables = (CYCLE_METRICS, ENSEMBLE_METRICS, MEMBER_METRICS)
    known = [compose("SELECT competition, known_at FROM {table}", table=table) for table in tables]
    every = join(known, " UNION ALL ")
    statement = compose("SELECT DISTINCT known_at FROM ({every}) WHERE competition = ?", every=every)
    return distinct(store, statement, contract)


def misplaced_categories(store: Store, contract: Contract, known: Callable[[], Collection[datetime]]) -> list[datetime]:
    """The moments with snapshots of categories that only the newest has, and the newest where it lacks them.

    ``known`` gives the moments at which anything became known; it is asked only where it matters.
    """
    newest_only = [str(one.by) for one in contract.categories if not one.history]
    if not newest_only:
        return []

    def moments(column: str, table: TableSpec) -> set[datetime]:
        statement = compose(
            "SELECT DISTINCT {column} FROM {table} WHERE {board} = ?"
            " AND list_contains(?, split_part(category, '=', 1))",
            column=[column],
            table=table,
            board=table.board,
        )
        return set(times(store.query(statement, [contract.name, newest_only]).iloc[:, 0]))

    expected = {max(known())} if moments("known_at", CYCLE_METRICS) else set()
    return sorted(moments("as_of", SNAPSHOTS) ^ expected)


def first_seen(store: Store, contract: Contract, name: str) -> pd.DataFrame:
    """The first cycle of every model (virtual ones too) or subject that is predicted."""
    statement = compose(
        "SELECT {name}, min(cycle) AS first_seen FROM ("
        "SELECT competition, {name}, cycle FROM {real} UNION ALL SELECT competition, {name}, cycle FROM {virtual})"
        " WHERE competition = ? GROUP BY 1 ORDER BY 1",
        name=[name],
        real=PREDICTIONS,
        virtual=ENSEMBLE_PREDICTIONS,
    )
    return store.query(statement, [contract.name])


def with_snapshots(store: Store, contract: Contract, as_ofs: Sequence[datetime]) -> list[datetime]:
    """The moments that have snapshots, ascending: as far back as the newest board a day before ``as_ofs``, if any."""
    statement = compose(
        "SELECT DISTINCT as_of FROM {table} WHERE competition = ? AND as_of BETWEEN ? AND ?", table=SNAPSHOTS
    )
    return _since_before(
        min(as_ofs),
        sorted(store.seqs(SNAPSHOTS, contract.name)),
        lambda first: times(store.query(statement, [contract.name, first, max(as_ofs)]).iloc[:, 0]),
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
    while True:
        found = found_since(known[max(0, n_before - look_back)])
        if look_back >= n_before or is_enough(found):
            return found
        look_back *= _LOOK_BACK


_LOOK_BACK = 8
"""A moment without rows is rare, so the history is not searched for where it begins."""


def _played_until(
    store: Store, contract: Contract, cycles: Sequence[datetime], predictions: TableSpec
) -> list[datetime]:
    """The cycles with a prediction in time, ascending: from the one before ``cycles``, if any, to their last."""
    statement = compose(
        "SELECT DISTINCT cycle FROM {table} WHERE competition = ? AND NOT is_late AND cycle BETWEEN ? AND ?",
        table=predictions,
    )
    return _since_before(
        min(cycles),
        sorted(store.seqs(predictions, contract.name)),
        lambda first: times(store.query(statement, [contract.name, first, max(cycles)]).iloc[:, 0]),
        lambda found: bool(found) and found[0] < min(cycles),
    )


def distinct(store: Store, sql: str, contract: Contract) -> list[datetime]:
    """The times that a SELECT of one column gives."""
    return times(store.query(sql, [contract.name]).iloc[:, 0])
