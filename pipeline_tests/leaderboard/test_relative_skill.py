"""Relative skill: by hand, against loops over pairs, where it is undefined, and how sure it is."""

import math
import tracemalloc
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.leaderboard import (
    Direction,
    Pairs,
    TaskErrors,
    mean_influence,
    pair_totals,
    rank_intervals,
    relative_skill,
    relative_skill_by,
    relative_skill_influence,
    relative_skill_interval,
)
from pipeline_tests.leaderboard.series import KINDS, noise

NAN = float("nan")
NAMES = ["a", "b", "c", "d", "base"]


def drawn(seed: int, tasks: int = 40, absent: float = 0.4) -> npt.NDArray[np.float64]:
    """Losses of five contestants with gaps, the base complete; difficulty differs widely between tasks."""
    random = np.random.default_rng(seed)
    losses = random.lognormal(3 * random.normal(size=(tasks, 1)), 0.5, (tasks, 5)) * [0.5, 0.8, 1, 1.3, 1]
    losses[:, :4][random.random((tasks, 4)) < absent] = NAN
    return losses


def by_loops(losses: npt.NDArray[np.float64], baseline: int) -> list[float]:
    """The definition, pair by pair."""

    def theta(i: int) -> float:
        ratios = []
        for j in range(losses.shape[1]):
            common = [t for t in range(len(losses)) if not math.isnan(losses[t, i]) and not math.isnan(losses[t, j])]
            if common:
                ratios.append(math.fsum(losses[common, i]) / math.fsum(losses[common, j]))
        return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))

    return [theta(i) / theta(baseline) for i in range(losses.shape[1])]


def test_relative_skill_by_hand() -> None:
    """a has half the losses of base on their one task, b the same as base on both."""
    found = pair_totals([[2, 4, 4], [NAN, 10, 10]])
    np.testing.assert_array_equal(found.total, [[2, 2, 2], [4, 14, 14], [4, 14, 14]])
    np.testing.assert_array_equal(found.common, [[1, 1, 1], [1, 2, 2], [1, 2, 2]])
    of_field = relative_skill(found, ["a", "b", "base"])
    np.testing.assert_allclose(of_field.value, [0.25 ** (1 / 3), 2 ** (1 / 3), 2 ** (1 / 3)])
    scaled = relative_skill(found, ["a", "b", "base"], "base")
    np.testing.assert_allclose(scaled.value, [0.5, 1, 1])
    assert scaled.n.tolist() == [1, 2, 2]
    assert scaled.reason.tolist() == [None, None, None]


@given(st.integers(0, 10_000))
def test_relative_skill_is_that_of_the_definition(seed: int) -> None:
    losses = drawn(seed)
    skill = relative_skill(pair_totals(losses), NAMES, "base")
    np.testing.assert_allclose(skill.value, by_loops(losses, 4), rtol=1e-12)


def test_with_the_same_tasks_for_all_it_is_the_ratio_of_means() -> None:
    losses = drawn(1, absent=0)
    skill = relative_skill(pair_totals(losses), NAMES, "base")
    np.testing.assert_allclose(skill.value, losses.mean(axis=0) / losses[:, 4].mean(), rtol=1e-13)


def test_who_did_the_easy_tasks_only_is_no_better_for_it() -> None:
    losses = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [NAN, 100.0, 100.0]])
    np.testing.assert_allclose(relative_skill(pair_totals(losses), ["new", "old", "base"], "base").value, 1)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_units_and_the_order_of_tasks_and_contestants_change_nothing(seed: int, unit: float) -> None:
    losses, random = drawn(seed), np.random.default_rng(seed)
    value = relative_skill(pair_totals(losses), NAMES, "base").value
    tasks, order = random.permutation(len(losses)), random.permutation(5)
    moved = relative_skill(pair_totals(unit * losses[tasks][:, order]), [NAMES[i] for i in order], "base")
    np.testing.assert_allclose(moved.value, value[order], rtol=1e-12)


def test_pairs_of_two_sets_of_tasks_add_up_to_those_of_both() -> None:
    losses = drawn(2)
    both, summed = pair_totals(losses), pair_totals(losses[:13]) + pair_totals(losses[13:])
    np.testing.assert_allclose(summed.total, both.total, rtol=1e-13)
    np.testing.assert_array_equal(summed.common, both.common)


def test_sums_of_many_tasks_of_unlike_size_keep_their_digits() -> None:
    random = np.random.default_rng(3)
    losses = random.lognormal(0, 4, (50_000, 3))
    losses[random.random(losses.shape) < 0.3] = NAN
    total = pair_totals(losses).total
    for i in range(3):
        for j in range(3):
            common = ~np.isnan(losses[:, i]) & ~np.isnan(losses[:, j])
            assert total[i, j] == pytest.approx(math.fsum(losses[common, i]), rel=1e-12)


