"""Both bundled competitions on two workers, one of them killed: every table is that of the embedded default."""

import importlib.util
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.cluster import missing_servers
from pipeline.cluster.blocks import Block, spread
from pipeline.cluster.up import Cluster, cluster
from pipeline.components.trees import declared_contracts
from pipeline.settings import settings
from pipeline.tables import COMPETITION_TABLES
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.toy_graph import assert_same_tables

_BOARDS = ("sp500", "sp500_risk")


def tables() -> dict[str, pd.DataFrame]:
    """Every table of both boards in the warehouse of the settings."""
    with WarehouseFiles().read() as store:
        return {f"{board}.{spec.name}": store.read(spec, board) for board in _BOARDS for spec in COMPETITION_TABLES}


def finished(process: "subprocess.Popen[str]") -> str:
    """What a run printed; it must have succeeded."""
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def in_blocks(board: str, parts: int) -> dict[str, int]:
    """Compute a board in blocks on the workers; how many blocks each table had."""
    from pipeline.cluster.worker import BLOCK, celery_app

    app = celery_app()

    def give(block: Block) -> Any:
        return app.send_task(BLOCK, [block.board, block.table, block.first, block.last], queue="dagster")

    return {done.table: done.blocks for done in spread(declared_contracts()[board], parts, give)}


def kill_one_at_work(up: Cluster) -> None:
    """Kill the worker that has done something and is at something, as a machine that loses power, and start another."""
    log = Path(up.home("one")["HOME"]) / "one.log"
    until = time.monotonic() + 600
    while time.monotonic() < until:
        said = log.read_text(encoding="utf-8", errors="replace")
        if said.count("received") > said.count("succeeded in") >= 3:
            up.kill_worker("one")
            up.start_worker("three")
            return
        time.sleep(0.2)
    raise AssertionError(f"the worker was never at work:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


@pytest.mark.slow
def test_a_killed_worker_on_two_changes_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("dagster_celery") is None:
        pytest.skip("dagster-celery not installed: pip install -e '.[scale]'")
    if missing := missing_servers():
        pytest.skip(f"servers not installed: {missing}")
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "file"))
    settings.cache_clear()
    for board in _BOARDS:
        subprocess.run([Cluster(tmp_path, {}).podium, "run", board], check=True, capture_output=True)
    expected = tables()
    with cluster(tmp_path / "lake") as up, ThreadPoolExecutor(2) as pool:
        for name, value in up.environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        with WarehouseFiles().write("tables first"):
            pass
        run = up.run("steps", "run", "sp500_risk")
        killing = pool.submit(kill_one_at_work, up)
        blocks = in_blocks("sp500", 4)
        killing.result()
        finished(run)
        finished(up.run("rest", "run", "sp500"))
        assert blocks["scores"] == 4
        assert_same_tables(tables(), expected)
    settings.cache_clear()
