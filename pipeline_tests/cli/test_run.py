"""``podium run``: progress, the board and what to do next; failures by step and cause; done twice, it does nothing."""

import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

import pipeline.cli.run
import pipeline.definitions
import pipeline.health.alerts
from pipeline.competition import Contract
from pipeline.components.competition import competition_definitions
from pipeline.settings import settings
from pipeline.tables import COMPETITION_TABLES, ENSEMBLE_TABLES, EVALUATIONS
from pipeline.warehouse import WarehouseDamagedError, WarehouseFiles, WarehouseVersionError
from pipeline.warehouse.resource import Warehouse
from pipeline_tests import toy_contest
from pipeline_tests.cli.command import Outcome, error, podium
from pipeline_tests.health.test_alerts import listening
from pipeline_tests.preloaded import Preloaded
from pipeline_tests.warehouse import processes

ASSETS = [
    f"toy/{name}"
    for name in ("catalog", *(spec.name for spec in COMPETITION_TABLES if spec not in (*ENSEMBLE_TABLES, EVALUATIONS)))
]
CUSTOM = "pipeline_tests.competition"
DOTTED_PATHS = json.dumps(["pipeline", "pipeline_tests"])
"""Packages that declarations of toy contests name."""


@pytest.fixture(autouse=True)
def _toy_contests_as_they_begin() -> Iterator[None]:
    toy_contest.reset()
    yield
    toy_contest.reset()


def run(*arguments: str, parts: Sequence[dg.Definitions] = (), **options: Any) -> Outcome:
    """``podium run`` on other definitions than the project's own: those given, or the toy contest."""

    def defs() -> dg.Definitions:
        return dg.Definitions.merge(
            *(parts or (competition_definitions(toy_contest.contract()), publication())),
            dg.Definitions(resources={"warehouse": Warehouse()}, executor=dg.in_process_executor),
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.definitions, "defs", defs)
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", DOTTED_PATHS)
        return podium("run", *arguments, **options)


def publication(board: str = "toy") -> dg.Definitions:
    """The publication without marts, so that no dbt is needed."""

    @dg.asset(key=["published"], deps=[[board, "leaderboard"]])
    def published(warehouse: Warehouse) -> None:
        warehouse.publish()

    return dg.Definitions(assets=[published])


def run_one(body: Callable[[], Any], *arguments: str, data_dir: Path, home: str = "", **asset: Any) -> Outcome:
    """``podium run`` on a board ``tiny`` of one asset, ``tiny/only``."""

    @dg.asset(key=["tiny", "only"], **asset)
    def only():  # Dagster would take an annotation for the type of its output
        return body()

    definitions = dg.Definitions(assets=[only], jobs=[dg.define_asset_job("tiny", selection=[only])])
    return run("tiny", *arguments, parts=[definitions], data_dir=data_dir, home=home)


