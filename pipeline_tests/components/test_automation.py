"""What happens by itself, decision by decision: conditions of assets; sensors of inboxes, first runs and embargoes.

The daemon's part is played here: it asks at every tick what is to be computed, and computes that or fails.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from pipeline.competition import Contract
from pipeline.components import automation, competition_tables, trees
from pipeline.components.automation import (
    EMBARGO_TAG,
    INBOX_TAG,
    automation_definitions,
    first_run_sensor,
    inbox_sensor,
)
from pipeline.components.competition import competition_definitions
from pipeline.components.dbt import dbt_cli, dbt_project
from pipeline.components.publishing import publishing_definitions
from pipeline.definitions import defs
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.warehouse import Publication, WarehouseFiles
from pipeline.warehouse.published import CURRENT, write_note
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.conftest import toy_environment
from pipeline_tests.toy_contest import CYCLES, WITHHELD, ToyContest, contract, week
from pipeline_tests.toy_graph import ASSETS, ToyGraph, recomputed
from pipeline_tests.warehouse import processes

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
COMPUTED = {"toy/scores", "toy/cycle_metrics", "toy/snapshots", "toy/leaderboard"}
REGISTRIES = {"toy/models", "toy/model_versions", "toy/subjects"}
MARTS = {
    *("marts/coverage", "marts/freshness", "marts/leaderboard_current", "marts/leaderboard_history"),
    *("marts/intake", "marts/model_history", "marts/model_stats", "marts/rank_changes"),
}
LOOKED_AT = (
    *("aider", "artificialanalysis", "epoch", "litellm", "livebench", "lmarena"),
    *("modelsdev", "openrouter", "swebench"),
)
"""The sources of coding_models that are looked at by themselves."""
FROZEN = ("bigcodebench", "evalplus", "livecodebench")
FOR_READERS = MARTS | {"published"}


def box(**changes: Any) -> Contract:
    """A toy board whose predictions and truth arrive as files."""
    parts: dict[str, Any] = {
        "predictions": {"source": "inbox"},
        "truth": {"source": "inbox"},
        "horizon_length": "7d",
        "metrics": ["ic", "hit_rate"],
        "schedule": None,
    }
    return contract("box", **(parts | changes))


@dataclass
class Daemon:
    """What asks at every tick what is to be computed, and remembers what it was told."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    cursor: Any = None

    def tick(self) -> set[str]:
        """The assets that are to be computed now."""
        result = dg.evaluate_automation_conditions(defs=self.definitions, instance=self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return {one.key.to_user_string() for one in result.results if result.get_num_requested(one.key)}

    def computed(self, *keys: str) -> None:
        """Some assets are computed."""
        for key in keys:
            event = dg.AssetMaterialization(asset_key=dg.AssetKey(key.split("/")))
            self.instance.report_runless_asset_event(event)


# --- conditions


@pytest.fixture
def declared(toy: ToyContest) -> Daemon:
    """Two boards, their marts and the publication, of which nothing was ever computed; nothing is executed here."""
    contests = [contract("toy"), contract("other")]
    parts = [competition_definitions(contest) for contest in contests]
    resources = dg.Definitions(resources={"warehouse": Warehouse(), "dbt": dbt_cli(dbt_project())})
    return Daemon(dg.Definitions.merge(*parts, publishing_definitions(contests), automation_definitions(), resources))


def of(board: str) -> list[str]:
    """The assets of a board."""
    return [f"{board}/{name}" for name in ASSETS]


@pytest.fixture
def up_to_date(declared: Daemon) -> Daemon:
    """The same after both boards were computed, and all that follows."""
    declared.computed(*of("toy"), *of("other"), *sorted(FOR_READERS))
    declared.tick()
    return declared


def test_on_a_fresh_instance_nothing_is_requested(declared: Daemon) -> None:
    assert [declared.tick() for _ in range(2)] == [set(), set()]


def test_the_marts_of_a_filled_board_do_not_wait_for_one_that_is_still_empty(declared: Daemon) -> None:
    declared.tick()
    declared.computed(*of("toy"))
    assert declared.tick() == FOR_READERS
    declared.computed(*sorted(FOR_READERS))
    assert [declared.tick() for _ in range(2)] == [set(), set()]


@pytest.mark.parametrize(
    ("table", "downstream"),
    [
        ("predictions", COMPUTED | REGISTRIES | FOR_READERS - {"marts/intake"}),
        ("truth", COMPUTED | FOR_READERS - {"marts/intake"}),
        ("models", {"toy/snapshots", "toy/leaderboard"} | FOR_READERS - {"marts/coverage", "marts/intake"}),
    ],
)
def test_what_follows_from_something_new_is_requested_once(
    up_to_date: Daemon, table: str, downstream: set[str]
) -> None:
    up_to_date.computed(f"toy/{table}")
    assert up_to_date.tick() == downstream
    assert up_to_date.tick() == set()
    up_to_date.computed(*sorted(downstream))
    assert [up_to_date.tick() for _ in range(2)] == [set(), set()]


def test_one_board_requests_nothing_of_another(up_to_date: Daemon) -> None:
    up_to_date.computed("toy/predictions", "toy/truth")
    assert not {key for key in up_to_date.tick() if key.startswith("other/")}


def test_files_that_landed_request_all_that_is_read_from_them(toy: ToyContest) -> None:
    resources = dg.Definitions(resources={"warehouse": Warehouse()})
    daemon = Daemon(dg.Definitions.merge(competition_definitions(box()), resources))
    daemon.computed("box/catalog", "box/files")
    daemon.tick()
    daemon.computed("box/files")
    assert daemon.tick() == {
        f"box/{name}"
        for name in (
            *("submissions", "predictions", "truth", "factors", "models", "model_versions", "subjects"),
            *("scores", "cycle_metrics", "snapshots", "leaderboard"),
        )
    }
    assert daemon.tick() == set()


@pytest.fixture
def after_a_run(graph: ToyGraph) -> Daemon:
    """A daemon that watches the toy contest, computed a moment ago."""
    graph.run()
    daemon = Daemon(graph.definitions, graph.instance)
    daemon.tick()
    return daemon


def names(keys: set[str]) -> list[str]:
    return [key.rpartition("/")[2] for key in sorted(keys)]


def test_late_truth_of_an_old_cycle_is_requested_and_computes_that_cycle_only(
    toy: ToyContest, graph: ToyGraph, after_a_run: Daemon
) -> None:
    toy.resolve(WITHHELD, known_at=week(CYCLES))
    graph.run("truth")
    requested = after_a_run.tick()
    assert requested == COMPUTED
    done = recomputed(graph.run(*names(requested)))
    assert done == {"scores": 1, "cycle_metrics": 1, "snapshots": 1, "leaderboard": 1}
    assert [after_a_run.tick() for _ in range(2)] == [set(), set()]


def fail(*_: object) -> None:
    raise OSError("the disk is full")


def test_a_requested_run_that_fails_is_not_requested_again_until_something_is_new_which_then_makes_up_for_it(
    toy: ToyContest, graph: ToyGraph, after_a_run: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.resolve(WITHHELD, known_at=week(CYCLES))
    graph.run("truth")
    assert after_a_run.tick() == COMPUTED
    with monkeypatch.context() as patch:
        patch.setattr(competition_tables, "score_predictions", fail)
        assert not graph.run(*names(COMPUTED), raise_on_error=False).success
    assert [after_a_run.tick() for _ in range(5)] == [set()] * 5

    toy.add_cycle()
    graph.run("predictions", "truth")
    assert after_a_run.tick() == COMPUTED | REGISTRIES
    assert recomputed(graph.run(*names(COMPUTED)))["scores"] == 3  # the one that failed, the new one, the one resolved


def test_what_a_failed_whole_run_left_undone_is_requested_once(
    toy: ToyContest, graph: ToyGraph, after_a_run: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the files that a run landed before it failed reach the board by a second run, though the inbox is empty."""
    toy.add_cycle()
    with monkeypatch.context() as patch:
        patch.setattr(competition_tables, "score_predictions", fail)
        assert not graph.run(raise_on_error=False).success
        assert after_a_run.tick() == COMPUTED
        assert not graph.run(*names(COMPUTED), raise_on_error=False).success
    assert [after_a_run.tick() for _ in range(5)] == [set()] * 5


def test_a_whole_run_that_failed_at_its_source_requests_nothing_that_it_did_not_change(
    toy: ToyContest, graph: ToyGraph, after_a_run: Daemon
) -> None:
    toy.broken.add("fingerprint")
    assert not graph.run(raise_on_error=False).success
    assert [after_a_run.tick() for _ in range(5)] == [set()] * 5


def test_after_a_whole_run_nothing_is_requested(
    toy: ToyContest, published_graph: ToyGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(published_graph.definitions, published_graph.instance)
    daemon.tick()
    toy.add_cycle()
    published_graph.run()
    assert [daemon.tick() for _ in range(3)] == [set()] * 3


def test_after_a_whole_run_without_anything_new_the_marts_are_requested_once_and_that_run_does_nothing(
    published_graph: ToyGraph,
) -> None:
    """The run computed no marts, as nothing was new; Dagster sees tables of the boards that are newer than the marts.

    One run for nothing, once, is the price of marts that do not claim to be built when they were not.
    """
    daemon = Daemon(published_graph.definitions, published_graph.instance)
    daemon.computed(*sorted(FOR_READERS))
    daemon.tick()
    published_graph.run()
    assert daemon.tick() == FOR_READERS
    events = published_graph.run_marts().all_events
    assert not [event for event in events if event.is_step_materialization]
    assert [daemon.tick() for _ in range(3)] == [set()] * 3


# --- the inbox


@dataclass
class Watched:
    """A sensor at a time of the test's own, and the instance whose runs it looks at."""

    sensor: dg.SensorDefinition
    monkeypatch: pytest.MonkeyPatch
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    cursor: str | None = None
    seconds: float = 2e9

    def tick(self) -> list[dg.RunRequest] | str:
        """What the sensor requests, or why it requests nothing."""
        self.monkeypatch.setattr(automation.time, "time", lambda: self.seconds)
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            given = self.sensor(context)
        if isinstance(given, dg.SkipReason):
            assert given.skip_message is not None
            return given.skip_message
        if isinstance(given, dg.RunRequest):
            return [given]
        assert isinstance(given, dg.SensorResult)
        self.cursor = given.cursor
        return list(given.run_requests or ())

    def request(self) -> dg.RunRequest:
        """The one run that the sensor requests."""
        given = self.tick()
        assert isinstance(given, list), given
        (request,) = given
        return request

    def skipped(self) -> str:
        """Why the sensor requests nothing."""
        given = self.tick()
        assert isinstance(given, str), given
        return given

    def run(self, status: dg.DagsterRunStatus, run_id: str, job: str = "box", **tags: str) -> None:
        """A run as the daemon starts it."""
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("podium"), "repository"), job)
        run = dg.DagsterRun(job_name=job, run_id=run_id, status=status, tags=tags, remote_job_origin=origin)
        self.instance.add_run(run)

    def assert_tried_again_after_pauses_that_double(self, why: str, **tags: str) -> None:
        """Every run fails: the next one is requested 1, 2, 4... minutes later, up to an hour."""
        keys = [self.request().run_key]
        for number, minutes in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60], start=1):
            self.run(dg.DagsterRunStatus.FAILURE, f"failed {number}", **tags)
            self.seconds += minutes * 60 - 1
            assert self.skipped() == why.format(number)
            self.seconds += 1
            keys.append(self.request().run_key)
        assert len(set(keys)) == 10


