"""A command whose imports are done ends, speaks and looks where it is as the command itself does."""

import os
import subprocess
from pathlib import Path

from pipeline_tests.preloaded import Preloaded


def called(command: Preloaded, *arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command.start(), *arguments],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_exit_code_and_its_streams_are_those_of_the_command(dbt_command: Preloaded, tmp_path: Path) -> None:
    refused = called(dbt_command, "nonsense", folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Usage: dbt [OPTIONS]" in refused.stderr
    assert "No such command 'nonsense'" in refused.stderr
    helped = called(dbt_command, "--help", folder=tmp_path)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "Usage: dbt [OPTIONS]" in helped.stdout


def test_its_folder_and_its_environment_are_those_of_who_calls(dbt_command: Preloaded, tmp_path: Path) -> None:
    parse = ("parse", "--project-dir", ".", "--profiles-dir", ".")
    nowhere = called(dbt_command, *parse, folder=tmp_path, DBT_LOG_PATH="logs of a test")
    assert nowhere.returncode != 0
    assert "No dbt_project.yml found" in nowhere.stdout
    assert (tmp_path / "logs of a test" / "dbt.log").exists()
