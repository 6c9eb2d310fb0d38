"""Exit codes: every known error has one and is one line; anything else is a bug and shows its traceback."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import leaderboard
from pipeline.cli.app import app
from pipeline.cli.errors import DifferentError, Exit, InputError, RunFailedError, exit_code
from pipeline.reports.queries import UnknownBoardError
from pipeline.warehouse import WarehouseBusyError, WarehouseVersionError
from pipeline.warehouse.published import NotPublishedError
from pipeline_tests.cli.command import Podium, error


def test_exit_codes_are_those_that_scripts_rely_on() -> None:
    assert {code.name: code.value for code in Exit} == {
        "DONE": 0,
        "RUN_FAILED": 1,
        "WRONG_INPUT": 2,
        "BUSY": 3,
        "NOT_PUBLISHED": 4,
        "DIFFERENT": 5,
        "STOPPED": 130,
    }


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RunFailedError, 1),
        (InputError, 2),
        (UnknownBoardError, 2),
        (WarehouseVersionError, 2),
        (WarehouseBusyError, 3),
        (NotPublishedError, 4),
        (DifferentError, 5),
        (FileNotFoundError, None),
        (ValueError, None),
        (LookupError, None),
        (RuntimeError, None),
    ],
)
def test_every_known_error_has_its_code_and_no_other(kind: type[Exception], code: int | None) -> None:
    assert exit_code(kind("message")) == code


def test_a_message_of_several_lines_is_printed_as_one(boards: Podium, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("first line\n  second line")

    monkeypatch.setattr(leaderboard, "board", refuse)
    assert error(boards("leaderboard", "weekly"), 2) == "first line second line"


@pytest.mark.parametrize("bug", [ZeroDivisionError("bug"), FileNotFoundError(2, "No such file", "elsewhere")])
def test_a_bug_is_not_caught(boards: Podium, monkeypatch: pytest.MonkeyPatch, bug: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise bug

    monkeypatch.setattr(leaderboard, "board", fail)
    with pytest.raises(type(bug)):
        boards("leaderboard", "weekly")


def test_a_process_ends_with_the_code_and_without_a_traceback(boards_dir: Path) -> None:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "leaderboard", "nope"]
    environment = os.environ | {"PODIUM_DATA_DIR": str(boards_dir)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "podium: no board 'nope' is published; known: blend, sp500, weekly\n"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PODIUM_THREADS", "many", "PODIUM_THREADS='many' cannot be used: Input should be a valid integer"),
        ("PODIUM_LOCK_TIMEOUT", "-1", "PODIUM_LOCK_TIMEOUT='-1' cannot be used: Input should be greater than"),
        ("PODIUM_LOCK_TIMEOUT", "inf", "PODIUM_LOCK_TIMEOUT='inf' cannot be used: Input should be"),
        (
            "PODIUM_MEMORY_LIMIT",
            "lots",
            "PODIUM_MEMORY_LIMIT='lots' cannot be used: write a number and its unit (MB, GB, TB, MiB, ...), 64MB at "
            "least (Memory that DuckDB may use, such as 512MB or 4GiB; 4GB by default)",
        ),
        ("PODIUM_DOTTED_PATH_PACKAGES", "pipeline", 'error parsing value for field "dotted_path_packages"'),
    ],
)
def test_a_wrong_setting_is_named(
    boards: Podium, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert error(boards("sql", "SELECT 1"), 2).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["leaderboard"], "missing argument 'name'; see podium leaderboard --help"),
        (["leaderboard", "weekly", "--quick"], "no such option: --quick; see podium leaderboard --help"),
        (["leaderboard", "weekly", "--limit", "0"], "invalid value for '--limit'"),
        (["sql", "SELECT 1", "--limit", "many"], "invalid value for '--limit'"),
        (["dev", "--port", "70000"], "invalid value for '--port'"),
        (["nonsense"], "no such command 'nonsense'; see podium --help"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(boards: Podium, arguments: list[str], message: str) -> None:
    assert error(boards(*arguments), 2).startswith(message)


def test_without_a_command_the_help_is_shown(boards: Podium) -> None:
    outcome = boards()
    assert (outcome.code, outcome.err) == (2, "")
    assert "leaderboard" in outcome.out


def test_the_version_is_that_of_the_package(boards: Podium) -> None:
    assert boards("--version").out == f"podium {version('podium')}\n"


def test_a_variable_that_is_no_setting_is_one_line_and_nothing_else(
    boards: Podium, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DATADIR", "/nowhere")
    outcome = boards("sql", "SELECT 1 AS one", "--json")
    assert (outcome.code, outcome.json) == (0, [{"one": 1}])
    assert outcome.err == "podium: PODIUM_DATADIR is no setting and changes nothing; did you mean PODIUM_DATA_DIR?\n"


def test_help_lists_commands_and_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for shown in ("run", "dev", "leaderboard", "sql", "3 warehouse busy", "4 nothing published yet"):
        assert shown in result.stdout
