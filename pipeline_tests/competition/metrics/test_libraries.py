"""Every metric that an independent library defines too: the same numbers, per cycle and model, and the same NULLs.

On drawn data always; on the signals of the M6 competition and of the FluSight hub (real gaps) where the shared data is.
Where a library says something else of a case that Podium leaves undefined, the test says so. The panels need 2 pairs
only, as the libraries do.
"""

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import empyrical
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from alphalens import performance
from numerai_tools import scoring
from scipy import stats

from pipeline.competition import Panel
from pipeline.competition.metrics import METRICS, mmc, sharpe
from pipeline_tests.competition.contests import NAN
from pipeline_tests.conftest import SHARED_DATA

Floats = npt.NDArray[np.float64]
M6_FACTORS = ["momentum_12_1", "reversal_20d", "vol_60d", "beta_252d"]


def shared(name: str) -> pd.DataFrame:
    """A table of the shared data; the test is skipped where it is not there."""
    path: Path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return pd.read_parquet(path)


def drawn() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Signals with ties, gaps, a constant model and one that misses cycles; outcomes with gaps; factors."""
    random = np.random.default_rng(0)
    names = ["model_id", "cycle", "subject"]
    cycles = pd.date_range("2024-01-05", periods=9, freq="7D")
    keys = pd.MultiIndex.from_product(
        [[f"m{n}" for n in range(6)], cycles, [f"s{n:02}" for n in range(40)]], names=names
    )
    signals = pd.DataFrame({"value": np.round(random.normal(size=len(keys)), 1)}, index=keys).reset_index()
    signals.loc[signals["model_id"] == "m0", "value"] = 0.5
    signals = signals[random.random(len(signals)) < 0.9]
    signals = signals[(signals["model_id"] != "m5") | ~signals["cycle"].isin(cycles[[2, 6]])]
    outcomes = pd.DataFrame(index=keys.droplevel("model_id").unique()).reset_index()
    outcomes["value"] = np.round(random.normal(scale=0.05, size=len(outcomes)), 2)
    factors = outcomes[["cycle", "subject"]].merge(pd.DataFrame({"factor": ["size", "beta"]}), how="cross")
    factors["value"] = np.round(random.normal(size=len(factors)), 1)
    return signals, outcomes[random.random(len(outcomes)) < 0.95], factors


def m6() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """18 models, 24 cycles, 100 assets, complete but for 3 returns; four factors with gaps."""
    signals, outcomes, factors = (shared(f"m6/{name}.parquet") for name in ("predictions", "outcomes", "factors"))
    keys = {"asset": "subject"}
    long = factors.melt(["cycle", "asset"], M6_FACTORS, "factor", "value")
    return (
        signals.rename(columns={**keys, "signal": "value"})[["model_id", "cycle", "subject", "value"]],
        outcomes.rename(columns={**keys, "realized_return": "value"})[["cycle", "subject", "value"]].dropna(),
        long.rename(columns=keys).dropna(),
    )


def flusight() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """48 models, 27 cycles, 52 places, with the gaps of the hub; no factors."""
    rows = shared("flusight/small/signals_2024-25_h1.parquet").rename(columns={"asset": "subject"})
    outcomes = rows.groupby(["cycle", "subject"], as_index=False).agg(value=("realized", "first"))
    signals = rows.rename(columns={"signal": "value"})[["model_id", "cycle", "subject", "value"]]
    return signals, outcomes, pd.DataFrame(columns=["cycle", "subject", "factor", "value"])


@cache
def panel_of(data: Callable[[], tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]) -> Panel:
    """The panel, put together without the code that is tested elsewhere."""
    signals, outcomes, factors = (rows.assign(cycle=pd.to_datetime(rows["cycle"])) for rows in data())
    models, cycles = sorted(signals["model_id"].unique()), sorted(signals["cycle"].unique())
    subjects = sorted({*signals["subject"], *outcomes["subject"]})
    keys = pd.MultiIndex.from_product([cycles, models, subjects])
    cube = signals.set_index(["cycle", "model_id", "subject"])["value"].reindex(keys).to_numpy()
    cube = cube.reshape(len(cycles), len(models), len(subjects))
    grid = pd.MultiIndex.from_product([cycles, subjects])
    of_factors = [
        rows.set_index(["cycle", "subject"])["value"].astype(float).reindex(grid).to_numpy().reshape(len(cycles), -1)
        for _, rows in factors.groupby("factor")
    ]
    return Panel(
        cycles=np.array(cycles, dtype="datetime64[us]"),
        horizons=np.ones(len(cycles), dtype=np.int64),
        models=np.array(models, dtype=object),
        subjects=np.array(subjects, dtype=object),
        signals=cube,
        outcomes=outcomes.set_index(["cycle", "subject"])["value"].reindex(grid).to_numpy().reshape(len(cycles), -1),
        scores=np.full(cube.shape, NAN),
        min_subjects=2,
        factors=np.stack(of_factors, axis=-1) if of_factors else None,
        previous=np.concatenate([np.full((1, *cube.shape[1:]), NAN), cube[:-1]]),
    )


@pytest.fixture(params=[drawn, m6, flusight], ids=lambda data: data.__name__)
def panel(request: pytest.FixtureRequest) -> Panel:
    """Each of the three contests."""
    return panel_of(request.param)


def over(name: str, panel: Panel) -> Floats:
    return METRICS.get(name).over_panel(panel).value


def pairs(panel: Panel) -> Iterator[tuple[tuple[int, int], Floats, Floats]]:
    """(cycle, model), its signals and their outcomes, where there are at least two pairs."""
    for place in np.ndindex(panel.shape[:2]):
        paired = ~np.isnan(panel.signals[place]) & ~np.isnan(panel.outcomes[place[0]])
        if paired.sum() >= 2:
            yield place, panel.signals[place][paired], panel.outcomes[place[0]][paired]


def assert_same(found: Floats, expected: Floats) -> None:
    """To 1e-9, undefined at the same places, and somewhere defined."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert np.isfinite(found).mean() > 0.3


