"""Correlation with the other models: against all pairs by scipy, and by its own definition where coverage differs."""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from pipeline.competition import Panel
from pipeline.competition.metrics import model_correlation
from pipeline.competition.peers import Peers
from pipeline_tests.competition.contests import NAN, panel, random_panel, reasons

NO_OUTCOMES = [[NAN] * 6]


def by_pairs(given: Panel, section: int) -> dict[int, float]:
    """The definition, pair by pair: products of unit ranks over sums of n_ij / sqrt(n_i n_j)."""
    vectors = {}
    for model, signals in enumerate(given.signals[section]):
        present = ~np.isnan(signals)
        ranks = stats.rankdata(signals[present]) if present.any() else np.array([])
        deviation = ranks - ranks.mean() if present.any() else ranks
        if (deviation**2).sum() > 0:
            vector = np.zeros(len(signals))
            vector[present] = deviation / np.sqrt((deviation**2).sum())
            vectors[model] = (vector, present)
    found = {}
    for model, (mine, here) in vectors.items():
        others = [vectors[other] for other in vectors if other != model]
        weight = sum((here & there).sum() / np.sqrt(here.sum() * there.sum()) for _, there in others)
        if weight > 0:
            found[model] = float(np.clip(sum(mine @ theirs for theirs, _ in others) / weight, -1, 1))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_with_complete_coverage_it_is_the_mean_of_scipys_pairwise_correlations(seed: int) -> None:
    given = random_panel(seed, gaps=0.0)
    found = model_correlation(given).value
    for section in range(given.shape[0]):
        for model in range(1, given.shape[1]):  # the first is constant: no pair of it has a correlation
            others = [other for other in range(1, given.shape[1]) if other != model]
            pairs = [
                stats.spearmanr(given.signals[section, model], given.signals[section, j]).statistic for j in others
            ]
            np.testing.assert_allclose(found[section, model], np.mean(pairs), rtol=0, atol=1e-12)
    assert reasons(model_correlation(given).reason[:, 0]) == ["constant_input"] * given.shape[0]


@pytest.mark.parametrize("seed", range(6))
def test_where_coverage_differs_it_is_the_ratio_over_pairs(seed: int) -> None:
    given = replace(random_panel(seed, models=6, subjects=12, gaps=0.4), min_subjects=2)
    found = model_correlation(given)
    for section in range(given.shape[0]):
        expected = by_pairs(given, section)
        n = given.submitted[section].sum(axis=1)
        for model in range(given.shape[1]):
            value = expected.get(model, NAN) if n[model] >= 2 else NAN
            np.testing.assert_allclose(found.value[section, model], value, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found.n, given.submitted.sum(axis=2))


def test_three_models_by_hand() -> None:
    # b is a, c is a turned round: a and b have (1 - 1) / 2 on average, c has (-1 - 1) / 2.
    rising = [1.0, 2, 3, 4, 5, 6]
    found = model_correlation(panel([[rising, rising, rising[::-1]]], NO_OUTCOMES))
    np.testing.assert_allclose(found.value, [[0.0, 0.0, -1.0]], atol=1e-15)


def test_two_models_of_other_subjects_by_hand() -> None:
    # Ranks 1 to 5 less their mean have the sum of squares 10. Common are s1 to s4: z_a = (-1 0 1 2) / sqrt(10) there,
    # z_b = (-2 -1 0 1) / sqrt(10); n_ij / sqrt(n_i n_j) = 4 / 5.
    signals = [[[1.0, 2, 3, 4, 5, NAN], [NAN, 1.0, 2, 3, 4, 5]]]
    found = model_correlation(panel(signals, NO_OUTCOMES))
    np.testing.assert_allclose(found.value, np.full((1, 2), (2 + 0 + 0 + 2) / 10 / 0.8), rtol=1e-12)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([[1.0, 2, 3, 4, 5, 6], [NAN] * 6], ["no_peers", "too_few_pairs"]),
        ([[1.0, 2, 3, 4, 5, 6], [1.0] * 6], ["no_peers", "constant_input"]),
        ([[1.0, 2, 3, 4, 5, 6], [1.0, 2, NAN, NAN, NAN, NAN]], [None, "too_few_pairs"]),
        ([[1.0, 2, 3, 4, 5, 6]], ["no_peers"]),
    ],
)
def test_why_it_is_undefined(signals: list[list[float]], expected: list[str | None]) -> None:
    found = model_correlation(panel([signals], NO_OUTCOMES))
    assert reasons(found.reason) == expected
    np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)


