"""Added rows are entered in the ledger: the cycles that gain rows, with one number, and no others."""

from datetime import datetime

import pytest

from pipeline.tables import FILES, MODEL_ROWS, PREDICTION_ROWS, TRUTH_ROWS, WHOLE, TableSpec
from pipeline.warehouse import Sql, Store, compose, quote

FIRST, SECOND = datetime(2024, 1, 5), datetime(2024, 1, 12)
INCOMING = quote("incoming")


def incoming(store: Store, spec: TableSpec, *cycles: datetime) -> Sql:
    """Rows for a table, one for each cycle; what else they say is their number."""
    store.connection.execute(
        compose("CREATE OR REPLACE TEMP TABLE {name} AS FROM {spec} LIMIT 0", name=INCOMING, spec=spec)
    )
    for number, cycle in enumerate(cycles, 1):
        values = [
            "toy"
            if one.name == spec.board
            else cycle
            if one.type == "TIMESTAMP"
            else number % 2
            if one.type == "BOOLEAN"
            else number
            for one in spec.columns
        ]
        marks = Sql(", ".join("?" * len(values)))
        store.connection.execute(compose("INSERT INTO {name} VALUES ({marks})", name=INCOMING, marks=marks), values)
    return INCOMING


@pytest.mark.parametrize("spec", [PREDICTION_ROWS, TRUTH_ROWS])
def test_cycles_that_gain_rows_get_the_next_number(store: Store, spec: TableSpec) -> None:
    change = store.add(spec, "toy", incoming(store, spec, FIRST, FIRST, SECOND))
    assert (change.cycles, change.changed, change.rows, change.seq) == (2, 2, 3, 1)
    assert store.seqs(spec, "toy") == {FIRST: 1, SECOND: 1}

    store.add(spec, "toy", incoming(store, spec, SECOND))
    assert store.seqs(spec, "toy") == {FIRST: 1, SECOND: 2}
    assert store.seqs(spec, "other") == {}
    counted = store.query(compose("SELECT count(*) AS n FROM {spec}", spec=spec))
    assert counted["n"].tolist() == [4]


@pytest.mark.parametrize("spec", [FILES, MODEL_ROWS])
def test_a_table_without_cycles_changes_as_one(store: Store, spec: TableSpec) -> None:
    store.add(spec, "toy", incoming(store, spec, FIRST))

    assert store.seqs(spec, "toy") == {WHOLE: 1}


def test_no_rows_are_no_change(store: Store) -> None:
    change = store.add(PREDICTION_ROWS, "toy", incoming(store, PREDICTION_ROWS))

    assert (change.cycles, change.rows, change.seq) == (0, 0, None)
    assert store.max_seq() == 0


def test_what_is_added_in_a_transaction_that_fails_is_not_there(store: Store) -> None:
    rows = incoming(store, PREDICTION_ROWS, FIRST)

    def work() -> None:
        with store.transaction():
            store.add(PREDICTION_ROWS, "toy", rows)
            raise RuntimeError("the cause")

    with pytest.raises(RuntimeError, match="the cause"):
        work()

    assert store.seqs(PREDICTION_ROWS, "toy") == {}
    assert store.read(PREDICTION_ROWS, "toy", columns=["row_number"]).empty


def test_a_failed_rollback_does_not_hide_its_cause(store: Store) -> None:
    def work() -> None:
        with store.transaction():
            store.connection.rollback()
            raise RuntimeError("the cause")

    with pytest.raises(RuntimeError, match="the cause"):
        work()
