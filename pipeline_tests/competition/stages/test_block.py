"""Blocks: states of knowledge, and what a new state changes."""

import numpy as np
import pandas as pd

from pipeline.competition.stages.block import Block, LastKnown
from pipeline_tests.competition.contests import NAN, contract, cycle, predictions, stack, truth


def test_what_changed_is_told_per_place_and_nan_equals_nan() -> None:
    last = LastKnown()
    rows = np.array([0, 2])
    first = last.update(3, rows, value=np.array([[1.0, NAN], [NAN, 2.0]]), n=np.array([[1.0, NAN], [NAN, NAN]]))
    assert first.tolist() == [[True, False], [False, True]]
    again = last.update(3, rows, value=np.array([[1.0, NAN], [NAN, 2.0]]), n=np.array([[1.0, NAN], [3.0, NAN]]))
    assert again.tolist() == [[False, False], [True, False]]
    other = last.update(3, np.array([1]), value=np.array([[NAN, 1.0]]), n=np.array([[NAN, NAN]]))
    assert other.tolist() == [[False, True]]
    gone = last.update(3, np.array([0]), value=np.array([[NAN, NAN]]), n=np.array([[1.0, NAN]]))
    assert gone.tolist() == [[True, False]]


def test_a_state_holds_the_cycles_that_reached_it_with_the_scores_known_then() -> None:
    rows = stack(
        predictions({"a": {"x": 1.0}}, 0), predictions({"a": {"x": 2.0}}, 1, 2), predictions({"a": {"x": 3.0}}, 1)
    )
    outcomes = stack(truth({"x": 5.0}, 1), truth({"x": 6.0}, 2), truth({"x": 7.0}, 3))
    scores = stack(
        rows.assign(known_at=cycle(2), value=0.5),
        rows.assign(known_at=cycle(3), value=0.75),
    )
    block = Block.of(rows, outcomes, contract())
    assert block.shape == (3, 1, 1)
    first, second = block.states(scores)
    assert first.sections.tolist() == [0, 1, 2]
    assert first.known_at.tolist() == [
        np.datetime64(cycle(n), "us").astype(first.known_at.dtype).item() for n in (1, 2, 2)
    ]
    np.testing.assert_array_equal(first.panel.outcomes, [[5], [6], [NAN]])
    np.testing.assert_array_equal(first.panel.scores[:, 0, 0], [NAN, 0.5, 0.5])
    assert second.sections.tolist() == [1, 2]
    np.testing.assert_array_equal(second.panel.outcomes, [[6], [7]])
    np.testing.assert_array_equal(second.panel.scores[:, 0, 0], [0.75, 0.75])


def test_without_scores_the_panels_have_none() -> None:
    block = Block.of(predictions({"a": {"x": 1.0}}), truth({"x": 5.0}), contract(center=0.5, min_subjects=3))
    (state,) = block.states()
    assert np.isnan(state.panel.scores).all()
    assert (state.panel.center, state.panel.min_subjects, state.panel.horizon_cycles) == (0.5, 3, 1.0)


def previous_of(*rows: pd.DataFrame, earlier: pd.DataFrame | None = None) -> list[list[float]]:
    """What each section of one horizon has of the previous cycle, subject x of models a and b."""
    given = stack(*rows)
    block = Block.of(given, truth({"x": 0.0}), contract(), given.iloc[:0] if earlier is None else earlier)
    assert block.previous is not None
    return block.previous[:, :, block.axes.subjects.get_loc("x")].tolist()


def test_the_previous_cycle_is_the_newest_before_with_a_prediction_in_time_by_any_model() -> None:
    first = predictions({"a": {"x": 1.0}, "b": {"x": 2.0}}, 0)
    late = predictions({"a": {"x": 9.0}}, 1, late=["a"])
    only_b = predictions({"b": {"x": 3.0}}, 3)
    last = predictions({"a": {"x": 4.0}, "b": {"x": 5.0}}, 4)
    np.testing.assert_array_equal(previous_of(first, late, only_b, last), [[NAN, NAN], [1.0, 2.0], [NAN, 3.0]])


def test_the_previous_cycle_may_be_among_earlier_rows() -> None:
    rows = [predictions({"a": {"x": float(number)}}, number) for number in range(6)]
    whole = previous_of(*rows)
    np.testing.assert_array_equal(whole, [[NAN], [0], [1], [2], [3], [4]])
    # Cycles 2 and 5, with those before them.
    np.testing.assert_array_equal(previous_of(rows[2], rows[5], earlier=stack(rows[1], rows[4])), [[1], [4]])
    np.testing.assert_array_equal(previous_of(rows[0]), [[NAN]])
    np.testing.assert_array_equal(previous_of(rows[2], rows[3], earlier=rows[1]), [[1], [2]])


def test_the_previous_cycle_is_of_the_same_horizon() -> None:
    rows = stack(
        predictions({"a": {"x": 1.0}}, 0, horizon=1),
        predictions({"a": {"x": 2.0}}, 0, horizon=2),
        predictions({"a": {"x": 3.0}}, 1, horizon=2),
        predictions({"a": {"x": 4.0}}, 2, horizon=1),
    )
    block = Block.of(rows, truth({"x": 0.0}), contract(), rows.iloc[:0])
    assert block.previous is not None
    # Of (0, 1), (0, 2), (1, 2) and (2, 1): cycle 1 has nothing of horizon 1.
    np.testing.assert_array_equal(block.previous[:, 0, 0], [NAN, NAN, 2.0, NAN])


def test_subjects_and_models_of_the_previous_cycle_find_their_places() -> None:
    earlier = predictions({"a": {"x": 1.0, "gone": 2.0}, "gone": {"x": 3.0}}, 0)
    block = Block.of(predictions({"a": {"x": 4.0}}, 1), truth({"x": 0.0}, 2), contract(), earlier)
    assert block.axes.subjects.tolist() == ["gone", "x"]
    assert block.axes.models.tolist() == ["a"]
    assert block.previous is not None
    np.testing.assert_array_equal(block.previous, [[[2.0, 1.0]]])
    (state,) = block.states()
    np.testing.assert_array_equal(state.panel.previous, [[[2.0, 1.0]]])


def test_factors_are_those_of_the_sections_cycle() -> None:
    rows = stack(
        predictions({"a": {"x": 1.0, "y": 1.0}}, 0),
        predictions({"a": {"x": 1.0}}, 0, 2),
        predictions({"a": {"x": 2.0}}, 1),
    )
    factors = pd.DataFrame(
        [
            {"cycle": cycle(0), "subject": "y", "factor": "size", "value": 5.0},
            {"cycle": cycle(0), "subject": "x", "factor": "beta", "value": 6.0},
            {"cycle": cycle(1), "subject": "x", "factor": "size", "value": 7.0},
            {"cycle": cycle(1), "subject": "elsewhere", "factor": "size", "value": 8.0},
            {"cycle": cycle(9), "subject": "x", "factor": "late", "value": 9.0},
        ]
    )
    found = Block.of(rows, truth({"x": 0.0}), contract(), factors=factors).factors
    of_first = [[6.0, NAN, NAN], [NAN, NAN, 5.0]]  # x and y by beta, late and size
    np.testing.assert_array_equal(found, [of_first, of_first, [[NAN, NAN, 7.0], [NAN] * 3]])
    none = Block.of(rows, truth({"x": 0.0}), contract(), factors=factors.iloc[:0]).factors
    assert none is not None
    assert none.shape == (3, 2, 0)
