"""``podium leaderboard``: the newest board, or any earlier one, for people and for programs."""

import re
import sys
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import output
from pipeline.cli.errors import InputError
from pipeline.cli.leaderboard import parse_moment, print_board
from pipeline.reports.queries import Board, BoardRow, KeyValue
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.reports.by_hand import ENSEMBLE, revise


def ranks(podium: Podium, *arguments: str) -> list[tuple[str, int | None]]:
    return [(row["model_id"], row["rank"]) for row in podium("leaderboard", *arguments, "--json").json["rows"]]


def test_the_newest_board_is_printed_with_its_date_and_what_it_is_ranked_by(boards: Podium) -> None:
    outcome = boards("leaderboard", "weekly")
    assert (outcome.code, outcome.err) == (0, "")
    title, ranked_by, *_ = outcome.out.splitlines()
    assert title.strip() == "The weekly contest"
    assert ranked_by.strip() == "ranked by quarter.ic, as of 2020-01-17 22:00 UTC; 12 cycles count as 8-12"


def test_how_many_cycles_count_is_left_out_where_nothing_tells(boards: Podium) -> None:
    _, ranked_by, *_ = boards("leaderboard", "weekly", "--as-of", "2020-01-10").out.splitlines()
    assert ranked_by.strip() == "ranked by quarter.ic, as of 2020-01-10 22:00 UTC"
    assert [row[1] for row in boards("leaderboard", "weekly", "--as-of", "2020-01-10").table[1:]] == ["–"] * 3


def test_every_row_shows_rank_what_it_could_be_change_model_keys_interval_coverage_and_n(boards: Podium) -> None:
    assert boards("leaderboard", "weekly").table == [
        ["rank", "could be", "±", "model", "quarter.ic", "95 % interval", "recent.ic", "coverage", "n"],
        ["1", "1-2", "+1", "Beta [/b] [bold]", "0.060", "0.050 … 0.070", "0.050", "88 %", "1,234"],
        ["2", "1-3", "-1", "Alpha", "0.020", "0.010 … 0.030", "0.010", "88 %", "1,234"],
        ["2", "2-3", "", "Gamma", "0.020", "0.010 … 0.030", "0.010", "88 %", "1,234"],
        ["–", "–", "", "Silent (unranked: low_coverage)", "–", "–", "–", "0 %", "0"],
    ]


def test_values_say_that_they_are_above_zero_where_others_are_below(capsys: pytest.CaptureFixture[str]) -> None:
    values = [KeyValue(0.5, -0.1, 1.1, None), KeyValue(0.25, 0.1, 0.4, None)]
    row = BoardRow(
        position=1, rank=1, rank_with_ensembles=1, rank_change=0, rank_lo=1, rank_hi=2, tie_group=1, n_cycles=9,
        n_effective=9.0, rank_method="holm", model_id="a", title="A", player="", rank_key=0.5, coverage=1.0, n=9,
        is_ensemble=False, status="ranked", values={"all.ic": values[0], "all.wis": values[1]},
    )  # fmt: skip
    print_board(Board("b", "B", "overall", datetime(2020, 1, 1), "all.ic", ("all.ic", "all.wis"), (row,), 1))
    printed = capsys.readouterr().out
    assert "+0.500" in printed
    assert "-0.100 … +1.100" in printed
    assert " 0.250" in printed


def test_ensembles_are_listed_when_asked_for_and_change_no_rank(boards: Podium) -> None:
    without, with_all = boards("leaderboard", "weekly"), boards("leaderboard", "weekly", "--include-ensembles")
    ensemble = ["(1)", "–", "", "Mean of all", "0.070", "0.060 … 0.080", "0.060", "88 %", "1,234"]
    header, *rows = without.table
    assert with_all.table == [header, ensemble, *rows]


def test_a_hidden_ensemble_leaves_no_gap(boards: Podium) -> None:
    first = boards("leaderboard", "weekly", "--as-of", "2020-01-10", "--json").json["rows"]
    assert [(row["model_id"], row["position"], row["rank"]) for row in first] == [
        ("alpha", 1, 1),
        ("beta", 2, 2),
        ("silent", 3, None),
    ]


