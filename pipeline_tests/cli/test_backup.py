"""``podium backup`` and ``podium restore``: what they print, and how they refuse."""

import json
from pathlib import Path

import pytest

from pipeline.cli.instance import while_nothing_is_up
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error


@pytest.fixture
def backup(fresh_boards: WarehouseFiles, podium: Podium, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the boards by hand."""
    target = tmp_path_factory.mktemp("backups") / "first"
    done = podium("backup", str(target))
    assert (done.code, done.err) == (0, ""), done
    assert done.out.startswith(f"backed up to {target}: ")
    assert "of Podium 0.1.0" in done.out
    return target


def test_a_backup_comes_back_in_another_folder(
    backup: Path, podium: Podium, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "data"
    done = command.podium("restore", str(backup), "--json", data_dir=other)
    assert done.code == 0, done
    manifest = json.loads((backup / "manifest.json").read_text())
    assert done.json["files"] == sum(one["kind"] == "file" for one in manifest["entries"])
    assert done.json["tables"] == manifest["tables"]
    board = command.podium("leaderboard", "weekly", "--json", data_dir=other)
    assert board.code == 0, board
    assert board.json["rows"] == podium("leaderboard", "weekly", "--json").json["rows"]


def test_what_is_there_is_not_written_over(backup: Path, podium: Podium, tmp_path: Path) -> None:
    assert error(podium("restore", str(backup)), 2).endswith("say --replace: what is there is kept aside then")
    assert podium("restore", str(backup), "--replace").code == 0
    (aside,) = tmp_path.glob("replaced-*")
    assert (aside / "warehouse" / "podium.duckdb").exists()


def test_while_podium_up_runs_nothing_is_restored(backup: Path, podium: Podium, tmp_path: Path) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir(exist_ok=True)
    with while_nothing_is_up(home):
        refused = error(podium("restore", str(backup), "--replace"), 2)
    assert refused == f"`podium up` runs with the history in {home}; stop it first"
    assert not list(tmp_path.glob("replaced-*"))
    assert podium("restore", str(backup), "--replace").code == 0


def test_what_is_no_backup_is_refused_in_a_line(podium: Podium, tmp_path: Path) -> None:
    message = f"{tmp_path} is no backup, or one that was not finished: there is no manifest.json in it"
    assert error(podium("restore", str(tmp_path)), 2) == message
    assert "is in the data folder" in error(podium("backup", str(tmp_path / "inside")), 2)


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(
    backup: Path, podium: Podium, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("other") / "file"
    file.touch()
    for place in Path("/proc/podium"), Path("/proc/podium/first"), file / "first":
        refused = error(podium("backup", str(place)), 2)
        assert refused.startswith(f"the folder {place} cannot be made: ")
        assert refused.endswith("; name one where you may write")
        refused = error(command.podium("restore", str(backup), data_dir=place), 2)
        assert refused.startswith(f"the folder {place} cannot be made: ")
        assert refused.endswith("; let PODIUM_DATA_DIR name one where you may write")


def test_a_data_folder_that_is_not_there_is_not_backed_up_as_nothing(tmp_path: Path) -> None:
    for data in tmp_path / "misspelt", Path("/proc/podium"):
        refused = error(command.podium("backup", str(tmp_path / "first"), data_dir=data), 2)
        assert refused == f"there is no data folder {data}; let PODIUM_DATA_DIR name the one to back up"
    assert list(tmp_path.iterdir()) == []


def test_tables_that_are_in_no_file_are_not_left_out_in_silence(
    backup: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    monkeypatch.setenv("PODIUM_WAREHOUSE", "ducklake:postgres:host=nowhere.invalid")
    for done in ("backup", other / "backup"), ("restore", backup):
        refused = error(command.podium(*map(str, done), data_dir=other / "data"), 2)
        assert refused.startswith("the tables are in DuckLake (PODIUM_WAREHOUSE), not in a file; copy its catalog with")
    assert list(other.iterdir()) == []