def factor_data(panel: Panel, model: int, *, paired: bool) -> pd.DataFrame:
    """One model's rows as alphalens takes them: all it submitted, or those with an outcome."""
    cycle, subject = np.nonzero(panel.paired[:, model] if paired else panel.submitted[:, model])
    index = pd.MultiIndex.from_arrays([panel.cycles[cycle], panel.subjects[subject]], names=["date", "asset"])
    return pd.DataFrame(
        {"1D": panel.outcomes[cycle, subject], "factor": panel.signals[cycle, model, subject]}, index=index
    )


def by_alphalens(panel: Panel, function: Callable[[pd.DataFrame], pd.Series], *, paired: bool = True) -> Floats:
    """A function of alphalens on each model; NaN for a cycle that it does not have."""
    found = np.full(panel.shape[:2], NAN)
    for model in range(panel.shape[1]):
        rows = factor_data(panel, model, paired=paired)
        if len(rows):
            with warnings.catch_warnings(action="ignore"):
                found[:, model] = function(rows).reindex(pd.DatetimeIndex(panel.cycles)).to_numpy()
    return found


class TestScipy:
    def test_ic_is_spearmans_correlation(self, panel: Panel) -> None:
        expected = np.full(panel.shape[:2], NAN)
        with warnings.catch_warnings(action="ignore"):  # of constant models, whose correlation is NaN there too
            for place, signals, outcomes in pairs(panel):
                expected[place] = stats.spearmanr(signals, outcomes).statistic
        assert_same(over("ic", panel), expected)

    def test_model_correlation_is_the_mean_of_spearmans_over_pairs_where_coverage_is_complete(self) -> None:
        """Where it is not, the ratio of sums differs from any mean over pairs: that is tested by its definition."""
        for data in (drawn, m6):
            if data is m6:
                given = panel_of(data)
            else:
                whole = panel_of(data)
                complete = np.random.default_rng(0).normal(size=whole.shape)
                given = replace(whole, signals=complete)
            expected = np.full(given.shape[:2], NAN)
            for cycle in range(given.shape[0]):
                matrix = stats.spearmanr(given.signals[cycle].T).statistic
                expected[cycle] = (matrix.sum(axis=1) - 1) / (len(matrix) - 1)
            assert_same(over("model_correlation", given), expected)