def test_pairs_need_little_memory_beside_the_scores() -> None:
    losses = np.ones((50_000, 84))
    tracemalloc.start()
    try:
        pair_totals(losses)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < losses.nbytes / 2


def test_each_group_is_compared_by_itself() -> None:
    losses, groups = drawn(4, 60), np.arange(60) % 3 - 1
    found = relative_skill_by(losses, groups, NAMES, "base")
    assert found.value.shape == found.reason.shape == found.n.shape == (2, 5)
    for group in range(2):
        alone = relative_skill(pair_totals(losses[groups == group]), NAMES, "base")
        np.testing.assert_allclose(found.value[group], alone.value, rtol=1e-13)
        np.testing.assert_array_equal(found.n[group], alone.n)


def test_a_group_without_tasks_has_no_scores() -> None:
    found = relative_skill_by(drawn(5, 4, absent=0), [0, 0, 2, 2], NAMES, "base")
    assert found.reason.tolist() == [[None] * 5, ["no_scores"] * 5, [None] * 5]
    assert relative_skill_by(np.empty((0, 5)), [], NAMES).value.shape == (0, 5)


# Undefined


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ([[1, 1, NAN], [1, 1, NAN]], [None, None, "no_scores"]),
        ([[1, 1, NAN], [NAN, NAN, 1]], [None, None, "no_common_tasks"]),
        ([[1, 1, 0], [1, 1, NAN]], [None, None, "zero_mean"]),
        ([[0, 1, NAN], [1, 1, 1]], [None, None, None]),
        ([[0, 1, NAN], [NAN, NAN, 1]], ["zero_mean", "zero_mean", "no_common_tasks"]),
        ([[np.inf, 1, 1]], ["no_scores", None, None]),
    ],
)
def test_what_has_no_ratio_has_a_reason(losses: list[list[float]], reason: list[str | None]) -> None:
    skill = relative_skill(pair_totals(losses), ["a", "b", "c"])
    assert skill.reason.tolist() == reason
    np.testing.assert_array_equal(np.isnan(skill.value), [one is not None for one in reason])


def test_a_perfect_newcomer_does_not_undo_the_board() -> None:
    losses = drawn(6)
    with_perfect = np.column_stack([losses, np.full(len(losses), NAN)])
    with_perfect[0, 5] = 0.0
    skill = relative_skill(pair_totals(with_perfect), [*NAMES, "perfect"], "base")
    np.testing.assert_allclose(skill.value[:5], by_loops(losses, 4), rtol=1e-12)
    assert skill.reason[5] == "zero_mean"


def test_without_the_baseline_nobody_has_a_scaled_skill_and_it_says_why() -> None:
    skill = relative_skill(pair_totals([[1, 2, NAN], [1, NAN, NAN]]), ["a", "b", "base"], "base")
    assert skill.reason.tolist() == ["no_baseline", "no_baseline", "no_scores"]
    assert np.isnan(skill.value).all()
    perfect = relative_skill(pair_totals([[1, 2, 0]]), ["a", "b", "base"], "base")
    assert perfect.reason.tolist() == ["no_baseline", "no_baseline", "zero_mean"]


def test_a_chain_of_common_tasks_leads_to_the_baseline_or_not() -> None:
    """a - b - base share tasks in a chain; c and d only with each other."""
    losses = [[1, 2, NAN, NAN, NAN], [NAN, 3, NAN, NAN, 6], [NAN, NAN, 1, 1, NAN]]
    skill = relative_skill(pair_totals(losses), NAMES, "base")
    assert skill.reason.tolist() == [None, None, "not_connected", "not_connected", None]
    # theta: a (1 x 1/2)^(1/2), b (2 x 1 x 1/2)^(1/3), base (1 x 2)^(1/2)
    np.testing.assert_allclose(skill.value, [0.5, 1 / math.sqrt(2), NAN, NAN, 1])
    assert relative_skill(pair_totals(losses), NAMES).reason.tolist() == [None] * 5


