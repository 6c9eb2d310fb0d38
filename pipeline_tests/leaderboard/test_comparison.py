"""Rank intervals: between which ranks a contestant could be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.leaderboard import (
    Direction,
    Influence,
    RankIntervals,
    holm,
    mean_influence,
    rank_intervals,
    ratio_influence,
    sharpe_influence,
    significantly_better,
)
from pipeline_tests.leaderboard import plain
from pipeline_tests.leaderboard.series import noise

DESC, ASC = Direction.DESC, Direction.ASC
NAN = float("nan")


def spread(cycles: int = 60, contestants: int = 6, seed: int = 3, step: float = 0.4, gaps: float = 0.0) -> np.ndarray:
    """Series of contestants each better than the one before, with what moves all alike."""
    rng = np.random.default_rng(seed)
    x = (
        rng.standard_normal((cycles, contestants))
        + step * np.arange(contestants)
        + 3 * rng.standard_normal((cycles, 1))
    )
    x[rng.random(x.shape) < gaps] = np.nan
    return x


def of_mean(x: np.ndarray, direction: Direction = DESC, **options: object) -> RankIntervals:
    influence = mean_influence(x)
    return rank_intervals(influence.value, [influence], direction, **options)  # type: ignore[arg-type]


def pairs(found: RankIntervals) -> list[tuple[int, int]]:
    return list(zip(found.rank_lo.tolist(), found.rank_hi.tolist(), strict=True))


def assert_same(found: RankIntervals, expected: RankIntervals) -> None:
    for name in ("rank_lo", "rank_hi", "tie_group", "n_cycles", "method"):
        assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert_allclose(found.n_effective, expected.n_effective, rtol=1e-9)


# Against the definition, term by term


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("dependent", [True, False])
@pytest.mark.parametrize(("direction", "sign"), [(DESC, 1), (ASC, -1)])
@pytest.mark.parametrize("statistic", [mean_influence, sharpe_influence])
def test_intervals_equal_the_plain_definition(
    gaps: float, dependent: bool, direction: Direction, sign: int, statistic: object
) -> None:
    influence = statistic(spread(gaps=gaps))  # type: ignore[operator]
    found = rank_intervals(influence.value, [influence], direction, dependent=dependent)
    expected = plain.rank_intervals(influence.value.tolist(), [influence], sign, [1.0], [60], dependent)
    assert pairs(found) == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("seed", range(6))
def test_intervals_of_newcomers_gaps_and_lasting_bets_equal_the_plain_definition(seed: int) -> None:
    x = spread(90, 7, seed, step=0.25, gaps=0.1)
    x[:70, 0] = x[:30, 1] = x[80:, 2] = np.nan
    x[:, 5] = 2 * noise("autocorrelated", 90, 1, seed)[:, 0] + 2
    x[:84, 6] = np.nan
    influence = mean_influence(x)
    expected = plain.rank_intervals(influence.value.tolist(), [influence], 1, [1.0], [90])
    assert pairs(rank_intervals(influence.value, [influence], DESC)) == expected
    inflation, *_ = plain.inflation(plain.rows_of(influence))
    n_effective = influence.n / np.array(inflation)
    found = rank_intervals(influence.value, [influence], DESC)
    assert_allclose(found.n_effective[:6], n_effective[:6], rtol=1e-9)
    assert np.isnan(found.n_effective[6])


@pytest.mark.parametrize("gaps", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_weighted_keys_equal_the_plain_definition(seed: int, gaps: float) -> None:
    x = spread(80, 6, seed, gaps=gaps)
    mean, sharpe = mean_influence(x), sharpe_influence(np.roll(x, 1, axis=0))
    parts, weights, windows = [mean, sharpe, mean], [0.5, 0.3, 0.2], [80, 40, 13]
    key = 0.5 * mean.value + 0.3 * sharpe_influence(np.roll(x, 1, axis=0)[-40:]).value
    key += 0.2 * mean_influence(x[-13:]).value
    found = rank_intervals(key, parts, DESC, weights=weights, windows=windows)
    assert pairs(found) == plain.rank_intervals(key.tolist(), parts, 1, weights, windows)
    assert len(set(pairs(found))) > 1


def test_p_values_of_independent_items_are_those_of_the_paired_t_test() -> None:
    x = spread(12, 4)
    found = plain.p_values([mean_influence(x)], [1.0], [12], dependent=False)
    for (i, j), (_, p) in found.items():
        assert p == pytest.approx(stats.ttest_rel(x[:, i], x[:, j]).pvalue)


@pytest.mark.parametrize("p", [0.049, 0.051])
def test_two_contestants_on_independent_items_are_separated_by_the_paired_t_test(p: float) -> None:
    noise_of_10 = np.array([1.0, -1, 2, -2, 3, -3, 1, -1, 2, -2])
    mean = stats.t.isf(p / 2, 9) * stats.sem(noise_of_10)
    x = np.column_stack([noise_of_10 + mean, np.zeros(10)])
    assert stats.ttest_rel(x[:, 0], x[:, 1]).pvalue == pytest.approx(p)
    expected = [(1, 1), (2, 2)] if p < 0.05 else [(1, 2), (1, 2)]
    assert pairs(of_mean(x, dependent=False)) == expected


# Holm


@pytest.mark.parametrize(
    ("p", "rejected"),
    [
        ([], []),
        ([0.05], [True]),
        ([0.051], [False]),
        ([0.024, 0.05], [True, True]),
        ([0.026, 0.026], [False, False]),
        ([0.06, 0.001, 0.02], [False, True, True]),
        ([0.001, 0.04, 0.03, 0.9], [True, False, False, False]),
        ([0.0, 0.0, 1.0], [True, True, False]),
    ],
)
def test_holm_steps_down_from_the_smallest_until_one_fails(p: list[float], rejected: list[bool]) -> None:
    assert holm(np.array(p)).tolist() == (rejected if p else [])


def test_all_pairs_share_the_level() -> None:
    # The third lies half-way, so p = 0.02 for every pair: enough for one pair alone, too much for one of three.
    shape = np.array([1.0, -1, 2, -2, 3, -3, 1, -1, 2, -2])
    first = shape + stats.t.isf(0.01, 9) * stats.sem(shape)
    two, three = np.column_stack([first, np.zeros(10)]), np.column_stack([first, np.zeros(10), first / 2])
    assert pairs(of_mean(two, dependent=False)) == [(1, 1), (2, 2)]
    assert pairs(of_mean(three, dependent=False)) == [(1, 3)] * 3


# What ranks could be


def test_a_contestant_far_above_is_first_and_the_others_share_what_is_left() -> None:
    x = spread(104, 5, step=0.0)
    x[:, 3] += 3
    found = of_mean(x)
    assert pairs(found) == [(2, 5), (2, 5), (2, 5), (1, 1), (2, 5)]
    assert found.tie_group.tolist() == [2, 2, 2, 1, 2]
    assert found.method.tolist() == ["holm"] * 5


def test_where_lower_is_better_the_order_is_reversed() -> None:
    x = spread()
    down, up = of_mean(x, ASC), of_mean(-x, DESC)
    assert_same(down, up)
    assert pairs(of_mean(x)) == [(7 - high, 7 - low) for low, high in pairs(down)]


def test_what_moves_all_alike_hides_no_difference() -> None:
    x = spread(step=0.6)
    shocks = 1e3 * np.random.default_rng(1).standard_normal((60, 1))
    assert_same(of_mean(x + shocks), of_mean(x))


def test_what_moves_all_alike_hides_no_difference_where_not_all_are_there() -> None:
    x = spread(step=0.6)
    x[:20, 0] = np.nan
    shifted = x + 100.0  # a constant changes nothing either, though the newcomer has no part in the early cycles
    assert_same(of_mean(shifted), of_mean(x))


def test_alone_a_contestant_is_first_and_nothing_tells_what_its_cycles_are_worth() -> None:
    found = of_mean(spread(contestants=1))
    assert pairs(found) == [(1, 1)]
    assert found.n_cycles.tolist() == [60]
    assert np.isnan(found.n_effective).all()


def test_nobody_is_a_board_too() -> None:
    assert of_mean(np.empty((20, 0))).rank_lo.shape == (0,)
    assert of_mean(np.full((20, 2), NAN)).method.tolist() == ["unranked"] * 2
    assert pairs(rank_intervals([1.0, 2.0], [mean_influence(np.full((1, 2), NAN))], DESC)) == [(1, 2), (1, 2)]


def test_who_is_not_ranked_counts_as_if_not_there() -> None:
    x = spread(gaps=0.1)
    ranked = np.array([True, True, False, True, False, True])
    found, without = of_mean(x, ranked=ranked), of_mean(x[:, ranked])
    for name in ("rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective"):
        assert_array_equal(getattr(found, name)[ranked], getattr(without, name))
    assert found.rank_lo[~ranked].tolist() == found.rank_hi[~ranked].tolist() == found.tie_group[~ranked].tolist()
    assert set(found.rank_lo[~ranked]) == {0}
    assert set(found.method[~ranked]) == {"unranked"}
    assert np.isnan(found.n_effective[~ranked]).all()


def test_an_undefined_key_takes_no_part() -> None:
    x = spread()
    influence = mean_influence(x)
    key = influence.value.copy()
    key[2] = np.nan
    found = rank_intervals(key, [influence], DESC)
    assert pairs(found)[2] == (0, 0)
    assert max(high for _, high in pairs(found)) == 5


def test_a_statistic_without_influence_gives_no_intervals_and_says_so() -> None:
    smooth = mean_influence(spread(contestants=3))
    unknown = Influence(smooth.value, np.zeros(smooth.psi.shape), smooth.present, is_smooth=False)
    key = np.append(smooth.value[:2], NAN)
    for parts in ([unknown], [smooth, unknown]):
        found = rank_intervals(key, parts, DESC, weights=[1.0] * len(parts))
        assert pairs(found) == [(0, 0)] * 3
        assert found.method.tolist() == ["not_smooth", "not_smooth", "unranked"]
        assert np.isnan(found.n_effective).all()


# Whose common cycles are too few, or say nothing


def test_fewer_than_eight_common_cycles_separate_nobody() -> None:
    x = spread(40, 3, step=0.0)
    x[:, 0] += 50
    x[:33, 1] = np.nan
    assert pairs(of_mean(x)) == [(1, 2), (1, 3), (2, 3)]
    x[32, 1] = 0.0
    assert pairs(of_mean(x)) == [(1, 1), (2, 3), (2, 3)]


def test_cycles_that_count_as_less_than_two_separate_nobody() -> None:
    level = np.repeat([1.0, -1.0], 20)[:, None]
    x = np.column_stack([level * np.array([3.0, -2.0, 1.0]), np.zeros(40)]) + 0.01 * spread(40, 4, step=0.0)
    x[:, 0] += 50
    x[:-8, 0] = np.nan
    found = of_mean(x)
    assert found.n_effective[1] < 40 / 8 * 2
    assert pairs(found)[0] == (1, 4)


def test_the_same_twice_is_never_separated() -> None:
    x = spread()
    twice = np.column_stack([x[:, 0], x])
    for direction in (DESC, ASC):
        low, high = np.array(pairs(of_mean(twice, direction))).T
        assert (low[0], high[0]) == (low[1], high[1])
        assert high[0] - low[0] >= 1


def test_a_difference_that_never_varies_separates_and_rounding_does_not() -> None:
    x = spread(30, 1)
    assert pairs(of_mean(np.column_stack([x, x + 0.5]))) == [(2, 2), (1, 1)]
    rounded = (x * 3 + 0.1) / 3 - 0.1 / 3
    rounded[:3] = np.nan  # so that the keys differ by more than rounding
    assert pairs(of_mean(np.column_stack([x, rounded]))) == [(1, 2), (1, 2)]
    assert pairs(of_mean(np.tile([1.0, 0.0], (30, 1)))) == [(1, 1), (2, 2)]
    assert pairs(of_mean(np.tile([0.1, 0.1], (30, 1)))) == [(1, 2), (1, 2)]


def test_equals_in_the_key_are_not_separated_whatever_their_common_cycles_say() -> None:
    x = spread(60, 2, step=3.0)
    influence = mean_influence(x)
    assert pairs(rank_intervals([1.0, 1.0 + 1e-14], [influence], DESC)) == [(1, 2), (1, 2)]
    assert pairs(rank_intervals([1.0, 1.0 + 1e-9], [influence], DESC)) == [(2, 2), (1, 1)]


def test_common_cycles_that_contradict_the_key_separate_nobody() -> None:
    # The second is better whenever both play; the first also played an easy time before.
    x = spread(60, 2, step=2.0)
    x[:30, 1] = np.nan
    x[:30, 0] += 100
    influence = mean_influence(x)
    assert influence.value[0] > influence.value[1]
    assert pairs(of_mean(x)) == [(1, 2), (1, 2)]


@pytest.mark.parametrize("seed", range(20))
def test_an_interval_holds_the_rank_and_tie_groups_are_its_lower_end(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = spread(40, 9, seed, step=rng.uniform(0, 0.6), gaps=rng.uniform(0, 0.6))
    x[: rng.integers(0, 40), 0] = np.nan
    found = of_mean(x)
    is_ranked = found.method == "holm"
    rank = stats.rankdata(-mean_influence(x).value[is_ranked], method="min")
    assert (found.rank_lo[is_ranked] >= 1).all()
    assert (found.rank_hi[is_ranked] <= is_ranked.sum()).all()
    assert (found.rank_lo[is_ranked] <= rank).all()
    assert (rank <= found.rank_hi[is_ranked]).all()
    assert_array_equal(found.tie_group, found.rank_lo)


# Properties


@given(st.permutations(range(6)))
def test_permuting_contestants_permutes_their_intervals(order: list[int]) -> None:
    x = spread(gaps=0.2)
    found, moved = of_mean(x), of_mean(x[:, order])
    assert pairs(moved) == [pairs(found)[place] for place in order]
    assert_allclose(moved.n_effective, found.n_effective[order], rtol=1e-9)


@given(st.floats(1e-3, 1e3), st.integers(0, 100))
def test_the_unit_and_what_all_have_in_common_change_nothing(scale: float, seed: int) -> None:
    x = spread()
    per_cycle = np.random.default_rng(seed).standard_normal((60, 1))
    assert_same(of_mean((x + per_cycle) * scale), of_mean(x))


def test_a_ratio_is_compared_by_what_it_is_made_of() -> None:
    rng = np.random.default_rng(0)
    tasks = rng.integers(5, 20, (104, 3))
    hits = rng.binomial(tasks, [0.5, 0.5, 0.7])
    influence = ratio_influence(hits, tasks)
    assert pairs(rank_intervals(influence.value, [influence], DESC)) == [(2, 3), (2, 3), (1, 1)]


def test_a_weighted_key_over_one_window_is_compared_as_its_sum() -> None:
    x, y = spread(seed=1), spread(seed=2)
    parts = [mean_influence(x), mean_influence(y)]
    both = mean_influence(0.7 * x + 0.3 * y)
    found = rank_intervals(both.value, parts, DESC, weights=[0.7, 0.3])
    assert_same(found, rank_intervals(both.value, [both], DESC))


def test_a_weighted_key_needs_eight_common_cycles_in_every_window() -> None:
    influence = mean_influence(spread(step=5.0))
    for window, separated in ((8, True), (7, False)):
        found = rank_intervals(influence.value, [influence] * 2, DESC, weights=[0.5, 0.5], windows=[60, window])
        assert (pairs(found) != [(1, 6)] * 6) is separated


# Dependence


def test_overlapping_cycles_count_for_less() -> None:
    overlapping = of_mean(noise("overlapping", 260, 50))
    independent = of_mean(noise("independent", 260, 50))
    assert np.median(overlapping.n_effective) == pytest.approx(260 / 4, rel=0.1)
    assert np.median(independent.n_effective) == pytest.approx(260, rel=0.05)
    assert overlapping.n_cycles.tolist() == [260] * 50


def test_items_that_have_nothing_to_do_with_one_another_count_in_full() -> None:
    found = of_mean(noise("overlapping", 60, 3), dependent=False)
    assert found.n_effective.tolist() == [60.0] * 3


# Refused


def test_mistakes_are_refused_with_what_was_given() -> None:
    influence = mean_influence(spread())
    with pytest.raises(ValueError, match="0 parts and 1 weights; give at least one part and a weight for each"):
        rank_intervals(influence.value, [], DESC)
    with pytest.raises(ValueError, match=r"windows are \[61\] for 1 parts over 60 cycles; give one per part"):
        rank_intervals(influence.value, [influence], DESC, windows=[61])
    with pytest.raises(ValueError, match=r"key has shape \(2,\), expected \(6,\)"):
        rank_intervals(influence.value[:2], [influence], DESC)
    with pytest.raises(ValueError, match=r"ranked has shape \(1,\), expected \(6,\)"):
        rank_intervals(influence.value, [influence], DESC, ranked=[True])


# Which pairs are separated


@pytest.mark.parametrize(("direction", "sign"), [(DESC, 1), (ASC, -1)])
def test_the_pairs_separated_are_those_that_rank_intervals_count(direction: Direction, sign: int) -> None:
    x = spread(gaps=0.2)
    influence = mean_influence(x)
    better = significantly_better(influence.value, [influence], direction)
    found = of_mean(x, direction)
    assert_array_equal(found.rank_lo, 1 + better.sum(axis=0))
    assert_array_equal(found.rank_hi, len(better) - better.sum(axis=1))
    row, column = np.nonzero(better)
    assert len(row) > 0
    assert (sign * (influence.value[row] - influence.value[column]) > 0).all()


def test_who_takes_no_part_is_better_than_nobody() -> None:
    influence = mean_influence(spread())
    ranked = np.array([True, False, True, True, True, True])
    better = significantly_better(influence.value, [influence], DESC, ranked=ranked)
    assert not better[1].any()
    assert not better[:, 1].any()
    assert better.any()


def test_without_influence_nobody_is_better() -> None:
    influence = replace(mean_influence(spread()), is_smooth=False)
    assert not significantly_better(influence.value, [influence], DESC).any()
