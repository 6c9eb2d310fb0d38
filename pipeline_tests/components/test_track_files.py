"""Which files a track's boards are made of: in the inbox or where they are named, whatever is wrong with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.components.track_files import TrackFile, state_of, track_files
from pipeline.settings import settings
from pipeline_tests.track_graph import track


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder whose name looks like a pattern."""
    folder = tmp_path / "data[1]"
    folder.mkdir()
    monkeypatch.setenv("PODIUM_DATA_DIR", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


def write(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def official(*named: str) -> list[TrackFile]:
    """The files of the official board, where these are named."""
    return [one for one in track_files(track(official={"files": list(named)}, judges=[]))]


def test_without_a_name_they_are_those_in_the_inbox(data: Path) -> None:
    for place in ("official/b.eval", "official/a.eval", "judges/umbrela/c.tot", "judges/other/d.tot", "e.eval"):
        write(data / "inbox" / "robust" / place)
    for left_alone in (".hidden", "half.part", "folder/x.eval"):
        write(data / "inbox" / "robust" / "official" / left_alone)

    found = track_files(track())

    assert [(one.judge, one.name) for one in found] == [
        ("official", "inbox/robust/official/a.eval"),
        ("official", "inbox/robust/official/b.eval"),
        ("umbrela", "inbox/robust/judges/umbrela/c.tot"),
    ]


def test_a_file_a_folder_or_a_pattern_may_be_named(data: Path, tmp_path: Path) -> None:
    for place in (
        "data[1]/runs/a.eval",
        "data[1]/runs/b.tot",
        "data[1]/runs/.c",
        "away/d.eval",
        "away/e.txt",
        "home/f.eval",
    ):
        write(tmp_path / place)

    def names(*named: str) -> list[str]:
        return [one.name for one in official(*named)]

    assert names("runs") == names("runs/*") == ["runs/a.eval", "runs/b.tot"]
    assert names("runs/*.eval", "runs/a.eval") == ["runs/a.eval"]
    assert names("r*/[ab].*") == ["runs/a.eval", "runs/b.tot"]
    assert names(str(tmp_path / "away" / "*.eval"), "runs/b.tot") == ["away/d.eval", "runs/b.tot"]
    assert names("~/f.eval") == ["home/f.eval"]
    assert names("runs/*.jsonl") == []


def test_files_of_the_same_name_in_folders_of_the_same_name_are_told_by_their_paths(data: Path, tmp_path: Path) -> None:
    paths = [str(write(tmp_path / place / "runs" / "a.eval")) for place in ("x", "y")]
    assert [one.name for one in official(*paths)] == paths


def test_a_file_that_is_not_there_is_listed_and_says_so(data: Path) -> None:
    (missing,) = official("gone.eval")
    assert missing.is_settled
    assert missing.content().reason == "there is no such file"


def test_a_link_is_followed_where_it_is_named_and_refused_in_the_inbox(data: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "away" / "a.eval", "secret")
    for place in ("named.eval", "inbox/robust/official/a.eval"):
        link = data / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    (named,) = official("named.eval")
    (dropped,) = track_files(track(judges=[]))

    assert named.content().reason is None
    assert "it is no regular file, such as a link" in str(dropped.content().reason)
    assert dropped.content().sha256 is None


def test_the_file_that_names_topics_is_one_of_them(data: Path) -> None:
    write(data / "qrels.txt")
    write(data / "a.eval")
    found = track_files(track(official={"files": "a.eval", "qrels": "qrels.txt"}, judges=[]))
    assert [(one.role, one.name) for one in found] == [("topics", "qrels.txt"), ("results", "a.eval")]


def test_the_state_is_another_one_when_a_file_is_added_changed_or_taken_away(data: Path) -> None:
    path = write(data / "runs" / "a.eval")
    states = [state_of(official("runs"))]
    assert state_of(official("runs")) == states[0]
    write(path, "other")
    states.append(state_of(official("runs")))
    write(data / "runs" / "b.eval")
    states.append(state_of(official("runs")))
    path.unlink()
    states.append(state_of(official("runs")))
    assert len(set(states)) == 4
