"""Paired tests: against scipy, against counting everything, and where they are undefined."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import fisher_randomisation, paired_t, tukey_hsd, wilcoxon_signed_rank
from pipeline.leaderboard.significance import TestResult

NAN = float("nan")
Test = Callable[[np.ndarray], TestResult]
TESTS = [paired_t, wilcoxon_signed_rank, fisher_randomisation]
WHOLE = arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(1, 4)), elements=st.integers(-4, 4).map(float))


def differences(topics: int, pairs: int = 40, seed: int = 0, shift: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((topics, pairs)) + shift


def one(test: Test, d: list[float]) -> tuple[float, str | None]:
    result = test(np.array(d, dtype=float)[:, None])
    assert np.isnan(result.p[0]) == np.isnan(result.statistic[0]) == (result.reason[0] is not None)
    return float(result.p[0]), result.reason[0]


# Student's t


@pytest.mark.parametrize("topics", [2, 3, 50, 249])
def test_t_is_that_of_scipy(topics: int) -> None:
    d = differences(topics)
    expected = stats.ttest_rel(d, np.zeros_like(d))
    assert_allclose(paired_t(d).p, expected.pvalue, rtol=1e-10)
    assert_allclose(paired_t(d).statistic, expected.statistic, rtol=1e-10)


def test_a_constant_difference_has_no_chance_in_it() -> None:
    assert one(paired_t, [0.1, 0.1, 0.1]) == (0.0, None)
    assert paired_t(np.array([[0.3 - 0.2, -0.5], [0.4 - 0.3, -0.5]])).statistic.tolist() == [np.inf, -np.inf]
    assert one(paired_t, [0.0, 0.0, 0.0])[1] == "no_difference"


def test_t_needs_two_topics() -> None:
    assert one(paired_t, [0.5])[1] == "too_few_topics"
    assert one(paired_t, [0.0])[1] == "too_few_topics"


# Wilcoxon


@pytest.mark.parametrize("topics", [2, 5, 20, 50])
def test_signed_ranks_without_ties_are_exact_as_in_scipy(topics: int) -> None:
    d = differences(topics)
    assert_allclose(wilcoxon_signed_rank(d).p, stats.wilcoxon(d, axis=0, method="exact").pvalue, rtol=1e-10)


@pytest.mark.parametrize("topics", [51, 200])
def test_signed_ranks_of_many_topics_are_normal_as_in_scipy(topics: int) -> None:
    d = differences(topics, shift=0.1)
    expected = stats.wilcoxon(d, axis=0, correction=False, method="asymptotic")
    assert_allclose(wilcoxon_signed_rank(d).p, expected.pvalue, rtol=1e-10)
    assert_allclose(np.abs(wilcoxon_signed_rank(d).statistic), topics * (topics + 1) / 2 - 2 * expected.statistic)


@pytest.mark.parametrize("topics", [60, 100])
def test_tied_signed_ranks_of_many_topics_are_normal_as_in_scipy(topics: int) -> None:
    d = np.round(2 * differences(topics))
    expected = [stats.wilcoxon(pair, correction=False, method="asymptotic").pvalue for pair in d.T]
    assert_allclose(wilcoxon_signed_rank(d).p, expected, rtol=1e-10)


@given(WHOLE)
def test_tied_signed_ranks_of_few_topics_are_what_counting_all_signs_gives(d: np.ndarray) -> None:
    for pair, p in zip(d.T, wilcoxon_signed_rank(d).p, strict=True):
        ranks = stats.rankdata(np.abs(pair[pair != 0]))
        if len(ranks) == 0:
            assert np.isnan(p)
            continue
        found = abs(np.sign(pair[pair != 0]) @ ranks)
        signs = np.array(list(itertools.product([1, -1], repeat=len(ranks))))
        assert p == pytest.approx(np.mean(np.abs(signs @ ranks) >= found - 1e-9))


def test_signed_ranks_by_hand() -> None:
    assert one(wilcoxon_signed_rank, [1, 2, 3, 4, 5])[0] == 2 / 32
    assert one(wilcoxon_signed_rank, [1, 2, 3, 4, -0.5])[0] == 4 / 32
    assert one(wilcoxon_signed_rank, [0, 0, 2])[0] == 1.0
    assert one(wilcoxon_signed_rank, [0, 0])[1] == "no_difference"


# Fisher


@given(WHOLE)
def test_randomisation_of_few_topics_is_what_counting_all_signs_gives(d: np.ndarray) -> None:
    signs = np.array(list(itertools.product([1, -1], repeat=len(d))))
    expected = (np.abs(signs @ d) >= np.abs(d.sum(axis=0)) - 1e-9).mean(axis=0)
    assert_allclose(fisher_randomisation(d).p, expected)


def test_randomisation_of_few_topics_is_that_of_scipy() -> None:
    d = differences(9, 6)
    expected = stats.permutation_test(
        (d, np.zeros_like(d)),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert_allclose(fisher_randomisation(d).p, expected.pvalue)


def test_randomisation_of_many_topics_draws_and_comes_near_what_counting_gives() -> None:
    d = np.zeros((17, 6))
    d[:16] = differences(16, 6)
    exact = fisher_randomisation(d).p
    d[16] = 1e-9  # one more that changes nothing, but is too many to go through all
    drawn = fisher_randomisation(d, resamples=20_000)
    assert (drawn.p != exact).any()
    assert_allclose(drawn.p, exact, atol=0.012)
    assert set(drawn.smallest_p) == {1 / 20_001}


def test_randomisation_is_near_the_t_test_where_values_are_normal() -> None:
    d = differences(40, 30)
    assert_allclose(fisher_randomisation(d, resamples=20_000).p, paired_t(d).p, atol=0.02)


def test_a_p_value_of_drawn_resamples_is_never_zero() -> None:
    assert fisher_randomisation(np.full((30, 1), 5.0), resamples=99).p.tolist() == [0.01]


def test_a_seed_gives_the_same_p_values_and_another_one_others() -> None:
    d = differences(30, 5)
    first, second, other = (fisher_randomisation(d, resamples=500, seed=seed).p for seed in (1, 1, 2))
    assert_array_equal(first, second)
    assert (first != other).any()


def test_randomisation_of_one_topic_or_of_no_difference_finds_nothing() -> None:
    assert one(fisher_randomisation, [0.7]) == (1.0, None)
    assert one(fisher_randomisation, [0.0, 0.0]) == (1.0, None)
    assert one(fisher_randomisation, [1, 2, 3, 4])[0] == 2 / 16


# All of them


@pytest.mark.parametrize("test", TESTS)
def test_absent_topics_are_left_out_and_are_not_zero(test: Test) -> None:
    d = differences(30, 8)
    gaps = np.vstack([d, np.full((5, 8), NAN), np.full((1, 8), np.inf)])
    assert_allclose(test(gaps).p, test(d).p, atol=0.02 if test is fisher_randomisation else 1e-12)
    assert one(test, [NAN, NAN])[1] == "no_common_topics"
    if test is not wilcoxon_signed_rank:  # which leaves zeros out as well
        assert (test(np.vstack([d, np.zeros((25, 8))])).statistic != test(d).statistic).all()


@pytest.mark.parametrize("test", TESTS)
@given(d=WHOLE, random=st.randoms(use_true_random=False))
def test_the_order_of_topics_and_of_pairs_changes_nothing(test: Test, d: np.ndarray, random: object) -> None:
    topics, pairs = list(range(d.shape[0])), list(range(d.shape[1]))
    random.shuffle(topics)  # type: ignore[attr-defined]
    random.shuffle(pairs)  # type: ignore[attr-defined]
    assert_allclose(test(d[np.ix_(topics, pairs)]).p, test(d).p[pairs], atol=1e-12)


@pytest.mark.parametrize("test", TESTS)
@given(d=WHOLE)
def test_turning_a_pair_round_turns_the_statistic_and_keeps_p(test: Test, d: np.ndarray) -> None:
    found, turned = test(d), test(-d)
    assert_allclose(turned.p, found.p)
    assert_allclose(turned.statistic, -found.statistic)
    assert_array_equal(turned.reason, found.reason)
    defined = ~np.isnan(found.p)
    assert (found.p[defined] <= 1).all()
    assert (found.p[defined] >= np.minimum(found.smallest_p[defined], 1)).all()


@pytest.mark.parametrize("test", TESTS)
def test_the_unit_changes_nothing(test: Test) -> None:
    d = differences(12, 5)
    assert_allclose(test(1e-3 * d).p, test(d).p)


@pytest.mark.parametrize(
    ("test", "smallest"), [(paired_t, 0.0), (wilcoxon_signed_rank, 2 / 32), (fisher_randomisation, 2 / 32)]
)
def test_few_topics_bound_what_can_be_found(test: Test, smallest: float) -> None:
    result = test(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]))
    assert result.smallest_p.item() == smallest
    assert smallest == 0 or result.p.item() == smallest


@pytest.mark.parametrize("test", TESTS)
def test_no_pairs_give_empty_arrays_and_one_dimension_is_refused(test: Test) -> None:
    assert test(np.empty((5, 0))).p.shape == (0,)
    with pytest.raises(ValueError, match=r"differences have shape \(3,\), expected \(topics, pairs\); one pair is"):
        test(np.ones(3))


# Tukey


def plain_tukey(scores: np.ndarray) -> np.ndarray:
    """All ways to give the values of every topic to runs."""
    topics, runs = scores.shape
    orders = [scores[topic, list(order)] for topic in range(topics) for order in itertools.permutations(range(runs))]
    by_topic = np.array(orders).reshape(topics, -1, runs)
    means = np.array([np.mean(some, axis=0) for some in itertools.product(*by_topic)])
    ranges = np.ptp(means, axis=1)
    observed = scores.mean(axis=0)
    return np.array([[np.mean(ranges >= abs(a - b) - 1e-12) for b in observed] for a in observed])


@pytest.mark.parametrize("shape", [(3, 3), (6, 2), (2, 4)])
def test_tukeys_test_comes_near_what_counting_all_orders_gives(shape: tuple[int, int]) -> None:
    scores = np.random.default_rng(3).random(shape) + np.arange(shape[1]) / 4
    expected = plain_tukey(scores)
    assert len(np.unique(expected)) > 1
    assert_allclose(tukey_hsd(scores, resamples=20_000), expected, atol=0.015)


def test_tukeys_test_of_two_runs_is_the_randomisation_test() -> None:
    scores = np.random.default_rng(5).random((14, 2)) + np.array([0.0, 0.15])
    exact = fisher_randomisation(scores[:, :1] - scores[:, 1:]).p.item()
    assert tukey_hsd(scores, resamples=20_000)[0, 1] == pytest.approx(exact, abs=0.01)


def test_tukeys_test_of_normal_values_without_an_effect_is_near_the_studentised_range_of_blocks() -> None:
    rng = np.random.default_rng(2)
    scores = rng.standard_normal((40, 5)) + 3 * rng.standard_normal((40, 1))
    n, runs = scores.shape
    residual = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    freedom = (n - 1) * (runs - 1)
    se = np.sqrt((residual**2).sum() / freedom / n)
    q = np.abs(scores.mean(axis=0)[:, None] - scores.mean(axis=0)) / se
    expected = stats.studentized_range.sf(q, runs, freedom)
    np.fill_diagonal(expected, 1.0)
    assert_allclose(tukey_hsd(scores, resamples=20_000), expected, atol=0.025)


def test_what_a_topic_gives_to_all_runs_changes_nothing_in_tukeys_test() -> None:
    scores = np.random.default_rng(4).random((20, 4))
    hard = 1e6 * np.random.default_rng(5).random((20, 1))
    assert_allclose(tukey_hsd(scores + hard, resamples=500), tukey_hsd(scores, resamples=500))


def test_tukeys_test_allows_for_the_number_of_runs() -> None:
    rng = np.random.default_rng(6)
    scores = np.concatenate([rng.random((25, 2)) + np.array([0.0, 0.25]), rng.random((25, 8))], axis=1)
    assert tukey_hsd(scores)[0, 1] > tukey_hsd(scores[:, :2])[0, 1]


def test_tukeys_test_of_equal_runs_finds_nothing() -> None:
    assert tukey_hsd(np.ones((5, 3)), resamples=50).tolist() == [[1.0] * 3] * 3
    assert tukey_hsd([[1.0]], resamples=10).tolist() == [[1.0]]


@pytest.mark.parametrize("scores", [[[1.0, NAN]], np.empty((0, 3)), [1.0, 2.0]])
def test_tukeys_test_needs_topics_that_all_runs_have(scores: object) -> None:
    with pytest.raises(ValueError, match=r"give \(topics, runs\), only topics that every run has, at least one"):
        tukey_hsd(scores)  # type: ignore[arg-type]