UNFINISHED = ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"]


class Inbox(Watched):
    """The inbox of the board ``box`` and the sensor that watches it."""

    def drop(self, name: str, content: str = "a,b\n1,2\n") -> Path:
        """A file arrives."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    @property
    def folder(self) -> Path:
        return settings().inbox_dir / "box"


@pytest.fixture
def watched(toy: ToyContest, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", -1e12)
    sensor = inbox_sensor("box", ("predictions", "truth"))
    return Inbox(sensor, monkeypatch)


def test_an_inbox_without_files_is_skipped(watched: Inbox) -> None:
    assert watched.skipped().startswith("no file waits in ")
    (watched.folder / "predictions").mkdir(parents=True)
    assert watched.skipped().startswith("no file waits in ")


@pytest.mark.parametrize("name", [".hidden.csv", "half.csv.part", "elsewhere/a.csv"])
def test_files_that_are_not_for_landing_are_skipped(watched: Inbox, name: str) -> None:
    watched.drop(f"predictions/{name}")
    assert watched.skipped().startswith("no file waits in ")


def test_a_file_that_is_still_written_to_is_waited_for(watched: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.drop("predictions/a.csv")
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 1e12)
    assert watched.skipped().endswith(" but 1 that are being written")


def test_files_are_landed_by_one_run_that_says_whose_they_are(watched: Inbox) -> None:
    watched.drop("predictions/a.csv")
    watched.drop("truth/b.csv")
    request = watched.request()
    assert request.tags == {INBOX_TAG: "box"}
    assert request.run_key is not None
    assert request.run_key.startswith("box:")
    assert request.run_key.endswith(":1")


@pytest.mark.parametrize("status", UNFINISHED)
def test_while_files_land_nothing_is_requested(watched: Inbox, status: str) -> None:
    watched.drop("predictions/a.csv")
    watched.request()
    watched.run(dg.DagsterRunStatus[status], "one", **{INBOX_TAG: "box"})
    watched.drop("predictions/b.csv")
    assert watched.skipped() == "run one is landing files"


def test_the_run_of_another_board_is_not_waited_for(watched: Inbox) -> None:
    watched.drop("predictions/a.csv")
    watched.run(dg.DagsterRunStatus.STARTED, "one", **{INBOX_TAG: "other"})
    watched.request()


def test_files_that_a_failed_run_left_are_tried_again_after_pauses_that_double_up_to_an_hour(watched: Inbox) -> None:
    watched.drop("predictions/a.csv")
    watched.assert_tried_again_after_pauses_that_double(
        "1 files did not land in {} runs; the next try waits: see the runs", **{INBOX_TAG: "box"}
    )


def test_nobody_waits_for_a_time_that_a_wrong_clock_set(watched: Inbox) -> None:
    watched.drop("predictions/a.csv")
    watched.seconds += 1e9
    watched.request()
    watched.skipped()
    watched.seconds -= 1e9
    assert str(watched.request().run_key).endswith(":2")


@pytest.mark.parametrize("change", ["another file", "the same file with other content", "the same file anew"])
def test_a_changed_batch_is_tried_at_once(watched: Inbox, change: str) -> None:
    path = watched.drop("predictions/a.csv")
    before = watched.request().run_key
    watched.skipped()
    if change == "another file":
        watched.drop("predictions/b.csv")
    else:
        replacement = watched.drop("predictions/.a", "other\n" if "content" in change else path.read_text())
        replacement.replace(path)
    after = watched.request().run_key
    assert after != before
    assert str(after).endswith(":1")


def test_one_run_is_for_a_bounded_number_of_files(watched: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_FILES_PER_RUN", "2")
    settings.cache_clear()
    for name in "abc":
        watched.drop(f"predictions/{name}.csv")
    watched.request()
    watched.drop("truth/d.csv")
    assert watched.skipped().startswith("2 files did not land")  # the third and fourth wait for those before them
    (watched.folder / "predictions" / "a.csv").unlink()
    watched.request()


# --- the first run


@pytest.fixture
def first_run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watched]:
    """The sensor of a board that may never have been computed."""
    instance = dg.DagsterInstance.ephemeral()
    return lambda board="toy": Watched(first_run_sensor(board, board), monkeypatch, instance)


def test_a_board_that_was_never_computed_is_requested_once(toy: ToyContest, first_run) -> None:
    # Dagster starts no run with a key that it had before.
    assert [first_run().request().run_key for _ in range(2)] == ["toy:first:"] * 2


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_board_that_is_being_computed_is_not_requested(toy: ToyContest, first_run, status: str) -> None:
    watched = first_run()
    watched.run(dg.DagsterRunStatus[status], "one", job="toy")
    assert watched.skipped() == "run one computes it"
    assert first_run("other").request()


def test_a_board_beside_others_is_requested_once_for_each_warehouse(graph: ToyGraph, first_run) -> None:
    keys = {first_run("other").request().run_key for _ in range(2)}
    assert len(keys) == 1
    graph.warehouse.files.path.unlink()
    assert first_run("other").request().run_key not in keys


def test_a_board_that_the_ledger_knows_is_not_requested(graph: ToyGraph, first_run) -> None:
    assert first_run().skipped() == "toy was computed before"


def test_a_published_board_is_not_requested_and_the_working_file_is_not_opened(
    published_graph: ToyGraph, monkeypatch: pytest.MonkeyPatch, first_run
) -> None:
    monkeypatch.setattr(WarehouseFiles, "read", None)
    assert first_run().skipped() == "toy was computed before"


def test_a_board_that_was_published_is_requested_when_the_working_file_is_gone(
    published_graph: ToyGraph, first_run
) -> None:
    published_graph.warehouse.files.path.unlink()
    assert first_run().request()


@pytest.mark.parametrize("action", [processes.hold, processes.use_plain_duckdb])
def test_a_warehouse_that_another_process_writes_is_not_waited_for(
    graph: ToyGraph, tmp_path: Path, action, first_run
) -> None:
    with processes.running(action, tmp_path) as process:
        processes.line(process)
        assert first_run("other").skipped().startswith("another run has the warehouse: ")


def test_the_working_file_is_read_under_the_lock_because_dbt_cannot_wait(
    graph: ToyGraph, monkeypatch: pytest.MonkeyPatch, first_run
) -> None:
    held = []
    read = WarehouseFiles.read

    def spy(files: WarehouseFiles) -> Any:
        held.append(files.lock.held)
        return read(files)

    monkeypatch.setattr(WarehouseFiles, "read", spy)
    first_run("other").request()
    assert held == [True]
    assert not graph.warehouse.files.lock.held


@pytest.mark.parametrize("damage", [b"no warehouse at all", b""])
def test_a_damaged_warehouse_is_a_reason_to_skip(graph: ToyGraph, damage: bytes, first_run) -> None:
    graph.warehouse.files.path.write_bytes(damage or os.urandom(1 << 16))
    reason = first_run().skipped()
    assert reason.startswith("nothing is computed before this is mended: the working file ")
    assert "Remove it" in reason


def test_a_warehouse_of_a_newer_podium_is_a_reason_to_skip(graph: ToyGraph, first_run) -> None:
    graph.execute("UPDATE meta.schema_version SET version = 1000")
    assert "knows versions up to" in first_run().skipped()


# --- the end of an embargo


NOON = datetime(2030, 1, 1, 12)


@pytest.fixture
def embargo(toy: ToyContest, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(automation, "utc_now", lambda: NOON)
    (sensor,) = (one for one in automation_definitions().sensors or () if one.name == "embargo")
    assert isinstance(sensor, dg.SensorDefinition)
    return Watched(sensor, monkeypatch)


def publish(until: datetime | None) -> None:
    """Something is published that withholds rows until then."""
    folder = settings().published_dir / "7"
    folder.mkdir(parents=True)
    path = folder / "podium.duckdb"
    path.touch()
    write_note(Publication(path, 7, NOON - timedelta(days=1), ("toy",), "origin", withheld_until=until))
    (folder.parent / CURRENT).symlink_to("7")


def test_without_a_publication_nothing_is_withheld(embargo: Watched) -> None:
    assert embargo.skipped() == "nothing is withheld"


def test_when_nothing_is_withheld_nothing_is_requested(embargo: Watched) -> None:
    publish(None)
    assert embargo.skipped() == "nothing is withheld"


def test_before_an_embargo_ends_nothing_is_requested(embargo: Watched) -> None:
    publish(NOON + timedelta(seconds=1))
    assert embargo.skipped() == "the next embargo ends 2030-01-01 12:00:01 UTC"


def test_when_an_embargo_ended_a_publication_is_requested_once(embargo: Watched) -> None:
    publish(NOON)
    request = embargo.request()
    assert request.run_key == "embargo:7:2030-01-01T12:00:00:1"
    assert request.tags == {EMBARGO_TAG: "2030-01-01T12:00:00"}
    assert embargo.skipped() == "1 runs did not publish it; the next try waits: see the runs"


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_publication_that_is_on_its_way_is_waited_for(embargo: Watched, status: str) -> None:
    publish(NOON)
    embargo.run(dg.DagsterRunStatus[status], "one", **embargo.request().tags)
    embargo.seconds += 1e6
    assert embargo.skipped() == "run one publishes it"


def test_a_publication_that_fails_is_tried_again_after_pauses_that_double_up_to_an_hour(embargo: Watched) -> None:
    publish(NOON)
    embargo.assert_tried_again_after_pauses_that_double(
        "{} runs did not publish it; the next try waits: see the runs", **{EMBARGO_TAG: "2030-01-01T12:00:00"}
    )


# --- all of it is on


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[dg.Definitions]:
    """The bundled boards and one inbox board of the operator's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "box").mkdir()
    (folder / "box" / "defs.yaml").write_text(
        "type: pipeline.components.Competition\nattributes:\n"
        + "".join(f"  {name}: {value}\n" for name, value in OWN_BOX.items()),
        encoding="utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DEFS_DIR", str(folder))
        trees.own_tree.cache_clear()
        with toy_environment(tmp_path_factory.mktemp("data"), dbt_dir):
            yield defs()
    trees.own_tree.cache_clear()


