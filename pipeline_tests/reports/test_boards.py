"""Boards out of a published file: typed rows, the newest not later than a moment, errors that list what there is."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.components.competition import assets_of
from pipeline.components.recompute import Recompute
from pipeline.reports.queries import Board, KeyValue, UnknownBoardError, board, board_names
from pipeline.warehouse import WarehouseFiles, open_published
from pipeline_tests.reports.by_hand import BLEND_BOARD, ENSEMBLE, FIRST, SECOND, write_boards
from pipeline_tests.toy_contest import SUBJECTS, ToyContest, contract

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    files = write_boards(tmp_path_factory.mktemp("boards"))
    files.publish()
    with open_published(files.published_dir) as opened:
        yield opened


def models(found: Board) -> list[str]:
    return [row.model_id for row in found.rows]


def test_board_names_are_those_of_the_catalog_sorted(connection: duckdb.DuckDBPyConnection) -> None:
    assert board_names(connection) == ["blend", "sp500", "weekly"]


def test_the_newest_board_is_the_default(connection: duckdb.DuckDBPyConnection) -> None:
    found = board(connection, "weekly")
    assert (found.name, found.title, found.category) == ("weekly", "The weekly contest", "overall")
    assert found.as_of == SECOND
    assert found.rank_by == "quarter.ic"
    assert found.keys == ("quarter.ic", "recent.ic")
    assert not found.is_weighted


def test_rows_are_typed_and_in_the_order_of_display(connection: duckdb.DuckDBPyConnection) -> None:
    first, *_, last = board(connection, "weekly").rows
    assert (first.model_id, first.rank, first.rank_with_ensembles, first.rank_change) == ("beta", 1, 2, 1)
    assert (first.title, first.player) == ("Beta [/b] [bold]", "tests")
    assert (first.rank_key, first.coverage, first.n, first.is_ensemble) == (0.06, 0.875, 1234, False)
    assert first.values == {
        "quarter.ic": KeyValue(0.06, pytest.approx(0.05), pytest.approx(0.07), None),
        "recent.ic": KeyValue(0.05, pytest.approx(0.04), pytest.approx(0.06), None),
    }
    assert (last.model_id, last.rank, last.rank_key, last.status) == ("silent", None, None, "unranked: low_coverage")
    assert last.values["quarter.ic"] == KeyValue(None, None, None, "no_scores")


def test_rows_say_between_which_ranks_a_model_could_be_or_why_that_is_unknown(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = board(connection, "weekly", include_ensembles=True).rows
    assert [(row.rank_lo, row.rank_hi, row.tie_group, row.rank_method) for row in rows] == [
        (None, None, None, "virtual"),
        (1, 2, 1, "holm"),
        (1, 3, 1, "holm"),
        (2, 3, 2, "holm"),
        (None, None, None, "unranked"),
    ]
    assert [(row.n_cycles, row.n_effective) for row in rows[1:3]] == [(12, 9.6), (12, 8.1)]


def test_ensembles_are_hidden_unless_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    assert models(board(connection, "weekly")) == ["beta", "alpha", "gamma", "silent"]
    assert models(board(connection, "weekly", include_ensembles=True)) == [
        ENSEMBLE,
        "beta",
        "alpha",
        "gamma",
        "silent",
    ]


def test_ranks_of_real_models_are_the_same_with_and_without_ensembles(connection: duckdb.DuckDBPyConnection) -> None:
    for as_of in (FIRST, SECOND):
        without = board(connection, "weekly", as_of)
        with_all = board(connection, "weekly", as_of, include_ensembles=True)
        assert {row.model_id: row.rank for row in without.rows} == {
            row.model_id: row.rank for row in with_all.rows if not row.is_ensemble
        }


def test_positions_of_what_is_listed_have_no_gaps(connection: duckdb.DuckDBPyConnection) -> None:
    for include_ensembles in (False, True):
        rows = board(connection, "weekly", FIRST, include_ensembles=include_ensembles).rows
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [(FIRST, FIRST), (SECOND - MICROSECOND, FIRST), (SECOND, SECOND), (datetime(2099, 1, 1), SECOND)],
)
def test_a_board_as_of_a_moment_is_the_newest_not_later(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, expected: datetime
) -> None:
    assert board(connection, "weekly", as_of).as_of == expected


def test_a_weighted_board_has_its_parts_as_keys_before_the_tie_breakers(connection: duckdb.DuckDBPyConnection) -> None:
    found = board(connection, "blend")
    assert found.is_weighted
    assert found.rank_by == "0.75 quarter.ic + 0.25 recent.ic"
    assert found.keys == ("quarter.ic", "recent.ic", "all.hit_rate")
    assert found.rows[0].rank_key == pytest.approx(0.75 * 0.03 + 0.25 * 0.05)
    assert [row.values["all.hit_rate"].value for row in found.rows] == [row.values[2] for row in BLEND_BOARD]


def test_a_model_without_a_registry_row_is_called_by_its_id(connection: duckdb.DuckDBPyConnection) -> None:
    assert [(row.title, row.player) for row in board(connection, "blend").rows] == [("beta", ""), ("alpha", "")]


def test_an_unknown_board_lists_the_known_ones(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnknownBoardError, match=r"^no board 'nope' is published; known: blend, sp500, weekly$"):
        board(connection, "nope")


def test_a_moment_before_the_first_board_says_when_it_begins(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnknownBoardError) as raised:
        board(connection, "weekly", FIRST - MICROSECOND)
    assert str(raised.value) == (
        "board 'weekly' has nothing as early as 2020-01-10 21:59; it begins at 2020-01-10 22:00 (UTC)"
    )


def test_a_board_without_rows_says_what_makes_them(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnknownBoardError, match=r"'sp500' has no rows in category 'overall' yet; `podium run"):
        board(connection, "sp500")


@pytest.fixture
def divided(toy: ToyContest, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A contest with boards of its horizon and its subjects."""
    by_subject = {"by": "subject", "rank_by": "quarter.hit_rate"}
    declared = contract(categories=["horizon", by_subject])
    files = WarehouseFiles(tmp_path / "warehouse" / "podium.duckdb")
    with files.write("a test") as store:
        for _, update, _ in assets_of(declared):
            update(store, declared, Recompute())
    files.publish()
    with open_published(files.published_dir) as opened:
        yield opened


