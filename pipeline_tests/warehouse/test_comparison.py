"""Two files beside each other: equal in any order, and every kind of difference is counted, with an example."""

import shutil
from pathlib import Path

import pytest

from pipeline.tables import CHANGES, LEDGER, PREDICTIONS, SCHEMA_VERSION
from pipeline.warehouse import Difference, WarehouseFiles, compare, made_by_other_code
from pipeline_tests.warehouse.frames import BOARD, dirty, predictions

HOW = [spec.qualified_name for spec in (LEDGER, CHANGES, SCHEMA_VERSION)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with predictions of three cycles; do not write there."""
    files = WarehouseFiles(tmp_path_factory.mktemp("filled") / "podium.duckdb", lock_timeout=5)
    with files.write("a test") as store:
        for number in range(3):
            store.replace(PREDICTIONS, BOARD, dirty(number), predictions(number), "v1")
            store.replace(PREDICTIONS, "second", dirty(number), predictions(number), "v1")
    return files.path


@pytest.fixture
def pair(tmp_path: Path, filled: Path) -> tuple[WarehouseFiles, WarehouseFiles]:
    """Two warehouses that are the same."""
    both = [WarehouseFiles(tmp_path / name / "podium.duckdb", lock_timeout=5) for name in ("one", "other")]
    for files in both:
        files.path.parent.mkdir()
        shutil.copy(filled, files.path)
    return both[0], both[1]


def found(pair: tuple[WarehouseFiles, WarehouseFiles], boards: tuple[str, ...] = (BOARD,)) -> list[Difference]:
    return compare(pair[0].path, pair[1].path, boards, without=HOW)


def change(files: WarehouseFiles, statement: str) -> None:
    with files.write("a test") as store:
        store.connection.execute(statement)


def test_the_same_rows_in_another_order_are_equal(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    with pair[1].write("a test") as store:
        store.connection.execute("CREATE TEMP TABLE kept AS FROM competition.predictions ORDER BY value DESC")
        store.connection.execute("DELETE FROM competition.predictions")
        store.connection.execute("INSERT INTO competition.predictions FROM kept")
        n = store.query("SELECT count(*) AS n FROM competition.predictions WHERE competition = ?", [BOARD])["n"][0]
    (only,) = found(pair)
    assert only == Difference("competition.predictions", n, n)
    assert only.is_equal


def test_rows_that_are_missing_extra_and_changed_are_counted_and_one_is_shown(
    pair: tuple[WarehouseFiles, WarehouseFiles],
) -> None:
    first = "competition = 'toy' AND cycle = (SELECT min(cycle) FROM competition.predictions)".replace("toy", BOARD)
    newest = first.replace("min", "max")
    change(pair[1], f"DELETE FROM competition.predictions WHERE {newest}")
    change(pair[0], f"DELETE FROM competition.predictions WHERE {first}")
    middle = f"competition = '{BOARD}' AND NOT ({first}) AND NOT ({newest})"
    change(pair[1], f"UPDATE competition.predictions SET value = value + 1, is_late = NOT is_late WHERE {middle}")
    (only,) = found(pair)
    per_cycle = len(predictions(0))
    assert (only.rows_present, only.rows_rebuilt) == (2 * per_cycle, 2 * per_cycle)
    assert (only.missing, only.extra, only.changed) == (per_cycle, per_cycle, per_cycle)
    assert only.columns == ("is_late", "value")
    assert only.example is not None
    assert only.example.key.keys() == set(PREDICTIONS.key)


def test_an_example_shows_what_differs_on_both_sides(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    change(pair[1], f"UPDATE competition.predictions SET value = 7.5 WHERE competition = '{BOARD}'")
    change(pair[0], f"UPDATE competition.predictions SET value = 2.5 WHERE competition = '{BOARD}'")
    (only,) = found(pair)
    assert only.example is not None
    assert (only.example.present, only.example.rebuilt) == ({"value": "2.5"}, {"value": "7.5"})


def test_numbers_that_agree_to_twelve_digits_are_equal(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    change(pair[1], "UPDATE competition.predictions SET value = value * (1 + 1e-14)")
    assert [one.is_equal for one in found(pair)] == [True]
    change(pair[1], "UPDATE competition.predictions SET value = value * (1 + 1e-10)")
    assert [one.is_equal for one in found(pair)] == [False]


def test_a_row_that_is_there_twice_is_extra(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    change(pair[1], f"INSERT INTO competition.predictions FROM competition.predictions WHERE competition = '{BOARD}'")
    (only,) = found(pair)
    assert (only.missing, only.extra, only.changed) == (0, only.rows_present, 0)


def test_other_boards_are_left_alone(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    change(pair[1], "DELETE FROM competition.predictions WHERE competition = 'second'")
    assert [one.is_equal for one in found(pair)] == [True]
    assert [one.is_equal for one in found(pair, (BOARD, "second"))] == [False]


def test_marts_are_compared_also_where_only_one_side_has_them(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    mart = f"CREATE TABLE marts.summary AS SELECT '{BOARD}' AS competition, 'a' AS model_id, {{}}::DOUBLE AS n"
    change(pair[0], mart.format("1"))
    (summary,) = [one for one in found(pair) if one.table == "marts.summary"]
    assert (summary.missing, summary.extra) == (1, 0)
    change(pair[1], mart.format("2"))
    (summary,) = [one for one in found(pair) if one.table == "marts.summary"]
    assert (summary.changed, summary.columns) == (1, ("n",))


def test_columns_may_be_called_like_the_two_sides(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    for number, files in enumerate(pair):
        change(files, f"CREATE SCHEMA IF NOT EXISTS marts; CREATE TABLE marts.tested AS SELECT {number} AS p, 1 AS r")
    differ = next(one for one in found(pair) if one.table == "marts.tested")
    assert (differ.rows_present, differ.rows_rebuilt, differ.is_equal) == (1, 1, False)


def test_columns_that_are_ignored_do_not_differ(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    change(pair[1], "UPDATE competition.predictions SET value = 0")
    assert all(one.is_equal for one in compare(pair[0].path, pair[1].path, [BOARD], without=HOW, ignored=["value"]))


def test_what_other_code_made_is_named(pair: tuple[WarehouseFiles, WarehouseFiles]) -> None:
    assert made_by_other_code(pair[0].path, pair[1].path, [BOARD]) == []
    with pair[1].write("a test") as store:
        store.replace(PREDICTIONS, BOARD, dirty(1), predictions(1), "v2")
    assert made_by_other_code(pair[0].path, pair[1].path, [BOARD]) == [f"{BOARD}/predictions"]
    assert made_by_other_code(pair[0].path, pair[1].path, ["second"]) == []


def test_a_file_that_is_not_there_is_named(pair: tuple[WarehouseFiles, WarehouseFiles], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.duckdb"):
        compare(pair[0].path, tmp_path / "nowhere.duckdb", [BOARD])
