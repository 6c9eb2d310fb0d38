"""A contest whose files arrive in the inbox, brought up to date without Dagster, and rebuilt in this process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.declaration import BoardDeclaration
from pipeline.operation import Rebuild, Report
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.components.inbox_contest import InboxContest

DAYS = (9, 8, 7)
"""Cycles, by how many days ago they were."""


def bring(contest: InboxContest) -> None:
    """Land what waits, and bring all tables up to date."""
    contest.bring()


def begun(*boards: BoardDeclaration, declared: Mapping[str, BoardDeclaration] | None = None) -> Rebuild:
    """A rebuild of these boards in the data folder of the settings."""
    chosen = {board.name: board for board in boards}
    return Rebuild(settings(), chosen, declared or chosen, WarehouseFiles(lock_timeout=5))


def computed(one: Rebuild, compute: Callable[[Path], None]) -> Report:
    """A rebuild whose boards are computed in this process, in its own data folder."""
    one.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(one.data_dir))
        settings.cache_clear()
        compute(one.data_dir)
    settings.cache_clear()
    return one.compare()


def rebuilt(contest: InboxContest, **changes: Any) -> Report:
    """The contest rebuilt beside what it is, its declaration changed."""
    return computed(begun(contest.contract), lambda folder: bring(InboxContest(folder, {**contest.changes, **changes})))
