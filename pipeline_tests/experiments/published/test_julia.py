"""The board of a public benchmark, out of its 69,005 runs, is the one that it published."""

import pandas as pd
import pytest

from pipeline.experiments import leaderboard_rows, run_board_rows
from pipeline_tests.experiments.published.julia import (
    LATER,
    LOCAL,
    PAID,
    all_runs,
    experiment,
    published_runs,
    scored,
)


@pytest.fixture(scope="module")
def boards() -> dict[int | None, pd.DataFrame]:
    """The board of models by how many of the newest repeats count."""
    runs = published_runs()
    return {
        newest: leaderboard_rows(scored(experiment(newest_repeats=newest), runs), "model").set_index("contestant")
        for newest in (None, 10, 5)
    }


def assert_published(found: float, published: float, digits: int) -> None:
    """Equal as printed, whichever way a half was rounded."""
    assert abs(found - published) <= 0.5 * 10**-digits + 1e-9


def assert_paid(row: pd.Series, published: tuple[float, ...]) -> None:
    score, sd, zero, full, cents = published
    assert_published(100 * row["score"], score, 1)
    assert_published(100 * row["sd"], sd, 1)
    assert (row["n_zero"], row["n_full"]) == (zero, full)
    if cents:
        assert_published(100 * row["cost"], cents, 1 if cents in (3.9, 0.8) else 2)
    else:
        assert pd.isna(row["cost"])
        assert row["n_cost"] == 0


@pytest.mark.parametrize("model", PAID)
def test_every_figure_of_paid_models_comes_out(boards: dict[int | None, pd.DataFrame], model: str) -> None:
    elapsed, *figures = PAID[model]
    assert_published(boards[10].loc[model, "duration_ms"] / 1000, elapsed, 1)
    assert_paid(boards[10].loc[model], tuple(figures))


@pytest.mark.parametrize("model", LOCAL)
def test_every_figure_of_local_models_comes_out(boards: dict[int | None, pd.DataFrame], model: str) -> None:
    row, (elapsed, median, score, median_score, sd, zero, full) = boards[5].loc[model], LOCAL[model]
    assert_published(row["duration_ms"] / 1000, elapsed, 1)
    assert_published(row["median_duration_ms"] / 1000, median, 1)
    assert_published(100 * row["score"], score, 1)
    assert_published(100 * row["median"], median_score, 1)
    assert_published(100 * row["sd"], sd, 1)
    assert (row["n_zero"], row["n_full"]) == (zero, full)


def test_the_row_of_the_later_table_comes_out_of_all_repeats(boards: dict[int | None, pd.DataFrame]) -> None:
    row = boards[None].loc["claude-3-5-sonnet-20240620"]
    assert_paid(row, LATER)
    assert (row["rank"], row["n_scored"]) == (1, 699)


@pytest.mark.parametrize(("newest", "published"), [(10, PAID), (5, LOCAL)])
def test_models_are_in_the_published_order(boards, newest: int, published: dict[str, tuple[float, ...]]) -> None:
    board = boards[newest]
    assert [model for model in board.index if model in published] == list(published)
    assert (board["coverage"] == 1).all()


def test_all_runs_make_boards() -> None:
    runs = all_runs()
    board = scored(experiment(), runs, "parameters", "prompt_strategy", "experiment")
    rows = run_board_rows(board)
    assert len(rows) == 69_005
    formula = (
        25 * runs["parsed"]
        + 25 * (runs["executed"] | (runs["examples_executed"] > 0))
        + 25 * runs["examples_executed"] / runs["examples_count"]
        + 25 * runs["unit_tests_passed"] / runs["unit_tests_count"]
    )
    pd.testing.assert_series_equal(
        100 * rows.set_index("run_id")["score"].reindex(board.runs["run_id"]),
        formula.set_axis(board.runs["run_id"]),
        check_names=False,
    )
    assert rows["rank"].tolist()[:7000:1000] == [1, 1, 1, 1, 1, 1, 1]
    assert (rows["rank"] == 1).sum() == (formula == 100).sum()
    by_configuration = leaderboard_rows(board, "configuration")
    assert by_configuration["n_runs"].sum() == 69_005
