"""Metrics of distributions: the pure scores, which are tested by themselves, averaged over what there is."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.competition import Panel
from pipeline.competition.evaluation import scored_by
from pipeline.competition.forecasts import Forecasts, OutputType
from pipeline.competition.metrics import METRICS, safely
from pipeline.competition.outputs import Output
from pipeline.competition.scoring import (
    RULES,
    declared_rule,
    energy_score,
    expected_calibration_error,
    measure_names,
    score_forecasts,
)
from pipeline_tests.competition.contests import full_panel, reasons
from pipeline_tests.competition.scoring.test_distributions import IDS, distributed

OF_TYPE = {"quantile": "wis", "pmf": "rps", "sample": "crps", "cdf": "crps"}
OUTPUTS = {
    "quantile": Output("quantile", tuple(map(str, IDS["quantile"]))),
    "pmf": Output("pmf", ("a", "b", "c")),
    "sample": Output("sample"),
    "cdf": Output("cdf", ("-1", "0", "1")),
}
MEANS = [
    (output_type, name) for output_type, one in OUTPUTS.items() for name in measure_names(one) if name != "confidence"
]


def scored(output_type: OutputType, seed: int = 0) -> Panel:
    return scored_by(RULES.get(OF_TYPE[output_type]), distributed(output_type, seed))


@pytest.mark.parametrize(("output_type", "name"), MEANS)
def test_a_mean_is_that_of_the_measure_over_what_has_it(output_type: OutputType, name: str) -> None:
    panel = scored(output_type)
    found = safely(METRICS.get(name), panel)
    measure = score_forecasts(panel).measures[name]
    n = (~np.isnan(measure)).sum(axis=2)
    np.testing.assert_array_equal(found.n, n)
    np.testing.assert_allclose(found.value[n > 0], np.nansum(measure, axis=2)[n > 0] / n[n > 0])
    assert set(reasons(found.reason[n == 0])) <= {"no_scores"}
    numerator, denominator = found.tasks(name)
    np.testing.assert_array_equal(denominator, n)
    np.testing.assert_allclose(numerator, np.nansum(measure, axis=2))


def test_coverage_of_incomplete_forecasts_counts_where_its_interval_is() -> None:
    panel = distributed("quantile")
    assert panel.forecasts is not None
    values = panel.forecasts.values.copy()
    values[..., 0] = np.nan  # level 0.1
    panel = scored_by(RULES.get("wis"), replace(panel, forecasts=replace(panel.forecasts, values=values)))
    wide, narrow = (safely(METRICS.get(f"interval_coverage_{level}"), panel) for level in (80, 50))
    assert np.isnan(panel.scores).all()
    assert (wide.n == 0).all()
    np.testing.assert_array_equal(narrow.n, panel.n_pairs)


def test_calibration_is_of_each_cross_section() -> None:
    panel = scored("pmf")
    found = safely(METRICS.get("ece"), panel)
    for section, model in np.ndindex(panel.shape[:2]):
        there = panel.paired[section, model]
        confidence = panel.measures["confidence"][section, model][there]
        accuracy = panel.measures["accuracy"][section, model][there]
        expected = expected_calibration_error(confidence, accuracy) if there.any() else np.nan
        np.testing.assert_allclose(found.value[section, model], expected)
        assert found.n[section, model] == there.sum()


def test_energy_is_of_all_subjects_with_an_outcome_jointly() -> None:
    panel = distributed("sample")
    random = np.random.default_rng(1)
    samples = Forecasts("sample", IDS["sample"], random.normal(size=(*panel.shape, IDS["sample"].size)))
    samples.values[1, 2, int(np.flatnonzero(~np.isnan(panel.outcomes[1]))[0])] = np.nan  # lacks a subject
    samples.values[2, 3] = np.nan  # lacks all
    panel = replace(panel, forecasts=samples, signals=samples.points())
    found = safely(METRICS.get("energy_score"), panel)
    known = ~np.isnan(panel.outcomes[0])
    expected = energy_score(samples.values[0, 0, known].T, panel.outcomes[0, known])
    np.testing.assert_allclose(found.value[0, 0], expected.value)
    assert reasons(found.reason[[1, 2], [2, 3]]) == ["incomplete", "no_predictions"]
    np.testing.assert_array_equal(found.n, panel.n_pairs)


def test_a_metric_of_a_measure_that_the_rule_does_not_give_says_so() -> None:
    found = safely(METRICS.get("wis"), full_panel(0))
    assert set(reasons(found.reason)) == {"error: ValueError: the scoring rule gives no measure 'wis'; it gives: none"}


@pytest.mark.parametrize(("output_type", "measure", "power"), [("median", "ae_median", 1), ("mean", "se_mean", 2)])
def test_one_number_that_is_a_median_or_mean_has_its_error_too(output_type: str, measure: str, power: int) -> None:
    panel = full_panel(0)
    scored = declared_rule("rank_product", "natural", output_type).function(panel)
    np.testing.assert_array_equal(scored.value, RULES.get("rank_product").function(panel).value)
    expected = np.abs(panel.signals - panel.outcomes[:, None, :]) ** power
    np.testing.assert_allclose(scored.measures[measure], expected)


@pytest.mark.parametrize(("output_type", "name"), [*MEANS, ("pmf", "ece"), ("sample", "energy_score")])
def test_the_order_of_models_and_of_subjects_changes_nothing(output_type: OutputType, name: str) -> None:
    panel, random = scored(output_type), np.random.default_rng(3)
    assert panel.forecasts is not None
    models, subjects = random.permutation(panel.shape[1]), random.permutation(panel.shape[2])

    def moved(cube: np.ndarray) -> np.ndarray:
        return cube[:, models][:, :, subjects]

    other = replace(
        panel,
        signals=moved(panel.signals),
        scores=moved(panel.scores),
        outcomes=panel.outcomes[:, subjects],
        forecasts=replace(panel.forecasts, values=moved(panel.forecasts.values)),
        measures={measure: moved(values) for measure, values in panel.measures.items()},
    )
    metric = METRICS.get(name)
    np.testing.assert_allclose(safely(metric, other).value, safely(metric, panel).value[:, models], atol=1e-12)


def test_outcomes_of_categories_may_be_counted_from_any_place() -> None:
    panel = distributed("pmf")
    assert panel.forecasts is not None
    later = replace(panel, outcomes=panel.outcomes + 1, forecasts=replace(panel.forecasts, ids=panel.forecasts.ids + 1))
    np.testing.assert_array_equal(score_forecasts(later).value, score_forecasts(panel).value)
    with pytest.raises(ValueError, match=r"an outcome is 4; .* a whole number from 1 to 3"):
        score_forecasts(replace(later, outcomes=np.full_like(later.outcomes, 4.0)))


@pytest.mark.parametrize(("output_type", "names"), [(kind, measure_names(one)) for kind, one in OUTPUTS.items()])
def test_the_measures_that_are_said_to_be_there_are(output_type: OutputType, names: list[str]) -> None:
    assert list(score_forecasts(distributed(output_type)).measures) == list(names)
