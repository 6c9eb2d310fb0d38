"""The reference models: by hand, without look-ahead, and what the seeded random one must and must not do."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.baselines import BASELINES, PriceHistory
from pipeline.baselines.factors import factor_values
from pipeline_tests.baselines.conftest import two_stocks

PREDICT = {baseline.model_id: baseline.predict for baseline in BASELINES}


def test_models_have_ids_and_titles_of_their_own() -> None:
    assert len(BASELINES) >= 12
    assert len({baseline.model_id for baseline in BASELINES}) == len(BASELINES)
    assert len({baseline.title for baseline in BASELINES}) == len(BASELINES)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.model_id)
def test_model_says_what_it_does_and_cites_author_year_and_journal(baseline) -> None:
    assert baseline.description.endswith(".")
    assert "References" not in baseline.description
    assert "\n" not in baseline.reference
    assert (
        pd.Series([baseline.reference]).str.match(r'^[A-Z].*\((19|20)\d\d\), ".*", [A-Z].* \d+\(\d+\), \d+-\d+').all()
    )


HAND_WORKED = [
    ("momentum_12_1", 253, [(0, 80.0), (231, 120.0)], 0.5),
    ("momentum_6m", 253, [(126, 80.0)], 0.25),
    ("reversal_1w", 253, [(247, 80.0)], -0.25),
    ("reversal_1m", 253, [(231, 80.0)], -0.25),
    ("reversal_3y", 757, [(0, 80.0), (504, 120.0)], -0.5),
    ("low_volatility", 253, [(slice(100, None), 110.0)], -0.1 / np.sqrt(252)),  # one return of 0.1 and 251 of 0
    ("low_beta", 253, [(slice(100, None), 110.0)], -2.0),  # A moves 10 % once, B never: the market moves 5 %
    ("low_max_return", 253, [(slice(232, None), 110.0)], -0.1),  # the first of the 21 days
    ("low_max_return", 253, [(slice(231, None), 110.0)], 0.0),  # the day before them
    ("moving_average_crossover", 253, [(slice(248, None), 160.0)], 160 / 102 - 1),  # 100 + 5 x 60 / 150
    ("high_52w", 253, [(1, 125.0)], -0.2),  # the first of the 252 days
    ("high_52w", 253, [(0, 125.0)], 0.0),  # the day before them
]


@pytest.mark.parametrize(("model_id", "rows", "changed", "expected"), HAND_WORKED)
def test_signal_by_hand(model_id: str, rows: int, changed: list, expected: float) -> None:
    signals = PREDICT[model_id](two_stocks(rows, changed), np.array([rows - 1]))
    assert signals.shape == (1, 2)
    assert signals[0, 0] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert signals[0, 1] == 0.0


@pytest.mark.parametrize(
    ("model_id", "rows_needed"),
    [
        ("momentum_12_1", 252),
        ("momentum_6m", 126),
        ("reversal_1w", 5),
        ("reversal_1m", 21),
        ("reversal_3y", 756),
        ("low_volatility", 252),
        ("low_beta", 252),
        ("low_max_return", 21),
        ("moving_average_crossover", 149),
        ("high_52w", 251),
    ],
)
def test_signal_is_absent_with_one_day_too_few(model_id: str, rows_needed: int, history: PriceHistory) -> None:
    signals = PREDICT[model_id](history, np.array([rows_needed - 1, rows_needed]))
    assert np.isnan(signals[0]).all()
    assert not np.isnan(signals[1]).any()


def seasonal_history() -> PriceHistory:
    """A at 100 but for February 1990 at 110 and February 1991 at 120: two Februaries of +10 % and +20 %."""
    dates = pd.bdate_range("1990-01-01", "1992-03-31")
    prices = pd.DataFrame(100.0, index=dates, columns=["A", "B"])
    prices.loc["1990-02", "A"] = 110.0
    prices.loc["1991-02", "A"] = 120.0
    return PriceHistory.from_frame(prices)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("1991-01-18", np.nan),  # next Friday in January: January 1990 has no close before it
        ("1991-01-25", 0.10),  # next Friday in February: one earlier February
        ("1991-02-15", 0.10),  # the February that runs is not looked at
        ("1992-01-24", 0.0),  # next Friday 1992-01-31: one earlier January, flat
        ("1992-01-31", 0.15),  # next Friday in February: two earlier ones
        ("1992-02-28", (100 / 110 + 100 / 120) / 2 - 1),  # March follows
    ],
)
def test_same_month_seasonality_by_hand(day: str, expected: float) -> None:
    history = seasonal_history()
    position = np.flatnonzero(history.dates == np.datetime64(day))
    signals = PREDICT["same_month_seasonality"](history, position)
    assert signals[0, 0] == pytest.approx(expected, rel=1e-12, abs=1e-15, nan_ok=True)


def test_same_month_seasonality_equals_pandas(history: PriceHistory) -> None:
    prices = pd.DataFrame(history.prices, index=pd.DatetimeIndex(history.dates))
    monthly = prices.resample("ME").last().pct_change().iloc[1:]
    for number in (0, 5, 300, 900, 1668):
        target = pd.Timestamp(history.cycle_dates[number]).to_period("W-SUN").end_time.normalize() + pd.Timedelta("5D")
        assert target.day_name() == "Friday"
        index = pd.DatetimeIndex(monthly.index)
        earlier = monthly[(index.month == target.month) & (index.year < target.year)]
        signals = PREDICT["same_month_seasonality"](history, history.cycle_positions[[number]])[0]
        np.testing.assert_allclose(signals, earlier.mean().to_numpy(), rtol=1e-10)


def brute_force_ridge(history: PriceHistory, number: int) -> np.ndarray:
    """The fit of one cycle from scratch: least squares with the penalty as extra rows, on all cycles resolved by it."""
    X, y = [], []
    for past in range(number):
        values = factor_values(history, history.cycle_positions[[past]])[0]
        start, end = history.cycle_positions[past : past + 2]
        assert end <= history.cycle_positions[number]
        X.append((values - values.mean(axis=0)) / values.std(axis=0))
        y.append(history.prices[end] / history.prices[start] - 1)
        y[-1] = y[-1] - y[-1].mean()
    rows = np.vstack([*X, np.sqrt(1000) * np.eye(4)])
    coefficients = np.linalg.lstsq(rows, np.concatenate([*y, np.zeros(4)]), rcond=None)[0]
    today = factor_values(history, history.cycle_positions[[number]])[0]
    return (today - today.mean(axis=0)) / today.std(axis=0) @ coefficients


@pytest.mark.parametrize("number", [52, 53, 400, 1668])
def test_ridge_equals_a_fit_from_scratch_on_the_past_alone(history: PriceHistory, number: int) -> None:
    signals = PREDICT["ridge_on_factors"](history, history.cycle_positions[[number]])[0]
    np.testing.assert_allclose(signals, brute_force_ridge(history, number), rtol=1e-7, atol=1e-12)


def test_ridge_waits_for_52_known_outcomes(history: PriceHistory) -> None:
    signals = PREDICT["ridge_on_factors"](history, history.cycle_positions)
    assert np.isnan(signals[:52]).all()
    assert not np.isnan(signals[52:]).any()


def test_ridge_between_two_cycles_has_learned_only_from_those_before(history: PriceHistory) -> None:
    cycle = history.cycle_positions[400]
    before, at = np.array([cycle - 1]), np.array([cycle])
    changed = history.prices.copy()
    changed[cycle] *= np.linspace(0.9, 1.1, 20)
    revised = PriceHistory(history.dates, history.tickers, changed)
    ridge = PREDICT["ridge_on_factors"]
    assert ridge(history, before).tolist() == ridge(revised, before).tolist()
    assert ridge(history, at).tolist() != ridge(revised, at).tolist()


def test_ridge_leaves_out_a_stock_without_history_and_still_rates_the_others(history: PriceHistory) -> None:
    prices = history.prices.copy()
    prices[:2000, 3] = np.nan
    listed_later = PriceHistory(history.dates, history.tickers, prices)
    numbers = np.array([100, 1000])
    signals = PREDICT["ridge_on_factors"](listed_later, history.cycle_positions[numbers])
    assert np.isnan(signals[0]).tolist() == [number == 3 for number in range(20)]
    assert not np.isnan(signals[1]).any()


def test_ridge_on_prices_that_never_move_says_nothing() -> None:
    history = two_stocks(700, [])
    signals = PREDICT["ridge_on_factors"](history, history.cycle_positions)
    assert np.isnan(signals).all()


def test_random_signal_of_a_stock_and_day_does_not_depend_on_the_other_stocks(history: PriceHistory) -> None:
    positions = history.cycle_positions[[3, 900]]
    order = [7, 2, 11]
    fewer = PriceHistory(history.dates, tuple(history.tickers[i] for i in order), history.prices[:, order])
    everything = PREDICT["random_seeded"](history, positions)
    assert PREDICT["random_seeded"](fewer, positions).tolist() == everything[:, order].tolist()


def test_random_signals_are_uniform_and_all_different(history: PriceHistory) -> None:
    signals = PREDICT["random_seeded"](history, history.cycle_positions)
    assert len(np.unique(signals)) == signals.size
    assert stats.kstest(signals.ravel(), "uniform").pvalue > 0.01
    between_stocks = np.corrcoef(signals.T)[np.triu_indices(20, 1)]
    assert np.abs(between_stocks).max() < 4 / np.sqrt(1669)


def test_random_model_has_no_skill(history: PriceHistory) -> None:
    signals = PREDICT["random_seeded"](history, history.cycle_positions)[:-1]
    ics = [stats.spearmanr(*pair).statistic for pair in zip(signals, history.outcomes[:-1], strict=True)]
    assert len(ics) == 1668
    assert abs(stats.ttest_1samp(ics, 0.0).statistic) < 2


def test_constant_model_is_constant(history: PriceHistory) -> None:
    assert np.unique(PREDICT["constant"](history, history.cycle_positions)).tolist() == [1.0]
