"""What Dagster loads: both ways of loading it, what loading costs, and that the graph is the one agreed on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipeline.definitions import defs
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.conftest import copy_dbt_project, toy_environment
from pipeline_tests.dg_command import dg as dg_command
from pipeline_tests.graph_snapshot import SNAPSHOT, snapshot

BIN = Path(sys.executable).parent
HEAVY = ("skfolio", "vl_convert", "altair", "sklearn", "matplotlib")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> dg.Definitions:
    with toy_environment(tmp_path_factory.mktemp("definitions"), dbt_dir):
        return defs()


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    return list(definitions.resolve_all_asset_specs())


def run(*command: object, folder: Path, dbt_dir: Path) -> subprocess.CompletedProcess[str]:
    """A command in the repository's root, with its data and history elsewhere."""
    home = folder / "dagster_home"
    home.mkdir(exist_ok=True)
    environment = os.environ | {
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PODIUM_DATA_DIR": str(folder / "data"),
        "PODIUM_DBT_PROJECT_DIR": str(dbt_dir),
    }
    return subprocess.run(
        [str(part) for part in command], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )


def is_source(spec: dg.AssetSpec) -> bool:
    """Whether it is looked at and fills no table."""
    return spec.key.path[1:2] == ["sources"]


def is_execution(spec: dg.AssetSpec) -> bool:
    """Whether it asks models and fills no table."""
    return spec.key.path[1:2] == ["execution"]


@pytest.mark.slow
def test_definitions_load_where_dbt_never_ran(tmp_path: Path) -> None:
    """By workspace.yaml; ``make check`` loads them by pyproject.toml, too."""
    folder = copy_dbt_project(tmp_path / "dbt_project")

    result = run(BIN / "dagster", "definitions", "validate", "-w", "workspace.yaml", folder=tmp_path, dbt_dir=folder)

    assert result.returncode == 0, result.stderr
    assert "Validation successful for code location podium" in result.stdout + result.stderr
    assert (folder / "target" / "manifest.json").exists()
    assert not (tmp_path / "data").exists()


def test_loading_opens_no_warehouse_and_imports_nothing_heavy(tmp_path: Path, dbt_dir: Path) -> None:
    script = (
        "import json, sys, duckdb\n"
        "def refuse(*_, **__): raise AssertionError('a warehouse was opened')\n"
        "duckdb.connect = refuse\n"
        "from pipeline.definitions import defs\n"
        "defs().resolve_asset_graph()\n"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))\n"
    )

    result = run(sys.executable, "-c", script, folder=tmp_path, dbt_dir=dbt_dir)

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []
    assert not (tmp_path / "data").exists()


def test_dg_validates_the_project_and_lists_its_components_with_their_schema(tmp_path: Path, dbt_dir: Path) -> None:
    with toy_environment(tmp_path, dbt_dir):
        checked = dg_command("check", "defs", DAGSTER_HOME=str(tmp_path))
        listed = dg_command("list", "components", "--json", DAGSTER_HOME=str(tmp_path))
        inspected = dg_command(
            "utils", "inspect-component", "pipeline.components.Competition", DAGSTER_HOME=str(tmp_path)
        )

    assert checked.exit_code == 0, checked.output
    keys = {item["key"] for item in json.loads(listed.stdout)["items"]}
    assert {"pipeline.components.Competition", "pipeline.components.Publishing"} <= keys
    assert "Rolling windows by name." in inspected.stdout


def test_the_graph_is_the_one_agreed_on(definitions: dg.Definitions) -> None:
    assert snapshot(definitions) == SNAPSHOT.read_text(encoding="utf-8"), (
        "the graph changed; if it should, run `python -m pipeline_tests.graph_snapshot` and commit the difference"
    )


def test_every_asset_is_described_grouped_and_says_what_made_it(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        name = spec.key.to_user_string()
        assert spec.description, name
        assert spec.group_name == spec.key.path[0], name
        kind = "json" if is_source(spec) else "sqlite" if is_execution(spec) else "duckdb"
        assert kind in spec.kinds, name


def test_every_asset_of_a_table_shows_its_columns_and_where_it_is(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        if spec.key.path in (["published"], ["posted_experiments"]) or is_source(spec) or is_execution(spec):
            continue  # these fill no table, or those of many boards
        name, schema = spec.key.to_user_string(), spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema), name
        assert all(column.description for column in schema.columns), name
        assert spec.metadata["dagster/table_name"].startswith("podium."), name


def test_every_asset_can_fail_a_check(definitions: dg.Definitions) -> None:
    nodes = definitions.resolve_asset_graph().asset_nodes
    unchecked = {node.key.to_user_string() for node in nodes if not node.check_keys}

    assert unchecked == {"published"}


def test_a_board_runs_on_its_schedule_in_utc(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("sp500_schedule")

    assert schedule.job_name == "sp500"
    assert schedule.cron_schedule == "0 22 * * 5"
    assert schedule.execution_timezone == "UTC"


def test_the_job_of_a_board_ends_with_the_publication(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("sp500")

    assert dg.AssetKey("published") in job.asset_layer.executable_asset_keys


def test_runs_are_one_process(definitions: dg.Definitions) -> None:
    assert definitions.resolve_job_def("sp500").executor_def is dg.in_process_executor
