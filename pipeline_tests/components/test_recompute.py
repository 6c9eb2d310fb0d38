"""How an asset decides which cycles to compute, and what it says about them."""

from datetime import datetime

import pandas as pd
import pytest

from pipeline.components.recompute import NOTHING_NEW, Recompute, recompute
from pipeline.tables import FACTORS, SUBJECTS, WHOLE
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.toy_contest import week

CYCLES = [week(number) for number in range(5)]


def rows(cycles: list[datetime]) -> pd.DataFrame:
    return pd.DataFrame({"cycle": cycles, "subject": "S1", "factor": "size", "value": 1.0})


@pytest.fixture
def files(tmp_path):
    return WarehouseFiles(tmp_path / "podium.duckdb", lock_timeout=0)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2020-02-07", datetime(2020, 2, 7), datetime(2020, 2, 7, 23, 59, 59, 999999)),
        ("2020-02-07T22:00", datetime(2020, 2, 7, 22), datetime(2020, 2, 7, 22)),
        ("2020-02-07 22:00:30", datetime(2020, 2, 7, 22, 0, 30), datetime(2020, 2, 7, 22, 0, 30)),
        ("2020-02-07T22:00Z", datetime(2020, 2, 7, 22), datetime(2020, 2, 7, 22)),
        ("2020-02-08T00:00+02:00", datetime(2020, 2, 7, 22), datetime(2020, 2, 7, 22)),
        (None, None, None),
    ],
)
def test_a_range_is_given_as_dates_or_times_in_utc(written: str | None, first: datetime, last: datetime) -> None:
    config = Recompute(from_cycle=written, to_cycle=written)

    assert (config.first, config.last) == (first, last)


def test_a_range_that_is_no_date_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"to_cycle 'friday' is no ISO date or time; write 2024-05-31"):
        _ = Recompute(to_cycle="friday").last


@pytest.mark.parametrize(("size", "blocks"), [(10, [5]), (5, [5]), (2, [2, 2, 1]), (1, [1] * 5), (0, [1] * 5)])
def test_cycles_are_computed_in_blocks(files: WarehouseFiles, size: int, blocks: list[int]) -> None:
    asked: list[int] = []

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        asked.append(len(cycles))
        return rows(cycles)

    with files.write("a test") as store:
        recompute(store, FACTORS, "toy", "v1", Recompute(), rows_of, cycles=CYCLES, cycles_per_block=size)
        stored = store.read(FACTORS, "toy")

    assert asked == blocks
    assert stored["cycle"].dt.to_pydatetime().tolist() == CYCLES


def test_it_says_how_many_cycles_and_why(files: WarehouseFiles) -> None:
    def why(code: str, cycles: list[datetime], config: Recompute | None = None) -> str:
        return recompute(store, FACTORS, "toy", code, config or Recompute(), rows, cycles=cycles).why

    with files.write("a test") as store:
        assert why("v1", CYCLES[:4]).startswith("4 cycles, 2020-01-03 to 2020-01-24: new")
        assert why("v1", CYCLES[:4]) == NOTHING_NEW
        assert why("v1", CYCLES).startswith("1 cycle, 2020-01-31: new")
        assert why("v2", CYCLES).startswith("5 cycles, 2020-01-03 to 2020-01-31: new, or")
        forced = Recompute(from_cycle="2020-01-10", to_cycle="2020-01-17", force=True)
        assert why("v2", CYCLES, forced) == "2 cycles, 2020-01-10 to 2020-01-17: asked for by hand"


def test_a_table_without_cycles_changes_as_one(files: WarehouseFiles) -> None:
    listed = pd.DataFrame({"subject": ["S1"], "title": ["One"], "first_seen": [week(0)]})

    with files.write("a test") as store:
        done = recompute(store, SUBJECTS, "toy", "v1", Recompute(), lambda _: listed, cycles=[WHOLE])

    assert done.why.startswith("the whole table: new")


def test_what_computes_the_rows_may_fail_and_blocks_before_it_stay(files: WarehouseFiles) -> None:
    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        if CYCLES[4] in cycles:
            raise OSError("no rows today")
        return rows(cycles)

    with files.write("a test") as store:
        with pytest.raises(OSError, match="no rows today"):
            recompute(store, FACTORS, "toy", "v1", Recompute(), rows_of, cycles=CYCLES, cycles_per_block=2)
        rest = store.dirty(FACTORS, "toy", "v1", cycles=CYCLES)

    assert [one.cycle for one in rest] == CYCLES[4:]
