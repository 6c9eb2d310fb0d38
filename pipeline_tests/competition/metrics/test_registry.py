"""The registry: names, forms of functions, and the same numbers from rows as from a panel."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from pipeline.competition import Panel
from pipeline.competition.metrics import (
    METRICS,
    Measured,
    Metric,
    MetricsContext,
    MetricsRegistry,
    Pool,
    SectionMetric,
    information_coefficient,
    pool_horizons,
    safely,
    safely_over_series,
)
from pipeline.leaderboard import Direction, mean_influence, ratio_influence
from pipeline.registry import UnknownNameError
from pipeline_tests.competition.contests import NAN, START, WEEK, cycle, full_panel

Row = dict[str, Any]
MODEL = "m2"


def spread(predictions: list[Row], scores: list[Row], context: MetricsContext) -> float:
    """Highest less lowest prediction."""
    values = [row["value"] for row in predictions]
    return max(values) - min(values)


def negated(panel: Panel) -> SectionMetric:
    """Rank correlation, turned round."""
    found = information_coefficient(panel)
    return SectionMetric(-found.value, found.n, found.reason)


def rows_of(panel: Panel, model: int) -> list[Row]:
    """The model's predictions, and those of the cycle before the first as rows of their own cycle."""
    found = []
    for section, subject in np.argwhere(panel.submitted[:, model]):
        found.append(
            {
                "cycle": panel.cycles[section].item(),
                "horizon": int(panel.horizons[section]),
                "subject": panel.subjects[subject],
                "value": float(panel.signals[section, model, subject]),
            }
        )
    return found


def scores_of(panel: Panel, model: int) -> list[Row]:
    """Every outcome of the panel's sections, with the model's score where it has one."""
    return [
        {
            "cycle": panel.cycles[section].item(),
            "horizon": int(panel.horizons[section]),
            "subject": panel.subjects[subject],
            "outcome": float(panel.outcomes[section, subject]),
            "value": float(panel.scores[section, model, subject]),
        }
        for section, subject in np.argwhere(~np.isnan(panel.outcomes))
    ]


def context_of(panel: Panel, **changes: Any) -> MetricsContext:
    assert panel.factors is not None
    factors = [
        {
            "cycle": panel.cycles[section].item(),
            "subject": panel.subjects[subject],
            "factor": f"f{factor}",
            "value": float(panel.factors[section, subject, factor]),
        }
        for section, subject, factor in np.argwhere(~np.isnan(panel.factors))
    ]
    given: dict[str, Any] = {
        "model_id": MODEL,
        "window_start": panel.cycles[0].item(),
        "window_end": panel.cycles[-1].item(),
        "all_model_predictions": {name: rows_of(panel, place) for place, name in enumerate(panel.models)},
        "factors": factors,
    }
    return MetricsContext(**(given | changes))


def compute(panel: Panel, names: list[str], **changes: Any) -> dict[str, float | None]:
    model = panel.models.tolist().index(MODEL)
    return MetricsRegistry().compute(
        metrics=names,
        predictions=rows_of(panel, model),
        scores=scores_of(panel, model),
        context=context_of(panel, **changes),
    )


def by_panel(metric: Metric, panel: Panel) -> float:
    """The metric over all cycles of a panel, as the stages pool it."""
    base = METRICS.get(metric.series_of) if metric.series_of else metric
    start = np.flatnonzero(np.r_[True, panel.cycles[1:] != panel.cycles[:-1]])
    over = pool_horizons(base, safely(base, panel), start)
    model = panel.models.tolist().index(MODEL)
    if metric.pool is Pool.SERIES:
        return float(safely_over_series(metric, over["value"]).influence.value[model])
    if metric.pool is Pool.TASKS:
        return float(ratio_influence(over["numerator"], over["denominator"]).value[model])
    return float(mean_influence(over["value"]).value[model])


