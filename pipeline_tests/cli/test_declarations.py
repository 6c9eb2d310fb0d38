"""A declaration that cannot be read is one line that names its file; Dagster's own errors about these name none."""

from pathlib import Path

import dagster as dg
import pytest

import pipeline.definitions
from pipeline.cli import declarations
from pipeline.cli.declarations import problems_in
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium

GOOD = "type: pipeline.components.Competition\nattributes:\n  name: tiny\n"


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "tiny" / "defs.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    found = problems_in(folder)
    assert all(problem.startswith(f"{path}: ") for problem in found)
    return [problem.removeprefix(f"{path}: ") for problem in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("  name", "\tname"), "no YAML in line 3, column 1: found character '\\t' that cannot start any"),
        ("attributes: {", "no YAML in line 1, column 14: expected the node content"),
        ("\x01", "no YAML: unacceptable character #x0001"),
        ("", "it is empty; begin with type: pipeline.components.Competition, or remove the file"),
        ("# nothing yet\n", "it is empty; begin with type: pipeline.components.Competition, or remove the file"),
        ("- tiny\n", "it holds no fields but ['tiny']; begin with type: pipeline.components.Competition"),
        ("attributes: {name: tiny}\n", "it has no type; begin with type: pipeline.components.Competition"),
        (GOOD.replace("Competition", "Contest"), "unknown type 'pipeline.components.Contest'; a board's is pipeline."),
        (
            GOOD.replace("pipeline.", "pipelin."),
            "unknown type 'pipelin.components.Competition'; a board's is pipeline.",
        ),
        (GOOD.replace("pipeline.components.", ""), "unknown type 'Competition'; a board's is pipeline."),
        (f"{GOOD}title: Tiny\n", "unknown field 'title'; known: type, attributes"),
        (f"{GOOD}---\n{GOOD}", "it declares 'tiny' more than once; keep one"),
    ],
)
def test_a_file_that_is_no_declaration_is_named_with_what_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(message)


def test_a_declaration_that_can_be_read_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


def test_the_projects_own_declarations_have_no_problem() -> None:
    assert problems_in(PROJECT_ROOT / "pipeline" / "defs") == []


def test_podium_run_says_so_in_one_line(podium: Podium, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def defs() -> dg.Definitions:
        raise RuntimeError("Invariant failed. Description: No components found in YAML file")

    defs_dir = tmp_path / "defs"
    (defs_dir / "tiny").mkdir(parents=True)
    (defs_dir / "tiny" / "defs.yaml").touch()
    monkeypatch.setattr(declarations, "_DEFS", defs_dir)
    monkeypatch.setattr(pipeline.definitions, "defs", defs)
    outcome = podium("run", "tiny", "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"podium: {defs_dir}/tiny/defs.yaml: it is empty; begin with type: pipeline.components.Competition, or remove "
        f"the file\n"
    )
