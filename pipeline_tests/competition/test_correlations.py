"""Correlations of signals, pair by pair, against scipy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from pipeline.competition.correlations import signal_correlations

SECTIONS, MODELS, SUBJECTS = 7, 4, 12


def signals(gaps: float = 0.0, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """The signals of a model and of others that share something with it, rounded so that there are ties."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(SECTIONS, SUBJECTS))
    others = own[:, None, :] * np.linspace(-1, 1, MODELS)[:, None] + rng.normal(size=(SECTIONS, MODELS, SUBJECTS))
    own, others = own.round(1), others.round(1)
    own[rng.random(own.shape) < gaps] = np.nan
    others[rng.random(others.shape) < gaps] = np.nan
    return own, others


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_they_are_the_means_of_spearman_s_over_what_both_have(gaps: float) -> None:
    own, others = signals(gaps)
    found = signal_correlations(own, others)
    for model in range(MODELS):
        rhos = []
        for section in range(SECTIONS):
            both = ~np.isnan(own[section]) & ~np.isnan(others[section, model])
            if both.sum() >= 5:
                rhos.append(stats.spearmanr(own[section][both], others[section, model][both]).statistic)
        assert_allclose(found.value[model], np.mean(rhos), rtol=1e-12)
        assert found.n[model] == len(rhos)
    assert found.n.min() < SECTIONS or gaps == 0.0


def test_a_model_is_wholly_like_itself_and_wholly_unlike_its_negative() -> None:
    own, _ = signals()
    found = signal_correlations(own, np.stack([own, -own, np.exp(own)], axis=1))
    assert_allclose(found.value, [1, -1, 1], rtol=1e-12)


def test_what_has_too_few_subjects_in_common_or_is_constant_does_not_count() -> None:
    own, others = signals()
    others[:, 0] = 3.0
    others[:, 1, 4:] = np.nan
    others[1:, 2] = np.nan
    found = signal_correlations(own, others)
    assert_array_equal(np.isnan(found.value), [True, True, False, False])
    assert found.n.tolist() == [0, 0, 1, SECTIONS]
    assert signal_correlations(own, others, min_subjects=4).n[1] == SECTIONS


def test_the_order_of_subjects_and_sections_does_not_matter() -> None:
    own, others = signals(0.2)
    rng = np.random.default_rng(1)
    sections, subjects = rng.permutation(SECTIONS), rng.permutation(SUBJECTS)
    moved = signal_correlations(own[sections][:, subjects], others[sections][:, :, subjects])
    assert_allclose(moved.value, signal_correlations(own, others).value, rtol=1e-12)


def test_other_sections_are_refused() -> None:
    own, others = signals()
    with pytest.raises(ValueError, match=r"signals have shape \(6, 12\) and those of others \(7, 4, 12\)"):
        signal_correlations(own[1:], others)


def test_without_sections_there_is_no_correlation() -> None:
    found = signal_correlations(np.empty((0, SUBJECTS)), np.empty((0, MODELS, SUBJECTS)))
    assert np.isnan(found.value).all()
    assert found.n.tolist() == [0] * MODELS
