"""A metric that fails or gives nonsense is undefined and says why; the others go on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.competition import Panel
from pipeline.competition.metrics import (
    METRICS,
    Metric,
    MetricsRegistry,
    Pool,
    SectionMetric,
    SeriesMetric,
    information_coefficient,
    safely,
    safely_over_series,
)
from pipeline.competition.reasons import REASONS
from pipeline.leaderboard import Direction, mean_influence
from pipeline_tests.competition.contests import NAN, OF_ANY, full_panel, reasons


def metric(function: Callable[[Panel], Any], pool: Pool = Pool.CYCLES) -> Metric:
    return Metric("mine", pool, Direction.DESC, "unit", of_panel=function)


def changed(**changes: Callable[[SectionMetric], Any]) -> Metric:
    """The IC with some of its parts replaced by what a function makes of it."""

    def function(panel: Panel) -> SectionMetric:
        found = information_coefficient(panel)
        return replace(found, **{name: make(found) for name, make in changes.items()})

    return metric(function)


@pytest.mark.parametrize("name", [name for name in OF_ANY if METRICS.get(name).of_panel is not None])
def test_what_is_right_passes_unchanged(name: str) -> None:
    given = full_panel(0)
    found, plain = safely(METRICS.get(name), given), METRICS.get(name).over_panel(given)
    for part in ("value", "n", "reason"):
        np.testing.assert_array_equal(getattr(found, part), getattr(plain, part))
    np.testing.assert_array_equal(np.isnan(found.value), found.reason != 0)


def test_who_fails_is_undefined_and_says_why() -> None:
    found = safely(metric(lambda panel: 1 / 0), full_panel(0))
    assert np.isnan(found.value).all()
    assert set(reasons(found.reason)) == {"error: ZeroDivisionError: division by zero"}
    np.testing.assert_array_equal(found.n, full_panel(0).n_pairs)


def test_who_fails_on_one_section_keeps_the_others() -> None:
    given = full_panel(0)

    def function(panel: Panel) -> SectionMetric:
        if given.cycles[2] in panel.cycles:
            raise KeyError("third")
        return information_coefficient(panel)

    found, usual = safely(metric(function), given), information_coefficient(given)
    others = [0, 1, 3]
    np.testing.assert_array_equal(found.value[others], usual.value[others])
    np.testing.assert_array_equal(found.reason[others], usual.reason[others])
    assert set(reasons(found.reason[2])) == {"error: KeyError: 'third'"}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda panel: None, "error: TypeError: the metric gave a NoneType, expected a SectionMetric"),
        (lambda panel: panel.outcomes, "error: TypeError: the metric gave a ndarray, expected a SectionMetric"),
        (
            lambda panel: SectionMetric(np.zeros(3), panel.n_pairs, np.zeros(panel.shape[:2], dtype=np.int32)),
            "error: ValueError: value has shape (3,), expected (1, 5)",
        ),
    ],
)
def test_what_is_no_metric_is_undefined(function: Callable[[Panel], Any], reason: str) -> None:
    assert set(reasons(safely(metric(function), full_panel(0)).reason)) == {reason}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": lambda found: found.n[:, :2]}, "error: ValueError: n has shape (1, 2), expected (1, 5)"),
        ({"reason": lambda found: np.zeros(7)}, "error: ValueError: reason has shape (7,), expected (1, 5)"),
        ({"value": lambda found: found.value.astype(str)}, None),
        ({"value": lambda found: np.full(found.value.shape, "x")}, "error: ValueError: could not convert string to"),
        ({"reason": lambda found: found.reason + 10**6}, "error: ValueError: reason holds what is no code of a reason"),
        ({"reason": lambda found: found.reason - 1}, "error: ValueError: reason holds what is no code of a reason"),
    ],
)
def test_parts_of_another_form_are_undefined(changes: dict[str, Any], reason: str | None) -> None:
    found = reasons(safely(changed(**changes), full_panel(0)).reason[:, 1:])
    assert all(one is None if reason is None else str(one).startswith(reason) for one in found)


def test_what_is_not_finite_is_undefined() -> None:
    values = np.array([[np.inf, -np.inf, NAN, 0.5, 0.25]])

    def function(panel: Panel) -> SectionMetric:
        reason = np.array([[0, 0, 0, 0, REASONS.index("no_scores")]], dtype=np.int8)
        return SectionMetric(values, panel.n_pairs, reason)

    found = safely(metric(function), full_panel(0).at(0))
    infinite = "error: ValueError: the value is infinite"
    assert reasons(found.reason) == [infinite, infinite, "undefined", None, "no_scores"]
    np.testing.assert_array_equal(found.value, [[NAN, NAN, NAN, 0.5, NAN]])


@pytest.mark.parametrize(
    ("numerator", "reason"),
    [
        (None, "pools over tasks; its function must give numerator and denominator"),
        (np.zeros((2, 2)), "numerator has shape (2, 2), expected (1, 5)"),
        (np.full((1, 5), NAN), "numerator and denominator must be finite, 0 where there is nothing"),
    ],
)
def test_a_metric_pooled_over_tasks_has_what_it_is_made_of(numerator: Any, reason: str) -> None:
    def function(panel: Panel) -> SectionMetric:
        return replace(information_coefficient(panel), numerator=numerator, denominator=np.ones(panel.shape[:2]))

    found = safely(metric(function, Pool.TASKS), full_panel(0).at(0))
    assert all(reason in str(one) for one in reasons(found.reason))
    # What is pooled further is 0 of 0.
    assert [part.tolist() for part in found.tasks("mine")] == [[[0.0] * 5]] * 2


def test_no_memory_is_no_fault_of_the_metric() -> None:
    def greedy(panel: Panel) -> SectionMetric:
        raise MemoryError

    with pytest.raises(MemoryError):
        safely(metric(greedy), full_panel(0))
    with pytest.raises(MemoryError):
        safely(MetricsRegistry().register("mine", lambda predictions, scores, context: greedy(None)), full_panel(0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "value", "reason"),
    [
        (2, 2.0, None),
        (np.float32(0.5), 0.5, None),
        (True, 1.0, None),
        (None, NAN, "undefined"),
        (NAN, NAN, "undefined"),
        (np.inf, NAN, "error: ValueError: the value is infinite"),
        ("x", NAN, "error: ValueError: could not convert string to float: 'x'"),
        ([1.0], NAN, "error: TypeError: float() argument must be a string or a real number, not 'list'"),
    ],
)
def test_what_a_function_over_rows_may_give(given: Any, value: float, reason: str | None) -> None:
    mine = MetricsRegistry().register("mine", lambda predictions, scores, context: given)
    found = safely(mine, full_panel(0).at(1))
    np.testing.assert_array_equal(found.value, np.full((1, 5), value))
    assert set(reasons(found.reason)) == {reason}


def test_a_function_over_rows_that_fails_for_one_model_keeps_the_others() -> None:
    def picky(predictions: list[Any], scores: list[Any], context: Any) -> float:
        return 1.0 / (context.model_id != "m2")

    found = safely(MetricsRegistry().register("picky", picky), full_panel(0))
    np.testing.assert_array_equal(found.value[:, [0, 1, 3, 4]], 1.0)
    assert set(reasons(found.reason[:, 2])) == {"error: ZeroDivisionError: float division by zero"}


def test_a_function_over_rows_cannot_change_what_others_see() -> None:
    def vandal(predictions: list[Any], scores: list[Any], context: Any) -> float:
        count = float(len(predictions))
        for row in predictions:
            row.clear()
        predictions.clear()
        return count

    found = safely(MetricsRegistry().register("vandal", vandal), full_panel(0))
    np.testing.assert_array_equal(found.value, full_panel(0).submitted.sum(axis=2))


def series_metric(function: Callable[[np.ndarray], Any]) -> Metric:
    return Metric("mine", Pool.SERIES, Direction.DESC, "unit", of_series=function, series_of="ic")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda series: 1 / 0, "error: ZeroDivisionError: division by zero"),
        (lambda series: None, "error: AttributeError: 'NoneType' object has no attribute 'influence'"),
        (
            lambda series: SeriesMetric(mean_influence(series[:, :1]), np.zeros(1, dtype=np.int32)),
            "error: ValueError: value has shape (1,), expected (3,)",
        ),
        (
            lambda series: SeriesMetric(mean_influence(series[:2]), np.zeros(3, dtype=np.int32)),
            "error: ValueError: psi has shape (2, 3), expected (4, 3)",
        ),
        (
            lambda series: SeriesMetric(
                replace(mean_influence(series), value=np.full(3, np.inf)), np.zeros(3, dtype=np.int32)
            ),
            "error: ValueError: the value is infinite",
        ),
    ],
)
def test_a_metric_of_series_that_fails_is_undefined(function: Callable[[np.ndarray], Any], reason: str) -> None:
    found = safely_over_series(series_metric(function), np.ones((4, 3)))
    assert np.isnan(found.influence.value).all()
    assert found.influence.n.tolist() == [4, 4, 4]
    assert set(reasons(found.reason)) == {reason}


def test_a_metric_of_a_panel_is_none_of_series() -> None:
    found = safely_over_series(METRICS.get("ic"), np.ones((4, 2)))
    assert set(reasons(found.reason)) == {"error: ValueError: metric 'ic' is not of a series"}
