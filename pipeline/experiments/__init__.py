"""Prompt experiments, pure: declaration, identity and plan of runs, scorers, and the boards that scores make."""

from pipeline.experiments.board import leaderboard_rows, ranked_again, run_board_rows, scorer_rows
from pipeline.experiments.comparison import compared_columns, comparison_rows
from pipeline.experiments.declaration import Experiment
from pipeline.experiments.execution import LOCAL, OPENAI, ExecutionSpec, ModelSpec
from pipeline.experiments.files import RUNS, SCORES
from pipeline.experiments.fingerprint import stage_code
from pipeline.experiments.frames import frame_of_rows
from pipeline.experiments.given import details_json, score_row, score_table
from pipeline.experiments.groups import GROUPINGS
from pipeline.experiments.identity import RunConfig, canonical_json, configuration_id, run_id, sha256_of
from pipeline.experiments.inputs import InputsError, InputSpec, read_inputs
from pipeline.experiments.parts import BaselineSpec, Configuration, PromptSpec, ScorerSpec
from pipeline.experiments.plan import PlanError, PlannedRun, changed_without_version, messages, plan
from pipeline.experiments.raters import agreement_rows
from pipeline.experiments.rows import (
    configuration_of,
    configuration_row,
    configuration_rows,
    input_of,
    input_rows,
    planned_row,
    prompt_rows,
    stage_rows,
    undeclared_input_row,
    undeclared_prompt_row,
    with_former,
)
from pipeline.experiments.scored import STATUSES, BoardError, ScoredRuns
from pipeline.experiments.scores import latest_scores, numbered, rater_numbers, scorer_values
from pipeline.experiments.scoring import RunScore, score_runs
from pipeline.experiments.templates import PromptError, variables_in
from pipeline.experiments.weighing import Weighed, weigh

__all__ = [
    "GROUPINGS",
    "LOCAL",
    "OPENAI",
    "RUNS",
    "SCORES",
    "STATUSES",
    "BaselineSpec",
    "BoardError",
    "Configuration",
    "ExecutionSpec",
    "Experiment",
    "InputSpec",
    "InputsError",
    "ModelSpec",
    "PlanError",
    "PlannedRun",
    "PromptError",
    "PromptSpec",
    "RunConfig",
    "RunScore",
    "ScoredRuns",
    "ScorerSpec",
    "Weighed",
    "agreement_rows",
    "canonical_json",
    "changed_without_version",
    "compared_columns",
    "comparison_rows",
    "configuration_id",
    "configuration_of",
    "configuration_row",
    "configuration_rows",
    "details_json",
    "frame_of_rows",
    "input_of",
    "input_rows",
    "latest_scores",
    "leaderboard_rows",
    "messages",
    "numbered",
    "plan",
    "planned_row",
    "prompt_rows",
    "ranked_again",
    "rater_numbers",
    "read_inputs",
    "run_board_rows",
    "run_id",
    "score_row",
    "score_runs",
    "score_table",
    "scorer_rows",
    "scorer_values",
    "sha256_of",
    "stage_code",
    "stage_rows",
    "undeclared_input_row",
    "undeclared_prompt_row",
    "variables_in",
    "weigh",
    "with_former",
]
