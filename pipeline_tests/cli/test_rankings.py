"""``podium rankings``: from files to a printed ranking, and what a person decides of sources and names."""

import functools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import pipeline.definitions
from pipeline.components import trees
from pipeline.intake.decisions import decisions_of
from pipeline.intake.sources import Archive, take
from pipeline.landing.fetching import FetchLog, Snapshots
from pipeline.rankings.finding import kept_as
from pipeline.settings import settings
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.rankings_graph import LISTED, MODELS, ranking
from pipeline_tests.toy_sources import Listed, listed

MINE = {"acme/model-a": 71.0, "acme/model-h": 77.0, "Gamma Chat": 99.0, "Gamma Chatty": 98.0}
PARTIAL = dict(list(MODELS.items())[:3])
SOURCES: Mapping[str, dict[str, Any]] = {
    "arena": {"source": LISTED, "options": {"name": "arena"}},
    "mine": {"source": LISTED, "options": {"name": "mine", "benchmark": "mbpp_plus"}},
    "other": {"source": LISTED, "options": {"name": "other"}},
}
BOARD = ("--board", "small")


def write(folder: Path, source: str, content: bytes) -> None:
    (folder / source).mkdir(parents=True, exist_ok=True)
    (folder / source / "list.json").write_bytes(content)


