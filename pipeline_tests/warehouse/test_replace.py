"""What ``replace`` writes, what it leaves alone, what it refuses, and what it enters in the ledger."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from pipeline.tables import (
    ALL_TABLES,
    BOARDS,
    CYCLE_METRICS,
    FACTORS,
    LEADERBOARD,
    LEDGER,
    LLM_MODELS,
    MODELS,
    PREDICTIONS,
    SCORES,
    TRUTH,
    WHOLE,
)
from pipeline.warehouse import Change, Dirty, RowsError, Store
from pipeline_tests.warehouse.frames import BOARD, boards, cycle_metrics, dirty, frame, predictions, truth, week


def entries(store: Store, table: str) -> list[tuple[Any, ...]]:
    rows = store.ledger(BOARD).query("table_name == @table")
    return list(rows[["cycle", "seq", "input_seq", "code"]].itertuples(index=False, name=None))


def changes(store: Store) -> list[tuple[Any, ...]]:
    return store.connection.execute("SELECT cycle, seq, known_from FROM meta.changes ORDER BY seq, cycle").fetchall()


def test_new_rows_are_stored_and_counted_as_one_change(store: Store) -> None:
    change = store.replace(PREDICTIONS, BOARD, dirty(0, 1), predictions(0, 1), "v1")
    assert change == Change("competition.predictions", cycles=2, changed=2, rows=4, seq=1)
    assert entries(store, "predictions") == [(week(0), 1, 0, "v1"), (week(1), 1, 0, "v1")]
    assert changes(store) == [(week(0), 1, None), (week(1), 1, None)]
    assert store.read(PREDICTIONS, BOARD)["competition"].to_list() == [BOARD] * 4


def test_only_cycles_whose_rows_differ_are_written(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(0, 1), predictions(0, 1), "v1")
    rows = pd.concat([predictions(0), predictions(1, value=5.0)])
    change = store.replace(PREDICTIONS, BOARD, dirty(0, 1, input_seq=7), rows, "v2")
    assert (change.changed, change.rows, change.seq) == (1, 2, 2)
    assert entries(store, "predictions") == [(week(0), 1, 7, "v2"), (week(1), 2, 7, "v2")]
    assert store.read(PREDICTIONS, BOARD)["value"].to_list() == [1.0, 5.0, 1.0, 5.0]


def test_the_same_rows_in_another_order_change_nothing(store: Store) -> None:
    rows = predictions(*range(5))
    store.replace(PREDICTIONS, BOARD, dirty(*range(5)), rows, "v1")
    shuffled = rows.sample(frac=1, random_state=1)[list(reversed(rows.columns))]
    change = store.replace(PREDICTIONS, BOARD, dirty(*range(5)), shuffled, "v1")
    assert change == Change("competition.predictions", cycles=5, changed=0, rows=0, seq=None)
    assert store.max_seq() == 1


def test_rows_that_are_null_in_places_compare_equal_to_themselves(store: Store) -> None:
    rows = cycle_metrics((0, 1, np.nan))
    store.replace(CYCLE_METRICS, BOARD, dirty(0), rows, "v1")
    assert store.replace(CYCLE_METRICS, BOARD, dirty(0), rows, "v1").changed == 0
    assert store.replace(CYCLE_METRICS, BOARD, dirty(0), cycle_metrics((0, 1, 0.0)), "v1").changed == 1


def test_a_cycle_without_rows_has_an_entry_and_is_no_change(store: Store) -> None:
    change = store.replace(PREDICTIONS, BOARD, dirty(0, 1, input_seq=3), predictions(1), "v1")
    assert (change.cycles, change.changed) == (2, 1)
    assert entries(store, "predictions") == [(week(0), 0, 3, "v1"), (week(1), 1, 3, "v1")]
    empty = store.replace(PREDICTIONS, BOARD, dirty(5), predictions(), "v1")
    assert empty == Change("competition.predictions", 1, 0, 0, None)
    assert entries(store, "predictions")[-1] == (week(5), 0, 0, "v1")


def test_a_cycle_that_loses_its_rows_is_a_change(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(0, 1), predictions(0, 1), "v1")
    change = store.replace(PREDICTIONS, BOARD, dirty(0), predictions(), "v1")
    assert (change.changed, change.rows, change.seq) == (1, 0, 2)
    assert store.read(PREDICTIONS, BOARD)["cycle"].unique().tolist() == [pd.Timestamp(week(1))]


def test_cycles_that_are_not_given_stay(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "v1")
    store.replace(PREDICTIONS, BOARD, dirty(1), predictions(1), "v1")
    assert len(store.read(PREDICTIONS, BOARD)) == 4


def test_boards_do_not_touch_each_other(store: Store) -> None:
    store.replace(PREDICTIONS, "one", dirty(0), predictions(0), "v1")
    store.replace(PREDICTIONS, "two", dirty(0), predictions(0, value=2.0), "v1")
    store.replace(PREDICTIONS, "one", dirty(0), predictions(), "v1")
    assert store.read(PREDICTIONS, "one").empty
    assert store.read(PREDICTIONS, "two")["value"].to_list() == [2.0, 2.0]
    assert store.ledger("one")["seq"].to_list() == [3]
    assert store.ledger("two")["seq"].to_list() == [2]


def test_the_counter_is_one_for_the_whole_warehouse(store: Store) -> None:
    seqs = [
        store.replace(PREDICTIONS, "one", dirty(0), predictions(0), "v1").seq,
        store.replace(TRUTH, "two", dirty(0), truth((0, 1, 0.5)), "v1").seq,
        store.replace(PREDICTIONS, "one", dirty(0), predictions(0), "v1").seq,
        store.replace(PREDICTIONS, "one", dirty(0), predictions(0, value=2.0), "v1").seq,
    ]
    assert seqs == [1, 2, None, 3]
    assert store.max_seq() == 3


def test_the_counter_does_not_go_back_when_ledger_entries_are_removed(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "v1")
    store.connection.execute("DELETE FROM meta.cycles")
    assert store.max_seq() == 1


def test_known_from_is_the_earliest_time_of_knowledge_among_rows_that_changed(store: Store) -> None:
    store.replace(TRUTH, BOARD, dirty(0, 1), truth((0, 1, 0.5), (1, 2, 0.1)), "v1")
    assert changes(store) == [(week(0), 1, week(1)), (week(1), 1, week(2))]
    revised = truth((0, 1, 0.5), (0, 9, 0.6), (0, 8, 0.55), (1, 2, 0.1))
    store.replace(TRUTH, BOARD, dirty(0, 1), revised, "v1")
    assert changes(store)[2:] == [(week(0), 2, week(8))]
    store.replace(TRUTH, BOARD, dirty(0), truth((0, 8, 0.55)), "v1")
    assert changes(store)[3:] == [(week(0), 3, week(1))]


def test_a_table_without_cycles_changes_as_one(store: Store) -> None:
    assert store.replace(BOARDS, BOARD, [Dirty(WHOLE, 0)], boards(), "v1").seq == 1
    assert store.replace(BOARDS, BOARD, [Dirty(WHOLE, 0)], boards(), "v1").seq is None
    assert store.replace(BOARDS, BOARD, [Dirty(WHOLE, 0)], boards(title="New"), "v1").seq == 2
    assert entries(store, "boards") == [(WHOLE, 2, 0, "v1")]
    assert store.read(BOARDS, BOARD)["title"].to_list() == ["New"]
    assert store.read(BOARDS, BOARD)["contract"].to_list() == ['{"name": "test"}']
    with pytest.raises(ValueError, match=r"catalog\.boards has no cycles; give \[Dirty\(WHOLE, input_seq\)\]"):
        store.replace(BOARDS, BOARD, dirty(0), boards(), "v1")


def test_nothing_to_do_is_nothing_done(store: Store) -> None:
    assert store.replace(PREDICTIONS, BOARD, [], predictions(), "v1") == Change(
        "competition.predictions", 0, 0, 0, None
    )
    assert store.ledger(BOARD).empty


def test_an_error_while_writing_leaves_everything_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.warehouse.replacement import _Replacement

    store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0), "v1")
    before = store.read(PREDICTIONS, BOARD), store.ledger(BOARD), changes(store)

    with monkeypatch.context() as patch:
        patch.setattr(_Replacement, "_write_ledger", mock.Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=9.0), "v2")
    pd.testing.assert_frame_equal(store.read(PREDICTIONS, BOARD), before[0])
    pd.testing.assert_frame_equal(store.ledger(BOARD), before[1])
    assert changes(store) == before[2]
    assert store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, value=9.0), "v2").changed == 1


def test_nan_is_stored_as_null(store: Store) -> None:
    store.replace(CYCLE_METRICS, BOARD, dirty(0), cycle_metrics((0, 1, np.nan)), "v1")
    row = store.connection.execute("SELECT value IS NULL, numerator IS NULL FROM competition.cycle_metrics").fetchone()
    assert row == (True, True)
    arrow_backed = cycle_metrics((0, 1, 1.0))
    arrow_backed["value"] = pd.Series([0.0], dtype="Float64") / 0
    store.replace(CYCLE_METRICS, BOARD, dirty(0), arrow_backed, "v1")
    assert store.read(CYCLE_METRICS, BOARD)["value"].isna().all()


def test_dates_are_stored_as_dates_and_no_time_of_day_is_dropped(store: Store) -> None:
    rows = frame(LLM_MODELS, [{"model": "a/b", "released_on": date(2026, 9, 1)}, {"model": "a/c"}])
    store.replace(LLM_MODELS, BOARD, [Dirty(WHOLE, 0)], rows, "v1")
    stored = store.connection.execute("SELECT released_on FROM llm.models ORDER BY model").fetchall()
    assert stored == [(date(2026, 9, 1),), (None,)]
    assert store.read(LLM_MODELS, BOARD)["released_on"].to_list() == [pd.Timestamp("2026-09-01"), pd.NaT]
    with pytest.raises(RowsError, match=r"column released_on .*has a time of day .first: row 0, 2020-01-03"):
        store.replace(LLM_MODELS, BOARD, [Dirty(WHOLE, 0)], rows.assign(released_on=week(0)), "v1")


Change_ = Callable[[pd.DataFrame], pd.DataFrame]
REFUSED: list[tuple[str, Change_, str]] = [
    (
        "infinite",
        lambda f: f.assign(value=[1.0, -np.inf]),
        r"column value .*predictions is infinite in 1 .*row 1, -inf",
    ),
    ("missing column", lambda f: f.drop(columns="value"), r"missing \['value'\], not known \[\].*expected exactly \["),
    ("extra column", lambda f: f.assign(colour="red"), r"missing \[\], not known \['colour'\]"),
    ("repeated column", lambda f: pd.concat([f, f[["value"]]], axis=1), r"repeated \['value'\]"),
    (
        "null",
        lambda f: f.assign(value=[np.nan, 1.0]),
        r"column value .*may not be NULL, but is in 1 of 2 .*first: row 0",
    ),
    ("all null", lambda f: f.assign(subject=None), r"column subject .*may not be NULL, but is in 2 of 2"),
    ("text for number", lambda f: f.assign(value="high"), r"column value .*is .*string, expected DOUBLE"),
    ("number for text", lambda f: f.assign(subject=5), r"column subject .*is int64, expected VARCHAR"),
    ("text for time", lambda f: f.assign(deadline="2020-01-01"), r"column deadline .*string, expected TIMESTAMP"),
    ("number for bool", lambda f: f.assign(is_late=0), r"column is_late .*is int64, expected BOOLEAN"),
    ("fraction", lambda f: f.assign(horizon=1.5), r"column horizon .*has a value that is not INTEGER.*1\.5"),
    ("too large", lambda f: f.assign(horizon=2**40), r"column horizon .*has a value that is not INTEGER"),
    ("mixed", lambda f: f.assign(subject=pd.Series(["a", 1], dtype=object)), r"column subject .*not all VARCHAR"),
    ("other board", lambda f: f.assign(competition=[BOARD, "x"]), r"board 'sp500' have competition \['x'\]"),
    (
        "duplicate",
        lambda f: f.assign(model_id="a"),
        r"have 1 keys more than once: competition=sp500, model_id=a.*\(2x\)",
    ),
    ("foreign cycle", lambda f: f.assign(cycle=[week(0), week(3)]), r"not given: 2020-01-24 22:00:00 \(1 rows\)"),
]


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_rows_that_do_not_fit_are_refused_by_name(store: Store, change: Change_, message: str) -> None:
    with pytest.raises(RowsError, match=message):
        store.replace(PREDICTIONS, BOARD, dirty(0), change(predictions(0)), "v1")
    assert store.max_seq() == 0
    assert store.ledger(BOARD).empty


def test_at_most_five_duplicate_keys_are_shown(store: Store) -> None:
    models = [f"m{n}" for n in range(9)]
    rows = pd.concat([predictions(0, models=models)] * 3)
    with pytest.raises(RowsError, match="9 keys more than once") as error:
        store.replace(PREDICTIONS, BOARD, dirty(0), rows, "v1")
    assert str(error.value).count("(3x)") == 5


def test_at_most_five_foreign_cycles_are_shown(store: Store) -> None:
    with pytest.raises(RowsError, match=r"\.\.\. \(8 in all\)"):
        store.replace(PREDICTIONS, BOARD, dirty(0), predictions(*range(9)), "v1")


def test_contracts_must_be_json(store: Store) -> None:
    with pytest.raises(RowsError, match=r"column contract of catalog\.boards is not JSON in row 0.*got 'name: test'"):
        store.replace(BOARDS, BOARD, [Dirty(WHOLE, 0)], boards().assign(contract="name: test"), "v1")


def test_cycles_are_given_once_and_without_a_zone(store: Store) -> None:
    with pytest.raises(ValueError, match=r"given twice for competition\.predictions: 2020-01-03 22:00:00"):
        store.replace(PREDICTIONS, BOARD, dirty(0, 0), predictions(0), "v1")
    zoned = [Dirty(datetime(2020, 1, 3, 22, tzinfo=UTC), 0)]
    with pytest.raises(ValueError, match="has a time zone; give UTC times without one"):
        store.replace(PREDICTIONS, BOARD, zoned, predictions(0), "v1")


def test_times_with_a_zone_become_utc_and_parts_of_microseconds_are_dropped(store: Store) -> None:
    rows = predictions(0, models=["a"]).assign(
        received_at=pd.Timestamp("2020-01-03 17:00", tz="America/New_York"),
        deadline=pd.Timestamp("2020-01-01") + pd.Timedelta(1),
    )
    store.replace(PREDICTIONS, BOARD, dirty(0), rows, "v1")
    stored = store.read(PREDICTIONS, BOARD).iloc[0]
    assert stored["received_at"] == pd.Timestamp("2020-01-03 22:00")
    assert stored["deadline"] == pd.Timestamp("2020-01-01")


def test_every_reasonable_dtype_is_accepted(store: Store) -> None:
    rows = predictions(0).astype({"model_id": "category", "subject": object, "horizon": float, "value": "float32"})
    rows["is_late"] = rows["is_late"].astype("boolean")
    rows["cycle"] = rows["cycle"].astype("datetime64[ns]")
    rows["target_time"] = rows["target_time"].dt.date
    rows["value"] = [1, 2]
    assert store.replace(PREDICTIONS, BOARD, dirty(0), rows, "v1").rows == 2
    stored = store.read(PREDICTIONS, BOARD)
    assert stored["model_id"].to_list() == ["a", "b"]
    assert stored["target_time"].to_list() == [pd.Timestamp("2020-01-10")] * 2


def test_names_of_boards_are_never_sql(store: Store) -> None:
    for board in ("it's", 'say "x"', "a; DROP TABLE competition.predictions; --", "наука", "select"):
        store.replace(PREDICTIONS, board, dirty(0), predictions(0), "v1")
        assert store.read(PREDICTIONS, board)["competition"].to_list() == [board] * 2
        assert store.dirty(SCORES, board, "v1")


def test_dtypes_depend_on_the_table_not_on_the_rows(store: Store) -> None:
    wanted = {
        "as_of": "datetime64[us]",
        "model_id": "str",
        "position": "int32",
        "rank": "Int32",
        "rank_key": "float64",
        "n": "int64",
        "is_ensemble": "bool",
        "status": "str",
    }
    assert store.read(LEADERBOARD, BOARD, columns=list(wanted)).dtypes.astype(str).to_dict() == wanted
    row = {"as_of": week(0), "category": "overall", "model_id": "a", "position": 1, "n": 3, "is_ensemble": False}
    ranked = {
        "rank": 1,
        "rank_with_ensembles": 1,
        "rank_change": None,
        "rank_key": 0.5,
        "coverage": 1,
        "status": "ranked",
    }
    for extra in (ranked, ranked | {"rank": None, "rank_key": None}):
        store.replace(LEADERBOARD, BOARD, dirty(0), frame(LEADERBOARD, [row | extra]), "v1")
        assert store.read(LEADERBOARD, BOARD, columns=list(wanted)).dtypes.astype(str).to_dict() == wanted
    assert store.read(LEADERBOARD, BOARD, columns=["rank"])["rank"].isna().all()


def test_text_that_is_null_throughout_stays_text(store: Store) -> None:
    store.replace(CYCLE_METRICS, BOARD, dirty(0), cycle_metrics((0, 1, 1.0)), "v1")
    reasons = store.read(CYCLE_METRICS, BOARD)["reason"]
    assert str(reasons.dtype) == "str"
    assert reasons.isna().all()


def test_rows_are_read_in_the_order_of_their_key(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(1), predictions(1, models=["b", "a"]), "v1")
    store.replace(PREDICTIONS, BOARD, dirty(0), predictions(0, models=["b", "a"]), "v1")
    stored = store.read(PREDICTIONS, BOARD, columns=["cycle", "model_id"])
    assert stored.values.tolist() == [[week(0), "a"], [week(1), "a"], [week(0), "b"], [week(1), "b"]]


def test_some_cycles_and_columns_can_be_read(store: Store) -> None:
    store.replace(PREDICTIONS, BOARD, dirty(0, 1, 2), predictions(0, 1, 2), "v1")
    some = store.read(PREDICTIONS, BOARD, cycles=[week(2), week(0), week(7)], columns=["cycle"])
    assert set(some["cycle"]) == {week(0), week(2)}
    assert list(some.columns) == ["cycle"]
    assert len(store.read(PREDICTIONS, BOARD, cycles=list(np.unique(some["cycle"].to_numpy())))) == 4
    nothing = store.read(PREDICTIONS, BOARD, cycles=[])
    assert nothing.empty
    assert list(nothing.columns) == list(PREDICTIONS.column_names)
    assert str(nothing["model_id"].dtype) == "str"


def test_reading_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(
        ValueError, match=r"unknown columns \['colour'\] of competition\.factors; known: competition, cyc"
    ):
        store.read(FACTORS, BOARD, columns=["colour"])
    with pytest.raises(ValueError, match=r"competition\.models has no cycles; read it whole"):
        store.read(MODELS, BOARD, cycles=[week(0)])


def test_any_query_takes_parameters(store: Store) -> None:
    assert store.query("SELECT ? AS text, ? AS number", ["it's", 3]).values.tolist() == [["it's", 3]]


def test_the_ledger_can_tell_all_tables_of_a_board_apart() -> None:
    """It counts by bare name: one board uses one kind's tables, and those of the system."""
    system = {spec.name for spec in ALL_TABLES if spec.schema in ("catalog", "meta")}
    kinds = [spec for spec in ALL_TABLES if spec.schema not in ("catalog", "meta")]
    assert not system & {spec.name for spec in kinds}
    assert len({(spec.schema, spec.name) for spec in ALL_TABLES}) == len(ALL_TABLES)
    assert LEDGER.key == ("competition", "table_name", "cycle")