OWN_BOX = {
    "name": "box",
    "title": "Box",
    "schedule": '"0 6 * * *"',
    "horizon_length": "7d",
    "predictions": "{source: inbox}",
    "truth": "{source: inbox}",
    "scoring": "{rule: rank_product, primary: ic}",
    "metrics": "[ic]",
    "windows": "{all: {}}",
    "leaderboard": "{rank_by: all.ic}",
}


def test_every_board_has_what_keeps_it_up_to_date_on_by_default(everything: dg.Definitions) -> None:
    repository = everything.get_repository_def()
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    first_runs = {f"{board}_first_run" for board in ("coding_models", "reading", "sp500", "sp500_risk", "box")}
    of_experiments = {"reading_inbox", "reading_pending", "posted_pending"}
    assert (
        set(sensors)
        == {"automation", "embargo", "health", "box_inbox", "coding_models_files"} | first_runs | of_experiments
    )
    of_sources = {f"coding_models_{source}_schedule" for source in LOOKED_AT}
    assert set(schedules) == {"sp500_schedule", "sp500_risk_schedule", "box_schedule"} | of_sources
    assert len(repository.sensor_defs) == len(sensors)
    assert {sensor.default_status for sensor in sensors.values()} == {dg.DefaultSensorStatus.RUNNING}
    assert {schedule.default_status for schedule in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert {schedule.execution_timezone for schedule in schedules.values()} == {"UTC"}


def test_every_computed_asset_follows_what_is_new(everything: dg.Definitions) -> None:
    nodes = everything.resolve_asset_graph().asset_nodes
    without = {node.key.to_user_string() for node in nodes if node.automation_condition is None}
    assert without == {
        *(
            f"{board}/{read}"
            for board in ("sp500", "sp500_risk")
            for read in ("catalog", "predictions", "truth", "factors")
        ),
        *("box/catalog", "box/files", "coding_models/catalog"),
        *("reading/execution", "reading/files", "posted_experiments"),
        *(f"coding_models/sources/{source}" for source in (*LOOKED_AT, *FROZEN)),
    }
    labels = {node.automation_condition.get_label() for node in nodes if node.automation_condition}
    assert labels == {"on_new_inputs"}
