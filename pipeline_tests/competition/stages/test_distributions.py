"""Distributions in the stages: long rows to panels, and metrics of the point as those of a contest of points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.metrics import METRICS
from pipeline.competition.outputs import Output
from pipeline.competition.scoring import measure_names, score_quantiles
from pipeline.competition.stages import compute_cycle_metrics, score_predictions, stamp_deadline
from pipeline.competition.stages.block import Block
from pipeline_tests.competition.contests import HOUR, OF_ANY, contract, cycle, random_contest, shuffled, truth

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
OF_POINTS = ["ic", "mean_return", "hit_rate", "model_correlation", "turnover", "rank_turnover", "ic_sharpe"]


def quantiles(**changes: Any) -> Contract:
    return contract(
        **{
            "predictions": {"source": "s", "output_type": "quantile", "output_type_ids": LEVELS},
            "scoring": {"rule": "wis", "primary": "wis"},
            "metrics": ["wis", "interval_coverage_80", *OF_POINTS],
            "leaderboard": {"rank_by": "all.wis"},
        }
        | changes
    )


def spread(points: pd.DataFrame) -> pd.DataFrame:
    """Predictions of one number as quantiles with it as their median."""
    width = 1 + points["subject"].str[1:].astype(int)
    frames = [
        points.assign(
            output_type="quantile",
            output_type_id=str(level),
            value=points["value"] + (level - 0.5) * width * (1 + (level > 0.5)),
        )
        for level in LEVELS
    ]
    return pd.concat(frames, ignore_index=True)


def coded(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as they are read from the warehouse."""
    texts = ["cycle", "horizon", "target_time", "model_id", "subject", "output_type_id"]
    return rows.astype(dict.fromkeys(texts, "category"))


def sorted_rows(rows: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("model_id", "cycle", "horizon", "subject", "metric", "known_at") if name in rows]
    return rows.sort_values(keys, ignore_index=True)


@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_the_point_are_those_of_a_contest_of_points(seed: int) -> None:
    points, outcomes = random_contest(seed)
    of_points = compute_cycle_metrics(points, outcomes, None, contract(metrics=OF_POINTS))
    found = compute_cycle_metrics(spread(points), outcomes, None, quantiles())
    found = found[found["metric"].isin(of_points["metric"])]
    expected = of_points[~of_points["metric"].isin(["coverage"])]
    found = found[~found["metric"].isin(["coverage"])]
    pd.testing.assert_frame_equal(sorted_rows(found), sorted_rows(expected), rtol=1e-12)


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    points, outcomes = random_contest(seed)
    rows = spread(points)
    for stage in (score_predictions, lambda rows, truth, of: compute_cycle_metrics(rows, truth, None, of)):
        expected = sorted_rows(stage(rows, outcomes, quantiles()))
        pd.testing.assert_frame_equal(sorted_rows(stage(shuffled(rows, seed), outcomes, quantiles())), expected)
        pd.testing.assert_frame_equal(sorted_rows(stage(coded(shuffled(rows, seed)), outcomes, quantiles())), expected)


def test_scores_given_or_computed_make_the_same_metrics() -> None:
    points, outcomes = random_contest(4)
    rows = spread(points)
    scores = score_predictions(rows, outcomes, quantiles())
    computed = compute_cycle_metrics(rows, outcomes, None, quantiles())
    pd.testing.assert_frame_equal(compute_cycle_metrics(rows, outcomes, scores, quantiles()), computed)


def test_boards_of_subjects_and_horizons_have_the_metrics_of_distributions() -> None:
    points, outcomes = random_contest(5)
    declared = quantiles(
        categories=["horizon", {"by": "subject", "rank_by": "all.wis"}],
    )
    found = compute_cycle_metrics(spread(points), outcomes, None, declared)
    found = found[found["metric"] == "wis"]
    for by in ("horizon", "subject"):
        parts = found[found["category"].str.startswith(f"{by}=")]
        assert parts["category"].nunique() > 1
        newest = parts.sort_values("known_at").drop_duplicates(["model_id", "cycle", "category"], keep="last")
        overall = found[found["category"] == "overall"].sort_values("known_at")
        overall = overall.drop_duplicates(["model_id", "cycle"], keep="last")
        np.testing.assert_allclose(
            newest.groupby(["model_id", "cycle"])["numerator"].sum(),
            overall.groupby(["model_id", "cycle"])["numerator"].sum(),
            rtol=1e-9,
        )


