"""What Dagster loads: the defs folder, the resources, the executor. Nothing else."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under ``pipeline/defs``, run in one process with the warehouse as its only writer."""
    from pipeline.components.dbt import dbt_cli, dbt_project
    from pipeline.warehouse.resource import Warehouse

    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={"warehouse": Warehouse(), "dbt": dbt_cli(dbt_project())},
            executor=dg.in_process_executor,
        ),
    )
