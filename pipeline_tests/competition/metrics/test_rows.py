"""Metrics from rows: the same numbers as from a panel; and functions over rows as metrics of a panel."""

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
    information_coefficient,
    pool_horizons,
    safely,
    safely_over_series,
)
from pipeline.leaderboard import mean_influence, ratio_influence
from pipeline_tests.competition.contests import NAN, START, WEEK, cycle, full_panel
from pipeline_tests.competition.rows import MODEL, Row, compute, context_of, rows_of, scores_of


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


WITHOUT_ENSEMBLE = [metric.name for metric in METRICS if metric.of_members is None and metric.is_of_any]


class TestTheSameNumbersFromRows:
    @pytest.mark.parametrize("make", [full_panel, two_horizons])
    @pytest.mark.parametrize("seed", range(2))
    def test_every_built_in_metric(self, make: Callable[[int], Panel], seed: int) -> None:
        panel = make(seed)
        found = compute(panel, WITHOUT_ENSEMBLE)
        assert list(found) == WITHOUT_ENSEMBLE
        for name, value in found.items():
            expected = by_panel(METRICS.get(name), panel)
            assert (value is None) == np.isnan(expected), name
            assert value is None or value == pytest.approx(expected, abs=1e-12), name

    def test_in_any_order_of_rows_and_models(self) -> None:
        panel = full_panel(3)
        expected = compute(panel, WITHOUT_ENSEMBLE)
        random = np.random.default_rng(0)
        context = context_of(panel)
        everybody = dict(reversed(context.all_model_predictions.items()))
        found = MetricsRegistry().compute(
            metrics=WITHOUT_ENSEMBLE,
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
