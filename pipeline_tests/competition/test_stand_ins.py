"""Which submission stands in for a cycle left out, and what its rows say."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition.stand_ins import COLUMNS, Played, carry_forward, choose_stand_ins
from pipeline_tests.competition.contests import HOUR, cycle, predictions, random_contest, stack

ONE, TWO, THREE = {"s": 1.0, "t": 2.0}, {"s": 3.0, "t": 4.0}, {"s": 5.0, "t": 6.0}
KEY = ["model_id", "cycle", "horizon", "subject"]
SHOWN = ["model_id", "horizon", "subject", "value"]


def number(moment: object) -> int:
    return int((pd.Timestamp(moment) - cycle(0)) / (cycle(1) - cycle(0)))


def chosen(
    plays: Mapping[str, str], cycles: Sequence[int], max_cycles: int | None = None
) -> list[tuple[str, int, int]]:
    """(model, cycle, from cycle) of what stands in, given in which cycles (x) each model is in time."""
    played = Played.of(
        list(plays), [np.array([cycle(n) for n, x in enumerate(play) if x == "x"]) for play in plays.values()]
    )
    found = choose_stand_ins(played, [cycle(n) for n in cycles], max_cycles)
    assert list(found.columns) == COLUMNS
    return [(row.model_id, number(row.cycle), number(row.from_cycle)) for row in found.itertuples()]


def filled(rows: pd.DataFrame, max_cycles: int | None = None) -> pd.DataFrame:
    """Predictions of a whole contest with what stands in."""
    cycles = [pd.Timestamp(one).to_pydatetime() for one in rows["cycle"].unique()]
    return carry_forward(rows, rows.iloc[:0], choose_stand_ins(Played.of_predictions(rows), cycles, max_cycles))


def imputed(rows: pd.DataFrame, at: int) -> list[list[object]]:
    return rows[rows["is_imputed"] & (rows["cycle"] == cycle(at))].sort_values(KEY)[SHOWN].to_numpy().tolist()


def test_the_last_submission_in_time_stands_in_for_every_cycle_left_out_after_it() -> None:
    assert chosen({"a": "xx  x ", "b": "xxxxxx"}, range(6)) == [("a", 2, 1), ("a", 3, 1), ("a", 5, 4)]


def test_nothing_stands_in_before_a_models_first_cycle_nor_where_nobody_played() -> None:
    assert chosen({"a": "  x  ", "b": "x x x"}, range(5)) == [("a", 4, 2)]


def test_only_the_cycles_asked_for_are_filled_in_from_any_earlier_one() -> None:
    assert chosen({"a": "x    ", "b": "xxxxx"}, [3]) == [("a", 3, 0)]


def test_at_most_so_many_cycles_of_the_contest_in_a_row_are_filled_in() -> None:
    # Nobody played cycle 2, so it is none of the contest.
    assert chosen({"a": "x       ", "b": "xx xxxxx"}, range(8), 2) == [("a", 1, 0), ("a", 3, 0)]
    assert chosen({"a": "x   x   ", "b": "xxxxxxxx"}, range(8), 1) == [("a", 1, 0), ("a", 5, 4)]


def test_a_stand_in_has_the_values_and_arrival_of_the_submission_and_the_times_of_its_cycle() -> None:
    rows = filled(stack(predictions({"a": ONE, "b": ONE}), predictions({"b": TWO}, 1)))
    assert imputed(rows, 1) == [["a", 1, "s", 1.0], ["a", 1, "t", 2.0]]
    found = rows[rows["is_imputed"]]
    assert found["target_time"].tolist() == [cycle(2)] * 2
    assert found["deadline"].tolist() == [cycle(1)] * 2
    assert found["received_at"].tolist() == [cycle(0) - HOUR] * 2
    assert not found["is_late"].any()
    assert (found["received_at"] <= found["deadline"]).all()
    assert list(rows.columns) == list(predictions({"a": ONE}).columns)


def test_a_submission_in_time_always_counts_itself_even_if_it_says_less() -> None:
    rows = stack(predictions({"a": ONE, "b": ONE}), predictions({"a": {"s": 9.0}, "b": TWO}, 1))
    pd.testing.assert_frame_equal(filled(rows), rows)


def test_who_is_late_fares_as_who_submits_nothing() -> None:
    begun = predictions({"a": ONE, "b": ONE})
    nothing = stack(begun, predictions({"b": TWO}, 1))
    late = stack(begun, predictions({"a": THREE, "b": TWO}, 1, late=["a"]))
    ordered = [filled(rows).sort_values(KEY, ignore_index=True) for rows in (nothing, late)]
    pd.testing.assert_frame_equal(ordered[0], ordered[1])


def test_who_was_never_in_time_keeps_the_late_submission_flagged() -> None:
    rows = stack(predictions({"a": ONE, "b": ONE}, late=["a"]), predictions({"a": TWO, "b": TWO}, 1, late=["a"]))
    pd.testing.assert_frame_equal(filled(rows), rows)


def test_late_submissions_make_no_cycle_and_no_horizon() -> None:
    begun = predictions({"a": ONE, "b": ONE})
    late = stack(predictions({"b": TWO}, 1, late=["b"]), predictions({"b": TWO}, 1, horizon=2, late=["b"]))
    pd.testing.assert_frame_equal(filled(stack(begun, late)), stack(begun, late))
    rows = filled(stack(begun, predictions({"a": ONE}, 0, horizon=2), predictions({"b": TWO}, 1), late.iloc[2:]))
    assert {row[1] for row in imputed(rows, 1)} == {1}


def test_horizons_are_carried_where_somebody_predicts_them() -> None:
    begun = stack(*(predictions({"a": ONE, "b": ONE}, 0, horizon) for horizon in (1, 2)))
    rows = filled(stack(begun, predictions({"b": TWO}, 1, 2), predictions({"b": TWO}, 1, 3)))
    assert imputed(rows, 1) == [["a", 2, "s", 1.0], ["a", 2, "t", 2.0]]
    assert set(rows.loc[rows["is_imputed"], "target_time"]) == {pd.Timestamp(cycle(3))}


def test_a_late_submission_stays_where_no_horizon_of_the_last_one_can_be_carried() -> None:
    rows = stack(predictions({"a": ONE, "b": ONE}), predictions({"a": TWO, "b": TWO}, 1, 2, late=["a"]))
    pd.testing.assert_frame_equal(filled(rows), rows)


def test_a_subject_that_left_the_contest_is_carried_like_the_others() -> None:
    rows = filled(stack(predictions({"a": ONE, "b": ONE}), predictions({"b": {"s": 7.0}}, 1)))
    assert imputed(rows, 1) == [["a", 1, "s", 1.0], ["a", 1, "t", 2.0]]


def test_nothing_submitted_nothing_carried() -> None:
    rows = predictions({"a": ONE}).iloc[:0]
    assert Played.of_predictions(rows).of_contest.size == 0
    assert choose_stand_ins(Played({}), [cycle(0)]).empty
    pd.testing.assert_frame_equal(filled(rows), rows)


def by_hand(rows: pd.DataFrame, max_cycles: int | None) -> set[tuple[object, ...]]:
    """Keys, values and target times of what stands in, by plain loops."""
    own = rows[~rows["is_late"]]
    contest = sorted(own["cycle"].unique())
    targets = {(row.cycle, row.horizon): row.target_time for row in own.itertuples()}
    found = set()
    for model, of_model in own.groupby("model_id"):
        last: datetime | None = None
        absent = 0
        for moment in contest:
            if (of_model["cycle"] == moment).any():
                last, absent = moment, 0
                continue
            absent += 1
            if last is None or (max_cycles is not None and absent > max_cycles):
                continue
            for row in of_model[of_model["cycle"] == last].itertuples():
                if (moment, row.horizon) in targets:
                    target = targets[moment, row.horizon]
                    found.add((model, moment, row.horizon, row.subject, row.value, row.received_at, target))
    return found


@given(seed=st.integers(0, 10_000), max_cycles=st.sampled_from([None, 1, 2]), split=st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_any_contest_is_filled_in_as_by_hand_whole_or_in_blocks(seed: int, max_cycles: int | None, split: int) -> None:
    rows, _ = random_contest(seed, cycles=10)
    random = np.random.default_rng(seed)
    kept = rows.groupby(["model_id", "cycle"])["value"].transform(lambda _: random.random()) < 0.6
    rows = rows[kept].reset_index(drop=True)
    whole = filled(rows, max_cycles)
    found = whole[whole["is_imputed"]]
    shown = found[[*KEY, "value", "received_at", "target_time"]]
    assert set(shown.itertuples(index=False, name=None)) == by_hand(rows, max_cycles)
    assert len(found) == len(shown.drop_duplicates())
    assert not whole.duplicated(KEY).any()

    blocks = []
    for start in range(0, 10, split):
        cycles = [cycle(n) for n in range(start, min(10, start + split))]
        block = rows[rows["cycle"].isin(cycles)]
        picked = choose_stand_ins(Played.of_predictions(rows), cycles, max_cycles)
        submissions = pd.MultiIndex.from_frame(picked[["model_id", "from_cycle"]])
        is_picked = pd.MultiIndex.from_frame(rows[["model_id", "cycle"]]).isin(submissions)
        earlier = rows[is_picked & ~rows["is_late"] & ~rows["cycle"].isin(cycles)]
        blocks.append(carry_forward(block, earlier, picked))
    in_blocks = stack(*blocks).sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(in_blocks, whole.sort_values(KEY, ignore_index=True))
