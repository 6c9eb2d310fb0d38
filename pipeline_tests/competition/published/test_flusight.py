"""Every number that the FluSight dashboard publishes of the season 2024-25, from the forecasts and the outcomes.

48 models, state and national level, overall and by location, date and horizon: the reference is the hub's own R code.
The evaluation sets are read from the dashboard's configuration; the tables are what Podium makes of them.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.bench import SeasonFiles
from pipeline.bench.hub import contract_of, season_store
from pipeline.competition.evaluations import OVERALL
from pipeline.competition.hub.predevals import TaskNames, read_predevals
from pipeline.competition.scoring import measure_names
from pipeline.components.evaluation_tables import evaluations_of
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
def boards() -> pd.DataFrame:
    """The evaluation sets of the season, from its files by what the asset of evaluation sets calls."""
    season = SeasonFiles(
        shared("flusight", "quantiles", "season_2024-25.parquet"), shared("flusight", "oracle.parquet")
    )
    options = read_predevals(shared("flusight", "published", "predevals-options.json"))
    with season_store(season, "VIEW") as store:
        contract = contract_of(store)
        specs, left_out = options.evaluations(TARGET, TaskNames(), measure_names(contract.output))
        assert not left_out
        evaluations = tuple(spec for spec in specs if spec.name in EVALUATION_SETS)
        return evaluations_of(store, contract.model_copy(update={"evaluations": evaluations}))


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
