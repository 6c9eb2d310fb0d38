"""Table specifications: what must hold of every one."""

import re
from graphlib import TopologicalSorter

import pytest

from pipeline.tables import (
    ALL_TABLES,
    COMPETITION_TABLES,
    EXPERIMENT_TABLES,
    JUDGING_TABLES,
    LANDING_TABLES,
    LEADERBOARD,
    LLM_TABLES,
    SNAPSHOTS,
    Input,
    TableSpec,
    Via,
)

NAMES = {(spec.schema, spec.name): spec for spec in ALL_TABLES}
ABOUT_NO_BOARD = {"meta.schema_version", "meta.builds"}
by_name = pytest.mark.parametrize("spec", ALL_TABLES, ids=lambda spec: spec.qualified_name)


BOARD_COLUMN = {"catalog": "board", "judging": "track", "llm": "ranking", "experiments": "experiment"}
OF_EXPERIMENTS = {"quarantine.experiment_rows", "landing.run_rows", "landing.score_rows"}


def test_every_table_has_a_name_of_its_own_among_those_of_a_kind_of_board() -> None:
    assert len(NAMES) == len(ALL_TABLES)
    kinds = {"competition", "judging", "llm", "experiments"}
    for kind in kinds:
        names = [spec.name for spec in ALL_TABLES if spec.schema not in kinds - {kind}]
        assert len(set(names)) == len(names)


@by_name
def test_names_are_plain_and_no_column_is_named_by_a_reserved_word(spec: TableSpec) -> None:
    for name in (spec.schema, spec.name, *spec.column_names):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert not {"window", "order", "group", "table", "user"} & set(spec.column_names)
    assert len(set(spec.column_names)) == len(spec.columns)


@by_name
def test_the_first_column_is_the_board(spec: TableSpec) -> None:
    if spec.qualified_name not in ABOUT_NO_BOARD:
        is_of_experiments = spec.qualified_name in OF_EXPERIMENTS
        assert spec.board == ("experiment" if is_of_experiments else BOARD_COLUMN.get(spec.schema, "competition"))
        assert spec.key[0] == spec.board


@by_name
def test_key_columns_exist_once_and_are_never_null(spec: TableSpec) -> None:
    columns = {column.name: column for column in spec.columns}
    assert spec.key
    assert len(set(spec.key)) == len(spec.key)
    assert all(name in columns and not columns[name].nullable for name in spec.key)


@by_name
def test_the_columns_of_time_exist_in_the_key_and_are_times(spec: TableSpec) -> None:
    types = {column.name: column.type for column in spec.columns}
    for name in (spec.cycle, spec.known_at):
        if name is not None:
            assert name in spec.key or spec in LANDING_TABLES
            assert types[name] == "TIMESTAMP"


@by_name
def test_inputs_are_tables_of_the_same_schema_matched_in_a_way_they_can_be(spec: TableSpec) -> None:
    for source in spec.inputs:
        table = NAMES[spec.schema, source.table]
        assert table.cycle is not None or spec.cycle is None
        assert table.known_at is not None or source.via is not Via.KNOWN_BY
    assert len(set(spec.inputs)) == len(spec.inputs)


@pytest.mark.parametrize(
    "tables",
    [COMPETITION_TABLES, JUDGING_TABLES, LLM_TABLES, EXPERIMENT_TABLES],
    ids=["competition", "judging", "llm", "experiments"],
)
def test_no_table_depends_on_itself_and_they_are_listed_in_the_order_of_computation(
    tables: tuple[TableSpec, ...],
) -> None:
    graph = {spec.name: {source.table for source in spec.inputs} for spec in tables}
    assert set(TopologicalSorter(graph).static_order()) == set(graph)
    place = {spec.name: number for number, spec in enumerate(tables)}
    assert all(place[name] < place[table] for table, names in graph.items() for name in names)


@by_name
def test_everything_is_described_in_a_sentence(spec: TableSpec) -> None:
    for text in (spec.comment, *(column.comment for column in spec.columns)):
        assert text.strip() == text
        assert text.endswith((".", "..."))


@by_name
def test_types_are_those_that_the_warehouse_knows_and_times_have_no_zone(spec: TableSpec) -> None:
    types = {"VARCHAR", "JSON", "DOUBLE", "INTEGER", "BIGINT", "BOOLEAN", "DATE", "TIMESTAMP"}
    assert {column.type for column in spec.columns} <= types


@by_name
def test_one_name_means_one_thing_wherever_it_occurs(spec: TableSpec) -> None:
    if spec.schema == "competition":
        for column in spec.columns:
            others = [other for other in ALL_TABLES if other.schema == "competition"]
            same = [one for other in others for one in other.columns if one.name == column.name]
            assert {one.type for one in same} == {column.type}


def test_a_value_that_may_be_undefined_comes_with_its_reason() -> None:
    for name in ("cycle_metrics", "snapshots"):
        nullable = {column.name for column in NAMES["competition", name].columns if column.nullable}
        assert {"value", "reason"} <= nullable


def test_a_table_tells_its_names() -> None:
    assert SNAPSHOTS.qualified_name == "competition.snapshots"
    assert SNAPSHOTS.board == "competition"
    assert SNAPSHOTS.column_names[:3] == ("competition", "as_of", "model_id")
    by_metrics = Input("cycle_metrics", Via.KNOWN_BY)
    assert LEADERBOARD.inputs == (Input("snapshots"), Input("snapshots", Via.DAY_BEFORE), by_metrics)
