"""The second bundled competition as the pipeline sees it."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from pipeline.baselines import LEVELS, RISK_BASELINES, PriceHistory, Sp500RiskSource, Sp500Source
from pipeline.baselines.sp500_risk import source
from pipeline.competition.source import Source
from pipeline_tests.baselines.test_sp500 import of_cycles, with_other_prices_after

COLUMNS = ["model_id", "cycle", "horizon", "subject", "output_type_id", "target_time", "value", "received_at"]
KEY = ["model_id", "cycle", "horizon", "subject", "output_type_id"]


@pytest.fixture(scope="module")
def risk(history: PriceHistory) -> Sp500RiskSource:
    return Sp500RiskSource(history)


@pytest.fixture(scope="module")
def predictions(risk: Sp500RiskSource) -> pd.DataFrame:
    return risk.predictions(risk.cycles())


def test_it_is_a_source() -> None:
    assert isinstance(source(), Source)
    assert source() is source()


@pytest.mark.parametrize("number", [0, 40, 104, 118, 557, 1200, 1667])
def test_prices_after_a_cycle_change_no_forecast_of_it(
    risk: Sp500RiskSource, history: PriceHistory, number: int
) -> None:
    cycles = risk.cycles()[max(0, number - 2) : number + 1]
    changed = Sp500RiskSource(with_other_prices_after(history, history.cycle_positions[number]))
    pd.testing.assert_frame_equal(changed.predictions(cycles), risk.predictions(cycles), check_exact=True)
    assert not np.allclose(changed.history.outcomes[number], history.outcomes[number])


def test_prices_up_to_a_cycle_do_change_its_forecasts(risk: Sp500RiskSource, history: PriceHistory) -> None:
    cycle = risk.cycles()[1000]
    changed = Sp500RiskSource(with_other_prices_after(history, history.cycle_positions[1000] - 1)).predictions([cycle])
    original = risk.predictions([cycle])
    moved = set(original["model_id"][original["value"].to_numpy() != changed["value"].to_numpy()])
    assert moved == {baseline.model_id for baseline in RISK_BASELINES}


@pytest.mark.parametrize("number", [0, 120, 800, 1600])
def test_a_history_that_ends_at_a_cycle_forecasts_the_same(
    risk: Sp500RiskSource, history: PriceHistory, number: int
) -> None:
    """Bit for bit: how many trading days lie ahead is read from no later price either."""
    end = history.cycle_positions[number] + 1
    cycle = risk.cycles()[number]
    ended = Sp500RiskSource(PriceHistory(history.dates[:end], history.tickers, history.prices[:end]))
    columns = [*KEY, "value"]
    pd.testing.assert_frame_equal(
        ended.predictions([cycle])[columns], risk.predictions([cycle])[columns], check_exact=True
    )


@pytest.mark.parametrize("n_cycles", [1, 2, 30])
def test_some_cycles_have_the_same_rows_as_all(risk: Sp500RiskSource, predictions: pd.DataFrame, n_cycles: int) -> None:
    picked = np.random.default_rng(n_cycles).choice(1669, n_cycles, replace=False)
    cycles = [risk.cycles()[number] for number in picked]
    pd.testing.assert_frame_equal(risk.predictions(cycles), of_cycles(predictions, cycles), check_exact=True)


def test_predictions_have_the_columns_and_types_of_the_table(risk: Sp500RiskSource, predictions: pd.DataFrame) -> None:
    expected = ["str", "datetime64[us]", "int64", "str", "str", "datetime64[us]", "float64", "datetime64[us]"]
    for frame in (predictions, risk.predictions([])):
        assert list(frame.columns) == COLUMNS
        assert [str(dtype) for dtype in frame.dtypes] == expected


def test_every_forecast_has_every_level_and_keys_are_unique(predictions: pd.DataFrame) -> None:
    assert np.isfinite(predictions["value"]).all()
    assert not predictions.duplicated(KEY).any()
    assert list(predictions["output_type_id"].unique()) == [format(level, ".12g") for level in LEVELS]
    assert len(predictions) == len(LEVELS) * (20 * (11 * 1669 - 103 - 116) - 1)
    assert predictions.groupby("output_type_id").size().nunique() == 1


def test_forecasts_are_those_of_the_models_in_percent(risk: Sp500RiskSource, history: PriceHistory) -> None:
    rows = risk.predictions(risk.cycles()[400:401])
    for baseline in RISK_BASELINES:
        quantiles = baseline.predict(history, history.cycle_positions[[400]], np.array(LEVELS))
        found = rows[rows["model_id"] == baseline.model_id]["value"].to_numpy().reshape(1, 20, len(LEVELS))
        np.testing.assert_array_equal(found, 100 * quantiles)


def test_levels_are_symmetric_and_rise_to_a_median_and_on(predictions: pd.DataFrame) -> None:
    np.testing.assert_allclose(np.array(LEVELS) + np.array(LEVELS)[::-1], 1, rtol=0, atol=1e-12)
    values = predictions["value"].to_numpy().reshape(-1, len(LEVELS))
    assert (np.diff(values, axis=1) >= -1e-13).all()
    assert LEVELS[len(LEVELS) // 2] == 0.5


def test_stocks_cycles_and_outcomes_are_those_of_the_first_competition(
    risk: Sp500RiskSource, sp500: Sp500Source
) -> None:
    assert risk.cycles() == sp500.cycles()
    truth = sp500.truth()
    pd.testing.assert_frame_equal(risk.truth(), truth.assign(value=100 * truth["value"]))
    pd.testing.assert_frame_equal(risk.subjects(), sp500.subjects())
    assert list(risk.models()["model_id"]) == [baseline.model_id for baseline in RISK_BASELINES]
    assert len(risk.factors(risk.cycles())) == 0


def test_an_unknown_cycle_is_refused_with_what_there_is(risk: Sp500RiskSource) -> None:
    for asked in (risk.predictions, risk.factors):
        with pytest.raises(ValueError, match=r"no cycle 2001-01-03T.*; there are 1669, 1991-01-04.*"):
            asked([datetime(2001, 1, 3)])
