"""The panel: pairs, counts, ranks, and how rows find their places."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.competition.panel import Axes
from pipeline_tests.competition.contests import NAN, cycle, panel, predictions, shuffled, stack, truth

SIGNALS = [[[1.0, 2.0, NAN, 4.0], [NAN, NAN, NAN, 1.0]]]
OUTCOMES = [[3.0, NAN, 1.0, 2.0]]


def test_a_pair_needs_signal_and_outcome() -> None:
    found = panel(SIGNALS, OUTCOMES)
    np.testing.assert_array_equal(found.paired, [[[True, False, False, True], [False, False, False, True]]])
    np.testing.assert_array_equal(found.n_pairs, [[2, 1]])
    np.testing.assert_array_equal(found.n_outcomes, [3])


def test_ranks_are_among_pairs_only() -> None:
    found = panel(SIGNALS, OUTCOMES)
    np.testing.assert_array_equal(found.signal_ranks, [[[1, NAN, NAN, 2], [NAN, NAN, NAN, 1]]])
    np.testing.assert_array_equal(found.outcome_ranks, [[[2, NAN, NAN, 1], [NAN, NAN, NAN, 1]]])


@pytest.mark.parametrize(
    ("subjects", "min_subjects", "needed"), [(6, None, 5), (10, None, 5), (11, None, 6), (20, None, 10), (20, 2, 2)]
)
def test_too_few_pairs_are_fewer_than_five_or_half_the_outcomes(
    subjects: int, min_subjects: int | None, needed: int
) -> None:
    signals = np.full((1, subjects, subjects), NAN)
    for model in range(subjects):
        signals[0, model, : model + 1] = 1.0
    found = panel(signals, np.ones((1, subjects)), min_subjects=min_subjects)
    assert found.too_few[0].tolist() == [model + 1 < needed for model in range(subjects)]


@pytest.mark.parametrize("name", ["outcomes", "scores", "horizons"])
def test_arrays_of_another_shape_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"panel: {name} has shape"):
        replace(panel(SIGNALS, OUTCOMES), **{name: np.zeros((7, 7))})


def test_nothing_is_imputed_unless_said() -> None:
    plain = panel(SIGNALS, OUTCOMES)
    assert plain.imputed.tolist() == [[False, False]]
    assert replace(plain, stand_ins=np.array([[True, False]])).imputed.tolist() == [[True, False]]
    with pytest.raises(ValueError, match=r"panel: imputed has shape \(7, 7\), expected \(1, 2\)"):
        replace(plain, stand_ins=np.zeros((7, 7), dtype=bool))


ROWS = stack(
    predictions({"b": {"y": 1.0, "x": 2.0}, "a": {"x": 3.0}}, 1),
    predictions({"a": {"x": 5.0}}, 0, 2),
    predictions({"a": {"x": 4.0}}, 0),
)


def test_axes_say_which_models_have_rows_in_which_sections() -> None:
    axes = Axes.of(ROWS, truth({"z": 1.0}))
    assert axes.has_rows(ROWS).tolist() == [[True, False], [True, False], [True, True]]
    assert axes.has_rows(ROWS[ROWS["model_id"] == "b"]).tolist() == [[False, False], [False, False], [False, True]]
    assert not axes.has_rows(ROWS.iloc[:0]).any()


def test_axes_are_sorted_and_hold_subjects_of_predictions_and_truth() -> None:
    axes = Axes.of(ROWS, truth({"z": 1.0}))
    assert axes.sections.tolist() == [(cycle(0), 1), (cycle(0), 2), (cycle(1), 1)]
    assert axes.models.tolist() == ["a", "b"]
    assert axes.subjects.tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("seed", range(3))
def test_rows_find_their_places_in_any_order(seed: int) -> None:
    rows = shuffled(ROWS, seed)
    axes = Axes.of(rows, truth({"z": 1.0}))
    expected = [
        [[4, NAN, NAN], [NAN, NAN, NAN]],
        [[5, NAN, NAN], [NAN, NAN, NAN]],
        [[3, NAN, NAN], [2, 1, NAN]],
    ]
    np.testing.assert_array_equal(axes.cube(rows, "value"), expected)


def test_outcomes_find_their_places() -> None:
    axes = Axes.of(ROWS, truth({"z": 1.0}))
    outcomes = pd.DataFrame({"cycle": [cycle(1), cycle(0)], "horizon": [1, 2], "subject": ["z", "x"], "value": [8, 9]})
    np.testing.assert_array_equal(axes.matrix(outcomes, "value"), [[NAN, NAN, NAN], [9, NAN, NAN], [NAN, NAN, 8]])


@pytest.mark.parametrize(
    ("column", "label", "what"),
    [("model_id", "stranger", "model"), ("subject", "stranger", "subject"), ("horizon", 9, r"\(cycle, horizon\)")],
)
def test_a_row_without_a_place_is_refused_not_put_elsewhere(column: str, label: object, what: str) -> None:
    axes = Axes.of(ROWS, truth({"z": 1.0}))
    with pytest.raises(ValueError, match=f"rows name the {what} .*not among the predictions of this block"):
        axes.cube(ROWS.assign(**{column: label}), "value")
