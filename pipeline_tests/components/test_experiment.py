"""An experiment in the graph: from files of runs and scores to every table, and only what changed again."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipeline.components import Experiment as Component
from pipeline.components.experiment_checks import of_table
from pipeline.components.experiment_tables import land_inbox
from pipeline.components.inbox import Landing
from pipeline.intake.executing import execute_pending
from pipeline.intake.experiments import LandedRuns
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import (
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_FILES,
    EXPERIMENT_INPUTS,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_QUARANTINE,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORES,
    EXPERIMENT_STAGES,
    EXPERIMENT_TABLES,
)
from pipeline_tests.experiment_graph import NAME, PROMPT, ExperimentGraph, asked, imported
from pipeline_tests.toy_graph import FILE, assert_same_tables, failed_checks, metadata, recomputed

ASSETS = ("catalog", *(spec.name for spec in EXPERIMENT_TABLES))
NOTHING = dict.fromkeys(ASSETS, 0)
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid"}
pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")


def answers(model: str, **right: bool) -> list[dict[str, Any]]:
    """What a model answered, by country: the capital or not."""
    return [
        asked(
            model,
            f"Capital of {country}?",
            output=CAPITALS[country] if is_right else "No idea",
            created_at="2024-05-01",
            completed_at="2024-05-01T00:00:01",
            cost=0.01,
        )
        for country, is_right in right.items()
    ]


SMALL = answers("small", France=True, Italy=False, Spain=False)
LARGE = answers("large", France=True, Italy=True, Spain=True)


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[ExperimentGraph]:
    """An experiment in an environment of its own; nothing has arrived yet."""
    with graph_in(tmp_path) as found:
        yield found


@contextmanager
def graph_in(folder: Path) -> Iterator[ExperimentGraph]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(folder))
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        settings.cache_clear()
        yield ExperimentGraph(folder)
    settings.cache_clear()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment whose tables are filled; do not write there."""
    folder = tmp_path_factory.mktemp("filled")
    with graph_in(folder) as found:
        found.bring(("runs", [*SMALL, *LARGE]))
    return folder


