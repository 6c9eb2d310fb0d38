"""Strategies that give each member a weight of its own, on records worked by hand."""

import numpy as np
import pytest

from pipeline.competition.ensembles import STRATEGIES, strategy_of
from pipeline.competition.ensembles.weighing import medians_without
from pipeline.leaderboard import Direction
from pipeline_tests.competition.ensembles.tracks import NAN, record_of, shares, track, weighed

STEADY = [0.1, 0.3]  # mean 0.2, variance 0.02
WILD = [0.0, 0.4]  # mean 0.2, variance 0.08
BAD = [-0.1, -0.3]  # mean -0.2, variance 0.02
SEPARABLE = ["equal_weight", "inverse_variance", "skill_variance"]


def test_equal_weight_looks_at_no_record() -> None:
    found = weighed("equal_weight", track([STEADY, [NAN, NAN], WILD]))
    assert found.weights.tolist() == [1, 1, 1]
    assert found.fallback.tolist() == [None] * 3


def test_equal_weight_of_one_member_is_all() -> None:
    assert shares(weighed("equal_weight", track([STEADY]))).tolist() == [1]


def test_inverse_variance_is_one_over_the_sample_variance() -> None:
    found = weighed("inverse_variance", track([STEADY, WILD]))
    assert found.weights == pytest.approx([1 / 0.02, 1 / 0.08], rel=1e-12)
    assert shares(found) == pytest.approx([0.8, 0.2], rel=1e-12)
    assert found.fallback.tolist() == [None, None]


def test_inverse_variance_rewards_steadiness_whatever_the_sign() -> None:
    assert shares(weighed("inverse_variance", track([STEADY, BAD]))) == pytest.approx([0.5, 0.5])


def test_absent_cycles_are_left_out_of_the_variance() -> None:
    found = weighed("inverse_variance", track([[0.1, NAN, 0.3], [0.0, 0.4, NAN]]))
    assert found.weights == pytest.approx([1 / 0.02, 1 / 0.08])


def test_for_losses_inverse_variance_is_one_over_the_mean_square() -> None:
    found = weighed("inverse_variance", track([[1.0, 3.0], [2.0, 4.0]], Direction.ASC))
    assert found.weights == pytest.approx([1 / 5, 1 / 10], rel=1e-12)


def test_squared_errors_are_not_squared_again() -> None:
    found = weighed("inverse_variance", track([[1.0, 3.0], [2.0, 6.0]], Direction.ASC, is_squared=True))
    assert found.weights == pytest.approx([1 / 2, 1 / 4], rel=1e-12)


def test_no_dispersion_counts_below_a_thousandth_of_the_median() -> None:
    # Variances 0 and 2e-10 are below the floor of 0.02 / 1000.
    found = weighed("inverse_variance", track([[0.1, 0.1], [0.2, 0.2 + 2e-5], STEADY, STEADY, WILD]))
    assert found.weights == pytest.approx([1 / 2e-5, 1 / 2e-5, 1 / 0.02, 1 / 0.02, 1 / 0.08], rel=1e-9)


def test_where_most_records_are_constant_all_are_equally_steady() -> None:
    found = weighed("inverse_variance", track([[0.1, 0.1], [0.25, 0.25], WILD]))
    assert found.weights.tolist() == [1, 1, 1]


def test_a_constant_record_has_no_variance_though_its_mean_is_rounded() -> None:
    record = track([[0.1] * 3, [0.7] * 3, [0.3] * 3])
    assert record.variance().tolist() == [0, 0, 0]
    assert weighed("inverse_variance", record).weights.tolist() == [1, 1, 1]


def test_where_most_records_are_constant_skill_still_counts() -> None:
    found = weighed("skill_variance", track([[0.25, 0.25], [-0.25, -0.25], [0.75, 0.75]]))
    assert shares(found) == pytest.approx([0.25, 0, 0.75])


