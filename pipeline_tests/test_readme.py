"""What the README says to do works, word by word, as a stranger would do it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from pipeline.competition import Contract
from pipeline.competition.ensembles import EnsembleConfig
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.competition.scoring import RULES
from pipeline.declaration import BoardDeclaration
from pipeline.experiments import Experiment
from pipeline.judging import BoardFiles, Track
from pipeline.judging.declaration import ComparisonsSpec, CorrelationsSpec, MeasureMeaning
from pipeline.rankings.declaration import Rankings
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.preloaded import DBT_COMMAND, Preloaded

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
METRICS = (PROJECT_ROOT / "pipeline" / "docs" / "metrics.md").read_text(encoding="utf-8")
RANKINGS = (PROJECT_ROOT / "pipeline" / "docs" / "rankings.md").read_text(encoding="utf-8")
EVALUATIONS = (PROJECT_ROOT / "pipeline" / "docs" / "evaluations.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def commands(dbt_command: Preloaded) -> Iterator[dict[str, str]]:
    """An environment whose ``podium`` and whose dbt have done their imports."""
    with Preloaded("podium") as podium:
        folder = podium.start().parent
        yield {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", DBT_COMMAND: str(dbt_command.start())}


def walked(name: str, folder: Path, dbt_dir: Path, commands: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What a walk through the README does in a fresh clone."""
    (walk,) = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    (folder / "data").mkdir()
    (folder / "data" / "sample").symlink_to(PROJECT_ROOT / "data" / "sample")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DAGSTER_"))}
    environment |= commands | {
        "PODIUM_DATA_DIR": str(folder / "data"),
        "PODIUM_DBT_PROJECT_DIR": str(dbt_dir),
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", walk],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_bundled_experiment_is_run_ranked_and_asked_in_sql(
    tmp_path: Path, dbt_dir: Path, commands: dict[str, str]
) -> None:
    done = walked("experiment walk", tmp_path, dbt_dir, commands)

    assert (done.returncode, done.stderr) == (0, "")
    assert "72 completed, 0 failed" in done.stdout
    assert "Maren Holt" in done.stdout


def test_the_experiment_of_the_readme_is_valid() -> None:
    (declared,) = re.findall(r"```yaml\n(type: pipeline.components.Experiment\n.*?)```", README, re.DOTALL)
    experiment = Experiment.model_validate(yaml.safe_load(declared)["attributes"])
    assert len(experiment.configurations) == 8
    assert experiment.baseline_of(experiment.configurations) == experiment.configurations[0].id


@pytest.mark.slow
def test_a_competition_of_ones_own_is_declared_checked_submitted_run_and_shown(
    tmp_path: Path, dbt_dir: Path, commands: dict[str, str]
) -> None:
    done = walked("walk", tmp_path, dbt_dir, commands)

    assert (done.returncode, done.stderr) == (0, "")
    assert "predictions: 384 rows: 384 accepted, 0 rejected" in done.stdout
    board = [line.split() for line in done.stdout.splitlines() if line.strip().startswith(("1 ", "2 ", "3 ", "│"))]
    ranked = [row for row in board if {"anna", "björn", "coin"} & set(row)]
    assert [next(word for word in row if word in ("anna", "björn", "coin")) for row in ranked] == [
        "anna",
        "björn",
        "coin",
    ]
    assert re.search(r"league\s+late", done.stdout)


@pytest.mark.slow
def test_a_judged_track_of_ones_own_is_evaluated_declared_dropped_run_and_asked(
    tmp_path: Path, dbt_dir: Path, commands: dict[str, str]
) -> None:
    done = walked("forest", tmp_path, dbt_dir, commands)

    assert (done.returncode, done.stderr) == (0, "")
    evaluated, run = done.stdout.split("forest/catalog", 1)
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in evaluated.splitlines() if "│" in line]
    assert [(row[0], row[3]) for row in rows] == [
        ("hasty.csv", "SCORE"),
        ("keen.jsonl", "GRADE"),
        ("keen.jsonl", "COST"),
    ]
    kendall = {row[3]: float(row[4]) for row in rows}
    assert kendall["SCORE"] < 0.3 < 0.8 < kendall["GRADE"]
    official, judged = (
        re.findall(r"│ +\d │ +[\d–-]+ │ (\w+) ", part) for part in run.split("hasty board by SCORE, 15 topics")
    )
    assert official == ["aspen", "birch", "cedar", "elm", "larch", "rowan"]
    assert judged[0] == "cedar"
    asked = re.findall(r"│ (hasty|keen) +│ kendall +│ +(-?[\d.]+) ", judged_part := run.rpartition("hasty board")[2])
    assert {judge: float(value) for judge, value in asked} == pytest.approx(
        {"hasty": kendall["SCORE"], "keen": kendall["GRADE"]}, abs=5e-4
    )
    assert re.search(r"│ aspen +│ rowan +│", judged_part)


def test_evaluation_files_are_shown_verified_converted_filtered_merged_and_compared(
    tmp_path: Path, commands: dict[str, str]
) -> None:
    (walk,) = re.findall(r"<!-- board -->\n```sh\n(.*?)```", README, re.DOTALL)
    shutil.copytree(PROJECT_ROOT / "data" / "sample", tmp_path / "data" / "sample")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", walk.replace("/tmp/", f"{tmp_path}/")],
        cwd=tmp_path,
        env=os.environ | commands,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    runs = re.findall(r"│ +\d │ (\w+) ", done.stdout)
    assert runs == ["alpha", "beta", "gamma", "beta", "alpha", "gamma", "alpha", "beta", "gamma"]
    assert "run 'beta' lacks topic '304'" in done.stdout
    assert "exit code 2: something is wrong" in done.stdout
    assert (tmp_path / "task.csv").read_text().startswith("run_id,topic_id,")
    assert len((tmp_path / "best.tot").read_text().splitlines()) == 2 * (2 * 5 + 6)
    assert re.findall(r"│ [abc] │ (\w+) +│ (\d\.\d{4})", done.stdout)[0] == ("beta", "0.4478")
    assert "judge.tot: 3 runs and 6 topics on both boards" in done.stdout


