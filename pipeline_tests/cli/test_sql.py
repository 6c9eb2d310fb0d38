"""``podium sql``: any question, as a table or as JSON, and nothing written."""

import math
import sys
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import output
from pipeline_tests.cli.command import Podium, error

ODD_TYPES = {
    "DATE '2020-01-31'": "2020-01-31",
    "TIME '12:30:00'": "12:30:00",
    "TIMESTAMP '2020-01-31 22:00:00'": "2020-01-31T22:00:00Z",
    "TIMESTAMPTZ '2020-01-31 22:00:00+02'": "2020-01-31T20:00:00Z",
    "TIMESTAMP_NS '2020-01-31 22:00:00.123456'": "2020-01-31T22:00:00.123456Z",
    "1.50::DECIMAL(5, 2)": 1.5,
    "1.5": 1.5,
    "170141183460469231731687303715884105727::HUGEINT": 2**127 - 1,
    "[1, NULL, 2]": [1, None, 2],
    "['[/b]', 'x']": ["[/b]", "x"],
    "[TIMESTAMP '2020-01-31 22:00:00']": ["2020-01-31T22:00:00Z"],
    "{'a': 1, 'b': {'c': NULL}}": {"a": 1, "b": {"c": None}},
    "MAP {1: 'x', 2: NULL}": {"1": "x", "2": None},
    "MAP {DATE '2020-01-31': 1}": {"2020-01-31": 1},
    r"'ab\x00'::BLOB": "616200",
    "INTERVAL '1 day 2 hours'": "1 day, 2:00:00",
    """'{"a": [1, 2]}'::JSON""": '{"a": [1, 2]}',
    "'NaN'::DOUBLE": None,
    "'-Infinity'::DOUBLE": None,
    "['NaN'::DOUBLE]": [None],
    "NULL": None,
    "TRUE": True,
    "'a'::ENUM('a', 'b')": "a",
    "'101'::BIT": "101",
    "UUID '6f2c1d1e-0000-4000-8000-000000000000'": "6f2c1d1e-0000-4000-8000-000000000000",
    "'größer — 🏅'": "größer — 🏅",
}


def test_a_table_has_a_column_for_each_name_and_a_line_for_each_row(boards: Podium) -> None:
    outcome = boards("sql", "SELECT model_id, rank, rank_key FROM weekly.leaderboard WHERE rank = 2 ORDER BY ALL")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.table == [
        ["model_id", "rank", "rank_key"],
        ["alpha", "2", "0.02"],
        ["beta", "2", "0.03"],
        ["gamma", "2", "0.02"],
    ]


def test_json_is_a_list_of_objects(boards: Podium) -> None:
    found = boards("sql", "SELECT as_of, rank FROM weekly.leaderboard WHERE model_id = 'silent' ORDER BY 1", "--json")
    assert found.json == [
        {"as_of": "2020-01-10T22:00:00Z", "rank": None},
        {"as_of": "2020-01-17T22:00:00Z", "rank": None},
    ]


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_a_dash_reads_the_query_from_standard_input(boards: Podium, as_json: bool) -> None:
    outcome = boards("sql", "-", *(["--json"] if as_json else []), stdin="-- a comment\nSELECT 42 AS answer;\n")
    assert (outcome.json if as_json else outcome.table) == ([{"answer": 42}] if as_json else [["answer"], ["42"]])


def test_a_result_without_rows_is_an_empty_table_or_list(boards: Podium) -> None:
    assert boards("sql", "SELECT 1 AS a WHERE FALSE").table == [["a"]]
    assert boards("sql", "SELECT 1 AS a WHERE FALSE", "--json").json == []


def test_a_table_stops_at_fifty_rows_and_says_so(boards: Podium) -> None:
    outcome = boards("sql", "SELECT * FROM range(51) AS r(i)")
    assert len(outcome.table) == 1 + 50
    assert outcome.out.splitlines()[-1] == "the first 50 rows; --limit or --json for more"
    assert "the first" not in boards("sql", "SELECT * FROM range(50) AS r(i)").out


def test_json_has_all_rows(boards: Podium) -> None:
    assert len(boards("sql", "SELECT * FROM range(51) AS r(i)", "--json").json) == 51