@pytest.mark.parametrize("strategy", ["inverse_variance", "skill_variance"])
def test_a_newcomer_gets_the_median_weight_of_those_with_a_history(strategy: str) -> None:
    steady, wild, middling, newcomer = [0.1, 0.3, 0.2], [0.0, 0.4, 0.2], [0.18, 0.2, 0.25], [NAN, 0.9, -0.9]
    found = weighed(strategy, track([steady, wild, newcomer, middling]), min_history=3)
    own = found.weights[[0, 1, 3]]
    assert found.weights[2] == sorted(own)[1]
    assert len({round(weight, 6) for weight in own}) == 3
    assert found.fallback.tolist() == [None, None, "newcomer", None]


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    found = weighed("inverse_variance", record_of(STEADY, WILD, [0.9]))
    assert found.weights[2] == pytest.approx((1 / 0.02 + 1 / 0.08) / 2)


def test_newcomers_do_not_move_the_floor() -> None:
    lone = weighed("inverse_variance", track([[0.1, 0.1, 0.1], [0.1, 0.3, 0.2]]), min_history=3)
    joined = weighed(
        "inverse_variance",
        track([[0.1, 0.1, 0.1], [0.1, 0.3, 0.2], [NAN, 5.0, -5.0], [NAN, 7.0, -7.0]]),
        min_history=3,
    )
    assert joined.weights[:2].tolist() == lone.weights.tolist()


@pytest.mark.parametrize("strategy", ["inverse_variance", "skill_variance", "performance"])
def test_without_any_history_all_are_equal(strategy: str) -> None:
    found = weighed(strategy, track([[NAN, 0.1], [0.2, NAN], [NAN, NAN]]))
    assert shares(found) == pytest.approx([1 / 3] * 3)
    assert found.fallback.tolist() == ["no_history"] * 3


def test_history_just_long_enough_counts() -> None:
    record = record_of([0.1] * 12 + [0.2], [0.1, 0.3] * 6)
    assert weighed("inverse_variance", record, min_history=13).fallback.tolist() == [None, "newcomer"]
    assert weighed("inverse_variance", record, min_history=12).fallback.tolist() == [None, None]


def test_skill_variance_is_skill_over_variance_and_nothing_for_who_has_none() -> None:
    found = weighed("skill_variance", track([STEADY, WILD, BAD]))
    assert found.weights == pytest.approx([0.2 / 0.02, 0.2 / 0.08, 0], rel=1e-12)
    assert found.fallback.tolist() == [None] * 3


def test_where_nobody_has_skill_all_are_equal() -> None:
    found = weighed("skill_variance", track([BAD, [-0.4, 0.1], [NAN, 0.5]]))
    assert found.weights.tolist() == [1, 1, 1]
    assert found.fallback.tolist() == ["no_skill"] * 3


def test_strategies_that_reward_skill_by_its_mean_are_not_for_losses() -> None:
    assert [one.name for one in STRATEGIES if not one.for_losses] == ["skill_variance", "mean_variance"]


@pytest.mark.parametrize("strategy", SEPARABLE)
def test_a_weight_does_not_depend_on_the_place_of_its_member(strategy: str) -> None:
    random = np.random.default_rng(5)
    series = np.where(random.random((6, 20)) < 0.2, NAN, random.normal(0.02, 0.1, (6, 20)))
    order = random.permutation(6)
    assert shares(weighed(strategy, track(series[order]))) == pytest.approx(
        shares(weighed(strategy, track(series)))[order], rel=1e-12
    )


def test_a_candidate_who_is_no_member_has_no_weight_and_moves_none() -> None:
    record = track([STEADY, WILD, [0.0, 1.0]])
    found = weighed("inverse_variance", record, members=2)
    assert found.weights.tolist() == [*weighed("inverse_variance", record.of(np.array([0, 1]))).weights, 0]
    assert found.fallback.tolist() == [None] * 3


@pytest.mark.parametrize("seed", range(20))
def test_medians_without_one_are_those_of_the_others(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.round(random.normal(size=random.integers(2, 12)), 1)
    expected = [np.median(np.delete(values, place)) for place in range(len(values))]
    assert medians_without(values).tolist() == expected


def test_the_median_without_the_only_one_is_undefined() -> None:
    assert np.isnan(medians_without(np.array([1.0]))).all()


def test_built_in_strategies_are_found_by_name_and_by_path() -> None:
    assert strategy_of("inverse_variance") is STRATEGIES.get("inverse_variance")
    assert strategy_of("pipeline.competition.ensembles.inverse_variance") is STRATEGIES.get("inverse_variance")
