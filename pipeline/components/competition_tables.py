"""How each table of a competition is brought up to date: read its inputs, call one pure function, give its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

import pandas as pd

from pipeline.clock import utc_now
from pipeline.competition import Contract, Source, stage_code
from pipeline.competition.declaration import HUB
from pipeline.competition.hub import hub_source
from pipeline.competition.labels import times
from pipeline.competition.metrics import COVERAGE, RESOLVED, Need
from pipeline.competition.peers import ENSEMBLE_PREFIX, is_virtual
from pipeline.competition.stages import (
    RankEvidence,
    RollingWindows,
    compute_leaderboard,
    earlier_board,
    key_metrics,
    score_predictions,
    stamp_deadline,
)
from pipeline.competition.truth import news, stamp
from pipeline.competition.versions import model_versions
from pipeline.components import blocks
from pipeline.components.blocks import RowsOf, arrays_of_metrics, by_cycle
from pipeline.components.carrying import StoredSubmissions, fill_in
from pipeline.components.catalog import catalog_row
from pipeline.components.readings import (
    distinct,
    first_seen,
    inputs_of_metrics,
    known_metrics,
    known_times,
    misplaced_categories,
    predictions_and_truth,
    with_snapshots,
)
from pipeline.components.recompute import NOTHING_NEW, Outcome, Recompute, recompute, recompute_whole
from pipeline.registry import resolve_dotted_path
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    ENSEMBLE_TABLES,
    EVALUATIONS,
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
from pipeline.warehouse import Dirty, Store, compose


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


def predictions_source(contract: Contract) -> Source:
    """Where a competition's predictions come from. Errors as :func:`source_of`, or of the hub where it is one."""
    return _source(contract, contract.predictions.source)


def _source(contract: Contract, named: str) -> Source:
    return hub_source(contract) if named == HUB else source_of(named)