def nothing() -> None:
    """An asset that does nothing."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the tests of this module share."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def first(data_dir: Path) -> Outcome:
    """The first run of the toy contest there."""
    toy_contest.reset()
    return run("toy", data_dir=data_dir)


def test_a_run_succeeds(first: Outcome) -> None:
    assert (first.code, first.err) == (0, "")


def test_progress_has_a_line_for_each_asset_with_its_rows(first: Outcome) -> None:
    done = re.findall(r"^✓ (\S+) +([\d,]+) rows? +[\d.]+ s  (.*)$", first.out, re.MULTILINE)
    assert sorted(asset for asset, _, _ in done) == sorted(ASSETS)
    assert ("toy/models", "6", "the whole table: new, or inputs or code changed; rows differ in 1") in done
    assert re.search(r"^✓ published ", first.out, re.MULTILINE)


def test_the_board_is_printed(first: Outcome) -> None:
    assert "The toy contest" in first.out
    header, leader, *_, last = first.table
    assert header[:4] == ["rank", "could be", "±", "model"]
    assert leader[0:4:3] == ["1", "The sharp model"]
    assert last[0:4:3] == ["–", "The constant model (unranked: constant_input)"]


def test_what_was_done_and_the_published_file_are_named(first: Outcome, data_dir: Path) -> None:
    line = rf"^{toy_contest.CYCLES} cycles recomputed in [\d.]+ s\. Published: (.*)$"
    found = re.search(line, first.out, re.MULTILINE)
    assert found is not None
    assert Path(found[1]) == (data_dir / "published" / "current" / "podium.duckdb").resolve()


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Outcome]]:
    """A run of the toy contest whose own metrics, strategy and filter all fail, and where it was."""
    toy_contest.reset()
    folder = tmp_path_factory.mktemp("failing")
    ensembles = [
        {"name": "weighed", "strategy": f"{CUSTOM}.ensembles.custom.failing"},
        {"name": "chosen", "strategy": "equal_weight", "filter": f"{CUSTOM}.ensembles.custom.mistaken"},
    ]
    metrics = ["ic", f"{CUSTOM}.custom.fails_for_b", f"{CUSTOM}.custom.fails", f"{CUSTOM}.custom.FAILING_SERIES"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", DOTTED_PATHS)
        settings.cache_clear()
        parts = [competition_definitions(toy_contest.contract(metrics=metrics, ensembles=ensembles)), publication()]
        yield folder, run("toy", parts=parts, data_dir=folder)
    settings.cache_clear()


def test_functions_that_failed_are_told_once_each_with_what_they_said_and_where(failing: tuple[Path, Outcome]) -> None:
    folder, outcome = failing
    assert outcome.code == 0
    told = re.findall(r"^✗ board toy: (.*); see: podium sql \"(.*)\"$", outcome.out, re.MULTILINE)
    out_of_order = "first says 'error: RuntimeError: out of order'"
    # The constant model has no IC; the latecomer plays 13 of the 38 resolved cycles; one prediction is late.
    assert [what.replace(f"{CUSTOM}.", "") for what, _ in told] == [
        f"metric custom.FAILING_SERIES failed: {6 * 38 + 13} values undefined in 38 moments; {out_of_order}",
        f"metric custom.fails failed: {7 * 38 + 13 - 1} values undefined in 38 cycles; {out_of_order}",
        "filter ensembles.custom.mistaken of ensemble chosen failed in 40 cycles: everybody is let in there; first "
        "says \"error: filter: KeyError: 'no_such'\"",
        "strategy ensembles.custom.failing of ensemble weighed failed in 40 cycles: all members weigh the same there; "
        'first says "error: ZeroDivisionError: of the operator\'s own"',
    ]
    for _, query in told:
        assert podium("sql", query, "--json", data_dir=folder).json
    shown = re.findall(r"^✗ check toy/(\w+: \w+): \d violations", outcome.out, re.MULTILINE)
    assert sorted(shown) == [
        "cycle_metrics: no_metric_failed",
        "ensemble_metrics: no_metric_failed",
        "ensemble_weights: no_strategy_or_filter_failed",
        "snapshots: no_metric_failed",
    ]


def test_where_nothing_failed_nothing_is_said(first: Outcome) -> None:
    assert "failed" not in first.out


def test_three_queries_are_suggested_and_work(first: Outcome, data_dir: Path) -> None:
    queries = re.findall(r'^  \S*podium sql "(.*)"$', first.out, re.MULTILINE)
    assert len(queries) == 3
    on_marts, *others = queries
    assert on_marts.endswith(
        "FROM marts.leaderboard_current WHERE competition = 'toy' AND category = 'overall' ORDER BY position"
    )
    for query in others:
        assert podium("sql", query, "--json", data_dir=data_dir).json


@pytest.fixture(scope="module")
def of_order(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run of a board that is named like a keyword and scored by errors, and where it was."""
    toy_contest.reset()
    source, folder = "pipeline_tests.toy_contest.toy", tmp_path_factory.mktemp("order")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", DOTTED_PATHS)
        settings.cache_clear()
        order = toy_contest.contract(
            name="order",
            predictions={"source": source},
            truth={"source": source, "known_at": "column"},
            scoring={"rule": "absolute_error", "primary": "score"},
            metrics=["score"],
            windows={"all": {}},
            leaderboard={"rank_by": "all.score"},
        )
        parts = [competition_definitions(order), publication("order")]
        outcome = run("order", parts=parts, data_dir=folder)
    settings.cache_clear()
    return folder, outcome


def test_the_last_query_has_the_best_subjects_first(first: Outcome, of_order: tuple[Path, Outcome]) -> None:
    by_rank_product, by_error = (re.findall(r"ORDER BY (.*) LIMIT 5", one.out) for one in (first, of_order[1]))
    assert by_rank_product == ["2 DESC"]
    assert by_error == ["2"]