def two_horizons(seed: int) -> Panel:
    """Six sections that are three cycles of two horizons each."""
    given = full_panel(seed, sections=6)
    cycles = np.repeat(given.cycles[:3], 2)
    previous = np.concatenate([np.full((2, *given.shape[1:]), NAN), given.signals[:-2]])
    factors = None if given.factors is None else np.repeat(given.factors[:3], 2, axis=0)
    horizons = np.array([1, 2] * 3, dtype=np.int64)
    return replace(given, cycles=cycles, horizons=horizons, previous=previous, factors=factors)


class TestTheSameNumbersFromRows:
    @pytest.mark.parametrize("make", [full_panel, two_horizons])
    @pytest.mark.parametrize("seed", range(2))
    def test_every_built_in_metric(self, make: Callable[[int], Panel], seed: int) -> None:
        panel = make(seed)
        found = compute(panel, METRICS.available())
        assert list(found) == METRICS.available()
        for name, value in found.items():
            expected = by_panel(METRICS.get(name), panel)
            assert (value is None) == np.isnan(expected), name
            assert value is None or value == pytest.approx(expected, abs=1e-12), name

    def test_in_any_order_of_rows_and_models(self) -> None:
        panel = full_panel(3)
        expected = compute(panel, METRICS.available())
        random = np.random.default_rng(0)
        context = context_of(panel)
        everybody = dict(reversed(context.all_model_predictions.items()))
        found = MetricsRegistry().compute(
            metrics=METRICS.available(),
            predictions=random.permutation(np.array(rows_of(panel, 2), dtype=object)).tolist(),
            scores=random.permutation(np.array(scores_of(panel, 2), dtype=object)).tolist(),
            context=replace(context, all_model_predictions=everybody, factors=context.factors[::-1]),
        )
        assert found == pytest.approx(expected, abs=1e-12)

    def test_cycles_before_the_window_are_previous_ones_only(self) -> None:
        panel = full_panel(4)
        later = Panel(**{name: getattr(panel.at(3), name) for name in panel.__dataclass_fields__})
        found = compute(panel, ["ic", "turnover", "hit_rate"], window_start=panel.cycles[3].item())
        assert found == pytest.approx({name: by_panel(METRICS.get(name), later) for name in found}, abs=1e-12)

    def test_the_contracts_settings(self) -> None:
        panel = replace(full_panel(5), center=0.4, min_subjects=26, horizon_cycles=3.0)
        changes = {"center": 0.4, "min_subjects": 26, "horizon_cycles": 3.0}
        found = compute(panel, ["ic", "mean_return", "hit_rate"], **changes)
        for name, value in found.items():
            assert value == pytest.approx(by_panel(METRICS.get(name), panel), abs=1e-12, nan_ok=True)

    def test_virtual_models_are_nobodys_peers(self) -> None:
        panel = full_panel(6)
        everybody = dict(context_of(panel).all_model_predictions)
        alone = compute(panel, ["model_correlation"], all_model_predictions=everybody)
        beside = {**everybody, "__ensemble_main__": everybody["m1"], "__ensemble_x__": everybody["m3"]}
        assert compute(panel, ["model_correlation"], all_model_predictions=beside) == alone

    def test_an_ensemble_is_compared_with_every_real_model(self) -> None:
        panel = full_panel(6)
        everybody = dict(context_of(panel).all_model_predictions)
        rows = everybody.pop(MODEL)
        given: Mapping[str, Any] = {
            "metrics": ["model_correlation"],
            "predictions": rows,
            "scores": scores_of(panel, 2),
        }
        context = context_of(panel, all_model_predictions=everybody)
        as_real = MetricsRegistry().compute(**given, context=context)
        as_virtual = MetricsRegistry().compute(**given, context=replace(context, model_id="__ensemble_main__"))
        assert as_virtual == pytest.approx(as_real)


