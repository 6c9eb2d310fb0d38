"""The ``podium`` command on boards made by hand."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pipeline.components import trees
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.cli import command, league
from pipeline_tests.cli.command import Podium
from pipeline_tests.reports.by_hand import create_marts, write_boards


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def podium(tmp_path: Path) -> Podium:
    """The command on a data folder of the test's own, empty at first."""
    return partial(command.podium, data_dir=tmp_path)


@pytest.fixture(scope="session")
def boards_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the boards by hand, published; do not write there."""
    folder = tmp_path_factory.mktemp("data")
    files = write_boards(folder)
    create_marts(files)
    files.publish()
    return folder


@pytest.fixture
def boards(boards_dir: Path) -> Podium:
    """The command on the boards by hand."""
    return partial(command.podium, data_dir=boards_dir)


@pytest.fixture
def fresh_boards(tmp_path: Path) -> WarehouseFiles:
    """The boards by hand in the folder of ``podium``, published."""
    files = write_boards(tmp_path)
    files.publish()
    return files


@pytest.fixture
def own_boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own boards that declares one, ``league``."""
    folder = tmp_path / "boards"
    league.declare(folder)
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(folder))
    yield folder
    trees.own_tree.cache_clear()
