"""What waits of an experiment as rows: what its runs ask, the runs themselves, and their stages."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.experiments import (
    canonical_json,
    configuration_of,
    configuration_row,
    configuration_rows,
    frame_of_rows,
    input_rows,
    planned_row,
    prompt_rows,
    stage_rows,
    undeclared_input_row,
    undeclared_prompt_row,
)
from pipeline.experiments.running import QueuedRun
from pipeline.reports.experiments.laying import BY_RUN, Laid, together, unpublished
from pipeline.reports.experiments.published_rows import published_rows
from pipeline.reports.experiments.waiting import Waiting
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.tables import (
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_INPUTS,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_RUNS,
    EXPERIMENT_STAGES,
    TableSpec,
)


def waiting_prompts(waiting: Waiting, tables: ExperimentTables) -> Laid:
    """Prompts that nobody has published."""
    declared = None if waiting.declared.is_published else prompt_rows(waiting.experiment)
    asked = {(one.prompt, one.prompt_version): one.config.prompt for one in waiting.runs}
    rows = [undeclared_prompt_row(*named, text) for named, text in asked.items()]
    return _unpublished(waiting, tables, EXPERIMENT_PROMPTS, declared, rows)


def waiting_inputs(waiting: Waiting, tables: ExperimentTables) -> Laid:
    """Inputs that nobody has published."""
    declared = None if waiting.declared.is_published else input_rows(waiting.experiment.inputs)
    rows = [undeclared_input_row(one.input_id, one.config.input_data) for one in waiting.runs]
    return _unpublished(waiting, tables, EXPERIMENT_INPUTS, declared, rows)


def waiting_configurations(waiting: Waiting, tables: ExperimentTables) -> Laid:
    """Configurations that nobody has published."""
    declared = None if waiting.declared.is_published else configuration_rows(waiting.experiment)
    asked = {
        one.config.configuration: configuration_of(one.config, waiting.experiment, one.prompt, one.prompt_version)
        for one in waiting.runs
    }
    return _unpublished(
        waiting, tables, EXPERIMENT_CONFIGURATIONS, declared, list(map(configuration_row, asked.values()))
    )


def waiting_runs(waiting: Waiting) -> Laid:
    """Runs of the queue, and those that are only planned."""
    rows = frame_of_rows(EXPERIMENT_RUNS, [*map(_run_row, waiting.runs), *map(planned_row, waiting.planned)])
    return Laid(rows, rows[["run_id"]], BY_RUN)


def waiting_stages(waiting: Waiting) -> Laid:
    """Stages of runs of the queue."""
    found = [row for one in waiting.runs for row in stage_rows(one.run_id, one.stages)]
    rows = frame_of_rows(EXPERIMENT_STAGES, [row | {"error_detail": None} for row in found])
    return Laid(rows, pd.DataFrame({"run_id": [one.run_id for one in waiting.runs]}, dtype="str"), BY_RUN)


def _unpublished(
    waiting: Waiting,
    tables: ExperimentTables,
    spec: TableSpec,
    declared: pd.DataFrame | None,
    rows: Sequence[Mapping[str, Any]],
) -> Laid:
    """Rows that nobody has published, declared ones first."""
    asked = frame_of_rows(spec, rows)
    found = asked if declared is None else together([declared, asked])
    return unpublished(spec, found, published_rows(tables, spec, waiting.declared.name))


def _run_row(one: QueuedRun) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in EXPERIMENT_RUNS.column_names if hasattr(one, name)}
    asked = {"configuration": one.config.configuration, "config": canonical_json(one.config.as_json)}
    return named | asked | {"error_detail": None}
