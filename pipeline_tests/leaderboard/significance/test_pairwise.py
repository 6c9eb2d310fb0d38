"""Every two runs compared on one measure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import Comparing, Correction, Direction, SignificanceTest, compare_pairs, tukey_hsd

NAN = float("nan")
ALL_TESTS = list(SignificanceTest)


def scores(topics: int = 30, runs: int = 4, seed: int = 0, step: float = 0.3) -> np.ndarray:
    """Values of runs each better than the one before, on topics that are harder or easier for all."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((topics, runs)) + 2 * rng.standard_normal((topics, 1)) + step * np.arange(runs)


@pytest.fixture
def with_gaps() -> np.ndarray:
    x = scores()
    x[:10, 0] = x[5:15, 1] = np.nan
    x[29] = np.nan
    return x


def test_every_pair_is_compared_as_scipy_compares_it() -> None:
    x = scores()
    t, w = compare_pairs(x), compare_pairs(x, Comparing(SignificanceTest.WILCOXON))
    for a in range(4):
        for b in set(range(4)) - {a}:
            assert t.p[a, b] == pytest.approx(stats.ttest_rel(x[:, a], x[:, b]).pvalue)
            assert t.statistic[a, b] == pytest.approx(stats.ttest_rel(x[:, a], x[:, b]).statistic)
            assert w.p[a, b] == pytest.approx(stats.wilcoxon(x[:, a], x[:, b]).pvalue)
            assert t.difference[a, b] == pytest.approx((x[:, a] - x[:, b]).mean())
            assert (t.wins[a, b], t.losses[a, b]) == ((x[:, a] > x[:, b]).sum(), (x[:, a] < x[:, b]).sum())
    assert set(np.diag(t.reason)) == {"same_run"}
    assert np.isnan(np.diag(t.p)).all()
    assert np.isnan(np.diag(t.difference)).all()


def test_an_absent_topic_is_paired_out_and_counted_and_never_zero(with_gaps: np.ndarray) -> None:
    found = compare_pairs(with_gaps)
    assert found.n_topics.tolist() == [[0, 14, 19, 19], [14, 0, 19, 19], [19, 19, 0, 29], [19, 19, 29, 0]]
    # Of the first two runs, one alone has topics 0 to 4 and the other 10 to 14; neither has 5 to 9 and 29.
    assert found.n_left_out.tolist() == [[0, 10, 10, 10], [10, 0, 10, 10], [10, 10, 0, 0], [10, 10, 0, 0]]
    common = np.isfinite(with_gaps[:, 0]) & np.isfinite(with_gaps[:, 1])
    a, b = with_gaps[common, 0], with_gaps[common, 1]
    assert found.p[0, 1] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert found.difference[0, 1] == pytest.approx((a - b).mean())
    assert found.wins[0, 1] + found.ties[0, 1] + found.losses[0, 1] == 14


def test_runs_that_are_the_same_differ_by_zero_whichever_is_first() -> None:
    found = compare_pairs(np.repeat(scores(runs=1), 3, axis=1))
    off_diagonal = ~np.eye(3, dtype=bool)
    assert (found.difference[off_diagonal] == 0).all()
    assert not np.signbit(found.difference[off_diagonal]).any()


def test_tukeys_test_takes_the_topics_that_all_have_and_counts_the_others(with_gaps: np.ndarray) -> None:
    found = compare_pairs(with_gaps, Comparing(SignificanceTest.TUKEY, resamples=300))
    complete = with_gaps[15:29]
    assert set(found.n_topics[np.triu_indices(4, k=1)]) == {14}
    assert found.n_left_out[2, 3] == 15
    off_diagonal = ~np.eye(4, dtype=bool)
    assert_array_equal(found.p[off_diagonal], tukey_hsd(complete, resamples=300)[off_diagonal])
    assert found.difference[0, 3] == pytest.approx(complete[:, 0].mean() - complete[:, 3].mean())
    assert_array_equal(found.p_adjusted, found.p)


