"""Blocks: states of knowledge, and what a new state changes."""

import numpy as np

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
