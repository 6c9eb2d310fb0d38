"""A competition in blocks that are computed side by side ends with the tables of one that is computed in one piece."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cluster.blocks import Block, spread, update, update_block
from pipeline.competition import Contract
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.conftest import Filled, toy_environment
from pipeline_tests.toy_contest import contract, toy
from pipeline_tests.toy_graph import ToyGraph, assert_same_tables


@dataclass(frozen=True)
class Promised:
    """A block that a thread computes."""

    future: "Future[int]"

    def get(self) -> int:
        return self.future.result()


def giving(pool: ThreadPoolExecutor, contest: Contract, given: list[Block]) -> Callable[[Block], Promised]:
    def give(block: Block) -> Promised:
        given.append(block)
        return Promised(pool.submit(update, contest, block))

    return give


@pytest.mark.slow
def test_blocks_computed_side_by_side_make_the_same_tables(
    filled: Filled, catalog: str, tmp_path: Path, dbt_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with toy_environment(filled.folder, dbt_dir):
        expected = ToyGraph(filled.folder).tables()
    monkeypatch.setenv("PODIUM_WAREHOUSE", f"ducklake:postgres:{catalog}")
    with toy_environment(tmp_path, dbt_dir), ThreadPoolExecutor(2) as pool:
        with WarehouseFiles().write("tables first"):
            pass
        given: list[Block] = []
        done = list(spread(contract(), 3, giving(pool, contract(), given)))
        assert {one.table: one.blocks for one in done}["scores"] == 3
        assert {one.table: one.blocks for one in done}["leaderboard"] == 1
        assert all(one.cycles for one in done if one.table in ("predictions", "scores", "snapshots"))
        assert not any(one.cycles for one in spread(contract(), 2, giving(pool, contract(), given)))
        assert_same_tables(ToyGraph(tmp_path).tables(), expected)


def test_blocks_cover_every_cycle_once(tmp_path: Path, dbt_dir: Path) -> None:
    given: list[Block] = []

    class Nothing:
        def get(self) -> int:
            return 0

    def give(block: Block) -> Nothing:
        given.append(block)
        return Nothing()

    with toy_environment(tmp_path, dbt_dir):
        cycles = toy().cycles()
        list(spread(contract(), 4, give))
    blocks = [block for block in given if block.table == "scores"]
    assert [blocks[0].first, blocks[-1].last] == [None, None]
    assert len(blocks) == 4
    inside = [sum((b.first or "") <= c.isoformat() <= (b.last or "~") for b in blocks) for c in cycles]
    assert inside == [1] * len(cycles)


def test_a_worker_without_the_board_says_so(tmp_path: Path, dbt_dir: Path) -> None:
    with toy_environment(tmp_path, dbt_dir):
        with pytest.raises(ValueError, match="no competition 'toy' is declared here"):
            update_block("toy", "scores", None, None)
        with pytest.raises(ValueError, match=r"toy has no table 'score'; known: .*scores"):
            update(contract(), Block("toy", "score"))
        assert not settings().warehouse_path.exists()
