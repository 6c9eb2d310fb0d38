"""Experiments in the command: run without a network, listed, cancelled, shown."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from pipeline.components import trees
from pipeline.settings import settings
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.experiments.running.endpoint import Answer, Endpoint, chat, failing

TEXT = "The Loire is the longest river of France. Mont Blanc is the highest mountain of France."
DECLARED = {
    "name": "extracts",
    "title": "Answers out of a text",
    "prompts": {"plain": "{{ text }}\n\n{{ question }}"},
    "models": {"words": {"provider": "local"}},
    "parameters": {"grid": {"answer": ["sentences", "span"]}},
    "inputs": [
        {"id": "river", "variables": {"text": TEXT, "question": "Which river is the longest?"}, "reference": "Loire"},
        {
            "id": "mountain",
            "variables": {"text": TEXT, "question": "Which mountain of France is the highest?"},
            "reference": "Mont Blanc",
        },
    ],
    "scorers": ["exact"],
}


def declare(folder: Path, **changes: object) -> None:
    """Declare the experiment in a folder of one's own, which the next command reads anew."""
    place = folder / "extracts"
    place.mkdir(parents=True, exist_ok=True)
    declared = {"type": "pipeline.components.Experiment", "attributes": DECLARED | changes}
    (place / "defs.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    trees.own_tree.cache_clear()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[Path]:
    """A data folder in which the experiment was run once."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DEFS_DIR", str(folder / "boards"))
        patch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
        declare(folder / "boards")
        yield folder
    trees.own_tree.cache_clear()
    settings.cache_clear()


@pytest.fixture(scope="module")
def first_run(data: Path) -> command.Outcome:
    return command.podium("experiments", "run", "extracts", data_dir=data)


@pytest.fixture
def after_run(first_run: command.Outcome, data: Path) -> Podium:
    assert first_run.code == 0, first_run
    return partial(command.podium, data_dir=data)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own boards, empty so far."""
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path / "boards"))
    (tmp_path / "boards").mkdir()
    yield tmp_path / "boards"
    trees.own_tree.cache_clear()


def test_a_run_executes_lands_and_ranks(first_run, after_run) -> None:
    assert "extracts/execution" in first_run.out
    assert "4 completed; $0 of 1 spent" in first_run.out
    found = after_run("experiments", "board", "extracts", "--json").json
    scores = {one["row"]["title"]: one["row"]["score"] for one in found["rows"]}
    assert scores == {'plain@1 · words · answer="span"': 1.0, 'plain@1 · words · answer="sentences"': 0.0}


def test_a_second_run_has_nothing_to_do(after_run) -> None:
    again = after_run("experiments", "run", "extracts", "--json")
    assert again.json["completed"] == 0
    assert again.json["files"] == []


def test_the_list_tells_how_each_stands(after_run) -> None:
    (state,) = after_run("experiments", "extracts", "--json").json
    assert state["runs"] == {"pending": 0, "running": 0, "completed": 4, "failed": 0, "cancelled": 0}
    assert (state["spent"], state["ceiling"], state["why"]) == (0.0, 1.0, [])
    header, row = after_run("experiments", "extracts").table
    assert row[:4] == ["extracts", "0", "0", "4"]
    assert "$0 of 1" in row[header.index("spent")]


@pytest.mark.parametrize(("by", "first"), [("model", "words"), ("prompt", "plain@1"), ("run", None)])
def test_a_board_is_shown_by_whatever_is_asked(after_run, by, first) -> None:
    shown = after_run("experiments", "board", "extracts", "--by", by)
    assert shown.code == 0
    assert first is None or first in shown.out
    assert len(after_run("experiments", "board", "extracts", "--by", by, "--top", "1", "--json").json["rows"]) == 1


def test_runs_are_listed_with_what_came_of_them(after_run) -> None:
    found = after_run("experiments", "runs", "extracts", "--json").json
    assert found["total"] == 4
    assert {one["output"] for one in found["runs"]} >= {"Loire", "Mont Blanc"}
    scored = sorted((one["parameters"]["answer"], one["score"]) for one in found["runs"])
    assert scored == [("sentences", 0.0)] * 2 + [("span", 1.0)] * 2
    assert 'answer="span"' in after_run("experiments", "runs", "extracts").out
    assert after_run("experiments", "runs", "extracts", "--status", "failed", "--json").json["total"] == 0
    assert "2 of 4 runs" in after_run("experiments", "runs", "extracts", "--limit", "2").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "experiments are declared: extracts, "),
        (["run", "nobody"], "no experiment 'nobody' is declared; known: extracts, "),
        (["runs", "--status", "done"], "--status 'done'; known: pending, running, completed, failed, cancelled"),
        (["board", "--by", "colour"], "--by 'colour'; known: run, configuration, model, prompt"),
        (["board", "sp500"], "'sp500'"),
        (["cancel", "extracts", "no-such-run"], "experiment 'extracts' has no run 'no-such-run' that waits or runs"),
    ],
)
def test_what_cannot_be_done_is_one_line(after_run, arguments, said) -> None:
    assert said in error(after_run("experiments", *arguments), 2)


