"""The dbt project by itself: it builds in its own folder, its marts are documented, tested, and say what is stored."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipeline.processes import STARTED_BY, Process
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.tables import COMPETITION_TABLES, ENSEMBLE_TABLES, EVALUATIONS, LEADERBOARD, SNAPSHOTS
from pipeline.warehouse import WarehouseFiles
from pipeline_tests.conftest import Filled, copy_dbt_project
from pipeline_tests.patience import PATIENCE
from pipeline_tests.preloaded import Preloaded
from pipeline_tests.toy_contest import week
from pipeline_tests.toy_graph import FILE, ToyGraph

DBT = Path(sys.executable).with_name("dbt")
MARTS = PROJECT_ROOT / "dbt_project" / "models" / "marts"


def dbt(
    project: Path, *arguments: str, data_dir: Path | str | None = None, command: Path = DBT, **settings: str
) -> subprocess.CompletedProcess[str]:
    """dbt as an analyst starts it: in its folder, told at most where the data are, and PODIUM_* settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "DBT_"))}
    environment |= settings if data_dir is None else {"PODIUM_DATA_DIR": str(data_dir), **settings}
    return subprocess.run(
        [str(command), *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def ready(dbt_command: Preloaded) -> Path:
    """The same dbt with its imports done."""
    return dbt_command.start()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dbt project that was never parsed."""
    return copy_dbt_project(tmp_path_factory.mktemp("plain") / "dbt_project")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a warehouse in which nothing was ever computed."""
    folder = tmp_path_factory.mktemp("empty")
    with WarehouseFiles(folder / FILE).write("a test"):
        pass
    return folder


@pytest.fixture(scope="module")
def built_empty(project: Path, empty: Path) -> subprocess.CompletedProcess[str]:
    return dbt(project, "build", data_dir=empty)


@pytest.fixture(scope="module")
def manifest(project: Path, built_empty: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What dbt knows of the project."""
    return json.loads((project / "target" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def marts(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The marts by name."""
    nodes = manifest["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model" and node["schema"] == "marts"}


def test_an_empty_warehouse_builds_and_every_mart_is_there(
    built_empty: subprocess.CompletedProcess[str], empty: Path
) -> None:
    assert built_empty.returncode == 0, built_empty.stdout
    with WarehouseFiles(empty / FILE).read() as store:
        rows = {
            path.stem: store.query(f"SELECT count(*) AS n FROM marts.{path.stem}")["n"].iloc[0]
            for path in MARTS.glob("*.sql")
        }
    assert len(rows) == 8
    assert set(rows.values()) == {0}


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory, filled: Filled, ready: Path) -> ToyGraph:
    """A filled warehouse whose marts plain dbt built, not Dagster; it lies where dbt looks without being told."""
    root = tmp_path_factory.mktemp("rebuilt")
    (root / "data" / FILE).parent.mkdir(parents=True)
    shutil.copy(filled.folder / FILE, root / "data" / FILE)
    graph = ToyGraph(root / "data")
    graph.execute("DROP SCHEMA marts CASCADE")
    # Unlike its numerator and denominator: a mart that recomputes it does not show it.
    graph.execute(
        "UPDATE competition.cycle_metrics SET value = 0.25 WHERE metric = 'coverage' AND model_id = 'contrarian'"
    )
    graph.execute(
        "UPDATE competition.cycle_metrics SET is_imputed = true WHERE model_id = 'good' AND cycle = ?", week(3)
    )
    result = dbt(copy_dbt_project(root / "dbt_project"), "build", command=ready)
    assert result.returncode == 0, result.stdout
    return graph


def stored(graph: ToyGraph, sql: str) -> pd.DataFrame:
    with graph.open() as store:
        return store.query(sql)


def test_the_current_leaderboard_is_the_newest_one_stored(rebuilt: ToyGraph) -> None:
    board = rebuilt.table(LEADERBOARD)
    newest = board[board["as_of"] == board["as_of"].max()].sort_values("position", ignore_index=True)

    current = stored(rebuilt, "SELECT * FROM marts.leaderboard_current ORDER BY position")

    columns = [name for name in current.columns if name in LEADERBOARD.column_names]
    assert set(LEADERBOARD.column_names) == set(columns)
    pd.testing.assert_frame_equal(current[columns], newest[columns], check_dtype=False, check_exact=True)
    assert current["title"].tolist() == [f"The {model} model" for model in current["model_id"]]


def test_the_history_is_every_board_stored(rebuilt: ToyGraph) -> None:
    key = ["as_of", "model_id"]
    history = stored(rebuilt, "SELECT * FROM marts.leaderboard_history").sort_values(key, ignore_index=True)
    board = rebuilt.table(LEADERBOARD).sort_values(key, ignore_index=True)

    columns = list(LEADERBOARD.column_names)
    pd.testing.assert_frame_equal(history[columns], board[columns], check_dtype=False, check_exact=True)


def test_rank_changes_are_the_boards_where_a_rank_moved(rebuilt: ToyGraph) -> None:
    changes = stored(rebuilt, "SELECT as_of, model_id, rank_change FROM marts.rank_changes")
    board = rebuilt.table(LEADERBOARD)

    assert len(changes) == (board["rank_change"].fillna(0) != 0).sum() > 0


def test_stats_and_history_are_the_snapshots_stored(rebuilt: ToyGraph) -> None:
    snapshots = rebuilt.table(SNAPSHOTS)
    history = stored(rebuilt, "SELECT * FROM marts.model_history")
    stats = stored(rebuilt, "SELECT * FROM marts.model_stats")

    key = ["as_of", "model_id", "window_name", "metric"]
    columns = [*key, "value", "n", "n_scored", "coverage", "se", "ci_low", "ci_high", "ci_method", "reason"]
    for mart, rows in ((history, snapshots), (stats, snapshots[snapshots["as_of"] == snapshots["as_of"].max()])):
        left, right = (part.sort_values(key, ignore_index=True)[columns] for part in (mart, rows))
        pd.testing.assert_frame_equal(left, right, check_dtype=False, check_exact=True)
    assert set(zip(stats["metric"], stats["direction"], strict=True)) == {
        *((metric, "desc") for metric in ("ic", "ic_sharpe", "mean_return", "hit_rate", "fnc")),
        *((metric, "none") for metric in ("model_correlation", "turnover")),
    }


def test_coverage_says_who_was_scored_where(rebuilt: ToyGraph) -> None:
    coverage = stored(rebuilt, "SELECT * FROM marts.coverage").set_index("model_id")

    assert set(coverage.loc["sharp", "coverage"]) == {1.0}
    assert set(coverage.loc["constant", "coverage"]) == {0.0}
    assert set(coverage.loc["contrarian", "coverage"]) == {0.25}
    assert (coverage["n_outcomes"] == 8).all()
    assert week(3) in set(coverage.loc["sharp", "cycle"])
    assert week(3) not in set(coverage.loc["good", "cycle"])


def test_freshness_knows_every_table_of_the_board(rebuilt: ToyGraph) -> None:
    freshness = stored(rebuilt, "SELECT * FROM marts.freshness WHERE board = 'toy'")

    tables = [
        spec for spec in COMPETITION_TABLES if spec not in (*ENSEMBLE_TABLES, EVALUATIONS)
    ]  # of which it has none
    assert set(freshness["table_name"]) == {spec.name for spec in tables} | {"boards", "metrics"}
    without = freshness.loc[freshness["newest_cycle"].isna(), "table_name"]
    assert set(without) == {spec.name for spec in tables if spec.cycle is None} | {"boards", "metrics"}


@pytest.mark.parametrize(
    "given", [{}, {"PODIUM_MEMORY_LIMIT": "512MiB", "PODIUM_THREADS": "1"}], ids=["default", "set"]
)
def test_dbt_has_the_memory_and_threads_of_the_settings(
    project: Path, empty: Path, ready: Path, given: dict[str, str]
) -> None:
    query = "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads"
    show = ("--quiet", "show", "--output", "json", "--inline", query)
    shown = dbt(project, *show, data_dir=empty, command=ready, **given)

    default = {name: field.default for name, field in Settings.model_fields.items()}
    threads = int(given.get("PODIUM_THREADS", default["threads"]))
    config = {"memory_limit": given.get("PODIUM_MEMORY_LIMIT", default["memory_limit"])}
    with duckdb.connect(config=config | ({"threads": threads} if threads else {})) as connection:
        expected = connection.execute(query).df().to_dict("records")
    assert shown.returncode == 0, shown.stdout
    assert json.loads(shown.stdout)["show"] == expected


def test_without_a_warehouse_dbt_says_what_to_do_and_makes_none(project: Path, ready: Path) -> None:
    result = dbt(project, "build", data_dir="nowhere", command=ready)

    # A relative folder is that of `podium` at the repository's top, not one inside the dbt project.
    assert f"there is no warehouse {project.parent / 'nowhere' / FILE} yet; run `podium run` first" in result.stdout
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    assert not (project.parent / "nowhere").exists()


class TestStartedByARun:
    """Dbt that Dagster started, and the process that runs Dagster."""

    @pytest.fixture
    def run(self) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(["sleep", "600"]) as process:
            yield process
            process.kill()

    def test_when_the_run_is_gone_nothing_is_built(
        self, project: Path, empty: Path, ready: Path, run: subprocess.Popen[bytes]
    ) -> None:
        run.kill()
        run.wait()

        result = dbt(project, "build", data_dir=empty, command=ready, **started_by(run))

        assert f"the run that started dbt (process {run.pid}) is gone; the next one builds" in result.stdout
        assert result.returncode != 0
        assert "Traceback" not in result.stdout + result.stderr

    def test_when_the_run_is_killed_dbt_lets_go_of_the_warehouse(
        self, project: Path, empty: Path, ready: Path, run: subprocess.Popen[bytes]
    ) -> None:
        forever = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range * b.range = 7"
        environment = os.environ | {"PODIUM_DATA_DIR": str(empty)} | started_by(run)
        with subprocess.Popen([str(ready), "show", "--inline", forever], cwd=project, env=environment) as at_work:
            locked = f":{(empty / FILE).stat().st_ino} "
            try:
                while locked not in Path("/proc/locks").read_text():
                    assert at_work.poll() is None
                    time.sleep(0.05)
                time.sleep(0.5)  # so that it is at the query, not at looking for tables before
                run.kill()
                at_work.wait(PATIENCE)
            finally:
                at_work.kill()
        assert at_work.returncode != 0
        with WarehouseFiles(empty / FILE, lock_timeout=0).write("a test") as store:
            assert store.query("SELECT 1 AS one")["one"].tolist() == [1]


def started_by(run: subprocess.Popen[bytes]) -> dict[str, str]:
    """What tells dbt which process started it."""
    return {STARTED_BY: Process(socket.gethostname(), run.pid).tell()}


@pytest.mark.parametrize("mart", sorted(path.stem for path in MARTS.glob("*.sql")))
class TestMart:
    def test_its_contract_is_enforced(self, marts: dict[str, dict[str, Any]], mart: str) -> None:
        assert marts[mart]["config"]["contract"]["enforced"]

    def test_it_and_its_columns_are_described(self, marts: dict[str, dict[str, Any]], mart: str) -> None:
        assert marts[mart]["description"]
        assert [name for name, column in marts[mart]["columns"].items() if not column["description"]] == []

    def test_its_key_is_tested(self, manifest: dict[str, Any], marts: dict[str, dict[str, Any]], mart: str) -> None:
        tests = [
            node["test_metadata"]
            for node in manifest["nodes"].values()
            if node.get("attached_node") == marts[mart]["unique_id"]
        ]
        unique = [test for test in tests if test["name"] == "unique_key"]
        not_null = {test["kwargs"]["column_name"] for test in tests if test["name"] == "not_null"}

        (key,) = [test["kwargs"]["columns"] for test in unique]
        assert set(key) <= set(marts[mart]["columns"])
        assert set(key) <= not_null

    def test_an_exposure_says_who_reads_it(
        self, manifest: dict[str, Any], marts: dict[str, dict[str, Any]], mart: str
    ) -> None:
        read = {node for one in manifest["exposures"].values() for node in one["depends_on"]["nodes"]}

        assert marts[mart]["unique_id"] in read


def test_marts_read_staging_models_and_only_those_read_sources(manifest: dict[str, Any]) -> None:
    for name, node in manifest["nodes"].items():
        if node["resource_type"] != "model":
            continue
        parents = node["depends_on"]["nodes"]
        if node["name"].startswith("stg_"):
            assert all(parent.startswith("source.") for parent in parents), name
        else:
            assert all(parent.startswith("model.podium.stg_") for parent in parents), name


LACKING = {
    "one": "model_id = 'good'",
    "one_in_a_category": "category = 'overall' AND model_id = 'good'",
    "everybody": "true",
    "the_newest_board": "as_of = (SELECT max(as_of) FROM competition.leaderboard)",
}
"""What the boards of contests lack, by contest."""


@pytest.fixture(scope="module")
def found_lacking(
    tmp_path_factory: pytest.TempPathFactory, project: Path, filled: Filled, ready: Path
) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """What dbt says of all those contests in one warehouse, and in which its test found something."""
    folder = tmp_path_factory.mktemp("lacking")
    (folder / FILE).parent.mkdir()
    shutil.copy(filled.folder / FILE, folder / FILE)
    graph = ToyGraph(folder)
    named = {"competition.snapshots": "competition", "competition.models": "competition", "catalog.metrics": "board"}
    named |= {"competition.leaderboard": "competition"}
    for contest, without in LACKING.items():
        for table, column in named.items():
            where = (
                f"{column} = 'toy' AND NOT ({without})" if table == "competition.leaderboard" else f"{column} = 'toy'"
            )
            graph.execute(f"INSERT INTO {table} SELECT * REPLACE ('{contest}' AS {column}) FROM {table} WHERE {where}")
    select = ("--select", "+board_has_a_row_for_every_model", "--store-failures")
    result = dbt(project, "build", *select, data_dir=folder, command=ready)
    (place,) = re.findall(r"select \* from (\S*board_has_a_row_for_every_model\S*)", result.stdout)
    return result, {contest for (contest,) in graph.execute(f"SELECT competition FROM {place}")}


def test_a_newest_board_that_lacks_a_model_fails(
    found_lacking: tuple[subprocess.CompletedProcess[str], set[str]],
) -> None:
    result, contests = found_lacking
    assert result.returncode != 0
    assert "Failure in test board_has_a_row_for_every_model" in result.stdout
    assert contests == {"one", "one_in_a_category"}


@pytest.mark.parametrize("contest", ["toy", "everybody", "the_newest_board"])
def test_one_still_to_come_keeps_nobody_waiting(
    found_lacking: tuple[subprocess.CompletedProcess[str], set[str]], contest: str
) -> None:
    assert contest not in found_lacking[1]


@pytest.mark.slow
def test_a_column_of_another_type_breaks_the_contract(
    project: Path, empty: Path, ready: Path, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    changed = tmp_path / "dbt_project"
    shutil.copytree(project, changed)
    model = changed / "models" / "marts" / "coverage.sql"
    model.write_text(model.read_text().replace("cast(numerator as bigint)", "cast(numerator as varchar)"))

    result = dbt(changed, "run", "--select", "coverage", data_dir=empty, command=ready)

    assert result.returncode != 0
    assert "enforced contract that failed" in result.stdout
    assert "n_scored" in result.stdout
