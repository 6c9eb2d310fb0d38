"""What the README says to do works, word by word, as a stranger would do it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline_tests.conftest import copy_dbt_project

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_competition_of_ones_own_is_declared_checked_submitted_run_and_shown(tmp_path: Path) -> None:
    (walk,) = re.findall(r"<!-- walk -->\n```sh\n(.*?)```", README, re.DOTALL)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(PROJECT_ROOT / "data" / "sample")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DAGSTER_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PODIUM_DATA_DIR": str(tmp_path / "data"),
        "PODIUM_DBT_PROJECT_DIR": str(copy_dbt_project(tmp_path / "dbt_project")),
    }

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", walk],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

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


def test_evaluation_files_are_shown_verified_converted_filtered_merged_and_compared(tmp_path: Path) -> None:
    (walk,) = re.findall(r"<!-- board -->\n```sh\n(.*?)```", README, re.DOTALL)
    shutil.copytree(PROJECT_ROOT / "data" / "sample", tmp_path / "data" / "sample")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", walk.replace("/tmp/", f"{tmp_path}/")],
        cwd=tmp_path,
        env=environment,
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
