"""The component behind ``type: pipeline.components.Publishing``: marts for readers, then the published file."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd
from dagster_dbt import DbtCliResource, dbt_assets

from pipeline.components.competition import Competition
from pipeline.components.dbt import Translator, dbt_project, project_code
from pipeline.tables import BUILDS, WHOLE
from pipeline.warehouse import Dirty, Store, current_publication, now
from pipeline.warehouse.resource import Warehouse

MARTS = "marts"
PUBLISHED = dg.AssetKey(["published"])


class Publishing(dg.Component):
    """The marts over all boards, by dbt, and the published copy of the warehouse."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The dbt models as assets and the published file, downstream of every declared board."""
        boards = sorted(one.contract.name for one in context.component_tree.get_all_components(of_type=Competition))
        return publishing_definitions(boards)


def publishing_definitions(boards: list[str]) -> dg.Definitions:
    """Definitions of marts and publication for boards by name."""
    marts = _marts(boards)
    return dg.Definitions(assets=[marts, _published(sorted(marts.keys))])


def _marts(boards: list[str]) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=dbt_project().manifest_path,
        project=dbt_project(),
        name=MARTS,
        dagster_dbt_translator=Translator(boards),
    )
    def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse) -> Iterator[Any]:
        code = project_code()
        with warehouse.write(f"{context.run_id}: {MARTS}") as store:
            is_built, seq = _is_built(store, code), store.max_seq()
        published = current_publication(warehouse.files.published_dir)
        if is_built and published is not None and published.seq == seq:
            # No output: Dagster then skips the publication too. A materialization would claim work that was not done.
            context.log.info(f"nothing new since change {seq}: dbt is not run and nothing is published again")
            return
        with _environment(PODIUM_WAREHOUSE_FILE=str(warehouse.files.path)):
            yield from dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context).stream()
        if context.is_subset:
            return
        with warehouse.write(f"{context.run_id}: {MARTS}") as store:
            row = pd.DataFrame([{"input_seq": seq, "code": code, "built_at": now()}])
            store.replace(BUILDS, MARTS, [Dirty(WHOLE, seq)], row, code)

    return marts


def _is_built(store: Store, code: str) -> bool:
    """Whether nothing in the warehouse changed since these marts were built by this very project."""
    ledger = store.ledger(MARTS)
    return bool(((ledger["seq"] == store.max_seq()) & (ledger["code"] == code)).any())


def _published(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=PUBLISHED,
        deps=marts,
        group_name="published",
        kinds={"duckdb"},
        description="The DuckDB file for readers: every table, a schema of views for each board, and the marts.",
    )
    def published(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        publication = warehouse.publish()
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(publication.path)),
                "podium/seq": publication.seq,
                "boards": ", ".join(publication.boards),
                "size_mb": round(publication.path.stat().st_size / 1e6, 1),
                "podium/why": "published" if publication.changed else "nothing new: not published again",
            }
        )

    return published


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Environment variables for subprocesses started in the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
