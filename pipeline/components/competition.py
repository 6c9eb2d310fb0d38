"""The component behind ``type: pipeline.components.Competition``: a contest declared in YAML becomes its assets.

It only wires: what a table's rows are is in ``competition_tables``, how a table is brought up to date in
``recompute``, what must hold in ``checks``.
"""

from collections.abc import Callable, Mapping

import dagster as dg
from pydantic import BaseModel

from pipeline.competition import Contract
from pipeline.competition.declaration import INBOX
from pipeline.components import checks, competition_tables, inbox_tables, pictures
from pipeline.components.automation import first_run_sensor, inbox_sensor, on_new_inputs
from pipeline.components.inbox import folders
from pipeline.components.keys import asset_key
from pipeline.components.metadata import definition_metadata, landing_metadata, row_count, run_metadata
from pipeline.components.recompute import Outcome, Recompute
from pipeline.registry import resolve_dotted_path
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    FACTORS,
    FILES,
    LEADERBOARD,
    MODEL_VERSIONS,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    SUBMISSIONS,
    TRUTH,
    TableSpec,
)
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse

Update = Callable[[Store, Contract, Recompute], Outcome]
Picture = Callable[[Store, Contract], pictures.Chart]

Asset = tuple[TableSpec, Update, tuple[TableSpec, ...]]
"""A table: how it is brought up to date, and which tables that reads."""

_FROM_SOURCE: dict[TableSpec, Asset] = {
    PREDICTIONS: (PREDICTIONS, competition_tables.update_predictions, (BOARDS,)),
    TRUTH: (TRUTH, competition_tables.update_truth, (BOARDS,)),
    FACTORS: (FACTORS, competition_tables.update_factors, (BOARDS,)),
    MODELS: (MODELS, competition_tables.update_models, (PREDICTIONS,)),
    MODEL_VERSIONS: (MODEL_VERSIONS, competition_tables.update_versions, (PREDICTIONS,)),
    SUBJECTS: (SUBJECTS, competition_tables.update_subjects, (PREDICTIONS,)),
}
"""The tables that begin a competition, when a source computes them."""

_FROM_FILES: dict[TableSpec, Asset] = {
    PREDICTIONS: (PREDICTIONS, inbox_tables.update_predictions, (FILES,)),
    TRUTH: (TRUTH, inbox_tables.update_truth, (FILES,)),
    FACTORS: (FACTORS, inbox_tables.update_factors, (FILES,)),
    MODELS: (MODELS, inbox_tables.update_models, (FILES, PREDICTIONS)),
    MODEL_VERSIONS: (MODEL_VERSIONS, inbox_tables.update_versions, (FILES, PREDICTIONS)),
    SUBJECTS: (SUBJECTS, inbox_tables.update_subjects, (FILES, PREDICTIONS)),
}
"""The same, when they arrive as files."""

_SUBMISSIONS: Asset = (SUBMISSIONS, inbox_tables.update_submissions, (FILES,))

_COMPUTED: tuple[Asset, ...] = (
    (SCORES, competition_tables.update_scores, (PREDICTIONS, TRUTH)),
    (CYCLE_METRICS, competition_tables.update_cycle_metrics, (PREDICTIONS, FACTORS, TRUTH, SCORES)),
    (SNAPSHOTS, competition_tables.update_snapshots, (CYCLE_METRICS, MODELS)),
    (LEADERBOARD, competition_tables.update_leaderboard, (SNAPSHOTS, MODELS)),
)
"""What follows from them, whatever they came from."""

_PICTURES: dict[TableSpec, Picture] = {SNAPSHOTS: pictures.cumulative, LEADERBOARD: pictures.top_of_board}


