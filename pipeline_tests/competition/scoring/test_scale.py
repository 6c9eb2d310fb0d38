"""Scores on transformed scales: the rule on transformed numbers, and what lies outside the domain."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.competition import Panel
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import RULES, SCALES, on_scale, score_cdf, score_quantiles, score_samples
from pipeline_tests.competition.contests import NAN, panel

LEVELS = np.array([0.1, 0.5, 0.9])
FUNCTIONS = {"log1p": np.log1p, "sqrt": np.sqrt}


def quantiles(rows: list[list[float]], outcomes: list[float], output_type: str = "quantile") -> Panel:
    """One section and model, a subject per row."""
    values = np.array([[rows]], dtype=float)
    one = panel(values[..., 1], [outcomes])
    return replace(one, forecasts=Forecasts(output_type, LEVELS, values))


@pytest.mark.parametrize("scale", FUNCTIONS)
def test_quantiles_are_scored_as_transformed_quantiles_of_the_transformed_outcome(scale: str) -> None:
    rows, outcomes = [[0.0, 3.0, 8.0], [10.0, 20.0, 50.0]], [1.0, 99.0]
    rule = on_scale(RULES.get("wis"), SCALES.get(scale), "quantile")
    scored = rule.function(quantiles(rows, outcomes))
    function = FUNCTIONS[scale]
    expected = score_quantiles(function(np.array(rows)), function(outcomes), LEVELS)
    assert rule.name == f"wis_{scale}"
    for name, measure in scored.measures.items():
        np.testing.assert_allclose(measure[0, 0], expected.measures[name])
    np.testing.assert_allclose(scored.value[0, 0], expected.value)


def test_the_error_of_the_log_is_by_hand() -> None:
    rule = on_scale(RULES.get("absolute_error"), SCALES.get("log1p"), "median")
    scored = rule.function(panel([[[np.e - 1, 0.0]]], [[0.0, np.e**2 - 1]]))
    np.testing.assert_allclose(scored.value, [[[1.0, 2.0]]])


@pytest.mark.parametrize(("scale", "in_domain"), [("sqrt", 0.0), ("log1p", -0.5)])
def test_what_is_outside_the_domain_has_no_score_and_says_why(scale: str, in_domain: float) -> None:
    outside = -1.0
    given = quantiles([[outside, 1, 2], [in_domain, 1, 2], [0, 1, 2], [NAN] * 3, [outside, 1, 2]], [1, 1, -2, 1, NAN])
    scored = on_scale(RULES.get("wis"), SCALES.get(scale), "quantile").function(given)
    expected = ["outside_domain", None, "outside_domain", "no_predictions", "no_predictions"]
    assert reason_texts(scored.reason[0, 0]).tolist() == expected
    for measure in scored.measures.values():
        np.testing.assert_array_equal(np.isnan(measure[0, 0]), [reason is not None for reason in expected])


def test_a_sample_outside_the_domain_is_not_left_out() -> None:
    given = quantiles([[-1, 1, 2], [1, 1, 2]], [1, 1], "sample")
    scored = on_scale(RULES.get("crps"), SCALES.get("sqrt"), "sample").function(given)
    assert reason_texts(scored.reason[0, 0]).tolist() == ["outside_domain", None]
    expected = score_samples(np.sqrt([1, 1, 2]), 1.0).value
    np.testing.assert_allclose(scored.value[0, 0], [NAN, expected])


def test_the_outcome_of_a_prediction_of_one_number_may_be_outside_too() -> None:
    scored = on_scale(RULES.get("squared_error"), SCALES.get("sqrt"), "value").function(
        panel([[[4.0, -1.0, 4.0, NAN]]], [[9.0, 4.0, -1.0, -1.0]])
    )
    assert reason_texts(scored.reason[0, 0]).tolist() == [None, "outside_domain", "outside_domain", "no_predictions"]
    np.testing.assert_array_equal(scored.value[0, 0], [1.0, NAN, NAN, NAN])


def test_thresholds_are_transformed_with_the_outcome() -> None:
    thresholds, values = np.array([0.0, 1.0, 9.0]), np.array([0.1, 0.4, 0.8])
    given = replace(panel([[[NAN]]], [[4.0]]), forecasts=Forecasts("cdf", thresholds, values[None, None, None]))
    scored = on_scale(RULES.get("crps"), SCALES.get("sqrt"), "cdf").function(given)
    assert float(scored.value[0, 0, 0]) == pytest.approx(float(score_cdf(values, 2.0, np.sqrt(thresholds)).value))
    below = replace(given, forecasts=Forecasts("cdf", thresholds - 5, given.forecasts.values))
    with pytest.raises(
        ValueError, match="threshold -5 is outside the domain of 'sqrt'; leave it out or use the natural"
    ):
        on_scale(RULES.get("crps"), SCALES.get("sqrt"), "cdf").function(below)


def test_the_natural_scale_changes_nothing() -> None:
    rule = RULES.get("wis")
    assert on_scale(rule, SCALES.get("natural"), "pmf") is rule
    values, outside = SCALES.get("natural").apply([-1.0, NAN])
    np.testing.assert_array_equal(values, [-1.0, NAN])
    assert not outside.any()


@pytest.mark.parametrize("output_type", ["pmf", "mean"])
def test_what_has_no_transformed_scale_is_refused(output_type: str) -> None:
    with pytest.raises(
        ValueError, match=rf"'{output_type}' predictions cannot be scored on the scale 'log1p'; use nat"
    ):
        on_scale(RULES.get("rps"), SCALES.get("log1p"), output_type)


def test_an_unknown_scale_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown scale 'ln'; known: log1p, natural, sqrt"):
        SCALES.get("ln")