class TestRowsWithoutKeys:
    def test_a_list_is_one_cross_section_in_its_order(self) -> None:
        predictions = [{"value": float(value)} for value in (1, 2, 3, 4, 5, 6)]
        scores = [{"outcome": outcome, "value": 0.5} for outcome in (2.0, 1.0, 4.0, 3.0, 6.0, 5.0)]
        context = MetricsContext("a", START, START + WEEK, {"b": predictions[::-1]})
        found = MetricsRegistry().compute(
            metrics=["ic", "hit_rate", "score", "model_correlation"],
            predictions=predictions,
            scores=scores,
            context=context,
        )
        # Six swaps of neighbours: 1 - 6 * 6 / (6 * 35).
        assert found == pytest.approx({"ic": 1 - 36 / 210, "hit_rate": 1.0, "score": 0.5, "model_correlation": -1.0})

    @pytest.mark.parametrize("lacks", ["cycle", "subject"])
    def test_one_row_without_a_key_is_enough(self, lacks: str) -> None:
        rows = [{"cycle": START, "subject": str(9 - n), "value": float(n)} for n in range(6)]
        del rows[3][lacks]
        scores = [{"outcome": float(n)} for n in range(6)]
        found = MetricsRegistry().compute(
            metrics=["ic"], predictions=rows, scores=scores, context=MetricsContext("a", START, START)
        )
        assert found == pytest.approx({"ic": 1.0})

    def test_times_may_be_text_or_of_any_zone(self) -> None:
        zone = timezone(timedelta(hours=2))
        moments = [START, START.isoformat(), START.replace(tzinfo=UTC), START.replace(tzinfo=UTC).astimezone(zone)]
        for moment in moments:
            rows = [{"cycle": moment, "subject": str(n), "value": float(n), "outcome": float(n)} for n in range(6)]
            context = MetricsContext("a", START.replace(tzinfo=UTC), START)
            assert MetricsRegistry().compute(metrics=["ic"], predictions=rows, scores=rows, context=context) == (
                pytest.approx({"ic": 1.0})
            )


class TestUndefined:
    def measure(self, predictions: list[Row], scores: list[Row], *names: str) -> dict[str, Measured]:
        context = MetricsContext("a", START, START + 10 * WEEK)
        return MetricsRegistry().measure(metrics=names, predictions=predictions, scores=scores, context=context)

    def test_it_is_none_and_says_why(self) -> None:
        rows = [{"value": 1.0, "outcome": float(n)} for n in range(6)]
        found = self.measure(rows, rows, "ic", "ic_sharpe", "turnover", "fnc", "hit_rate", "max_drawdown")
        assert {name: (one.value, one.reason) for name, one in found.items()} == {
            "ic": (None, "constant_input"),
            "ic_sharpe": (None, "constant_input"),
            "turnover": (None, "no_previous"),
            "fnc": (None, "no_factors"),
            "hit_rate": (1.0, None),
            "max_drawdown": (None, "constant_input"),
        }
        assert found["hit_rate"].n == 5  # the first outcome is 0

    @pytest.mark.parametrize("predictions", [[], [{"value": None}], [{"value": NAN}]])
    def test_without_predictions(self, predictions: list[Row]) -> None:
        found = self.measure(predictions, [], "ic", "ic_sharpe", "hit_rate", "coverage")
        assert set(found.values()) == {Measured(None, 0, "no_predictions")}

    def test_without_outcomes(self) -> None:
        found = self.measure([{"value": float(n)} for n in range(6)], [], "ic", "score", "model_correlation")
        assert [one.reason for one in found.values()] == ["too_few_pairs", "no_scores", "no_peers"]

    def test_a_row_without_a_value_is_refused(self) -> None:
        with pytest.raises(ValueError, match="row 1 of model 'a' has no value, only subject"):
            self.measure([{"value": 1.0}, {"subject": "x"}], [], "ic")
        with pytest.raises(ValueError, match="row 0 of model 'a' has no outcome or value, only nothing"):
            self.measure([{"value": 1.0}], [{}], "ic")


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
        with pytest.raises(
            UnknownNameError, match=r"unknown metric 'icc'; known: coverage, .*, mine, model_correlation"
        ):
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
            (lambda series: series, "a function of series"),
            (lambda predictions, scores: 0.0, "a function of predictions, scores"),
            (lambda: 0.0, "a function"),
            (min, "a builtin_function_or_method"),
            (Panel, "a type"),
            (3.0, "a float"),
        ],
    )
    def test_anything_else_is_refused_with_what_may_be_given(self, thing: Any, what: str) -> None:
        with pytest.raises(
            UnknownNameError, match=f"metric 'mine' is {what}; give a Metric, a function of panel, or one"
        ):
            MetricsRegistry().register("mine", thing)

    def test_parameters_with_defaults_do_not_matter(self) -> None:
        def halved(predictions: list[Row], scores: list[Row], context: MetricsContext, by: float = 2.0) -> float:
            return spread(predictions, scores, context) / by

        rows = [{"value": 1.0}, {"value": 4.0}]
        mine = MetricsRegistry()
        mine.register("halved", halved)
        context = MetricsContext("a", START, START)
        assert mine.compute(metrics=["halved"], predictions=rows, scores=[], context=context) == {"halved": 1.5}


