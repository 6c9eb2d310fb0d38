"""What a stage's code hash depends on: exactly what makes its rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.competition import Contract, fingerprint, stage_code
from pipeline.fingerprint import source_hash
from pipeline_tests.competition.contests import DECLARED, contract

STAGES = [
    *("catalog", "models", "subjects", "factors", "model_versions", "predictions", "submissions", "truth"),
    *("scores", "cycle_metrics", "snapshots", "leaderboard"),
]
CUSTOM = "pipeline_tests.competition.custom"


def changed(before: Contract, after: Contract) -> set[str]:
    return {stage for stage in STAGES if stage_code(stage, before) != stage_code(stage, after)}


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"title": "Other"}, set()),
        ({"description": "Other"}, set()),
        ({"schedule": "0 0 * * *"}, set()),
        ({"name": "other"}, set()),
        (
            {"predictions": {"source": "other"}},
            {"models", "model_versions", "subjects", "factors", "predictions"},
        ),
        (
            {"predictions": DECLARED["predictions"] | {"deadline": "1h"}},
            {"predictions", "submissions", "model_versions"},
        ),
        ({"truth": DECLARED["truth"] | {"delay": "1h"}}, {"truth"}),
        ({"truth": DECLARED["truth"] | {"known_at": "arrival"}}, {"truth"}),
        ({"scoring": {"rule": "squared_error", "primary": "ic"}}, {"scores", "snapshots", "leaderboard"}),
        ({"scoring": {"rule": "rank_product", "primary": "hit_rate"}}, set()),
        ({"scoring": DECLARED["scoring"] | {"scale": "log1p"}}, {"scores", "cycle_metrics"}),
        (
            {"predictions": DECLARED["predictions"] | {"output_type": "mean"}},
            {"predictions", "scores", "cycle_metrics"},
        ),
        ({"metrics": [*DECLARED["metrics"], "coverage"]}, {"cycle_metrics", "snapshots"}),
        ({"windows": DECLARED["windows"] | {"recent": {"cycles": 4}}}, {"snapshots"}),
        ({"leaderboard": {"rank_by": "recent.ic"}}, {"leaderboard"}),
        ({"leaderboard": {"rank_by": "all.ic", "min_predictions": 1}}, {"leaderboard"}),
        ({"min_subjects": 3}, {"scores", "cycle_metrics"}),
        ({"center": 0.5}, {"scores", "cycle_metrics"}),
        ({"horizon_cycles": 0.5}, {"scores", "cycle_metrics"}),
        ({"missing": {"policy": "worst"}}, {"snapshots", "leaderboard"}),
        ({"missing": {"policy": "carry_forward"}}, {"predictions", "snapshots", "leaderboard"}),
        ({"horizon_length": "1d"}, set()),
        ({"models": {"registration": "closed"}, "subjects": {"registration": "closed"}}, set()),
        ({"factors": {"source": "other"}}, {"factors"}),
        ({"frozen": True, "late_after": "3d"}, set()),
        ({"ensembles": [{"name": "main"}]}, {"models", "snapshots"}),
        ({"categories": ["horizon"]}, {"cycle_metrics", "snapshots", "leaderboard"}),
    ],
)
def test_a_declaration_changes_the_stages_it_touches_and_no_other(changes: dict[str, Any], stages: set[str]) -> None:
    assert changed(contract(), contract(**changes)) == stages


WEIGHING = {"ensemble_weights", "member_metrics"}
OF_ENSEMBLES = {*WEIGHING, "ensemble_predictions", "ensemble_scores", "ensemble_metrics"}


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"ensembles": [{"name": "main"}]}, {*WEIGHING, "ensemble_predictions"}),
        ({"windows": DECLARED["windows"] | {"recent": {"cycles": 4}}}, WEIGHING),
        ({"leaderboard": {"rank_by": "recent.ic"}}, WEIGHING),
        ({"missing": {"policy": "worst"}}, WEIGHING),
        ({"metrics": [*DECLARED["metrics"], "coverage"]}, {*WEIGHING, "ensemble_metrics"}),
        ({"scoring": {"rule": "squared_error", "primary": "ic"}}, OF_ENSEMBLES - {"ensemble_metrics"}),
        ({"scoring": {"rule": "rank_product", "primary": "hit_rate"}}, WEIGHING),
        ({"min_subjects": 3}, {"member_metrics", "ensemble_scores", "ensemble_metrics"}),
        (
            {"scoring": DECLARED["scoring"] | {"scale": "log1p"}},
            {*WEIGHING, "ensemble_scores", "ensemble_metrics"},
        ),
        (
            {"predictions": DECLARED["predictions"] | {"output_type": "median"}},
            {"member_metrics", "ensemble_predictions", "ensemble_scores", "ensemble_metrics"},
        ),
        ({"categories": ["horizon"]}, {*WEIGHING, "ensemble_metrics"}),
        ({"title": "Other"}, set()),
    ],
)
def test_a_declaration_changes_what_of_ensembles_it_touches(changes: dict[str, Any], stages: set[str]) -> None:
    before, after = contract(), contract(**changes)
    assert {stage for stage in OF_ENSEMBLES if stage_code(stage, before) != stage_code(stage, after)} == stages


@pytest.mark.usefixtures("dotted_paths_into_tests")
@pytest.mark.parametrize("stage", sorted(OF_ENSEMBLES - {"ensemble_metrics"}))
def test_a_custom_rule_is_part_of_what_makes_ensembles(stage: str) -> None:
    contest = contract(scoring={"rule": f"{CUSTOM}.HALF_SQUARED_ERROR", "primary": "ic"})
    assert fingerprint._custom_modules(stage, contest) == [CUSTOM]


QUANTILES: dict[str, Any] = {
    "scoring": {"rule": "wis", "primary": "wis"},
    "metrics": ["wis"],
    "leaderboard": {"rank_by": "all.wis"},
}


def test_other_levels_change_what_is_made_of_distributions() -> None:
    def declared(*levels: float) -> Contract:
        predictions = {"source": "s", "output_type": "quantile", "output_type_ids": levels}
        return contract(predictions=predictions, **QUANTILES)

    assert changed(declared(0.1, 0.9), declared(0.2, 0.8)) == {"predictions", "scores", "cycle_metrics"}


def test_what_evaluation_sets_say_and_are_scored_by_makes_them() -> None:
    def code(**changes: Any) -> str:
        sets = [{"name": "all", "metrics": ["absolute_error"]}]
        return stage_code("evaluations", contract(**({"evaluations": sets} | changes)))

    assert code(windows={"all": {}}) == code()
    assert code(evaluations=[{"name": "all", "metrics": ["squared_error"]}]) != code()
    assert code(scoring=DECLARED["scoring"] | {"scale": "log1p"}) != code()
    assert changed(contract(), contract(evaluations=[{"name": "all", "metrics": ["absolute_error"]}])) == set()


def test_every_field_of_the_contract_is_considered_above() -> None:
    considered = {
        *("name", "title", "description", "schedule", "predictions", "truth", "scoring", "metrics", "windows"),
        *("leaderboard", "min_subjects", "center", "horizon_cycles", "horizon_length"),
        *("factors", "models", "subjects", "frozen", "late_after", "missing", "ensembles", "categories", "evaluations"),
    }
    assert set(Contract.model_fields) == considered


def test_a_change_of_parts_computes_no_more_than_it_touches() -> None:
    one = contract(categories=[{"by": "horizon"}])
    assert changed(one, contract(categories=[{"by": "horizon", "rank_by": "recent.ic"}])) == {"leaderboard"}
    assert changed(one, contract(categories=[{"by": "horizon", "history": True}])) == {"snapshots", "leaderboard"}


def test_the_order_of_weights_counts_because_coverage_is_that_of_the_first() -> None:
    first = contract(leaderboard={"rank_by": {"all.ic": 0.5, "recent.ic": 0.5}})
    second = contract(leaderboard={"rank_by": {"recent.ic": 0.5, "all.ic": 0.5}})
    assert changed(first, second) == {"leaderboard"}


def test_what_is_said_besides_counts() -> None:
    assert stage_code("truth", contract(), "a") != stage_code("truth", contract(), "b")
    assert stage_code("truth", contract(), "a") == stage_code("truth", contract(), "a")


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown stage 'score'; known: catalog, models"):
        stage_code("score", contract())


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that pretends a source file was edited."""
    read = Path.read_text
    names: list[str] = []

    def read_text(path: Path, *args: Any, **kwargs: Any) -> str:
        text = read(path, *args, **kwargs)
        return text + "# edited\n" if any(path.as_posix().endswith(name) for name in names) else text

    monkeypatch.setattr(Path, "read_text", read_text)

    def edit(name: str) -> None:
        names.append(name)
        source_hash.cache_clear()

    yield edit
    source_hash.cache_clear()


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("pipeline/competition/metrics/tasks.py", {"scores", "cycle_metrics", "snapshots", "leaderboard"}),
        ("pipeline/competition/truth.py", {"truth", "scores", "cycle_metrics", "snapshots", "leaderboard"}),
        (
            "pipeline/competition/stages/scores.py",
            {"predictions", "scores", "cycle_metrics", "snapshots", "leaderboard"},
        ),
        (
            "pipeline/competition/stand_ins.py",
            {"predictions", "scores", "cycle_metrics", "snapshots", "leaderboard"},
        ),
        ("pipeline/leaderboard/ranking.py", {"snapshots", "leaderboard"}),
        ("pipeline/components/checks.py", set()),
    ],
)
def test_an_edited_file_changes_the_stages_that_use_it(edited: Any, file: str, stages: set[str]) -> None:
    before = {stage: stage_code(stage, contract()) for stage in STAGES}
    edited(file)
    assert {stage for stage in STAGES if stage_code(stage, contract()) != before[stage]} == stages


@pytest.mark.usefixtures("dotted_paths_into_tests")
@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"metrics": ["ic", f"{CUSTOM}.REVERSED_IC"]}, {"cycle_metrics", "snapshots"}),
        (
            {
                "metrics": ["ic", f"{CUSTOM}.REVERSED_IC"],
                "leaderboard": {"rank_by": f"all.{CUSTOM}.REVERSED_IC"},
            },
            {"cycle_metrics", "snapshots", "leaderboard"},
        ),
        ({"scoring": {"rule": f"{CUSTOM}.HALF_SQUARED_ERROR", "primary": "ic"}}, {"scores", "leaderboard"}),
    ],
)
def test_an_edited_rule_or_metric_of_ones_own_changes_the_stages_that_call_it(
    edited: Any, changes: dict[str, Any], stages: set[str]
) -> None:
    declared = contract(**changes)
    before = {stage: stage_code(stage, declared) for stage in STAGES}
    edited("pipeline_tests/competition/custom.py")
    assert {stage for stage in STAGES if stage_code(stage, declared) != before[stage]} == stages


def test_a_module_without_a_file_has_an_empty_hash() -> None:
    assert source_hash("pipeline_tests.nowhere") == ""