def test_parts_of_a_contest_have_boards_by_their_own_keys(divided: duckdb.DuckDBPyConnection) -> None:
    whole, of_horizon = board(divided, "toy"), board(divided, "toy", category="horizon=1")
    of_subject = board(divided, "toy", category="subject=S3")
    assert (whole.rank_by, of_horizon.rank_by, of_subject.rank_by) == ("quarter.ic", "quarter.ic", "quarter.hit_rate")
    assert whole.keys == of_horizon.keys == ("quarter.ic", "recent.ic")
    assert of_subject.keys == ("quarter.hit_rate",)
    assert [row.values for row in of_horizon.rows] == [row.values for row in whole.rows]
    keys = [row.rank_key for row in of_subject.rows if row.rank]
    assert len(set(keys)) > 2
    assert keys == sorted(keys, reverse=True)


def test_an_earlier_board_of_a_part_that_keeps_no_history_says_so(divided: duckdb.DuckDBPyConnection) -> None:
    newest = board(divided, "toy").as_of
    with pytest.raises(UnknownBoardError, match="of a category without `history: true` only the newest board is kept"):
        board(divided, "toy", newest - timedelta(days=30), category="horizon=1")


def test_an_unknown_part_lists_the_known_ones(divided: duckdb.DuckDBPyConnection) -> None:
    known = ", ".join(["horizon=1", "overall", *(f"subject={name}" for name in SUBJECTS)])
    with pytest.raises(UnknownBoardError, match=f"board 'toy' has no category 'horizon=9'; known: {known}"):
        board(divided, "toy", category="horizon=9")