def test_the_command_that_is_installed_says_the_same(commands: dict[str, str]) -> None:
    sample = PROJECT_ROOT / "data" / "sample" / "evaluation"
    places = (str(Path(sys.executable).parent), commands["PATH"].partition(os.pathsep)[0])
    installed, imported = (
        subprocess.run([f"{place}/podium", "board", "show", str(sample)], capture_output=True, text=True, check=True)
        for place in places
    )
    assert "alpha" in installed.stdout
    assert installed.stdout == imported.stdout


def test_the_python_that_the_readme_shows_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(from pipeline\.leaderboard .*?)```", README, re.DOTALL)
    monkeypatch.chdir(PROJECT_ROOT)
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["judged"].aggregates("GRADE").tolist() == [0.4]
    assert names["official"].run_ids == ("alpha", "beta", "gamma")


def test_the_settings_that_the_readme_names_are_all_there_are() -> None:
    from pipeline.settings import Settings

    named = set(re.findall(r"`(PODIUM_[A-Z_]+)`", README))
    assert named == {f"PODIUM_{name.upper()}" for name in Settings.model_fields}


def test_every_command_is_in_the_readme() -> None:
    from pipeline.cli.app import app

    commands = {entry.name for entry in (*app.registered_commands, *app.registered_groups)}
    assert commands == set(re.findall(r"^\| `podium (\w+)", README, re.MULTILINE))


def test_the_fields_that_the_readme_names_are_all_that_a_competition_has() -> None:
    of_ensembles = {name for name in _fields(Contract) if name.startswith("ensembles.")}
    ending = {name for name in _named_fields(README) if name.startswith("….")}
    fields = {_as_written(name, ending) for name in set(_fields(Contract)) - of_ensembles}
    assert _named_fields(README) == fields | {"ensembles"}


def test_the_fields_that_the_page_on_ensembles_names_are_all_that_an_ensemble_has() -> None:
    assert _named_fields(METRICS) == set(_fields(EnsembleConfig))


def test_the_evaluation_sets_that_the_page_declares_can_be_declared() -> None:
    (declared,) = re.findall(r"<!-- evaluations -->\n```yaml\n(.*?)```", EVALUATIONS, re.DOTALL)
    season, recent = (EvaluationSpec.model_validate(one) for one in yaml.safe_load(declared)["evaluations"])
    assert (season.min_submitted, recent.cycles.last) == (0.75, 5)


def test_the_fields_that_the_page_on_evaluation_sets_names_are_all_that_one_has() -> None:
    assert _named_fields(EVALUATIONS) == set(EvaluationSpec.model_fields)


def test_the_fields_that_the_page_on_rankings_names_are_all_that_one_has() -> None:
    assert _named_fields(RANKINGS) == set(Rankings.model_fields) - set(BoardDeclaration.model_fields)


def test_the_track_that_the_readme_declares_can_be_declared() -> None:
    (declared,) = re.findall(r"<!-- track -->\n```yaml\n(.*?)```", README, re.DOTALL)
    content = yaml.safe_load(declared)
    assert content["type"] == "pipeline.components.JudgedTrack"
    assert list(Track.model_validate(content["attributes"]).boards) == ["official", "umbrela", "other_tool"]


def test_the_attributes_that_the_readme_names_are_all_that_a_track_has() -> None:
    (table,) = re.findall(r"^\| attribute \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    named = set()
    for row in table.splitlines():
        fields, said = row.split("|")[1:3]
        parts = re.findall(r"`(\w+)`", said)
        for field in re.findall(r"`([\w.<>]+)`", fields):
            named |= {field.partition(".")[0]} | {f"{field.partition('.')[0]}.{part}" for part in parts}
    of_boards = set(Track.model_fields) - {"name", "title", "description", "schedule"}
    assert of_boards <= named
    for field, model in (
        ("official", BoardFiles),
        ("meanings", MeasureMeaning),
        ("correlations", CorrelationsSpec),
        ("comparisons", ComparisonsSpec),
    ):
        assert {f"{field}.{name}" for name in model.model_fields} <= named


def test_the_scoring_rules_that_the_readme_names_are_all_that_a_contest_can_have() -> None:
    (told,) = re.findall(r"^\| `scoring.rule` \|(.*)\|$", README, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", told)) == {rule.name for rule in RULES if "value" in rule.output_types}


def _named_fields(page: str) -> set[str]:
    """What the first column of the table of fields names."""
    (table,) = re.findall(r"^\| field \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    return {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def _as_written(field: str, endings: set[str]) -> str:
    """A field that several parts have is written once: ``….files``."""
    ending = f"….{field.rpartition('.')[2]}"
    return ending if ending in endings and "." in field else field


def _fields(model: type[BaseModel]) -> Iterator[str]:
    """The dotted names of what a declaration may say; ``*`` is a name that its author chooses."""
    for name, field in model.model_fields.items():
        parts = [part for part in _types(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        prefix = f"{name}.*" if dict in _types(field.annotation) else name
        yield from [f"{prefix}.{inner}" for part in parts for inner in _fields(part)] or [name]


def _types(annotation: Any) -> list[Any]:
    """A type and all that it is made of."""
    origin = getattr(annotation, "__origin__", None)
    return [annotation, origin, *(part for one in get_args(annotation) for part in _types(one))]
