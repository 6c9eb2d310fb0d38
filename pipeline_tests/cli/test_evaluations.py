"""``podium evaluations``: the boards of evaluation sets, who is excluded, and the same numbers of any past date."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pipeline.warehouse import WarehouseFiles
from pipeline_tests import toy_contest
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.components.test_evaluation_tables import MAIN, bring_up_to_date, declared
from pipeline_tests.conftest import toy_environment
from pipeline_tests.toy_contest import MODELS, contract, week

COLUMNS = [
    *("rank", "could be", "model", "absolute_error_scaled_relative_skill", "95 % interval"),
    *("absolute_error", "squared_error", "submitted", "n"),
]


def files_in(folder: Path) -> WarehouseFiles:
    return WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published", lock_timeout=5)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[Path]:
    """A data folder with a contest that has evaluation sets, and one without; a test may publish more there."""
    folder = tmp_path_factory.mktemp("data")
    with toy_environment(folder, dbt_dir):
        files = files_in(folder)
        with files.write("toy") as store:
            bring_up_to_date(store, declared(MAIN))
            bring_up_to_date(store, contract("other"))
        files.publish()
        yield folder


@pytest.fixture
def podium(data: Path) -> Podium:
    return partial(command.podium, data_dir=data)


def test_a_board_shows_ranks_values_intervals_and_who_is_excluded(podium: Podium) -> None:
    outcome = podium("evaluations", "toy", "--eval-set", "all")
    assert (outcome.code, outcome.err) == (0, "")
    title, ranked_by, *_ = outcome.out.splitlines()
    assert title.strip() == "The toy contest: all"
    assert ranked_by.strip() == "ranked by absolute_error_scaled_relative_skill; 320 tasks"
    header, *rows = outcome.table
    assert header == COLUMNS
    assert sorted(row[2] for row in rows) == sorted({*MODELS, "__ensemble_main__"} - {"latecomer"})
    assert [row[0] for row in rows if row[2] != "__ensemble_main__"] == ["1", "2", "3", "4", "5"]
    (good,) = (row for row in rows if row[2] == "good")
    assert good[3:5] == ["1.000", "–"]
    assert "excluded: latecomer: submitted 37.5 % of 320 tasks; 50 % needed" in outcome.out


def test_without_a_set_every_set_is_printed(podium: Podium) -> None:
    boards = podium("evaluations", "toy", "--json", "--limit", "2").json
    assert [board["evaluation"] for board in boards] == ["all", "last 5"]
    assert [len(board["rows"]) for board in boards] == [2, 2]
    assert boards[0]["metrics"] == ["absolute_error_scaled_relative_skill", "absolute_error", "squared_error"]
    assert boards[1]["rank_by"] == "squared_error"
    assert boards[0]["excluded"][0]["model_id"] == "latecomer"


def test_a_part_is_a_board_of_its_own(podium: Podium) -> None:
    (board,) = podium("evaluations", "toy", "--eval-set", "all", "--part", "subject=S1", "--json").json
    assert (board["by"], board["part"], board["n_tasks"]) == ("subject", "S1", 40)
    assert {row["values"]["absolute_error"]["n"] for row in board["rows"]} == {38, 37}


def test_a_past_date_has_the_same_numbers_after_later_revisions(podium: Podium, data: Path) -> None:
    then = f"{week(30):%Y-%m-%d}"
    before = podium("evaluations", "toy", "--as-of", then, "--json").json
    newest = podium("evaluations", "toy", "--json").json
    toy_contest.toy().revise(3, "S0", 5.0, week(41))
    files = files_in(data)
    with files.write("toy") as store:
        bring_up_to_date(store, declared(MAIN))
    files.publish()
    assert podium("evaluations", "toy", "--as-of", then, "--json").json == before
    assert podium("evaluations", "toy", "--json").json != newest
    title = podium("evaluations", "toy", "--as-of", then, "--eval-set", "all").out.splitlines()[1]
    assert title.strip().endswith(f"as of {then} 23:59 UTC; 248 tasks")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "no board 'nowhere' is published; known: other, toy"),
        (("other",), "competition 'other' declares no evaluation sets"),
        (("toy", "--eval-set", "none"), "competition 'toy' has no evaluation set 'none'; it has: 'all', 'last 5'"),
        (("toy", "--eval-set", "all", "--part", "subject=S9"), "has no part subject=S9; it has: 'subject=S0', "),
        (("toy", "--eval-set", "all", "--part", "horizon=1"), "has no part horizon=1; it has: 'overall', "),
        (("toy", "--part", "S1"), "--part 'S1' names no part; write subject=US"),
        (("toy", "--as-of", "then"), "--as-of 'then' is no date or time"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(podium: Podium, arguments: tuple[str, ...], message: str) -> None:
    assert message in error(podium("evaluations", *arguments), 2)