def test_how_to_look_at_it_is_said_last(first: Outcome) -> None:
    pages, graph = first.out.splitlines()[-2:]
    assert pages.endswith("podium serve")
    assert graph.endswith("in the Dagster UI:  make dev")


def test_the_history_has_the_run(first: Outcome, data_dir: Path) -> None:
    with dg.DagsterInstance.from_config(str(data_dir / "dagster_home")) as instance:
        runs = {one.job_name: one.status for one in instance.get_runs()}
    assert runs["toy"] == dg.DagsterRunStatus.SUCCESS


def test_a_second_run_does_nothing_and_says_so(first: Outcome, data_dir: Path) -> None:
    outcome = run("toy", data_dir=data_dir)
    assert outcome.code == 0
    assert "Nothing new: 0 cycles recomputed in " in outcome.out
    assert outcome.out.count("nothing new: 0 cycles recomputed") == len(ASSETS)


def test_json_tells_the_same_and_nothing_else_is_printed(first: Outcome, data_dir: Path) -> None:
    outcome = run("toy", "--json", data_dir=data_dir)
    assert (outcome.code, outcome.err) == (0, "")
    done = outcome.json
    assert (done["success"], done["cycles_recomputed"], done["failures"], done["failed_checks"]) == (True, 0, [], [])
    assert done["published"] == str((data_dir / "published" / "current" / "podium.duckdb").resolve())
    by_asset = {report["asset"]: report for report in done["assets"]}
    assert set(by_asset) == {*ASSETS, "published"}
    assert by_asset["toy/models"]["rows"] == 6
    assert by_asset["toy/models"]["why"] == "nothing new: 0 cycles recomputed"


def test_cycles_are_recomputed_by_hand(first: Outcome, data_dir: Path) -> None:
    outcome = run("toy", "--from", "2020-03-06", "--to", "2020-03-13", "--force", "--json", data_dir=data_dir)
    by_asset = {report["asset"]: report for report in outcome.json["assets"]}
    assert by_asset["toy/scores"]["cycles_recomputed"] == 2
    assert by_asset["toy/scores"]["cycles_changed"] == 0
    assert by_asset["toy/scores"]["why"] == "2 cycles, 2020-03-06 to 2020-03-13: asked for by hand"


