"""Latent ability: what is recovered of simulated models, how often intervals hold it, who has none, real figures."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logit

from pipeline.rankings import Parsed
from pipeline.rankings.ability import NO_FIGURES, NOT_CONNECTED, Ability, fit_ability
from pipeline.rankings.rank_ranges import rank_range_by_leaving_out, rank_range_of_comparisons, rank_range_of_intervals
from pipeline.rankings.sources.epoch import Epoch
from pipeline_tests.rankings.simulated import Design
from pipeline_tests.rankings.sources.samples import real

NAN = np.nan


def assert_same(found: Ability, other: Ability, models=slice(None), benchmarks=slice(None)) -> None:
    """The first has what the second has at these places, but for rounding that ends the estimation a round earlier."""
    for name in ("value", "se", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name)[models], atol=2e-3, err_msg=name)
    for name in ("difficulty", "slope", "misfit"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name)[benchmarks], rtol=1e-3, err_msg=name)
    assert found.reason.tolist() == other.reason[models].tolist()


def test_simulated_abilities_and_curves_are_recovered() -> None:
    design = Design(models=200, benchmarks=8, figures=8, items=1000)
    simulated = design.simulate(1)
    found = fit_ability(simulated.shares, design.items)
    there = found.n_benchmarks > 4
    assert found.is_converged
    assert np.median(np.abs(found.value - simulated.ability)[there]) < 1.5
    assert np.corrcoef(found.value[there], simulated.ability[there])[0, 1] > 0.985
    np.testing.assert_allclose(found.difficulty, simulated.difficulty, atol=2.5)
    np.testing.assert_allclose(found.slope / simulated.slope, 1, atol=0.15)


@pytest.mark.parametrize(
    "design",
    [
        Design(),
        Design(errors="log_odds"),
        Design(figures=2),
        Design(models=300, benchmarks=30, figures=5),
        Design(models=60, benchmarks=5, figures=3, items=100),
        Design(spread=3.0),
    ],
    ids=str,
)
def test_95_percent_intervals_hold_about_95_percent_of_abilities(design: Design) -> None:
    holds = []
    for seed in range(12):
        simulated = design.simulate(seed)
        found = fit_ability(simulated.shares, design.items)
        there = np.array([reason is None for reason in found.reason])
        held = (found.low <= simulated.ability) & (simulated.ability <= found.high)
        holds.extend(held[there])
    assert len(holds) > 0.9 * 12 * design.models
    assert 0.915 <= np.mean(holds) <= 0.98


@pytest.mark.parametrize("design", [Design(), Design(errors="log_odds"), Design(figures=2)], ids=str)
def test_of_two_models_the_wrong_one_is_seldom_surely_above(design: Design) -> None:
    right, wrong, pairs, held = 0, 0, 0, []
    for seed in range(12):
        simulated = design.simulate(seed)
        found = fit_ability(simulated.shares, design.items)
        there = np.array([reason is None for reason in found.reason])
        above, truly = found.surely_above(), simulated.ability[:, None] > simulated.ability
        right, wrong, pairs = (
            right + (above & truly).sum(),
            wrong + (above & ~truly).sum(),
            pairs + there.sum() ** 2 / 2,
        )
        ranks = stats.rankdata(-simulated.ability[there], method="min")
        ranges = rank_range_of_comparisons(above, there)
        held.extend((ranges.lo[there] <= ranks) & (ranks <= ranges.hi[there]))
    assert wrong / pairs < 0.01
    assert right / pairs > 0.4
    assert np.mean(held) > 0.95


def test_differences_are_compared_by_their_own_standard_errors() -> None:
    found = fit_ability(Design(models=30, benchmarks=5).simulate(11).shares, 164)
    covariance = np.diag(found.own_variance) + found.moved @ found.of_curves @ found.moved.T
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), found.se)
    above = found.surely_above(0.8)
    for one, other in np.argwhere(~np.eye(30, dtype=bool)):
        error = np.sqrt(covariance[one, one] + covariance[other, other] - 2 * covariance[one, other])
        t = (found.value[one] - found.value[other]) / error
        assert above[one, other] == (t > stats.t(10).ppf(0.9))


def test_a_model_without_an_ability_is_above_nobody() -> None:
    found = fit_ability([[90.0, 95.0], [5.0, 10.0], [NAN, NAN]])
    assert found.surely_above().tolist() == [[False, True, False], [False] * 3, [False] * 3]


def test_ability_is_the_mean_log_odds_over_benchmarks() -> None:
    found = fit_ability(Design().simulate(2).shares)
    np.testing.assert_allclose(logit(found.expected() / 100).mean(axis=1), (found.value - 100) / 10)


def test_intervals_are_those_of_the_level() -> None:
    shares = Design().simulate(3).shares
    found, wider = fit_ability(shares), fit_ability(shares, level=0.99)
    np.testing.assert_allclose((found.high - found.low) / 2, stats.t(10).ppf(0.975) * found.se)
    np.testing.assert_allclose((wider.high - wider.low) / 2, stats.t(10).ppf(0.995) * found.se)
    np.testing.assert_allclose((found.high + found.low) / 2, found.value)


@given(st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_order_changes_nothing(random) -> None:
    design = Design(models=40, benchmarks=6)
    shares = design.simulate(4).shares
    models, benchmarks = random.sample(range(40), 40), random.sample(range(6), 6)
    turned = fit_ability(shares[np.ix_(models, benchmarks)], design.items)
    assert_same(turned, fit_ability(shares, design.items), models, benchmarks)


def test_benchmarks_and_models_without_figures_change_nothing() -> None:
    shares = Design(models=40, benchmarks=6).simulate(5).shares
    whole = np.full((41, 7), NAN)
    whole[:40, :6] = shares
    found = fit_ability(whole)
    assert_same(fit_ability(shares), found, slice(40), slice(6))
    assert (found.reason[40], found.n_benchmarks[40], found.n_models[6]) == (NO_FIGURES, 0, 0)
    assert np.isnan([found.value[40], found.low[40], found.difficulty[6], found.slope[6], found.misfit[6]]).all()


@given(st.integers(0, 39), st.floats(1, 60), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_higher_shares_never_mean_a_lower_ability(model: int, more: float, seed: int) -> None:
    shares = Design(models=40, benchmarks=6).simulate(seed).shares
    better = shares.copy()
    better[model] = np.minimum(100, better[model] + more)
    assert fit_ability(better).value[model] >= fit_ability(shares).value[model] - 2e-3


def test_a_share_of_more_items_counts_for_more() -> None:
    shares = Design(models=60, benchmarks=4, figures=8, items=5000).simulate(6).shares
    shares[0] = [90.0, 10.0, NAN, NAN]
    few = np.full(shares.shape, 5000.0)
    few[0, 1] = 4
    many = few.copy()
    many[0, 0], many[0, 1] = 4, 5000
    assert fit_ability(shares, few).value[0] > fit_ability(shares, many).value[0] + 5
    few[1] = 20
    assert fit_ability(shares, few).se[1] > 1.5 * fit_ability(shares, many).se[1]


def test_unknown_numbers_of_items_are_none() -> None:
    shares = Design(models=40, benchmarks=6).simulate(7).shares
    assert_same(fit_ability(shares, np.full(shares.shape, NAN)), fit_ability(shares))


def test_without_a_chain_of_common_benchmarks_there_is_no_ability() -> None:
    shares = np.full((7, 4), NAN)
    shares[:4, :2] = [[20, 30], [50, 60], [70, 70], [80, 95]]
    shares[4:6, 2:] = [[50, 60], [10, 20]]
    found = fit_ability(shares)
    assert found.reason.tolist() == [None] * 4 + [NOT_CONNECTED] * 2 + [NO_FIGURES]
    assert np.isnan(found.value).tolist() == [False] * 4 + [True] * 3
    assert np.isnan(found.difficulty).tolist() == [False, False, True, True]
    assert_same(fit_ability(shares[:4, :2]), found, slice(4), slice(2))

    shares[4, 0] = 60  # a model that is on both sides connects all
    assert fit_ability(shares).reason.tolist() == [None] * 6 + [NO_FIGURES]


def test_of_two_sets_of_as_many_models_the_one_of_more_figures_is_compared() -> None:
    shares = [[50.0, NAN, NAN], [60.0, NAN, NAN], [NAN, 40.0, 30.0], [NAN, 80.0, 70.0]]
    assert fit_ability(shares).reason.tolist() == [NOT_CONNECTED, NOT_CONNECTED, None, None]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_no_figures_are_no_abilities(shape: tuple[int, int]) -> None:
    found = fit_ability(np.full(shape, NAN))
    assert found.reason.tolist() == [NO_FIGURES] * shape[0]
    assert np.isnan(found.value).all()
    assert len(found.difficulty) == shape[1]


def test_a_model_of_one_figure_is_less_sure_than_one_of_many() -> None:
    shares = Design(models=100, benchmarks=8, figures=20).simulate(8).shares
    shares[0, 1:] = NAN
    found = fit_ability(shares, 164)
    assert found.se[0] > 1.5 * np.median(found.se)


def test_a_single_figure_is_as_unsure_as_figures_typically_are() -> None:
    found = fit_ability([[60.0]])
    np.testing.assert_allclose(found.value, 100 + 10 * logit(0.6), atol=0.1)
    np.testing.assert_allclose(found.misfit, 5, atol=0.1)
    assert found.se[0] == pytest.approx(10 * 0.05 / (0.6 * 0.4), rel=0.1)


def test_equal_models_have_equal_abilities_and_equal_benchmarks_equal_curves() -> None:
    found = fit_ability(np.full((5, 3), 50.0))
    np.testing.assert_allclose(found.value, 100)
    np.testing.assert_allclose(found.difficulty, 100)
    np.testing.assert_allclose(found.slope, found.slope[0])
    np.testing.assert_allclose(found.misfit, found.misfit[0])


def test_models_that_solve_all_or_nothing_are_at_the_ends_and_unsure() -> None:
    shares = Design(models=40, benchmarks=6, figures=10).simulate(9).shares
    shares[0], shares[1] = 100, 0
    found = fit_ability(shares, 164)
    assert np.isfinite(found.value).all()
    assert (found.value[0], found.value[1]) == (found.value.max(), found.value.min())
    assert found.se[:2].min() > 2 * np.median(found.se)


@pytest.mark.parametrize("share", [0.0, 100.0])
def test_a_benchmark_that_everybody_solves_or_nobody_tells_nothing(share: float) -> None:
    shares = Design(models=40, benchmarks=6, figures=10).simulate(10).shares
    more = np.hstack([shares, np.full((40, 1), share)])
    found, before = fit_ability(more, 164), fit_ability(shares, 164)
    assert np.isfinite(found.value).all()
    assert stats.spearmanr(found.value, before.value).statistic > 0.99
    assert (found.difficulty[6] < found.value.min()) == (share == 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([50.0, 60.0],), "shares have shape (2,); give a matrix of models by benchmarks"),
        (([[50.0], [101.0]],), "the share of model 1 on benchmark 0 is 101; give percent from 0 to 100"),
        (([[50.0, -0.5]],), "the share of model 0 on benchmark 1 is -0.5; give percent"),
        (([[np.inf]],), "the share of model 0 on benchmark 0 is inf; give percent"),
        (([[50.0, 60.0]], [[10.0], [20.0]]), "n_items has shape (2, 1), shares have (1, 2)"),
        (([[50.0, 60.0]], [[10.0, 0.0]]), "n_items of model 0 on benchmark 1 is 0; give a number above 0"),
    ],
)
def test_what_is_no_share_is_refused(arguments, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        fit_ability(*arguments)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, NAN])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match=f"level is {level}; give one within 0 and 1"):
        fit_ability([[50.0]], level=level)
    with pytest.raises(ValueError, match=f"level is {level}; give one within 0 and 1"):
        fit_ability([[50.0]]).surely_above(level)


class RealFigures:
    """Headline figures of a source with the items that their errors stand for, as matrices."""

    def __init__(self, parsed: Parsed) -> None:
        used = [each for each in parsed.results if each.measure == "score" and each.value is not None]
        self.models = sorted({each.raw_name for each in used})
        self.benchmarks = sorted({each.benchmark for each in used})
        self.shares, self.n_items = np.full((2, len(self.models), len(self.benchmarks)), NAN)
        for each in used:
            place = self.models.index(each.raw_name), self.benchmarks.index(each.benchmark)
            self.shares[place] = each.value
            if each.se and 0 < each.value < 100:
                self.n_items[place] = each.value * (100 - each.value) / each.se**2

    def score(self, shares: np.ndarray) -> np.ndarray:
        return fit_ability(shares, self.n_items).value


@pytest.fixture(scope="module")
def epoch() -> RealFigures:
    return RealFigures(Epoch().parse(real("epoch")))


def test_real_generations_of_models_come_in_their_order(epoch: RealFigures) -> None:
    found = fit_ability(epoch.shares, epoch.n_items)
    generations = [
        ["gpt-3.5-turbo-0125", "gpt-4-0613", "gpt-4o-2024-05-13", "o1-2024-12-17_medium", "gpt-5-2025-08-07_high"],
        ["claude-2.0", "claude-3-opus-20240229", "claude-3-5-sonnet-20240620", "claude-3-7-sonnet-20250219_64K"],
        ["Llama-2-70b-chat-hf", "Meta-Llama-3-70B-Instruct", "Llama-3.1-405B-Instruct"],
        ["gpt-5-nano-2025-08-07_high", "gpt-5-mini-2025-08-07_high", "gpt-5-2025-08-07_high"],
    ]
    for generation in generations:
        values = [found.value[epoch.models.index(name)] for name in generation]
        assert values == sorted(values), generation
    assert {reason for reason in found.reason} == {None}
    newest, oldest = (epoch.models.index(name) for name in ("gpt-5-2025-08-07_high", "gpt-3.5-turbo-0125"))
    assert found.low[newest] > found.high[oldest]


def test_real_abilities_go_with_mean_ranks(epoch: RealFigures) -> None:
    found = fit_ability(epoch.shares, epoch.n_items)
    ranks = stats.rankdata(epoch.shares, axis=0, nan_policy="omit")
    share_below = np.nanmean((ranks - 0.5) / found.n_models, axis=1)
    several = found.n_benchmarks >= 2
    assert several.sum() > 100
    assert stats.spearmanr(found.value[several], share_below[several]).statistic > 0.95


def test_real_ranks_lie_within_the_ranges_of_intervals_and_of_leaving_out(epoch: RealFigures) -> None:
    found = fit_ability(epoch.shares, epoch.n_items)
    enough = found.n_benchmarks >= 2
    ranks = np.where(enough, stats.rankdata(np.where(enough, -found.value, NAN), method="min", nan_policy="omit"), 0)
    of_intervals = rank_range_of_intervals(np.where(enough, found.low, NAN), np.where(enough, found.high, NAN))
    of_comparisons = rank_range_of_comparisons(found.surely_above(), enough)
    for ranges in (of_intervals, of_comparisons):
        assert (ranges.lo <= ranks).all()
        assert (ranks <= ranges.hi).all()
    assert np.median((of_comparisons.hi - of_comparisons.lo)[enough]) < 40
    groups = ["tables" if name == "epoch_livebench" else name.split("_")[1] for name in epoch.benchmarks]
    left_out = rank_range_by_leaving_out(epoch.shares, groups, epoch.score, min_benchmarks=2)
    has = left_out.lo > 0
    assert has.sum() > 100
    assert (left_out.lo <= ranks)[has].all()
    assert (ranks <= left_out.hi)[has].all()
    assert 0 < np.median((left_out.hi - left_out.lo)[has]) < 20
