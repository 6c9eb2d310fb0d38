"""The ensemble of Samartzis (2024, Int. J. Forecasting), Table 10, as a competition: declared, run, published, read.

An equal weight of the four models of 17 with the lowest mean RPS of the last 12 cycles, chosen anew at the cycles of
places 12, 17 and 23. The paper rounds each month's RPS to four digits before it takes their mean.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.warehouse import open_published
from pipeline_tests.cli.command import podium
from pipeline_tests.competition.published.files import shared
from pipeline_tests.conftest import toy_environment
from pipeline_tests.own_boards import own_folder, write_board

pytestmark = pytest.mark.slow

BOARD = """
name: m6_quintiles
title: Probabilities of the return quintiles of 100 assets over four weeks
predictions:
  source: pipeline_tests.competition.published.m6_source
  output_type: pmf
  output_type_ids: [1, 2, 3, 4, 5]
truth: {source: pipeline_tests.competition.published.m6_source}
scoring: {rule: rps, primary: mean_rps}
metrics: [mean_rps, accuracy, ece]
windows: {year: {cycles: 12}}
ensembles:
  - name: best_four
    strategy: equal_weight
    filter: {top_n: 4, exclude: [EWMA]}
    reselect: {every: 6, offset: 5, first: 12}
leaderboard: {rank_by: year.mean_rps}
"""
ENSEMBLE = "__ensemble_best_four__"
MEMBERS = {
    12: {"GC", "NF", "MLP", "PatchTST"},
    17: {"MND", "RF", "MLP", "PatchTST"},
    23: {"MND", "SR", "RF", "MLP"},
}
"""The members from a cycle on, by its place."""
PAPER = {"mean_rps": "RPS", "accuracy": "Acc", "ece": "ECE"}
"""What the paper's own files call the metrics."""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file after one run of the competition."""
    shared("m6")
    folder = tmp_path_factory.mktemp("m6")
    with toy_environment(folder / "data", dbt_dir):
        write_board(folder / "own", yaml.safe_load(BOARD))
        with own_folder(folder / "own"):
            outcome = podium("run", "m6_quintiles", data_dir=folder / "data")
            assert outcome.code == 0, outcome.err
            with open_published(folder / "data" / "published") as connection:
                yield connection


def by_cycle(board: duckdb.DuckDBPyConnection, table: str, metric: str) -> pd.DataFrame:
    """A metric by cycle and model."""
    rows = board.execute(
        f"SELECT cycle, model_id, value FROM m6_quintiles.{table} WHERE metric = ? AND category = 'overall'", [metric]
    ).df()
    return rows.pivot(index="cycle", columns="model_id", values="value")


def test_members_are_chosen_when_the_paper_chose_them(board: duckdb.DuckDBPyConnection) -> None:
    rows = board.execute("SELECT cycle, model_id, weight FROM m6_quintiles.ensemble_weights").df()
    cycles = board.execute("SELECT DISTINCT cycle FROM m6_quintiles.predictions ORDER BY 1").df()["cycle"].tolist()
    chosen = {place: MEMBERS[max(at for at in MEMBERS if at <= place)] for place in range(12, 24)}
    assert {cycles.index(at): set(of["model_id"]) for at, of in rows.groupby("cycle")} == chosen
    assert set(rows["weight"]) == {0.25}


def test_table_10_is_reproduced_to_its_digits(
    board: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    months = {metric: by_cycle(board, "ensemble_metrics", metric)[ENSEMBLE].to_numpy() for metric in PAPER}
    assert [of_metric.shape for of_metric in months.values()] == [(12,)] * 3
    found = {
        "RPS": round(float(months["mean_rps"].round(4).mean()), 5),
        "W_RPS": round(float(np.percentile(months["mean_rps"], 95)), 4),
        "ECE": round(100 * float(months["ece"].mean()), 2),
        "ACC": round(100 * float(months["accuracy"].mean()), 1),
    }
    table = pd.read_csv(shared("m6", "published", "table10_ensembles.csv"), index_col=0)
    assert found == table.loc["ENS_RPS", list(found)].to_dict()
    with capsys.disabled():
        print(f"\nM6, Table 10: {found}, all equal to their last digit, from the published board")


def test_every_metric_of_a_cycle_is_that_of_the_paper(
    board: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(shared("m6", "published", "metrics_by_cycle.csv"), parse_dates=["cycle"])
    cells, largest = 0, 0.0
    for metric, name in PAPER.items():
        expected = table[table["metric"] == name].pivot(index="cycle", columns="model_id", values="value")
        difference = (by_cycle(board, "cycle_metrics", metric)[expected.columns] - expected).abs()
        cells, largest = cells + difference.size, max(largest, float(difference.to_numpy().max()))
    assert (cells, largest < 1e-12) == (3 * 18 * 24, True)
    with capsys.disabled():
        print(f"\nM6, by cycle, from the published board: {cells:,} numbers, largest difference {largest:.1e}")