def update_catalog(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the contract and what its metrics mean, for readers of SQL; clear what it declares no more."""
    _forget_ensembles(store, contract)
    _forget_evaluations(store, contract)
    board = catalog_row(contract, contract.embargo)
    metrics = [
        {
            "metric": metric.name,
            "direction": str(contract.direction(metric.name)),
            "pool": str(metric.pool),
            "unit": metric.unit,
            "description": metric.description,
        }
        for metric in dict.fromkeys([*map(contract.metric, contract.metrics), COVERAGE, RESOLVED])
    ]
    outcomes = [
        recompute_whole(
            store,
            spec,
            contract.name,
            stage_code("catalog", contract, repr(rows)),
            config,
            partial(pd.DataFrame, rows),
        )
        for spec, rows in ((METRICS, metrics), (BOARDS, [board]))
    ]
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    return Outcome(changes, next((outcome.why for outcome in outcomes if outcome.changes), NOTHING_NEW))


def _forget_ensembles(store: Store, contract: Contract) -> None:
    """Take away the rows of ensembles when a contest has none any more, and so no assets that would."""
    if contract.active_ensembles:
        return
    for spec in ENSEMBLE_TABLES:
        statement = compose(
            "SELECT DISTINCT {cycle} AS cycle FROM {table} WHERE competition = ?", cycle=[spec.cycle or ""], table=spec
        )
        cycles = [Dirty(cycle, 0) for cycle in distinct(store, statement, contract)]
        if cycles:
            store.replace(spec, contract.name, cycles, pd.DataFrame(columns=spec.column_names[1:]), "no ensembles")


def _forget_evaluations(store: Store, contract: Contract) -> None:
    """Take away the rows of evaluation sets when a contest declares none any more, and so has no asset that would."""
    if not contract.evaluations and store.seqs(EVALUATIONS, contract.name):
        rows = pd.DataFrame(columns=EVALUATIONS.column_names[1:])
        store.replace(EVALUATIONS, contract.name, [Dirty(WHOLE, 0)], rows, "no evaluation sets")


def update_predictions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take over the source's predictions of cycles that are new, or of all when the source itself changed."""
    source = predictions_source(contract)
    code = stage_code(PREDICTIONS.name, contract, source.fingerprint())
    submissions = StoredSubmissions.of(store, contract, source.cycles(), code, config)

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        predicted = _real(source.predictions(cycles), contract)
        return fill_in(stamp_deadline(predicted, contract), cycles, contract, submissions)

    changes = submissions.changes(source.cycles()) if contract.missing.carries else None
    return _from_source(store, PREDICTIONS, contract, config, source, rows_of, changes)


def update_factors(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take over the source's factors of cycles that are new, or of all when the source itself changed."""
    source = _source(contract, contract.factors.source if contract.factors else contract.predictions.source)
    return _from_source(store, FACTORS, contract, config, source, source.factors)


def update_truth(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Add the outcomes, and the revisions of outcomes, that the source did not have before; nothing is overwritten."""
    source = _source(contract, contract.truth.source)
    code = stage_code("truth", contract, source.fingerprint())
    arrived = utc_now()
    stored = store.read(TRUTH, contract.name, columns=["subject", "target_time", "horizon", "known_at", "value"])
    rows = pd.concat([stored, news(stored, stamp(source.truth(), contract.truth, arrived), arrived)], ignore_index=True)

    def rows_of(target_times: list[datetime]) -> pd.DataFrame:
        return rows[rows["target_time"].isin(target_times)]

    target_times = times(rows["target_time"])
    return recompute(store, TRUTH, contract.name, code, config, rows_of, cycles=target_times)


def update_models(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the models that take part, with their first cycle."""
    source = predictions_source(contract)

    def listed() -> pd.DataFrame:
        real = _real(source.models(), contract).assign(kind="real", designated=True)
        return pd.concat([real, virtual_models(contract)], ignore_index=True)

    return _registry(store, MODELS, contract, config, source, listed)


def update_versions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write from which cycle on each model is of which version; a source knows the present one only."""
    source = predictions_source(contract)
    return versions(store, contract, config, source.models().assign(received_at=pd.Timestamp(0)), source.fingerprint())


def versions(store: Store, contract: Contract, config: Recompute, registered: pd.DataFrame, *also: str) -> Outcome:
    """The table of model versions, out of registrations (model_id, version, received_at) and predictions."""
    played = store.query(
        "SELECT DISTINCT model_id, cycle, deadline FROM competition.predictions"
        " WHERE competition = ? AND NOT is_imputed ORDER BY ALL",
        [contract.name],
    )
    rows = model_versions(registered, played)
    code = stage_code("model_versions", contract, rows.to_csv(), *also)
    return recompute_whole(store, MODEL_VERSIONS, contract.name, code, config, lambda: rows)


def update_subjects(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the subjects there are, with their first cycle."""
    source = predictions_source(contract)
    return _registry(store, SUBJECTS, contract, config, source, source.subjects)


def update_scores(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Score the predictions whose truth is known and new since the last time."""
    return scores_of(store, contract, config, SCORES, PREDICTIONS)


def scores_of(store: Store, contract: Contract, config: Recompute, spec: TableSpec, predictions: TableSpec) -> Outcome:
    """The table of the scores of some predictions."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return score_predictions(*predictions_and_truth(store, contract, cycles, predictions), contract)

    return by_cycle(store, spec, contract, config, rows_of)


def update_cycle_metrics(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the metrics of the cycles for which anything is new that a listed metric reads."""
    return metrics_of(store, contract, config, CYCLE_METRICS, PREDICTIONS)


def metrics_of(
    store: Store,
    contract: Contract,
    config: Recompute,
    spec: TableSpec,
    predictions: TableSpec,
    peers: TableSpec | None = None,
) -> Outcome:
    """The table of the metrics of some predictions, beside those of the ``peers`` where these are others."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return inputs_of_metrics(store, contract, cycles, predictions, peers).metrics(contract)

    # Without them, a change of what no metric reads would recompute cycles for nothing.
    unused = {via for need, via in _READ_VIA.items() if need not in contract.needs}
    inputs = tuple(one for one in spec.inputs if one.via not in unused)
    return by_cycle(store, replace(spec, inputs=inputs), contract, config, rows_of, arrays_of_metrics(contract))


_READ_VIA = {Need.PREVIOUS: Via.PREVIOUS, Need.FACTORS: Via.ALONGSIDE}
"""The input of a table of metrics that is read only for metrics with a need."""


def update_snapshots(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Compute the windows of every moment from the earliest that new metrics touch."""

    @cache
    def moments() -> frozenset[datetime]:
        return frozenset(known_times(store, contract))

    @cache  # one reading for all blocks
    def windows() -> RollingWindows:
        metrics = known_metrics(store, contract, config.last, virtual=True)
        return RollingWindows(metrics, contract, max(moments(), default=None))

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        # One that was asked for because nothing became known then any more has no rows.
        return windows().at([as_of for as_of in as_ofs if as_of in moments()])

    def moments_per_block(_: Sequence[datetime]) -> int:
        return blocks.fitting(windows().rows_per_moment, blocks.ARRAYS_OF_SNAPSHOTS)

    return recompute(
        store,
        SNAPSHOTS,
        contract.name,
        stage_code("snapshots", contract),
        config,
        rows_of,
        also=misplaced_categories(store, contract, moments),
        cycles_per_block=moments_per_block,
    )


def update_leaderboard(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Rank the models at every moment whose snapshots, or those it is compared with, or metrics are new."""

    @cache  # one reading for all blocks
    def evidence() -> RankEvidence:
        metrics = [metric.name for metric in key_metrics(contract)]
        return RankEvidence(known_metrics(store, contract, config.last, virtual=True, metrics=metrics), contract)

    def rows_of(as_ofs: list[datetime]) -> pd.DataFrame:
        known = with_snapshots(store, contract, as_ofs)
        earlier = [board for as_of in as_ofs if (board := earlier_board(as_of, known)) is not None]
        needed = sorted({*as_ofs, *earlier})
        return compute_leaderboard(store.read(SNAPSHOTS, contract.name, needed), as_ofs, known, contract, evidence())

    def moments_per_block(as_ofs: Sequence[datetime]) -> int:
        counted = compose("SELECT count(*) AS n FROM {table} WHERE competition = ? AND as_of = ?", table=SNAPSHOTS)
        return blocks.fitting(int(store.query(counted, [contract.name, max(as_ofs)])["n"].iloc[0]))

    code = stage_code("leaderboard", contract)
    return recompute(store, LEADERBOARD, contract.name, code, config, rows_of, cycles_per_block=moments_per_block)


def _from_source(
    store: Store,
    spec: TableSpec,
    contract: Contract,
    config: Recompute,
    source: Source,
    rows_of: RowsOf,
    changes: Mapping[datetime, int] | None = None,
) -> Outcome:
    code = stage_code(spec.name, contract, source.fingerprint())
    numbers = blocks.numbers_of_each(contract) if spec is PREDICTIONS else 1
    cells = len(source.models()) * len(source.subjects()) * numbers
    return recompute(
        store,
        spec,
        contract.name,
        code,
        config,
        rows_of,
        cycles=source.cycles() if changes is None else changes,
        cycles_per_block=blocks.fitting(cells),
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
    seen = first_seen(store, contract, name)
    code = stage_code(spec.name, contract, source.fingerprint(), seen.to_csv())
    return recompute_whole(store, spec, contract.name, code, config, lambda: listed().merge(seen, on=name, how="left"))


def virtual_models(contract: Contract) -> pd.DataFrame:
    """The virtual models of a contest, as rows of ``models`` without their first cycle."""
    rows = [
        {
            "model_id": ensemble.model_id,
            "title": ensemble.title or f"Ensemble {ensemble.name}",
            "player": "",
            "kind": "ensemble",
            "designated": False,
            "version": "1",
            "licence": None,
            "description": f"{ensemble.combine} of its members' predictions, weighed by {ensemble.strategy}",
        }
        for ensemble in contract.active_ensembles
    ]
    columns = [name for name in MODELS.column_names if name not in ("competition", "first_seen")]
    return pd.DataFrame(rows, columns=columns)


def _real(rows: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """What a source gives, unless one of its models is called like a virtual one."""
    virtual = [model for model in rows["model_id"].unique() if is_virtual(str(model))]
    if virtual:
        raise ValueError(
            f"source {contract.predictions.source!r} of {contract.name!r} has a model {virtual[0]!r}; names that "
            f"begin with {ENSEMBLE_PREFIX} are kept for ensembles: choose another"
        )
    return rows
