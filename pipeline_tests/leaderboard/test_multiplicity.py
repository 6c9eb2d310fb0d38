"""P values that allow for how many hypotheses there are."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import false_discovery_control

from pipeline.leaderboard import Correction, adjusted_p_values, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("correction", "adjusted"),
    [
        ("holm", [0.06, 0.004, 0.06, 0.8]),  # 4 x 0.001, 3 x 0.02, 2 x 0.03, 1 x 0.8
        ("bonferroni", [0.12, 0.004, 0.08, 1.0]),
        ("benjamini_hochberg", [0.04, 0.004, 0.04, 0.8]),  # 4 x 0.001, 2 x 0.02, 4/3 x 0.03, 0.8
        ("none", [0.03, 0.001, 0.02, 0.8]),
    ],
)
def test_corrections_worked_by_hand(correction: str, adjusted: list[float]) -> None:
    assert_allclose(adjusted_p_values([0.03, 0.001, 0.02, 0.8], correction), adjusted)


@given(P_VALUES)
def test_benjamini_hochberg_is_that_of_scipy(p: list[float]) -> None:
    assert_allclose(adjusted_p_values(p, Correction.BENJAMINI_HOCHBERG), false_discovery_control(p, method="bh"))


@given(P_VALUES)
def test_holm_is_the_closed_procedure_over_bonferroni(p: list[float]) -> None:
    # A hypothesis is rejected where every set of hypotheses that holds it is, each by Bonferroni.
    m = len(p)
    closed = [
        max(
            min(1.0, size * sorted([*([p[i]]), *sorted(p[:i] + p[i + 1 :], reverse=True)[: size - 1]])[0])
            for size in range(1, m + 1)
        )
        for i in range(m)
    ]
    assert_allclose(adjusted_p_values(p, Correction.HOLM), closed)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_the_order_of_hypotheses_changes_nothing_and_stronger_corrections_give_more(
    p: list[float], random: object
) -> None:
    order = list(range(len(p)))
    random.shuffle(order)  # type: ignore[attr-defined]
    by = {one: adjusted_p_values(p, one) for one in Correction}
    for one in Correction:
        assert_array_equal(adjusted_p_values(np.array(p)[order], one), by[one][order])
    strength = [Correction.NONE, Correction.BENJAMINI_HOCHBERG, Correction.HOLM, Correction.BONFERRONI]
    for weaker, stronger in itertools.pairwise(strength):
        assert (by[weaker] <= by[stronger] + 1e-12).all()


def test_what_was_not_tested_does_not_count() -> None:
    assert_allclose(adjusted_p_values([0.02, np.nan, 0.03, np.nan]), [0.04, np.nan, 0.04, np.nan])
    assert holm([0.04, np.nan]).tolist() == [True, False]
    assert adjusted_p_values([]).tolist() == []


def test_mistakes_are_refused_with_what_is_known() -> None:
    with pytest.raises(ValueError, match="unknown correction 'bh'; known: holm, bonferroni, benjamini_hochberg, none"):
        adjusted_p_values([0.1], "bh")
    with pytest.raises(ValueError, match=r"p has shape \(1, 1\), expected \(hypotheses,\)"):
        adjusted_p_values([[0.1]])
