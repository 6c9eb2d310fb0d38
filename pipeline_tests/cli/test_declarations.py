"""A declaration that cannot be read is one line that names its file; Dagster's own errors about these name none.

Commands about other boards go on without it.
"""

from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import pytest

import pipeline.definitions
from pipeline.cli import mistakes
from pipeline.cli.declarations import load_job
from pipeline.cli.mistakes import problems_in
from pipeline.competition.metrics import METRICS
from pipeline.components import publishing
from pipeline.settings import PROJECT_ROOT, settings
from pipeline_tests.cli import league
from pipeline_tests.cli.command import Podium, error

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
    monkeypatch.setattr(mistakes, "_DEFS", defs_dir)
    monkeypatch.setattr(pipeline.definitions, "defs", defs)
    outcome = podium("run", "tiny", "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"podium: {defs_dir}/tiny/defs.yaml: it is empty; begin with type: pipeline.components.Competition, or remove "
        f"the file\n"
    )


# --- commands about other boards


UNKNOWN = "an unknown metric"
BROKEN = [UNKNOWN, "", "type: [", "type: pipeline.components.Competition\n", "type: no.such.Thing\n"]
COMMANDS = [("status",), ("status", "league"), ("check", "{file}", "--board", "league"), ("submit", "league", "{file}")]


def spoil(folder: Path, text: str = "type: [", name: str = "cup") -> Path:
    """A declaration of one's own that is none."""
    path = folder / name / "defs.yaml"
    league.declare(folder, name)
    declared = path.read_text(encoding="utf-8")
    path.write_text(declared.replace("- ic\n", "- icc\n") if text == UNKNOWN else text, encoding="utf-8")
    league.trees.own_tree.cache_clear()
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return league.write(tmp_path / "file.csv", "a,2024-01-05,X,1")


def given(command: tuple[str, ...], file: Path) -> list[str]:
    return [part.format(file=file) for part in command]


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_broken_board_is_warned_of_and_others_are_asked(
    podium: Podium, own_boards: Path, file: Path, command: tuple[str, ...], text: str
) -> None:
    path = spoil(own_boards, text)
    outcome = podium(*given(command, file), "--json")
    assert outcome.code == 0, outcome
    assert outcome.json
    assert outcome.err.startswith(f"podium: {path}: ")
    assert outcome.err.endswith("; 'cup' left out\n")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("status", "cup"),
        ("check", "{file}", "--board", "cup"),
        ("check", "{file}"),
        ("submit", "cup", "{file}"),
        ("run", "cup"),
        ("run",),
    ],
)
def test_a_command_about_the_broken_board_or_all_of_them_fails(
    podium: Podium, own_boards: Path, file: Path, command: tuple[str, ...]
) -> None:
    path = spoil(own_boards)
    assert error(podium(*given(command, file), "--json"), 2).startswith(f"{path}: no YAML in line 1")


def test_definitions_do_not_load_with_a_broken_board(podium: Podium, own_boards: Path) -> None:
    spoil(own_boards)
    settings.cache_clear()
    with pytest.raises(Exception, match="Error while building definitions for publishing"):
        pipeline.definitions.defs()


def test_the_files_of_a_broken_board_are_not_astray(podium: Podium, own_boards: Path, tmp_path: Path) -> None:
    spoil(own_boards)
    for board in ("cup", "cop"):
        (tmp_path / "inbox" / board).mkdir(parents=True)
        league.write(tmp_path / "inbox" / board / "x.csv")
    notes = podium("status", "--json").json["notes"]
    assert notes == ["1 file in the inbox where no board looks, such as cop/x.csv; move to <board>/<folder>"]


def test_a_board_that_is_not_known_may_be_the_broken_one(podium: Podium, own_boards: Path) -> None:
    path = spoil(own_boards)
    assert error(podium("status", "nope"), 2).startswith(
        "no board 'nope' is declared; known: coding_models, league, reading, sp500, sp500_risk; "
        f"not loaded: {path}: no YAML in line 1"
    )


def test_every_broken_board_is_warned_of_in_a_line_of_its_own(podium: Podium, own_boards: Path) -> None:
    paths = [spoil(own_boards, name=name) for name in ("cup", "shield")]
    league.declare(own_boards / "more", "vase")
    league.declare(own_boards, "sp500")
    outcome = podium("status", "--json")
    assert [board["board"] for board in outcome.json["boards"]] == [
        "coding_models",
        "league",
        "reading",
        "sp500",
        "sp500_risk",
        "vase",
    ]
    assert [line.removeprefix("podium: ").partition(": ")[0] for line in outcome.err.splitlines()] == [
        *map(str, paths),
        str(own_boards / "sp500"),
    ]
    assert "another board is called 'sp500' already; rename this; 'sp500' left out" in outcome.err


def test_the_job_of_another_board_loads_and_what_the_broken_one_published_stays(
    podium: Podium, own_boards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spoil(own_boards, UNKNOWN)
    monkeypatch.setattr(publishing, "_published", published := Mock(side_effect=publishing._published))
    settings.cache_clear()
    job = load_job("league")
    assert job.name == "league"
    assert {key.path[0] for key in job.asset_layer.executable_asset_keys} == {"league", "marts", "published"}
    assert published.call_args.args[0] == ["coding_models", "cup", "league", "reading", "sp500", "sp500_risk"]
    assert capsys.readouterr().err == (
        f"podium: {path}: unknown metric 'icc'; known: {', '.join(METRICS.available())}; 'cup' left out\n"
    )
