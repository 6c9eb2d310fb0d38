"""Every number that the FluSight dashboard publishes of the season 2024-25, from the forecasts and the outcomes.

48 models, state and national level, overall and by location, date and horizon: the reference is the hub's own R code.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.scoring import score_quantiles
from pipeline.leaderboard import pair_totals, relative_skill, relative_skill_by
from pipeline_tests.competition.published.files import shared

pytestmark = pytest.mark.slow

TARGET, BASELINE = "wk inc flu hosp", "FluSight-baseline"
EVALUATION_SETS = {"2024-2025 season, state level": 30_156, "2024-2025 season, US national level": 15_552}
"""With how many numbers are published of each."""
BREAKDOWNS = ["location", "reference_date", "horizon", "target_end_date"]
MEANS = {name: name for name in ("wis", "ae_median", "interval_coverage_50", "interval_coverage_95")}
RELATIVE = {f"{name}_scaled_relative_skill": name for name in ("wis", "ae_median")}
TOLERANCE = 1e-9


@cache
def forecasts() -> pd.DataFrame:
    """Every forecast of the season with its scores, NaN where nobody knows the outcome."""
    rows = pd.read_parquet(shared("flusight", "quantiles", "season_2024-25.parquet"))
    levels = np.sort(rows["quantile_level"].unique())
    keys = ["model_id", "reference_date", "horizon", "target_end_date", "location"]
    rows = rows.sort_values([*keys, "quantile_level"], ignore_index=True)
    values = rows["value"].to_numpy().reshape(-1, levels.size)
    assert (rows["quantile_level"].to_numpy().reshape(values.shape) == levels).all()
    tasks = rows.loc[:: levels.size, keys].reset_index(drop=True)
    oracle = pd.read_parquet(shared("flusight", "oracle.parquet"))
    outcomes = tasks.merge(oracle, how="left", on=["target_end_date", "location"], validate="many_to_one")
    scored = score_quantiles(values, outcomes["oracle_value"].to_numpy(dtype=float), levels)
    return tasks.assign(**{name: scored.measures[name] for name in MEANS})


def evaluated(evaluation_set: str) -> pd.DataFrame:
    """The forecasts of an evaluation set, as the dashboard's own configuration says."""
    options = json.loads(shared("flusight", "published", "predevals-options.json").read_text())
    (filters,) = (one["task_filters"] for one in options["eval_sets"] if one["eval_set_name"] == evaluation_set)
    found = forecasts()
    for column, wanted in filters.items():
        have = found[column].astype(str) if column == "reference_date" else found[column]
        found = found[have.isin(np.atleast_1d(np.array(wanted, dtype=object)))]
    return found


def published(evaluation_set: str, by: str | None) -> pd.DataFrame:
    path = shared("flusight", "published", "scores", TARGET, evaluation_set, by or "", "scores.csv")
    table = pd.read_csv(path, dtype={"location": str})
    return table.set_index(["model_id", *([by] if by else [])]).sort_index()


def recomputed(found: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """The table that is published, from forecasts with their scores."""
    found = found.assign(**{column: found[column].astype(str) for column in ("reference_date", "target_end_date")})
    keys = ["model_id", *([by] if by else [])]
    known = found.dropna(subset=["wis"])
    table = known.groupby(keys)[list(MEANS)].mean()
    table["n"] = found.groupby(keys).size()
    for name, measure in RELATIVE.items():
        dense = known.pivot(index=[*BREAKDOWNS], columns="model_id", values=measure)
        models = list(dense.columns)
        if by is None:
            skill = relative_skill(pair_totals(dense), models, BASELINE)
            table[name] = pd.Series(skill.value, models)
        else:
            codes, groups = pd.factorize(dense.index.get_level_values(by), sort=True)
            skill = relative_skill_by(dense, codes, models, BASELINE)
            by_group = pd.DataFrame(skill.value, pd.Index(groups, name=by), pd.Index(models, name="model_id"))
            table[name] = by_group.unstack()
    return table.sort_index()


@pytest.mark.parametrize(("evaluation_set", "n_published"), EVALUATION_SETS.items())
def test_every_published_number_of_a_season_is_reproduced(
    evaluation_set: str, n_published: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(evaluation_set)
    cells, largest = 0, 0.0
    for by in (None, *BREAKDOWNS):
        expected, table = published(evaluation_set, by), recomputed(found, by)
        assert table.index.equals(expected.index), f"by {by}: other models or groups than published"
        np.testing.assert_array_equal(table["n"], expected["n"])
        for name in (*MEANS, *RELATIVE):
            np.testing.assert_allclose(table[name], expected[name], rtol=TOLERANCE, atol=0, err_msg=f"{name} by {by}")
            size = np.abs(expected[name]).where(expected[name] != 0, 1)
            cells += len(expected)
            largest = max(largest, float((np.abs(table[name] - expected[name]) / size).max()))
    with capsys.disabled():
        print(f"\nFluSight {evaluation_set}: {cells:,} published numbers, largest relative difference {largest:.1e}")
    assert cells == n_published