def declare(folder: Path, name: str = "small", **changes: Any) -> None:
    """Declare the ranking in a folder of one's own."""
    place = folder / name
    place.mkdir(parents=True)
    declared = ranking(**({"sources": SOURCES, "name": name} | changes))
    attributes = json.loads(declared.model_dump_json(exclude_defaults=True))
    declared = {"type": "pipeline.components.LlmRankings", "attributes": attributes}
    (place / "defs.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    trees.own_tree.cache_clear()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[Path]:
    """A data folder, and beside it files of two sources, one that belongs to none, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DEFS_DIR", str(folder / "boards"))
        patch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
        settings.cache_clear()
        patch.setattr(pipeline.definitions, "defs", functools.cache(pipeline.definitions.defs))
        declare(folder / "boards")
        files = folder / "files"
        write(files, "arena", listed(MODELS))
        write(
            files,
            "mine",
            listed(MINE).replace(b'"name": "Gamma Chat"', b'"name": "Gamma Chat", "title": "Gamma (1st)"'),
        )
        write(files, "other", b"{}")
        write(files, "nobody", listed(MODELS))
        yield folder
    trees.own_tree.cache_clear()
    settings.cache_clear()


@pytest.fixture(scope="module")
def taken(data: Path) -> command.Outcome:
    return command.podium("rankings", "small", "--from", str(data / "files"), "--top", "3", data_dir=data)


@pytest.fixture
def podium(data: Path, taken: command.Outcome) -> Podium:
    """The command after the files were taken in."""
    assert taken.code == 2, taken
    return partial(command.podium, data_dir=data)


def test_before_anything_is_published_it_says_what_to_run(data: Path, tmp_path: Path) -> None:
    told = "ranking 'small' is not published yet; `podium run small` makes and publishes it"
    assert error(command.podium("rankings", "small", data_dir=tmp_path), 2) == told
    several = "2 rankings of language models are declared: coding_models, small; name one"
    assert error(command.podium("rankings", data_dir=tmp_path), 2) == several


def test_files_become_a_ranking_and_what_is_not_taken_is_told(taken: command.Outcome, data: Path) -> None:
    lines = taken.out.splitlines()
    assert lines[:4] == [
        "✓ arena: 8 figures of 8 names",
        "✓ mine: 4 figures of 4 names",
        "✗ other: refused: files in files/other: list.json has no list of models",
        "✗ nobody: no source of small is called so, and it is left alone",
    ]
    assert "8 models ranked; the first 3 are shown (--top)." in lines
    assert [row[:3] for row in taken.table[1:4]] == [
        ["1", "–", "model-h"],
        ["2", "–", "model-g"],
        ["3", "–", "model-f"],
    ]
    assert lines[-1].startswith("Refused: other; 2 sources taken. Why is said above; ")
    sources = {row[0]: row for row in taken.table if row[0] in SOURCES}
    assert sources["arena"][1] == "files"
    written = max(path.stat().st_mtime for path in (data / "files" / "arena").iterdir())
    day = f"{datetime.fromtimestamp(written, UTC):%Y-%m-%d}"
    assert sources["arena"][-1] == f"taken from files in files/arena; as of {day}, by the files"
    assert sources["other"][1] == "missing"
    assert (data / "archive" / "llm" / kept_as(Listed("arena")) / "fetches.jsonl").exists()


def test_the_same_files_again_are_nothing_new(podium: Podium, data: Path) -> None:
    outcome = podium("rankings", "small", "--from", str(data / "files"))
    assert outcome.code == 2
    assert "✓ arena: 8 figures of 8 names, as they were" in outcome.out
    recomputed = [line for line in outcome.out.splitlines() if line.startswith("✓ small/")]
    assert len(recomputed) == 12
    assert all(line.endswith("nothing new: 0 cycles recomputed") for line in recomputed)


def test_files_of_which_nothing_is_refused_are_no_error(podium: Podium, data: Path) -> None:
    write(data / "fine", "arena", listed(MODELS))
    outcome = podium("rankings", "small", "--from", str(data / "fine"), "--json")
    assert (outcome.code, outcome.json["refused"], len(outcome.json["rows"])) == (0, [], 8)
    write(data / "fine", "other", b"{}")
    outcome = podium("rankings", "small", "--from", str(data / "fine"), "--json")
    assert (outcome.code, outcome.json["refused"]) == (2, ["other"])


def test_json_has_every_model_and_every_source(podium: Podium) -> None:
    found = podium("rankings", "small", "--json").json
    assert (found["name"], found["rank_by"], found["n_models"]) == ("small", "coding", 8)
    assert [row["rank"] for row in found["rows"]] == list(range(1, 9))
    assert {one["source"]: one["status"] for one in found["sources"]} == {
        "arena": "files",
        "mine": "files",
        "other": "missing",
    }


def test_models_are_sorted_by_what_is_asked_for_those_without_it_last(podium: Podium) -> None:
    rows = podium("rankings", "small", "--sort", "title", "--json").json["rows"]
    assert [row["title"] for row in rows] == [f"model-{letter}" for letter in "abcdefgh"]
    told = error(podium("rankings", "small", "--sort", "price_in"), 2)
    assert told.startswith("--sort 'price_in' is no key; known: rank, ability, coding, ")


@pytest.mark.parametrize("made", ["missing", "empty"])
def test_a_folder_without_anything_of_a_source_is_wrong_input(podium: Podium, tmp_path: Path, made: str) -> None:
    (tmp_path / "empty").mkdir()
    told = error(podium("rankings", "small", "--from", str(tmp_path / made)), 2)
    assert told.startswith(f"--from {tmp_path / made}: ")
    assert told.endswith("name a folder with files in <source>/" if made == "missing" else "known: arena, mine, other")


def test_other_commands_know_the_kind(podium: Podium, tmp_path: Path) -> None:
    board = podium("leaderboard", "small", "--json").json
    assert board["rows"][0]["model"] == "acme/model-h"
    told = error(podium("leaderboard", "small", "--as-of", "2026-01-01"), 2)
    assert told == "'small' is a ranking of language models, which has no --as-of; leave it out"
    told = error(podium("leaderboard", "small", "--format", "board"), 2)
    assert told.startswith("'small' is a ranking of language models: it has no runs and topics to write")
    told = error(podium("submit", "small", str(tmp_path / "x.csv")), 2)
    assert told.startswith("board 'small' is a ranking; it is made of what sources publish; `podium rankings small --f")
    told = error(podium("evaluations", "small"), 2)
    assert told == "board 'small' is of kind 'llm', which has no evaluation sets"

    (state,) = podium("status", "small", "--json").json["boards"]
    assert (state["state"], state["kind"], state["ranked_models"]) == ("fresh", "llm", 8)
    assert state["sources"] == {"arena": "files", "mine": "files", "other": "missing"}
    shown = podium("status", "small").out
    assert "8 ranked models" in shown
    assert "board small: it is made without other: " in shown
    looks = {one["source"]: one for one in state["looks"]}
    assert (looks["arena"]["state"], looks["arena"]["figures"], looks["arena"]["why_not"]) == (
        "fresh",
        "files",
        "fetching is off (PODIUM_FETCH)",
    )
    assert (looks["other"]["state"], looks["other"]["next_look"]) == ("missing", None)
    sources = {row[0]: row for row in podium("status", "small").table if row[0] in SOURCES}
    assert [sources[name][1:3] for name in SOURCES] == [["fresh", "files"], ["fresh", "files"], ["missing", "missing"]]
    fresh = podium("sql", "SELECT table_name FROM marts.freshness WHERE board = 'small'", "--json").json
    assert {"leaderboard", "snapshots", "fetch_status"} <= {row["table_name"] for row in fresh}


def test_names_that_wait_for_a_decision_are_listed(podium: Podium) -> None:
    found = podium("rankings", "aliases", *BOARD, "--json").json
    assert [(one["source"], one["raw_name"], one["status"]) for one in found] == [
        ("mine", "Gamma Chat", "unmatched"),
        ("mine", "Gamma Chatty", "unmatched"),
    ]
    assert [one["title"] for one in found] == ["Gamma (1st)", None]
    shown = {row[1]: row[2] for row in podium("rankings", "aliases", *BOARD).table if row[0] == "mine"}
    assert shown == {"Gamma Chat": "Gamma (1st)", "Gamma Chatty": "–"}
    accepted = podium("rankings", "aliases", "list", *BOARD, "--status", "accepted", "--source", "mine", "--json").json
    assert [one["model"] for one in accepted] == ["acme/model-a", "acme/model-h"]
    assert "2 accepted, 2 unmatched." in podium("rankings", "aliases", *BOARD, "--source", "mine").out
    told = error(podium("rankings", "aliases", *BOARD, "--source", "mien"), 2)
    assert told == "no source 'mien' has names of models; known: arena, mine"
    told = error(podium("rankings", "aliases", *BOARD, "--status", "open"), 2)
    assert told == "--status 'open' is none; known: accepted, rejected, pending, unmatched"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mine", "Gamma Cat", "acme/model-b"), "mine has no single model called 'Gamma Cat'; like it: 'Gamma Chat'"),
        (("mien", "Gamma Chat", "acme/model-b"), "no source 'mien' has names of models; known: arena, mine"),
        (("mine", "Gamma Chat", "model-b"), "'model-b' is no release; write vendor/model; like it: 'acme/model-b'"),
        (("mine", "Gamma Chat", "acme/modelb"), "no release is called 'acme/modelb'; like it: 'acme/model-b'"),
    ],
)
def test_a_decision_about_what_is_not_there_names_what_is_near(
    podium: Podium, arguments: tuple[str, ...], told: str
) -> None:
    found = error(podium("rankings", "aliases", "accept", *arguments, "--because", "x", *BOARD), 2)
    assert found.startswith(told)


def test_decisions_are_added_to_the_file(podium: Podium, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(data))
    accepted = podium(
        *("rankings", "aliases", "accept", "mine", "Gamma Chat", "acme/model-b", "--because", "https://acme.test"),
        *BOARD,
    )
    assert accepted.code == 0, accepted
    assert "It counts at the next run: podium run small" in accepted.out
    new = ("rankings", "aliases", "accept", "mine", "Gamma Chatty", "acme/chatty", "--because", "its page")
    assert "for one that no catalogue has: --new" in error(podium(*new, *BOARD), 2)
    assert podium(*new, "--new", *BOARD).code == 0
    rejected = podium("rankings", "aliases", "reject", "mine", "acme/model-a", "--because", "a namesake", *BOARD)
    assert "acme/model-a of mine does not mean any release" in rejected.out
    assert "--because is empty" in error(
        podium("rankings", "aliases", "reject", "mine", "acme/model-a", "--because", " ", *BOARD), 2
    )
    lines = (data / "rankings" / "small" / "aliases.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:4] for line in lines] == [
        ["source", "raw_name", "model", "status"],
        ["mine", "Gamma Chat", "acme/model-b", "accepted"],
        ["mine", "Gamma Chatty", "acme/chatty", "accepted"],
        ["mine", "acme/model-a", "", "rejected"],
    ]
    decided = decisions_of(ranking(SOURCES))
    assert [(one.release_id, one.status.value) for one in decided] == [
        ("acme/model-b", "accepted"),
        ("acme/chatty", "accepted"),
        ("", "rejected"),
    ]


def test_what_the_guards_refused_can_be_accepted_with_a_reason(podium: Podium, data: Path) -> None:
    told = error(podium("rankings", "accept", "arena", "--because", "x"), 2)
    assert told.startswith("source 'arena' has nothing to accept: its newest snapshot, ")
    write(data / "less", "arena", listed(PARTIAL))
    found = take(Listed("arena"), archive(data), data / "less" / "arena")
    assert found.event == "refused"

    outcome = podium("rankings", "accept", "arena", "--because", "it was cut")

    assert outcome.out.startswith(f"Accepted: {found.snapshot} of arena. It counts at the next run: podium run ")
    noted = archive(data).log.newest(kept_as(Listed("arena")))
    assert noted is not None
    assert (noted.event, noted.why, noted.snapshot) == ("accepted", "it was cut", found.snapshot)
    good = archive(data).snapshots.last_good(kept_as(Listed("arena")))
    assert good is not None
    assert good.name == found.snapshot
    own = {"sources": {"epoch": {"source": LISTED, "options": {"name": "epoch"}}}, "name": "own_epoch"}
    declare(data / "boards", **own)
    told = error(podium("rankings", "accept", "epoch", "--because", "x"), 2)
    assert told == (
        "rankings coding_models, own_epoch have different sources that are called 'epoch'; name one: --board"
    )
    told = error(podium("rankings", "accept", "epoch", "--because", "x", "--board", "own_epoch"), 2)
    assert told.startswith("source 'epoch' has nothing to accept: nothing is kept of it")
    told = error(podium("rankings", "accept", "arean", "--because", "x"), 2)
    assert told.startswith("no ranking has a source 'arean'; known: aider, arena, ")


def archive(data: Path) -> Archive:
    return Archive(Snapshots(data / "archive" / "llm", 5), FetchLog(data / "archive" / "llm"))