def test_a_block_holds_the_numbers_where_they_belong() -> None:
    points, outcomes = random_contest(6)
    rows = spread(points)
    block = Block.of(rows, outcomes, quantiles())
    assert block.forecasts is not None
    assert block.forecasts.values.shape == (*block.shape, len(LEVELS))
    np.testing.assert_allclose(block.forecasts.points(), block.signals)
    row = rows[~rows["is_late"]].iloc[123]
    at = (
        block.axes.sections.get_loc((row["cycle"], row["horizon"])),
        block.axes.models.get_loc(row["model_id"]),
        block.axes.subjects.get_loc(row["subject"]),
        LEVELS.index(float(row["output_type_id"])),
    )
    assert block.forecasts.values[at] == row["value"]


def forecast(values: Mapping[str, float], horizon: int = 1) -> pd.DataFrame:
    rows = [
        {
            "model_id": "m",
            "cycle": cycle(3),
            "horizon": horizon,
            "subject": "a",
            "target_time": cycle(3 + horizon),
            "output_type_id": level,
            "value": value,
            "received_at": cycle(3) - HOUR,
        }
        for level, value in values.items()
    ]
    return stamp_deadline(pd.DataFrame(rows), quantiles())


WHOLE = {"0.1": 1.0, "0.25": 2.0, "0.5": 3.0, "0.75": 4.0, "0.90": 5.0}


@pytest.mark.parametrize(
    ("values", "reason", "point"),
    [
        (WHOLE, None, 3.0),
        ({"0.1": 1.0, "0.9": 5.0}, "incomplete", 3.0),
        ({"0.9": 5.0}, "incomplete", 5.0),
        (WHOLE | {"0.1": 9.0}, "crossing_quantiles", 3.0),
    ],
)
def test_what_is_no_distribution_has_a_point_and_a_reason(
    values: dict[str, float], reason: str | None, point: float
) -> None:
    scores = score_predictions(forecast(values), truth({"a": 2.5}, 4), quantiles())
    assert scores["prediction"].tolist() == [point]
    assert scores["failed_reason"].tolist() == [reason]
    assert scores["success"].tolist() == [reason is None]
    if reason is None:
        expected = score_quantiles([list(values.values())], [2.5], LEVELS).value
        np.testing.assert_allclose(scores["value"], expected)


@pytest.mark.parametrize("horizon", [-1, 0])
def test_a_horizon_may_end_before_its_cycle(horizon: int) -> None:
    scores = score_predictions(forecast(WHOLE, horizon), truth({"a": 2.5}, 3 + horizon), quantiles())
    assert scores["horizon"].tolist() == [horizon]
    assert scores["success"].tolist() == [True]


OUTPUTS = {
    "quantile": ("wis", (0.1, 0.5, 0.9)),
    "pmf": ("rps", ("a", "b", "c")),
    "sample": ("crps", ()),
    "cdf": ("crps", (0.0, 1.0, 2.0)),
}


@pytest.mark.parametrize("output_type", OUTPUTS)
def test_all_metrics_of_an_output_type_can_be_listed_together(output_type: str) -> None:
    rule, ids = OUTPUTS[output_type]
    measures = measure_names(Output(output_type, tuple(map(str, ids))))
    special = [one.name for one in METRICS if output_type in one.output_types]
    is_sample = output_type == "sample"
    without_pools = {"contribution", "ensemble_correlation"} if is_sample else set()
    names = [
        *(name for name in measures if name in METRICS),
        *special,
        *(one for one in OF_ANY if one not in without_pools),
    ]
    declared = contract(
        predictions={"source": "s", "output_type": output_type, "output_type_ids": ids},
        scoring={"rule": rule, "primary": rule},
        metrics=names,
        ensembles=[{"name": "main", "strategy": "equal_weight", "combine": "linear_pool" if is_sample else "mean"}],
        leaderboard={"rank_by": f"all.{rule}"},
    )
    random = np.random.default_rng(0)
    texts = ids or (1, 2, 3)
    points, outcomes = random_contest(0, cycles=3)
    points = points.drop(columns=["output_type", "output_type_id"])
    drawn = random.dirichlet(np.ones(len(texts)), len(points))
    values = np.cumsum(drawn, axis=1) if output_type in ("quantile", "cdf") else drawn
    rows = pd.concat([points.assign(output_type_id=one, value=values[:, at]) for at, one in enumerate(texts)])
    outcomes = outcomes.assign(value=1.0 + np.arange(len(outcomes)) % 3)
    found = compute_cycle_metrics(stamp_deadline(rows, declared), outcomes, None, declared)
    of_panel = {name for name in names if declared.metric(name).of_panel is not None}
    assert set(found["metric"]) == of_panel | {"coverage", "resolved"}
    defined = found[found["value"].notna()]
    assert {rule, *special, *measures} - {"confidence"} <= set(defined["metric"])