@pytest.mark.parametrize("test", ALL_TESTS)
@pytest.mark.parametrize("direction", [Direction.DESC, Direction.ASC])
def test_better_is_what_the_direction_says(test: SignificanceTest, direction: Direction) -> None:
    found = compare_pairs(scores(step=3.0), Comparing(test, resamples=2000), direction=direction)
    higher = np.tril(np.ones((4, 4), dtype=bool), k=-1)
    assert_array_equal(found.better, higher if direction is Direction.DESC else higher.T)
    assert (found.wins > found.losses)[found.better].all()
    assert (found.difference > 0)[higher].all()


def test_p_values_allow_for_the_number_of_pairs() -> None:
    x = scores()
    upper = np.triu_indices(4, k=1)
    plain = compare_pairs(x, Comparing(correction=Correction.NONE)).p_adjusted[upper]
    bonferroni = compare_pairs(x, Comparing(correction=Correction.BONFERRONI))
    assert_allclose(bonferroni.p_adjusted[upper], np.minimum(1, 6 * plain))
    assert bonferroni.n_pairs == 6
    assert compare_pairs(x).how.correction is Correction.HOLM
    assert_array_equal(bonferroni.better, (bonferroni.p_adjusted <= 0.05) & (bonferroni.difference > 0))
    stricter = compare_pairs(x, Comparing(level=1e-9))
    assert not stricter.better.any()


def test_with_a_baseline_only_its_pairs_count() -> None:
    x = scores()
    found = compare_pairs(x, Comparing(correction=Correction.BONFERRONI), baseline=1)
    assert found.n_pairs == 3
    assert found.p_adjusted[1, 3] == pytest.approx(3 * stats.ttest_rel(x[:, 1], x[:, 3]).pvalue)
    assert found.reason[0, 2] == "not_compared"
    assert np.isnan(found.p[0, 2])
    assert found.reason[0, 1] is None


def test_values_equal_to_12_digits_tie() -> None:
    x = np.array([[0.1 + 0.2, 0.3], [0.5, 0.5], [0.7, 0.2]])
    found = compare_pairs(x)
    assert (found.wins[0, 1], found.ties[0, 1], found.losses[0, 1]) == (1, 2, 0)
    same = compare_pairs(x[:2])
    assert same.reason[0, 1] == "no_difference"
    assert same.difference[0, 1] == 0


def test_a_test_and_a_mean_that_contradict_each_other_make_nobody_better() -> None:
    d = np.array([1.0] * 24 + [-60.0])
    found = compare_pairs(np.column_stack([d, np.zeros(25)]), Comparing(SignificanceTest.WILCOXON))
    assert found.p_adjusted[0, 1] < 0.05
    assert found.statistic[0, 1] > 0 > found.difference[0, 1]
    assert not found.better.any()


@pytest.mark.parametrize("test", ALL_TESTS)
@given(seed=st.integers(0, 50), order=st.permutations(range(4)))
def test_the_order_of_runs_changes_nothing(test: SignificanceTest, seed: int, order: list[int]) -> None:
    x = np.round(scores(12, 4, seed), 1)
    x[:2, 1] = np.nan
    how = Comparing(test, resamples=200)
    found, moved = compare_pairs(x, how), compare_pairs(x[:, order], how)
    at = np.ix_(order, order)
    for name in ("difference", "statistic"):
        assert_allclose(getattr(moved, name), getattr(found, name)[at], atol=1e-12)
    for name in ("n_topics", "n_left_out", "wins", "ties", "losses", "reason"):
        assert_array_equal(getattr(moved, name), getattr(found, name)[at])
    if test is not SignificanceTest.TUKEY:
        assert_allclose(moved.p_adjusted, found.p_adjusted[at], atol=1e-12)


@pytest.mark.parametrize("test", ALL_TESTS)
def test_one_run_or_none_is_a_comparison_too(test: SignificanceTest) -> None:
    how = Comparing(test, resamples=10)
    assert compare_pairs(scores(5, 1), how).reason.tolist() == [["same_run"]]
    empty = compare_pairs(np.empty((5, 0)), how)
    assert (empty.p.shape, empty.n_pairs, empty.is_too_coarse) == ((0, 0), 0, False)


