"""The ``podium`` command run in this process, and how tests look at what it did."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.settings import PROJECT_ROOT, settings


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; what JSON does not have (NaN, Infinity) is an error."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)

    @property
    def table(self) -> list[list[str]]:
        """The cells of the printed table, its header first."""
        rows = [line for line in self.out.splitlines() if line.startswith(("┃", "│"))]
        return [[cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")] for line in rows]


Podium = Callable[..., Outcome]


def podium(*arguments: str, data_dir: Path, home: str = "", stdin: str = "") -> Outcome:
    """Run a command as its script does; the environment and the working folder are put back afterwards."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(data_dir))
        patch.setenv(
            "PODIUM_DBT_PROJECT_DIR", os.environ.get("PODIUM_DBT_PROJECT_DIR", str(PROJECT_ROOT / "dbt_project"))
        )
        patch.setenv("DAGSTER_HOME", home)
        patch.setattr(sys, "argv", ["podium", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.chdir(Path.cwd())
        settings.cache_clear()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main()
        except SystemExit as ended:
            code = ended.code or 0
    settings.cache_clear()
    return Outcome(int(code), out.getvalue(), err.getvalue())


def error(outcome: Outcome, code: int) -> str:
    """The message of a command that failed as it should: by its exit code, with one line and nothing else."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("podium: ")
    assert outcome.err.count("\n") == 1
    return outcome.err.removeprefix("podium: ").removesuffix("\n")