def test_without_a_name_everything_is_run_and_every_board_printed(fresh_boards: WarehouseFiles, tmp_path: Path) -> None:
    @dg.asset
    def only() -> None:
        pass

    outcome = run(parts=[dg.Definitions(assets=[only])], data_dir=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert "✓ only" in outcome.out
    printed = [name for name in ("blend", "sp500", "weekly") if f"The {name} contest" in outcome.out]
    assert printed == ["blend", "weekly"]
    assert "board 'sp500' has no rows in category 'overall' yet" in outcome.out


def test_an_unknown_board_lists_the_declared_ones(data_dir: Path) -> None:
    outcome = run("nope", data_dir=data_dir)
    assert (outcome.code, outcome.err) == (2, "podium: no board 'nope' is declared; known: toy\n")
    assert error(run("nope", "--json", data_dir=data_dir), 2) == "no board 'nope' is declared; known: toy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "soon"), "--from 'soon' is no date or time; write 2022-12-23 or 2022-12-23T21:00 (UTC)"),
        (("--to", "31.12.2022"), "--to '31.12.2022' is no date or time; write 2022-12-23 or 2022-12-23T21:00 (UTC)"),
        (
            ("--from", "2022-12-24", "--to", "2022-12-23"),
            "--from 2022-12-24 is later than --to 2022-12-23; no cycle lies between them",
        ),
    ],
)
def test_a_bad_range_is_refused_before_anything_is_loaded(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    assert error(run("toy", *arguments, data_dir=tmp_path / "untouched"), 2) == message
    assert not (tmp_path / "untouched").exists()


def test_one_day_is_a_range(data_dir: Path) -> None:
    assert run_one(nothing, "--from", "2022-12-23", "--to", "2022-12-23", data_dir=data_dir).code == 0


def test_a_failing_asset_is_named_with_its_cause(tmp_path: Path) -> None:
    toy_contest.toy().broken.add("truth")
    outcome = run("toy", data_dir=tmp_path)
    assert outcome.code == 1
    assert "✗ toy/truth: the source cannot give its truth" in outcome.out
    assert re.fullmatch(
        r"podium: run [0-9a-f-]{36} failed at toy/truth: OSError: the source cannot give its truth "
        rf"\(log: {tmp_path}/dagster_home/podium-run/[0-9a-f-]{{36}}\.log; `podium dev` shows its events\)\n",
        outcome.err,
    )


def test_a_failure_is_in_the_json_too(data_dir: Path) -> None:
    def fail() -> None:
        raise ValueError("first line\nsecond [/b] line")

    outcome = run_one(fail, "--json", data_dir=data_dir)
    assert outcome.code == 1
    assert outcome.json["success"] is False
    assert outcome.json["failures"] == [
        {"step": "tiny/only", "error": "ValueError", "message": "first line second [/b] line"}
    ]
    assert outcome.err.count("\n") == 1
    assert "ValueError: first line second [/b] line" in outcome.err


def test_a_run_that_fails_outside_of_any_step_is_a_failure(data_dir: Path) -> None:
    @dg.resource
    def broken() -> None:
        raise OSError("no such service")

    @dg.asset(required_resource_keys={"service"})
    def only() -> None:
        pass

    job = dg.define_asset_job("tiny", selection=[only])
    definitions = dg.Definitions(assets=[only], jobs=[job], resources={"service": broken})
    outcome = run("tiny", parts=[definitions], data_dir=data_dir)
    assert outcome.code == 1
    assert "failed at run: OSError: no such service" in outcome.err


def test_a_failed_check_is_shown_and_a_warning_fails_nothing(data_dir: Path) -> None:
    def with_check() -> dg.MaterializeResult[None]:
        result = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="2 gaps: [/b]")
        return dg.MaterializeResult(check_results=[result])

    checks = [dg.AssetCheckSpec("is_whole", asset=["tiny", "only"])]
    outcome = run_one(with_check, data_dir=data_dir, check_specs=checks)
    assert outcome.code == 0
    assert "✗ check tiny/only: is_whole: 2 gaps: [/b]" in outcome.out
    in_json = run_one(with_check, "--json", data_dir=data_dir, check_specs=checks).json
    assert in_json["failed_checks"] == ["tiny/only: is_whole"]


def test_a_busy_warehouse_names_the_process_and_what_it_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PODIUM_LOCK_TIMEOUT", "0.1")
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        outcome = run("toy", data_dir=tmp_path)
    assert outcome.code == 3
    assert outcome.err.startswith("podium: the warehouse is busy: ")
    assert outcome.err.count("\n") == 1
    assert f"process {holder.pid} on " in outcome.err
    assert "(holding it for a test, since " in outcome.err
    assert "PODIUM_LOCK_TIMEOUT" in outcome.err


def test_readers_are_never_busy(fresh_boards: WarehouseFiles, tmp_path: Path) -> None:
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        assert podium("leaderboard", "weekly", data_dir=tmp_path).code == 0
        assert podium("sql", "SELECT 1", data_dir=tmp_path).code == 0


def test_ctrl_c_ends_a_run_without_a_traceback(data_dir: Path) -> None:
    outcome = run_one(lambda: os.kill(os.getpid(), signal.SIGINT), data_dir=data_dir)
    assert (outcome.code, outcome.err) == (130, "podium: stopped; what is finished is kept, run again to go on\n")
    assert "✗" not in outcome.out
    with dg.DagsterInstance.from_config(str(data_dir / "dagster_home")) as instance:
        assert instance.get_runs(limit=1)[0].status == dg.DagsterRunStatus.FAILURE


def test_what_assets_print_is_kept_and_does_not_get_into_stdout(data_dir: Path) -> None:
    outcome = run_one(lambda: print("noise of a library"), "--json", data_dir=data_dir)
    assert outcome.json["success"] is True
    assert "noise" not in outcome.out
    assert "noise of a library" in Path(outcome.json["log"]).read_text(encoding="utf-8")


