"""Output types: how ids are written, and which there are."""

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.outputs import ONE_VALUE, Output, id_text

QUANTILES = Output("quantile", ("0.1", "0.5", "0.9"))
PMF = Output("pmf", ("low", "2"))
SAMPLE = Output("sample")


@pytest.mark.parametrize(
    ("given", "output_type", "text"),
    [
        (0.01, "quantile", "0.01"),
        ("0.010", "quantile", "0.01"),
        (" .5 ", "quantile", "0.5"),
        (0.1 + 0.2, "quantile", "0.3"),
        (np.float64(1), "cdf", "1"),
        (-0.0, "cdf", "0"),
        ("1e3", "cdf", "1000"),
        (3, "pmf", "3"),
        (np.int32(3), "pmf", "3"),
        (3.0, "pmf", "3"),
        ("3.0", "pmf", "3.0"),
        ("up ", "pmf", "up"),
        (7.0, "sample", "7"),
        ("007", "sample", "7"),
        (np.int64(2_101_000_000_000_001), "sample", "2101000000000001"),
        ("first", "sample", "first"),
    ],
)
def test_an_id_is_written_one_way(given: object, output_type: str, text: str) -> None:
    assert id_text(given, output_type) == text


@pytest.mark.parametrize(
    ("output", "given", "texts"),
    [
        (QUANTILES, [0.9, 0.1, 0.5], ["0.9", "0.1", "0.5"]),
        (QUANTILES, pd.Categorical(["0.10", "0.5", "0.10"]), ["0.1", "0.5", "0.1"]),
        (PMF, ["low", 2, 2.0], ["low", "2", "2"]),
        (SAMPLE, [1.0, 12.0], ["1", "12"]),
    ],
)
def test_a_column_of_ids_comes_out_as_tables_hold_it(output: Output, given: object, texts: list[str]) -> None:
    column = pd.Series(given, index=range(5, 5 + len(texts)))
    found = output.texts(column)
    assert found.tolist() == texts
    assert found.index.tolist() == column.index.tolist()


@pytest.mark.parametrize(
    ("output", "given", "message"),
    [
        (QUANTILES, [0.1, 0.2, 0.2], "of a prediction is '0.2'; quantile predictions have 0.1, 0.5, 0.9"),
        (PMF, ["low", None], "of a prediction is missing; pmf predictions have low, 2"),
        (SAMPLE, ["a", 0, 1.5, -1], "is 'a', '0', '1.5', '-1'; sample predictions have whole numbers from 1 up"),
    ],
)
def test_an_id_that_is_none_is_named_with_the_known_ones(output: Output, given: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        output.texts(pd.Series(given))


def test_samples_are_those_that_there_are_in_the_order_of_their_numbers() -> None:
    axis = SAMPLE.axis(pd.Series(["10", "9", "10", "1"]))
    assert axis.tolist() == ["1", "9", "10"]
    assert SAMPLE.numbers(axis).tolist() == [1.0, 9.0, 10.0]
    assert SAMPLE.axis(pd.Series([], dtype=object)).tolist() == ["1"]


def test_other_ids_are_the_declared_ones_whatever_there_is() -> None:
    assert QUANTILES.axis(pd.Series(["0.5"])).tolist() == ["0.1", "0.5", "0.9"]
    assert QUANTILES.numbers(QUANTILES.axis(pd.Series(["0.5"]))).tolist() == [0.1, 0.5, 0.9]
    assert PMF.numbers(PMF.axis(pd.Series(["low"]))).tolist() == [1.0, 2.0]


def test_one_number_is_no_distribution() -> None:
    assert not ONE_VALUE.is_distribution
    assert QUANTILES.distribution == "quantile"
    with pytest.raises(ValueError, match="'value' predictions are one number"):
        assert ONE_VALUE.distribution
