"""Places of labels: the same for text and for categories, in any order of the rows."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.labels import distinct, labels, places, times
from pipeline.competition.panel import Axes
from pipeline.competition.stages import compute_cycle_metrics, score_predictions
from pipeline_tests.competition.contests import contract, random_contest, shuffled

AXIS = pd.Index(["a", "b", "c"])


def coded(rows: pd.DataFrame, *, reverse: bool = False) -> pd.DataFrame:
    """Text and times as categories, with some that no row has."""
    columns = ("model_id", "subject", "cycle", "target_time", "horizon")
    for name in (name for name in columns if name in rows):
        values = rows[name].unique().tolist()
        spare = ["nobody"] if isinstance(values[0], str) else [rows[name].max() + (rows[name].max() - rows[name].min())]
        categories = sorted({*values, *spare}, reverse=reverse)
        rows = rows.assign(**{name: pd.Categorical(rows[name], pd.Index(categories))})
    return rows


def test_labels_are_those_that_rows_have() -> None:
    column = pd.Series(pd.Categorical(["b", "a", "b"], ["z", "b", "a"]))
    assert sorted(labels(column)) == ["a", "b"]
    assert sorted(labels(column.astype(str))) == ["a", "b"]


@pytest.mark.parametrize("dtype", ["str", "category"])
def test_places_are_those_on_the_axis(dtype: str) -> None:
    assert places(AXIS, pd.Series(["c", "a", "c"], dtype=dtype), "model").tolist() == [2, 0, 2]
    with pytest.raises(ValueError, match="rows name the model 'z'"):
        places(AXIS, pd.Series(["c", "z"], dtype=dtype), "model")


@pytest.mark.parametrize("seed", range(3))
def test_distinct_combinations_are_those_of_pandas(seed: int) -> None:
    predictions = shuffled(random_contest(seed)[0], seed)
    columns = ["cycle", "horizon", "target_time"]
    expected = predictions[columns].drop_duplicates()
    for rows in (predictions, coded(predictions)):
        pd.testing.assert_frame_equal(distinct(rows, columns), expected, check_dtype=False)
    assert distinct(predictions.iloc[:0], columns).empty


def test_times_are_distinct_in_order_and_plain() -> None:
    column = pd.Series(np.array(["2024-03-08", "2024-03-01", "2024-03-08"], dtype="datetime64[us]"))
    expected = [datetime(2024, 3, 1), datetime(2024, 3, 8)]
    for given in (column, column.astype("category"), column.astype(object)):
        found = times(given)
        assert found == expected
        assert {type(time) for time in found} == {datetime}
    assert times(column.iloc[:0]) == []


@pytest.mark.parametrize("seed", range(3))
def test_categories_change_nothing(seed: int) -> None:
    predictions, truth = random_contest(seed)
    by_category = coded(predictions, reverse=bool(seed % 2))
    axes = Axes.of(predictions, truth)
    np.testing.assert_array_equal(axes.cube(by_category, "value"), axes.cube(predictions, "value"))
    scores = score_predictions(predictions, truth, contract())
    pd.testing.assert_frame_equal(score_predictions(by_category, truth, contract()), scores)
    pd.testing.assert_frame_equal(
        compute_cycle_metrics(by_category, truth, coded(scores), contract()),
        compute_cycle_metrics(predictions, truth, scores, contract()),
    )