def test_outcomes_do_not_matter_but_for_how_many_subjects_are_needed() -> None:
    given = random_panel(3, gaps=0.2)
    without = replace(given, outcomes=np.full_like(given.outcomes, NAN), min_subjects=5)
    np.testing.assert_array_equal(
        model_correlation(without).value, model_correlation(replace(given, min_subjects=5)).value
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_model_compared_with_all_others_later_has_the_same_number(seed: int) -> None:
    """A virtual model against the peers of a panel: as if it were in the panel and nobody's peer."""
    given = random_panel(seed, gaps=0.3)
    real = replace(given, **without(given, 4))
    virtual = replace(given, **only(given, 4), peers=real.compared_with.for_others(1))
    members = np.ones(given.shape[:2], dtype=bool)
    members[:, 4] = False
    together = replace(given, peers=Peers.of(given.unit_ranks, members))
    np.testing.assert_allclose(model_correlation(together).value[:, :4], model_correlation(real).value, atol=1e-12)
    np.testing.assert_allclose(model_correlation(together).value[:, 4:], model_correlation(virtual).value, atol=1e-12)


def test_a_model_that_is_no_peer_in_one_section_counts_in_the_others() -> None:
    given = random_panel(1, gaps=0.0)
    members = np.ones(given.shape[:2], dtype=bool)
    members[2, 3] = False
    found = model_correlation(replace(given, peers=Peers.of(given.unit_ranks, members))).value
    usual = model_correlation(given).value
    assert np.isnan(found).sum() == np.isnan(usual).sum()
    changed = np.abs(found - usual) > 1e-9
    assert changed[2, [1, 2, 4]].all()
    assert not np.delete(changed, 2, axis=0).any()
    # The one that is left out is still compared with the rest.
    np.testing.assert_allclose(found[2, 3], usual[2, 3], atol=1e-12)


def test_peers_of_another_shape_are_refused() -> None:
    given = random_panel(0)
    with pytest.raises(ValueError, match=r"panel: peers are of shape \(6, 7, 9\), expected \(6, 5, 9\)"):
        replace(given, peers=given.compared_with.for_others(7))


@pytest.mark.parametrize("seed", range(3))
def test_one_section_by_itself_has_the_same_numbers(seed: int) -> None:
    given = random_panel(seed)
    peers = Peers.of(given.unit_ranks, np.random.default_rng(seed).random(given.shape[:2]) < 0.7)
    compared = replace(given, peers=peers)
    whole = model_correlation(compared).value
    for section in range(given.shape[0]):
        np.testing.assert_array_equal(model_correlation(compared.at(section)).value, whole[section : section + 1])


def test_the_ratio_never_leaves_what_a_correlation_can_be() -> None:
    with warnings.catch_warnings(action="error"):
        for seed, gaps in itertools.product(range(5), (0.5, 0.7, 0.9)):
            given = replace(random_panel(seed, models=8, subjects=20, gaps=gaps), min_subjects=2)
            value = model_correlation(given).value
            assert (np.abs(value[~np.isnan(value)]) <= 1).all()


def without(given: Panel, model: int) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "models": np.delete(given.models, model),
        "signals": np.delete(given.signals, model, axis=1),
        "scores": np.delete(given.scores, model, axis=1),
    }


def only(given: Panel, model: int) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "models": given.models[[model]],
        "signals": given.signals[:, [model]],
        "scores": given.scores[:, [model]],
    }
