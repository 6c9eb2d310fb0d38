"""Only whole files are found, in the order of arrival; nothing that a name or a link does can mislead."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.landing import deliver, strays
from pipeline.landing import inbox as inbox_module
from pipeline_tests.landing.notes import drop, waiting

ODD_NAMES = ["a b.csv", 'it\'s "so".csv', "line\nbreak.csv", "-rf.csv", "🦆.csv", "x" * 251 + ".csv", "$(id).csv"]


def test_files_come_by_folder_and_then_by_arrival(inbox: Path) -> None:
    for name, folder in (("z.csv", "truth"), ("y.csv", "models"), ("a.csv", "truth")):
        drop(inbox, "x", name, folder)
        time.sleep(0.02)

    assert [one.name for one in waiting(inbox, "models", "truth")] == ["y.csv", "z.csv", "a.csv"]


def test_an_inbox_that_is_not_there_is_empty(inbox: Path) -> None:
    assert waiting(inbox) == []


@pytest.mark.parametrize("name", [".hidden.csv", "a.csv.part", "a.tmp", "a.CRDOWNLOAD", "a.csv~"])
def test_hidden_and_unfinished_files_are_left_alone(inbox: Path, name: str) -> None:
    drop(inbox, "x", name)
    (inbox / "toy" / "truth" / "folder.csv").mkdir()

    assert waiting(inbox) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_found(inbox: Path, name: str) -> None:
    drop(inbox, "x", name)

    (found,) = waiting(inbox)
    assert found.name == name
    assert found.is_file


def test_a_name_that_is_no_utf8_is_shown_as_text(inbox: Path) -> None:
    drop(inbox, "x", os.fsdecode(b"M\xfcll.csv"))

    assert waiting(inbox)[0].name == "M\\xfcll.csv"


def test_arrival_cannot_be_set_back(inbox: Path) -> None:
    before = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)
    path = drop(inbox, "x")
    os.utime(path, (0, 0))

    (found,) = waiting(inbox)
    assert found.received_at > before
    assert found.changed_ns == path.stat().st_ctime_ns


def test_a_file_is_settled_when_it_has_not_changed_for_a_while(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(inbox, "x")
    (found,) = waiting(inbox)
    assert not found.is_settled

    monkeypatch.setattr(inbox_module, "SETTLED_SECONDS", 0.01)
    time.sleep(0.02)
    assert found.is_settled


def test_a_change_of_content_or_name_is_noticed(inbox: Path) -> None:
    path = drop(inbox, "x")
    (found,) = waiting(inbox)
    assert found.is_unchanged

    time.sleep(0.02)
    path.write_text("y")
    assert not found.is_unchanged
    path.unlink()
    assert not found.is_unchanged


def test_what_is_no_file_is_found_but_is_no_file(inbox: Path, tmp_path: Path) -> None:
    folder = drop(inbox, "x", "file.csv").parent
    (tmp_path / "secret.csv").write_text("a,b\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "dangling.csv").symlink_to(tmp_path / "nothing")
    (folder / "to_folder.csv").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.open(folder, os.O_RDONLY)
        unix.bind(f"/proc/self/fd/{here}/socket.csv")
        os.close(here)

    assert {one.name: one.is_file for one in waiting(inbox)} == {
        "file.csv": True,
        **dict.fromkeys(["link.csv", "dangling.csv", "to_folder.csv", "pipe.csv", "socket.csv"], False),
    }


def test_a_folder_that_is_a_link_is_not_entered(inbox: Path, tmp_path: Path) -> None:
    drop(tmp_path, "x", board="elsewhere")
    (inbox / "toy").mkdir(parents=True)
    (inbox / "toy" / "truth").symlink_to(tmp_path / "elsewhere" / "truth")

    assert waiting(inbox) == []


def test_a_file_that_goes_away_while_files_are_listed_is_not_missed(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(inbox, "x", "gone.csv")
    drop(inbox, "x", "here.csv")
    scandir = os.scandir

    def scandir_then_remove(path: Path):  # type: ignore[no-untyped-def]
        found = scandir(path)
        (path / "gone.csv").unlink()
        return found

    monkeypatch.setattr(os, "scandir", scandir_then_remove)
    assert {one.name for one in waiting(inbox)} <= {"here.csv"}


def test_a_copy_is_delivered_whole_and_none_is_overwritten(inbox: Path, tmp_path: Path) -> None:
    source = tmp_path / "a b.csv"
    source.write_text("1")
    paths = [deliver(source, inbox, "toy", "truth") for _ in range(3)]

    assert [path.name for path in paths] == ["a b.csv", "a b (2).csv", "a b (3).csv"]
    assert [path.read_text() for path in paths] == ["1"] * 3
    assert len(list(paths[0].parent.iterdir())) == 3


@pytest.mark.parametrize("name", [*ODD_NAMES, "ü" * 125 + ".csv", os.fsdecode(b"\xff" * 251 + b".csv")])
def test_a_copy_of_any_name_is_delivered_twice(inbox: Path, tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    source.write_text("1")
    first, second = (deliver(source, inbox, "toy", "truth", name) for _ in range(2))

    assert first.name == name
    assert second.name.endswith(" (2).csv")
    assert len(waiting(inbox)) == 2


@pytest.mark.parametrize("name", [".hidden.csv", "a.part", ".."])
def test_a_name_that_would_be_left_alone_is_not_delivered(inbox: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "source").write_text("1")

    with pytest.raises(ValueError, match="leaves alone"):
        deliver(tmp_path / "source", inbox, "toy", "truth", name)


def test_a_delivery_that_fails_leaves_nothing(inbox: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        deliver(tmp_path / "nothing.csv", inbox, "toy", "truth")

    assert list((inbox / "toy" / "truth").iterdir()) == []


def test_no_path_leads_out_of_the_folder(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("1")

    assert deliver(tmp_path / "source", inbox, "toy", "truth", "../../../x.csv") == inbox / "toy" / "truth" / "x.csv"


def test_files_where_no_board_looks_are_found(inbox: Path) -> None:
    for name, folder in (("a.csv", "truth"), ("b.csv", "trueth"), (".c.csv", "trueth")):
        drop(inbox, "x", name, folder)
    (inbox / "toy" / "loose.csv").write_text("x")
    (inbox / "tyo" / "truth").mkdir(parents=True)
    (inbox / "tyo" / "truth" / "d.csv").write_text("x")

    found = [path.relative_to(inbox).as_posix() for path in strays(inbox, {"toy": ("truth", "predictions")})]

    assert found == ["toy/loose.csv", "toy/trueth/b.csv", "tyo/truth/d.csv"]
    assert strays(inbox / "nowhere", {}) == []
