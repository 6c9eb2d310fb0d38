"""``podium rebuild``: what it prints, what it leaves, and how a script can tell that something differs."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pipeline.components.dbt import dbt_project
from pipeline.warehouse import WarehouseFiles, current_publication
from pipeline_tests.cli import command
from pipeline_tests.cli.command import error
from pipeline_tests.own_boards import declaration, drop, own_folder, predictions_of, truth_of, write_board

Podium = Callable[..., command.Outcome]


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
def test_a_rebuilt_board_is_equal_until_somebody_harms_the_warehouse(podium: Podium, tmp_path: Path) -> None:
    data = tmp_path / "data"
    drop(data, predictions_of(*range(8)), "predictions")
    drop(data, truth_of(*range(6)), "truth")
    assert podium("run", "box").code == 0
    published = current_publication(data / "published")

    equal = podium("rebuild", "box")
    assert equal.code == 0, equal
    assert "rows rebuilt in" in equal.out
    assert "; none differ" in equal.out
    assert not (data / "rebuild").exists()

    files = WarehouseFiles(data / "warehouse" / "podium.duckdb", data / "published", lock_timeout=5)
    with files.write("a test") as store:
        store.connection.execute("UPDATE marts.model_stats SET value = value + 1 WHERE metric = 'ic'")
        store.connection.execute("DELETE FROM competition.scores WHERE model_id = 'fair'")
    differs = podium("rebuild", "box", "--json")
    assert differs.code == 5
    found = {one["table"]: one for one in differs.json["tables"] if not one["equal"]}
    assert found.keys() == {"competition.scores", "marts.model_stats"}
    assert found["competition.scores"]["extra"] == 6 * 8
    assert found["competition.scores"]["example"]["key"]["model_id"] == "fair"
    assert found["marts.model_stats"]["changed"] > 0
    assert differs.err == (
        f"podium: the rebuilt warehouse differs in competition.scores, marts.model_stats; "
        f"it is {differs.json['rebuilt']}, and --replace puts such a one in place\n"
    )
    assert Path(differs.json["rebuilt"]).exists()
    assert published == current_publication(data / "published")


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
