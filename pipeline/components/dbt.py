"""The dbt project as Dagster needs it: a manifest that makes itself, asset keys, and the boards it depends on."""

import contextlib
import functools
import hashlib
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import dagster as dg
import filelock
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject
from packaging.version import Version

from pipeline.components.automation import on_new_inputs
from pipeline.components.keys import asset_key
from pipeline.declaration import BoardDeclaration
from pipeline.processes import STARTED_BY, Process
from pipeline.settings import settings
from pipeline.tables import ALL_TABLES, BOARDS, LEDGER, TableSpec

_WAREHOUSE_FILE = "PODIUM_WAREHOUSE_FILE"
_LAKE = ("PODIUM_LAKE_CATALOG", "PODIUM_LAKE_FILES")
_PROJECT_FILES = ("dbt_project.yml", "profiles.yml", "models/**/*", "macros/**/*", "tests/**/*")


@functools.cache
def dbt_project() -> DbtProject:
    """The dbt project, its manifest made first when there is none or the project changed since.

    Processes that start at the same time, as under ``dagster dev``, wait for the one that makes it.
    """
    project = DbtProject(project_dir=settings().dbt_project_dir, profiles_dir=settings().dbt_project_dir)
    target, code = project.manifest_path.parent, project_code()
    target.mkdir(parents=True, exist_ok=True)
    made_of = target / "manifest.made_of"
    with filelock.FileLock(target / "manifest.lock"):
        if not project.manifest_path.exists() or not made_of.exists() or made_of.read_text() != code:
            with dbt_on(settings().warehouse_path):
                dbt_cli(project).cli(["parse", "--quiet"], target_path=project.target_path).wait()
            made_of.write_text(code)
    return project


class InstalledDbt(DbtCliResource):
    """dbt whose version its package tells: ``dbt --version`` takes two seconds and asks the package index."""

    @functools.cached_property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))


def dbt_cli(project: DbtProject) -> DbtCliResource:
    """The dbt of this environment, found also when the environment is not activated."""
    return InstalledDbt(project_dir=project, dbt_executable=str(dbt_executable()))  # type: ignore[arg-type]  # as its base


def dbt_executable() -> Path:
    """The command beside the Python that runs."""
    return Path(sys.executable).with_name("dbt")


@contextlib.contextmanager
def dbt_on(warehouse: Path) -> Iterator[None]:
    """Let dbt that is started in the block work on this file; dbt parses anew whenever it is another one.

    For the settings' own one it works on what they say keeps its tables. It ends when this process does.
    """
    is_own = warehouse == settings().warehouse_path.resolve()
    lake = (settings().lake_catalog or "", settings().lake_files) if is_own else ("", "")
    given = {_WAREHOUSE_FILE: str(warehouse), **dict(zip(_LAKE, lake, strict=True)), STARTED_BY: Process.this().tell()}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def project_files() -> list[Path]:
    """Every file that decides what dbt builds."""
    found = {path for pattern in _PROJECT_FILES for path in settings().dbt_project_dir.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def project_code() -> str:
    """Hash of the project's files, so that a changed model is built again."""
    digest = hashlib.sha256()
    for path in project_files():
        digest.update(path.relative_to(settings().dbt_project_dir).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class Translator(DagsterDbtTranslator):
    """Models become assets ``marts/<model>`` that depend on the tables of every board, not on shared sources.

    dbt knows one ``competition.leaderboard``; Dagster knows one leaderboard asset for each competition. So a model that
    reads the source depends on that asset of each.

    Parameters
    ----------
    boards : sequence of BoardDeclaration
        Every declared board.
    others : collection of AssetKey
        Assets that write boards which are not declared.
    """

    def __init__(self, boards: Sequence[BoardDeclaration], others: Collection[dg.AssetKey] = ()) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_metadata=False))
        self._boards = tuple(boards)
        self._others = frozenset(others)

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The asset of a model, its source dependencies replaced by the boards' assets."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if manifest["nodes"].get(unique_id, {}).get("resource_type") != "model":
            return spec
        deps = [dg.AssetDep(key) for key in sorted(self._upstream(manifest, unique_id))]
        return spec.replace_attributes(deps=deps)

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """The check of a dbt test, not blocking: a failed test fails the step of all marts, so nothing follows anyway.

        As blocking ones they would be warned about, one by one, whenever there is nothing to build.
        """
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return None if spec is None else spec._replace(blocking=False)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``marts/<model>``, or ``<schema>/<table>`` for a source."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_automation_condition(
        self,
        dbt_resource_props: Mapping[str, Any],  # noqa: ARG002  (dbt's signature)
    ) -> dg.AutomationCondition[dg.AssetKey] | None:
        """Models are built when something they read was computed."""
        return on_new_inputs()

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:  # noqa: ARG002  (dbt's signature)
        """All models are in the group ``marts``."""
        return "marts"

    def _upstream(self, manifest: Mapping[str, Any], unique_id: str) -> set[dg.AssetKey]:
        """Keys of what a model reads, looking through ephemeral models."""
        keys: set[dg.AssetKey] = set()
        for parent in manifest["nodes"][unique_id]["depends_on"]["nodes"]:
            if parent in manifest["sources"]:
                keys |= self._boards_assets(manifest["sources"][parent])
            elif manifest["nodes"][parent]["config"]["materialized"] == "ephemeral":
                keys |= self._upstream(manifest, parent)
            else:
                keys.add(self.get_asset_key(manifest["nodes"][parent]))
        return keys

    def _boards_assets(self, source: Mapping[str, Any]) -> set[dg.AssetKey]:
        """The asset of each board; what is about the whole warehouse (``meta``) follows every one of each board."""
        if source["source_name"] == LEDGER.schema:
            tables = {asset_key(board.name, table) for board in self._boards for table in (BOARDS, *board.tables)}
            return tables | self._others
        read = next(one for one in ALL_TABLES if (one.schema, one.name) == (source["source_name"], source["name"]))
        return {key for board in self._boards for key in _asset_of(board, read)}


def _asset_of(board: BoardDeclaration, table: TableSpec) -> Iterator[dg.AssetKey]:
    """The asset of a board's table; of one that its kind may have, but it has not, it is the declaration that says so.

    A board of another kind has nothing to do with the table.
    """
    if table.schema == BOARDS.schema or table in board.tables:
        yield asset_key(board.name, table)
    elif table.schema == board.kind:
        yield asset_key(board.name, BOARDS)