@pytest.mark.parametrize("test", ALL_TESTS)
def test_runs_without_common_topics_are_not_compared(test: SignificanceTest) -> None:
    x = np.array([[1.0, NAN], [2.0, NAN], [NAN, 3.0]])
    found = compare_pairs(x, Comparing(test, resamples=10))
    assert found.reason[0, 1] == "no_common_topics"
    assert np.isnan(found.difference[0, 1])
    assert (found.n_topics[0, 1], found.n_left_out[0, 1]) == (0, 3)
    assert not found.better.any()


def test_a_result_says_when_it_could_not_have_found_anything() -> None:
    assert compare_pairs(scores(4, 3), Comparing(SignificanceTest.FISHER)).is_too_coarse
    assert compare_pairs(scores(4, 2), Comparing(SignificanceTest.WILCOXON)).is_too_coarse
    assert not compare_pairs(scores(12, 3), Comparing(SignificanceTest.FISHER)).is_too_coarse
    drawn = Comparing(SignificanceTest.FISHER, resamples=99)
    assert compare_pairs(scores(40, 4), drawn).is_too_coarse  # 6 pairs x 1/100
    assert not compare_pairs(scores(40, 3), drawn).is_too_coarse
    found = Comparing(SignificanceTest.FISHER, Correction.BENJAMINI_HOCHBERG, resamples=99)
    assert not compare_pairs(scores(40, 4), found).is_too_coarse
    assert not compare_pairs(scores(2, 4)).is_too_coarse


def test_many_runs_are_compared_in_parts_that_change_nothing() -> None:
    x = scores(500, 120, step=0.02)
    found = compare_pairs(x, Comparing(correction=Correction.NONE))
    for a, b in ((0, 119), (60, 61), (118, 119)):
        assert found.p[a, b] == pytest.approx(stats.ttest_rel(x[:, a], x[:, b]).pvalue)


def test_names_say_how() -> None:
    named = Comparing.named("fisher", "bonferroni", level=0.01, resamples=99)
    assert named == Comparing(SignificanceTest.FISHER, Correction.BONFERRONI, 0.01, 99)
    assert Comparing.named("tukey").correction is Correction.NONE
    assert Comparing.named("t") == Comparing()
    for name in SignificanceTest:
        assert Comparing(str(name)).test is name  # type: ignore[arg-type]
    assert Comparing(correction="bonferroni").correction is Correction.BONFERRONI  # type: ignore[arg-type]


def test_mistakes_are_refused_with_what_was_given() -> None:
    with pytest.raises(ValueError, match="unknown significance test 'welch'; known: t, wilcoxon, fisher, tukey"):
        Comparing.named("welch")
    with pytest.raises(ValueError, match="unknown correction 'sidak'; known: holm, bonferroni"):
        Comparing.named("t", "sidak")
    with pytest.raises(ValueError, match="test tukey with correction holm: it allows for the number of pairs already"):
        Comparing(SignificanceTest.TUKEY, Correction.HOLM)
    with pytest.raises(ValueError, match=r"level is 5; give the chance of a false finding, such as 0.05"):
        Comparing(level=5)
    with pytest.raises(ValueError, match="resamples is 0; draw 10,000 times or so"):
        Comparing(resamples=0)
    with pytest.raises(ValueError, match="test tukey compares all pairs; leave the baseline out"):
        compare_pairs(scores(), Comparing(SignificanceTest.TUKEY), baseline=0)
    with pytest.raises(ValueError, match="baseline is run 4 of 4; give its place, from 0"):
        compare_pairs(scores(), baseline=4)
    with pytest.raises(ValueError, match="direction is none; runs can be compared where desc or asc says"):
        compare_pairs(scores(), direction=Direction.NONE)
    with pytest.raises(ValueError, match=r"scores have shape \(3,\), expected \(topics, runs\)"):
        compare_pairs(np.ones(3))
