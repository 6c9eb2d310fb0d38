"""``podium hub``: from a hub's folder to its boards, what is new the second time, and what is wrong with a hub."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml
from upath import UPath

from pipeline.competition import Contract
from pipeline.competition.hub import contest_of
from pipeline.components.trees import contracts_in, tree_of
from pipeline.reports.queries import contents
from pipeline.warehouse import open_published
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Outcome, Podium, error
from pipeline_tests.competition.hub.toy_hub import (
    COUNTS,
    put_outcomes,
    put_submission,
    submission,
    write_hub,
)
from pipeline_tests.reports.served import served

COUNT, CHANGE = "toy_hub_count", "toy_hub_change"


def fill(hub: Path) -> Path:
    """Three models, one of which breaks a rule and one of which submitted half."""
    write_hub(hub)
    put_submission(hub, "team-baseline")
    wider = submission()
    quantiles = wider["output_type"] == "quantile"
    wider.loc[quantiles, "value"] = (wider.loc[quantiles, "value"].astype(float) * 2).astype(str)
    put_submission(hub, "team-wide", wider)
    put_submission(hub, "team-half", submission().query("location == 'US'"))
    broken = submission()
    broken.loc[broken["location"] == "01", "value"] = "-1"
    put_submission(hub, "team-broken", broken)
    put_outcomes(hub, COUNTS)
    return hub


@dataclass(frozen=True)
class Shown:
    """A hub, and what the first two looks at it said."""

    hub: Path
    data: Path
    first: Outcome
    second: Outcome


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("hub")
    hub, data = fill(folder / "hub"), folder / "data"
    podium = partial(command.podium, data_dir=data)
    return Shown(hub, data, podium("hub", str(hub)), podium("hub", str(hub)))


@pytest.fixture
def podium_hub(shown: Shown, tmp_path: Path) -> Podium:
    """The command on a copy of what the first look left."""
    shutil.copytree(shown.data, tmp_path / "data", symlinks=True)
    return partial(command.podium, "hub", data_dir=tmp_path / "data")


@pytest.fixture
def empty(tmp_path: Path) -> Podium:
    return partial(command.podium, "hub", data_dir=tmp_path / "data")


def test_each_target_has_a_board_and_says_what_was_refused_and_who_is_excluded(shown: Shown) -> None:
    assert shown.first.code == 0, shown.first.err
    out = shown.first.out
    assert "Toy hub: count: all rounds" in out
    assert "Toy hub: change: all rounds" in out
    assert "ranked by wis_scaled_relative_skill" in out
    assert "excluded: team-half: submitted 50 % of 4 tasks; 75 % needed" in out
    assert (
        "Refused by rule value: 6 rows of 1 file\n"
        "  model-output/team-broken/2024-12-14-team-broken.csv: value '-1' is below 0\n"
    ) in out
    assert "team-baseline" in out


def test_every_file_that_is_refused_whole_is_named_with_its_own_reason(empty: Podium, tmp_path: Path) -> None:
    hub = fill(tmp_path / "hub")
    folder = hub / "model-output" / "team-wide"
    (folder / "14-12-2024-team-wide.csv").write_text("")
    (folder / "2024-12-21-team-wide.csv").write_text("")
    outcome = empty(str(hub), "--target", "count")
    assert (
        "Refused by rule file: 2 files\n"
        "  model-output/team-wide/14-12-2024-team-wide.csv: its name is not <round>-<team>-<model>.csv\n"
        "  model-output/team-wide/2024-12-21-team-wide.csv: cannot be read: it is empty\n"
    ) in outcome.out


def test_it_says_where_the_published_file_is_and_what_to_ask_it(shown: Shown) -> None:
    (said,) = [line for line in shown.first.out.splitlines() if "Published: " in line]
    assert said.startswith("Done in ")
    published = Path(said.partition("Published: ")[2])
    assert published.is_file()
    assert published.is_relative_to(shown.data / "hubs" / "toy_hub")
    queries = [
        line.partition("podium sql ")[2].strip('"') for line in shown.first.out.splitlines() if "podium sql" in line
    ]
    assert len(queries) == 2
    for query in queries:
        answer = command.podium("sql", query, "--json", data_dir=shown.data / "hubs" / "toy_hub")
        assert answer.code == 0, answer.err
        assert answer.json


def test_it_says_how_to_see_its_boards_and_these_link_to_their_evaluation_sets(shown: Shown) -> None:
    folder = shown.data / "hubs" / "toy_hub"
    assert f"  PODIUM_DATA_DIR={folder} podium serve" in shown.first.out.splitlines()
    with served(folder / "published") as client:
        page = client.get(f"/boards/{COUNT}").text
        link = f"/boards/{COUNT}/evaluations/all%20rounds"
        assert f'href="{link}"' in page
        assert client.get(link).status_code == client.get(f"{link}?by=horizon").status_code == 200


def test_readers_find_what_became_of_the_files(shown: Shown) -> None:
    with open_published(shown.data / "hubs" / "toy_hub" / "published") as connection:
        files = contents(connection, COUNT).files
        (refused,) = connection.execute(
            "SELECT original FROM quarantine.rows WHERE competition = ? LIMIT 1", [COUNT]
        ).fetchall()
    assert (files.landed, files.unreadable, files.rows_accepted, files.rows_rejected) == (4, 0, 12 + 12 + 6 + 6, 6)
    assert refused == (None,)  # what a row said is not published


def test_the_main_warehouse_is_left_alone(shown: Shown) -> None:
    assert sorted(path.name for path in shown.data.iterdir()) == ["hubs"]


def test_a_second_time_nothing_is_new(shown: Shown) -> None:
    assert shown.second.code == 0, shown.second.err
    assert "Nothing new: 0 rounds read" in shown.second.out
    assert "✓" not in shown.second.out


def test_json_has_boards_refusals_and_paths(shown: Shown, podium_hub: Podium) -> None:
    found = podium_hub(str(shown.hub), "--json").json
    assert found["hub"] == "Toy hub"
    assert set(found["boards"]) == {"count", "change"}
    board = found["boards"]["count"]
    by_model = {row["model_id"]: row for row in board["rows"]}
    # Of 5, 6 and 1, with quantiles 1, 5 and 9.
    levels = ((0.1, 1), (0.5, 5), (0.9, 9))
    wis = [sum(2 * max(level * (y - q), (level - 1) * (y - q)) for level, q in levels) / len(levels) for y in (5, 6, 1)]
    assert by_model["team-baseline"]["values"]["wis"]["value"] == pytest.approx(sum(wis) / 3)
    assert by_model["team-baseline"]["values"]["wis_scaled_relative_skill"]["value"] == pytest.approx(1)
    assert [one["model_id"] for one in board["excluded"]] == ["team-broken", "team-half"]
    assert found["refused"][COUNT][0]["rule"] == "value"
    assert found["refused"][COUNT][0]["n_rows"] == 6
    assert Path(found["published"]).is_file()


def test_what_is_new_is_read_and_nothing_else(shown: Shown, podium_hub: Podium, tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    shutil.copytree(shown.hub, hub)
    assert podium_hub(str(hub), "--json").code == 0  # another folder: its files are read once
    put_submission(hub, "team-baseline", round_id="2024-12-21")
    outcome = podium_hub(str(hub), "--target", "count")
    assert "1 cycle, 2024-12-21: new, or inputs or code changed" in outcome.out
    assert "Toy hub: change" not in outcome.out


def test_a_board_as_of_a_day_before_anything_was_known_says_so(shown: Shown, podium_hub: Podium) -> None:
    outcome = podium_hub(str(shown.hub), "--as-of", "2024-12-20", "--target", "count")
    assert outcome.code == 0, outcome.err
    assert (
        "No value: no outcome was known by 2024-12-20; this hub does not say since when its outcomes are known"
        in outcome.out
    )


def test_a_board_as_of_a_day_before_the_first_deadline_says_so(shown: Shown, podium_hub: Podium) -> None:
    outcome = podium_hub(str(shown.hub), "--as-of", "2024-01-01", "--target", "count")
    assert outcome.code == 0, outcome.err
    assert "No value: no round with a forecast had its deadline by 2024-01-01." in outcome.out


def test_a_board_as_of_a_past_date_is_made_of_what_was_known_then(empty: Podium, tmp_path: Path) -> None:
    hub = fill(tmp_path / "hub")
    put_outcomes(hub, "location,target_end_date,target,oracle_value\nUS,2024-12-14,count,5\n")
    series = (
        "target,date,location,observation,as_of\ncount,2024-12-14,US,{},2024-12-18\ncount,2024-12-14,US,5,2025-01-01\n"
    )
    put_outcomes(hub, series.format(8), "time-series.csv")

    def median_error(*options: str) -> float:
        board = empty(str(hub), "--target", "count", "--json", *options).json["boards"]["count"]
        (row,) = (row for row in board["rows"] if row["model_id"] == "team-baseline")
        return row["values"]["ae_median"]["value"]

    assert median_error() == pytest.approx(0)
    assert median_error("--as-of", "2024-12-31") == pytest.approx(3)
    put_outcomes(hub, series.format(8) + "count,2024-12-14,US,7,2025-02-01\n", "time-series.csv")
    put_outcomes(hub, "location,target_end_date,target,oracle_value\nUS,2024-12-14,count,7\n")
    assert median_error() == pytest.approx(2)
    assert median_error("--as-of", "2025-01-31") == pytest.approx(0)
    assert median_error("--as-of", "2024-12-31") == pytest.approx(3)


def test_declared_boards_are_what_the_command_showed(
    shown: Shown, podium_hub: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path / "boards"))
    (tmp_path / "boards").mkdir()
    outcome = podium_hub(str(shown.hub), "--declare")
    assert outcome.out.count("Declared: ") == 2
    for target, name in (("count", COUNT), ("change", CHANGE)):
        path = tmp_path / "boards" / name / "defs.yaml"
        declared = yaml.safe_load(path.read_text())
        assert declared["type"] == "pipeline.components.Competition"
        assert Contract.model_validate(declared["attributes"]) == contest_of(shown.hub, target).contract
        (loaded,) = contracts_in([tree_of(path.parent)])
        assert loaded.name == name
    again = podium_hub(str(shown.hub), "--declare", "--json").json
    assert [one["is_new"] for one in again["declared"]] == [False, False]


def test_a_hub_behind_a_url_has_boards_too_and_a_schedule(
    shown: Shown, empty: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path))
    there = UPath("memory://toy-hub-of-test-hub")
    for path in shown.hub.rglob("*"):
        if path.is_file():
            target = there / path.relative_to(shown.hub).as_posix()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    outcome = empty(str(there), "--target", "count", "--declare", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["boards"]["count"]["rows"]
    attributes = yaml.safe_load((tmp_path / COUNT / "defs.yaml").read_text())["attributes"]
    assert attributes["predictions"]["path"] == str(there)
    assert attributes["schedule"] == "0 */6 * * *"


def test_what_is_wrong_is_one_line_and_wrong_input(shown: Shown, empty: Podium, tmp_path: Path) -> None:
    assert "is no hub: it has no hub-config/tasks.json" in error(empty(str(tmp_path)), 2)
    assert "cannot be opened: " in error(empty("nosuch://place/hub"), 2)
    said = error(empty(str(shown.hub), "--target", "counts"), 2)
    assert said == "Toy hub has no target 'counts'; known: count, change"
    said = error(empty(str(shown.hub), "--eval-set", "some rounds"), 2)
    assert said == "no evaluation set is called 'some rounds'; known: 'all rounds'"
    assert "--as-of '12/2024' is no date or time" in error(empty(str(shown.hub), "--as-of", "12/2024"), 2)


def test_a_hub_without_outcomes_or_submissions_says_which_it_lacks(empty: Podium, tmp_path: Path) -> None:
    hub = write_hub(tmp_path / "hub")
    assert "has no folder model-output" in error(empty(str(hub)), 2)
    (hub / "model-output").mkdir()
    assert "has no submission to any round of the hub" in error(empty(str(hub)), 2)
    put_submission(hub, "team-baseline")
    assert "target-data has no outcomes" in error(empty(str(hub)), 2)


def test_a_target_that_cannot_be_scored_does_not_keep_others_from_it(empty: Podium, tmp_path: Path) -> None:
    hub = fill(tmp_path / "hub")
    put_outcomes(hub, "location,target_end_date,target,oracle_value\nUS,2024-12-14,count,5\n")
    found = empty(str(hub), "--json").json
    assert list(found["boards"]) == ["count"]
    assert "has no outcomes of target 'change'" in found["not_scored"]["change"]