def test_what_waits_is_listed_with_its_remedy_and_can_be_cancelled(own, podium) -> None:
    declare(own, models=["small"], baseline=None)
    (state,) = podium("experiments", "extracts", "--json").json
    assert (state["runs"]["pending"], state["ready"]) == (4, 0)
    assert "set PODIUM_PROVIDERS_OPENAI" in state["why"][0]
    assert "set PODIUM_PROVIDERS_OPENAI" in podium("experiments", "extracts").out
    waiting = podium("experiments", "runs", "extracts", "--status", "pending", "--json").json["runs"]
    assert len(waiting) == 4
    assert podium("experiments", "cancel", "extracts", waiting[0]["run_id"], "--json").json["cancelled"] == 1
    assert podium("experiments", "cancel", "extracts", "--json").json["cancelled"] == 3
    assert podium("experiments", "retry", "extracts", "--cancelled", "--json").json["waiting_again"] == 4


def test_a_damaged_queue_is_one_line_with_a_remedy_and_hides_no_other(own, podium, tmp_path, monkeypatch) -> None:
    declare(own)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "extracts.sqlite").write_text("nonsense")
    assert "extracts.sqlite is no queue" in error(podium("experiments", "extracts"), 2)
    everything = podium("experiments", "--json")
    assert everything.code == 0
    assert "extracts" not in [one["experiment"] for one in everything.json]
    assert "extracts.sqlite is no queue" in everything.err
    assert everything.err.rstrip().endswith("'extracts' left out")
    monkeypatch.setenv("PODIUM_LOG", "json")
    (told,) = map(json.loads, podium("experiments").err.splitlines())
    assert told["level"] == "WARNING"
    assert told["message"].endswith("'extracts' left out")


def test_a_process_that_is_terminated_leaves_nothing_running(own, tmp_path, monkeypatch) -> None:
    gate = threading.Event()
    with Endpoint(lambda asked: Answer(chat("Loire").body, gate=gate)) as endpoint:
        declare(own, models=["small"], execution={"max_cost": None, "concurrency": 2})
        monkeypatch.setenv("PODIUM_PROVIDERS_OPENAI", endpoint.address)
        monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
        process = subprocess.Popen(
            [sys.executable, "-c", "from pipeline.cli import main; main()", "experiments", "run", "extracts"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(endpoint.asked) < 2 and process.poll() is None:
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGTERM)
        gate.set()
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert "stopped; what ended is in the inbox" in said
    state = command.podium("experiments", "extracts", "--json", data_dir=tmp_path).json[0]
    assert state["runs"] == {"pending": 2, "running": 0, "completed": 2, "failed": 0, "cancelled": 0}
    assert len(list((tmp_path / "inbox" / "extracts" / "runs").iterdir())) == 1


def test_failures_are_shown_in_words_and_can_be_retried(own, podium, monkeypatch) -> None:
    from pipeline.intake.executing import execute_pending

    declare(own, models=["small"], execution={"max_cost": None, "tries": 1})
    with Endpoint([failing(401, "no such key")]) as endpoint:
        monkeypatch.setenv("PODIUM_PROVIDERS_OPENAI", endpoint.address)
        (state,) = podium("experiments", "extracts", "--json").json
        assert state["ready"] == 4
        from pipeline.cli.experiments_declared import declared_experiment

        settings.cache_clear()
        monkeypatch.setenv("PODIUM_DATA_DIR", str(own.parent))
        execute_pending(declared_experiment("extracts"), settings())
    rows = podium("experiments", "runs", "extracts", "--status", "failed", "--json").json["runs"]
    assert {one["error"] for one in rows} == {"denied: it answered with status 401; check its key"}
    assert podium("experiments", "retry", "extracts", "--json").json["waiting_again"] == 4


def test_a_line_of_recurring_that_is_no_cron_line_is_told_before_anything_is_run(own: Path, podium: Podium) -> None:
    declare(own, recurring="every monday")
    said = error(podium("experiments", "run", "extracts"), 2)
    assert "recurring 'every monday' is no cron line; write one such as '0 22 * * 5'" in said


def test_one_that_was_posted_is_run_landed_and_ranked_too(after_run, data) -> None:
    path = data / "experiments" / "declared" / "posted.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(DECLARED | {"name": "posted", "title": "Posted"}), encoding="utf-8")
    try:
        early = after_run("experiments", "board", "posted")
        assert "`podium experiments run posted` runs, lands and publishes it" in error(early, 2)
        assert after_run("experiments", "run", "posted", "--json").json["completed"] == 4
        rows = after_run("experiments", "board", "posted", "--json").json["rows"]
        assert [one["row"]["score"] for one in rows] == [1.0, 0.0]
    finally:
        path.unlink()


def test_one_posted_declaration_that_is_broken_is_named_and_hinders_no_other(after_run, data) -> None:
    path = data / "experiments" / "declared" / "broken.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"name": "broken", "title": "Broken", "scorers": {"exact": {"weight": -1}}}')
    try:
        listed = after_run("experiments", "--json")
        names = {one["experiment"] for one in listed.json}
        assert "extracts" in names
        assert "broken" not in names
        assert f"{path}: " in listed.err
        assert "'broken' left out" in listed.err
        assert str(path) in error(after_run("experiments", "runs", "broken"), 2)
    finally:
        path.unlink()
