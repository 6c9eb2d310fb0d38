"""Metrics pooled over single predictions: hit rate, mean score, coverage."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.competition.metrics import coverage, hit_rate, mean_score
from pipeline.competition.reasons import REASONS
from pipeline_tests.competition.contests import NAN, panel, random_panel


@pytest.mark.parametrize(
    ("signals", "outcomes", "center", "hits", "counted", "reason"),
    [
        ([1, -1, 1, -1], [1, 1, 1, 1], 0.0, 2, 4, None),
        ([1, 0, 1, -1], [1, 1, 0, -5], 0.0, 2, 2, None),
        ([1, NAN, 1, -1], [1, 1, NAN, 1], 0.0, 1, 2, None),
        ([0.6, 0.4, 0.5, 0.9], [1, 1, 1, -1], 0.5, 1, 3, None),
        ([0, 0, 1, 1], [1, -1, 0, 0], 0.0, 0, 0, "zero_outcomes"),
        ([1, 1, NAN, NAN], [NAN, NAN, 1, 1], 0.0, 0, 0, "too_few_pairs"),
    ],
)
def test_hit_rate_by_hand(
    signals: list[float], outcomes: list[float], center: float, hits: int, counted: int, reason: str | None
) -> None:
    found = hit_rate(panel([[signals]], [outcomes], center=center))
    np.testing.assert_array_equal(found.value, [[hits / counted if counted else NAN]])
    assert found.n.tolist() == [[counted]]
    assert [part.tolist() for part in found.tasks("hit_rate")] == [[[hits]], [[counted]]]
    assert REASONS[found.reason[0, 0]] == reason


def test_mean_score_is_over_what_was_scored() -> None:
    scored = replace(panel([[[1, 2, 3]], [[1, 2, 3]]], [[1, 2, 3]] * 2), scores=np.array([[[4, NAN, 1]], [[NAN] * 3]]))
    found = mean_score(scored)
    np.testing.assert_array_equal(found.value, [[2.5], [NAN]])
    assert found.n.tolist() == [[2], [0]]
    assert [REASONS[code] for code in found.reason.ravel()] == [None, "no_scores"]


def test_coverage_is_scored_predictions_over_outcomes() -> None:
    given = panel(np.ones((2, 2, 4)), [[1, 2, 3, NAN], [NAN] * 4])
    scores = np.full((2, 2, 4), NAN)
    scores[0, 0, :2] = 0.5
    found = coverage(replace(given, scores=scores))
    np.testing.assert_array_equal(found.value, [[2 / 3, 0], [NAN, NAN]])
    assert [part.tolist() for part in found.tasks("coverage")] == [[[2, 0], [0, 0]], [[3, 3], [0, 0]]]
    assert [REASONS[code] for code in found.reason.ravel()] == [None, None, "no_scores", "no_scores"]


@pytest.mark.parametrize("metric", [hit_rate, mean_score, coverage])
def test_value_is_numerator_over_denominator_and_undefined_has_a_reason(metric) -> None:
    given = random_panel(5, gaps=0.7)
    found = metric(replace(given, scores=np.where(given.paired, given.signals, NAN)))
    numerator, denominator = found.tasks("metric")
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found.value, numerator / denominator)
    np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)
