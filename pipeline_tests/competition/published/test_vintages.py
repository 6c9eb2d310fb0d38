"""A board of a past date, from FluSight's forecasts and from what the admissions were said to be at every date."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from pipeline.bench import SeasonFiles
from pipeline.bench.hub import BOARD, contract_of, season_store
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.components.evaluation_tables import evaluations_of
from pipeline.warehouse import Store
from pipeline_tests.competition.published.files import shared

pytestmark = pytest.mark.slow

THEN = datetime(2025, 2, 15)
SEASON = EvaluationSpec(
    name="US",
    metrics=("wis", "ae_median"),
    relative_metrics=("wis",),
    baseline="FluSight-baseline",
    by=("cycle",),
    subjects=("US",),
    horizons=(0, 1, 2, 3),
)


def learn(store: Store, until: datetime | None) -> None:
    """Let the outcomes be every version of the admissions that was published by then."""
    vintages = pd.read_parquet(shared("flusight", "vintages.parquet"))
    vintages = vintages.astype({"as_of": "datetime64[us]", "date": "datetime64[us]"}).dropna()
    known = vintages if until is None else vintages[vintages["as_of"] <= until]
    store.connection.execute("DELETE FROM competition.truth")
    store.connection.register("known", known)
    store.connection.execute(
        "INSERT INTO competition.truth SELECT ?, location, date, -1, as_of, value FROM known WHERE location = 'US'",
        [BOARD],
    )


def test_what_was_revised_since_changes_no_board_of_a_past_date() -> None:
    forecasts = shared("flusight", "small", "us_national_2024-25_quantiles.parquet")
    with season_store(SeasonFiles(forecasts, shared("flusight", "oracle.parquet")), "VIEW") as store:
        contract = contract_of(store).model_copy(update={"evaluations": (SEASON,)})
        learn(store, THEN)
        then = evaluations_of(store, contract, THEN)
        as_all_there_was = evaluations_of(store, contract)
        learn(store, None)
        pd.testing.assert_frame_equal(evaluations_of(store, contract, THEN), then)
        newest = evaluations_of(store, contract)
    # What was forecast since has no outcome that was known then, and is no task of that date's board.
    assert then["n_tasks"].max() < as_all_there_was["n_tasks"].max()
    key = ["by", "part", "model_id", "metric"]
    both = then.merge(newest, on=key, suffixes=("_then", "_now"))
    both = both[(both["by"] == "cycle") & (both["n_then"] == both["n_now"]) & (both["metric"] == "wis")]
    revised = ~np.isclose(both["value_then"], both["value_now"])
    assert revised.any()
    assert then.loc[then["by"] == "cycle", "part"].max() == "2025-02-15"
