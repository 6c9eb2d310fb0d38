"""Whatever fits a table comes back from it as it was, and written again changes nothing."""

import math
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.tables import SCORES
from pipeline.warehouse import Dirty, Store
from pipeline_tests.warehouse.counting import counted
from pipeline_tests.warehouse.frames import BOARD, dirty, frame, predictions, week

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
moments = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
number = st.one_of(st.none(), st.just(math.nan), st.floats(allow_nan=False, allow_infinity=False))
row = st.fixed_dictionaries(
    {
        "model_id": text,
        "cycle": st.integers(0, 5).map(week),
        "horizon": st.integers(-(2**31), 2**31 - 1),
        "subject": text,
        "output_type": st.sampled_from(["value", "quantile"]),
        "known_at": moments,
        "prediction": number,
        "outcome": number,
        "value": number,
        "success": st.booleans(),
        "failed_reason": st.one_of(st.none(), text),
        "is_imputed": st.booleans(),
    }
)
rows_of_a_table = st.lists(row, max_size=12, unique_by=lambda r: tuple(r[name] for name in SCORES.key if name in r))


def expected(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {(BOARD, *(null_for_nan(r[name]) for name in SCORES.column_names[1:])) for r in rows}


def null_for_nan(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def as_set(stored: pd.DataFrame) -> set[tuple[Any, ...]]:
    plain = stored.astype(object).where(stored.notna(), None)
    return set(plain.itertuples(index=False, name=None))


@settings(max_examples=15, deadline=None)
@given(rows=rows_of_a_table, later=rows_of_a_table)
@example(rows=[], later=[])
def test_rows_come_back_as_they_were(in_memory: Store, rows: list[dict[str, Any]], later: list[dict[str, Any]]) -> None:
    store, cycles = in_memory, dirty(*range(6))
    for batch in (rows, later):
        before = as_set(store.read(SCORES, BOARD))
        change = store.replace(SCORES, BOARD, cycles, frame(SCORES, batch), "v1")
        after = as_set(store.read(SCORES, BOARD))
        assert after == expected(batch)
        differs = {r[SCORES.column_names.index("cycle")] for r in before ^ after}
        assert change.changed == len(differs)
    stored = store.read(SCORES, BOARD)
    assert store.replace(SCORES, BOARD, cycles, stored, "v1").changed == 0
    pd.testing.assert_frame_equal(store.read(SCORES, BOARD), stored)


def test_many_cycles_are_replaced_with_as_many_statements_as_few(store: Store) -> None:
    """Thirty years of weeks, 12 models, 20 subjects; nothing in it may be done for each cycle."""
    from pipeline.tables import PREDICTIONS

    taken = []
    for board, weeks in {"short": 2, "long": 1669}.items():
        rows, cycles = weekly(board, weeks, models=12, subjects=20), [Dirty(week(n), 0) for n in range(weeks)]
        watched, counting = counted(store)
        assert watched.replace(PREDICTIONS, board, cycles, rows, "v1").rows == len(rows) == 240 * weeks
        assert watched.replace(PREDICTIONS, board, cycles, rows, "v1").changed == 0
        rows["value"] += 1
        assert watched.replace(PREDICTIONS, board, cycles, rows, "v1").changed == weeks
        taken.append(counting.statements)
    assert taken[0] == taken[1] > 0


def weekly(board: str, weeks: int, models: int, subjects: int) -> pd.DataFrame:
    """Predictions of many weeks."""
    block = predictions(0, models=[f"model {m}" for m in range(models)])
    rows = pd.concat([block.assign(subject=f"S{s}") for s in range(subjects)])
    rows = pd.concat([rows] * weeks, ignore_index=True)
    shift = np.repeat(np.arange(weeks), models * subjects) * np.timedelta64(7, "D")
    for column in ("cycle", "target_time", "deadline", "received_at"):
        rows[column] = rows[column] + pd.to_timedelta(pd.Series(shift))
    rows["value"] = np.random.default_rng(0).normal(size=len(rows))
    return rows.assign(competition=board)


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_text_with_nul_comes_back_too(store: Store, text: str) -> None:
    store.replace(SCORES, BOARD, dirty(0), frame(SCORES, [{"cycle": week(0), "subject": text}]), "v1")
    assert store.read(SCORES, BOARD)["subject"].to_list() == [text]
