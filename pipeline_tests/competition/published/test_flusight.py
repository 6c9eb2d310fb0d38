"""Every number that the FluSight dashboard publishes of the season 2024-25, from the forecasts and the outcomes.

48 models, state and national level, overall and by location, date and horizon: the reference is the hub's own R code.
The evaluation sets are read from the dashboard's configuration; the tables are what Podium makes of them.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.evaluations import OVERALL, ScoredTasks, evaluate
from pipeline.competition.hub.predevals import TaskNames, read_predevals
from pipeline.competition.scoring import score_quantiles
from pipeline_tests.competition.published.files import shared

pytestmark = pytest.mark.slow

TARGET = "wk inc flu hosp"
EVALUATION_SETS = {"2024-2025 season, state level": 30_156, "2024-2025 season, US national level": 15_552}
"""With how many numbers are published of each."""
BREAKDOWNS = {
    OVERALL: None,
    "subject": "location",
    "cycle": "reference_date",
    "horizon": "horizon",
    "target_time": "target_end_date",
}
METRICS = [
    *("wis_scaled_relative_skill", "wis", "ae_median_scaled_relative_skill", "ae_median"),
    *("interval_coverage_50", "interval_coverage_95"),
]
TOLERANCE = 1e-9


@cache
def forecasts() -> ScoredTasks:
    """Every forecast of the season with its scores, NaN where nobody knows the outcome."""
    rows = pd.read_parquet(shared("flusight", "quantiles", "season_2024-25.parquet"))
    levels = np.sort(rows["quantile_level"].unique())
    task = ["reference_date", "horizon", "location", "target_end_date"]
    rows = rows.sort_values([*task, "model_id", "quantile_level"], ignore_index=True)
    values = rows["value"].to_numpy().reshape(-1, levels.size)
    assert (rows["quantile_level"].to_numpy().reshape(values.shape) == levels).all()
    made = rows.loc[:: levels.size, [*task, "model_id"]].reset_index(drop=True)
    tasks = made[task].drop_duplicates(ignore_index=True)
    model, models = pd.factorize(made["model_id"], sort=True)
    place = (pd.MultiIndex.from_frame(tasks).get_indexer(pd.MultiIndex.from_frame(made[task])), model)
    oracle = pd.read_parquet(shared("flusight", "oracle.parquet"))
    outcomes = made.merge(oracle, how="left", on=["target_end_date", "location"], validate="many_to_one")
    scored = score_quantiles(values, outcomes["oracle_value"].to_numpy(dtype=float), levels)
    submitted = np.zeros((len(tasks), len(models)), dtype=bool)
    submitted[place] = True
    dense = {name: np.full(submitted.shape, np.nan) for name in scored.measures}
    for name, measure in dense.items():
        measure[place] = scored.measures[name]
    return ScoredTasks(
        models=models.to_numpy(dtype=object),
        cycles=tasks["reference_date"].to_numpy(dtype="datetime64[us]"),
        target_times=tasks["target_end_date"].to_numpy(dtype="datetime64[us]"),
        horizons=tasks["horizon"].to_numpy(dtype=np.int64),
        subjects=tasks["location"].to_numpy(dtype=object),
        submitted=submitted,
        measures=dense,
    )


@cache
def boards() -> pd.DataFrame:
    """The evaluation sets of the season, as the dashboard's own configuration says."""
    options = read_predevals(shared("flusight", "published", "predevals-options.json"))
    specs, left_out = options.evaluations(TARGET, TaskNames(), forecasts().measures)
    assert not left_out
    return evaluate([spec for spec in specs if spec.name in EVALUATION_SETS], [forecasts()])


def published(evaluation_set: str, column: str | None) -> pd.DataFrame:
    path = shared("flusight", "published", "scores", TARGET, evaluation_set, column or "", "scores.csv")
    table = pd.read_csv(path, dtype=dict.fromkeys(["location", "horizon"], str))
    table["part"] = OVERALL if column is None else table[column]
    return table.set_index(["model_id", "part"]).sort_index()


def recomputed(evaluation_set: str, by: str) -> pd.DataFrame:
    """The table that is published; parts of which no outcome is known are not."""
    found = boards()
    found = found[(found["evaluation"] == evaluation_set) & (found["by"] == by) & (found["reason"] != "no_scores")]
    table = found.pivot(index=["model_id", "part"], columns="metric", values="value")
    table["n"] = found.groupby(["model_id", "part"])["n_submitted"].first()
    return table.sort_index()


@pytest.mark.parametrize(("evaluation_set", "n_published"), EVALUATION_SETS.items())
def test_every_published_number_of_a_season_is_reproduced(
    evaluation_set: str, n_published: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cells, largest = 0, 0.0
    for by, column in BREAKDOWNS.items():
        expected, table = published(evaluation_set, column), recomputed(evaluation_set, by)
        assert table.index.equals(expected.index), f"by {by}: other models or parts than published"
        np.testing.assert_array_equal(table["n"], expected["n"])
        for name in METRICS:
            np.testing.assert_allclose(table[name], expected[name], rtol=TOLERANCE, atol=0, err_msg=f"{name} by {by}")
            size = np.abs(expected[name]).where(expected[name] != 0, 1)
            cells += len(expected)
            largest = max(largest, float((np.abs(table[name] - expected[name]) / size).max()))
    with capsys.disabled():
        print(f"\nFluSight {evaluation_set}: {cells:,} published numbers, largest relative difference {largest:.1e}")
    assert cells == n_published
