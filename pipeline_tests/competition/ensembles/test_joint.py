"""Strategies that look at all members at once: performance, skfolio's, and an operator's own."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.ensembles import Section, Terms, Track, joint, strategy_of
from pipeline.leaderboard import Direction
from pipeline.registry import UnknownNameError
from pipeline_tests.competition.ensembles import custom
from pipeline_tests.competition.ensembles.tracks import NAN, names, record_of, shares, track, weighed

CUSTOM = "pipeline_tests.competition.ensembles.custom"
OPTIMISED = ["mean_variance", "risk_parity"]


class TestPerformance:
    def test_for_losses_is_exponential_in_the_mean_over_the_median(self) -> None:
        found = weighed("performance", track([[1, 3], [4, 4], [5, 7]], Direction.ASC), theta=2.0, max_weight=1.0)
        own = [math.exp(-2 * 2 / 4), math.exp(-2 * 4 / 4), math.exp(-2 * 6 / 4)]
        assert found.weights == pytest.approx([one / sum(own) for one in own], rel=1e-12)

    def test_elsewhere_in_how_far_the_mean_falls_short_of_the_median(self) -> None:
        # Means 0.1, 0.2, 0.6; median 0.2; mean absolute deviation (0.1 + 0 + 0.4) / 3.
        found = weighed("performance", track([[0.0, 0.2], [0.2, 0.2], [0.5, 0.7]]), theta=0.5, max_weight=1.0)
        relative = [0.1 / (0.5 / 3), 0, -0.4 / (0.5 / 3)]
        own = [math.exp(-0.5 * one) for one in relative]
        assert found.weights == pytest.approx([one / sum(own) for one in own], rel=1e-12)

    def test_the_excess_over_the_cap_goes_to_the_others_in_proportion(self) -> None:
        record = track([[0.1] * 2, [0.5] * 2, [0.6] * 2, [0.9] * 2], Direction.ASC)
        free = weighed("performance", record, theta=4.0, max_weight=1.0).weights
        found = weighed("performance", record, theta=4.0, max_weight=0.5).weights
        assert free[0] > 0.5
        assert found[0] == 0.5
        assert found[1:] / found[1] == pytest.approx(free[1:] / free[1])
        assert found.sum() == pytest.approx(1)

    def test_the_cap_holds_for_whom_the_excess_lifts_above_it(self) -> None:
        found = weighed("performance", track([[0.1] * 2, [0.2] * 2, [3] * 2, [3] * 2], Direction.ASC), max_weight=0.4)
        assert found.weights[:2].tolist() == [0.4, 0.4]
        assert found.weights[2:] == pytest.approx([0.1, 0.1])

    def test_a_cap_that_cannot_hold_means_equal_weights(self) -> None:
        found = weighed("performance", track([[1, 2], [3, 4]], Direction.ASC), max_weight=0.5)
        assert found.weights.tolist() == [0.5, 0.5]

    def test_hopeless_members_share_what_the_cap_leaves(self) -> None:
        record = track([[1, 1], [2, 2], [3, 3]], Direction.ASC)
        assert weighed("performance", record, theta=1e4).weights.tolist() == [0.5, 0.25, 0.25]

    def test_all_are_equal_where_all_records_are(self) -> None:
        assert shares(weighed("performance", track([[0.1, 0.2]] * 3))) == pytest.approx([1 / 3] * 3)
        assert shares(weighed("performance", track([[0.0, 0.0]] * 3, Direction.ASC))) == pytest.approx([1 / 3] * 3)

    def test_a_newcomer_gets_the_median_weight_and_says_so(self) -> None:
        found = weighed("performance", record_of([1, 1], [2, 2], [4, 4], [1e9]), max_weight=1.0)
        assert found.weights[3] == pytest.approx(sorted(found.weights[:3])[1])
        assert found.fallback.tolist() == [None, None, None, "newcomer"]

    def test_where_nobody_has_a_history_all_are_equal_and_say_so(self) -> None:
        found = weighed("performance", record_of([1], [2]))
        assert found.weights.tolist() == [1, 1]
        assert found.fallback.tolist() == ["no_history"] * 2


def relative(one: list[float], other: list[float]) -> float:
    """Ratio of means over the cycles that both have."""
    both = [(a, b) for a, b in zip(one, other, strict=True) if not math.isnan(a + b)]
    return sum(a for a, _ in both) / sum(b for _, b in both)


class TestRelativeSkill:
    # The third played the two easy cycles only, in which it was worse than the others.
    RECORDS = ([1.0, 2.0, 8.0], [2.0, 1.0, 10.0], [3.0, 3.0, NAN])

    def test_is_exponential_in_the_geometric_mean_of_ratios_over_common_cycles(self) -> None:
        found = weighed("relative_skill", track(self.RECORDS, Direction.ASC), theta=1.5, max_weight=1.0)
        skill = [math.prod(relative(one, other) for other in self.RECORDS) ** (1 / 3) for one in self.RECORDS]
        own = [math.exp(-1.5 * one) for one in skill]
        assert found.weights == pytest.approx([one / sum(own) for one in own], rel=1e-12)
        assert found.weights[2] == found.weights.min()
        by_mean = weighed("performance", track(self.RECORDS, Direction.ASC), theta=1.5, max_weight=1.0)
        assert by_mean.weights[2] == by_mean.weights.max(), "a plain mean takes easy cycles for skill"

    def test_the_cap_and_newcomers_are_as_for_performance(self) -> None:
        found = weighed(
            "relative_skill", replace(record_of([1, 1], [2, 2], [4, 4], [9]), direction=Direction.ASC), max_weight=0.3
        )
        assert found.fallback.tolist() == [None, None, None, "newcomer"]
        assert found.weights.max() == pytest.approx(0.3)
        assert found.weights.sum() == pytest.approx(1)

    def test_a_single_member_has_all_the_weight(self) -> None:
        assert shares(weighed("relative_skill", track([[1.0, 2.0]], Direction.ASC))).tolist() == [1.0]

    def test_where_nothing_can_be_told_all_are_equal_and_say_why(self) -> None:
        young = weighed("relative_skill", track([[1.0], [2.0]], Direction.ASC))
        assert (young.weights.tolist(), young.fallback.tolist()) == ([1, 1], ["no_history"] * 2)
        apart = weighed("relative_skill", track([[1.0, 2.0, NAN, NAN], [NAN, NAN, 1.0, 2.0]], Direction.ASC))
        assert (apart.weights.tolist(), apart.fallback.tolist()) == ([1, 1], ["no_history"] * 2)
        below = weighed("relative_skill", track([[-1.0, 2.0], [1.0, 2.0]], Direction.ASC))
        assert (below.weights.tolist(), below.fallback.tolist()) == ([1, 1], ["negative_scores"] * 2)


@pytest.fixture
def _nothing_solved() -> Iterator[None]:
    joint._solved.cache_clear()
    yield
    joint._solved.cache_clear()


@pytest.mark.parametrize("strategy", OPTIMISED)
class TestOptimised:
    def records(self, cycles: int, size: int = 3) -> Track:
        random = np.random.default_rng(1)
        return track(
            random.normal([[0.05], [0.05], [0.01]] * (size // 3), [[0.1], [0.1], [0.4]] * (size // 3), (size, cycles))
        )

    def test_needs_a_year_of_weeks(self, strategy: str) -> None:
        assert weighed(strategy, self.records(51)).fallback.tolist() == ["too_few_cycles"] * 3
        assert weighed(strategy, self.records(51)).weights.tolist() == [1, 1, 1]
        assert weighed(strategy, self.records(52)).fallback.tolist() == [None] * 3

    def test_needs_two_cycles_for_each_member(self, strategy: str) -> None:
        assert weighed(strategy, self.records(59, 30), leave_out=False).fallback.tolist() == ["too_few_cycles"] * 30
        assert weighed(strategy, self.records(60, 30), leave_out=False).fallback.tolist() == [None] * 30

    def test_needs_two_members_with_a_history(self, strategy: str) -> None:
        record = track(np.vstack([self.records(60).series[:, 0], np.full((2, 60), NAN)]))
        assert weighed(strategy, record).fallback.tolist() == ["too_few_cycles"] * 3

    def test_gives_long_only_weights_that_shun_what_is_wild(self, strategy: str) -> None:
        found = shares(weighed(strategy, self.records(104)))
        assert (found >= 0).all()
        assert found[2] < 0.5 * min(found[:2])

    def test_a_newcomer_gets_the_median_weight_and_says_so(self, strategy: str) -> None:
        record = self.records(60)
        joined = track(np.vstack([record.series.T, np.r_[np.full(59, NAN), 9.0]]))
        found = weighed(strategy, joined)
        assert found.weights[3] == np.median(found.weights[:3])
        assert found.weights[:3] == pytest.approx(weighed(strategy, record).weights, rel=1e-9)
        assert found.fallback.tolist() == [None, None, None, "newcomer"]

    @pytest.mark.usefixtures("_nothing_solved")
    def test_a_solver_that_fails_leaves_equal_weights_says_so_and_is_not_asked_the_same_again(
        self, strategy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def fail(_: Any, returns: pd.DataFrame) -> None:
            asked.append(returns.shape)
            raise ArithmeticError("no")

        monkeypatch.setattr("skfolio.optimization.MeanRisk.fit", fail)
        monkeypatch.setattr("skfolio.optimization.RiskBudgeting.fit", fail)
        for _ in range(2):
            found = weighed(strategy, self.records(60), leave_out=False)
            assert found.weights.tolist() == [1, 1, 1]
            assert found.fallback.tolist() == ["solver: ArithmeticError"] * 3
        assert asked == [(52, 3)]

    @pytest.mark.usefixtures("_nothing_solved")
    def test_a_lack_of_memory_is_no_answer_of_a_solver(self, strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any) -> None:
            raise MemoryError

        monkeypatch.setattr("skfolio.optimization.MeanRisk.fit", fail)
        monkeypatch.setattr("skfolio.optimization.RiskBudgeting.fit", fail)
        with pytest.raises(MemoryError):
            weighed(strategy, self.records(60))

    def test_records_without_any_variance_do_not_stop_the_run(self, strategy: str) -> None:
        found = weighed(strategy, track(np.zeros((3, 60))))
        assert np.isfinite(found.weights).all()
        assert found.weights.sum() > 0

    def test_missing_cycles_stand_at_the_mean_of_the_others(self, strategy: str) -> None:
        series = self.records(60).series.T.copy()
        gaps = series.copy()
        gaps[0, 10] = NAN
        series[0, 10] = series[1:, 10].mean()
        found, expected = (weighed(strategy, track(one)).weights for one in (gaps, series))
        assert found == pytest.approx(expected, rel=1e-9)


def test_a_candidate_more_does_not_lengthen_the_memory_of_the_others() -> None:
    record = track(np.random.default_rng(2).normal(0.05, 0.1, (28, 56)))
    members = record.of(np.arange(27))
    alone = weighed("risk_parity", members.last(54), leave_out=False)
    among = weighed("risk_parity", record, members=27, leave_out=False)
    assert among.weights[:27].tolist() == alone.weights.tolist()


@pytest.mark.usefixtures("dotted_paths_into_tests")
class TestCustom:
    def record(self, size: int = 3) -> Track:
        section = Section(
            np.datetime64("2024-01-05T00:00:00.000000"),
            2,
            np.array(["A", "B"], dtype=object),
            np.array([[0.5, NAN], [0.25, -1.0], [NAN, NAN]])[:size],
            np.array(["2023-12-22", "2023-12-29"], dtype="M8[us]"),
        )
        series = np.array([[0.1, 0.3, NAN], [0.2, NAN, NAN]])[:, :size]
        metrics = {"ic": np.array([0.15, 0.3, NAN])[:size], "coverage": np.array([1.0, 0.5, 0.0])[:size]}
        return Track(names(size), series, Direction.DESC, metrics=metrics, section=section)

    def test_gets_metrics_and_predictions_by_model(self) -> None:
        custom.CALLS.clear()
        found = weighed(f"{CUSTOM}.by_number", self.record())
        metrics, predictions = custom.CALLS[0]
        assert found.weights.tolist() == [1, 2, 3]
        assert found.fallback.tolist() == [None] * 3
        assert metrics["m00"] == {"ic": 0.15, "coverage": 1.0}
        common = {"cycle": datetime(2024, 1, 5), "horizon": 2}
        assert predictions == {
            "m00": [{**common, "subject": "A", "value": 0.5}],
            "m01": [{**common, "subject": "A", "value": 0.25}, {**common, "subject": "B", "value": -1.0}],
            "m02": [],
        }

    def test_gets_the_past_scores_if_it_asks(self) -> None:
        custom.CALLS.clear()
        found = weighed(f"{CUSTOM}.by_scores", self.record())
        assert found.weights.tolist() == [3, 2, 1]
        assert custom.CALLS[0][2]["m00"] == [
            {"cycle": datetime(2023, 12, 22), "value": 0.1},
            {"cycle": datetime(2023, 12, 29), "value": 0.2},
        ]

    def test_is_asked_again_without_each_member(self) -> None:
        custom.CALLS.clear()
        found = weighed(f"{CUSTOM}.by_number", self.record())
        assert [list(metrics) for metrics, _ in custom.CALLS] == [
            ["m00", "m01", "m02"],
            ["m01", "m02"],
            ["m00", "m02"],
            ["m00", "m01"],
        ]
        assert found.without is not None
        assert [one.weights.tolist() for one in found.without] == [[0, 1, 2], [1, 0, 2], [1, 2, 0]]

    def test_who_is_not_named_has_no_weight(self) -> None:
        assert weighed(f"{CUSTOM}.only_the_first", self.record()).weights.tolist() == [2, 0, 0]

    @pytest.mark.parametrize(
        ("function", "why"),
        [
            ("failing", "error: ZeroDivisionError: of the operator's own"),
            ("with_a_stranger", "error: weights for 'stranger', which is no member"),
            ("negative", "error: a weight is negative or not finite"),
            ("not_finite", "error: a weight is negative or not finite"),
            ("nothing", "error: all weights are 0"),
            ("silent", "error: TypeError: 'NoneType' object is not iterable"),
            ("wordy", "error: ValueError: could not convert string to float: 'much'"),
        ],
    )
    def test_one_that_gives_nothing_usable_leaves_equal_weights_and_says_why(self, function: str, why: str) -> None:
        found = weighed(f"{CUSTOM}.{function}", self.record())
        assert found.weights.tolist() == [1, 1, 1]
        assert found.fallback.tolist() == [why] * 3

    def test_is_called_for_a_single_member_too(self) -> None:
        found = weighed(f"{CUSTOM}.by_number", self.record(1))
        assert found.weights.tolist() == [1]

    def test_what_is_no_function_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match=r"NOT_A_STRATEGY' is a float; name a function \(model_metrics"):
            strategy_of(f"{CUSTOM}.NOT_A_STRATEGY")

    def test_what_is_not_there_is_refused_with_the_known_names(self) -> None:
        with pytest.raises(UnknownNameError, match=r"cannot be imported: .*known without a path: equal_weight, inv"):
            strategy_of(f"{CUSTOM}.nobody")


def test_a_path_outside_the_allowed_packages_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="outside the packages that dotted paths may use"):
        strategy_of("os.path.join")


@pytest.mark.parametrize("strategy", ["performance", *OPTIMISED])
def test_more_than_fifty_members_are_not_left_out_one_by_one(strategy: str) -> None:
    fifty, more = (track(np.random.default_rng(0).normal(0.1, 0.1, (size, 20))) for size in (50, 51))
    assert len(weighed(strategy, fifty).without or ()) == 50
    assert weighed(strategy, more).without is None
    assert weighed(strategy, more, members=50).without is not None


def test_terms_default_to_those_of_an_ensemble() -> None:
    assert Terms() == Terms(window=52, min_history=13, theta=1.0, max_weight=0.5)
