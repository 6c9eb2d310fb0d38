"""Feature neutral correlation: against least squares and ranks of independent libraries, and by construction."""

import warnings
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from pipeline.competition import Panel
from pipeline.competition.metrics import feature_neutral_correlation, information_coefficient
from pipeline_tests.competition.contests import NAN, full_panel, panel, reasons


def by_lstsq(
    signals: npt.NDArray[np.float64], outcomes: npt.NDArray[np.float64], factors: npt.NDArray[np.float64]
) -> float:
    """The definition for one model, factors as columns; NaN where it is undefined."""
    known = factors[:, ~np.isnan(factors[~np.isnan(signals) & ~np.isnan(outcomes)]).all(axis=0)]
    usable = ~np.isnan(signals) & ~np.isnan(outcomes) & ~np.isnan(known).any(axis=1)
    n, k = int(usable.sum()), known.shape[1]
    least = max(5, -(-int((~np.isnan(outcomes)).sum()) // 2), 2 * k + 5)
    if k == 0 or n < least:
        return NAN
    share = (stats.rankdata(signals[usable]) - 0.5) / n
    design = np.column_stack([np.ones(n), *((stats.rankdata(column[usable]) - 0.5) / n for column in known.T)])
    residual = share - design @ np.linalg.lstsq(design, share, rcond=None)[0]
    if residual.var() < 0.01 * share.var() or share.var() == 0:
        return NAN
    with warnings.catch_warnings(action="ignore"):
        return float(stats.spearmanr(np.round(residual, 10), outcomes[usable]).statistic)


def expected(given: Panel) -> npt.NDArray[np.float64]:
    assert given.factors is not None
    found = np.full(given.shape[:2], NAN)
    for section, model in np.ndindex(found.shape):
        found[section, model] = by_lstsq(given.signals[section, model], given.outcomes[section], given.factors[section])
    return found


@pytest.mark.parametrize("gaps", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_least_squares_of_ranks_and_scipys_spearman(seed: int, gaps: float) -> None:
    given = full_panel(seed, gaps=gaps)
    found = feature_neutral_correlation(given)
    np.testing.assert_allclose(found.value, expected(given), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)
    assert np.isnan(found.value[:, 0]).all()  # constant
    assert not np.isnan(found.value[:, 1:]).all()


def test_models_that_lack_other_subjects_each_have_their_own_projection() -> None:
    given = full_panel(7, models=12, subjects=40, gaps=0.0)
    lacking = given.signals.copy()
    for model in range(12):
        lacking[:, model, : model % 4] = NAN
    given = replace(given, signals=lacking)
    np.testing.assert_allclose(feature_neutral_correlation(given).value, expected(given), rtol=0, atol=1e-12)


def test_what_the_factor_says_alone_is_nothing_of_the_model() -> None:
    random = np.random.default_rng(0)
    factor, own = random.normal(size=(2, 30))
    given = panel([[factor, own, factor + 0.001 * own]], [own], factors=factor[None, :, None])
    found = feature_neutral_correlation(given)
    assert reasons(found.reason) == ["explained_by_factors", None, "explained_by_factors"]
    assert found.value[0, 1] > 0.9


def test_a_factor_without_relation_to_the_signal_leaves_the_correlation() -> None:
    # Orthogonal by construction: the factor's ranks are symmetric where the signal's are antisymmetric.
    signal = np.arange(-10.0, 11.0)
    given = panel([[signal]], [np.sin(signal)], factors=(signal**2)[None, :, None])
    np.testing.assert_allclose(
        feature_neutral_correlation(given).value, information_coefficient(given).value, atol=1e-12
    )


@pytest.mark.parametrize("times", [2, 5])
def test_a_factor_told_twice_says_no_more(times: int) -> None:
    given = full_panel(2, gaps=0.05)
    assert given.factors is not None
    repeated = replace(given, factors=np.concatenate([given.factors] + [2 * given.factors] * (times - 1), axis=2))
    np.testing.assert_allclose(
        feature_neutral_correlation(replace(repeated, min_subjects=25)).value,
        feature_neutral_correlation(replace(given, min_subjects=25)).value,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("subjects", "factors", "expected_reason"),
    [(11, 3, None), (10, 3, "too_few_pairs"), (7, 1, None), (6, 1, "too_few_pairs"), (20, 0, "no_factors")],
)
def test_there_are_five_subjects_more_than_twice_the_factors(
    subjects: int, factors: int, expected_reason: str | None
) -> None:
    random = np.random.default_rng(1)
    given = panel(
        random.normal(size=(1, 1, subjects)),
        random.normal(size=(1, subjects)),
        factors=random.normal(size=(1, subjects, factors)),
    )
    assert reasons(feature_neutral_correlation(given).reason) == [expected_reason]


def test_a_contest_without_factors_says_so() -> None:
    assert set(reasons(feature_neutral_correlation(full_panel(0)).reason)) >= {None}
    without = replace(full_panel(0), factors=None)
    assert set(reasons(feature_neutral_correlation(without).reason)) == {"no_factors"}


def test_a_factor_that_nobody_has_yet_is_not_a_factor_of_the_cycle() -> None:
    given = full_panel(3, gaps=0.0)
    assert given.factors is not None
    later = given.factors.copy()
    later[0, :, 1] = NAN
    first_only = replace(given, factors=given.factors[:, :, :1])
    found = feature_neutral_correlation(replace(given, factors=later)).value
    np.testing.assert_allclose(found[0], feature_neutral_correlation(first_only).value[0], atol=1e-12)
    np.testing.assert_allclose(found[1:], feature_neutral_correlation(given).value[1:], atol=1e-12)


def test_a_subject_without_a_factor_is_left_out() -> None:
    given = full_panel(4, gaps=0.0)
    assert given.factors is not None
    lacking = given.factors.copy()
    lacking[:, 3, 0] = NAN
    unsaid = given.signals.copy()
    unsaid[:, :, 3] = NAN
    left_out = feature_neutral_correlation(replace(given, factors=lacking))
    np.testing.assert_allclose(
        left_out.value, feature_neutral_correlation(replace(given, signals=unsaid)).value, atol=1e-12
    )
    assert (left_out.n == given.n_pairs - 1).all()


def test_subjects_alike_in_signal_and_factors_stay_tied() -> None:
    # Rounding of the projection would order them at random, and the value would follow.
    random = np.random.default_rng(5)
    half = random.integers(0, 5, size=(3, 20)).astype(float)
    signal, factor, outcome = np.concatenate([half, half], axis=1)
    given = panel([[signal]], [outcome], factors=factor[None, :, None])
    np.testing.assert_allclose(feature_neutral_correlation(given).value, expected(given), rtol=0, atol=1e-12)


def test_factors_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"panel: factors have shape \(3, 2, 1\), expected \(4, 30\)"):
        replace(full_panel(0), factors=np.zeros((3, 2, 1)))
