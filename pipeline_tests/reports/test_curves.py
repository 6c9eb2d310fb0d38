"""Lines beside boards: sums of what was known at the moment of the board."""

from datetime import datetime, timedelta

import duckdb
import numpy as np
import pytest

from pipeline.reports.queries.curves import cycle_values
from pipeline.tables import CYCLE_METRICS, ENSEMBLE_METRICS, OVERALL
from pipeline.warehouse import compose

DAY = datetime(2020, 1, 1)
ROWS = [
    # model, cycle, known, value
    ("a", 0, 1, 0.1),
    ("a", 1, 2, -0.3),
    ("a", 2, 3, 0.5),
    ("a", 0, 4, 0.2),  # a revision
    ("b", 0, 1, 0.4),
    ("b", 2, 3, None),
    ("__ensemble_main__", 0, 1, 1.0),
]


def at(day: int) -> datetime:
    return DAY + timedelta(days=day)


@pytest.fixture
def connection(tmp_path) -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect(str(tmp_path / "podium.duckdb"))
    opened.execute("CREATE SCHEMA competition")
    for spec in (CYCLE_METRICS, ENSEMBLE_METRICS):
        columns = ", ".join(f'"{one.name}" {one.type}' for one in spec.columns)
        opened.execute(f"CREATE TABLE {spec.qualified_name} ({columns})")
    for model, cycle, known, value in ROWS:
        table = ENSEMBLE_METRICS if model.startswith("__") else CYCLE_METRICS
        statement = compose(
            "INSERT INTO {table} BY NAME SELECT 'toy' AS competition, ? AS model_id, ? AS cycle, ? AS category,"
            " 'ic' AS metric, ? AS known_at, ?::DOUBLE AS value",
            table=table,
        )
        opened.execute(statement, [model, at(cycle), OVERALL, at(known), value])
    return opened


def test_sums_are_of_what_was_known_then(connection: duckdb.DuckDBPyConnection) -> None:
    values = cycle_values(connection, "toy", "ic")
    assert values is not None
    before = values.curves(at(3), ["a", "b", "nobody"])
    assert set(before) == {"a", "b"}
    np.testing.assert_allclose(before["a"].values, np.cumsum([0.1, -0.3, 0.5]))
    np.testing.assert_allclose(before["b"].values, [0.4])
    after = values.curves(at(9), ["a"])["a"]
    np.testing.assert_allclose(after.values, np.cumsum([0.2, -0.3, 0.5]))
    assert list(after.cycles.astype("datetime64[D]")) == [np.datetime64(at(day), "D") for day in range(3)]


def test_a_window_is_of_cycles_that_anybody_has(connection: duckdb.DuckDBPyConnection) -> None:
    values = cycle_values(connection, "toy", "ic")
    assert values is not None
    found = values.curves(at(9), ["a", "b"], last=2)
    np.testing.assert_allclose(found["a"].values, np.cumsum([-0.3, 0.5]))
    assert "b" not in found
    assert values.curves(at(0), ["a"]) == {}


def test_of_losses_the_lead_over_the_mean_of_real_models_is_summed(connection: duckdb.DuckDBPyConnection) -> None:
    values = cycle_values(connection, "toy", "ic")
    assert values is not None
    found = values.curves(at(9), ["a", "__ensemble_main__"], is_loss=True)
    np.testing.assert_allclose(found["a"].values, np.cumsum([0.3 - 0.2, 0.0, 0.0]))
    np.testing.assert_allclose(found["__ensemble_main__"].values, [0.3 - 1.0])


def test_a_drawdown_is_below_the_highest_sum_so_far(connection: duckdb.DuckDBPyConnection) -> None:
    values = cycle_values(connection, "toy", "ic")
    assert values is not None
    np.testing.assert_allclose(values.curves(at(3), ["a"])["a"].drawdown, [0.0, -0.3, 0.0], atol=1e-12)


def test_a_contest_without_values_has_no_lines(connection: duckdb.DuckDBPyConnection) -> None:
    assert cycle_values(connection, "other", "ic") is None
