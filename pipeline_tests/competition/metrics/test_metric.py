"""What a metric is: its declaration, its registry, its misuse."""

import numpy as np
import pytest

from pipeline.competition.metrics import METRICS, Metric, Pool, information_coefficient, sharpe
from pipeline.competition.metrics.tasks import COVERAGE
from pipeline.leaderboard import Direction
from pipeline_tests.competition.contests import random_panel


def test_the_built_in_metrics_and_how_they_pool_and_rank() -> None:
    assert {metric.name: (str(metric.pool), metric.direction) for metric in METRICS if metric.is_of_any} == {
        "ic": ("cycles", "desc"),
        "mean_return": ("cycles", "desc"),
        "ic_sharpe": ("series", "desc"),
        "hit_rate": ("tasks", "desc"),
        "score": ("tasks", None),
        "coverage": ("tasks", "desc"),
        "resolved": ("tasks", "none"),
        "model_correlation": ("cycles", "none"),
        "max_drawdown": ("series", "desc"),
        "ic_max_drawdown": ("series", "desc"),
        "sortino_ratio": ("series", "desc"),
        "turnover": ("cycles", "none"),
        "rank_turnover": ("cycles", "none"),
        "fnc": ("cycles", "desc"),
        "numerai_corr": ("cycles", "desc"),
        "mmc": ("cycles", "desc"),
        "contribution": ("cycles", "desc"),
        "ensemble_correlation": ("cycles", "none"),
    }


LOSSES = [
    *("wis", "dispersion", "underprediction", "overprediction", "ae_median", "se_mean", "rps", "mean_rps", "brier"),
    *("log_score", "crps", "fair_crps", "threshold_brier"),
]


def test_the_metrics_of_distributions_and_how_they_pool_and_rank() -> None:
    assert {metric.name: (str(metric.pool), metric.direction) for metric in METRICS if not metric.is_of_any} == {
        **dict.fromkeys(LOSSES, ("tasks", "asc")),
        "accuracy": ("tasks", "desc"),
        "ece": ("cycles", "asc"),
        "energy_score": ("cycles", "asc"),
    }
    assert METRICS.get("interval_coverage_95").direction is Direction.NONE
    assert "interval_coverage_97.5" in METRICS
    assert "interval_coverage_wide" not in METRICS


@pytest.mark.parametrize("name", METRICS.available())
def test_every_metric_is_registered_under_its_name_and_described(name: str) -> None:
    metric = METRICS.get(name)
    assert metric.name == name
    assert metric.unit
    assert metric.description.endswith(".")
    assert metric.series_of is None or METRICS.get(metric.series_of).pool is not Pool.SERIES


@pytest.mark.parametrize(
    ("pool", "functions", "message"),
    [
        (Pool.SERIES, {"of_panel": information_coefficient}, "pool series goes with of_series and series_of"),
        (Pool.SERIES, {"of_series": sharpe}, "pool series goes with of_series and series_of"),
        (Pool.CYCLES, {"of_series": sharpe, "series_of": "ic"}, "pool series goes with of_series and series_of"),
        (Pool.CYCLES, {}, "pools cycles and tasks go with of_panel"),
        (
            Pool.SERIES,
            {"of_panel": information_coefficient, "of_series": sharpe, "series_of": "ic"},
            "pools cycles and tasks go with of_panel",
        ),
    ],
)
def test_a_pool_goes_with_its_functions(pool: Pool, functions: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"metric 'mine': {message}"):
        Metric("mine", pool, Direction.DESC, "unit", **functions)


def test_a_series_metric_has_no_value_over_a_panel() -> None:
    with pytest.raises(ValueError, match="metric 'ic_sharpe' is of the series of 'ic', not of a panel"):
        METRICS.get("ic_sharpe").over_panel(random_panel(0))


def test_a_metric_without_numerator_cannot_pool_over_tasks() -> None:
    with pytest.raises(ValueError, match="metric 'ic' pools over tasks; its function must give numerator"):
        METRICS.get("ic").over_panel(random_panel(0)).tasks("ic")


def test_a_metric_without_a_docstring_has_an_empty_description() -> None:
    undocumented = Metric(
        "mine", Pool.CYCLES, Direction.DESC, "unit", of_panel=lambda panel: COVERAGE.over_panel(panel)
    )
    assert undocumented.description == ""
    assert np.isnan(undocumented.over_panel(random_panel(0)).value).sum() == 0
