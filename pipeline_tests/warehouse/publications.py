"""What the tests of publishing share: write a value for boards, and look at what is published."""

import os
from pathlib import Path

from pipeline.tables import BOARDS, PREDICTIONS, WHOLE
from pipeline.warehouse import Dirty, WarehouseFiles, open_published
from pipeline_tests.warehouse.frames import BOARD, boards, dirty, predictions


def write(files: WarehouseFiles, value: float, *names: str) -> int:
    """Write one value for each board (and its catalog row); the newest seq is returned."""
    with files.write("a test") as store:
        for name in names or (BOARD,):
            store.replace(BOARDS, name, [Dirty(WHOLE, 0)], boards(), "v1")
            store.replace(PREDICTIONS, name, dirty(0), predictions(0, value=value), "v1")
        return store.max_seq()


def published_value(files: WarehouseFiles, board: str = BOARD) -> float:
    with open_published(files.published_dir) as connection:
        row = connection.execute(f'SELECT max(value) FROM "{board}".predictions').fetchone()
    assert row is not None
    return float(row[0])


def folders(files: WarehouseFiles) -> list[str]:
    """What is in the folder of publications besides the link."""
    return sorted(path.name for path in files.published_dir.iterdir() if path.name != "current")


def overwrite(path: Path, offset: int, size: int = 4096) -> None:
    """Put garbage into a file, read-only or not, which keeps its size."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(os.urandom(size))
    path.chmod(mode)