class Competition(dg.Component):
    """A prediction competition, from predictions and truth to a leaderboard.

    Everything about the contest is in the attributes; see each field's description. A mistake in them fails at
    load and says which names are known.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of the attributes: the contract itself."""
        return Contract

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "Competition":
        """Take the validated attributes.

        Raises
        ------
        TypeError
            If there are no attributes.
        ValueError
            If the board's name is not that of its defs folder.
        UnknownNameError
            If a source cannot be imported.
        """
        if not isinstance(attributes, Contract):
            required = ", ".join(name for name, field in Contract.model_fields.items() if field.is_required())
            raise TypeError(f"competition in the folder {context.path.name!r}: attributes are missing; give {required}")
        if attributes.name != context.path.name:
            raise ValueError(
                f"competition {attributes.name!r} is declared in the folder {context.path.name!r}; "
                f"a board's name is its folder's: rename one of them"
            )
        parts = (attributes.predictions, attributes.truth, attributes.factors)
        for source in {part.source for part in parts if part is not None} - {INBOX}:
            resolve_dotted_path(source, "source")
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, and its schedule."""
        return competition_definitions(self.contract)


def competition_definitions(contract: Contract) -> dg.Definitions:
    """Definitions of one competition, from its contract alone."""
    assets = [_asset(contract, *row) for row in assets_of(contract)]
    if contract.has_inbox:
        assets.append(_files(contract))
    job = dg.define_asset_job(
        contract.name,
        selection=dg.AssetSelection.key_prefixes([contract.name]).downstream(),
        description=f"{contract.title}: everything new, from predictions to the published board.",
    )
    schedules = []
    if contract.schedule is not None:
        name = f"{contract.name}_schedule"
        schedules.append(
            dg.ScheduleDefinition(
                name=name,
                job=job,
                cron_schedule=contract.schedule,
                execution_timezone="UTC",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
        )
    sensors = [first_run_sensor(contract.name, job.name)]
    if contract.has_inbox:
        sensors.append(inbox_sensor(contract.name, tuple(folders(contract)), job.name))
    return dg.Definitions(assets=assets, jobs=[job], schedules=schedules, sensors=sensors)


def assets_of(contract: Contract) -> tuple[Asset, ...]:
    """The tables of a competition, by where its parts come from."""
    predictions = _beginning(contract.predictions.source)
    factors = _beginning(contract.factors.source if contract.factors else contract.predictions.source)
    beginning = (
        predictions[PREDICTIONS],
        _beginning(contract.truth.source)[TRUTH],
        factors[FACTORS],
        predictions[MODELS],
        predictions[MODEL_VERSIONS],
        predictions[SUBJECTS],
    )
    submissions = (_SUBMISSIONS,) if contract.predictions.source == INBOX else ()
    return ((BOARDS, competition_tables.update_catalog, ()), *submissions, *beginning, *_COMPUTED)


def _beginning(source: str) -> dict[TableSpec, Asset]:
    return _FROM_FILES if source == INBOX else _FROM_SOURCE


def _files(contract: Contract) -> dg.AssetsDefinition:
    """The asset that lands what waits in the inbox."""
    key = asset_key(contract.name, FILES.schema, FILES.name)
    held = checks.of_table(FILES)

    @dg.asset(
        key=key,
        deps=[asset_key(contract.name, BOARDS.schema, BOARDS.name)],
        group_name=contract.name,
        kinds={"python", "duckdb", "file"},
        description=FILES.comment,
        metadata=definition_metadata(FILES),
        check_specs=[check.spec(key) for check in held],
    )
    def files(
        context: dg.AssetExecutionContext, config: inbox_tables.Landing, warehouse: Warehouse
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        with warehouse.write(f"{context.run.run_id}: {contract.name}/{FILES.name}") as store:
            landed = inbox_tables.land_inbox(store, contract, config)
            metadata = landing_metadata(landed, row_count(store, FILES, contract.name))
            results = [check.run(store, contract) for check in held]
        return dg.MaterializeResult(metadata=metadata, check_results=results)

    return files


def _newest_metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, dg.MetadataValue]:
    """What the asset's newest materialization said."""
    event = instance.get_latest_materialization_event(key)
    return {} if event is None or event.asset_materialization is None else event.asset_materialization.metadata


def _asset(contract: Contract, spec: TableSpec, update: Update, upstream: tuple[TableSpec, ...]) -> dg.AssetsDefinition:
    key = asset_key(contract.name, spec.schema, spec.name)
    held = checks.of_table(spec)

    @dg.asset(
        key=key,
        deps=[asset_key(contract.name, one.schema, one.name) for one in upstream],
        group_name=contract.name,
        kinds={"python", "duckdb"},
        description=spec.comment,
        metadata=definition_metadata(spec),
        check_specs=[check.spec(key) for check in held],
        automation_condition=on_new_inputs() if set(upstream) - {BOARDS} else None,
    )
    def table(context: dg.AssetExecutionContext, config: Recompute, warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        with warehouse.write(f"{context.run.run_id}: {contract.name}/{spec.name}") as store:
            outcome = update(store, contract, config)
            metadata = run_metadata(outcome.changes, row_count(store, spec, contract.name), outcome.why)
            if spec in _PICTURES:
                chart = _PICTURES[spec](store, contract)
                metadata |= pictures.picture_metadata(chart, _newest_metadata(context.instance, key))
            results = [check.run(store, contract) for check in held]
        return dg.MaterializeResult(metadata=metadata, check_results=results)

    return table
