"""How each table of a competition is brought up to date: read its inputs, call one pure function, give its rows."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

import pandas as pd

from pipeline.competition import Contract, Source, stage_code
from pipeline.competition.labels import labels
from pipeline.competition.metrics import COVERAGE, Need
from pipeline.competition.previous import cycles_before
from pipeline.competition.stages import (
    RollingWindows,
    compute_cycle_metrics,
    compute_leaderboard,
    earlier_board,
    score_predictions,
    stamp_deadline,
)
from pipeline.competition.truth import news, stamp
from pipeline.competition.versions import model_versions
from pipeline.components.recompute import NOTHING_NEW, Outcome, Recompute, recompute
from pipeline.registry import resolve_dotted_path
from pipeline.settings import settings
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    METRICS,
    MODEL_VERSIONS,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    TRUTH,
    WHOLE,
    TableSpec,
    Via,
)
from pipeline.warehouse import Store, compose, now

RowsOf = Callable[[list[datetime]], pd.DataFrame]

_ARRAYS = 24
"""Numbers held for each prediction of a block while it is scored, at most; rows of text are most of it."""

_ARRAYS_OF_METRICS = 10
"""The same while its metrics are computed: part by part, out of codes."""


def source_of(path: str) -> Source:
    """The source that a dotted path names: a module with a function ``source``, or a callable that returns one.

    Raises
    ------
    TypeError
        If what it names gives no source.
    """
    named = resolve_dotted_path(path, "source")
    made = getattr(named, "source", named)
    made = made() if callable(made) else made
    if not isinstance(made, Source):
        raise TypeError(f"source {path!r} gives a {type(made).__name__}; it must have the methods of Source")
    return made


def update_catalog(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the contract and what its metrics mean, for readers of SQL."""
    board = {
        "kind": "competition",
        "title": contract.title,
        "contract": contract.model_dump_json(),
        "embargo_seconds": contract.embargo.total_seconds(),
    }
    metrics = [
        {
            "metric": metric.name,
            "direction": str(contract.direction(metric.name)),
            "pool": str(metric.pool),
            "unit": metric.unit,
            "description": metric.description,
        }
        for metric in dict.fromkeys([*map(contract.metric, contract.metrics), COVERAGE])
    ]
    outcomes = [
        _whole(store, spec, contract, config, stage_code("catalog", contract, repr(rows)), partial(pd.DataFrame, rows))
        for spec, rows in ((METRICS, metrics), (BOARDS, [board]))
    ]
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    return Outcome(changes, next((outcome.why for outcome in outcomes if outcome.changes), NOTHING_NEW))


def update_predictions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take over the source's predictions of cycles that are new, or of all when the source itself changed."""
    source = source_of(contract.predictions.source)

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return stamp_deadline(source.predictions(cycles), contract)

    return _from_source(store, PREDICTIONS, contract, config, source, rows_of)