def test_limit_keeps_the_first_rows(boards: Podium) -> None:
    assert [row[3] for row in boards("leaderboard", "weekly", "--limit", "2").table[1:]] == [
        "Beta [/b] [bold]",
        "Alpha",
    ]
    assert [model for model, _ in ranks(boards, "weekly", "--limit", "2")] == ["beta", "alpha"]
    assert len(ranks(boards, "weekly", "--limit", "99")) == 4


def test_json_has_everything_with_times_in_utc_and_null_for_undefined(boards: Podium) -> None:
    found = boards("leaderboard", "weekly", "--include-ensembles", "--json").json
    assert found["as_of"] == "2020-01-17T22:00:00Z"
    assert {key: found[key] for key in ("name", "title", "category", "rank_by", "keys")} == {
        "name": "weekly",
        "title": "The weekly contest",
        "category": "overall",
        "rank_by": "quarter.ic",
        "keys": ["quarter.ic", "recent.ic"],
    }
    ensemble, *_, silent = found["rows"]
    assert (ensemble["model_id"], ensemble["rank"], ensemble["rank_with_ensembles"]) == (ENSEMBLE, None, 1)
    assert silent["rank_key"] is None
    beta = found["rows"][1]
    assert {
        key: beta[key] for key in ("rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective", "rank_method")
    } == {
        "rank_lo": 1,
        "rank_hi": 2,
        "tie_group": 1,
        "n_cycles": 12,
        "n_effective": 9.6,
        "rank_method": "holm",
    }
    assert (silent["rank_lo"], silent["rank_method"]) == (None, "unranked")
    undefined = {"value": None, "ci_low": None, "ci_high": None, "reason": "no_scores"}
    assert silent["values"] == {"quarter.ic": undefined, "recent.ic": undefined}


def test_a_weighted_board_shows_the_sum_and_its_parts(boards: Podium) -> None:
    outcome = boards("leaderboard", "blend")
    assert "ranked by 0.75 quarter.ic + 0.25 recent.ic, as of" in outcome.out
    header, first, _ = outcome.table
    assert header[3:9] == ["model", "weighted sum", "quarter.ic", "95 % interval", "recent.ic", "all.hit_rate"]
    assert first[3:9] == ["beta", "0.035", "0.030", "0.020 … 0.040", "0.050", "0.500"]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2020-01-10", "2020-01-10T22:00:00Z"),
        ("2020-01-16", "2020-01-10T22:00:00Z"),
        ("2020-01-17", "2020-01-17T22:00:00Z"),
        ("2020-01-17T21:59", "2020-01-10T22:00:00Z"),
        ("2020-01-17T22:00", "2020-01-17T22:00:00Z"),
        ("2020-01-17T22:00Z", "2020-01-17T22:00:00Z"),
        ("2020-01-17T22:30+01:00", "2020-01-10T22:00:00Z"),
        ("2020-01-17T17:00-05:00", "2020-01-17T22:00:00Z"),
        ("2099-01-01", "2020-01-17T22:00:00Z"),
    ],
)
def test_as_of_shows_the_board_that_stood_then(boards: Podium, as_of: str, expected: str) -> None:
    assert boards("leaderboard", "weekly", "--as-of", as_of, "--json").json["as_of"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-17", datetime(2020, 1, 17, 23, 59, 59, 999999)),
        ("20200117", datetime(2020, 1, 17, 23, 59, 59, 999999)),
        ("2020-W03-5", datetime(2020, 1, 17, 23, 59, 59, 999999)),
        ("2020-01-17T00:00", datetime(2020, 1, 17)),
        ("2020W03T21", datetime(2020, 1, 13, 21)),
        ("2020-01-17 21:30:15.5", datetime(2020, 1, 17, 21, 30, 15, 500000)),
        ("2020-01-17T00:30+02:00", datetime(2020, 1, 16, 22, 30)),
    ],
)
def test_a_date_is_its_end_and_a_time_is_itself_in_utc(text: str, expected: datetime) -> None:
    assert parse_moment(text, "--as-of") == expected


