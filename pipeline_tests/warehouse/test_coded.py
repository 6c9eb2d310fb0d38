"""Rows read with categories are the rows."""

import numpy as np
import pandas as pd
import pytest

from pipeline.tables import PREDICTIONS
from pipeline.warehouse import Store, coded
from pipeline_tests.warehouse.frames import BOARD, dirty, predictions, week

CODED = (("cycle", "horizon", "target_time"), ("model_id",), ("subject",))
PLAIN = ("value", "is_late")
COLUMNS = [*(name for group in CODED for name in group), *PLAIN]


def stored(store: Store, *weeks: float, models: int = 3, subjects: int = 4) -> Store:
    names = [f"modèle '{number}'" for number in range(models)]
    rows = pd.concat(
        [predictions(*weeks, models=names).assign(subject=f"S{n}", horizon=n % 2) for n in range(subjects)]
    )
    rows["value"] = np.arange(len(rows), dtype=float)
    store.replace(PREDICTIONS, BOARD, dirty(*weeks), rows, "v1")
    return store


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[COLUMNS].astype(object).sort_values("value", ignore_index=True)


@pytest.mark.parametrize("weeks", [(0,), (0, 1), (0, 2), (3, 1), (0, 1, 2, 3), (7,)])
def test_they_are_those_of_the_cycles(store: Store, weeks: tuple[int, ...]) -> None:
    stored(store, 0, 1, 2, 3)
    cycles = [week(number) for number in weeks]
    found = store.read_coded(PREDICTIONS, BOARD, cycles, CODED, PLAIN)
    assert all(isinstance(found[name].dtype, pd.CategoricalDtype) for group in CODED for name in group)
    pd.testing.assert_frame_equal(plain(found), plain(store.read(PREDICTIONS, BOARD, cycles)))


def test_no_cycles_are_no_rows(store: Store) -> None:
    assert stored(store, 0).read_coded(PREDICTIONS, BOARD, [], CODED, PLAIN).empty


def test_other_boards_are_left_out(store: Store) -> None:
    stored(store, 0)
    store.replace(PREDICTIONS, "other", dirty(0), predictions(0, models=["stranger"]), "v1")
    assert "stranger" not in store.read_coded(PREDICTIONS, BOARD, [week(0)], CODED, PLAIN)["model_id"].to_list()


def test_too_many_values_are_read_as_they_are(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded, "_MOST_PLACES", 2)
    found = stored(store, 0).read_coded(PREDICTIONS, BOARD, [week(0)], CODED, PLAIN)
    pd.testing.assert_frame_equal(plain(found), plain(store.read(PREDICTIONS, BOARD)))


def test_many_values_are_told_apart(store: Store) -> None:
    found = stored(store, 0, models=1500, subjects=1).read_coded(PREDICTIONS, BOARD, [week(0)], CODED, PLAIN)
    assert found["model_id"].nunique() == 1500
    pd.testing.assert_frame_equal(plain(found), plain(store.read(PREDICTIONS, BOARD)))
