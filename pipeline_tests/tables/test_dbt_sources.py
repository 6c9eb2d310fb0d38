"""The dbt sources that are generated from the specifications."""

import runpy
from pathlib import Path

import pytest
import yaml

from pipeline.settings import settings
from pipeline.tables import ALL_TABLES
from pipeline.tables.dbt_sources import sources_file, sources_yaml


def test_the_committed_file_is_current() -> None:
    assert sources_file().read_text(encoding="utf-8") == sources_yaml(), "run `make generate`"


def test_every_table_and_column_is_a_source_with_type_and_description() -> None:
    found = {
        (source["schema"], table["name"]): table
        for source in yaml.safe_load(sources_yaml())["sources"]
        for table in source["tables"]
    }
    assert set(found) == {(spec.schema, spec.name) for spec in ALL_TABLES}
    for spec in ALL_TABLES:
        table = found[spec.schema, spec.name]
        assert table["description"] == spec.comment
        assert [(one["name"], one["data_type"], one["description"]) for one in table["columns"]] == [
            (column.name, column.type.lower(), column.comment) for column in spec.columns
        ]


def test_the_module_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models" / "staging").mkdir(parents=True)
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", str(tmp_path))
    settings.cache_clear()
    try:
        path = Path(str(sources_file()))
        monkeypatch.delitem(__import__("sys").modules, "pipeline.tables.dbt_sources")
        runpy.run_module("pipeline.tables.dbt_sources", run_name="__main__")
    finally:
        settings.cache_clear()
    assert path.read_text(encoding="utf-8") == sources_yaml()
    assert capsys.readouterr().out == f"wrote {path}\n"
