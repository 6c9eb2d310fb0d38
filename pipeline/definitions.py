"""What Dagster loads: the defs folder, the resources, the executor. Nothing else."""

import dagster as dg

from pipeline import garbage


@dg.definitions
def defs() -> dg.Definitions:
    """Every declared board, bundled or one's own, and where their steps are executed."""
    with garbage.not_looked_for():
        from pipeline.components.dbt import dbt_cli, dbt_project
        from pipeline.components.executor import executor
        from pipeline.components.trees import own_definitions
        from pipeline.settings import PROJECT_ROOT
        from pipeline.warehouse.resource import Warehouse

        return dg.Definitions.merge(
            dg.load_from_defs_folder(path_within_project=PROJECT_ROOT),
            own_definitions(),
            dg.Definitions(
                resources={"warehouse": Warehouse(), "dbt": dbt_cli(dbt_project())},
                executor=executor(),
            ),
        )
