"""The component behind ``type: pipeline.components.Publishing``: marts for readers, then the published file.

dbt is imported where it is used: who only asks which boards are declared does not wait for it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from pipeline.clock import utc_now
from pipeline.components.automation import on_new_inputs
from pipeline.components.keys import POSTED
from pipeline.components.metadata import Stopwatch
from pipeline.components.trees import boards_left_out, declared_contracts
from pipeline.declaration import BoardDeclaration
from pipeline.intake.posted import posted_names
from pipeline.settings import settings
from pipeline.tables import BUILDS, WHOLE
from pipeline.warehouse import Dirty, Store, compose
from pipeline.warehouse.resource import Warehouse

if TYPE_CHECKING:
    from dagster_dbt import DbtCliInvocation, DbtCliResource

MARTS = "marts"
PUBLISHED = dg.AssetKey(["published"])


class Publishing(dg.Component):
    """The marts over all boards, by dbt, and the published copy of the warehouse."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The dbt models as assets and the published file, downstream of every declared board."""
        contracts = declared_contracts(context.component_tree)
        return publishing_definitions(list(contracts.values()), boards_left_out(), [POSTED])


def publishing_definitions(
    boards: Sequence[BoardDeclaration], left_out: Collection[str] = (), others: Collection[dg.AssetKey] = ()
) -> dg.Definitions:
    """Definitions of marts and publication.

    Parameters
    ----------
    boards : sequence of BoardDeclaration
        Those that are declared.
    left_out : collection of str
        Others by name, whose declaration is broken: what the warehouse has of them stays published.
    others : collection of AssetKey
        Assets that write boards which are not declared, such as experiments that were posted.
    """
    kept = sorted({*(board.name for board in boards), *left_out})
    marts = _marts(boards, kept, others)
    return dg.Definitions(assets=[marts, _published(kept, sorted(marts.keys))])


def _marts(boards: Sequence[BoardDeclaration], kept: list[str], others: Collection[dg.AssetKey]) -> dg.AssetsDefinition:
    from dagster_dbt import DbtCliResource, dbt_assets

    from pipeline.components.dbt import Translator, dbt_project, project_code

    @dbt_assets(
        manifest=dbt_project().manifest_path,
        project=dbt_project(),
        name=MARTS,
        dagster_dbt_translator=Translator(boards, others),
    )
    def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: Warehouse) -> Iterator[Any]:
        code, purpose = project_code(), f"{context.run.run_id}: {MARTS}"
        warehouse.hold(purpose)
        with warehouse.files.lock.hold(purpose):  # nobody writes while dbt reads, on whatever machine
            with warehouse.write(purpose) as store:
                seq = store.max_seq()
                is_done = _is_built(store, code) and warehouse.files.is_published(store, _with_posted(kept))
            if is_done:
                # No output: Dagster then skips the publication too. A materialization would claim work not done.
                context.log.info(f"nothing new since change {seq}: dbt is not run and nothing is published again")
                return
            build = _build(context, dbt, warehouse)
            # All events before the first is passed on: rows can be counted only when dbt has let go of the file.
            events = list(build.stream())
            error = build.get_error()
            with warehouse.write(purpose) as store:
                if error is None and not context.is_subset:
                    row = pd.DataFrame([{"input_seq": seq, "code": code, "built_at": utc_now()}])
                    store.replace(BUILDS, MARTS, [Dirty(WHOLE, seq)], row, code)
                events = [_with_row_count(event, context, store) for event in events]
        yield from events
        if error is not None:
            raise error

    return marts


def _with_posted(boards: list[str]) -> list[str]:
    """The declared boards, and the experiments that were posted by now."""
    return sorted({*boards, *posted_names(settings())})


def _build(context: dg.AssetExecutionContext, dbt: "DbtCliResource", warehouse: Warehouse) -> "DbtCliInvocation":
    """Start dbt on the working file; its artifacts are kept beside that file, those of the last build only."""
    from pipeline.components.dbt import dbt_on

    path = warehouse.files.path
    with dbt_on(path):
        return dbt.cli(
            ["build", "--exclude-resource-type", "unit_test"],
            context=context,
            target_path=path.with_name("dbt"),
            raise_on_error=False,
        )


def _with_row_count(event: Any, context: dg.AssetExecutionContext, store: Store) -> Any:
    """The event of a model that was built, with its number of rows; any other event as it is."""
    if not isinstance(event, dg.Output):
        return event
    relation = context.asset_key_for_output(event.output_name).path
    rows = store.query(compose("SELECT count(*) AS n FROM {schema}.{name}", schema=relation[0], name=relation[1]))
    return event.with_metadata({**event.metadata, "dagster/row_count": int(rows["n"].iloc[0])})


def _is_built(store: Store, code: str) -> bool:
    """Whether nothing in the warehouse changed since these marts were built by this very project."""
    ledger = store.ledger(MARTS)
    return bool(((ledger["seq"] == store.max_seq()) & (ledger["code"] == code)).any())


def _published(boards: list[str], marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=PUBLISHED,
        deps=marts,
        automation_condition=on_new_inputs(),
        group_name="published",
        kinds={"duckdb"},
        description="The DuckDB file for readers: every declared board, each with a schema of views, and the marts.",
    )
    def published(warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        watch = Stopwatch()
        publication = warehouse.publish(_with_posted(boards))
        waits = {"podium/waits_for": ", ".join(publication.waits_for)} if publication.waits_for else {}
        return watch.result(
            waits
            | {
                "path": dg.MetadataValue.path(str(publication.path)),
                "podium/seq": publication.seq,
                "boards": ", ".join(publication.boards),
                "left_out": "; ".join(publication.left_out) or "none",
                "size_mb": round(publication.path.stat().st_size / 1e6, 1),
                "podium/why": "; ".join(
                    [
                        "published" if publication.changed else "not published again",
                        *publication.left_out,
                    ]
                ),
            }
        )

    return published
