"""``podium status``: something to say of every board at any time, by what is published, waits, ran and is planned."""

import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from pipeline.cli import history, states, status
from pipeline.cli.instance import dagster_home
from pipeline.clock import utc_now
from pipeline.components.cron import next_tick
from pipeline.health import CheckState, Failure, Journal, Seen, after
from pipeline.reports.queries import Contents, FailedFunction
from pipeline.settings import settings
from pipeline_tests.cli import league
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.cli.league import declare, write
from pipeline_tests.warehouse import processes

pytestmark = pytest.mark.usefixtures("own_boards")
NOW = datetime(2024, 3, 1, 12)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """Dagster's history in the data folder of ``podium``."""
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    settings.cache_clear()
    dagster_home()
    return dg.DagsterInstance.get()


def board_of(podium: Podium, name: str = "league") -> dict[str, Any]:
    """The status of one board."""
    (found,) = podium("status", name, "--json").json["boards"]
    return found


def test_before_anything_ran_every_board_is_empty_and_nothing_is_made(podium: Podium, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    outcome = podium("status", "--json")
    assert outcome.code == 0
    boards = ("coding_models", "league", "reading", "sp500", "sp500_risk")
    assert [(one["board"], one["state"]) for one in outcome.json["boards"]] == [(name, "empty") for name in boards]
    assert (outcome.json["published_at"], outcome.json["writer"]) == (None, None)
    assert "nothing is published yet; nobody writes the warehouse now.\n" in podium("status").out
    assert sorted(tmp_path.rglob("*")) == before


def test_json_has_everything_of_a_board(podium: Podium) -> None:
    assert board_of(podium) == {
        "board": "league",
        "kind": "competition",
        "title": "The league",
        "state": "empty",
        "newest_cycle": None,
        "late_from": None,
        "newest_board": None,
        "inbox": {"waiting": 0, "oldest_received_at": None},
        "files": {
            "landed": 0,
            "unreadable": 0,
            "rows_accepted": 0,
            "rows_rejected": 0,
            "rows_late": 0,
            "newest_received_at": None,
        },
        "failed_functions": [],
        "last_run": None,
        "schedule": None,
        "next_run": None,
        "failing": [],
    }


def test_the_bundled_board_is_frozen_not_late(boards: Podium, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Contents(cycles=(datetime(2022, 12, 16), datetime(2022, 12, 23)))
    monkeypatch.setattr(states, "contents", lambda connection, name: old)
    found = board_of(boards, "sp500")
    assert (found["state"], found["newest_cycle"], found["late_from"]) == ("frozen", "2022-12-23T00:00:00Z", None)
    assert found["next_run"] > "2026"


def test_files_that_wait_landed_and_were_refused_are_counted(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    contract = declare(own_boards, late_after="30d")
    bad = write(tmp_path / "bad.csv", "a,2024-01-05,X,1", "a,2024-01-05,Y,NaN")
    empty = tmp_path / "empty.csv"
    empty.touch()
    warehouse = league.run(contract, tmp_path, predictions=bad, truth=empty)
    league.publish(contract, warehouse, "a", "X", datetime(2024, 1, 12))
    podium("submit", "league", str(write(tmp_path / "next.csv", "a,2150-01-05,X,1")))
    found = board_of(podium)
    assert (found["state"], found["newest_cycle"]) == ("late", "2024-01-05T00:00:00Z")
    assert found["late_from"] == "2024-02-04T00:00:00Z"
    assert found["inbox"]["waiting"] == 1
    counts = found["files"]
    assert (counts["landed"], counts["unreadable"]) == (2, 1)
    assert (counts["rows_accepted"], counts["rows_rejected"], counts["rows_late"]) == (1, 1, 1)
    shown = podium("status", "league").out
    for text in ("late since 2024-02-04", "1 waiting", "2 landed", "1 unreadable", "1 row refused", "1 row late"):
        assert text in shown


def test_functions_that_failed_are_told(boards: Podium, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = FailedFunction(
        "metric", "my.own", None, "cycle_metrics", 1, 1, "error: ZeroDivisionError: division by zero"
    )
    monkeypatch.setattr(states, "contents", lambda connection, name: Contents(failed=(failed,)))
    outcome = boards("status", "sp500", "--json").json
    assert outcome["boards"][0]["failed_functions"][0]["function"] == "my.own"
    told = (
        "board sp500: metric my.own failed: 1 value undefined in 1 cycle; first says 'error: ZeroDivisionError: "
        "division by zero'; see: podium sql \"FROM competition.cycle_metrics WHERE competition = 'sp500' AND metric = "
        "'my.own' AND reason LIKE 'error%'\""
    )
    assert outcome["notes"] == [told]
    assert boards("status", "sp500").out.splitlines()[-1] == told


def test_files_where_no_board_looks_are_told(podium: Podium, tmp_path: Path, own_boards: Path) -> None:
    declare(own_boards)
    place = tmp_path / "inbox" / "leauge" / "predictions"
    place.mkdir(parents=True)
    (place / "a.csv").write_text("x")
    told = "1 file in the inbox where no board looks, such as leauge/predictions/a.csv; move to <board>/<folder>"
    assert podium("status", "--json").json["notes"] == [told]
    assert told.split(",")[0] in podium("status").out


def test_the_last_run_is_the_boards_own_or_one_over_all_assets(podium: Podium, instance: dg.DagsterInstance) -> None:
    assert board_of(podium)["last_run"] is None
    create_run_for_test(instance, "cup", status=dg.DagsterRunStatus.SUCCESS)
    other = [dg.AssetKey(["cup", "scores"])]
    create_run_for_test(instance, "__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS, asset_selection=frozenset(other))
    assert board_of(podium)["last_run"] is None
    own = create_run_for_test(instance, "league", status=dg.DagsterRunStatus.FAILURE)
    assert (board_of(podium)["last_run"]["run_id"], board_of(podium)["last_run"]["status"]) == (own.run_id, "failure")
    assert board_of(podium)["last_run"]["seconds"] is None
    everything = create_run_for_test(instance, "__ASSET_JOB", status=dg.DagsterRunStatus.STARTED)
    assert board_of(podium)["last_run"]["run_id"] == everything.run_id
    assert re.search(r"started \d+ s ago", podium("status", "league").out)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, "not started yet, asked for 0 s ago"),
        (dg.DagsterRunStatus.CANCELED, "stopped, begun 0 s ago"),
        (dg.DagsterRunStatus.FAILURE, "failed, begun 0 s ago"),
        (dg.DagsterRunStatus.SUCCESS, "done, begun 0 s ago"),
    ],
)
def test_how_a_run_is_doing_is_said_in_words(
    podium: Podium, instance: dg.DagsterInstance, state: dg.DagsterRunStatus, words: str
) -> None:
    create_run_for_test(instance, "league", status=state)
    shown = " ".join(row[-1] for row in lines_of(podium("status", "league").out))
    assert words in re.sub(r"\d s ago", "0 s ago", shown)


def lines_of(shown: str) -> list[list[str]]:
    """The columns of a printed table without borders."""
    return [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines() if line.strip()]


def test_before_the_first_publication_nothing_is_said_of_what_landed(podium: Podium) -> None:
    shown = podium("status", "league").out
    assert "nothing published yet" in shown
    assert "landed" not in shown


def test_a_real_run_tells_when_and_how_long(instance: dg.DagsterInstance) -> None:
    @dg.asset(key=["league", "only"])
    def only() -> None:
        pass

    job = dg.Definitions(assets=[only], jobs=[dg.define_asset_job("league")]).resolve_job_def("league")
    done = job.execute_in_process(instance=instance)
    before = datetime(2000, 1, 1)
    found = history.last_runs(["league", "cup"], before)
    assert list(found) == ["league"]
    assert (found["league"].run_id, found["league"].status) == (done.run_id, "success")
    assert found["league"].started_at > before
    assert 0 <= found["league"].seconds < 60


@pytest.mark.parametrize(
    ("cron", "tick"),
    [
        ("0 22 * * 5", datetime(2024, 3, 1, 22)),
        ("0 12 * * *", datetime(2024, 3, 2, 12)),
        ("@monthly", datetime(2024, 4, 1)),
    ],
)
def test_the_next_tick_is_after_now_in_utc(cron: str, tick: datetime) -> None:
    assert next_tick(cron, NOW) == tick


def test_a_schedule_that_is_no_cron_line_is_one_line(podium: Podium, own_boards: Path) -> None:
    declare(own_boards, schedule="every day")
    told = error(podium("status", "league"), 2)
    assert "schedule 'every day' is no cron line; write one such as '0 22 * * 5': minute, hour, day, " in told


def test_who_writes_the_warehouse_is_named_while_it_lives(podium: Podium, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as other:
        assert processes.line(other) == "holding"
        writer = podium("status", "--json").json["writer"]
        assert (writer["pid"], writer["purpose"]) == (other.pid, "holding it for a test")
        assert f"written by process {other.pid} on " in podium("status").out
    assert podium("status", "--json").json["writer"] is None, "its note is still there, it is gone"


def test_a_board_that_is_not_declared_is_wrong_input(podium: Podium) -> None:
    assert (
        error(podium("status", "cup"), 2)
        == "no board 'cup' is declared; known: coding_models, league, reading, sp500, sp500_risk"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172800, "2 d ago"),
    ],
)
def test_how_long_ago_is_in_the_largest_unit_that_fits(seconds: int, words: str) -> None:
    assert status._ago(datetime.fromtimestamp(seconds) - datetime.fromtimestamp(0)) == words


def test_what_fails_is_told_with_all_that_it_says(podium: Podium, tmp_path: Path) -> None:
    at = utc_now() - timedelta(hours=3)
    check = CheckState("league/scores", "keys_are_unique", False, "ERROR", at, "one", "2 violations: {'model': 'a'}", 2)
    marts = Failure("marts", "DbtError", "asset", "ERROR", at, "one", "no room")
    Journal(tmp_path / "health").change(partial(after, seen=Seen(checks=(check,), failures=(marts,))))
    told = f"since {at:%Y-%m-%d %H:%M} (3 h ago)"
    of_league = f"league/scores: check keys_are_unique fails, {told}: 2 violations: {{'model': 'a'}}"
    assert of_league in podium("status", "league").out
    everything = podium("status", "--json").json
    assert everything["notes"] == [of_league, f"marts: failed: DbtError, {told}: no room"]
    (failing,) = board_of(podium)["failing"]
    assert (failing["asset"], failing["what"], failing["cause"]) == ("league/scores", "check", "keys_are_unique")
    assert podium("status", "sp500", "--json").json["notes"] == []
