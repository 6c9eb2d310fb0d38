"""Weighted scores: the specified arithmetic, term by term, and what it hid."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments import weigh

NAN = math.nan
SHARES = st.floats(0, 1)
VALUES = st.fixed_dictionaries({}, optional=dict.fromkeys("abcd", SHARES))
WEIGHTS = st.dictionaries(st.sampled_from("abe"), st.floats(0.01, 10), max_size=3)


def specified(scores: dict[str, float], weights: dict[str, float]) -> float:
    """The score of one run as it is specified."""
    counted = {name: weight for name, weight in weights.items() if name in scores}
    if not counted:
        return sum(scores.values()) / len(scores)
    return sum(scores[name] * weight for name, weight in counted.items()) / sum(counted.values())


@given(st.lists(VALUES, min_size=1, max_size=6), WEIGHTS)
def test_the_specified_arithmetic_comes_out(runs: list[dict[str, float]], weights: dict[str, float]) -> None:
    columns = {name: [run.get(name, NAN) for run in runs] for name in "abcd"}
    found = weigh(columns, weights)
    for place, run in enumerate(runs):
        if run:
            assert found.score[place] == pytest.approx(specified(run, weights))
        else:
            assert (math.isnan(found.score[place]), found.reason[place]) == (True, "no_scores")


@given(st.lists(VALUES, min_size=1, max_size=6), WEIGHTS, st.floats(0.1, 100))
def test_only_the_ratio_of_weights_counts(runs, weights: dict[str, float], factor: float) -> None:
    columns = {name: [run.get(name, NAN) for run in runs] for name in "abcd"}
    one, other = weigh(columns, weights), weigh(columns, {name: factor * weight for name, weight in weights.items()})
    np.testing.assert_allclose(one.score, other.score)
    np.testing.assert_allclose(one.coverage, other.coverage)


def test_who_is_scored_on_the_best_criterion_only_is_shown_and_does_not_win() -> None:
    found = weigh({"style": [1.0, 1.0], "truth": [NAN, 0.5]}, {"style": 1, "truth": 3})
    assert found.score.tolist() == [1.0, 0.625]
    assert found.coverage.tolist() == [0.25, 1.0]
    assert found.missing.tolist() == ["truth", None]
    assert found.reason.tolist() == ["missing_scorers", None]
    assert found.n_scorers.tolist() == [1, 2]


def test_fewer_scorers_may_be_enough() -> None:
    found = weigh({"a": [1.0, NAN], "b": [NAN, NAN]}, {"a": 1, "b": 1}, min_scorers=1)
    assert found.reason.tolist() == [None, "no_scores"]


def test_a_scorer_without_weight_is_named_and_changes_nothing() -> None:
    found = weigh({"a": [0.5, 0.5], "typo": [1.0, NAN]}, {"a": 1})
    assert found.score.tolist() == [0.5, 0.5]
    assert found.unweighted.tolist() == ["typo", None]
    assert found.mean_of_scorers.tolist() == [0.75, 0.5]


def test_equal_weights_in_place_of_none_that_match_are_told_and_not_ranked() -> None:
    found = weigh({"a": [NAN, 1.0], "x": [0.2, NAN], "y": [0.4, NAN]}, {"a": 1})
    assert found.score.tolist() == pytest.approx([0.3, 1.0])
    assert found.weighting.tolist() == ["equal", "declared"]
    assert found.reason.tolist() == ["missing_scorers", None]
    assert found.missing.tolist() == ["a", None]
    assert found.unweighted.tolist() == ["x, y", None]
    assert found.coverage.tolist() == [0.0, 1.0]


def test_without_any_weights_all_count_alike() -> None:
    found = weigh({"x": [0.2, NAN, NAN], "y": [0.4, 0.6, NAN]}, {})
    np.testing.assert_allclose(found.score, [0.3, 0.6, NAN])
    assert found.coverage.tolist() == [1.0, 0.5, 0.0]
    assert found.reason.tolist() == [None, None, "no_scores"]
    assert found.missing.tolist() == [None, "x", "x, y"]
    assert found.weighting.tolist() == ["equal", "equal", None]
    assert weigh({"x": [1.0], "y": [NAN]}, {}, min_scorers=2).reason.tolist() == ["missing_scorers"]


def test_a_weight_without_any_score_is_missing_everywhere() -> None:
    found = weigh({"a": [1.0]}, {"a": 1, "human": 1})
    assert (found.missing.tolist(), found.coverage.tolist()) == (["human"], [0.5])


def test_runs_without_any_scores_have_no_score() -> None:
    found = weigh({}, {"a": 1}, n_runs=2)
    assert found.reason.tolist() == ["no_scores"] * 2
    assert np.isnan(found.score).all()
    assert weigh({}, {}, n_runs=0).score.shape == (0,)
    assert weigh({}, {}, n_runs=1).reason.tolist() == ["no_scores"]


@pytest.mark.parametrize(
    ("values", "weights", "told"),
    [
        ({"a": [1.0]}, {"a": 0.0}, "weights {'a': 0.0} are not above 0; leave out a scorer"),
        ({"a": [1.0]}, {"a": NAN}, "are not above 0"),
        ({"a": [1.0], "b": [1.0, 2.0]}, {}, "different numbers of runs: {'a': 1, 'b': 2}"),
        ({"a": [0.5], "b": [85.0]}, {"a": 1}, "scorer 'b' gives 85; values go from 0 to 1, declare its scale"),
        ({"a": [-0.5]}, {}, "scorer 'a' gives -0.5"),
    ],
)
def test_what_cannot_be_weighed_is_told(values: dict[str, Any], weights: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        weigh(values, weights)
    assert told in str(caught.value)