def test_what_loading_prints_does_not_spoil_the_json(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noisy() -> dg.Definitions:
        print("dbt parses the project")
        return dg.Definitions(jobs=[])

    monkeypatch.setattr(pipeline.definitions, "defs", noisy)
    assert error(podium("run", "tiny", "--json", data_dir=data_dir), 2) == "no board 'tiny' is declared; known: none"


def test_a_step_without_anything_to_do_says_so(data_dir: Path) -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(["tiny", "only"], skippable=True)])
    def marts() -> Iterator[dg.MaterializeResult[None]]:
        yield from ()

    definitions = dg.Definitions(assets=[marts], jobs=[dg.define_asset_job("tiny", selection=[marts])])
    outcome = run("tiny", parts=[definitions], data_dir=data_dir)
    assert re.search(r"^✓ marts +nothing new$", outcome.out, re.MULTILINE)


def test_a_board_without_rows_yet_is_no_error(fresh_boards: WarehouseFiles, tmp_path: Path) -> None:
    @dg.asset
    def only() -> None:
        pass

    definitions = dg.Definitions(assets=[only], jobs=[dg.define_asset_job("sp500", selection=[only])])
    outcome = run("sp500", parts=[definitions], data_dir=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert "board 'sp500' has no rows in category 'overall' yet" in outcome.out
    assert "podium sql" not in outcome.out


def test_a_run_that_publishes_nothing_says_so(tmp_path: Path) -> None:
    outcome = run_one(nothing, data_dir=tmp_path)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "Nothing is published yet."


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_run_after_which_readers_still_see_what_was_before_says_why(
    arguments: tuple[str, ...], fresh_boards: WarehouseFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.asset
    def published() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        return dg.MaterializeResult(metadata={"podium/waits_for": "box, league"})

    outcome = run(*arguments, parts=[dg.Definitions(assets=[published])], data_dir=tmp_path)
    told = (
        "nothing was published: the warehouse does not have box, league (was it lost?), so readers keep what was "
        "published before; `podium run` without a name computes all boards again"
    )
    assert (outcome.code, outcome.err) == (0, f"podium: {told}\n")
    assert outcome.out
    monkeypatch.setenv("PODIUM_LOG", "json")
    again = run(*arguments, parts=[dg.Definitions(assets=[published])], data_dir=tmp_path)
    last = json.loads(again.err.splitlines()[-1])
    assert (last["level"], last["message"]) == ("WARNING", told)


def test_a_relative_home_of_the_user_holds_the_history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_one(nothing, data_dir=tmp_path, home="mine").code == 0
    assert len(list((tmp_path / "mine" / "podium-run").glob("*.log"))) == 1
    assert not (tmp_path / "dagster_home").exists()


@pytest.mark.slow
def test_a_first_run_with_marts_prints_json_only_and_makes_the_queries_work(
    tmp_path: Path, dbt_dir: Path, dbt_command: Preloaded
) -> None:
    script = """
import os
import sys
import pipeline.components.dbt
import pipeline.definitions
from pathlib import Path
from pipeline.cli import main
from pipeline_tests.toy_graph import ToyGraph

pipeline.components.dbt.dbt_executable = lambda: Path(os.environ["DBT_OF_TEST"])
pipeline.definitions.defs = lambda: ToyGraph(Path("data").resolve(), with_marts=True).definitions
main()
"""
    environment = os.environ | {
        "PODIUM_DATA_DIR": "data",
        "PODIUM_DBT_PROJECT_DIR": str(dbt_dir),
        "PODIUM_DOTTED_PATH_PACKAGES": DOTTED_PATHS,
        "DAGSTER_HOME": "",
        "DBT_OF_TEST": str(dbt_command.start()),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    first = call("run", "toy", "--json")
    done = json.loads(first.stdout)
    assert (done["success"], first.stderr) == (True, "")
    assert {"marts/leaderboard_current", "published"} <= {report["asset"] for report in done["assets"]}

    second = call("run", "toy")
    assert re.search(r"^✓ marts +nothing new$", second.stdout, re.MULTILINE)
    assert "Nothing new: 0 cycles recomputed" in second.stdout
    for query in re.findall(r'^  \S*podium sql "(.*)"$', second.stdout, re.MULTILINE):
        assert podium("sql", query, "--json", data_dir=tmp_path / "data").json


def declared(attributes: dict[str, Any]) -> Callable[[], dg.Definitions]:
    """Loading that reads a declaration, as Dagster does: its own error on top, the contract's as the cause."""

    def defs() -> dg.Definitions:
        try:
            Contract.model_validate(attributes)
        except ValueError as error:
            raise RuntimeError("Error while loading component tiny[0]:\na tree") from error
        raise AssertionError("a valid declaration")

    return defs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["icc"]}, "unknown metric 'icc'; known: contribution"),
        ({"truth": {"source": "s", "at": "x"}}, "truth: unknown field 'at'; known: source"),
    ],
)
def test_a_wrong_declaration_is_one_line_that_names_it(
    change: dict[str, Any], message: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attributes = toy_contest.contract().model_dump(mode="json") | change
    monkeypatch.setattr(pipeline.definitions, "defs", declared(attributes))
    outcome = podium("run", data_dir=data_dir)
    assert outcome.code == 2
    assert outcome.err.startswith(f"podium: pipeline/defs/tiny/defs.yaml: {message}")
    assert outcome.err.count("\n") == 1


def test_a_bug_in_loading_keeps_its_traceback(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def defs() -> dg.Definitions:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline.definitions, "defs", defs)
    with pytest.raises(ZeroDivisionError):
        podium("run", data_dir=data_dir)


def test_a_run_says_which_process_executes_it(data_dir: Path) -> None:
    run_one(nothing, data_dir=data_dir)
    with dg.DagsterInstance.from_config(str(data_dir / "dagster_home")) as instance:
        tags = instance.get_runs(limit=1)[0].tags
    assert (tags["podium/host"], tags["podium/pid"]) == (socket.gethostname(), str(os.getpid()))


def test_a_run_of_a_killed_process_is_reported_as_failed_by_the_next(data_dir: Path) -> None:
    child = multiprocessing.get_context("fork").Process(
        target=run_one, args=(lambda: os.kill(os.getpid(), signal.SIGKILL),), kwargs={"data_dir": data_dir}
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    run_one(nothing, data_dir=data_dir)
    with dg.DagsterInstance.from_config(str(data_dir / "dagster_home")) as instance:
        last, killed = (one.status for one in instance.get_runs(limit=2))
    assert (last, killed) == (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)


def test_each_run_has_a_log_of_its_own_and_the_newest_are_kept(data_dir: Path) -> None:
    folder = data_dir / "dagster_home" / "podium-run"
    for number in range(25):
        (folder / f"{number}.log").touch()
        os.utime(folder / f"{number}.log", (number, number))
    one, another = (Path(run_one(nothing, "--json", data_dir=data_dir).json["log"]) for _ in range(2))
    assert one != another
    kept = {path.name for path in folder.glob("*.log")}
    assert len(kept) == 20
    assert {one.name, another.name} < kept
    assert "0.log" not in kept


def test_a_full_disk_under_the_log_does_not_fail_a_run(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    monkeypatch.setattr(pipeline.cli.run, "log_path", lambda *_: full)
    outcome = run_one(lambda: print("much " * 10_000), "--json", data_dir=data_dir)
    assert (outcome.code, outcome.err, outcome.json["success"]) == (0, "", True)


@pytest.mark.parametrize(
    ("cause", "code", "message"),
    [
        (WarehouseVersionError("a newer Podium wrote it"), 2, "podium: a newer Podium wrote it\n"),
        (WarehouseDamagedError("the working file is damaged"), 2, "podium: the working file is damaged\n"),
    ],
)
def test_a_warehouse_that_cannot_be_used_is_wrong_input(
    cause: Exception, code: int, message: str, tmp_path: Path
) -> None:
    def fail() -> None:
        raise cause

    outcome = run_one(fail, data_dir=tmp_path)
    assert (outcome.code, outcome.err) == (code, message)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "warehouse" / "podium.duckdb"
    path.parent.mkdir()
    path.write_text("no database", encoding="utf-8")
    outcome = run("toy", data_dir=tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"podium: the working file {path} is damaged (IO Error: ")


def test_a_wait_for_another_writer_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PODIUM_LOCK_TIMEOUT", "1.2")
    with processes.running(processes.hold, tmp_path) as holder:
        assert processes.line(holder) == "holding"
        outcome = run("toy", data_dir=tmp_path)
    waiting, busy = outcome.err.splitlines()
    assert waiting.startswith(f"podium: waiting up to 1 s for process {holder.pid} on ")
    assert busy.startswith("podium: the warehouse is busy: ")


def test_a_run_that_is_done_stays_so_when_its_board_cannot_be_shown(
    fresh_boards: WarehouseFiles, tmp_path: Path
) -> None:
    path = (tmp_path / "published" / "current" / "podium.duckdb").resolve()

    @dg.asset
    def only() -> None:
        pass

    definitions = dg.Definitions(assets=[only])
    with duckdb.connect(str(path)):  # open for writing
        outcome = run(parts=[definitions], data_dir=tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert "The board cannot be shown: the warehouse is busy: " in outcome.out
    assert f"Published: {path}" in outcome.out


def test_force_with_a_range_of_no_cycle_recomputes_nothing(data_dir: Path, first: Outcome) -> None:
    outcome = run("toy", "--from", "2050-01-01", "--force", data_dir=data_dir)
    assert re.search(r"^Nothing new: 0 cycles recomputed in ", outcome.out, re.MULTILINE)
    done = run("toy", "--from", "2050-01-01", "--force", "--json", data_dir=data_dir).json
    assert (done["cycles_recomputed"], done["whole_tables_recomputed"]) == (0, 0)


def test_a_board_named_like_a_keyword_is_quoted_in_the_suggested_queries(of_order: tuple[Path, Outcome]) -> None:
    folder, outcome = of_order
    queries = re.findall(r'^  \S*podium sql "(.*)"$', outcome.out, re.MULTILINE)
    assert '\\"order\\".scores' in queries[2]
    for query in queries[1:]:
        assert podium("sql", query.replace('\\"', '"'), "--json", data_dir=folder).json


def test_a_missing_dbt_project_is_named_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", str(tmp_path / "nowhere"))
    message = error(run_one(nothing, "--json", data_dir=tmp_path), 2)
    assert (
        message == f"there is no dbt_project.yml in {tmp_path}/nowhere; set PODIUM_DBT_PROJECT_DIR to the dbt project"
    )


def test_an_alert_goes_out_when_a_run_in_the_foreground_fails_and_when_it_is_well_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> None:
        raise KeyError("nobody")

    with listening(lambda _: 200) as (address, taken):
        monkeypatch.setenv("PODIUM_ALERT", address)
        codes = [run_one(body, "--json", data_dir=tmp_path).code for body in (fail, fail, nothing, nothing)]
    assert codes == [1, 1, 0, 0]
    assert [(one["state"], one["asset"], one["cause"]) for one in taken] == [
        ("failed", "tiny/only", "KeyError"),
        ("recovered", "tiny/only", "KeyError"),
    ]


def test_a_hook_that_takes_nothing_changes_no_run_and_one_that_is_not_there_is_refused_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PODIUM_ALERT", "http://127.0.0.1:9/closed?key=hidden")
    monkeypatch.setattr(pipeline.health.alerts, "_PAUSE", 0.0)
    outcome = run_one(lambda: 1 / 0, data_dir=tmp_path)
    assert "failed at tiny/only: ZeroDivisionError" in outcome.err
    assert "hidden" not in outcome.err
    monkeypatch.setenv("PODIUM_ALERT", "pipeline.nothing.there")
    message = error(run_one(nothing, "--json", data_dir=tmp_path), 2)
    assert message.startswith("PODIUM_ALERT cannot be used: alert hook 'pipeline.nothing.there' cannot be imported")


def test_with_json_asked_for_every_line_of_the_log_is_an_object_with_run_board_and_asset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def tell() -> None:
        dg.get_dagster_logger().info("half\nway")
        print("noise of a library")
        raise KeyError("nobody")

    monkeypatch.setenv("PODIUM_LOG", "json")
    outcome = run_one(tell, data_dir=tmp_path)
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    (log,) = (tmp_path / "dagster_home" / "podium-run").iterdir()
    assert (outcome.code, outcome.out) == (1, "")
    assert {one["run_id"] for one in lines if "run_id" in one} == {log.stem}
    told = [(one["level"], one["message"]) for one in lines if one.get("asset") == "tiny/only"]
    assert told[0] == ("INFO", "started")
    assert ("INFO", "half\nway") in told
    assert ("ERROR", "failed: 'nobody'") in told
    assert {one["board"] for one in lines if "asset" in one} == {"tiny"}
    assert (lines[-1]["level"], lines[-1]["logger"]) == ("ERROR", "podium")
    assert f"run {log.stem} failed at tiny/only: KeyError: 'nobody'" in lines[-1]["message"]
    text = log.read_text(encoding="utf-8").splitlines()
    assert "noise of a library" in text
    assert any(json.loads(line)["message"] == "started" for line in text if line.startswith("{"))
