"""The declared boards: bundled ones and those in a folder of one's own, read without building their assets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.competition import Contract
from pipeline.components import trees
from pipeline.settings import settings
from pipeline_tests.cli.league import declare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()
    trees.own_tree.cache_clear()


def test_contracts_are_those_declared_by_name(folder: Path) -> None:
    cup, league = declare(folder, "cup"), declare(folder, "league")
    found = trees.declared_contracts()
    assert list(found) == ["coding_models", "cup", "league", "reading", "sp500", "sp500_risk"]
    assert (found["cup"], found["league"]) == (cup, league)


def test_a_folder_without_boards_yet_adds_none(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "README.md").touch()
    assert list(trees.declared_contracts()) == ["coding_models", "reading", "sp500", "sp500_risk"]


def test_the_bundled_contests_ended_with_their_data() -> None:
    contests = [one for one in trees.declared_contracts().values() if isinstance(one, Contract)]
    assert [one.frozen for one in contests] == [True, True]


def test_a_board_that_is_bundled_cannot_be_declared_again(folder: Path) -> None:
    declare(folder, "sp500")
    with pytest.raises(trees.DefsFolderError, match="are bundled, and declared in PODIUM_DEFS_DIR too; rename yours"):
        trees.declared_contracts()
