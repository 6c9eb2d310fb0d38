"""Correlations of two rankings of the same runs."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import CorrelationMethod, correlate
from pipeline.leaderboard.correlation import COEFFICIENTS
from pipeline_tests.leaderboard.correlation import plain_rankings as plain

NAN = float("nan")
PLAIN: dict[str, Callable[[list[float], list[float]], float]] = {
    "kendall": lambda x, y: float(stats.kendalltau(x, y).statistic),
    "spearman": lambda x, y: float(stats.spearmanr(x, y).statistic),
    "pearson": lambda x, y: float(stats.pearsonr(x, y).statistic),
    "tau_ap_b": plain.tau_ap_b,
    "tau_gap": plain.tau_gap,
    "rbo": lambda x, y: plain.rbo_b(x, y, 0.9),
    "rbo_a(p=0.6)": lambda x, y: plain.rbo_a(x, y, 0.6),
}
SYMMETRIC = ["kendall", "spearman", "pearson", "tau_ap_b", "rbo", "rbo_a"]


def value(truth: object, judge: object, method: str) -> float:
    return float(correlate(np.array(truth)[None], np.array(judge)[None], method).value[0, 0])


def reason(truth: object, judge: object, method: str = "kendall") -> str | None:
    found = correlate(np.array(truth, dtype=float)[None], np.array(judge, dtype=float)[None], method)
    assert np.isnan(found.value[0, 0]) == (found.reason[0, 0] is not None)
    return found.reason[0, 0]  # type: ignore[no-any-return]


@st.composite
def two_rankings(draw: st.DrawFn, most: int = 6, levels: int = 4) -> tuple[list[float], list[float]]:
    """Values of 3 runs or more on two measures, often tied, not all of them."""
    n = draw(st.integers(3, most))
    of_runs = st.lists(st.integers(0, levels).map(float), min_size=n, max_size=n)
    truth, judge = draw(of_runs), draw(of_runs)
    assume(len(set(truth)) > 1 and len(set(judge)) > 1)
    return truth, judge


# By hand


@pytest.mark.parametrize(
    ("method", "judge", "expected"),
    [
        # The truth sets a, b, c and d at 10, 6, 5 and 0.
        ("tau_ap", [3, 4, 2, 1], 1 / 3),  # b a c d: shares of pivots 0, 1, 1
        ("tau_ap", [4, 3, 1, 2], 7 / 9),  # a b d c: 1, 1, 2/3; the same mistake lower down costs less
        ("tau_ap_a", [4, 3, 1, 1], 8 / 9),  # the mean of a b c d (1) and a b d c (7/9)
        ("tau_ap_b", [4, 3, 1, 1], (1 + 7 / 9) / 2),  # the judge says nothing of c and d; to the truth it misses one
        ("tau_gap", [3, 4, 2, 1], 1 / 3),  # pivots a 0/4, c 6/6, d 21/21
        ("tau_gap", [4, 2, 3, 1], 13 / 15),  # a c b d: 5/5, 4/5, 21/21: the gap of b and c is small
        ("rbo(p=0.5)", [3, 4, 2, 1], 0.5),  # agreement 0, 1, 1, 1
        ("rbo_a(p=0.5)", [4, 4, 2, 1], 0.75),  # agreement 1/2, 1, 1, 1
        ("rbo(p=0.5)", [4, 4, 2, 1], 0.5 + 0.5 / np.sqrt(2)),  # agreement 1/sqrt(2), 1, 1, 1
        ("kendall", [4, 3, 1, 1], 5 / np.sqrt(6 * 5)),
    ],
)
def test_coefficients_worked_by_hand(method: str, judge: list[float], expected: float) -> None:
    assert value([10.0, 6.0, 5.0, 0.0], judge, method) == pytest.approx(expected, abs=1e-12)


# Against the definitions, and scipy


@pytest.mark.parametrize("method", PLAIN)
@given(rankings=two_rankings())
def test_coefficients_equal_their_definition_with_ties(method: str, rankings: tuple[list[float], list[float]]) -> None:
    truth, judge = rankings
    assert value(truth, judge, method) == pytest.approx(PLAIN[method](truth, judge), abs=1e-9)


@given(two_rankings(), st.randoms(use_true_random=False))
def test_ap_correlation_of_a_tied_judge_is_the_mean_over_all_orders(
    rankings: tuple[list[float], list[float]], random: object
) -> None:
    truth = [float(run) for run in range(len(rankings[0]))]
    random.shuffle(truth)  # type: ignore[attr-defined]
    assert value(truth, rankings[1], "tau_ap_a") == pytest.approx(plain.tau_ap_a(truth, rankings[1]), abs=1e-9)


@given(st.permutations(range(7)))
def test_without_ties_all_tie_treatments_agree(order: list[int]) -> None:
    truth, judge = [float(run) for run in range(7)], [float(run) for run in order]
    expected = plain.tau_ap(truth, judge)
    assert value(truth, judge, "tau_ap") == pytest.approx(expected, abs=1e-12)
    assert value(truth, judge, "tau_ap_a") == pytest.approx(expected, abs=1e-12)
    assert value(truth, judge, "tau_ap_b") == pytest.approx((expected + plain.tau_ap(judge, truth)) / 2, abs=1e-12)
    for method in ("rbo(p=0.7)", "rbo_a(p=0.7)"):
        assert value(truth, judge, method) == pytest.approx(plain.rbo_untied(truth, judge, 0.7), abs=1e-12)


@pytest.mark.parametrize("runs", [20, 300])
def test_coefficients_of_many_runs_equal_scipy(runs: int) -> None:
    rng = np.random.default_rng(runs)
    truth, judge = rng.integers(0, runs // 3, (2, runs)).astype(float)
    judge += truth
    for method in ("kendall", "spearman", "pearson"):
        assert value(truth, judge, method) == pytest.approx(PLAIN[method](list(truth), list(judge)), abs=1e-12)


# Properties


@pytest.mark.parametrize("method", COEFFICIENTS)
def test_a_ranking_predicts_itself_and_not_its_reverse(method: str) -> None:
    truth = np.array([0.3, -1.0, 2.0, 0.7, 0.1])
    assert value(truth, truth, method) == pytest.approx(1.0)
    if not CorrelationMethod(method).is_overlap:
        assert value(truth, -truth, method) == pytest.approx(-1.0)


@pytest.mark.parametrize("method", ["kendall", "spearman", "pearson", "tau_ap_b", "tau_gap", "rbo"])
@given(rankings=two_rankings())
def test_a_ranking_with_ties_predicts_itself(method: str, rankings: tuple[list[float], list[float]]) -> None:
    assert value(rankings[0], rankings[0], method) == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["kendall", "spearman", "pearson"])
@given(rankings=two_rankings())
def test_reversing_the_judge_turns_the_sign(method: str, rankings: tuple[list[float], list[float]]) -> None:
    truth, judge = rankings
    assert value(truth, -np.array(judge), method) == pytest.approx(-value(truth, judge, method), abs=1e-12)


@pytest.mark.parametrize("method", SYMMETRIC)
@given(rankings=two_rankings())
def test_symmetric_coefficients_do_not_ask_which_is_the_truth(
    method: str, rankings: tuple[list[float], list[float]]
) -> None:
    truth, judge = rankings
    assert value(truth, judge, method) == pytest.approx(value(judge, truth, method), abs=1e-12)


@pytest.mark.parametrize("method", [*COEFFICIENTS, "kendall@4", "tau_gap@3", "rbo@4"])
@given(rankings=two_rankings(8, 5), random=st.randoms(use_true_random=False))
def test_the_order_of_runs_changes_nothing_and_bounds_hold(
    method: str, rankings: tuple[list[float], list[float]], random: object
) -> None:
    truth, judge = np.array(rankings)
    order = list(range(len(truth)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found, moved = (
        correlate(truth[None], judge[None], method),
        correlate(truth[order][None], judge[order][None], method),
    )
    assert_allclose(moved.value, found.value, atol=1e-12)
    assert_array_equal(moved.reason, found.reason)
    assert np.isnan(found.value[0, 0]) or CorrelationMethod.parse(method).lowest <= found.value[0, 0] <= 1


@pytest.mark.parametrize("method", ["kendall", "spearman", "tau_ap_a", "tau_ap_b", "rbo", "rbo_a"])
def test_rank_coefficients_know_only_the_order(method: str) -> None:
    truth, judge = np.random.default_rng(5).standard_normal((2, 9))
    assert value(np.exp(truth), 3 * judge - 7, method) == pytest.approx(value(truth, judge, method), abs=1e-12)


def test_the_top_of_the_ranking_weighs_more() -> None:
    truth = np.arange(10.0)[::-1]
    top, bottom = truth.copy(), truth.copy()
    top[[0, 1]], bottom[[8, 9]] = top[[1, 0]], bottom[[9, 8]]
    assert value(truth, top, "kendall") == value(truth, bottom, "kendall")
    for method in ("tau_ap", "tau_ap_a", "tau_ap_b", "tau_gap", "rbo", "rbo_a"):
        assert value(truth, top, method) < value(truth, bottom, method)


# Ties


def test_values_equal_to_12_digits_tie() -> None:
    assert value([0.1 + 0.2, 0.3, 0.5], [1.0, 1.0, 2.0], "kendall") == pytest.approx(1.0)
    assert reason([0.1 + 0.2, 0.3, 0.3], [1.0, 2.0, 3.0]) == "truth_all_tied"


@pytest.mark.parametrize("method", COEFFICIENTS)
def test_a_ranking_of_nothing_but_ties_is_undefined(method: str) -> None:
    assert reason([1, 1, 1], [1, 2, 3], method) == "truth_all_tied"
    assert reason([1, 2, 3], [2, 2, 2], method) == "judge_all_tied"
    assert reason([1, 1, 1], [2, 2, 2], method) == "truth_all_tied"


def test_ap_correlations_say_which_ties_they_cannot_have() -> None:
    assert reason([1, 2, 3], [1, 1, 2], "tau_ap") == "ties"
    assert reason([1, 1, 3], [1, 2, 3], "tau_ap") == "ties"
    assert reason([1, 2, 3], [1, 1, 2], "tau_ap_a") is None
    assert reason([1, 1, 3], [1, 1, 2], "tau_ap_a") == "ties_in_truth"
    assert reason([1, 1, 3], [1, 1, 2], "tau_ap_b") is None


# Too few runs, and absent ones


@pytest.mark.parametrize("method", COEFFICIENTS)
@pytest.mark.parametrize("runs", [0, 1, 2])
def test_fewer_than_three_runs_make_no_ranking(method: str, runs: int) -> None:
    assert reason(np.arange(runs), np.arange(runs), method) == "too_few_runs"


@pytest.mark.parametrize("method", [*COEFFICIENTS, "kendall@3"])
def test_an_absent_value_leaves_the_run_out_and_is_not_zero(method: str) -> None:
    truth, judge = np.random.default_rng(2).standard_normal((2, 8))
    both = np.array([0, 2, 3, 5, 6])
    truth[[1, 7]], judge[[4, 7]] = [NAN, np.inf], NAN
    found = correlate(truth[None], judge[None], method)
    expected = correlate(truth[both][None], judge[both][None], method)
    assert found.n_runs.tolist() == expected.n_runs.tolist()
    assert found.value[0, 0] == pytest.approx(expected.value[0, 0], abs=1e-12)


def test_too_few_common_runs_are_counted() -> None:
    found = correlate([[1.0, 2, 3, NAN]], [[NAN, 2, 3, 4]], "spearman")
    assert (found.n_runs.item(), found.reason.item()) == (2, "too_few_runs")


# The best k of the truth


def test_at_k_correlates_the_runs_that_the_truth_ranks_best() -> None:
    truth, judge = np.random.default_rng(4).standard_normal((2, 30))
    best = np.argsort(-truth)[:10]
    for method in COEFFICIENTS:
        assert value(truth, judge, f"{method}@10") == pytest.approx(value(truth[best], judge[best], method), abs=1e-12)


def test_at_k_takes_all_that_tie_with_the_last() -> None:
    truth, judge = [5.0, 4, 3, 3, 3, 1], [1.0, 2, 3, 4, 5, 9]
    found = correlate([truth], [judge], "kendall@3")
    assert found.n_runs.item() == 5
    assert found.value.item() == pytest.approx(stats.kendalltau(truth[:5], judge[:5]).statistic)


def test_at_k_of_fewer_runs_is_the_whole_ranking() -> None:
    assert value([1.0, 2, 3, 4], [2.0, 1, 3, 4], "kendall@10") == value([1.0, 2, 3, 4], [2.0, 1, 3, 4], "kendall")


def test_at_k_the_best_may_all_tie() -> None:
    assert reason([9, 9, 9, 1], [1, 2, 3, 4], "kendall@3") == "truth_all_tied"


# Many at once


@pytest.mark.parametrize("method", [*COEFFICIENTS, "kendall@4", "rbo(p=0.7)@5"])
def test_many_measures_and_resamples_are_what_each_gives_alone(method: str) -> None:
    rng = np.random.default_rng(7)
    truth, judge = rng.integers(0, 6, (3, 5, 2, 9)).astype(float), rng.integers(0, 6, (3, 5, 4, 9)).astype(float)
    truth[rng.random(truth.shape) < 0.1] = np.nan
    judge[1, 2, :, 3] = judge[0, 0, 0, :7] = np.nan
    found = correlate(truth, judge, method)
    assert found.value.shape == found.n_runs.shape == found.reason.shape == (3, 5, 2, 4)
    assert len(set(found.reason.ravel())) > 1
    for where in np.ndindex(3, 5, 2, 4):
        alone = correlate(truth[where[:2]][where[2]][None], judge[where[:2]][where[3]][None], method)
        assert found.n_runs[where] == alone.n_runs.item()
        assert found.reason[where] == alone.reason.item()
        assert_allclose(found.value[where], alone.value.item(), atol=1e-12)


def test_a_large_batch_is_cut_into_parts_that_change_nothing() -> None:
    rng = np.random.default_rng(8)
    truth, judge = rng.standard_normal((300, 2, 60)), rng.standard_normal((300, 3, 60))
    for method in ("kendall", "tau_gap", "rbo"):
        together = correlate(truth, judge, method).value
        assert_allclose(together[299], correlate(truth[299], judge[299], method).value, atol=1e-12)


def test_measures_of_many_runs_are_taken_a_few_at_a_time_which_changes_nothing() -> None:
    rng = np.random.default_rng(9)
    truth, judge = rng.standard_normal((3, 1500)), rng.standard_normal((4, 1500))
    found = correlate(truth, judge, "kendall").value
    for at in np.ndindex(found.shape):
        assert found[at] == pytest.approx(stats.kendalltau(truth[at[0]], judge[at[1]]).statistic, abs=1e-12)


def test_no_measures_and_no_resamples_give_empty_arrays() -> None:
    assert correlate(np.empty((0, 5)), np.ones((2, 5))).value.shape == (0, 2)
    assert correlate(np.empty((0, 1, 5)), np.empty((0, 2, 5))).value.shape == (0, 1, 2)


# Refused


def test_mistakes_are_refused_with_what_was_given() -> None:
    with pytest.raises(ValueError, match=r"truth has shape \(3,\) and judge \(3,\), expected \(..., measures, runs\)"):
        correlate([1.0, 2, 3], [1.0, 2, 3])
    with pytest.raises(ValueError, match=r"truth has shape \(1, 3\) and judge \(1, 4\); align both on the same runs"):
        correlate(np.ones((1, 3)), np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"the same leading axes"):
        correlate(np.ones((2, 1, 3)), np.ones((3, 1, 3)))