@pytest.fixture(scope="module")
def begun_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of ``begun``; do not write there."""
    folder = tmp_path_factory.mktemp("begun")
    with graph_in(folder) as found:
        found.bring(("runs", SMALL))
    return folder


@pytest.fixture
def begun(begun_folder: Path, graph: ExperimentGraph) -> ExperimentGraph:
    """An experiment of which the runs of the small model landed."""
    shutil.copytree(begun_folder, graph.folder, dirs_exist_ok=True)
    return graph


def ranks(graph: ExperimentGraph, grouping: str = "model") -> dict[str, Any]:
    rows = graph.table(EXPERIMENT_LEADERBOARD)
    ranked = rows[rows["grouping"] == grouping].set_index("contestant")
    return ranked["rank"].astype(object).where(ranked["rank"].notna(), None).to_dict()


def run_ids(graph: ExperimentGraph, status: str = "completed") -> dict[tuple[str, str], str]:
    """Runs by model and input."""
    runs = graph.table(EXPERIMENT_RUNS)
    runs = runs[runs["status"] == status]
    models = [json.loads(config)["model"] for config in runs["config"]]
    return dict(zip(zip(models, runs["input_id"], strict=True), runs["run_id"], strict=True))


def test_before_anything_ran_the_declared_runs_are_pending(graph: ExperimentGraph) -> None:
    graph.bring()

    assert graph.failing() == {}
    runs = graph.table(EXPERIMENT_RUNS)
    assert runs["status"].tolist() == ["pending"] * 6
    assert runs["created_at"].isna().all()
    assert ranks(graph) == {"small": None, "large": None}
    board = graph.table(EXPERIMENT_LEADERBOARD)
    assert set(board["status"]) == {"unranked: no_scored_runs"}
    assert graph.table(EXPERIMENT_PROMPTS)["template"].tolist() == [PROMPT]
    assert graph.table(EXPERIMENT_INPUTS)["reference"].tolist() == ['"Paris"', '"Rome"', '"Madrid"']


def test_files_become_every_table(graph: ExperimentGraph) -> None:
    stages = [{"stage": "ask", "sent": "In a word: ...", "tokens_in": 5, "started_at": "2024-05-01T00:00:00"}]
    result = graph.run(("runs", SMALL), ("runs", [*LARGE[:2], LARGE[2] | {"stages": stages}]))

    assert failed_checks(result) == {}
    assert set(graph.table(EXPERIMENT_RUNS)["status"]) == {"completed"}
    assert ranks(graph) == {"large": 1, "small": 2}
    board = graph.table(EXPERIMENT_LEADERBOARD).set_index("contestant")
    assert board.loc["small", "score"] == pytest.approx(1 / 3)
    assert board.loc["small", ["n_zero", "n_full", "total_cost"]].tolist() == [2, 1, 0.03]
    comparison = graph.table(EXPERIMENT_COMPARISONS).iloc[0]
    assert (comparison["wins"], comparison["ties"], comparison["losses"]) == (2, 1, 0)
    stage = graph.table(EXPERIMENT_STAGES).astype(object).iloc[0]
    assert (stage["number"], stage["stage"], stage["tokens_in"]) == (1, "ask", 5)
    assert not list((graph.folder / "inbox").rglob("*.jsonl"))
    ended = graph.table(EXPERIMENT_SCORES)["scored_at"]
    assert (ended == pd.Timestamp("2024-05-01T00:00:01")).all()


def test_running_again_changes_nothing_and_says_so(begun: ExperimentGraph) -> None:
    before = begun.tables()

    result = begun.run()
    begun.drop("runs", SMALL, "again.jsonl")
    repeated = begun.run()

    assert recomputed(result) == NOTHING == recomputed(repeated)
    assert metadata(repeated)["answers/files"]["podium/why"] == "0 files, 1 landed before"
    assert_same_tables(begun.tables(), before)


def test_what_runs_ask_is_worked_out_once_until_there_are_other_rows(graph: ExperimentGraph) -> None:
    graph.drop("runs", SMALL)
    with graph.open() as store:
        land_inbox(store, graph.declared, Landing())
        before = LandedRuns(store, graph.declared)
        numbered, asked_for = before.numbered(), before.asked()
        again = LandedRuns(store, graph.declared)
        assert again.numbered() is numbered
        assert again.asked() is asked_for

        inputs = [{"id": "paris", "variables": {"question": "Capital of France?"}}]
        renamed = LandedRuns(store, graph.redeclared(inputs=inputs).declared).asked()
        assert "paris" in set(renamed.by_config["input_id"])
        graph.drop("runs", LARGE, "more.jsonl")
        land_inbox(store, graph.declared, Landing())
        assert (len(numbered), len(again.numbered())) == (3, 6)
        assert len(again.asked().by_config) == 6


def test_one_more_file_becomes_a_new_board(begun: ExperimentGraph) -> None:
    result = begun.bring(("runs", LARGE))
    assert begun.failing() == {}
    assert ranks(begun) == {"large": 1, "small": 2}
    assert result.recomputed["prompts"] == 1  # asked, since files came; its rows are the same
    assert result.changed["prompts"] == 0


def test_rows_that_cannot_be_are_quarantined_and_the_board_is_made_without_them(graph: ExperimentGraph) -> None:
    graph.bring(("runs", [SMALL[0], SMALL[1] | {"cost": -1}, SMALL[2] | {"status": "odd"}]))

    assert graph.failing() == {}
    assert graph.table(EXPERIMENT_FILES)[["n_rows", "n_accepted", "n_rejected", "status"]].values.tolist() == [
        [3, 1, 2, "partly"]
    ]
    refused = graph.table(EXPERIMENT_QUARANTINE)
    assert refused["row_number"].tolist() == [2, 3]
    assert refused["reason"].tolist()[0] == "cost '-1.0' is below 0; leave it empty where it is unknown"
    assert json.loads(refused["original"].tolist()[0]) == SMALL[1] | {"cost": -1}


def test_people_rate_runs_and_their_agreement_is_told(begun: ExperimentGraph) -> None:
    rated = [
        {"run_id": run, "scorer": "stars", "rater": rater, "rating": rating}
        for run in run_ids(begun).values()
        for rater, rating in (("Ann", 5), ("Bob", 3))
    ]

    begun.bring(("scores", [*rated, {"run_id": "nobody", "scorer": "stars", "rater": "Ann", "rating": 1}]))

    assert begun.failing() == {}
    stars = begun.table(EXPERIMENT_SCORES).query("scorer == 'stars'")
    assert stars.groupby("rater")["value"].unique().map(list).to_dict() == {1: [1.0], 2: [0.5]}
    assert set(stars["rater_name"]) == {"Ann", "Bob"}
    assert begun.table(EXPERIMENT_QUARANTINE)["reason"].tolist() == [
        "run 'nobody' is not known; land the run first, or at the same time"
    ]
    board = begun.table(EXPERIMENT_RUN_BOARD).query("status == 'ranked'")
    assert sorted(board["score"]) == pytest.approx([0.25, 0.25, (2 * 1 + 0.75) / 3])
    assert set(begun.table(EXPERIMENT_AGREEMENT)["n_raters"]) == {2}


def test_runs_and_their_scores_may_come_together(begun: ExperimentGraph) -> None:
    runs = run_ids(begun)
    (begun.folder / FILE).unlink()
    rating = {"run_id": runs["small", "italy"], "scorer": "stars", "rater": "Ann", "rating": 5}

    begun.bring(("scores", [rating]))

    assert begun.failing() == {}
    assert begun.table(EXPERIMENT_QUARANTINE).empty
    assert "stars" in set(begun.table(EXPERIMENT_SCORES)["scorer"])


def test_the_newest_score_of_a_person_counts_whatever_came_first(begun: ExperimentGraph) -> None:
    given = {"run_id": run_ids(begun)["small", "france"], "scorer": "stars", "rater": "Ann"}
    late, early = ({"rating": 5, "scored_at": "2024-06-02"}, {"rating": 1, "scored_at": "2024-06-01"})

    begun.bring(("scores", [given | late]), ("scores", [given | early]))

    stars = begun.table(EXPERIMENT_SCORES).query("scorer == 'stars'").set_index("number")
    assert stars["value"].to_dict() == {1: 0.0, 2: 1.0}
    assert stars["is_latest"].to_dict() == {1: False, 2: True}


def test_a_run_that_comes_again_is_replaced_and_scored_anew(begun: ExperimentGraph) -> None:
    before = begun.table(EXPERIMENT_SCORES).set_index("run_id")["value"]
    begun.bring(("runs", [SMALL[1] | {"output": "Rome"}]))
    runs, after = run_ids(begun), begun.table(EXPERIMENT_SCORES).set_index("run_id")["value"]
    assert len(runs) == 3
    assert (before[runs["small", "italy"]], after[runs["small", "italy"]]) == (0.0, 1.0)
    assert after.drop(runs["small", "italy"]).equals(before.drop(runs["small", "italy"]))


def test_a_reference_that_is_corrected_scores_anew_what_it_was_for(begun: ExperimentGraph) -> None:
    inputs = [one.model_dump() for one in begun.declared.inputs]
    inputs[1] |= {"reference": "No idea"}
    changed = begun.redeclared(inputs=inputs)

    changed.bring()

    assert changed.failing() == {}
    scores = changed.table(EXPERIMENT_SCORES).set_index("run_id")["value"]
    assert scores[run_ids(changed)["small", "italy"]] == 1.0


def test_a_scorer_is_added_and_taken_away(begun: ExperimentGraph) -> None:
    more = begun.redeclared(scorers={"exact": {}, "near": {"scorer": "fuzzy"}}, min_scorers=None)
    more.bring()
    assert set(more.table(EXPERIMENT_SCORES)["scorer"]) == {"exact", "near"}
    fewer = begun.redeclared(scorers={"near": {"scorer": "fuzzy"}}, min_scorers=None)
    fewer.bring()
    assert set(fewer.table(EXPERIMENT_SCORES)["scorer"]) == {"near"}


def test_what_is_imported_needs_nothing_declared(graph: ExperimentGraph) -> None:
    graph = ExperimentGraph(graph.folder, imported(baseline={"model": "m"}))
    told = {"prompt": "InJulia", "input_id": "task", "speed": 0}

    graph.bring(("runs", [told | {"model": model} for model in ("m", "n", "m")]))

    assert graph.failing() == {}
    assert set(graph.table(EXPERIMENT_CONFIGURATIONS)["title"]) == {"InJulia@1 · m", "InJulia@1 · n"}
    assert graph.table(EXPERIMENT_INPUTS)[["input_id", "variables"]].values.tolist() == [["task", '"task"']]
    assert sorted(graph.table(EXPERIMENT_RUNS)["repeat"]) == [1, 1, 2]
    assert len(graph.table(EXPERIMENT_COMPARISONS)) == 1


def test_a_baseline_that_runs_do_not_have_yet_is_told_and_nothing_is_compared(graph: ExperimentGraph) -> None:
    graph = ExperimentGraph(graph.folder, imported(baseline={"model": "m"}))
    done = graph.bring(("runs", [{"prompt": "InJulia", "input_id": "task", "model": "n"}]))
    assert done.outcomes["configurations"].told["podium/baseline"].startswith("baseline fits 0 of 1")
    assert graph.table(EXPERIMENT_COMPARISONS).empty


def test_a_prompt_that_changes_needs_another_version(begun: ExperimentGraph) -> None:
    changed = begun.redeclared(prompts={"short": "Briefly: {{ question }}"})
    with pytest.raises(
        ValueError, match="prompt 'short' is another text than version '1' was; give it another version"
    ):
        changed.bring()
    prompts = {"short": {"template": "Briefly: {{ question }}", "version": "2"}}
    renewed = begun.redeclared(prompts=prompts)
    renewed.bring()
    assert renewed.failing() == {}
    assert begun.table(EXPERIMENT_PROMPTS)[["version", "is_declared"]].values.tolist() == [["1", False], ["2", True]]
    assert sorted(begun.table(EXPERIMENT_RUNS)["status"]) == ["completed"] * 3 + ["pending"] * 6


def test_inputs_of_a_file_are_read_and_its_changes_noticed(graph: ExperimentGraph) -> None:
    path = graph.folder / "inputs.jsonl"
    path.write_text('{"id": "france", "question": "Capital of France?", "reference": "Paris"}\n')
    graph = graph.redeclared(inputs=[], inputs_file="inputs.jsonl")
    graph.bring()
    assert graph.table(EXPERIMENT_RUNS)["input_id"].unique().tolist() == ["france"]
    with path.open("a") as file:
        file.write('{"id": "italy", "question": "Capital of Italy?", "reference": "Rome"}\n')
    graph.bring()
    assert sorted(graph.table(EXPERIMENT_RUNS)["input_id"].unique()) == ["france", "italy"]


def test_a_warehouse_that_was_lost_comes_back_as_it_was(graph: ExperimentGraph) -> None:
    graph.bring(("runs", SMALL), ("runs", LARGE[:1]))
    rating = {"run_id": run_ids(graph)["small", "italy"], "scorer": "stars", "rater": "Ann", "rating": 5}
    graph.bring(("scores", [rating]), ("runs", [SMALL[0] | {"output": "Lyon"}]))
    before = graph.tables()
    (graph.folder / FILE).unlink()

    graph.bring()

    assert graph.failing() == {}
    after = graph.tables()
    for tables in (before, after):
        tables["files"] = tables["files"].drop(columns="landed_at")
    assert_same_tables(after, before)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("DELETE FROM landing.run_rows WHERE row_number = 1", "files.rows_of_files_add_up"),
        ("UPDATE experiments.runs SET cost = -1", "runs.amounts_of_runs_are_not_negative"),
        ("UPDATE experiments.runs SET input_id = 'x'", "runs.runs_are_of_known_configurations_and_inputs"),
        ("UPDATE experiments.scores SET value = 2", "scores.scores_are_from_0_to_1"),
        ("UPDATE experiments.scores SET is_latest = false", "scores.scores_are_from_0_to_1"),
        ("DELETE FROM experiments.run_board WHERE position = 1", "run_board.board_has_every_run"),
        ("UPDATE experiments.run_board SET rank = 9 WHERE position = 1", "run_board.ranks_are_well_formed"),
        ("UPDATE experiments.leaderboard SET n_runs = 99", "leaderboard.board_agrees_with_runs"),
        ("UPDATE experiments.leaderboard SET rank_lo = 9 WHERE rank = 1", "leaderboard.ranks_are_well_formed"),
        ("UPDATE experiments.comparisons SET wins = 9", "comparisons.comparisons_are_of_known_configurations"),
    ],
)
def test_a_table_that_is_damaged_fails_its_check(filled: Path, tmp_path: Path, statement: str, check: str) -> None:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    table, name = check.split(".")
    (spec,) = [one for one in (EXPERIMENT_FILES, *EXPERIMENT_TABLES) if one.name == table]
    (held,) = [one for one in of_table(spec) if one.name == name]
    with ExperimentGraph(tmp_path).open() as store:
        assert held.run(store, NAME).passed
        store.connection.execute(statement)
        assert not held.run(store, NAME).passed


def test_a_check_that_fails_is_told_by_the_run(filled: Path, graph: ExperimentGraph) -> None:
    shutil.copytree(filled, graph.folder, dirs_exist_ok=True)
    with graph.open() as store:
        store.connection.execute("UPDATE experiments.runs SET cost = -1")
    assert "runs.amounts_of_runs_are_not_negative" in failed_checks(graph.run(raise_on_error=False))


def local(graph: ExperimentGraph, **changes: Any) -> ExperimentGraph:
    """The same with a model that answers here and now, out of what it is asked."""
    models = {"small": {"provider": "local", "parameters": {"answer": "span"}}}
    prompts = {"notes": "The capital of Italy is Rome. {{ question }}"}
    return graph.redeclared(models=models, prompts=prompts, execution={}, **changes)


def execute(graph: ExperimentGraph) -> None:
    """Run what waits, and land it, without Dagster."""
    execute_pending(graph.declared, settings())
    graph.bring()


def test_what_waits_is_run_and_lands_in_the_same_run(graph: ExperimentGraph) -> None:
    graph = local(graph)
    result = graph.run()

    assert failed_checks(result) == {}
    assert metadata(result)["answers/execution"]["podium/runs_completed"] == 3
    assert set(graph.table(EXPERIMENT_RUNS)["status"]) == {"completed"}
    scores = graph.table(EXPERIMENT_SCORES).set_index("run_id")["value"]
    assert scores[run_ids(graph)["small", "italy"]] == 1.0
    again = graph.run()
    assert metadata(again)["answers/execution"]["podium/runs_completed"] == 0
    assert recomputed(again) == NOTHING


def test_runs_without_a_provider_wait_and_what_to_set_is_told_while_files_land(graph: ExperimentGraph) -> None:
    graph = graph.redeclared(execution={})
    result = graph.run(("runs", SMALL))
    assert failed_checks(result) == {"execution.nothing_kept_runs_waiting": "WARN"}
    check = next(one for one in result.get_asset_check_evaluations() if one.check_name == "nothing_kept_runs_waiting")
    assert "PODIUM_PROVIDERS_OPENAI" in (check.description or "")
    assert sorted(graph.table(EXPERIMENT_RUNS)["status"]) == ["completed"] * 3 + ["pending"] * 3


def evaluated(graph: ExperimentGraph, name: str) -> dg.SensorResult | dg.SkipReason:
    sensor = next(one for one in graph.definitions.sensors or [] if one.name == name)
    context = dg.build_sensor_context(instance=graph.instance, definitions=graph.definitions)
    found = sensor(context)
    assert isinstance(found, dg.SensorResult | dg.SkipReason)
    return found


def test_the_sensor_asks_for_a_run_while_something_can_be_run(graph: ExperimentGraph) -> None:
    without = graph.redeclared(execution={})
    assert "PODIUM_PROVIDERS_OPENAI" in str(evaluated(without, "answers_pending"))
    graph = local(graph)
    asked_for = evaluated(graph, "answers_pending")
    assert isinstance(asked_for, dg.SensorResult)
    assert len(asked_for.run_requests or []) == 1
    execute(graph)
    assert isinstance(evaluated(graph, "answers_pending"), dg.SkipReason)


def test_at_every_tick_of_its_schedule_each_configuration_is_asked_once_more(graph: ExperimentGraph) -> None:
    graph = local(graph, recurring="0 6 * * *")
    execute(graph)
    schedule = next(one for one in graph.definitions.schedules or [] if one.name == "answers_recurring")
    assert schedule.cron_schedule == "0 6 * * *"
    schedule.evaluate_tick(dg.build_schedule_context(instance=graph.instance))
    execute(graph)
    assert sorted(graph.table(EXPERIMENT_RUNS)["repeat"]) == [1, 1, 1, 2, 2, 2]
    assert set(graph.table(EXPERIMENT_RUNS)["status"]) == {"completed"}


def test_a_declared_experiment_becomes_its_assets_its_job_its_schedule_and_its_sensors() -> None:
    attributes = {"name": "answers", "title": "Answers", "scorers": {"exact": {}}, "schedule": "0 5 * * *"}
    declared = {"type": "pipeline.components.Experiment", "attributes": attributes}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=Component, defs_path="answers", defs_yaml_contents=declared)
        with sandbox.load_component_and_build_defs(defs_path=path) as (component, definitions):
            assert isinstance(component, Component)
            keys = {key.to_user_string() for asset in definitions.assets or [] for key in asset.keys}
            assert keys == {f"answers/{name}" for name in (*ASSETS, "files", "execution")}
            assert [one.name for one in definitions.schedules or []] == ["answers_schedule"]
            assert {one.name for one in definitions.sensors or []} == {
                *("answers_first_run", "answers_inbox", "answers_pending")
            }
