"""The component behind ``type: pipeline.components.Experiment``: experiments declared in YAML become their assets.

It only wires: how files are read is in ``pipeline.intake.experiments``, what a table's rows are in
``experiment_tables``, what must hold in ``experiment_checks``, what every kind of board has in ``board``.
"""

import dagster as dg

from pipeline.components import experiment_checks, experiment_tables
from pipeline.components.automation import inbox_sensor
from pipeline.components.board import Board, Update, board_definitions, table_asset
from pipeline.components.cron import require_cron
from pipeline.components.executing import execution_asset, execution_key, pending_sensor, recurring_schedule
from pipeline.components.inbox import files_asset
from pipeline.declaration import BoardDeclaration
from pipeline.experiments import Experiment as Declared
from pipeline.tables import (
    BOARDS,
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_FILES,
    EXPERIMENT_INPUTS,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORERS,
    EXPERIMENT_SCORES,
    EXPERIMENT_STAGES,
    TableSpec,
)

_BOARDS = (EXPERIMENT_RUNS, EXPERIMENT_SCORES, EXPERIMENT_CONFIGURATIONS)

ASSETS: tuple[tuple[TableSpec, Update[Declared], tuple[TableSpec, ...]], ...] = (
    (BOARDS, experiment_tables.update_catalog, ()),
    (EXPERIMENT_PROMPTS, experiment_tables.update_prompts, (EXPERIMENT_FILES,)),
    (EXPERIMENT_INPUTS, experiment_tables.update_inputs, (EXPERIMENT_FILES,)),
    (EXPERIMENT_CONFIGURATIONS, experiment_tables.update_configurations, (EXPERIMENT_FILES, EXPERIMENT_PROMPTS)),
    (
        EXPERIMENT_RUNS,
        experiment_tables.update_runs,
        (EXPERIMENT_FILES, EXPERIMENT_CONFIGURATIONS, EXPERIMENT_INPUTS),
    ),
    (EXPERIMENT_STAGES, experiment_tables.update_stages, (EXPERIMENT_FILES, EXPERIMENT_RUNS)),
    (EXPERIMENT_SCORES, experiment_tables.update_scores, (EXPERIMENT_FILES, EXPERIMENT_RUNS, EXPERIMENT_INPUTS)),
    (EXPERIMENT_RUN_BOARD, experiment_tables.update_run_board, _BOARDS),
    (EXPERIMENT_LEADERBOARD, experiment_tables.update_leaderboard, (*_BOARDS, EXPERIMENT_INPUTS)),
    (EXPERIMENT_SCORERS, experiment_tables.update_scorer_summary, _BOARDS),
    (EXPERIMENT_COMPARISONS, experiment_tables.update_comparisons, _BOARDS),
    (EXPERIMENT_AGREEMENT, experiment_tables.update_agreement, (EXPERIMENT_SCORES,)),
)
"""The tables of an experiment: how each is brought up to date, and which it reads."""


class Experiment(Board):
    """Prompts, models and parameters tried on inputs, scored, and ranked.

    Everything about the experiment is in the attributes; see each field's description. A mistake in them fails at load
    and says which names are known.
    """

    contract: Declared
    declared_as = Declared

    @classmethod
    def check(cls, contract: BoardDeclaration) -> None:
        """Refuse a line of ``recurring`` that is no cron line."""
        if isinstance(contract, Declared) and contract.recurring is not None:
            require_cron(contract.recurring, "recurring")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The assets, the job that materializes them and all that follows from them, its schedule and sensors."""
        return experiment_definitions(self.contract)


def experiment_definitions(experiment: Declared) -> dg.Definitions:
    """Definitions of one experiment, from its declaration alone."""
    # The catalog comes after the execution, too: with the first table that is written a run has the warehouse.
    assets = [
        table_asset(
            experiment,
            spec,
            update,
            upstream,
            experiment_checks.of_table(spec),
            after=[execution_key(experiment.name)] if spec == BOARDS else [],
        )
        for spec, update, upstream in ASSETS
    ]
    files = files_asset(
        experiment.name,
        EXPERIMENT_FILES,
        lambda store, config: experiment_tables.land_inbox(store, experiment, config),
        experiment_checks.of_table(EXPERIMENT_FILES),
    )
    sensors = [inbox_sensor(experiment.name, experiment.folders), pending_sensor(experiment)]
    crons = [experiment.recurring] if experiment.recurring else []
    definitions = board_definitions(experiment, [execution_asset(experiment), *assets, files], sensors, crons)
    if experiment.recurring is None:
        return definitions
    schedule = recurring_schedule(experiment, experiment.recurring)
    return dg.Definitions.merge(definitions, dg.Definitions(schedules=[schedule]))
