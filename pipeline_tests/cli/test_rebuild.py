"""``podium rebuild``: what it prints, what it leaves, and how a script can tell that something differs."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from pipeline.cli import rebuild
from pipeline.cli.errors import RunFailedError
from pipeline.competition import Contract
from pipeline.components.dbt import dbt_project
from pipeline.warehouse import WarehouseFiles, current_publication, open_published
from pipeline_tests.cli import command
from pipeline_tests.cli.command import error
from pipeline_tests.own_boards import declaration, drop, own_folder, predictions_of, truth_of, write_board

Podium = Callable[..., command.Outcome]
Rebuilding = tuple[Podium, Callable[[str], None]]


@pytest.fixture
def podium(tmp_path: Path, dbt_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Podium]:
    """The command where one's own board ``box`` is declared, on an empty data folder."""
    own = tmp_path / "own"
    write_board(own, declaration())
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
    with own_folder(own):
        dbt_project.cache_clear()
        yield partial(command.podium, data_dir=tmp_path / "data")
    dbt_project.cache_clear()


@pytest.mark.slow
def test_what_somebody_changed_in_the_warehouse_is_all_that_differs(podium: Podium, tmp_path: Path) -> None:
    data = tmp_path / "data"
    drop(data, predictions_of(*range(8)), "predictions")
    drop(data, truth_of(*range(6)), "truth")
    assert podium("run", "box").code == 0
    published = current_publication(data / "published")
    files = WarehouseFiles(data / "warehouse" / "podium.duckdb", data / "published", lock_timeout=5)
    with files.write("a test") as store:
        store.connection.execute("UPDATE marts.model_stats SET value = value + 1 WHERE metric = 'ic'")
        store.connection.execute("DELETE FROM competition.scores WHERE model_id = 'fair'")

    differs = podium("rebuild", "box", "--json")

    assert differs.code == 5
    found = {one["table"]: one for one in differs.json["tables"] if not one["equal"]}
    assert found.keys() == {"competition.scores", "marts.model_stats"}
    assert {"marts.leaderboard_current", "competition.leaderboard", "landing.truth_rows", "catalog.boards"} <= {
        one["table"] for one in differs.json["tables"]
    }
    assert found["competition.scores"]["extra"] == 6 * 8
    assert found["competition.scores"]["example"]["key"]["model_id"] == "fair"
    assert found["marts.model_stats"]["changed"] > 0
    assert differs.err == (
        f"podium: the rebuilt warehouse differs in competition.scores, marts.model_stats; "
        f"it is {differs.json['rebuilt']}, and --replace puts such a one in place\n"
    )
    assert Path(differs.json["rebuilt"]).exists()
    assert published == current_publication(data / "published")


@pytest.fixture
def rebuilding(fresh_boards: WarehouseFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rebuilding:
    """The boards by hand, whose rebuild is a copy of them that the test changes."""

    def rebuilt_as(statement: str) -> None:
        def copied(data_dir: Path, arguments: list[str]) -> None:
            shutil.copy(fresh_boards.path, data_dir / "warehouse" / "podium.duckdb")
            with WarehouseFiles(data_dir / "warehouse" / "podium.duckdb", tmp_path / "none").write("a test") as store:
                store.connection.execute(statement)

        monkeypatch.setattr(rebuild, "_run", copied)

    with fresh_boards.read() as store:
        declared = store.query("SELECT board, contract FROM catalog.boards WHERE kind = 'competition'")
    contracts = {board: Contract.model_validate_json(text) for board, text in declared.itertuples(index=False)}
    monkeypatch.setattr(rebuild, "load_contracts", lambda **_: contracts)
    return partial(command.podium, data_dir=tmp_path), rebuilt_as


def test_equal_is_said_in_a_line_and_nothing_is_left(rebuilding: Rebuilding, tmp_path: Path) -> None:
    podium, rebuilt_as = rebuilding
    rebuilt_as("SELECT 1")
    equal = podium("rebuild")
    assert equal.code == 0, equal
    assert "rows rebuilt in" in equal.out
    assert "; none differ\n" in equal.out
    assert not (tmp_path / "rebuild").exists()
    assert podium("rebuild", "--json").json["equal"] is True


def test_a_difference_is_shown_with_an_example(rebuilding: Rebuilding) -> None:
    podium, rebuilt_as = rebuilding
    rebuilt_as("UPDATE competition.leaderboard SET rank = rank + 1 WHERE rank = 1")
    differs = podium("rebuild")
    assert differs.code == 5
    header, row = differs.table[0], differs.table[1]
    assert header == ["table", "rows", "rebuilt", "missing", "extra", "changed", "for example"]
    assert row[0] == "competition.leaderboard"
    assert row[1] == row[2]
    assert row[3:5] == ["0", "0"]
    assert row[6].endswith("rank 1, rebuilt 2")


def test_the_rebuilt_one_is_put_in_place_and_published_and_the_old_one_kept(
    rebuilding: Rebuilding, fresh_boards: WarehouseFiles, tmp_path: Path
) -> None:
    podium, rebuilt_as = rebuilding
    before = fresh_boards.path.read_bytes()
    rebuilt_as("UPDATE competition.models SET title = 'rebuilt'")
    done = podium("rebuild", "--replace", "--json")
    assert done.code == 0, done
    assert (done.json["equal"], done.json["replaced"]) == (False, True)
    assert Path(done.json["old"]).read_bytes() == before
    with open_published(tmp_path / "published") as connection:
        titles = connection.execute("SELECT DISTINCT title FROM competition.models").fetchall()
    assert titles == [("rebuilt",)]


def test_without_a_warehouse_there_is_nothing_to_compare_with(podium: Podium, tmp_path: Path) -> None:
    path = tmp_path / "data" / "warehouse" / "podium.duckdb"
    (tmp_path / "data").mkdir()
    message = f"there is no warehouse {path} to compare with; `podium run` makes it"
    assert error(podium("rebuild", "box"), 2) == message


def test_a_board_that_nobody_declares_is_refused_with_those_there_are(podium: Podium) -> None:
    assert "box" in error(podium("rebuild", "bx"), 2)


def test_a_part_of_the_boards_does_not_replace_the_warehouse(podium: Podium) -> None:
    assert error(podium("rebuild", "box", "--replace"), 2) == (
        "--replace is for all boards: the others would be gone; name none"
    )


def test_why_boards_cannot_be_rebuilt_is_told_here_and_to_no_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, str]] = []

    def failed(command: Sequence[str], *, env: Mapping[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        given.append(env)
        return subprocess.CompletedProcess(command, 1, "", "podium: run 7 failed at box/scores")

    monkeypatch.setenv("PODIUM_ALERT", "https://hooks.example.org/podium")
    monkeypatch.setenv("PODIUM_LOG", "json")
    monkeypatch.setattr(subprocess, "run", failed)
    with pytest.raises(RunFailedError, match="the boards cannot be rebuilt: run 7 failed at box/scores; what there is"):
        rebuild._run(tmp_path, [])
    assert (given[0]["PODIUM_ALERT"], given[0]["PODIUM_LOG"]) == ("", "text")
