"""What Samartzis (2024, Int. J. Forecasting) publishes of 18 models on the universe of the M6 competition.

Probabilities of return quintiles of 100 assets in 24 four-week cycles: Table 2, and the paper's own files by cycle and
by asset.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.competition.scoring import expected_calibration_error, score_pmf
from pipeline_tests.competition.published.files import shared

pytestmark = pytest.mark.slow

KEYS = ["model_id", "cycle", "asset"]
QUINTILES = [f"p{quintile}" for quintile in range(1, 6)]
DIGITS = {"RPS": 4, "W_RPS": 4, "ECE": 2, "ACC": 1}
"""Decimals of Table 2; ECE and ACC in percent."""


@cache
def scores() -> pd.DataFrame:
    """Every forecast with its scores; all 18 x 24 x 100 are there."""
    rows = pd.read_parquet(shared("m6", "predictions.parquet"))
    outcomes = pd.read_parquet(shared("m6", "outcomes.parquet"), columns=["cycle", "asset", "realized_quintile"])
    rows = rows.merge(outcomes, on=["cycle", "asset"], validate="many_to_one").sort_values(KEYS, ignore_index=True)
    assert len(rows) == 43_200
    scored = score_pmf(rows[QUINTILES].to_numpy(), rows["realized_quintile"].to_numpy(dtype=float) - 1)
    assert not scored.reason.any()
    return rows[[*KEYS, "period"]].assign(**scored.measures)


def cube(rows: pd.DataFrame, measure: str) -> npt.NDArray[np.float64]:
    """A measure by model, cycle and asset."""
    return rows[measure].to_numpy().reshape(rows["model_id"].nunique(), -1, 100)


def by_cycle(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The paper's three measures by model and cycle."""
    index = pd.Index(rows["model_id"].unique(), name="model_id")
    columns = pd.Index(rows["cycle"].unique(), name="cycle")
    found = {
        "RPS": cube(rows, "mean_rps").mean(axis=2),
        "Acc": cube(rows, "accuracy").mean(axis=2),
        "ECE": expected_calibration_error(cube(rows, "confidence"), cube(rows, "accuracy")),
    }
    return {name: pd.DataFrame(values, index, columns) for name, values in found.items()}


def test_every_number_of_table_2_is_reproduced_to_its_digits(capsys: pytest.CaptureFixture[str]) -> None:
    of_cycles = by_cycle(scores()[lambda rows: rows["period"] != "tuning"])
    table = pd.read_csv(shared("m6", "published", "table2_models.csv"), index_col=0)
    expected = table[list(DIGITS)].apply(lambda column: column.str.extract(r"^([\d.]+)", expand=False).astype(float))
    found = pd.DataFrame(
        {
            "RPS": of_cycles["RPS"].mean(axis=1),
            "W_RPS": of_cycles["RPS"].quantile(0.95, axis=1),
            "ECE": 100 * of_cycles["ECE"].mean(axis=1),
            "ACC": 100 * of_cycles["Acc"].mean(axis=1),
        }
    ).loc[expected.index]
    assert found.round(DIGITS).compare(expected).empty
    assert expected.size == expected.notna().sum().sum() == 72
    with capsys.disabled():
        print(f"\nM6, Table 2: {expected.size} published numbers, all equal to their last digit")


def test_every_score_of_a_cycle_is_reproduced(capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(shared("m6", "published", "metrics_by_cycle.csv"), parse_dates=["cycle"])
    cells, largest = 0, 0.0
    for name, found in by_cycle(scores()).items():
        expected = table[table["metric"] == name].pivot(index="model_id", columns="cycle", values="value")
        np.testing.assert_allclose(found.loc[expected.index], expected, rtol=0, atol=1e-12, err_msg=name)
        cells += expected.size
        largest = max(largest, np.abs(found.loc[expected.index].to_numpy() - expected.to_numpy()).max())
    with capsys.disabled():
        print(f"\nM6, by cycle: {cells:,} published numbers, largest difference {largest:.1e}")
    assert cells == 3 * 432


def test_every_score_of_an_asset_is_reproduced(capsys: pytest.CaptureFixture[str]) -> None:
    """Means over the twelve months of the competition."""
    table = pd.read_csv(shared("m6", "published", "rps_by_asset.csv"))
    found = scores()[lambda rows: rows["period"] != "tuning"].groupby(["asset", "model_id"])["mean_rps"].mean()
    expected = table.set_index(["asset", "model_id"])["rps_mean_M1_M12"]
    assert len(expected) == 1_800
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-9)
    with capsys.disabled():
        largest = (found.loc[expected.index] / expected - 1).abs().max()
        print(f"\nM6, by asset: {len(expected):,} published numbers, largest relative difference {largest:.1e}")
