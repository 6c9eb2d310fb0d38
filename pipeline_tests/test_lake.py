"""The contest on DuckLake ends where it does on a file: every table, and every published one, to the last bit."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from pipeline.settings import settings
from pipeline.warehouse import compose, open_published
from pipeline_tests.conftest import toy_environment
from pipeline_tests.toy_contest import contract, toy, week
from pipeline_tests.toy_graph import ToyGraph, assert_same_tables, recomputed

_WHEN = {"changed_at", "migrated_at", "built_at", "landed_at", "computed_at"}
"""Columns that say when Podium did something, which no two runs have in common."""
_ENSEMBLE = {"name": "main", "strategy": "inverse_variance", "normalize": "rank", "window": 4, "min_history": 2}


def contest() -> ToyGraph:
    """A board with an ensemble, in the folder of the settings."""
    return ToyGraph(settings().data_dir, [contract(ensembles=[_ENSEMBLE])], with_marts=True)


def play(graph: ToyGraph) -> list[dict[str, int]]:
    """A first run, one of what happened since, and one of nothing; how many cycles each recomputed."""
    done = [recomputed(graph.run())]
    source = toy()
    source.add_cycle()
    source.resolve(source.n_cycles - 2)
    source.revise(3, "S1", 0.25, week(41.5))
    return [*done, recomputed(graph.run()), recomputed(graph.run())]


def published(graph: ToyGraph) -> Mapping[str, pd.DataFrame]:
    """All rows of every table and view of the published file, but for when they were written."""
    with open_published(graph.folder / "published") as connection:
        names = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL"
            " SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        found = {}
        for schema, name in names:
            rows = connection.execute(compose("FROM {schema}.{name}", schema=schema, name=name)).df()
            rows = rows[[column for column in rows.columns if column not in _WHEN]]
            found[f"{schema}.{name}"] = rows.sort_values(list(rows.columns), ignore_index=True)
        return found


@pytest.mark.slow
def test_the_contest_on_ducklake_ends_with_the_tables_of_the_default(
    tmp_path: Path, dbt_dir: Path, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for name, warehouse in (("file", ""), ("lake", f"ducklake:postgres:{catalog}")):
        monkeypatch.setenv("PODIUM_WAREHOUSE", warehouse)
        with toy_environment(tmp_path / name, dbt_dir):
            graph = contest()
            did = play(graph)
            is_file = (graph.folder / "warehouse" / "podium.duckdb").exists()
            ends.append((did, graph.tables(), published(graph), is_file))
    (did, tables, readers, _), (did_too, tables_too, readers_too, is_file) = ends
    assert not is_file
    assert did == did_too
    assert any(did[1].values())
    assert not any(did[2].values())
    assert_same_tables(tables, tables_too)
    assert len(readers) > 60
    assert_same_tables(readers, readers_too)