def test_limit_holds_for_tables_and_json(boards: Podium) -> None:
    outcome = boards("sql", "SELECT * FROM range(5) AS r(i)", "--limit", "2")
    assert outcome.table == [["i"], ["0"], ["1"]]
    assert outcome.out.splitlines()[-1] == "the first 2 rows; --limit or --json for more"
    assert boards("sql", "SELECT * FROM range(5) AS r(i)", "--limit", "2", "--json").json == [{"i": 0}, {"i": 1}]
    assert len(boards("sql", "SELECT * FROM range(60) AS r(i)", "--limit", "60").table) == 61


def test_every_type_has_its_json(boards: Podium) -> None:
    columns = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(ODD_TYPES))
    (row,) = boards("sql", f"SELECT {columns}", "--json").json
    assert dict(zip(ODD_TYPES, row.values(), strict=True)) == ODD_TYPES


def test_every_type_has_its_cell(boards: Podium) -> None:
    columns = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(ODD_TYPES))
    _, cells = boards("sql", f"SELECT {columns}").table
    found = dict(zip(ODD_TYPES, cells, strict=True))
    assert found["['[/b]', 'x']"] == "['[/b]', 'x']"
    assert found["'NaN'::DOUBLE"] == str(math.nan)
    assert found["NULL"] == "–"
    assert found[r"'ab\x00'::BLOB"] == "616200"
    assert found["1.50::DECIMAL(5, 2)"] == "1.50"


def test_no_text_is_taken_for_markup_or_cut(boards: Podium) -> None:
    long = "x" * 500
    outcome = boards("sql", f"""SELECT '[red]not red[/red]' AS "[bold]", '[/]' AS b, '{long}' AS c""")
    assert outcome.table == [["[bold]", "b", "c"], ["[red]not red[/red]", "[/]", long]]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("1 AS a, 2 AS a", ["a", "a_1"]),
        ("1 AS a, 2 AS a, 3 AS a", ["a", "a_1", "a_2"]),
        ("1 AS a, 2 AS a, 3 AS a_1", ["a", "a_2", "a_1"]),
        ("1 AS a, 2 AS A", ["a", "A"]),
    ],
)
def test_columns_of_the_same_name_are_told_apart(boards: Podium, columns: str, names: list[str]) -> None:
    (row,) = boards("sql", f"SELECT {columns}", "--json").json
    assert row == dict(zip(names, range(1, len(names) + 1), strict=True))
    assert boards("sql", f"SELECT {columns}").table[0] == names


def test_a_join_loses_no_column(boards: Podium) -> None:
    joined = "FROM weekly.leaderboard AS a JOIN weekly.leaderboard AS b ON a.as_of = b.as_of LIMIT 1"
    (row,) = boards("sql", f"SELECT * {joined}", "--json").json
    columns = boards("sql", "SELECT count(*) AS n FROM (DESCRIBE weekly.leaderboard)", "--json").json
    assert len(row) == 2 * columns[0]["n"]
    assert {"model_id", "model_id_1"} <= set(row)


def test_every_result_of_several_statements_is_printed_one_after_another(boards: Podium) -> None:
    outcome = boards("sql", "SELECT 1 AS a; SET threads = 1; SELECT * FROM range(3) AS r(b);", "--limit", "2")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.table == [["a"], ["1"], ["b"], ["0"], ["1"]]
    assert outcome.out.endswith("the first 2 rows; --limit or --json for more\n")


def test_json_is_of_one_result_and_what_prepares_it_may_come_before(boards: Podium) -> None:
    message = error(boards("sql", "SELECT 1 AS a; SELECT 2 AS b", "--json"), 2)
    assert message == "2 statements have results, and --json prints one; ask them one by one"
    assert boards("sql", "SET threads = 1; SELECT 2 AS b", "--json").json == [{"b": 2}]


def test_results_before_a_mistake_are_printed_and_it_is_told(boards: Podium) -> None:
    outcome = boards("sql", "SELECT 1 AS a; SELECT nope")
    assert outcome.code == 2
    assert outcome.table == [["a"], ["1"]]
    assert outcome.err.startswith('podium: Binder Error: Referenced column "nope" ')


def test_a_query_that_takes_long_draws_no_bar(boards: Podium) -> None:
    query = "SELECT current_setting('enable_progress_bar') AS bar"
    assert boards("sql", query, "--json").json == [{"bar": False}]


def test_a_table_is_copied_to_a_file_of_ones_own(boards: Podium, tmp_path: Path) -> None:
    target = tmp_path / "board.csv"
    outcome = boards("sql", f"COPY (SELECT 1 AS a) TO '{target}'")
    assert outcome.table == [["Count"], ["1"]]
    assert target.read_text() == "a\n1\n"
    assert boards("sql", f"COPY (SELECT 2 AS a) TO '{target}'; SELECT 3 AS b", "--json").json == [{"b": 3}]
    assert target.read_text() == "a\n2\n"


