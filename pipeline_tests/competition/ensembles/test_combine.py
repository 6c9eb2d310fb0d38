"""One prediction out of many: normalised, weighed, combined, missing ones dropped; on numbers worked by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition.arrays import Floats
from pipeline.competition.ensembles import EnsembleConfig, Weighing, combine, normalized
from pipeline.competition.ensembles.config import Normalize
from pipeline_tests.competition.ensembles.tracks import NAN

COMBINES = ["mean", "median", "trimmed"]


def combined(signals: npt.ArrayLike, weights: npt.ArrayLike, combine_by: str = "mean", **config: Any) -> Floats:
    """The prediction of members with these weights, one row of signals each."""
    weighing = Weighing(np.asarray(weights, dtype=float), np.full(len(np.asarray(weights)), None), None)
    ensemble = EnsembleConfig.model_validate({"name": "e", "combine": combine_by} | config)
    return combine(np.asarray(signals, dtype=float), weighing, ensemble).value


class TestNormalized:
    def test_ranks_are_in_the_middle_of_their_share(self) -> None:
        found = normalized(np.array([[7.0, -1.0, 7.0, 9.0], [NAN, 5.0, NAN, 4.0]]), "rank")
        assert found[0].tolist() == [0.5, 0.125, 0.5, 0.875]
        assert found[1][[1, 3]].tolist() == [0.75, 0.25]
        assert np.isnan(found[1][[0, 2]]).all()

    def test_a_constant_ranks_in_the_middle(self) -> None:
        assert normalized(np.full((1, 5), 3.0), "rank").tolist() == [[0.5] * 5]

    def test_zscores_have_mean_0_and_population_deviation_1(self) -> None:
        found = normalized(np.array([[1.0, 3.0, NAN]]), "zscore")
        assert found[0][:2].tolist() == [-1, 1]
        assert np.isnan(found[0][2])

    @pytest.mark.parametrize("value", [0.0, 0.1, 0.7, -1e9 / 3, 1e-9])
    @pytest.mark.parametrize("n", [1, 3, 7, 20])
    def test_the_zscore_of_a_constant_is_0_though_its_mean_is_rounded(self, value: float, n: int) -> None:
        assert normalized(np.full((1, n), value), "zscore").tolist() == [[0.0] * n]

    def test_none_leaves_predictions_alone(self) -> None:
        assert normalized(np.array([[2.0, -3.0]]), "none").tolist() == [[2, -3]]

    @pytest.mark.parametrize("how", ["rank", "zscore", "none"])
    def test_a_model_without_predictions_stays_without(self, how: Normalize) -> None:
        assert np.isnan(normalized(np.full((2, 3), NAN), how)).all()

    @pytest.mark.parametrize("how", ["rank", "zscore"])
    def test_a_change_of_unit_changes_nothing(self, how: Normalize) -> None:
        signals = np.array([[1.0, 2.0, NAN, 4.0, 4.0]])
        assert normalized(1000 * signals + 7, how) == pytest.approx(normalized(signals, how), nan_ok=True)


class TestMean:
    def test_is_weighed(self) -> None:
        assert combined([[1, 2], [5, 10]], [3, 1]).tolist() == [2, 4]

    def test_renormalises_where_members_are_missing(self) -> None:
        assert combined([[1, NAN, NAN], [5, 10, NAN]], [3, 1])[:2].tolist() == [2, 10]
        assert np.isnan(combined([[1, NAN], [5, NAN]], [3, 1])[1])

    def test_who_has_no_weight_predicts_nothing(self) -> None:
        found = combined([[1, 2, NAN], [100, NAN, 300]], [1, 0])
        assert found[:2].tolist() == [1, 2]
        assert np.isnan(found[2])

    def test_sums_that_are_equal_on_paper_tie(self) -> None:
        # In floating point 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1, nor 0.1 + 0.7 0.8.
        found = combined([[0.1, 0.3, 0.8], [0.2, 0.2, -0.1], [0.3, 0.1, -0.1]], [1, 1, 1])
        assert len(set(found)) == 1
        assert len(set(combined([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]], [1 / 3] * 3))) == 1

    @pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 7e5, 1e12])
    def test_they_tie_in_any_unit(self, scale: float) -> None:
        found = combined(np.array([[0.1, 0.3, 0.8], [0.2, 0.2, -0.1], [0.3, 0.1, -0.1]]) * scale, [1, 1, 1])
        assert len(set(found)) == 1
        assert found == pytest.approx([0.2 * scale] * 3, rel=1e-9)

    def test_one_absurd_prediction_spoils_no_other_subject(self) -> None:
        found = combined([[0.1, 0.25, 1e15], [0.3, 0.75, 1.0], [0.2, 0.5, 1.0]], [1, 1, 1])
        assert found[:2] == pytest.approx([0.2, 0.5], rel=1e-9)

    def test_an_absurd_model_without_weight_spoils_nothing(self) -> None:
        found = combined([[0.1, 0.25, 0.5], [0.3, 0.75, 1.0], [1e15, -1e15, 2e15]], [1, 1, 0])
        assert found == pytest.approx([0.2, 0.5, 0.75], rel=1e-9)


class TestMedian:
    def test_of_equal_weights_is_the_usual_one(self) -> None:
        assert combined([[1, 4], [2, 8], [9, 6]], [1, 1, 1], "median").tolist() == [2, 6]

    def test_is_between_two_where_exactly_half_lies_below(self) -> None:
        assert combined([[1], [2], [4], [9]], [1, 1, 1, 1], "median").tolist() == [3]
        assert combined([[1], [2], [4]], [2, 1, 1], "median").tolist() == [1.5]

    def test_is_where_half_of_the_weight_is_reached(self) -> None:
        assert combined([[9], [1], [5]], [1, 5, 2], "median").tolist() == [1]
        assert combined([[9], [1], [5]], [0.2, 0.3, 0.5], "median").tolist() == [5]

    def test_tenths_that_sum_to_half_on_paper_are_half(self) -> None:
        assert combined([[1], [2], [3], [7], [8]], [0.1, 0.2, 0.2, 0.4, 0.1], "median").tolist() == [5]

    def test_leaves_out_who_is_missing_or_without_weight(self) -> None:
        found = combined([[1, NAN], [2, 3], [50, NAN]], [1, 1, 0], "median")
        assert found.tolist() == [1.5, 3]
        assert np.isnan(combined([[NAN], [2]], [1, 0], "median")[0])


class TestTrimmed:
    def test_cuts_the_lowest_and_the_highest(self) -> None:
        assert combined([[1], [2], [4], [6], [90]], [1] * 5, "trimmed", trim=0.2).tolist() == [4]

    def test_weighs_the_rest(self) -> None:
        assert combined([[1], [2], [6], [90]], [5, 3, 1, 9], "trimmed", trim=0.25).tolist() == [3]

    def test_cuts_nobody_where_the_share_is_less_than_one(self) -> None:
        assert combined([[1], [2], [6]], [1, 1, 1], "trimmed", trim=0.3).tolist() == [3]

    def test_counts_the_share_of_those_that_predicted(self) -> None:
        found = combined([[1, NAN], [2, NAN], [3, 3], [4, 6], [90, 12]], [1] * 5, "trimmed", trim=0.2)
        assert found.tolist() == [3, 7]

    def test_a_share_that_is_whole_on_paper_is_cut_whole(self) -> None:
        # 0.29 x 100 is 28.999999999999996 in floating point.
        signals = np.r_[np.full(29, -1000.0), np.arange(42.0), np.full(29, 1000.0)][:, None]
        assert combined(signals, np.ones(100), "trimmed", trim=0.29).tolist() == [20.5]

    def test_of_members_that_agree_each_is_cut_alike(self) -> None:
        # One of the two that say 1 is cut: half of each.
        assert combined([[1], [1], [3], [9]], [4, 2, 1, 1], "trimmed", trim=0.25).tolist() == [(4 + 2) / 2 / 4 + 3 / 4]


@pytest.mark.parametrize("how", COMBINES)
class TestAny:
    def test_gives_a_single_member_back(self, how: str) -> None:
        assert combined([[3, -1.25, 0.1]], [0.7], how).tolist() == [3, -1.25, 0.1]

    def test_gives_what_all_agree_upon(self, how: str) -> None:
        assert combined([[3, 0.1]] * 7, np.arange(1, 8), how).tolist() == [3, 0.1]

    def test_is_undefined_where_nobody_predicts(self, how: str) -> None:
        assert np.isnan(combined([[NAN, NAN]] * 3, [1, 2, 3], how)).all()

    def test_a_common_factor_of_the_weights_changes_nothing(self, how: str) -> None:
        random = np.random.default_rng(3)
        signals, weights = random.normal(size=(7, 9)), random.random(7)
        assert combined(signals, weights * 1e6, how).tolist() == combined(signals, weights, how).tolist()


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(COMBINES), discrete=st.booleans())
def test_the_order_of_members_and_of_subjects_changes_nothing(seed: int, how: str, discrete: bool) -> None:
    random = np.random.default_rng(seed)
    signals = random.normal(size=(int(random.integers(1, 9)), int(random.integers(1, 7))))
    signals = np.round(signals) if discrete else signals
    signals[random.random(signals.shape) < 0.2] = NAN
    weights = random.choice([0.0, 0.5, 1.0, 2.0, 3.3], len(signals))
    members, subjects = (random.permutation(size) for size in signals.shape)
    found = combined(signals, weights, how, trim=0.25)
    again = combined(signals[members][:, subjects], weights[members], how, trim=0.25)
    assert again == pytest.approx(found[subjects], rel=1e-9, abs=1e-9, nan_ok=True)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(COMBINES))
def test_a_combination_lies_among_what_it_combines(seed: int, how: str) -> None:
    random = np.random.default_rng(seed)
    signals, weights = random.normal(size=(int(random.integers(1, 9)), 5)), random.random(9) + 0.01
    found = combined(signals, weights[: len(signals)], how, trim=0.3)
    assert (found >= signals.min(axis=0) - 1e-9).all()
    assert (found <= signals.max(axis=0) + 1e-9).all()
