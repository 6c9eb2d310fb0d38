"""A run whose steps are executed on workers, watched over by this process."""

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.code_pointer import CodePointer
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run

_MODULE, _DEFINITIONS = "pipeline.definitions", "defs"


def execute_on_workers(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_id: str,
    run_config: Mapping[str, object],
    tags: Mapping[str, str],
    keys: Sequence[dg.AssetKey] | None,
) -> bool:
    """Execute a job of the definitions, or some assets of it, to its end; whether it succeeded.

    Parameters
    ----------
    job : JobDefinition
        As it is loaded here; workers load it anew, by its name.
    instance : DagsterInstance
        Whose runs and events workers can reach, too.
    run_id : str
    run_config, tags : mapping
        Of the run.
    keys : sequence of AssetKey, optional
        Some assets; all of the job without it.
    """
    pointer = CodePointer.from_module(_MODULE, _DEFINITIONS, working_directory=None)
    selection = frozenset(keys) if keys else None
    executed = ReconstructableJob(ReconstructableRepository(pointer), job.name, asset_selection=selection)
    run = instance.create_run_for_job(
        executed.get_definition(),
        run_id=run_id,
        run_config=dict(run_config),
        tags=dict(tags),
        asset_selection=selection,
        job_code_origin=executed.get_python_origin(),
    )
    return execute_run(executed, run, instance, raise_on_error=False).success
