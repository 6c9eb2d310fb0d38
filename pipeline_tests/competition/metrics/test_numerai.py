"""Numerai's scores: against numerai-tools, model by model, and by hand."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from numerai_tools import scoring

from pipeline.competition.metrics import mmc, numerai_correlation
from pipeline_tests.competition.contests import NAN, full_panel, panel, random_panel, reasons

Floats = npt.NDArray[np.float64]
BINS = [0.0, 0.25, 0.5, 0.75, 1.0]


def named(values: Floats) -> "pd.Series[float]":
    return pd.Series(values, index=[f"s{place:03}" for place in range(len(values))], name="target")


def by_numerai(signals: Floats, outcomes: Floats) -> float:
    # Their limit on subjects that are missing is for their own contest.
    return float(scoring.numerai_corr(named(signals).to_frame("m").dropna(), named(outcomes), 1.0)["m"])


def contribution_by_numerai(signals: Floats, meta: Floats, outcomes: Floats) -> float:
    kept = ~(np.isnan(signals) | np.isnan(meta) | np.isnan(outcomes))
    frame, *others = (named(values)[kept] for values in (signals, meta, outcomes))
    return float(scoring.correlation_contribution(frame.to_frame("m"), *others)["m"])


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_numerai_corr_of_numerai_tools(seed: int, gaps: float) -> None:
    given = full_panel(seed, gaps=gaps)
    found = numerai_correlation(given)
    assert reasons(found.reason[:, 0]) == ["constant_input"] * given.shape[0]
    for section, model in np.ndindex(given.shape[0], given.shape[1] - 1):
        expected = by_numerai(given.signals[section, model + 1], given.outcomes[section])
        np.testing.assert_allclose(found.value[section, model + 1], expected, rtol=0, atol=1e-9)


def test_targets_in_bins_are_those_of_numerai() -> None:
    random = np.random.default_rng(0)
    outcomes = random.choice(BINS, size=(3, 40), p=[0.05, 0.2, 0.5, 0.2, 0.05])
    given = panel(random.normal(size=(3, 4, 40)) + outcomes[:, None, :], outcomes)
    found = numerai_correlation(given).value
    for place in np.ndindex(found.shape):
        expected = by_numerai(given.signals[place], outcomes[place[0]])
        np.testing.assert_allclose(found[place], expected, rtol=0, atol=1e-9)


def test_the_tails_weigh_more_than_in_a_rank_correlation() -> None:
    outcome = [-3.0, -1.0, 0.0, 1.0, 3.0]
    ends_right, middle_right = [-3.0, 1.0, 0.0, -1.0, 3.0], [3.0, -1.0, 0.0, 1.0, -3.0]
    value = numerai_correlation(panel([[ends_right, middle_right]], [outcome])).value[0]
    assert value[0] > 0.6
    assert value[1] == pytest.approx(-value[0])


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e150])
def test_the_scale_of_outcomes_is_without_effect(scale: float) -> None:
    given = random_panel(2)
    scaled = replace(given, outcomes=given.outcomes * scale)
    np.testing.assert_allclose(numerai_correlation(scaled).value, numerai_correlation(given).value, atol=1e-9)


@pytest.mark.parametrize(
    ("signals", "outcomes", "expected"),
    [
        ([1.0, 2, 3, NAN, NAN], [1.0, 2, 3, 4, 5], "too_few_pairs"),
        ([1.0] * 5, [1.0, 2, 3, 4, 5], "constant_input"),
        ([1.0, 2, 3, 4, 5], [0.1] * 5, "constant_input"),
        ([NAN] * 5, [NAN] * 5, "too_few_pairs"),
    ],
)
def test_why_it_is_undefined(signals: list[float], outcomes: list[float], expected: str) -> None:
    assert reasons(numerai_correlation(panel([[signals]], [outcomes])).reason) == [expected]


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("in_bins", [True, False])
def test_mmc_is_correlation_contribution_of_numerai_tools(gaps: float, in_bins: bool) -> None:
    random = np.random.default_rng(1)
    given = full_panel(1, gaps=gaps)
    outcomes = np.where(np.isnan(given.outcomes), NAN, random.choice(BINS, size=given.outcomes.shape))
    outcomes = outcomes if in_bins else given.outcomes
    meta = np.nanmean(given.signals, axis=1) + random.normal(size=outcomes.shape)
    found = mmc(given.signals, meta, outcomes)
    assert np.isnan(found[:, 0]).all()  # constant
    for section, model in np.ndindex(given.shape[0], given.shape[1] - 1):
        expected = contribution_by_numerai(given.signals[section, model + 1], meta[section], outcomes[section])
        np.testing.assert_allclose(found[section, model + 1], expected, rtol=0, atol=1e-9)


def test_the_meta_model_adds_nothing_to_itself() -> None:
    given = full_panel(2, gaps=0.0)
    np.testing.assert_allclose(mmc(given.signals, given.signals[:, 2], given.outcomes)[:, 2], 0.0, atol=1e-12)


def test_a_constant_or_absent_meta_model_leaves_nothing_to_add_to() -> None:
    given = full_panel(2)
    for meta in (0.5, NAN):
        assert np.isnan(mmc(given.signals, np.full(given.outcomes.shape, meta), given.outcomes)).all()


def test_models_of_one_section_are_measured_alike() -> None:
    """numerai-tools would count the outcomes of the second model as bins, since it has none above 1."""
    outcomes = np.array([[0.1, 0.5, 0.3, 0.9, 0.7, 0.2, 2.0]])
    signal = np.array([0.3, 0.1, 0.6, 0.5, 0.9, 0.2, 0.4])
    signals = np.array([[signal, np.where(outcomes[0] > 1, NAN, signal)]])
    meta = np.array([[0.2, 0.9, 0.4, 0.1, 0.6, 0.3, 0.5]])
    found = mmc(signals, meta, outcomes)
    theirs = [contribution_by_numerai(mine, meta[0], outcomes[0]) for mine in signals[0]]
    np.testing.assert_allclose(found[0], [theirs[0], theirs[1] / 4], atol=1e-12)