class TestAlphalens:
    def test_ic_is_the_information_coefficient(self, panel: Panel) -> None:
        expected = by_alphalens(panel, lambda rows: performance.factor_information_coefficient(rows)["1D"])
        assert_same(over("ic", panel), expected)

    def test_mean_return_is_the_return_of_the_factor_portfolio(self, panel: Panel) -> None:
        """A constant signal, or a single one, is a portfolio of nothing: 0 there, undefined here."""
        expected = by_alphalens(panel, lambda rows: performance.factor_returns(rows)["1D"])
        found = over("mean_return", panel)
        constant = np.full(panel.shape[:2], True)
        for place, signals, _ in pairs(panel):
            constant[place] = np.ptp(signals) == 0
        np.testing.assert_array_equal(np.nan_to_num(expected[constant]), 0.0)
        assert_same(found, np.where(constant, NAN, expected))

    def test_turnover_is_half_of_what_the_weights_of_the_factor_portfolio_change(self, panel: Panel) -> None:
        """Weights of a model's own previous date there, of the competition's previous cycle here."""
        found, expected = over("turnover", panel), np.full(panel.shape[:2], NAN)
        for model in range(panel.shape[1]):
            weights = performance.factor_weights(factor_data(panel, model, paired=False))
            by_cycle = {date: rows.droplevel("date") for date, rows in weights.groupby(level="date")}
            for cycle, (before, now) in enumerate(itertools.pairwise(pd.DatetimeIndex(panel.cycles)), start=1):
                if before in by_cycle and now in by_cycle:
                    both = pd.concat([by_cycle[before], by_cycle[now]], axis=1).fillna(0.0)
                    if (both.abs().sum() > 0).all():
                        expected[cycle, model] = (both.iloc[:, 0] - both.iloc[:, 1]).abs().sum() / 2
        assert_same(found, expected)

    def test_rank_turnover_is_one_minus_the_rank_autocorrelation(self, panel: Panel) -> None:
        """Of the competition's previous cycle here; of a model's previous date there, whatever lies between."""
        expected = 1 - by_alphalens(panel, performance.factor_rank_autocorrelation, paired=False)
        present = panel.submitted.any(axis=2)
        before = np.concatenate([np.zeros((1, panel.shape[1]), dtype=bool), present[:-1]])
        assert_same(over("rank_turnover", panel), np.where(before, expected, NAN))


class TestNumeraiTools:
    def test_numerai_corr(self, panel: Panel) -> None:
        def scored(cycle: int, predictions: pd.DataFrame) -> "pd.Series[float]":
            # Their limit on subjects that are missing is for their own contest.
            return scoring.numerai_corr(predictions, named(panel.outcomes[cycle]), 1.0)

        assert_same(over("numerai_corr", panel), by_numerai(panel, scored))

    def test_meta_model_contribution(self, panel: Panel) -> None:
        """They count outcomes as bins of quarters if a model's lie in [0, 1]; Podium, if all of the cycle do."""
        ranks = pd.DataFrame(panel.submitted_ranks.reshape(-1, panel.shape[2])).T.rank(pct=True).T.to_numpy()
        with warnings.catch_warnings(action="ignore"):
            meta = np.nanmean(ranks.reshape(panel.shape), axis=1)

        def scored(cycle: int, predictions: pd.DataFrame) -> "pd.Series[float]":
            outcomes = named(panel.outcomes[cycle]).dropna()
            predictions = predictions.loc[predictions.index.intersection(outcomes.index)]
            theirs, others = outcomes[predictions.index], named(meta[cycle])[predictions.index]
            return scoring.correlation_contribution(predictions, others, theirs) * bins(outcomes) / bins(theirs)

        assert_same(mmc(panel.signals, meta, panel.outcomes), by_numerai(panel, scored))

    @pytest.mark.parametrize("data", [drawn, m6], ids=lambda data: data.__name__)
    def test_fnc_is_spearmans_correlation_of_ranks_neutralised(
        self, data: Callable[[], tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]
    ) -> None:
        """Their feature_neutral_corr takes Gaussian ranks and their own correlation; the neutralising is the same.

        What they leave of equal subjects differs by rounding, which Podium takes for equal.
        """
        panel = panel_of(data)
        assert panel.factors is not None
        expected = np.full(panel.shape[:2], NAN)
        for place in np.ndindex(panel.shape[:2]):
            factors = panel.factors[place[0]]
            rows = np.column_stack([panel.signals[place], factors, panel.outcomes[place[0]]])
            rows = rows[~np.isnan(rows).any(axis=1)]
            if len(rows) >= 2 * factors.shape[1] + 5 and np.ptp(rows[:, 0]) > 0:
                shares = pd.DataFrame(rows).rank().sub(0.5).div(len(rows))
                residual = scoring.neutralize(shares[[0]], shares.iloc[:, 1:-1])[0]
                if residual.var() >= 0.01 * shares[0].var():
                    expected[place] = stats.spearmanr(residual.round(10), rows[:, -1]).statistic
        assert_same(over("fnc", panel), expected)


