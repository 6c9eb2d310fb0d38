"""``podium submit``: a file that passed the check is in the inbox, whole; one that is refused is not."""

from pathlib import Path

import pytest

from pipeline.landing import inbox
from pipeline_tests.cli import league
from pipeline_tests.cli.command import Outcome, Podium, error
from pipeline_tests.cli.league import declare, write

FUTURE = "2150-01-05"
GOOD = (f"a,{FUTURE},X,0.1", f"b,{FUTURE},X,0.2")
PARTLY = (*GOOD, f"a,{FUTURE},Y,NaN")


@pytest.fixture(autouse=True)
def place(own_boards: Path, tmp_path: Path) -> Path:
    """The folder of the inbox that predictions go to."""
    return tmp_path / "inbox" / "league" / "predictions"


def submit(podium: Podium, path: Path, *arguments: str) -> Outcome:
    return podium("submit", "league", str(path), *arguments)


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir()) if place.exists() else []


def test_a_good_file_is_delivered_and_its_way_told(podium: Podium, tmp_path: Path, place: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    outcome = submit(podium, path)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        f"{path} for board league, folder predictions",
        "predictions: 2 rows: 2 accepted, 0 rejected",
        f"Delivered: {place / 'good.csv'}",
        "It lands by itself while `podium up` or `podium dev` runs; or now: podium run league",
    ]
    assert names(place) == ["good.csv"]
    assert (place / "good.csv").read_bytes() == path.read_bytes()


def test_what_was_submitted_lands_as_the_check_said(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    submit(podium, write(tmp_path / "partly.csv", *PARTLY), "--force")
    warehouse = league.run(declare(own_boards), tmp_path)
    with warehouse.read() as store:
        counts = store.query("SELECT n_rows, n_accepted, n_rejected FROM competition.files")
    assert counts.values.tolist() == [[3, 2, 1]]
    assert names(tmp_path / "inbox" / "league" / "predictions") == []


def test_a_file_of_which_part_would_be_refused_needs_force(podium: Podium, tmp_path: Path, place: Path) -> None:
    path = write(tmp_path / "partly.csv", *PARTLY)
    outcome = submit(podium, path)
    assert outcome.code == 2
    assert "value is 'NaN', not a finite number such as 1.5" in outcome.out
    assert outcome.out.endswith(
        "Not submitted: part of it would be refused. Correct it, or land what is good and quarantine the rest: "
        "--force\n"
    )
    assert names(place) == []
    assert submit(podium, path, "--force").code == 0
    assert names(place) == ["partly.csv"]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("content", ["", "model,value\na,1\n", f"{league.HEADER}\na,{FUTURE},X,NaN\n"])
def test_a_file_of_which_nothing_would_be_taken_is_refused(
    podium: Podium, tmp_path: Path, place: Path, content: str, force: list[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    outcome = submit(podium, path, *force)
    assert outcome.code == 2
    assert outcome.out.endswith("Not submitted: nothing of it would be taken.\n")
    assert names(place) == []


def test_late_rows_are_delivered_and_said_to_be_late(podium: Podium, tmp_path: Path, place: Path) -> None:
    outcome = submit(podium, write(tmp_path / "late.csv", "a,2024-01-05,X,1"))
    assert outcome.code == 0
    assert "1 row is late and would not be scored" in outcome.out
    assert names(place) == ["late.csv"]


def test_a_name_that_is_taken_gets_a_number(podium: Podium, tmp_path: Path, place: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    found = [submit(podium, path, "--json").json["path"] for _ in range(2)]
    assert found == [str(place / "good.csv"), str(place / "good (2).csv")]


@pytest.mark.parametrize("name", ["week 1.csv", 'it\'s "mine".CSV', "[bold].csv", "a\nb.csv"])
def test_a_file_may_have_any_name(podium: Podium, tmp_path: Path, place: Path, name: str) -> None:
    assert submit(podium, write(tmp_path / "good.csv", *GOOD), "--as", name).code == 0
    assert names(place) == [name]
    assert [one.path.name for one in inbox.pending(tmp_path / "inbox", "league", ("predictions",))] == [name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("good.parquet", "--as 'good.parquet' must end in '.csv' as the file does: the ending tells its format"),
        ("good", "--as 'good' must end in '.csv' as the file does: the ending tells its format"),
        ("../models/good.csv", "--as '../models/good.csv' is a path; give a name alone"),
        (".good.csv", "'.good.csv' begins with a dot, and the inbox leaves such files alone; give another name: --as"),
    ],
)
def test_a_name_under_which_it_would_not_land_is_refused(
    podium: Podium, tmp_path: Path, place: Path, name: str, message: str
) -> None:
    assert error(submit(podium, write(tmp_path / "good.csv", *GOOD), "--as", name), 2) == message
    assert names(place) == []


def test_of_a_symbolic_link_the_content_is_delivered(podium: Podium, tmp_path: Path, place: Path) -> None:
    (tmp_path / "link.csv").symlink_to(write(tmp_path / "good.csv", *GOOD))
    assert submit(podium, tmp_path / "link.csv").code == 0
    assert not (place / "link.csv").is_symlink()
    assert (place / "link.csv").is_file()


def test_an_inbox_that_cannot_be_written_is_one_line(podium: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "good.csv", *GOOD)
    (tmp_path / "inbox").write_text("in the way", encoding="utf-8")
    assert error(submit(podium, path), 2).startswith(f"'good.csv' cannot be delivered to {tmp_path / 'inbox'}: ")


def test_json_adds_where_it_went_or_why_not(podium: Podium, tmp_path: Path, place: Path) -> None:
    done = submit(podium, write(tmp_path / "good.csv", *GOOD), "--json")
    assert (done.code, done.json["accepted"], done.json["submitted"]) == (0, True, True)
    assert (done.json["path"], done.json["refusal"]) == (str(place / "good.csv"), None)
    refused = submit(podium, write(tmp_path / "partly.csv", *PARTLY), "--json")
    assert (refused.code, refused.json["accepted"], refused.json["submitted"]) == (2, False, False)
    assert (refused.json["path"], refused.json["kinds"][0]["rejected"]) == (None, 1)
    assert refused.json["refusal"].startswith("part of it would be refused.")


def test_another_folder_and_its_name(podium: Podium, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.csv", "X,2024-01-12,0.5", header="subject,target_time,value")
    assert submit(podium, truth, "--kind", "truth").code == 0
    assert names(tmp_path / "inbox" / "league" / "truth") == ["truth.csv"]


def test_a_board_that_is_not_there_or_takes_no_files(podium: Podium, tmp_path: Path) -> None:
    path = str(write(tmp_path / "good.csv", *GOOD))
    assert (
        error(podium("submit", "cup", path), 2)
        == "no board 'cup' is declared; known: coding_models, league, reading, sp500, sp500_risk"
    )
    assert error(podium("submit", "sp500", path), 2).startswith("board 'sp500' takes no files")
    assert error(submit(podium, tmp_path / "gone.csv"), 2).endswith("does not exist; give the path of a file")