def test_a_statement_that_duckdb_makes_several_of_has_its_one_result(boards: Podium) -> None:
    pivoted = "PIVOT (SELECT * FROM (VALUES ('x', 1), ('y', 2)) AS t(k, v)) ON k USING sum(v)"
    assert boards("sql", pivoted, "--json").json == [{"x": 1, "y": 2}]


@pytest.mark.parametrize("query", ["", "   \n", "-", ";", "/* nothing */"])
def test_an_empty_query_is_wrong_input_and_gets_an_example(boards: Podium, query: str) -> None:
    message = error(boards("sql", query, stdin="-- only a comment\n"), 2)
    assert message == 'the query is empty; try: podium sql "SELECT * FROM marts.leaderboard_current"'


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", 'Parser Error: syntax error at or near "SELEC"'),
        ("SELECT nope FROM weekly.leaderboard", 'Binder Error: Referenced column "nope" not found'),
        ("SELECT * FROM nowhere.nothing", 'Catalog Error: Table with name "nowhere.nothing" does not exist'),
        ("SELECT error('boom')", "Invalid Input Error: boom"),
        ("SELECT ?", "Invalid Input Error: Values were not provided"),
        ("SELECT 'a'::INTEGER", "Conversion Error: Could not convert string 'a' to INT32"),
    ],
)
def test_bad_sql_is_wrong_input_and_says_what_is_bad(boards: Podium, query: str, message: str) -> None:
    found = error(boards("sql", query), 2)
    assert found.startswith(message)
    assert "LINE 1" not in found


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO competition.models SELECT * FROM competition.models",
        "UPDATE competition.leaderboard SET rank = 1",
        "DELETE FROM competition.leaderboard",
        "DROP TABLE competition.leaderboard",
        "CREATE TABLE mine AS SELECT 1 AS a",
        "CREATE OR REPLACE VIEW weekly.leaderboard AS SELECT 1 AS a",
        "SELECT 1; DELETE FROM competition.leaderboard",
    ],
)
def test_writing_is_refused(boards: Podium, query: str) -> None:
    assert "read-only mode" in error(boards("sql", query, "--json"), 2)
    assert boards("sql", "SELECT count(*) AS n FROM competition.leaderboard", "--json").json == [{"n": 11}]


def test_nothing_published_is_told_before_anything_about_the_query(podium: Podium, tmp_path: Path) -> None:
    message = error(podium("sql", "SELEC 1"), 4)
    assert message == f"nothing is published in {tmp_path / 'published'}; run `podium run` first"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-- the first = the best\nSELECT 1 AS one", "--json"),
        ("--json", "-- a comment\nSELECT 1 AS one"),
        ("--json", "--a comment without a space\nSELECT 1 AS one"),
        ("--json", "--", "-- a comment\nSELECT 1 AS one"),
    ],
)
def test_a_query_may_begin_with_a_comment(boards: Podium, arguments: tuple[str, ...]) -> None:
    outcome = boards("sql", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json == [{"one": 1}]


def test_a_misspelt_option_is_no_query(boards: Podium) -> None:
    assert error(boards("sql", "SELECT 1", "--jsn"), 2).startswith("no such option: --jsn")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns."""
    monkeypatch.setattr(output, "console", lambda: Console(file=sys.stdout, width=60))


@pytest.mark.usefixtures("narrow")
def test_on_a_narrow_terminal_text_goes_on_below_and_numbers_stay_whole(boards: Podium) -> None:
    outcome = boards("sql", "SELECT repeat('word ', 20) AS text, 123456789012345 AS a, DATE '2020-01-31' AS b")
    assert max(map(len, outcome.out.splitlines())) <= 60
    assert [row[1:] for row in outcome.table[:2]] == [["a", "b"], ["123456789012345", "2020-01-31"]]
    assert sum(row[0].count("word") for row in outcome.table) == 20


@pytest.mark.usefixtures("narrow")
def test_columns_without_room_are_named(boards: Podium) -> None:
    columns = ", ".join(f"123456789012345 AS c{number}" for number in range(5))
    outcome = boards("sql", f"SELECT {columns}")
    assert outcome.table == [["c0", "c1", "c2"], ["123456789012345"] * 3]
    assert outcome.out.splitlines()[-1] == "not shown here: c3, c4; a wider terminal or --json has all"
