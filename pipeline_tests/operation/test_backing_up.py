"""A backup is whole or not there, comes back as it was, and what is not as it was never comes back."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.landing import inbox
from pipeline.operation import Backup, Manifest, OperationError, Restore
from pipeline.reports.access.keys import KeyStore
from pipeline.settings import settings
from pipeline.tables import FILES, SUBMISSIONS
from pipeline.warehouse import WarehouseFiles, WarehouseVersionError, current_publication
from pipeline.warehouse.migrations import MIGRATIONS
from pipeline_tests.components.inbox_contest import InboxContest, predictions, truth
from pipeline_tests.conftest import toy_environment
from pipeline_tests.operation.contest import DAYS, bring, rebuilt
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import FILE, assert_same_tables

KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.operation import Backup, backing_up
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles

left = int(sys.argv[2])
clone = backing_up.clone

def some(source, target):
    global left
    left -= 1
    if left < 0:
        target.write_bytes(source.read_bytes()[:3])
        os.kill(os.getpid(), signal.SIGKILL)
    clone(source, target)

backing_up.clone = some
if sys.argv[2] == "-1":
    backing_up.Manifest.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    backing_up.clone = clone
Backup(settings(), {}, WarehouseFiles()).write(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The data folder of a contest with keys, decisions, a history and a file that waits; do not write there."""
    folder = tmp_path_factory.mktemp("made")
    with toy_environment(folder, dbt_dir), pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        contest = InboxContest(folder)
        for model in "ab":
            contest.drop("predictions", predictions(model, *DAYS))
        contest.drop("truth", truth(*DAYS))
        bring(contest)
        WarehouseFiles(lock_timeout=5).publish()
        KeyStore(settings().keys_dir).add("ann")
        (folder / "rankings" / "small").mkdir(parents=True)
        (folder / "rankings" / "small" / "aliases.csv").write_text("source,raw_name\n")
        (folder / "dagster_home" / "history").mkdir(parents=True)
        (folder / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        with closing(sqlite3.connect(folder / "dagster_home" / "history" / "runs.db")) as history:
            history.execute("CREATE TABLE runs AS SELECT 'a run' AS id")
            history.commit()
        contest.drop("predictions", predictions("waiting", *DAYS), "waiting.csv")
    return folder


@pytest.fixture
def contest(toy: ToyContest, tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> InboxContest:
    """The contest in a folder of the test's own, ``data``."""
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    return in_folder(shutil.copytree(made, tmp_path / "data", symlinks=True), monkeypatch)


def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> InboxContest:
    """The contest in another data folder, which the settings name from now on."""
    monkeypatch.setenv("PODIUM_DATA_DIR", str(folder))
    settings.cache_clear()
    return InboxContest(folder)


def back_up(contest: InboxContest, target: Path, **options: Any) -> Manifest:
    files = WarehouseFiles(lock_timeout=5)
    return Backup(settings(), {"toy": contest.contract}, files, **options).write(target)


def restore(source: Path, **options: Any) -> Manifest:
    return Restore(settings(), source, WarehouseFiles(lock_timeout=5)).run(**options)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_everything_comes_back_as_it_was(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, tables = content(contest.folder), contest.tables()
    manifest = back_up(contest, tmp_path / "backup")
    assert (manifest.tables, len(manifest.waiting)) == (MIGRATIONS[-1].version, 1)
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700

    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")

    assert_same_tables(other.tables(), tables)
    after = content(other.folder)
    kept = {name for name in before if name.startswith(("archive/toy/", "keys/", "rankings/", "published/"))}
    assert len(kept) >= 7
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert "dagster_home/history/runs.db" not in after
    assert "dagster_home/dagster.yaml" in after
    publication = current_publication(other.folder / "published")
    assert publication is not None
    assert publication.path.is_relative_to(other.folder)
    assert publication.boards == ("toy",)


def test_keys_stay_for_their_owner_alone(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(contest, tmp_path / "backup")
    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")
    for path, mode in ((other.folder / "keys", 0o700), (other.folder / "keys" / "keys.json", 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [key.player for key in KeyStore(settings().keys_dir).listed()] == ["ann"]


def test_a_file_that_waited_counts_as_of_its_arrival_not_of_its_return(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (waiting,) = (contest.folder / "inbox" / "toy" / "predictions").iterdir()
    arrived = pd.Timestamp(waiting.stat().st_ctime_ns, unit="ns").floor("us")
    back_up(contest, tmp_path / "backup")
    time.sleep(0.1)
    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")
    assert not list((other.folder / "inbox" / "toy" / "predictions").iterdir())
    bring(other)
    landed = other.table(FILES).set_index("name").loc["waiting.csv"]
    assert abs(landed["received_at"] - arrived) < pd.Timedelta("10us")
    assert landed["status"] == "accepted"
    assert set(other.table(SUBMISSIONS)["model_id"]) == {"a", "b", "waiting"}
    assert rebuilt(other).differing == []


def test_history_comes_along_when_it_is_wanted_and_is_one_state_of_it(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Path("dagster_home") / "history" / "runs.db"
    with closing(sqlite3.connect(contest.folder / runs)) as writing:
        writing.execute("INSERT INTO runs VALUES ('not committed')")
        back_up(contest, tmp_path / "backup", with_history=True)
    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")
    with closing(sqlite3.connect(other.folder / runs)) as history:
        assert history.execute("SELECT id FROM runs").fetchall() == [("a run",)]


def test_a_queue_that_is_written_to_meanwhile_is_one_state_of_it(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Path("experiments") / "prompts.sqlite"
    (contest.folder / queue).parent.mkdir()
    with closing(sqlite3.connect(contest.folder / queue)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("CREATE TABLE runs AS SELECT 'paid for' AS id")
        writing.commit()  # in the log beside it only
        writing.execute("INSERT INTO runs VALUES ('not committed')")
        back_up(contest, tmp_path / "backup")
    assert [path.name for path in (tmp_path / "backup" / "data" / "experiments").iterdir()] == [queue.name]
    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")
    with closing(sqlite3.connect(other.folder / queue)) as restored:
        assert restored.execute("SELECT id FROM runs").fetchall() == [("paid for",)]


def test_declarations_of_ones_own_are_in_it(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boards" / "league").mkdir(parents=True)
    (tmp_path / "boards" / "league" / "defs.yaml").write_text("type: ...\n")
    monkeypatch.setenv("PODIUM_DEFS_DIR", str(tmp_path / "boards"))
    settings.cache_clear()
    back_up(contest, tmp_path / "backup")
    assert (tmp_path / "backup" / "declarations" / "league" / "defs.yaml").read_text() == "type: ...\n"


def test_a_place_that_holds_something_is_refused(contest: InboxContest, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(OperationError, match=r"there is something in .*taken already"):
        back_up(contest, tmp_path / "taken")
    with pytest.raises(OperationError, match="is in the data folder, and would be lost with it"):
        back_up(contest, contest.folder / "backup")
    (tmp_path / "empty").mkdir()
    back_up(contest, tmp_path / "empty")


@pytest.mark.parametrize("steps", [0, 1, 4, 8, -1])
def test_a_backup_that_is_killed_looks_like_none_and_the_next_one_is_whole(
    contest: InboxContest, tmp_path: Path, steps: int
) -> None:
    target = tmp_path / "backups" / "first"
    command = [sys.executable, "-c", KILLED, str(target), str(steps)]
    assert subprocess.run(command, env=os.environ, check=False).returncode == -9
    assert not target.exists()
    (left,) = target.parent.iterdir()
    assert left.name.startswith(".first.")
    with pytest.raises(OperationError, match="is no backup, or one that was not finished"):
        restore(left)
    back_up(contest, target)
    assert list(target.parent.iterdir()) == [target]
    Manifest.read(target).verify(target)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def turn(path: Path) -> None:
    bits = bytearray(path.read_bytes())
    bits[len(bits) // 2] ^= 1
    path.write_bytes(bits)


@pytest.mark.parametrize("harm", [cut, turn, Path.unlink])
@pytest.mark.parametrize("place", ["data/warehouse/podium.duckdb", "data/archive/toy.arrivals.jsonl", "manifest.json"])
def test_a_backup_that_is_not_what_it_was_does_not_come_back(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None], place: str
) -> None:
    back_up(contest, tmp_path / "backup")
    path = tmp_path / "backup" / place
    if place == "manifest.json" and harm is turn:
        path.write_text(path.read_text().replace('"bytes": ', '"bytes": 1', 1))
    else:
        harm(path)
    in_folder(tmp_path / "other", monkeypatch)
    with pytest.raises(OperationError, match=r"damaged|no backup"):
        restore(tmp_path / "backup")
    assert not (tmp_path / "other").exists()


def test_a_path_that_leads_out_of_the_backup_is_refused(contest: InboxContest, tmp_path: Path) -> None:
    back_up(contest, tmp_path / "backup")
    path = tmp_path / "backup" / "manifest.json"
    read = json.loads(path.read_text())
    read["entries"][-1]["path"] = "../outside"
    path.write_text(json.dumps(read))
    with pytest.raises(OperationError, match="leads out of the backup"):
        restore(tmp_path / "backup", aside="old")


def test_data_that_are_there_are_not_written_over_unless_told_and_then_kept(
    contest: InboxContest, tmp_path: Path
) -> None:
    back_up(contest, tmp_path / "backup")
    contest.drop("predictions", predictions("later", *DAYS))
    bring(contest)
    later = contest.tables()
    with pytest.raises(OperationError, match="say --replace: what is there is kept aside then"):
        restore(tmp_path / "backup")
    assert_same_tables(contest.tables(), later)

    restore(tmp_path / "backup", aside="replaced-1")

    assert "later" not in set(contest.table(SUBMISSIONS)["model_id"])
    aside = contest.folder / "replaced-1"
    assert {path.name for path in aside.iterdir()} >= {"archive", "inbox", "keys", "published", "warehouse"}
    assert (aside / FILE).exists()
    bring(contest)  # what waited lands
    assert rebuilt(contest).differing == []


def test_the_backup_of_a_newer_podium_is_refused(contest: InboxContest, tmp_path: Path) -> None:
    back_up(contest, tmp_path / "backup")
    path = tmp_path / "backup" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tables": 99}))
    with pytest.raises(OperationError, match="with tables of version 99; this one knows versions up to"):
        restore(tmp_path / "backup", aside="old")


def older(path: Path) -> None:
    """Make of a warehouse what the version before the last two wrote: without the tables and columns since."""
    with WarehouseFiles(path, lock_timeout=5).write("a test") as store:
        connection = store.connection
        connection.execute("DROP TABLE experiments.runs")
        connection.execute("DROP TABLE experiments.scores")
        connection.execute("CREATE TABLE kept AS SELECT * EXCLUDE (output_type_id) FROM landing.prediction_rows")
        connection.execute("DROP TABLE landing.prediction_rows")
        columns = connection.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'kept'")
        declared = ", ".join(f"{name} {kind} NOT NULL" for name, kind in columns.fetchall())
        connection.execute(f"CREATE TABLE landing.prediction_rows ({declared})")
        connection.execute("INSERT INTO landing.prediction_rows FROM kept")
        connection.execute("DROP TABLE kept")
        connection.execute("UPDATE meta.schema_version SET version = 6")


def test_a_warehouse_of_an_earlier_version_is_backed_up_as_it_is_comes_back_upgraded_and_is_rebuilt_equal(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = contest.tables()
    older(contest.folder / FILE)
    assert back_up(contest, tmp_path / "backup").tables == 6
    with pytest.raises(WarehouseVersionError), WarehouseFiles(lock_timeout=5).read():
        pass  # making a backup upgraded nothing

    other = in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")

    assert WarehouseFiles(lock_timeout=5).version() == MIGRATIONS[-1].version
    assert_same_tables(other.tables(), tables)
    bring(other)  # what waited lands
    assert rebuilt(other).differing == []


def test_an_empty_data_folder_can_be_backed_up_and_restored(
    contest: InboxContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = in_folder(tmp_path / "empty", monkeypatch)
    empty.folder.mkdir()
    assert back_up(empty, tmp_path / "backup").tables == 0
    in_folder(tmp_path / "other", monkeypatch)
    restore(tmp_path / "backup")
    assert not (tmp_path / "other" / FILE).exists()