@pytest.mark.parametrize("text", ["yesterday", "", "2020-13-01", "17.01.2020", "2020-01-17Z", "0001-01-01T00:00+05:00"])
def test_what_is_no_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=rf"^--as-of {re.escape(repr(text))} is no date or time; write 2022-12-23 or"):
        parse_moment(text, "--as-of")


def test_a_bad_date_is_wrong_input(boards: Podium) -> None:
    assert "'tomorrow' is no date or time" in error(boards("leaderboard", "weekly", "--as-of", "tomorrow"), 2)


def test_a_date_before_the_first_board_says_when_it_begins(boards: Podium) -> None:
    message = error(boards("leaderboard", "weekly", "--as-of", "2019-12-31"), 2)
    assert message == ("board 'weekly' has nothing as early as 2019-12-31 23:59; it begins at 2020-01-10 22:00 (UTC)")


def test_an_unknown_board_lists_the_known_ones(boards: Podium) -> None:
    assert error(boards("leaderboard", "nope"), 2) == "no board 'nope' is published; known: blend, sp500, weekly"


def test_nothing_published_says_where_and_what_to_run(podium: Podium, tmp_path: Path) -> None:
    message = error(podium("leaderboard", "weekly"), 4)
    assert message == f"nothing is published in {tmp_path / 'published'}; run `podium run` first"


def test_a_revision_leaves_earlier_boards_as_they_were(podium: Podium, fresh_boards: WarehouseFiles) -> None:
    options = ([], ["--json"], ["--include-ensembles"])
    earlier = ("2020-01-10", "2020-01-17", "2020-01-24T09:29")
    before = [podium("leaderboard", "weekly", "--as-of", date, *more).out for date in earlier for more in options]
    revise(fresh_boards)
    after = [podium("leaderboard", "weekly", "--as-of", date, *more).out for date in earlier for more in options]
    assert after == before


def test_a_revision_shows_from_the_moment_it_was_known(podium: Podium, fresh_boards: WarehouseFiles) -> None:
    assert ranks(podium, "weekly") == [("beta", 1), ("alpha", 2), ("gamma", 2), ("silent", None)]
    revise(fresh_boards)
    revised = [("alpha", 1), ("beta", 2), ("gamma", 3), ("silent", None)]
    assert ranks(podium, "weekly") == revised
    assert ranks(podium, "weekly", "--as-of", "2020-01-24T09:30") == revised
    assert ranks(podium, "weekly", "--as-of", "2020-01-24") == revised
    vintages = podium("sql", "SELECT known_at, value FROM weekly.truth ORDER BY known_at", "--json").json
    assert [row["value"] for row in vintages] == [0.01, -0.02]


@pytest.mark.parametrize(
    ("width", "header"),
    [
        (200, ["rank", "could be", "±", "model", "quarter.ic", "95 % interval", "recent.ic", "coverage", "n"]),
        (80, ["rank", "could be", "±", "model", "quarter.ic", "95 % interval"]),
        (60, ["rank", "could be", "model", "quarter.ic"]),
        (45, ["rank", "model", "quarter.ic"]),
    ],
)
def test_a_narrow_terminal_gets_the_columns_that_matter_most(
    boards: Podium, monkeypatch: pytest.MonkeyPatch, width: int, header: list[str]
) -> None:
    monkeypatch.setattr(output, "console", lambda: Console(file=sys.stdout, width=width))
    outcome = boards("leaderboard", "weekly")
    assert max(map(len, outcome.out.splitlines())) <= width
    shown, first, *_, last = outcome.table
    assert shown == header
    assert first[shown.index("quarter.ic")] == "0.060"
    assert last[shown.index("model")].startswith("Silent (unr")
    assert ("not shown here: " in outcome.out) == (width < 200)


def test_a_year_has_four_digits(boards: Podium) -> None:
    message = error(boards("leaderboard", "weekly", "--as-of", "0001-01-01"), 2)
    assert "has nothing as early as 0001-01-01 23:59; it begins at 2020-" in message
