"""The fetch log: what is in it stays, whatever is killed while it writes, and however many write at once."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.landing.fetching import FetchLog, Look
from pipeline_tests.patience import PATIENCE

DAY = datetime(2026, 3, 19, 6, 0, 0, 250_000)
WRITER = """
import sys
from datetime import datetime
from pathlib import Path
from pipeline.landing.fetching import FetchLog, Look
log = FetchLog(Path(sys.argv[1]))
for number in range(25):
    log.append("arena", Look(datetime(2026, 1, 1), sys.argv[2], str(number) * 2000))
"""


@pytest.fixture
def log(tmp_path: Path) -> FetchLog:
    return FetchLog(tmp_path)


def look(event: str = "fetched", day: int = 0, **more: object) -> Look:
    return Look(DAY + timedelta(days=day), event, **more)  # type: ignore[arg-type]


def file_of(folder: Path) -> Path:
    return folder / "arena" / "fetches.jsonl"


def test_nothing_is_there_before_anybody_looked(log: FetchLog, tmp_path: Path) -> None:
    assert log.all("arena") == []
    assert log.newest("arena") is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read_again_in_order(log: FetchLog) -> None:
    first = look(why="größer\nals", snapshot="20260319T060000Z-abc", notes=({"benchmark": "τ", "sentence": "new"},))
    second = look("failed", day=1, why="status 500")
    assert log.append("arena", first)
    assert log.append("arena", second)
    assert log.all("arena") == [first, second]
    assert log.newest("arena") == second
    assert log.all("other") == []


def test_what_repeats_the_last_line_is_left_out_where_that_is_asked_for(log: FetchLog) -> None:
    assert log.append("arena", look("not_tried", why="off"), unless_repeated=True)
    assert not log.append("arena", look("not_tried", day=1, why="off"), unless_repeated=True)
    assert log.append("arena", look("not_tried", day=2, why="no key"), unless_repeated=True)
    assert log.append("arena", look("not_tried", day=3, why="no key"))
    assert [one.at.day for one in log.all("arena")] == [19, 21, 22]


def test_a_line_that_was_cut_off_is_passed_over_and_the_next_one_is_whole(
    log: FetchLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.append("arena", look())
    with file_of(tmp_path).open("ab") as torn:
        torn.write(b'{"at": "2026-03-20T06:00:00", "event": "fet')
    assert log.all("arena") == [look()]
    log.append("arena", look("failed", day=2, why="late"))
    assert log.all("arena") == [look(), look("failed", day=2, why="late")]
    assert "line 2 cannot be read" in caplog.text


@pytest.mark.parametrize(
    "line", [b"[]", b"17", b"\xff\xfe", b'{"at": "yesterday"}', b'{"at": "2026-03-20", "event": "fetched"}']
)
def test_a_damaged_line_hides_no_other(log: FetchLog, tmp_path: Path, line: bytes) -> None:
    log.append("arena", look())
    with file_of(tmp_path).open("ab") as damaged:
        damaged.write(line + b"\n")
    log.append("arena", look(day=1))
    assert log.all("arena") == [look(), look(day=1)]


def test_two_processes_write_whole_lines(log: FetchLog, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
    found = log.all("arena")
    for name in ("one", "two"):
        assert [one.why for one in found if one.event == name] == [str(number) * 2000 for number in range(25)]


def test_a_source_s_name_is_the_name_of_a_folder(log: FetchLog) -> None:
    with pytest.raises(ValueError, match="is no name of a source"):
        log.append("../arena", look())
