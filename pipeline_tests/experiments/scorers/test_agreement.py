"""Agreement against independent libraries, and against the published worked example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from pipeline.experiments.scorers import cohen_kappa, fleiss_kappa, krippendorff_alpha

NAN = np.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: 4 observers, 12 units.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
RATINGS = st.lists(st.lists(st.integers(0, 3), min_size=12, max_size=12), min_size=2, max_size=5).map(np.array)


@pytest.mark.parametrize(
    ("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_is_that_of_the_published_example(level, expected: float) -> None:
    found = krippendorff_alpha(OBSERVERS, level)
    assert found.value == pytest.approx(expected, abs=0.0005)
    assert (found.n_raters, found.n_items) == (4, 11)


@given(RATINGS)
@settings(max_examples=50)
def test_kappa_is_that_of_a_library(ratings: NDArray[np.int64]) -> None:
    for weights in (None, "linear", "quadratic"):
        found = cohen_kappa(ratings[:2], weights)
        if found.value is None:
            assert len(np.unique(ratings[:2])) == 1
        else:
            assert found.value == pytest.approx(cohen_kappa_score(ratings[0], ratings[1], weights=weights))
    found = fleiss_kappa(ratings)
    if found.value is None:
        assert len(np.unique(ratings)) == 1
    else:
        assert found.value == pytest.approx(reference_fleiss(aggregate_raters(ratings.T)[0]))


@given(RATINGS, st.randoms())
@settings(max_examples=50)
def test_who_is_listed_first_and_which_item_makes_no_difference(ratings: NDArray[np.int64], random) -> None:
    raters, items = list(range(len(ratings))), list(range(ratings.shape[1]))
    random.shuffle(raters)
    random.shuffle(items)
    for coefficient in (fleiss_kappa, krippendorff_alpha):
        one, other = coefficient(ratings), coefficient(ratings[np.ix_(raters, items)])
        assert other.reason == one.reason
        assert other.value == (None if one.value is None else pytest.approx(one.value))


def test_alpha_knows_a_scale_by_its_differences_only() -> None:
    assert krippendorff_alpha(3 * OBSERVERS + 7).value == pytest.approx(krippendorff_alpha(OBSERVERS).value)
    squared = krippendorff_alpha(OBSERVERS**3, "ordinal").value
    assert squared == pytest.approx(krippendorff_alpha(OBSERVERS, "ordinal").value)


def test_who_agrees_in_everything_agrees_fully() -> None:
    same = [[1, 2, 3, 1]] * 3
    assert cohen_kappa(same[:2]).value == fleiss_kappa(same).value == krippendorff_alpha(same).value == 1.0


def test_two_raters_are_compared_on_what_both_rated() -> None:
    found = cohen_kappa([[1, 1, 0, 0, NAN, 1], [1, 0, 0, 0, 1, NAN]])
    assert (found.value, found.n_items) == (0.5, 4)


@pytest.mark.parametrize(
    ("coefficient", "ratings", "reason"),
    [
        (cohen_kappa, [[1, NAN], [NAN, 1]], "too_few_ratings"),
        (cohen_kappa, [[1, 2]], "not_two_raters"),
        (cohen_kappa, [[1, 1], [1, 1]], "no_variation"),
        (fleiss_kappa, [[1, 1], [NAN, NAN]], "too_few_ratings"),
        (fleiss_kappa, [[1, 2], [1, NAN]], "unequal_raters"),
        (fleiss_kappa, [[1, 1], [1, 1]], "no_variation"),
        (krippendorff_alpha, [[1, NAN], [NAN, 1]], "too_few_ratings"),
        (krippendorff_alpha, [[2, 2], [2, NAN]], "no_variation"),
        (krippendorff_alpha, np.full((2, 3), NAN), "too_few_ratings"),
    ],
)
def test_what_is_undefined_has_a_reason_and_no_value(coefficient, ratings, reason: str) -> None:
    found = coefficient(ratings)
    assert (found.value, found.reason) == (None, reason)


def test_mistakes_are_told() -> None:
    with pytest.raises(ValueError, match=r"expected \(raters, items\)"):
        krippendorff_alpha([1, 2])
    with pytest.raises(ValueError, match="a rating is infinite"):
        fleiss_kappa([[1, np.inf]])
    with pytest.raises(ValueError, match="unknown level 'cardinal'; known: nominal, ordinal, interval, ratio"):
        krippendorff_alpha(OBSERVERS, "cardinal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown weights 'cubic'"):
        cohen_kappa(OBSERVERS[:2], "cubic")  # type: ignore[arg-type]
