"""The component behind ``type: pipeline.components.Competition``: a contest declared in YAML becomes its assets.

It only wires: what a table's rows are is in ``competition_tables``, how a table is brought up to date in
``recompute``, what must hold in ``checks``.
"""

from collections.abc import Callable, Mapping

import dagster as dg
from pydantic import BaseModel

from pipeline.competition import Contract
from pipeline.components import checks, competition_tables, pictures
from pipeline.components.keys import asset_key
from pipeline.components.metadata import definition_metadata, row_count, run_metadata
from pipeline.components.recompute import Outcome, Recompute
from pipeline.registry import resolve_dotted_path
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    MODELS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    TRUTH,
    TableSpec,
)
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse

Update = Callable[[Store, Contract, Recompute], Outcome]
Picture = Callable[[Store, Contract], pictures.Chart]

ASSETS: tuple[tuple[TableSpec, Update, tuple[TableSpec, ...]], ...] = (
    (BOARDS, competition_tables.update_catalog, ()),
    (PREDICTIONS, competition_tables.update_predictions, (BOARDS,)),
    (TRUTH, competition_tables.update_truth, (BOARDS,)),
    (FACTORS, competition_tables.update_factors, (BOARDS,)),
    (MODELS, competition_tables.update_models, (PREDICTIONS,)),
    (SUBJECTS, competition_tables.update_subjects, (PREDICTIONS,)),
    (SCORES, competition_tables.update_scores, (PREDICTIONS, TRUTH)),
    (CYCLE_METRICS, competition_tables.update_cycle_metrics, (PREDICTIONS, TRUTH, SCORES)),
    (SNAPSHOTS, competition_tables.update_snapshots, (CYCLE_METRICS, MODELS)),
    (LEADERBOARD, competition_tables.update_leaderboard, (SNAPSHOTS, MODELS)),
)
"""Each table of a competition: how it is brought up to date, and which tables that reads."""

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
        for source in (attributes.predictions.source, attributes.truth.source):
            resolve_dotted_path(source, "source")
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, and its schedule."""
        return competition_definitions(self.contract)


def competition_definitions(contract: Contract) -> dg.Definitions:
    """Definitions of one competition, from its contract alone."""
    assets = [_asset(contract, *row) for row in ASSETS]
    job = dg.define_asset_job(
        contract.name,
        selection=dg.AssetSelection.key_prefixes([contract.name]).downstream(),
        description=f"{contract.title}: everything new, from predictions to the published board.",
    )
    schedules = []
    if contract.schedule is not None:
        name = f"{contract.name}_schedule"
        schedules.append(
            dg.ScheduleDefinition(name=name, job=job, cron_schedule=contract.schedule, execution_timezone="UTC")
        )
    return dg.Definitions(assets=assets, jobs=[job], schedules=schedules)


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
