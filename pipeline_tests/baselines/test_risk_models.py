"""The reference models of risk: each against an independent computation, and by what must hold of every forecast."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.baselines import LEVELS, RISK_BASELINES, PriceHistory
from pipeline.baselines.trading_calendar import scheduled_days_ahead
from pipeline_tests.baselines.conftest import two_stocks

PREDICT = {baseline.model_id: baseline.predict for baseline in RISK_BASELINES}
GRID = np.array(LEVELS)
CYCLES = [0, 1, 120, 700, 1668]
"""Cycles with 4 and 5 trading days ahead, the first and the last among them."""


def test_models_have_ids_and_titles_of_their_own() -> None:
    assert len(RISK_BASELINES) >= 8
    assert len({baseline.model_id for baseline in RISK_BASELINES}) == len(RISK_BASELINES)
    assert len({baseline.title for baseline in RISK_BASELINES}) == len(RISK_BASELINES)


@pytest.mark.parametrize("baseline", RISK_BASELINES, ids=lambda baseline: baseline.model_id)
def test_model_says_what_it_does_and_cites_author_year_and_journal(baseline) -> None:
    assert baseline.description.endswith(".")
    assert "\n" not in baseline.description
    assert (
        pd.Series([baseline.reference]).str.match(r'^[A-Z].*\((19|20)\d\d\), ".*", [A-Z].* \d+\(\d+\), \d+-\d+').all()
    )


# --- one forecast of a stock, by other means than the models'


def returns_over(closes: list[float], days: int) -> list[float]:
    return [after / before - 1 for before, after in zip(closes, closes[days:], strict=False)]


def historical(length: int) -> Callable[[list[float], int, list[list[float]]], list[float]]:
    def forecast(closes: list[float], days: int, _: list[list[float]]) -> list[float]:
        last = returns_over(closes, days)[-length:]
        return list(pd.Series(last).quantile(LEVELS)) if len(last) == length else [math.nan] * len(LEVELS)

    return forecast


def pooled(_: list[float], days: int, everyone: list[list[float]]) -> list[float]:
    return list(pd.Series([one for closes in everyone for one in returns_over(closes, days)]).quantile(LEVELS))


def squares_of(closes: list[float]) -> list[float]:
    return [math.log(after / before) ** 2 for before, after in pairwise(closes)]


def ewma_path(closes: list[float]) -> list[float]:
    first, *later = squares_of(closes)
    path = [first]
    for square in later:
        path.append(0.94 * path[-1] + 0.06 * square)
    return path


def from_scale(variance: float, standard: stats.rv_continuous, mean: float = 0.0) -> list[float]:
    return [math.exp(mean + math.sqrt(variance) * quantile) - 1 for quantile in standard.ppf(LEVELS)]


STUDENT = stats.t(5, scale=math.sqrt(3 / 5))


def blend(closes: list[float], days: int, _: list[list[float]]) -> list[float]:
    squares = squares_of(closes)
    return from_scale(days * (ewma_path(closes)[-1] + math.fsum(squares) / len(squares)) / 2, STUDENT)


def garch(closes: list[float], days: int, _: list[list[float]]) -> list[float]:
    squares = squares_of(closes)
    variance, total, long_run = squares[0], squares[0], squares[0]
    for n, square in enumerate(squares[1:], start=2):
        total += square
        long_run = total / n
        variance = 0.05 * long_run + 0.05 * square + 0.90 * variance
    over = 0.0
    for _day in range(days):
        over += variance
        variance = 0.05 * long_run + 0.95 * variance
    return from_scale(over, STUDENT)


def filtered(closes: list[float], days: int, _: list[list[float]]) -> list[float]:
    # The variance known on day t is path[t - 1], and none counts before 60 returns.
    path = ewma_path(closes)
    surprises = [
        math.log(closes[day + days] / closes[day]) / math.sqrt(days * path[day - 1])
        for day in range(60, len(closes) - days)
    ]
    if len(surprises) < 750:
        return [math.nan] * len(LEVELS)
    scale = math.sqrt(days * path[-1])
    return [math.exp(scale * quantile) - 1 for quantile in pd.Series(surprises[-750:]).quantile(LEVELS)]


def drift(closes: list[float], days: int, _: list[list[float]]) -> list[float]:
    mean = math.log(closes[-1] / closes[0]) / (len(closes) - 1)
    return from_scale(days * ewma_path(closes)[-1], STUDENT, days * mean)


INDEPENDENT = {
    "constant": pooled,
    "historical_60": historical(60),
    "historical_250": historical(250),
    "historical_750": historical(750),
    "filtered_historical": filtered,
    "ewma_normal": lambda closes, days, _: from_scale(days * ewma_path(closes)[-1], stats.norm()),
    "ewma_t5": lambda closes, days, _: from_scale(days * ewma_path(closes)[-1], STUDENT),
    "ewma_t5_drift": drift,
    "long_run_blend": blend,
    "garch": garch,
    "last_move": lambda closes, days, _: from_scale(days * squares_of(closes)[-1], stats.norm()),
}


def test_every_model_is_computed_by_other_means() -> None:
    assert INDEPENDENT.keys() == PREDICT.keys()


@pytest.mark.parametrize("number", CYCLES)
@pytest.mark.parametrize("model_id", INDEPENDENT)
def test_a_forecast_equals_an_independent_computation(model_id: str, number: int, history: PriceHistory) -> None:
    position = history.cycle_positions[number]
    days = int(scheduled_days_ahead(history.dates[[position]])[0])
    everyone = history.prices[: position + 1].T.tolist()
    found = PREDICT[model_id](history, np.array([position]), GRID)
    assert found.shape == (1, 20, len(LEVELS))
    for stock in (0, 7, 19):
        expected = INDEPENDENT[model_id](everyone[stock], days, everyone)
        np.testing.assert_allclose(found[0, stock], expected, rtol=1e-8, atol=1e-12)


# --- what holds of all


@pytest.mark.parametrize("model_id", PREDICT)
def test_quantiles_rise_with_their_levels_and_no_stock_loses_more_than_all(
    model_id: str, history: PriceHistory
) -> None:
    levels = np.linspace(0.001, 0.999, 45)
    quantiles = PREDICT[model_id](history, history.cycle_positions, levels)
    defined = ~np.isnan(quantiles).any(axis=-1)
    assert defined[117:].all()
    assert np.isnan(quantiles[~defined]).all()
    assert (np.diff(quantiles[defined], axis=-1) >= -1e-15).all()
    assert quantiles[defined].min() > -1


@pytest.mark.parametrize(
    ("model_id", "missing"),
    [(model_id, {"historical_750": 103, "filtered_historical": 116}.get(model_id, 0)) for model_id in PREDICT],
)
def test_a_model_says_nothing_before_it_has_its_history(model_id: str, missing: int, history: PriceHistory) -> None:
    quantiles = PREDICT[model_id](history, history.cycle_positions, GRID)
    assert np.isnan(quantiles[:missing]).all()
    absent = [history.tickers[stock] for stock in np.nonzero(np.isnan(quantiles[missing:]))[1]]
    # Range Resources did not move in its first 68 days, so these have no volatility to be measured in.
    assert absent == (["RRC"] * 7 if model_id == "filtered_historical" else [])


@pytest.mark.parametrize("model_id", PREDICT)
def test_the_levels_asked_for_change_no_quantile(model_id: str, history: PriceHistory) -> None:
    positions = history.cycle_positions[[200, 900]]
    whole = PREDICT[model_id](history, positions, GRID)
    np.testing.assert_array_equal(PREDICT[model_id](history, positions, GRID[[1, 3]]), whole[..., [1, 3]])


def test_a_stock_listed_later_has_no_forecast_before_but_by_the_constant(history: PriceHistory) -> None:
    prices = history.prices.copy()
    prices[:3000, 0] = np.nan
    listed_later = PriceHistory(history.dates, history.tickers, prices)
    position = history.cycle_positions[[300]]
    for model_id, predict in PREDICT.items():
        quantiles = predict(listed_later, position, GRID)[0]
        assert np.isnan(quantiles[0]).any() == (model_id != "constant")
        assert not np.isnan(quantiles[1:]).any()


def test_a_stock_that_never_moves_is_forecast_to_stay_or_not_at_all() -> None:
    history = two_stocks(1300, [])
    for model_id, predict in PREDICT.items():
        quantiles = predict(history, history.cycle_positions[[-1]], GRID)
        if model_id == "filtered_historical":
            assert np.isnan(quantiles).all()
        else:
            assert quantiles.tolist() == np.zeros((1, 2, 7)).tolist()


def test_models_without_a_drift_have_a_median_of_zero(history: PriceHistory) -> None:
    for model_id in ("ewma_normal", "ewma_t5", "long_run_blend", "garch", "last_move"):
        quantiles = PREDICT[model_id](history, history.cycle_positions[::50], np.array([0.5]))
        assert np.unique(np.abs(quantiles)).tolist() == [0.0]


def test_student_and_normal_have_the_same_variance_and_student_the_fatter_tails(history: PriceHistory) -> None:
    positions = history.cycle_positions[::400]
    levels = (np.arange(20_000) + 0.5) / 20_000
    normal = np.log1p(PREDICT["ewma_normal"](history, positions, levels))
    student = np.log1p(PREDICT["ewma_t5"](history, positions, levels))
    np.testing.assert_allclose((student**2).mean(axis=-1), (normal**2).mean(axis=-1), rtol=5e-3)
    assert (student[..., 2] < normal[..., 2]).all()
    assert (student[..., 4_000] > normal[..., 4_000]).all()
