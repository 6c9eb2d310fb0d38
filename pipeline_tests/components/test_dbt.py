"""The dbt project as Dagster needs it: its manifest is made when it must be, and only then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster_dbt import DbtCliResource

from pipeline.components.dbt import dbt_project, project_code, project_files
from pipeline.settings import settings
from pipeline_tests.conftest import copy_dbt_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A dbt project that was never parsed."""
    folder = copy_dbt_project(tmp_path / "dbt_project")
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", str(folder))
    settings.cache_clear()
    dbt_project.cache_clear()
    yield folder
    monkeypatch.undo()
    settings.cache_clear()
    dbt_project.cache_clear()


@pytest.fixture
def parses(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The dbt commands that are started; they make an empty manifest."""
    commands: list[list[str]] = []

    class Parsed:
        def wait(self) -> None:
            (project / "target" / "manifest.json").write_text("{}")

    def cli(self: DbtCliResource, args: list[str], **_: object) -> Parsed:
        commands.append(args)
        return Parsed()

    monkeypatch.setattr(DbtCliResource, "cli", cli)
    return commands


def again() -> None:
    """As a new process."""
    dbt_project.cache_clear()
    dbt_project()


def test_the_manifest_is_made_once(parses: list[list[str]]) -> None:
    dbt_project()
    dbt_project()
    again()

    assert parses == [["parse", "--quiet"]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "models/marts/coverage.sql").write_text("select 1"), id="changed"),
        pytest.param(lambda folder: (folder / "models/marts/new.sql").write_text("select 1"), id="added"),
        pytest.param(lambda folder: (folder / "models/marts/freshness.sql").unlink(), id="removed"),
        pytest.param(lambda folder: (folder / "target/manifest.json").unlink(), id="no manifest"),
    ],
)
def test_the_manifest_is_made_again_when_the_project_changed(project: Path, parses: list[list[str]], change) -> None:
    dbt_project()
    change(project)
    again()

    assert len(parses) == 2


def test_touching_a_file_does_not_make_it_again(project: Path, parses: list[list[str]]) -> None:
    dbt_project()
    for path in project_files():
        path.touch()
    again()

    assert len(parses) == 1


@pytest.mark.slow
def test_a_parse_that_fails_says_what_dbt_said(project: Path) -> None:
    (project / "models/marts/coverage.sql").write_text("select * from {{ ref('nothing_like_this') }}")

    with pytest.raises(Exception, match="nothing_like_this"):
        dbt_project()


def test_what_dbt_made_is_no_part_of_the_code(project: Path) -> None:
    code = project_code()
    (project / "target").mkdir(exist_ok=True)
    (project / "target" / "manifest.json").write_text("{}")
    (project / "logs").mkdir()
    (project / "logs" / "dbt.log").write_text("a line")

    assert project_code() == code
