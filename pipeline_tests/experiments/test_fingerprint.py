"""What a table of an experiment depends on: a changed declaration recomputes what it touches, and nothing else."""

from typing import Any

import pytest

from pipeline.experiments import stage_code
from pipeline.tables import EXPERIMENT_TABLES
from pipeline_tests.experiments.declared import DECLARED, experiment

STAGES = ("catalog", *(spec.name for spec in EXPERIMENT_TABLES))
BOARDS = {"run_board", "leaderboard", "scorer_summary", "comparisons"}


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"title": "Another title"}, set()),
        ({"repeats": 9}, {"runs"}),
        ({"max_runs": 9}, {"runs"}),
        ({"prompts": {"terse": "{{ country }}"}}, {"prompts", "configurations", "comparisons"}),
        ({"models": ["small"]}, {"configurations", "comparisons"}),
        ({"parameters": {"grid": {"t": [1]}}}, {"configurations", "comparisons"}),
        ({"inputs": DECLARED["inputs"][:1]}, {"inputs", "leaderboard"}),
        ({"scorers": {"exact": {"weight": 2}}}, {"scores"} | BOARDS),
        ({"min_scorers": 1}, BOARDS),
        ({"min_coverage": 0.5}, {"leaderboard", "comparisons"}),
        ({"newest_repeats": 5}, BOARDS - {"run_board"}),
        ({"baseline": {"prompt": "terse", "model": "small"}}, {"configurations", "comparisons"}),
        ({"comparisons": {"test": "fisher"}}, {"comparisons"}),
    ],
)
def test_a_changed_declaration_changes_the_tables_that_use_it(changes: dict[str, Any], stages: set[str]) -> None:
    before, after = experiment(), experiment(**changes)
    assert {one for one in STAGES if stage_code(one, before) != stage_code(one, after)} == stages


def test_the_hash_of_a_file_counts() -> None:
    assert stage_code("inputs", experiment(), "one") != stage_code("inputs", experiment(), "other")


def test_an_unknown_table_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown stage 'boards'; known: catalog, prompts, inputs"):
        stage_code("boards", experiment())
