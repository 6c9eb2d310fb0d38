"""What every kind of board has in common in the graph: how its declaration is loaded, and what its tables become.

A kind of board is a subclass of :class:`Board` that says which declaration it reads and builds its definitions out of
:func:`table_asset` and :func:`board_definitions`. What is particular to a kind stays in its own module.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import dagster as dg
from pydantic import BaseModel

from pipeline.components.automation import first_run_sensor, on_new_inputs
from pipeline.components.checks import Check
from pipeline.components.cron import require_cron
from pipeline.components.freshness import freshness_of_schedules
from pipeline.components.keys import asset_key
from pipeline.components.metadata import Stopwatch, definition_metadata, row_count, run_metadata
from pipeline.components.pictures import Chart, picture_metadata
from pipeline.components.recompute import Outcome, Recompute
from pipeline.components.yaml_keys import repeated_keys
from pipeline.declaration import BoardDeclaration
from pipeline.tables import BOARDS, TableSpec
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse

B = TypeVar("B", bound=BoardDeclaration)

Update = Callable[[Store, B, Recompute], Outcome]
"""How a table is brought up to date."""

Picture = Callable[[Store, B], Chart]


class Comparison(Protocol):
    """Something that must hold of a table beside what it was before it was brought up to date."""

    def spec(self, asset: dg.AssetKey) -> dg.AssetCheckSpec:
        """The check's declaration on an asset."""

    def before(self, store: Store, board: str) -> Any:
        """What is to be remembered of the table as it is."""

    def run(self, store: Store, board: str, before: Any) -> dg.AssetCheckResult:
        """Compare the table with what was remembered."""


class Board(dg.Component):
    """A declared board; a mistake in its attributes fails at load and says which names are known."""

    declared_as: ClassVar[type[BoardDeclaration]]
    """What its attributes are."""

    def __init__(self, contract: BoardDeclaration) -> None:
        self.contract = contract

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of the attributes: the declaration itself."""
        return cls.declared_as

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "Board":
        """Take the validated attributes.

        Raises
        ------
        TypeError
            If there are no attributes.
        ValueError
            If a key is written twice in the file, the board's name is not that of its defs folder, its schedule is no
            cron line, or what it names is not there.
        """
        declared_in = context.path / "defs.yaml"
        repeated = repeated_keys(declared_in) if declared_in.exists() else []
        if repeated:
            raise ValueError(f"{declared_in}: {'; '.join(repeated)}")
        called, fields = cls.declared_as.called, cls.declared_as.model_fields
        if not isinstance(attributes, cls.declared_as):
            required = ", ".join(name for name, field in fields.items() if field.is_required())
            raise TypeError(f"{called} in the folder {context.path.name!r}: attributes are missing; give {required}")
        if attributes.name != context.path.name:
            raise ValueError(
                f"{called} {attributes.name!r} is declared in the folder {context.path.name!r}; "
                f"a board's name is its folder's: rename one of them"
            )
        if attributes.schedule is not None:
            require_cron(attributes.schedule, "schedule")
        cls.check(attributes)
        return cls(attributes)

    @classmethod
    def check(cls, contract: BoardDeclaration) -> None:
        """Refuse a declaration for what it alone does not tell, such as a module that is not there."""


def board_definitions(
    contract: BoardDeclaration,
    assets: Sequence[dg.AssetsDefinition],
    sensors: Iterable[dg.SensorDefinition] = (),
    also_by: Sequence[str] = (),
) -> dg.Definitions:
    """The assets of a board, the job that materializes them and all that follows from them, and when that runs.

    Parameters
    ----------
    contract : BoardDeclaration
        The board.
    assets : sequence of AssetsDefinition
        All of its own.
    sensors : iterable of SensorDefinition
        What else asks for them.
    also_by : sequence of str
        Cron lines by which they are computed, besides the declared schedule.
    """
    own = dg.AssetSelection.key_prefixes([contract.name]).downstream()
    # The marts are built as a whole: those that do not read this board would else be missing in a new warehouse.
    for_readers = dg.AssetSelection.key_prefixes(["marts"], ["published"])
    job = dg.define_asset_job(
        contract.name,
        selection=own | for_readers,
        description=f"{contract.title}: everything new, from what arrives to the published board.",
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
    every = [first_run_sensor(contract.name, job.name), *sensors]
    crons = [*([contract.schedule] if contract.schedule else []), *also_by]
    return dg.Definitions(assets=_with_freshness(assets, crons), jobs=[job], schedules=schedules, sensors=every)


def _with_freshness(
    assets: Sequence[dg.AssetsDefinition], crons: Sequence[str]
) -> Sequence[dg.AssetsDefinition | dg.AssetSpec]:
    """The same, stale when a run by the schedules was left out; what has a policy of its own keeps it."""
    policy = freshness_of_schedules(crons)
    if policy is None:
        return assets
    return dg.map_asset_specs(
        lambda spec: spec if spec.freshness_policy else spec.replace_attributes(freshness_policy=policy), assets
    )


def table_asset(
    contract: B,
    spec: TableSpec,
    update: Update[B],
    upstream: Sequence[TableSpec],
    held: Sequence[Check],
    picture: Picture[B] | None = None,
    compared: Sequence[Comparison] = (),
    after: Sequence[dg.AssetKey] = (),
) -> dg.AssetsDefinition:
    """The asset of one table of a board.

    Parameters
    ----------
    contract : BoardDeclaration
        The board.
    spec : TableSpec
        The table.
    update : function
        How it is brought up to date.
    upstream : sequence of TableSpec
        The tables that this reads.
    held : sequence of Check
        What must hold of it.
    picture : function, optional
        What its metadata shows.
    compared : sequence of Comparison
        What must hold of it beside what it was before.
    after : sequence of AssetKey
        What else it reads, which is no table.
    """
    key = asset_key(contract.name, spec)

    @dg.asset(
        key=key,
        deps=list(dict.fromkeys([*(asset_key(contract.name, one) for one in upstream), *after])),
        group_name=contract.name,
        kinds={"python", "duckdb"},
        description=spec.comment,
        metadata=definition_metadata(spec),
        check_specs=[*(check.spec(key) for check in held), *(check.spec(key) for check in compared)],
        automation_condition=on_new_inputs() if after or set(upstream) - {BOARDS} else None,
    )
    def table(context: dg.AssetExecutionContext, config: Recompute, warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        part = f"{contract.name}/{spec.name}"
        with warehouse.write(f"{context.run.run_id}: {part}", part) as store:
            watch = Stopwatch()
            before = [check.before(store, contract.name) for check in compared]
            outcome = update(store, contract, config)
            metadata = run_metadata(outcome, spec, row_count(store, spec, contract.name))
            if picture is not None:
                metadata |= picture_metadata(picture(store, contract), _newest_metadata(context.instance, key))
            results = [check.run(store, contract.name) for check in held]
            results += [check.run(store, contract.name, old) for check, old in zip(compared, before, strict=True)]
            return watch.result(metadata, results)

    return table


def _newest_metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> Mapping[str, dg.MetadataValue]:
    """What the asset's newest materialization said."""
    event = instance.get_latest_materialization_event(key)
    return {} if event is None or event.asset_materialization is None else event.asset_materialization.metadata
