"""The registry: names, and the forms of functions that it makes metrics of."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.competition import Panel
from pipeline.competition.metrics import (
    METRICS,
    Metric,
    MetricsContext,
    MetricsRegistry,
    Pool,
    SectionMetric,
    information_coefficient,
)
from pipeline.competition.metrics.rows import RowForm
from pipeline.leaderboard import Direction
from pipeline.registry import UnknownNameError
from pipeline_tests.competition.contests import START, full_panel
from pipeline_tests.competition.rows import Row, compute, context_of, rows_of, scores_of


def spread(predictions: list[Row], scores: list[Row], context: MetricsContext) -> float:
    """Highest less lowest prediction."""
    values = [row["value"] for row in predictions]
    return max(values) - min(values)


def negated(panel: Panel) -> SectionMetric:
    """Rank correlation, turned round."""
    found = information_coefficient(panel)
    return SectionMetric(-found.value, found.n, found.reason)


class TestNames:
    def test_a_registry_of_ones_own_knows_the_built_in_metrics(self) -> None:
        mine = MetricsRegistry()
        assert mine.available() == METRICS.available()
        assert mine.get("ic") is METRICS.get("ic")
        assert "ic" in mine
        assert [metric.name for metric in mine] == METRICS.available()

    def test_what_is_registered_hides_the_built_in_one_there_only(self) -> None:
        mine = MetricsRegistry()
        mine.register("ic", negated)
        panel = full_panel(0)
        found = mine.compute(
            metrics=["ic", "ic_sharpe"],
            predictions=rows_of(panel, 2),
            scores=scores_of(panel, 2),
            context=context_of(panel),
        )
        usual = compute(panel, ["ic", "ic_sharpe"])
        assert usual["ic"] is not None
        assert usual["ic_sharpe"] is not None
        assert found == pytest.approx({"ic": -usual["ic"], "ic_sharpe": -usual["ic_sharpe"]})
        assert METRICS.get("ic").of_panel is information_coefficient

    def test_a_name_is_registered_once_and_has_no_dot(self) -> None:
        mine = MetricsRegistry()
        mine.register("mine", spread)
        with pytest.raises(ValueError, match="metric 'mine' is already registered; choose another name"):
            mine.register("mine", negated)
        with pytest.raises(ValueError, match=r"metric name 'my\.own' has a dot"):
            mine.register("my.own", spread)

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        mine = MetricsRegistry()
        mine.register("mine", spread)
        with pytest.raises(UnknownNameError, match=r"unknown metric 'icc'; known: contribution, .*, mine, mmc"):
            mine.compute(metrics=["icc"], predictions=[], scores=[], context=MetricsContext("a", START, START))

    def test_only_what_is_listed_is_computed(self) -> None:
        called = []
        mine = MetricsRegistry()
        mine.register("loud", lambda predictions, scores, context: called.append(1) or 0.0)
        panel = full_panel(0)
        given: Mapping[str, Any] = {
            "predictions": rows_of(panel, 2),
            "scores": scores_of(panel, 2),
            "context": context_of(panel),
        }
        assert list(mine.compute(metrics=["ic"], **given)) == ["ic"]
        assert called == []
        assert mine.compute(metrics=["loud"], **given) == {"loud": 0.0}
        assert called == [1]
        assert mine.compute(metrics=[], **given) == {}


class TestForms:
    def test_a_metric_says_everything_itself(self) -> None:
        metric = Metric("other", Pool.CYCLES, Direction.ASC, "unit", negated)
        assert MetricsRegistry().register("mine", metric) == replace(metric, name="mine")

    @pytest.mark.parametrize("function", [spread, negated])
    def test_a_function_of_either_form_is_a_metric_of_cycles(self, function: Callable[..., Any]) -> None:
        metric = MetricsRegistry().register("mine", function)
        assert (metric.name, metric.pool, metric.direction, metric.unit) == ("mine", "cycles", "desc", "value")
        assert metric.description == (function.__doc__ or "").strip()
        assert metric == MetricsRegistry().register("mine", function)
        assert len({metric, MetricsRegistry().register("mine", function)}) == 1

    @pytest.mark.parametrize(
        ("thing", "what"),
        [
            (lambda series: series, "a function (series)"),
            (lambda predictions, scores: 0.0, "a function (predictions, scores)"),
            (lambda *, panel: panel, "a function (*, panel)"),
            (lambda: 0.0, "a function ()"),
            (min, "a function whose parameters cannot be told"),
            (Panel, "a class"),
            (3.0, "a float"),
        ],
    )
    def test_anything_else_is_refused_with_what_may_be_given(self, thing: Any, what: str) -> None:
        message = f"metric 'mine' is {what}; give a Metric, a function (panel), or one (predictions, scores, context); "
        with pytest.raises(UnknownNameError, match=re.escape(message)):
            MetricsRegistry().register("mine", thing)

    @pytest.mark.parametrize(
        ("metric", "message"),
        [
            (
                Metric("mine", Pool.CYCLES, Direction.DESC, "value", of_panel=lambda: 0.0),  # type: ignore[misc,arg-type]
                "of_panel is a function (); give a function (panel)",
            ),
            (
                Metric("mine", Pool.CYCLES, Direction.DESC, "value", of_panel=RowForm(lambda rows: 0.0)),  # type: ignore[misc,arg-type]
                "of_panel's RowForm is a function (rows); give a function (predictions, scores, context)",
            ),
            (
                Metric("mine", Pool.CYCLES, Direction.DESC, "value", of_members=negated),  # type: ignore[arg-type]
                "of_members is a function (panel); give a function (panel, ensemble)",
            ),
            (
                Metric("mine", Pool.SERIES, Direction.DESC, "value", of_series=spread, series_of="ic"),  # type: ignore[arg-type]
                "of_series is a function (predictions, scores, context); give a function (series)",
            ),
        ],
    )
    def test_a_metric_whose_function_takes_something_else_is_refused(self, metric: Metric, message: str) -> None:
        with pytest.raises(UnknownNameError, match=re.escape(f"metric 'mine': {message}")):
            MetricsRegistry().register("mine", metric)

    def test_a_function_over_rows_may_be_better_when_lower(self) -> None:
        metric = Metric("mine", Pool.CYCLES, Direction.ASC, "value", of_panel=RowForm(spread))
        assert MetricsRegistry().register("mine", metric) == metric

    def test_parameters_with_defaults_do_not_matter(self) -> None:
        def halved(predictions: list[Row], scores: list[Row], context: MetricsContext, by: float = 2.0) -> float:
            return spread(predictions, scores, context) / by

        rows = [{"value": 1.0}, {"value": 4.0}]
        mine = MetricsRegistry()
        mine.register("halved", halved)
        context = MetricsContext("a", START, START)
        assert mine.compute(metrics=["halved"], predictions=rows, scores=[], context=context) == {"halved": 1.5}
