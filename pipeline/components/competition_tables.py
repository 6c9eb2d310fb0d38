"""How each table of a competition is brought up to date: read its inputs, call one pure function, give its rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

import pandas as pd

from pipeline.competition import Contract, Source, stage_code
from pipeline.competition.metrics import COVERAGE, Need
from pipeline.competition.stages import (
    RollingWindows,
    compute_leaderboard,
    earlier_board,
    score_predictions,
    stamp_deadline,
)
from pipeline.competition.truth import news, stamp
from pipeline.competition.versions import model_versions
from pipeline.components.competition_inputs import (
    ARRAYS,
    ARRAYS_OF_METRICS,
    cycles_per_block,
    fitting,
    inputs_of_metrics,
    known_metrics,
    moments_with_snapshots,
    predictions_and_truth,
    times_of,
)
from pipeline.components.recompute import NOTHING_NEW, Outcome, Recompute, recompute
from pipeline.registry import resolve_dotted_path
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

    target_times = times_of(rows["target_time"])
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
        return score_predictions(*predictions_and_truth(store, contract, cycles), contract)

    return _by_cycle(store, SCORES, contract, config, rows_of)


def update_cycle_metrics(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the metrics of the cycles for which anything is new that a listed metric reads."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return inputs_of_metrics(store, contract, cycles).metrics(contract)

    # Without them, a change of what no metric reads would recompute cycles for nothing.
    unused = {via for need, via in _READ_VIA.items() if need not in contract.needs}
    inputs = tuple(one for one in CYCLE_METRICS.inputs if one.via not in unused)
    return _by_cycle(store, replace(CYCLE_METRICS, inputs=inputs), contract, config, rows_of, ARRAYS_OF_METRICS)


_READ_VIA = {Need.PREVIOUS: Via.PREVIOUS, Need.FACTORS: Via.ALONGSIDE}
"""The input of ``cycle_metrics`` that is read only for metrics with a need."""


def update_snapshots(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the windows of every moment from the earliest that new metrics touch."""

    @cache  # one reading for all blocks
    def windows() -> RollingWindows:
        return RollingWindows(known_metrics(store, contract, config.last), contract)

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        return windows().at(as_ofs)

    def moments_per_block(_: Sequence[datetime]) -> int:
        return fitting(len(contract.windows) * len(contract.metrics) * windows().n_models)

    code = stage_code("snapshots", contract)
    return recompute(store, SNAPSHOTS, contract.name, code, config, rows_of, cycles_per_block=moments_per_block)


def update_leaderboard(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Rank the models at every moment whose snapshots, or those it is compared with, are new."""

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        known = moments_with_snapshots(store, contract, as_ofs)
        earlier = [board for as_of in as_ofs if (board := earlier_board(as_of, known)) is not None]
        needed = sorted({*as_ofs, *earlier})
        return compute_leaderboard(store.read(SNAPSHOTS, contract.name, needed), as_ofs, known, contract)

    def moments_per_block(as_ofs: Sequence[datetime]) -> int:
        counted = compose("SELECT count(*) AS n FROM {table} WHERE competition = ? AND as_of = ?", table=SNAPSHOTS)
        return fitting(int(store.query(counted, [contract.name, max(as_ofs)])["n"].iloc[0]))

    code = stage_code("leaderboard", contract)
    return recompute(store, LEADERBOARD, contract.name, code, config, rows_of, cycles_per_block=moments_per_block)


def _by_cycle(
    store: Store, spec: TableSpec, contract: Contract, config: Recompute, rows_of: RowsOf, arrays: int = ARRAYS
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
        cycles_per_block=fitting(cells),
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


def _distinct(store: Store, sql: str, contract: Contract) -> list[datetime]:
    """The times that a SELECT of one column gives."""
    return times_of(store.query(sql, [contract.name]).iloc[:, 0])
