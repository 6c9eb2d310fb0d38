"""A full disk, a folder that cannot be written, a damaged file: a clear error, nothing lost, and the remedy works."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.clock import utc_now
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import FILES, SUBMISSIONS
from pipeline.warehouse import WarehouseFiles, current_publication, open_published
from pipeline_tests.cli import command
from pipeline_tests.cli.command import error
from pipeline_tests.components.inbox_contest import InboxContest, cycle, predictions, truth
from pipeline_tests.conftest import toy_environment
from pipeline_tests.operation.contest import DAYS, bring, rebuilt
from pipeline_tests.operation.forked import Ended, forked
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import FILE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The data folder of a contest, published; do not write there."""
    folder = tmp_path_factory.mktemp("made")
    with toy_environment(folder, dbt_dir), pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        contest = InboxContest(folder)
        contest.drop("predictions", predictions("a", *DAYS))
        contest.drop("truth", truth(*DAYS))
        bring(contest)
        WarehouseFiles(lock_timeout=5).publish()
    return folder


def waiting(folder: Path, *days: int) -> InboxContest:
    """The contest with files of three more models that wait."""
    contest = InboxContest(folder)
    for model in "bcd":
        contest.drop("predictions", predictions(model, *days), f"{model}.csv")
    return contest


@pytest.fixture
def copied(toy: ToyContest, tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The contest's folder, of the test's own."""
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    return tmp_path


@pytest.fixture
def contest(copied: Path) -> InboxContest:
    """The contest with files that wait, of the cycles that it has."""
    return waiting(copied, *DAYS)


@pytest.fixture
def grown(copied: Path) -> InboxContest:
    """The contest with files that wait, so much in them that the warehouse grows."""
    return waiting(copied, *range(7, 19))


def shown(contest: InboxContest) -> int:
    """Rows of the published board."""
    with open_published(contest.folder / "published") as connection:
        (found,) = connection.execute("SELECT count(*), sum(hash(l)) FROM toy.leaderboard AS l").fetchall()
    return int(found[0])


def work(contest: InboxContest, limit: int = 0) -> Ended:
    """Land what waits, bring the tables up to date and publish, in a process whose files may not grow beyond a limit.

    Processes are forked from one that has imported everything, and has done nothing else.
    """
    return forked(_land_and_publish, contest.folder, limit)


def _land_and_publish(folder: Path, limit: int) -> None:
    inbox.SETTLED_SECONDS = 0.0
    contest = InboxContest(folder)
    contest.contract  # noqa: B018  (imports what it names)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    bring(contest)
    WarehouseFiles(lock_timeout=5).publish()


def assert_as_if_nothing_had_happened(contest: InboxContest) -> None:
    bring(contest)
    WarehouseFiles(lock_timeout=5).publish()
    assert sorted(contest.table(FILES)["name"].iloc[-3:]) == ["b.csv", "c.csv", "d.csv"]
    assert not list((contest.folder / "inbox" / "toy" / "predictions").iterdir())
    assert rebuilt(contest).differing == []


@pytest.mark.parametrize("more", [-2_000_000, 0, 600_000], ids=["of the log", "of the file", "while it grows"])
def test_a_file_that_may_not_grow_is_an_error_and_the_next_run_goes_on(grown: InboxContest, more: int) -> None:
    before = shown(grown)
    publication = current_publication(grown.folder / "published")
    size = (grown.folder / FILE).stat().st_size
    ended = work(grown, max(1000, size + more))
    assert ended.returncode == 1, ended.stderr
    assert "File too large" in ended.stderr
    assert current_publication(grown.folder / "published") == publication
    assert shown(grown) == before
    assert_as_if_nothing_had_happened(grown)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of this size in a folder, where this may be done."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=False)
    if done.returncode:
        pytest.skip("nobody but root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def moved(contest: InboxContest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> InboxContest:
    """The contest on another disk."""
    shutil.copytree(contest.folder, folder, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("disk"))
    monkeypatch.setenv("PODIUM_DATA_DIR", str(folder))
    settings.cache_clear()
    return InboxContest(folder)


def test_a_full_disk_is_an_error_and_with_room_again_the_next_run_goes_on(
    grown: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 64):
        there = moved(grown, tmp_path / "disk", monkeypatch)
        before = shown(there)
        filler = tmp_path / "disk" / "filler"
        free = shutil.disk_usage(tmp_path / "disk").free
        for left in (0, 100_000, 1_500_000):
            filler.write_bytes(bytes(max(0, free - left)))
            ended = work(there)
            assert ended.returncode == 1, left
            assert "No space left on device" in ended.stderr, ended.stderr
            filler.unlink()
            assert shown(there) == before
            free = shutil.disk_usage(tmp_path / "disk").free
        assert_as_if_nothing_had_happened(there)


def test_a_disk_that_cannot_be_written_is_one_line_that_names_the_folder_and_the_setting(
    grown: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 64):
        there = moved(grown, tmp_path / "disk", monkeypatch)
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "disk"], check=True)
        message = error(command.podium("run", "toy", data_dir=there.folder, home=str(tmp_path / "home")), 2)
        assert message.startswith(f"the folder {there.folder / 'warehouse'} cannot be used: ")
        assert message.endswith("set PODIUM_DATA_DIR to one you may write in")
        assert shown(there) > 0
        (other := tmp_path / "other").mkdir()
        refused = error(command.podium("backup", str(tmp_path / "disk" / "b"), data_dir=other), 2)
        assert refused.startswith(f"the folder {tmp_path / 'disk' / 'b'} cannot be made: Read-only file system; ")
        assert refused.endswith("name one where you may write")
        subprocess.run(["mount", "-o", "remount,rw", tmp_path / "disk"], check=True)
        assert_as_if_nothing_had_happened(there)


def test_a_line_of_the_log_that_was_cut_off_takes_no_other_with_it(contest: InboxContest) -> None:
    with (contest.folder / "archive" / "toy.arrivals.jsonl").open("a") as log:
        log.write('{"sha256": "cut off by a full di')
    bring(contest)
    assert rebuilt(contest).differing == []
    assert len(contest.table(FILES)) == 5


def test_a_damaged_file_in_the_inbox_says_why_and_lands_when_it_is_dropped_again(contest: InboxContest) -> None:
    whole = predictions("e", *DAYS)
    path = contest.folder / "e.parquet"
    whole.to_parquet(path)
    content = path.read_bytes()
    place = contest.folder / "inbox" / "toy" / "predictions"
    (place / "e.parquet").write_bytes(content[: len(content) // 2])
    (place / "turned.parquet").write_bytes(content[:100] + bytes(50) + content[150:])
    bring(contest)
    said = contest.table(FILES).set_index("name")["status"]
    assert said["e.parquet"].startswith("unreadable: ")
    assert said["turned.parquet"] != "accepted"
    (place / "e.parquet").write_bytes(content)
    bring(contest)
    assert contest.table(FILES)["status"].iloc[-1] == "accepted"
    assert rebuilt(contest).differing == []


def test_a_clock_that_was_wrong_loses_nothing_and_what_it_stamped_can_be_righted(
    contest: InboxContest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (contest.folder / "inbox" / "toy" / "predictions" / "d.csv").unlink()
    bring(contest)
    with monkeypatch.context() as patch:
        patch.setattr(inbox, "arrival", lambda _: utc_now() + timedelta(days=400))
        contest.drop("predictions", predictions("b", *DAYS, seed=2), "ahead.csv")
        bring(contest)
    contest.drop("predictions", predictions("c", *DAYS, seed=3), "behind.csv")
    run = contest.run()
    assert counting(contest) == {"a": "0.csv", "b": "b.csv", "c": "behind.csv"}
    assert rebuilt(contest).differing == []
    (warned,) = [one for one in run.get_asset_check_evaluations() if not one.passed]
    assert (warned.check_name, warned.severity) == ("arrived_in_the_past", dg.AssetCheckSeverity.WARN)
    assert "'name': 'ahead.csv'" in (warned.description or "")

    log = contest.folder / "archive" / "toy.arrivals.jsonl"
    wrong = str(contest.table(FILES).set_index("name").loc["ahead.csv", "received_at"].isoformat())
    log.write_text(log.read_text().replace(wrong, utc_now().isoformat()))
    (contest.folder / FILE).unlink()
    bring(contest)
    assert counting(contest) == {"a": "0.csv", "b": "ahead.csv", "c": "behind.csv"}


def counting(contest: InboxContest) -> dict[str, str]:
    """By model the file that counts for the newest cycle of those that all files are about."""
    rows = contest.table(SUBMISSIONS).merge(contest.table(FILES)[["file_number", "name"]])
    rows = rows[rows["superseded_by"].isna() & (rows["cycle"] == cycle(min(DAYS)))]
    return dict(zip(rows["model_id"], rows["name"], strict=True))


def test_a_damaged_working_file_comes_back_out_of_the_archive(contest: InboxContest) -> None:
    bring(contest)
    files = contest.table(FILES).drop(columns="landed_at")
    path = contest.folder / FILE
    path.write_bytes(bytes(path.stat().st_size))
    ended = work(contest)
    assert ended.returncode == 1
    assert f"the working file {path} is damaged" in ended.stderr
    assert "Remove it" in ended.stderr
    path.unlink()
    bring(contest)
    assert contest.table(FILES).drop(columns="landed_at").equals(files)
