"""A judged track in the command: run, shown, told of in the status; declared in a folder of one's own."""

import functools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

import pipeline.definitions
from pipeline.components import trees
from pipeline.settings import settings
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.components.test_judged_track import RUNS, values_of
from pipeline_tests.track_graph import write_run

DECLARED = {
    "name": "robust",
    "title": "A track",
    "primary": "map",
    "judges": ["umbrela"],
    "correlations": {"methods": ["kendall", "spearman"], "resamples": 20},
}


def declare(folder: Path, **changes: object) -> None:
    """Declare the track in a folder of one's own, which the next command reads anew."""
    place = folder / "robust"
    place.mkdir(parents=True, exist_ok=True)
    declared = {"type": "pipeline.components.JudgedTrack", "attributes": DECLARED | changes}
    (place / "defs.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    trees.own_tree.cache_clear()


def write_files(data: Path) -> Path:
    """The files of both boards; that of the official one is returned."""
    official = data / "inbox" / "robust" / "official"
    for run in RUNS:
        write_run(official, run, values_of(run))
        write_run(data / "inbox" / "robust" / "judges" / "umbrela", run, values_of(run, -0.05))
    return official


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[Path]:
    """A data folder in which the track was run once, by definitions that are loaded once."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DEFS_DIR", str(folder / "boards"))
        patch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
        patch.setattr(pipeline.definitions, "defs", functools.cache(pipeline.definitions.defs))
        declare(folder / "boards")
        write_files(folder)
        yield folder
    trees.own_tree.cache_clear()
    settings.cache_clear()


@pytest.fixture(scope="module")
def first_run(data: Path) -> command.Outcome:
    return command.podium("run", "robust", data_dir=data)


@pytest.fixture
def podium(data: Path, first_run: command.Outcome) -> Podium:
    """The command after that run."""
    assert first_run.code == 0, first_run
    return partial(command.podium, data_dir=data)


def test_a_run_makes_the_board_publishes_and_shows_it(first_run: command.Outcome) -> None:
    assert first_run.code == 0, first_run.err
    assert "official board by map, 12 topics" in first_run.out
    assert "How well each judge predicts this ranking" in first_run.out
    assert "0 cycles and 6 whole tables recomputed" in first_run.out
    assert "FROM robust.leaderboard" in first_run.out


def test_run_again_it_does_nothing_and_says_so(podium: Podium) -> None:
    outcome = podium("run", "robust")
    assert outcome.code == 0
    assert "Nothing new: 0 cycles recomputed" in outcome.out


def test_every_question_to_try_has_an_answer(podium: Podium, first_run: command.Outcome) -> None:
    asked = [line.partition(" sql ")[2].strip('"') for line in first_run.out.splitlines() if " sql " in line]
    assert len(asked) == 3
    for query in asked:
        outcome = podium("sql", query, "--json")
        assert outcome.code == 0, outcome.err
        assert outcome.json


def test_the_published_file_has_views_of_the_track(podium: Podium) -> None:
    rows = podium("sql", "SELECT run_id, rank FROM robust.leaderboard WHERE judge = 'official' ORDER BY rank", "--json")
    assert [tuple(row.values()) for row in rows.json] == [("delta", 1), ("gamma", 2), ("beta", 3), ("alpha", 4)]
    kind = podium("sql", "SELECT kind FROM catalog.boards WHERE board = 'robust'", "--json")
    assert kind.json == [{"kind": "judging"}]


def test_a_board_is_printed_with_how_well_judges_predict_it(podium: Podium) -> None:
    outcome = podium("leaderboard", "robust")
    assert outcome.table[0] == ["rank", "could be", "run", "map"]
    assert [row[2] for row in outcome.table[1:5]] == ["delta", "gamma", "beta", "alpha"]
    assert outcome.table[6][:2] == ["umbrela", "map"]
    assert outcome.table[6][2].startswith("+1.000")


def test_the_board_of_a_judge_is_printed_when_asked_for(podium: Podium) -> None:
    found = podium("leaderboard", "robust", "--judge", "umbrela", "--limit", "1", "--json").json
    assert (found["judge"], found["measure"], len(found["rows"])) == ("umbrela", "map", 1)
    assert found["rows"][0]["run_id"] == "delta"
    assert "known: official, umbrela" in error(podium("leaderboard", "robust", "--judge", "crowd"), 2)


@pytest.mark.parametrize("option", [("--as-of", "2024-01-01"), ("--category", "horizon=1"), ("--include-ensembles",)])
def test_what_only_competitions_have_is_refused(podium: Podium, option: tuple[str, ...]) -> None:
    assert f"'robust' is a judged track, which has no {option[0]}" in error(podium("leaderboard", "robust", *option), 2)


@pytest.mark.parametrize("judge", ["official", "umbrela"])
def test_its_boards_are_written_for_the_board_commands_as_they_are(podium: Podium, tmp_path: Path, judge: str) -> None:
    path = str(tmp_path / "board.jsonl")
    assert podium("leaderboard", "robust", "--format", "board", "--judge", judge, "--out", path).code == 0
    shown = podium("board", "show", path, "--json").json
    printed = podium("leaderboard", "robust", "--judge", judge, "--json").json
    assert shown["ranked_by"] == printed["measure"]
    ranked = {run["run_id"]: (run["rank"], run["aggregates"]["map"]) for run in shown["runs"]}
    assert ranked == {row["run_id"]: (row["rank"], row["value"]) for row in printed["rows"]}
    assert set(ranked) == set(RUNS)
    again = podium("board", "show", path, "--recompute", "--json").json["runs"]
    assert [run["aggregates"]["map"] for run in again] == pytest.approx(
        [run["aggregates"]["map"] for run in shown["runs"]], abs=1e-12
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--judge", "nobody"), "track 'robust' has no board 'nobody' yet; known: official, umbrela"),
        (("--window", "all"), "'robust' is a judged track, which has no --window; leave it out"),
        (("--topics", "subject"), "'robust' is a judged track, which has no --topics; leave it out"),
        (("--as-of", "2020-01-01"), "'robust' is a judged track, which has no --as-of; leave it out"),
    ],
)
def test_what_a_board_of_a_track_does_not_have_is_refused(
    podium: Podium, option: tuple[str, str], message: str
) -> None:
    assert error(podium("leaderboard", "robust", "--format", "board", *option), 2) == message


def test_commands_for_predictions_say_that_a_track_takes_none(podium: Podium, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("a\n1\n")
    assert "board 'robust' is a judged track; its files are not submitted" in error(
        podium("check", str(file), "--board", "robust"), 2
    )
    assert "'robust' is no competition" in error(podium("backtest", "robust", str(file)), 2)


def test_the_status_of_a_track_tells_its_files(podium: Podium, data: Path) -> None:
    (found,) = podium("status", "robust", "--json").json["boards"]
    assert (found["kind"], found["state"]) == ("judging", "fresh")
    assert found["files"] == {"accepted": 8, "refused": 0, "waiting": 0, "gone": 0}
    assert found["runs"] == {"official": 4, "umbrela": 4}

    official = data / "inbox" / "robust" / "official"
    kept = (official / "alpha.eval").read_bytes()
    try:
        (official / "omega.eval").write_text("map\t301\thalf\n")
        (official / "alpha.eval").unlink()
        (found,) = podium("status", "robust", "--json").json["boards"]
        assert found["files"] == {"accepted": 8, "refused": 0, "waiting": 1, "gone": 1}
        assert podium("run", "robust").code == 0
        outcome = podium("status", "robust", "--json")
        (found,) = outcome.json["boards"]
        assert found["files"] == {"accepted": 7, "refused": 1, "waiting": 0, "gone": 0}
        note, failing = outcome.json["notes"]
        assert failing.startswith("robust/files: check ")
        assert note.startswith("board robust: official is made without inbox/robust/official/omega.eval: ")
        assert "omega.eval:1: map is 'half'" in note
        shown = podium("status", "robust").out
        assert "1 refused" in shown
        assert "official is made without" in shown
        assert "official is made without" in podium("run", "robust").out
    finally:
        (official / "omega.eval").unlink()
        (official / "alpha.eval").write_bytes(kept)
        podium("run", "robust")


def test_files_for_a_judge_that_is_not_declared_are_strays(podium: Podium, data: Path) -> None:
    stray = write_run(data / "inbox" / "robust" / "judges" / "crowd", "alpha", values_of("alpha"))
    try:
        (note,) = podium("status", "robust", "--json").json["notes"]
        assert "1 file in the inbox where no board looks, such as robust/judges/crowd/alpha.eval" in note
    finally:
        stray.unlink()


def test_before_it_ran_a_track_is_empty_and_its_files_wait(data: Path, tmp_path: Path) -> None:
    write_files(tmp_path)
    (found,) = command.podium("status", "robust", "--json", data_dir=tmp_path).json["boards"]
    assert (found["state"], found["files"]["waiting"], found["runs"]) == ("empty", 8, {})