class TestEmpyrical:
    def each(self, series: Floats, function: Callable[..., float], **settings: object) -> Floats:
        """A function of empyrical on each model's cycles; NaN for a model without any."""
        return np.array([function(pd.Series(one).dropna(), **settings) for one in series.T])

    def test_max_drawdown(self, panel: Panel) -> None:
        """A return below -1, as of growth in logarithms, loses all here and more than all there."""
        returns = over("mean_return", panel)
        expected = self.each(returns, empyrical.max_drawdown)
        assert_same(of_series("max_drawdown", returns), np.maximum(expected, -1.0))

    def test_sortino_ratio(self, panel: Panel) -> None:
        """Without a losing cycle it is infinite there, undefined here."""
        returns = over("mean_return", panel)
        with warnings.catch_warnings(action="ignore"):
            expected = self.each(returns, empyrical.sortino_ratio, annualization=1)
        assert_same(of_series("sortino_ratio", returns), np.where(np.isinf(expected), NAN, expected))

    def test_sharpe_ratio_of_the_ic(self, panel: Panel) -> None:
        ic = over("ic", panel)
        with warnings.catch_warnings(action="ignore"):
            expected = self.each(ic, empyrical.sharpe_ratio, annualization=1)
        assert_same(sharpe(ic).influence.value, np.where(np.isfinite(expected), expected, NAN))


def of_series(name: str, series: Floats) -> Floats:
    function = METRICS.get(name).of_series
    assert function is not None
    return np.asarray(function(series).influence.value)


def named(values: Floats) -> "pd.Series[float]":
    return pd.Series(values, index=[f"s{place:03}" for place in range(len(values))], name="target")


def bins(outcomes: "pd.Series[float]") -> float:
    return 4.0 if outcomes.between(0, 1).all() else 1.0


def by_numerai(panel: Panel, scored: Callable[[int, pd.DataFrame], "pd.Series[float]"]) -> Floats:
    """A score of each model and cycle; those that have the same subjects are scored at once, constant ones never."""
    found = np.full(panel.shape[:2], NAN)
    alike: dict[tuple[int, bytes], list[int]] = {}
    for (cycle, model), signals, _ in pairs(panel):
        if np.ptp(signals) > 0:
            alike.setdefault((cycle, panel.submitted[cycle, model].tobytes()), []).append(model)
    for (cycle, _), models in alike.items():
        predictions = pd.concat([named(panel.signals[cycle, model]).rename(model) for model in models], axis=1).dropna()
        found[cycle, models] = scored(cycle, predictions)[models].to_numpy()
    return found


def test_the_drawn_data_has_what_makes_definitions_differ() -> None:
    panel = panel_of(drawn)
    assert np.isnan(panel.signals).any()
    assert np.isnan(panel.outcomes).any()
    assert not panel.submitted.any(axis=2).all()
    assert np.isnan(over("ic", panel)[:, 0]).all()
