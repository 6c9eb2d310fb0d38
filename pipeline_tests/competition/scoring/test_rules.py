"""Scoring rules against their plain formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.competition.reasons import REASONS
from pipeline.competition.scoring import RULES, Scored, absolute_error, directional, rank_product, squared_error
from pipeline_tests.competition.contests import NAN, panel, random_panel

SIGNALS, OUTCOMES = [1.0, -2.0, NAN, 0.5, 0.0], [0.5, 1.0, 1.0, NAN, 2.0]


def reasons(scored: Scored) -> list[str | None]:
    return [REASONS[code] for code in scored.reason.ravel()]


def test_the_rules_their_directions_and_what_they_score() -> None:
    one_number = ("value", "mean", "median")
    assert {rule.name: (str(rule.direction), rule.output_types) for rule in RULES} == {
        "rank_product": ("desc", one_number),
        "absolute_error": ("asc", one_number),
        "squared_error": ("asc", one_number),
        "directional": ("desc", one_number),
        "wis": ("asc", ("quantile",)),
        "rps": ("asc", ("pmf",)),
        "mean_rps": ("asc", ("pmf",)),
        "brier": ("asc", ("pmf",)),
        "log_score": ("asc", ("pmf",)),
        "crps": ("asc", ("sample", "cdf")),
        "fair_crps": ("asc", ("sample",)),
    }
    assert all(RULES.get(rule.name) is rule for rule in RULES)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (absolute_error, [0.5, 3.0, NAN, NAN, 2.0]),
        (squared_error, [0.25, 9.0, NAN, NAN, 4.0]),
        (directional, [1.0, 0.0, NAN, NAN, NAN]),
    ],
)
def test_rules_of_a_single_pair_by_hand(rule, expected: list[float]) -> None:
    scored = rule(panel([[SIGNALS]], [OUTCOMES]))
    np.testing.assert_array_equal(scored.value, [[expected]])
    last = "zero_outcomes" if rule is directional else None
    assert reasons(scored) == [None, None, "no_predictions", "no_predictions", last]


@pytest.mark.parametrize(
    ("signal", "outcome", "center", "expected"),
    [(0.6, 1, 0.5, 1), (0.4, 1, 0.5, 0), (0.5, 1, 0.5, NAN), (0.4, -1, 0.5, 1), (0.4, 0, 0.5, NAN)],
)
def test_directional_is_about_the_center(signal: float, outcome: float, center: float, expected: float) -> None:
    np.testing.assert_array_equal(directional(panel([[[signal]]], [[outcome]], center=center)).value, [[[expected]]])


def test_rank_product_is_the_product_of_standardised_ranks() -> None:
    signals, outcomes = np.array([0.3, 0.1, 0.1, 0.9, 0.2, 0.4]), np.array([5.0, 1.0, 2.0, 2.0, 9.0, 3.0])
    expected = stats.zscore(stats.rankdata(signals)) * stats.zscore(stats.rankdata(outcomes))
    np.testing.assert_allclose(rank_product(panel([[signals]], [outcomes])).value[0, 0], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("signals", "outcomes", "expected"),
    [
        ([1, 2, 3, 4, NAN], [1, 2, 3, 4, 5], ["too_few_pairs"] * 4 + ["no_predictions"]),
        ([1] * 5, [1, 2, 3, 4, 5], ["constant_input"] * 5),
        ([1, 2, 3, 4, 5], [7] * 5, ["constant_input"] * 5),
    ],
)
def test_rank_product_without_a_rank_correlation_says_why(
    signals: list[float], outcomes: list[float], expected: list[str]
) -> None:
    scored = rank_product(panel([[signals]], [outcomes]))
    assert reasons(scored) == expected
    assert np.isnan(scored.value).all()


@given(st.integers(0, 10_000), st.sampled_from([rule.name for rule in RULES if "value" in rule.output_types]))
@settings(max_examples=50, deadline=None)
def test_a_score_of_one_number_is_a_number_or_has_a_reason(seed: int, name: str) -> None:
    given_panel = random_panel(seed, sections=3)
    scored = RULES.get(name).function(given_panel)
    np.testing.assert_array_equal(np.isnan(scored.value), scored.reason != 0)
    assert not np.isinf(scored.value).any()
    assert np.isnan(scored.value[~given_panel.paired]).all()
