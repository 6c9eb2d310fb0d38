"""Metrics of members in the row form: the ensemble that a context describes."""

import numpy as np
import pytest
from scipy import stats

from pipeline.competition.metrics import Measured, MetricsContext, MetricsRegistry
from pipeline_tests.competition.contests import START

SIGNALS = {"a": [1, 2, 3, 4, 5, 6], "b": [2, 1, 4, 3, 6, 5], "c": [6, 1, 5, 2, 4, 3]}
OUTCOMES = [0.3, -0.1, 0.2, 0.5, 0.9, 0.4]


def context_of(**weights: float) -> MetricsContext:
    rows = {name: [{"value": value} for value in values] for name, values in SIGNALS.items()}
    ensemble = [{"value": 0.0, "weights": weights}] if weights else [{"value": 0.0}]
    return MetricsContext(
        model_id="a",
        window_start=START,
        window_end=START,
        all_model_predictions=rows,
        ensemble_predictions={"main": ensemble},
    )


def measured(name: str, context: MetricsContext) -> Measured:
    scores = [{"outcome": outcome, "value": None} for outcome in OUTCOMES]
    found = MetricsRegistry().measure(
        metrics=[name], predictions=context.all_model_predictions["a"], scores=scores, context=context
    )
    return found[name]


def spearman(weights: dict[str, float], other: list[float]) -> float:
    together = sum(weight * np.array(SIGNALS[name]) for name, weight in weights.items())
    return float(stats.spearmanr(together, other).statistic)


def test_all_weigh_the_same_where_rows_carry_no_weights() -> None:
    whole, without = dict.fromkeys("abc", 1.0), dict.fromkeys("bc", 1.0)
    expected = spearman(whole, OUTCOMES) - spearman(without, OUTCOMES)
    assert measured("contribution", context_of()).value == pytest.approx(expected, abs=1e-12)
    expected = spearman(without, SIGNALS["a"])
    assert measured("ensemble_correlation@main", context_of()).value == pytest.approx(expected, abs=1e-12)


def test_weights_come_from_the_rows_of_the_ensemble() -> None:
    whole = {"a": 0.2, "b": 0.5, "c": 0.3}
    expected = spearman(whole, OUTCOMES) - spearman({"b": 0.5, "c": 0.3}, OUTCOMES)
    assert measured("contribution", context_of(**whole)).value == pytest.approx(expected, abs=1e-12)


def test_who_has_no_weight_is_no_member() -> None:
    assert measured("contribution", context_of(b=0.5, c=0.5)) == Measured(None, 0, "not_member")


def test_a_weight_below_0_is_refused() -> None:
    found = measured("contribution", context_of(a=0.5, b=-0.5))
    assert found.reason == "error: ValueError: the ensemble weighs b by -0.5; give 0 or more"


def test_an_ensemble_that_is_not_there_is_named() -> None:
    found = measured("contribution@other", context_of())
    assert found.reason == "error: ValueError: the context has no ensemble other; known: main"
