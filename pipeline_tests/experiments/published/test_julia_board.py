"""The same through the whole graph: a file of the benchmark's runs lands, and its published table comes out."""

from collections.abc import Iterator

import pandas as pd
import pytest

from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import EXPERIMENT_FILES, EXPERIMENT_LEADERBOARD, EXPERIMENT_RUN_BOARD, EXPERIMENT_RUNS
from pipeline_tests.experiment_graph import ExperimentGraph
from pipeline_tests.experiments.published.julia import LATER, LOCAL, PAID, experiment, published_runs
from pipeline_tests.experiments.published.test_julia import assert_paid, assert_published
from pipeline_tests.toy_graph import failed_checks

pytestmark = pytest.mark.slow


def as_file(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs as a user makes a file of them: Podium's columns, and one for each imported scorer.

    A configuration is a prompt and a model, as in the published tables: parameters are left out.
    """
    return pd.DataFrame(
        {
            "prompt": runs["prompt_label"],
            "model": runs["model"],
            "input_id": runs["task"],
            "created_at": pd.to_datetime(runs["timestamp"].str.replace("__", "."), format="%Y%m%d_%H%M%S.%f"),
            "duration_ms": 1000 * runs["elapsed_seconds"],
            "tokens_in": runs["tokens_in"],
            "tokens_out": runs["tokens_out"],
            "cost": runs["cost"].where(runs["cost"] > 0),
            "parsed": runs["parsed"].astype(int),
            "executed": (runs["executed"] | (runs["examples_executed"] > 0)).astype(int),
            "examples": runs["examples_executed"] / runs["examples_count"],
            "unit_tests": runs["unit_tests_passed"] / runs["unit_tests_count"],
        }
    )


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExperimentGraph]:
    """The published runs landed as one Parquet file, and one more as a file of its own."""
    folder = tmp_path_factory.mktemp("julia")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(folder))
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        settings.cache_clear()
        graph = ExperimentGraph(folder, experiment())
        runs = as_file(published_runs())
        place = folder / "inbox" / "julia" / "runs"
        place.mkdir(parents=True)
        runs.iloc[:-1].to_parquet(place / "most.parquet")
        assert failed_checks(graph.run()) == {}
        runs.iloc[-1:].to_csv(place / "one.csv", index=False)
        assert failed_checks(graph.run()) == {}
        yield graph
    settings.cache_clear()


def board(graph: ExperimentGraph, newest: int | None) -> pd.DataFrame:
    """The board of models by how many of the newest repeats count."""
    redeclared = graph.redeclared(newest_repeats=newest)
    assert failed_checks(redeclared.run()) == {}
    rows = redeclared.table(EXPERIMENT_LEADERBOARD).sort_values("position")
    return rows[rows["grouping"] == "model"].set_index("contestant")


def test_every_row_is_taken_and_ranked(landed: ExperimentGraph) -> None:
    files = landed.table(EXPERIMENT_FILES)
    n = len(published_runs())
    assert files[["n_accepted", "n_rejected"]].sum().tolist() == [n, 0]
    assert len(landed.table(EXPERIMENT_RUNS)) == n
    assert (landed.table(EXPERIMENT_RUN_BOARD)["status"] == "ranked").all()


def test_every_figure_of_paid_models_comes_out(landed: ExperimentGraph) -> None:
    found = board(landed, 10)
    for model, (elapsed, *figures) in PAID.items():
        assert_published(found.loc[model, "duration_ms"] / 1000, elapsed, 1)
        assert_paid(found.loc[model], tuple(figures))
    assert [model for model in found.index if model in PAID] == list(PAID)


def test_every_figure_of_local_models_comes_out(landed: ExperimentGraph) -> None:
    found = board(landed, 5)
    for model, (elapsed, _, score, median, sd, zero, full) in LOCAL.items():
        row = found.loc[model]
        assert_published(row["duration_ms"] / 1000, elapsed, 1)
        assert_published(100 * row["score"], score, 1)
        assert_published(100 * row["median"], median, 1)
        assert_published(100 * row["sd"], sd, 1)
        assert (row["n_zero"], row["n_full"]) == (zero, full)


def test_the_row_of_the_later_table_comes_out_of_all_repeats(landed: ExperimentGraph) -> None:
    row = board(landed, None).loc["claude-3-5-sonnet-20240620"]
    assert_paid(row, LATER)
    assert (row["rank"], row["n_scored"]) == (1, 699)