@pytest.mark.parametrize(
    ("losses", "names", "baseline", "message"),
    [
        ([1.0, 2.0], ["a", "b"], None, r"scores have shape \(2,\), expected \(tasks, contestants\)"),
        (
            [[1.0, -0.5]],
            ["a", "b"],
            None,
            r"a score is -0\.5; relative skill is a ratio of losses, give scores of 0 or",
        ),
        ([[1.0, 2.0]], ["a"], None, r"contestants has shape \(1,\), expected \(2,\)"),
        ([[1.0, 2.0]], ["a", "a"], None, "contestant 'a' occurs more than once; give each once"),
        ([[1.0, 2.0]], ["b", "a"], "base", "baseline 'base' is not among the contestants; they are: a, b"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    losses: list[float], names: list[str], baseline: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        relative_skill(pair_totals(losses), names, baseline)


def test_a_group_is_needed_for_every_task() -> None:
    with pytest.raises(ValueError, match=r"groups has shape \(1,\), expected \(2,\)"):
        relative_skill_by([[1.0], [2.0]], [0], ["a"])
    with pytest.raises(ValueError, match=r"cycles has shape \(1,\), expected \(2,\)"):
        relative_skill_influence([[1.0], [2.0]], [0], ["a"])


# Influence and intervals


def test_influence_is_the_derivative_by_the_weight_of_a_cycle() -> None:
    losses, cycles = drawn(7, 60), np.arange(60) // 6
    influence = relative_skill_influence(losses, cycles, NAMES)
    whole, step = pair_totals(losses), 1e-6
    for cycle in range(10):
        here = pair_totals(losses[cycles == cycle])
        more, less = (Pairs(whole.total + sign * step * here.total, whole.common) for sign in (1, -1))
        logs = [np.log(relative_skill(one, NAMES).value) for one in (more, less)]
        slope = (logs[0] - logs[1]) / (2 * step)
        np.testing.assert_allclose(
            influence.psi[cycle], np.where(influence.present[cycle], influence.n * slope, 0), atol=1e-7
        )
    np.testing.assert_allclose(influence.psi.sum(axis=0), 0, atol=1e-12)


def test_with_the_same_tasks_two_influences_differ_by_the_two_relative_losses() -> None:
    losses = drawn(8, 20, absent=0)
    influence = relative_skill_influence(losses, np.arange(20), NAMES, "base")
    relative = losses / losses.mean(axis=0)
    differences = influence.psi - influence.psi[:, [4]]
    np.testing.assert_allclose(differences, relative - relative[:, [4]], atol=1e-12)
    np.testing.assert_allclose(influence.value, np.log(losses.mean(axis=0) / losses[:, 4].mean()))


def test_contestants_are_present_in_cycles_with_tasks_that_others_have_too() -> None:
    losses = np.array([[1.0, 2.0, NAN], [NAN, 1.0, 2.0], [3.0, NAN, NAN]])
    influence = relative_skill_influence(losses, [0, 1, 2], ["a", "b", "c"], "b")
    np.testing.assert_array_equal(influence.present, [[True, True, False], [False, True, True], [False] * 3])
    undefined = relative_skill_influence([[1.0, NAN], [NAN, 1.0]], [0, 1], ["a", "b"], "b")
    assert np.isnan(undefined.value).all()
    assert not undefined.psi.any()


def test_the_baseline_is_certain_and_few_cycles_make_no_interval() -> None:
    losses = drawn(9, 30, absent=0)
    losses[7:, 0] = NAN
    losses[:, 1] = NAN
    found = relative_skill_interval(losses, np.arange(30), NAMES, "base")
    assert found.method.tolist() == ["too_few_cycles", "undefined", "ewc", "ewc", "zero_variance"]
    value = relative_skill(pair_totals(losses), NAMES, "base").value
    assert (found.low < value)[2:4].all()
    assert (found.high > value)[2:4].all()
    np.testing.assert_allclose(np.log(found.high / value), np.log(value / found.low))


def test_an_interval_without_a_baseline_is_of_the_field() -> None:
    losses = drawn(10, 40, absent=0)
    found = relative_skill_interval(losses, np.arange(40), NAMES)
    assert (found.method == "ewc").all()


def test_a_newcomers_interval_counts_the_baselines_error_from_before_it_came() -> None:
    random = np.random.default_rng(13)
    calm = np.exp(0.2 * random.normal(size=(60, 5)))
    calm[:30, 0] = NAN
    wild = calm.copy()
    wild[:30, 4] = np.exp(2 * random.normal(size=30))
    of_calm, of_wild = (relative_skill_interval(losses, np.arange(60), NAMES, "base") for losses in (calm, wild))
    assert np.log(of_wild.high[0] / of_wild.low[0]) > 2 * np.log(of_calm.high[0] / of_calm.low[0])


def simulated(kind: str, replications: int) -> Iterator[npt.NDArray[np.float64]]:
    """Boards of 60 cycles with 3 tasks each: of the first contestant the last 30 cycles, of the second half the tasks.

    Contestants share what is difficult; what is their own is dependent, by the kind of series.
    """
    random = np.random.default_rng(1)
    own = 0.3 * noise(kind, 60, 5 * replications).reshape(60, replications, 5).repeat(3, axis=0)
    for replication in range(replications):
        noise_of_tasks = 0.5 * random.normal(size=(180, 1)) + 0.2 * random.normal(size=(180, 5))
        losses = np.exp(own[:, replication] + noise_of_tasks)
        losses[:90, 0] = NAN
        losses[random.random(180) < 0.5, 1] = NAN
        yield losses


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_truth_about_as_often_as_they_say(kind: str) -> None:
    """Equal contestants, so every relative skill is truly 1; 800 boards, whose share has a standard error of 0.01."""
    cycles, held = np.repeat(np.arange(60), 3), []
    for losses in simulated(kind, 800):
        found = relative_skill_interval(losses, cycles, NAMES, "base")
        held.append((found.low[:4] < 1) & (found.high[:4] > 1))
    coverage = np.mean(held, axis=0)
    assert (coverage > 0.90).all(), coverage
    assert (coverage < 0.98).all(), coverage


def test_rank_intervals_by_relative_skill_separate_who_is_clearly_better() -> None:
    random = np.random.default_rng(11)
    losses = np.exp(random.normal(size=(120, 1)) + 0.2 * random.normal(size=(120, 5))) * [0.5, 1, 1, 1, 1]
    influence = relative_skill_influence(losses, np.arange(120) // 3, NAMES, "base")
    found = rank_intervals(influence.value, [influence], Direction.ASC)
    assert found.rank_hi[0] == 1
    assert (found.rank_lo[1:] == 2).all()


def test_on_shared_tasks_relative_skill_separates_what_means_cannot() -> None:
    """Difficulty moves all losses alike, and what is left differs by a tenth."""
    random = np.random.default_rng(12)
    losses = np.exp(1.5 * random.normal(size=(200, 1)) + 0.1 * random.normal(size=(200, 5))) * [0.9, 1, 1, 1, 1]
    found = relative_skill_interval(losses, np.arange(200), NAMES, "base")
    assert found.high[0] < 1
    mean = mean_influence(losses)
    assert mean.psi[:, 0].std() / mean.value[0] > 20 * found.se[0]


def test_who_is_not_of_the_field_is_compared_with_it_and_moves_nobody() -> None:
    losses = drawn(8)
    field = np.array([True, True, False, True, True])
    whole, others = pair_totals(losses), pair_totals(losses[:, field])
    of_all = whole.among(np.arange(5), field)
    skill = relative_skill(of_all, NAMES, "base")
    without = relative_skill(others, ["a", "b", "d", "base"], "base")
    np.testing.assert_allclose(skill.value[field], without.value)
    of_field = relative_skill(of_all, NAMES).value[2]
    ratios = of_all.total[2, field] / of_all.total[field, 2]
    np.testing.assert_allclose(of_field, np.exp(np.log(ratios).sum() / 5))
    errors, present = TaskErrors(of_all).of(losses)
    expected, expected_present = TaskErrors(others).of(losses[:, field])
    np.testing.assert_allclose(errors[:, field], expected, atol=1e-15)
    np.testing.assert_array_equal(present[:, field], expected_present)


def test_who_is_not_of_the_field_makes_no_chain_to_the_baseline() -> None:
    losses = [[1, NAN, 1, NAN, 1], [2, NAN, 1, NAN, 1], [NAN, 1, NAN, 1, 1], [NAN, 2, NAN, 1, 1]]
    field = np.array([True, True, True, True, False])
    pairs = pair_totals(losses).among(np.arange(5), field)
    skill = relative_skill(pairs, ["a", "b", "base", "d", "virtual"], "base")
    assert skill.reason.tolist() == [None, "not_connected", None, "not_connected", None]


def test_pairs_of_some_are_those_that_they_would_have_alone() -> None:
    losses = drawn(9)
    some = np.array([4, 1, 0])
    found, alone = pair_totals(losses).among(some), pair_totals(losses[:, some])
    np.testing.assert_allclose(found.total, alone.total)
    np.testing.assert_array_equal(found.common, alone.common)


def test_errors_of_tasks_are_the_derivative_by_their_weight() -> None:
    """A task counted a little more moves ln(theta) by that much of its error."""
    losses = drawn(10, tasks=12)
    pairs = pair_totals(losses)
    errors, present = TaskErrors(pairs).of(losses)
    for task in range(12):
        here = pair_totals(losses[[task]])
        more = Pairs(pairs.total + 1e-6 * here.total, pairs.common)
        moved = np.log(relative_skill(more, NAMES).value / relative_skill(pairs, NAMES).value)
        np.testing.assert_allclose(errors[task], moved / 1e-6, rtol=1e-4, atol=1e-8)
    others = np.isfinite(losses)
    np.testing.assert_array_equal(present, others & (others.sum(axis=1, keepdims=True) > 1))
