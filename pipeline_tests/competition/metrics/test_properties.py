"""What must hold of every metric on any panel: drawn by hypothesis, ties, gaps and absent models included."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition import Panel
from pipeline.competition.metrics import METRICS, Metric, Pool, SectionMetric, mmc
from pipeline_tests.competition.contests import NAN, panel

Floats = npt.NDArray[np.float64]

OF_PANEL = [metric for metric in METRICS if metric.of_panel is not None and metric.is_of_any]
OF_RANKS = ["ic", "model_correlation", "fnc", "numerai_corr", "rank_turnover"]
"""Metrics that see the order of signals only."""
every = pytest.mark.parametrize("metric", OF_PANEL, ids=lambda metric: metric.name)
examples = settings(max_examples=25, deadline=None)


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    """Up to 3 sections, 4 models, 14 subjects; few distinct values, so that there are ties."""
    sections, models, subjects = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 14))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gaps, levels = draw(st.sampled_from([0.0, 0.1, 0.5])), draw(st.sampled_from([1, 3, 50]))

    def values(*shape: int) -> Floats:
        found = np.round(random.normal(size=shape) * levels) / 8
        return np.where(random.random(shape) < gaps, NAN, found)

    signals = values(sections, models, subjects)
    outcomes = values(sections, subjects)
    return panel(
        signals,
        outcomes,
        factors=values(sections, subjects, draw(st.integers(0, 2))),
        previous=values(sections, models, subjects),
        scores=np.where(np.isnan(signals) | np.isnan(outcomes)[:, None, :], NAN, 0.5),
        min_subjects=draw(st.sampled_from([None, 2])),
    )


def same(found: SectionMetric, expected: SectionMetric) -> None:
    np.testing.assert_allclose(found.value, expected.value, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.n, expected.n)
    np.testing.assert_array_equal(found.reason, expected.reason)


def with_models(given_panel: Panel, places: list[int]) -> Panel:
    """The panel with some of its models, in an order."""
    assert given_panel.previous is not None
    return replace(
        given_panel,
        models=np.array([f"x{place}" for place in range(len(places))], dtype=object),
        signals=given_panel.signals[:, places],
        scores=given_panel.scores[:, places],
        previous=given_panel.previous[:, places],
    )


def with_subjects(given_panel: Panel, places: npt.NDArray[np.int64]) -> Panel:
    assert given_panel.previous is not None
    assert given_panel.factors is not None
    return replace(
        given_panel,
        subjects=given_panel.subjects[places],
        signals=given_panel.signals[:, :, places],
        scores=given_panel.scores[:, :, places],
        previous=given_panel.previous[:, :, places],
        outcomes=given_panel.outcomes[:, places],
        factors=given_panel.factors[:, places],
    )


def of_models(found: SectionMetric, places: list[int]) -> SectionMetric:
    return SectionMetric(found.value[:, places], found.n[:, places], found.reason[:, places])


@every
@examples
@given(panels())
def test_it_is_finite_or_has_a_reason_and_never_raises(metric: Metric, given_panel: Panel) -> None:
    found = metric.over_panel(given_panel)
    assert found.value.shape == found.n.shape == found.reason.shape == given_panel.shape[:2]
    np.testing.assert_array_equal(np.isfinite(found.value), found.reason == 0)
    np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)


@every
@examples
@given(panels(), st.randoms(use_true_random=False))
def test_the_order_of_models_does_not_matter(metric: Metric, given_panel: Panel, random: Callable[..., object]) -> None:
    places = list(range(given_panel.shape[1]))
    random.shuffle(places)  # type: ignore[attr-defined]
    same(metric.over_panel(with_models(given_panel, places)), of_models(metric.over_panel(given_panel), places))


@every
@examples
@given(panels(), st.integers(0, 2**32 - 1))
def test_the_order_of_subjects_does_not_matter(metric: Metric, given_panel: Panel, seed: int) -> None:
    places = np.random.default_rng(seed).permutation(given_panel.shape[2])
    same(metric.over_panel(with_subjects(given_panel, places)), metric.over_panel(given_panel))


@every
@examples
@given(panels())
def test_a_subject_that_nobody_speaks_of_does_not_matter(metric: Metric, given_panel: Panel) -> None:
    assert given_panel.previous is not None
    assert given_panel.factors is not None
    sections, models, _ = given_panel.shape
    wider = replace(
        given_panel,
        subjects=np.append(given_panel.subjects, "nowhere"),
        signals=np.append(given_panel.signals, np.full((sections, models, 1), NAN), axis=2),
        scores=np.append(given_panel.scores, np.full((sections, models, 1), NAN), axis=2),
        previous=np.append(given_panel.previous, np.full((sections, models, 1), NAN), axis=2),
        outcomes=np.append(given_panel.outcomes, np.full((sections, 1), NAN), axis=1),
        factors=np.append(given_panel.factors, np.full((sections, 1, given_panel.factors.shape[2]), NAN), axis=1),
    )
    same(metric.over_panel(wider), metric.over_panel(given_panel))


@every
@examples
@given(panels(), st.integers(0, 13))
def test_a_subject_removed_is_a_subject_never_given(metric: Metric, given_panel: Panel, place: int) -> None:
    """Blank everywhere or cut out: one and the same."""
    assert given_panel.previous is not None
    assert given_panel.factors is not None
    place %= given_panel.shape[2]
    blank = {
        name: getattr(given_panel, name).copy() for name in ("signals", "scores", "previous", "outcomes", "factors")
    }
    for name in ("signals", "scores", "previous"):
        blank[name][:, :, place] = NAN
    blank["outcomes"][:, place] = NAN
    blank["factors"][:, place] = NAN
    kept = np.delete(np.arange(given_panel.shape[2]), place)
    same(metric.over_panel(replace(given_panel, **blank)), metric.over_panel(with_subjects(given_panel, kept)))


@every
@examples
@given(panels())
def test_a_duplicated_model_has_the_same_numbers_and_leaves_the_others_theirs(
    metric: Metric, given_panel: Panel
) -> None:
    """But for the correlation with others, which now has its twin among them."""
    models = list(range(given_panel.shape[1]))
    found, doubled = metric.over_panel(given_panel), metric.over_panel(with_models(given_panel, [*models, 0]))
    same(of_models(doubled, [0]), of_models(doubled, [-1]))
    if metric.name != "model_correlation":
        same(of_models(doubled, models), found)


@examples
@given(panels())
def test_the_correlation_with_a_twin_and_nobody_else_is_one(given_panel: Panel) -> None:
    twins = METRICS.get("model_correlation").over_panel(with_models(given_panel, [0, 0]))
    defined = twins.reason == 0
    np.testing.assert_allclose(twins.value[defined], 1.0, atol=1e-12)


@every
@examples
@given(panels())
def test_one_section_by_itself_has_the_same_numbers(metric: Metric, given_panel: Panel) -> None:
    whole = metric.over_panel(given_panel)
    for section in range(given_panel.shape[0]):
        one = slice(section, section + 1)
        expected = SectionMetric(whole.value[one], whole.n[one], whole.reason[one])
        same(metric.over_panel(given_panel.at(section)), expected)


@pytest.mark.parametrize("name", OF_RANKS)
@pytest.mark.parametrize("transform", [lambda x: x**3, lambda x: 5 * x - 2, np.exp], ids=["cube", "line", "exp"])
@examples
@given(panels())
def test_a_rising_transform_of_signals_changes_no_metric_of_ranks(
    name: str, transform: Callable[[Floats], Floats], given_panel: Panel
) -> None:
    assert given_panel.previous is not None
    # Within what exp tells apart.
    given_panel = replace(given_panel, signals=given_panel.signals / 8, previous=given_panel.previous / 8)
    assert given_panel.previous is not None
    moved = replace(given_panel, signals=transform(given_panel.signals), previous=transform(given_panel.previous))
    same(METRICS.get(name).over_panel(moved), METRICS.get(name).over_panel(given_panel))


@examples
@given(panels(), st.floats(0.125, 64), st.integers(-3, 3))
def test_scale_and_level_of_signals_change_no_portfolio(given_panel: Panel, scale: float, level: int) -> None:
    assert given_panel.previous is not None
    moved = replace(
        given_panel, signals=given_panel.signals * scale + level, previous=given_panel.previous * scale + level
    )
    for name in ("mean_return", "turnover"):
        same(METRICS.get(name).over_panel(moved), METRICS.get(name).over_panel(given_panel))


@pytest.mark.parametrize("name", ["ic", "mean_return", "fnc", "numerai_corr"])
@examples
@given(panels())
def test_the_opposite_signals_have_the_opposite_number(name: str, given_panel: Panel) -> None:
    found = METRICS.get(name).over_panel(given_panel)
    opposite = METRICS.get(name).over_panel(replace(given_panel, signals=-given_panel.signals))
    np.testing.assert_allclose(opposite.value, -found.value, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(opposite.reason, found.reason)


@examples
@given(panels(), st.integers(0, 2**32 - 1))
def test_mmc_is_the_same_in_any_order_and_after_any_rising_transform(given_panel: Panel, seed: int) -> None:
    random = np.random.default_rng(seed)
    meta = random.normal(size=given_panel.outcomes.shape)
    found = mmc(given_panel.signals, meta, given_panel.outcomes)
    subjects, models = random.permutation(given_panel.shape[2]), random.permutation(given_panel.shape[1])
    moved = mmc(
        (given_panel.signals[:, models] * 3 - 1)[:, :, subjects],
        np.exp(meta[:, subjects]),
        given_panel.outcomes[:, subjects],
    )
    np.testing.assert_allclose(moved, found[:, models], rtol=0, atol=1e-9)


series = st.lists(
    st.one_of(st.none(), st.integers(-50, 50).map(lambda percent: percent / 100)), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    "metric", [metric for metric in METRICS if metric.pool is Pool.SERIES], ids=lambda one: one.name
)
@examples
@given(series, st.integers(0, 12))
def test_a_cycle_left_out_of_a_series_is_a_cycle_that_was_not_there(
    metric: Metric, values: list[float | None], place: int
) -> None:
    assert metric.of_series is not None
    place %= len(values) + 1
    plain = np.array([NAN if value is None else value for value in values])[:, None]
    gap = np.insert(plain, place, NAN, axis=0)
    found, expected = metric.of_series(gap), metric.of_series(plain)
    np.testing.assert_allclose(found.influence.value, expected.influence.value, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.reason, expected.reason)
    np.testing.assert_array_equal(np.isfinite(found.influence.value), found.reason == 0)