def update_factors(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take over the source's factors of cycles that are new, or of all when the source itself changed."""
    source = source_of(contract.factors.source if contract.factors else contract.predictions.source)
    return _from_source(store, FACTORS, contract, config, source, source.factors)


def update_truth(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Add the outcomes, and the revisions of outcomes, that the source did not have before; nothing is overwritten."""
    source = source_of(contract.truth.source)
    code = stage_code("truth", contract, source.fingerprint())
    arrived = now()
    stored = store.read(TRUTH, contract.name, columns=["subject", "target_time", "horizon", "known_at", "value"])
    rows = pd.concat([stored, news(stored, stamp(source.truth(), contract.truth, arrived), arrived)], ignore_index=True)

    def rows_of(target_times: list[datetime]) -> pd.DataFrame:
        return rows[rows["target_time"].isin(target_times)]

    target_times = _times(rows["target_time"])
    return recompute(store, TRUTH, contract.name, code, config, rows_of, cycles=target_times)


def update_models(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the models that take part, with their first cycle."""
    source = source_of(contract.predictions.source)
    return _registry(
        store, MODELS, contract, config, source, lambda: source.models().assign(kind="real", designated=True)
    )


def update_versions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write from which cycle on each model is of which version; a source knows the present one only."""
    source = source_of(contract.predictions.source)
    return versions(store, contract, config, source.models().assign(received_at=pd.Timestamp(0)), source.fingerprint())


def versions(store: Store, contract: Contract, config: Recompute, registered: pd.DataFrame, *also: str) -> Outcome:
    """The table of model versions, out of registrations (model_id, version, received_at) and predictions."""
    played = store.query(
        "SELECT DISTINCT model_id, cycle, deadline FROM competition.predictions WHERE competition = ? ORDER BY ALL",
        [contract.name],
    )
    rows = model_versions(registered, played)
    code = stage_code("model_versions", contract, rows.to_csv(), *also)
    return _whole(store, MODEL_VERSIONS, contract, config, code, lambda: rows)


def update_subjects(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the subjects there are, with their first cycle."""
    source = source_of(contract.predictions.source)
    return _registry(store, SUBJECTS, contract, config, source, source.subjects)


def update_scores(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Score the predictions whose truth is known and new since the last time."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return score_predictions(*_predictions_and_truth(store, contract, cycles), contract)

    return _by_cycle(store, SCORES, contract, config, rows_of)


def update_cycle_metrics(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the metrics of the cycles for which anything is new that a listed metric reads."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return inputs_of_metrics(store, contract, cycles).metrics(contract)

    # Without them, a change of what no metric reads would recompute cycles for nothing.
    unused = {via for need, via in _READ_VIA.items() if need not in contract.needs}
    inputs = tuple(one for one in CYCLE_METRICS.inputs if one.via not in unused)
    return _by_cycle(store, replace(CYCLE_METRICS, inputs=inputs), contract, config, rows_of, _ARRAYS_OF_METRICS)


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
    predictions, truth = _predictions_and_truth(store, contract, cycles)
    earlier = factors = None
    if Need.PREVIOUS in contract.needs:
        earlier = _read_predictions(store, contract, cycles_before(cycles, _played_until(store, contract, cycles)))
    if Need.FACTORS in contract.needs:
        factors = store.read(FACTORS, contract.name, cycles)
    return MetricInputs(predictions, truth, earlier, factors)


_READ_VIA = {Need.PREVIOUS: Via.PREVIOUS, Need.FACTORS: Via.ALONGSIDE}
"""The input of ``cycle_metrics`` that is read only for metrics with a need."""


def update_snapshots(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the windows of every moment from the earliest that new metrics touch."""

    @cache  # one reading for all blocks
    def windows() -> RollingWindows:
        return RollingWindows(_known_metrics(store, contract, config.last), contract)

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        return windows().at(as_ofs)

    def moments_per_block(_: Sequence[datetime]) -> int:
        return _cycles_per_block(len(contract.windows) * len(contract.metrics) * windows().n_models)

    code = stage_code("snapshots", contract)
    return recompute(store, SNAPSHOTS, contract.name, code, config, rows_of, cycles_per_block=moments_per_block)


def update_leaderboard(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Rank the models at every moment whose snapshots, or those it is compared with, are new."""

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        known = _with_snapshots(store, contract, as_ofs)
        earlier = [board for as_of in as_ofs if (board := earlier_board(as_of, known)) is not None]
        needed = sorted({*as_ofs, *earlier})
        return compute_leaderboard(store.read(SNAPSHOTS, contract.name, needed), as_ofs, known, contract)

    def moments_per_block(as_ofs: Sequence[datetime]) -> int:
        counted = compose("SELECT count(*) AS n FROM {table} WHERE competition = ? AND as_of = ?", table=SNAPSHOTS)
        return _cycles_per_block(int(store.query(counted, [contract.name, max(as_ofs)])["n"].iloc[0]))

    code = stage_code("leaderboard", contract)
    return recompute(store, LEADERBOARD, contract.name, code, config, rows_of, cycles_per_block=moments_per_block)


def _with_snapshots(store: Store, contract: Contract, as_ofs: Sequence[datetime]) -> list[datetime]:
    """The moments that have snapshots, ascending: as far back as the newest board a day before ``as_ofs``, if any."""
    statement = compose(
        "SELECT DISTINCT as_of FROM {table} WHERE competition = ? AND as_of BETWEEN ? AND ?", table=SNAPSHOTS
    )
    return _since_before(
        min(as_ofs),
        sorted(store.seqs(SNAPSHOTS, contract.name)),
        lambda first: _times(store.query(statement, [contract.name, first, max(as_ofs)]).iloc[:, 0]),
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


def _known_metrics(store: Store, contract: Contract, until: datetime | None) -> pd.DataFrame:
    """Every version of the cycles' metrics known by then, names as categories: a byte or two for each, not a text."""
    coded = [[name] for name in ("category", "metric", "model_id", "reason")]
    plain = ("cycle", "known_at", "value", "numerator", "denominator")
    rows = store.read_coded(CYCLE_METRICS, contract.name, [*store.seqs(CYCLE_METRICS, contract.name)], coded, plain)
    return rows if until is None else rows[rows["known_at"] <= until]


def _predictions_and_truth(
    store: Store, contract: Contract, cycles: list[datetime]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of some cycles, and every version of the outcomes at their target times."""
    predictions = _read_predictions(store, contract, cycles)
    return predictions, store.read(TRUTH, contract.name, _times(pd.Series(labels(predictions["target_time"]))))


def _read_predictions(store: Store, contract: Contract, cycles: list[datetime]) -> pd.DataFrame:
    coded = (("cycle", "horizon", "target_time"), ("model_id",), ("subject",))
    return store.read_coded(PREDICTIONS, contract.name, cycles, coded, ("value", "is_late"))


def _played_until(store: Store, contract: Contract, cycles: Sequence[datetime]) -> list[datetime]:
    """The cycles with a prediction in time, ascending: from the one before ``cycles``, if any, to their last."""
    statement = compose(
        "SELECT DISTINCT cycle FROM {table} WHERE competition = ? AND NOT is_late AND cycle BETWEEN ? AND ?",
        table=PREDICTIONS,
    )
    return _since_before(
        min(cycles),
        sorted(store.seqs(PREDICTIONS, contract.name)),
        lambda first: _times(store.query(statement, [contract.name, first, max(cycles)]).iloc[:, 0]),
        lambda found: bool(found) and found[0] < min(cycles),
    )


def _by_cycle(
    store: Store, spec: TableSpec, contract: Contract, config: Recompute, rows_of: RowsOf, arrays: int = _ARRAYS
) -> Outcome:
    return recompute(
        store,
        spec,
        contract.name,
        stage_code(spec.name, contract),
        config,
        rows_of,
        cycles_per_block=lambda cycles: cycles_per_block(store, contract, cycles, arrays),
    )


def _from_source(
    store: Store, spec: TableSpec, contract: Contract, config: Recompute, source: Source, rows_of: RowsOf
) -> Outcome:
    code = stage_code(spec.name, contract, source.fingerprint())
    cells = len(source.models()) * len(source.subjects())
    return recompute(
        store,
        spec,
        contract.name,
        code,
        config,
        rows_of,
        cycles=source.cycles(),
        cycles_per_block=_cycles_per_block(cells),
    )


def _registry(
    store: Store,
    spec: TableSpec,
    contract: Contract,
    config: Recompute,
    source: Source,
    listed: Callable[[], pd.DataFrame],
) -> Outcome:
    """A table of who or what takes part, with the first cycle of each, out of the predictions."""
    name = spec.key[1]
    seen = compose(
        "SELECT {name}, min(cycle) AS first_seen FROM {table} WHERE competition = ? GROUP BY 1 ORDER BY 1",
        name=[name],
        table=PREDICTIONS,
    )
    first_seen = store.query(seen, [contract.name])
    code = stage_code(spec.name, contract, source.fingerprint(), first_seen.to_csv())
    return _whole(store, spec, contract, config, code, lambda: listed().merge(first_seen, on=name, how="left"))


def _whole(
    store: Store,
    spec: TableSpec,
    contract: Contract,
    config: Recompute,
    code: str,
    rows: Callable[[], pd.DataFrame],
) -> Outcome:
    """A table that changes as one: in no range of cycles, so only force without a range means it."""
    by_hand = Recompute(force=config.force and config.first is None and config.last is None)
    return recompute(store, spec, contract.name, code, by_hand, lambda _: rows(), cycles=[WHOLE])


def cycles_per_block(
    store: Store, contract: Contract, cycles: Sequence[datetime], arrays: int = _ARRAYS_OF_METRICS
) -> int:
    """How many of these cycles' predictions are computed at once."""
    statement = compose(
        "SELECT approx_count_distinct(model_id) * approx_count_distinct(subject) AS cells FROM {table}"
        " WHERE competition = ? AND cycle BETWEEN ? AND ?",
        table=PREDICTIONS,
    )
    counted = store.query(statement, [contract.name, min(cycles), max(cycles)])
    return _cycles_per_block(int(counted["cells"].iloc[0]), arrays)


def _cycles_per_block(cells: int, arrays: int = _ARRAYS) -> int:
    """How many cycles of so many predictions each fill the memory that settings allow for a block."""
    return max(1, settings().block_megabytes * 1_000_000 // (8 * arrays * max(1, cells)))


def _distinct(store: Store, sql: str, contract: Contract) -> list[datetime]:
    """The times that a SELECT of one column gives."""
    return _times(store.query(sql, [contract.name]).iloc[:, 0])


def _times(values: "pd.Series[pd.Timestamp]") -> list[datetime]:
    """Distinct times in order, as plain datetimes."""
    return [pd.Timestamp(value).to_pydatetime() for value in sorted(values.unique())]
