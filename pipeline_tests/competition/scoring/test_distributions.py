"""Rules for distributions on panels, their examples, and the parts of a panel that carry distributions."""

import doctest
import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

import pipeline.competition.scoring
from pipeline.competition import Panel
from pipeline.competition.evaluation import parts
from pipeline.competition.forecasts import Forecasts, OutputType
from pipeline.competition.reasons import reason_texts
from pipeline.competition.scoring import (
    RULES,
    score_cdf,
    score_forecasts,
    score_pmf,
    score_quantiles,
    score_samples,
)
from pipeline_tests.competition.contests import random_panel

LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
IDS: dict[OutputType, np.ndarray] = {
    "quantile": LEVELS,
    "pmf": np.arange(3.0),
    "sample": np.arange(6.0),
    "cdf": np.array([-1.0, 0.0, 1.0]),
}
MODULES = [module.name for module in pkgutil.iter_modules(pipeline.competition.scoring.__path__)]


def distributed(output_type: OutputType, seed: int = 0) -> Panel:
    """A random panel with distributions of that type, absent where the signal is; of a pmf, categories as outcomes."""
    panel, random = random_panel(seed, sections=4), np.random.default_rng(seed)
    ids = IDS[output_type]
    values = random.normal(size=(*panel.shape, ids.size))
    if output_type == "quantile":
        values.sort(axis=-1)
    if output_type == "pmf":
        values = random.dirichlet(np.ones(ids.size), panel.shape)
        categories = random.integers(0, ids.size, panel.outcomes.shape).astype(float)
        panel = replace(panel, outcomes=np.where(np.isnan(panel.outcomes), np.nan, categories))
    if output_type == "cdf":
        values = np.sort(random.uniform(size=values.shape), axis=-1)
    values[np.isnan(panel.signals)] = np.nan
    return replace(panel, forecasts=Forecasts(output_type, ids, values))


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"pipeline.competition.scoring.{name}")).failed == 0


@pytest.mark.parametrize(
    ("rule", "output_type"),
    [(rule.name, output_type) for rule in RULES for output_type in rule.output_types if output_type in IDS],
)
def test_a_rule_gives_every_pair_a_score_and_its_measures(rule: str, output_type: OutputType) -> None:
    panel = distributed(output_type)
    scored = RULES.get(rule).function(panel)
    assert scored.value.shape == panel.shape
    np.testing.assert_array_equal(~np.isnan(scored.value), panel.paired)
    assert set(reason_texts(scored.reason[~panel.paired])) == {"no_predictions"}
    np.testing.assert_array_equal(scored.measures[rule], scored.value)
    assert all(measure.shape == panel.shape for measure in scored.measures.values())


def test_the_score_is_that_of_the_output_type() -> None:
    for output_type, function, ids in [
        ("quantile", score_quantiles, (LEVELS,)),
        ("pmf", score_pmf, ()),
        ("sample", score_samples, ()),
        ("cdf", score_cdf, (IDS["cdf"],)),
    ]:
        panel = distributed(output_type)
        section, model, subject = np.argwhere(panel.paired)[7]
        alone = function(panel.forecasts.values[section, model, subject], panel.outcomes[section, subject], *ids)
        assert score_forecasts(panel).value[section, model, subject] == pytest.approx(float(alone.value))


def test_rules_for_distributions_refuse_a_panel_without_any() -> None:
    with pytest.raises(ValueError, match="the panel has no distributions; give it forecasts, or use a rule for pred"):
        RULES.get("wis").function(random_panel(0))


@pytest.mark.parametrize("output_type", IDS)
def test_parts_of_a_panel_keep_their_distributions(output_type: OutputType) -> None:
    panel = distributed(output_type)
    whole = score_forecasts(panel).value
    np.testing.assert_allclose(score_forecasts(panel.at(2)).value, whole[2:3], rtol=1e-13)
    np.testing.assert_allclose(score_forecasts(panel.of_subject(3)).value, whole[:, :, 3:4], rtol=1e-13)
    assert panel.with_signals(panel.signals).forecasts is None


def test_parts_are_smaller_where_predictions_are_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = distributed("quantile")
    monkeypatch.setattr("pipeline.competition.evaluation.CELLS_AT_ONCE", 2 * panel.signals[0].size)
    assert [part.shape[0] for part in parts(panel)] == [1, 1, 1, 1]
    assert [part.shape[0] for part in parts(replace(panel, forecasts=None))] == [2, 2]


def test_distributions_that_do_not_fit_are_refused() -> None:
    panel = random_panel(0)
    with pytest.raises(ValueError, match=r"panel: forecasts have shape \(1, 5\), expected"):
        replace(panel, forecasts=Forecasts("quantile", LEVELS, np.zeros((1, 5))))
    with pytest.raises(
        ValueError, match=r"quantile forecasts have shape \(2, 4\) and ids \(5,\); give \(\.\.\., ids\)"
    ):
        Forecasts("quantile", LEVELS, np.zeros((2, 4)))
