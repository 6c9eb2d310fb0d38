"""Turnover of the portfolio and of the ranks: by hand, and against the definitions in plain loops."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.competition import Panel
from pipeline.competition.metrics import rank_turnover, turnover
from pipeline_tests.competition.contests import NAN, full_panel, panel, reasons

RISING = [1.0, 2.0, 3.0, 4.0, 5.0]


def after(previous: list[float], signals: list[float]) -> Panel:
    """One model with its previous cycle; no outcome is known."""
    return panel([[signals]], [[NAN] * len(signals)], previous=np.array([[previous]]))


@pytest.mark.parametrize(
    ("previous", "signals", "expected"),
    [
        (RISING, RISING, 0.0),
        (RISING, [10 * s + 3 for s in RISING], 0.0),  # the same weights
        (RISING, RISING[::-1], 1.0),  # all sold and bought the other way round
        # w = (-0.5, 0.5, 0, 0, 0) to (0, 0, -0.5, 0.5, 0): everything is new.
        ([-1.0, 1.0, 0, 0, 0], [0, 0, -1.0, 1.0, 0], 1.0),
        # (-0.5, 0.5) over two subjects, then (-0.5, 0.5) over the second and a third: union of three.
        ([0.0, 1.0, NAN], [NAN, 0.0, 1.0], 1.0),
        # (-1/2, 0, 1/2) to (-1/2, 1/2): 1/2 of the second is bought, 1/2 of the third sold.
        ([1.0, 2.0, 3.0], [1.0, 2.0, NAN], 0.5),
        # (-2 -1 0 1 2) / 6 to (-2 -1 1 0 2) / 6: two steps of 1/6, half of them counted.
        (RISING, [1.0, 2.0, 4.0, 3.0, 5.0], 1 / 6),
    ],
)
def test_turnover_by_hand(previous: list[float], signals: list[float], expected: float) -> None:
    found = turnover(after(previous, signals))
    np.testing.assert_allclose(found.value, [[expected]], atol=1e-15)
    assert found.n.tolist() == [[len(signals)]]


@pytest.mark.parametrize(
    ("previous", "signals", "expected"),
    [
        (RISING, RISING, 0.0),
        (RISING, [s**3 for s in RISING], 0.0),
        (RISING, RISING[::-1], 2.0),
        # Spearman of 1 2 3 4 5 and 1 2 4 3 5 is 1 - 6 * 2 / (5 * 24).
        (RISING, [1.0, 2.0, 4.0, 3.0, 5.0], 0.1),
    ],
)
def test_rank_turnover_by_hand(previous: list[float], signals: list[float], expected: float) -> None:
    np.testing.assert_allclose(rank_turnover(after(previous, signals)).value, [[expected]], atol=1e-15)


@pytest.mark.parametrize(
    ("previous", "signals", "expected"),
    [
        ([NAN] * 5, RISING, ["no_previous", "no_previous"]),
        ([2.0] * 5, RISING, ["constant_input", "constant_input"]),
        (RISING, [2.0] * 5, ["constant_input", "constant_input"]),
        ([1.0, 2.0, NAN, NAN, NAN], RISING, [None, "too_few_pairs"]),
        ([1.0, 2.0, 3.0, 4.0, NAN], [NAN, 2.0, 3.0, 4.0, 5.0], [None, "too_few_pairs"]),
    ],
)
def test_why_it_is_undefined(previous: list[float], signals: list[float], expected: list[str | None]) -> None:
    given = after(previous, signals)
    assert reasons([turnover(given).reason, rank_turnover(given).reason]) == expected


def test_without_a_previous_cycle_there_is_no_turnover() -> None:
    given = panel([[RISING]], [RISING])
    assert reasons([turnover(given).reason, rank_turnover(given).reason]) == ["no_previous", "no_previous"]


@pytest.mark.parametrize("seed", range(4))
def test_both_are_their_definitions_with_gaps_and_ties(seed: int) -> None:
    given = replace(full_panel(seed, gaps=0.3), min_subjects=5)
    assert given.previous is not None
    traded, moved = turnover(given), rank_turnover(given)
    for place in np.ndindex(traded.value.shape):
        now, before = given.signals[place], given.previous[place]
        expected = (
            (NAN, NAN) if np.isnan(before).all() or place[1] == 0 else (moving(now, before), changing(now, before))
        )
        np.testing.assert_allclose((traded.value[place], moved.value[place]), expected, atol=1e-12)
        assert traded.n[place] == (~np.isnan(now) | ~np.isnan(before)).sum()
        assert moved.n[place] == (~np.isnan(now) & ~np.isnan(before)).sum()


def moving(now: np.ndarray, before: np.ndarray) -> float:
    weights = []
    for signals in (now, before):
        deviation = signals - np.nanmean(signals)
        weights.append(np.nan_to_num(deviation / np.nansum(np.abs(deviation))))
    return float(0.5 * np.abs(weights[0] - weights[1]).sum())


def changing(now: np.ndarray, before: np.ndarray) -> float:
    both = ~np.isnan(now) & ~np.isnan(before)
    ranks = [stats.rankdata(signals, nan_policy="omit")[both] for signals in (now, before)]
    return 1 - float(np.corrcoef(*ranks)[0, 1])


def test_a_previous_cycle_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"panel: previous has shape \(1, 1, 2\), expected \(1, 1, 5\)"):
        panel([[RISING]], [RISING], previous=np.zeros((1, 1, 2)))
