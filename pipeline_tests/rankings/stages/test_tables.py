"""Rows of every table can be stored, have a key, and give the same once they are read back."""

import duckdb
import pandas as pd
import pytest

from pipeline.rankings import ModelName, Result
from pipeline.rankings.stages import leaderboard_rows, result_rows, score_rows, unmatched_rows
from pipeline.tables import (
    LLM_ALIASES,
    LLM_BENCHMARKS,
    LLM_LEADERBOARD,
    LLM_MODELS,
    LLM_RESULTS,
    LLM_SCORES,
    LLM_UNMATCHED,
    TableSpec,
)
from pipeline.warehouse.frames import to_arrow, to_pandas
from pipeline_tests.rankings.stages.boards import Board, linked, published
from pipeline_tests.rankings.stages.test_scores import example

SPECS = {
    "models": LLM_MODELS,
    "aliases": LLM_ALIASES,
    "results": LLM_RESULTS,
    "unmatched": LLM_UNMATCHED,
    "measures": LLM_BENCHMARKS,
    "scores": LLM_SCORES,
    "leaderboard": LLM_LEADERBOARD,
}


def some() -> Board:
    figures = [
        *example("m"),
        *example("k")[:4],
        Result("nobody", "humaneval", "pass_at_1", None, reason="not_published"),
    ]
    names = [linked("m", organisation="Acme", url="https://m.test"), ModelName("nobody"), ModelName("a + b")]
    return Board([published("litellm", figures, names)], {"min_benchmarks": 1, "ability": {"min_models": 2}})


def nothing() -> Board:
    return Board([published("litellm", [])])


def stored(spec: TableSpec, rows: pd.DataFrame) -> pd.DataFrame:
    table = to_arrow(spec, "board", rows)
    return to_pandas(spec, duckdb.from_arrow(table).df()).drop(columns="ranking")


@pytest.mark.parametrize("board", [some(), nothing()], ids=["some", "nothing"])
def test_rows_fit_their_tables_with_unique_keys(board: Board):
    for name, spec in SPECS.items():
        rows = getattr(board, name)
        assert len(stored(spec, rows)) == len(rows)
        assert not rows.duplicated([column for column in spec.key if column != "ranking"]).any()


def test_rows_that_were_read_back_give_the_same():
    board = some()
    back = {name: stored(spec, getattr(board, name)) for name, spec in SPECS.items()}
    assert result_rows(board.published, back["aliases"], board.declaration).equals(board.results)
    assert unmatched_rows(back["aliases"], back["results"]).equals(board.unmatched)
    assert score_rows(back["results"], board.declaration, board.benchmarks).equals(board.scores)
    again = leaderboard_rows(back["scores"], back["models"], back["results"], board.declaration, board.benchmarks)
    assert again.equals(board.leaderboard)
