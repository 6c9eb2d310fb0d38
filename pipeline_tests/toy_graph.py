"""The Dagster graph of toy contests on a warehouse in a folder, run in this process."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.competition import Contract
from pipeline.components.competition import Asset, assets_of, checks_of, competition_definitions
from pipeline.components.dbt import dbt_cli, dbt_project
from pipeline.components.keys import asset_key
from pipeline.components.publishing import publishing_definitions
from pipeline.components.recompute import Recompute
from pipeline.components.updating import in_order
from pipeline.tables import COMPETITION_TABLES, ENSEMBLE_TABLES, EVALUATIONS, TableSpec
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.brought import Brought, bring, failing
from pipeline_tests.toy_contest import contract

FILE = Path("warehouse") / "podium.duckdb"


@dataclass
class ToyGraph:
    """Boards, their warehouse and the history of runs.

    Parameters
    ----------
    folder : Path
        Where the warehouse and its publications are.
    contracts : sequence of Contract
        The boards.
    with_marts : bool
        Whether the marts and the publication are part of it; without them a run needs no dbt.
    """

    folder: Path
    contracts: Sequence[Contract] = field(default_factory=lambda: [contract()])
    with_marts: bool = False

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.ephemeral()

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.folder / FILE), lock_timeout=5)

    @cached_property
    def definitions(self) -> dg.Definitions:
        parts = [competition_definitions(contract) for contract in self.contracts]
        resources: dict[str, Any] = {"warehouse": self.warehouse}
        if self.with_marts:
            parts.append(publishing_definitions(self.contracts))
            resources["dbt"] = dbt_cli(dbt_project())
        return dg.Definitions.merge(*parts, dg.Definitions(resources=resources, executor=dg.in_process_executor))

    def run(
        self,
        *assets: str,
        board: str = "toy",
        config: Mapping[str, object] | None = None,
        raise_on_error: bool = True,
    ) -> dg.ExecuteInProcessResult:
        """Execute the board's job, or some of its assets; ``config`` is given to every one of them."""
        job = self.definitions.resolve_job_def(board)
        keys = [dg.AssetKey([board, name]) for name in assets] or None
        ops = {f"{board}__{name}": {"config": dict(config or {})} for name in assets or ASSETS}
        return job.execute_in_process(
            instance=self.instance,
            run_config={"ops": ops} if config else None,
            asset_selection=keys,
            raise_on_error=raise_on_error,
        )

    def bring(self, *assets: str, **config: Any) -> Brought:
        """Bring the tables of the only board up to date, or some of them, without Dagster."""
        (declared,) = self.contracts
        with self.open() as store:
            return bring(store, declared, chosen(declared, *assets), Recompute(**config))

    def failing(self) -> dict[str, str]:
        """Severity of the checks of the only board's tables that do not hold, by ``table.check``."""
        (declared,) = self.contracts
        with self.open() as store:
            return failing(store, declared, declared.tables, partial(checks_of, declared))

    def run_marts(self, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Execute what follows the boards: the marts and the publication."""
        keys = self.definitions.resolve_asset_graph().get_all_asset_keys()
        return self.definitions.resolve_job_def("toy").execute_in_process(
            instance=self.instance,
            asset_selection=[key for key in keys if key.path[0] in ("marts", "published")],
            raise_on_error=raise_on_error,
        )

    def open(self) -> AbstractContextManager[Store]:
        """The warehouse, to look at or to damage."""
        return self.warehouse.write("a test")

    def table(self, spec: TableSpec, board: str = "toy") -> pd.DataFrame:
        """All rows of the board in a table."""
        with self.open() as store:
            return store.read(spec, board)

    def tables(self, board: str = "toy", without: Iterable[TableSpec] = ()) -> dict[str, pd.DataFrame]:
        """All rows of the board in every table."""
        with self.open() as store:
            return {spec.name: store.read(spec, board) for spec in COMPETITION_TABLES if spec not in without}

    def execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Any statement on the working file."""
        with self.open() as store:
            return store.connection.execute(sql, list(parameters)).fetchall()


ASSETS = ("catalog", *(spec.name for spec in COMPETITION_TABLES if spec not in (*ENSEMBLE_TABLES, EVALUATIONS)))
"""The assets of a board without ensembles, by the last part of their keys."""


def assert_same_tables(left: Mapping[str, pd.DataFrame], right: Mapping[str, pd.DataFrame]) -> None:
    """Every table has the same rows, to the last bit."""
    assert left.keys() == right.keys()
    for name, rows in left.items():
        pd.testing.assert_frame_equal(rows, right[name], check_exact=True, obj=name)


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    """What the run says of every asset, by ``board/table``."""
    return {
        event.materialization.asset_key.to_user_string(): {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }


def recomputed(result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """Cycles that the run recomputed, by table."""
    return {
        key.rpartition("/")[2]: values["podium/cycles_recomputed"]
        for key, values in metadata(result).items()
        if "podium/cycles_recomputed" in values
    }


def failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Severity of the checks that failed, by ``table.check``."""
    return {
        f"{check.asset_key.path[-1]}.{check.check_name}": check.severity.value
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }


def chosen(contest: Contract, *names: str) -> list[Asset]:
    """The assets of a contest, each after those that it reads; some of them, by the last part of their keys, or all."""
    assets = in_order(assets_of(contest))
    return [one for one in assets if not names or asset_key(contest.name, one[0]).path[-1] in names]


def bring_up_to_date(store: Store, contest: Contract) -> dict[str, int]:
    """What a run does, without Dagster: cycles recomputed by table."""
    outcomes = {spec.name: update(store, contest, Recompute()) for spec, update, _ in in_order(assets_of(contest))}
    return {name: sum(change.cycles for change in outcome.changes) for name, outcome in outcomes.items()}