class TestFunctionsOverRows:
    def test_it_is_called_with_the_rows_as_they_are(self) -> None:
        seen: list[Any] = []

        def watch(predictions: list[Row], scores: list[Row], context: MetricsContext) -> float:
            seen.extend([predictions, scores, context])
            return 1.0

        mine = MetricsRegistry()
        mine.register("watch", watch)
        predictions, scores = [{"anything": 1}], [{"value": 2, "more": 3}]
        context = MetricsContext("a", START, START, {}, {"main": [{"value": 1.0}]})
        mine.compute(metrics=["watch"], predictions=predictions, scores=scores, context=context)
        assert seen == [predictions, scores, context]

    def test_over_a_panel_it_is_called_for_each_model_and_section_that_it_took_part_in(self) -> None:
        panel = full_panel(1)
        panel.signals[1, 3] = NAN
        calls: dict[tuple[str, datetime], tuple[list[Row], list[Row], MetricsContext]] = {}

        def watch(predictions: list[Row], scores: list[Row], context: MetricsContext) -> float:
            calls[context.model_id, context.window_end] = (predictions, scores, context)
            return len(predictions) + len(scores) / 100

        found = MetricsRegistry().register("watch", watch).over_panel(panel)
        n, pairs = panel.submitted.sum(axis=2), panel.paired.sum(axis=2)
        np.testing.assert_allclose(found.value, np.where(n > 0, n + pairs / 100, NAN))
        assert len(calls) == (n > 0).sum()
        predictions, scores, context = calls["m2", cycle(1)]
        first = np.flatnonzero(panel.paired[1, 2])[0]
        assert scores[0] == {
            "model_id": "m2",
            "cycle": cycle(1),
            "horizon": 1,
            "subject": panel.subjects[first],
            "prediction": panel.signals[1, 2, first],
            "outcome": panel.outcomes[1, first],
            "value": panel.scores[1, 2, first],
        }
        assert predictions == context.all_model_predictions["m2"]
        assert predictions[0].keys() == {"model_id", "cycle", "horizon", "subject", "value"}
        assert sorted(context.all_model_predictions) == ["m0", "m1", "m2", "m4"]
        assert context.window_start == context.window_end

    def test_the_built_in_ic_from_rows_inside_a_function_over_a_panel(self) -> None:
        """The row form may call the registry itself: same numbers, by cross-section."""
        panel = full_panel(2)

        def own_ic(predictions: list[Row], scores: list[Row], context: MetricsContext) -> float | None:
            given = replace(context, min_subjects=5)
            return MetricsRegistry().compute(metrics=["ic"], predictions=predictions, scores=scores, context=given)[
                "ic"
            ]

        found = MetricsRegistry().register("own_ic", own_ic).over_panel(replace(panel, min_subjects=5))
        expected = information_coefficient(replace(panel, min_subjects=5))
        np.testing.assert_allclose(found.value, expected.value, atol=1e-12)
