"""Simulated boards: equal contestants are rarely separated, clearly better ones are, and true ranks are held."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from pipeline.leaderboard import (
    Direction,
    Influence,
    RankIntervals,
    mean_influence,
    rank_intervals,
    ratio_influence,
    sharpe_influence,
)
from pipeline_tests.leaderboard.series import KINDS, noise

pytestmark = pytest.mark.slow

LONG_RUN = {"independent": 1.0, "overlapping": 4.0, "autocorrelated": 4.0}
"""Long-run variance of each kind of series."""
SD = {"independent": 1.0, "overlapping": 1.0, "autocorrelated": math.sqrt(4 / 3)}

Board = Callable[[np.ndarray], RankIntervals]


def ranked(influence: Influence) -> RankIntervals:
    return rank_intervals(influence.value, [influence], Direction.DESC)


def by_mean(x: np.ndarray) -> RankIntervals:
    return ranked(mean_influence(x))


def by_sharpe(x: np.ndarray) -> RankIntervals:
    return ranked(sharpe_influence(0.2 + x))


def by_hit_rate(x: np.ndarray) -> RankIntervals:
    """Hits of cycles whose number of tasks varies."""
    rng = np.random.default_rng(int(1e6 * abs(x[0, 0])))
    tasks = rng.integers(1, 21, x.shape)
    return ranked(ratio_influence(rng.binomial(tasks, stats.norm.cdf(x)), tasks))


def weighted(statistic: Callable[[np.ndarray], Influence]) -> Board:
    def board(x: np.ndarray) -> RankIntervals:
        longest, weights = statistic(x), [0.5, 0.3, 0.2]
        windows = [260, 52, 13] if len(x) == 260 else [52, 26, 13]
        key = sum(weight * statistic(x[-window:]).value for weight, window in zip(weights, windows, strict=True))
        return rank_intervals(key, [longest] * 3, Direction.DESC, weights=weights, windows=windows)

    return board


BOARDS: dict[str, Board] = {
    "mean": by_mean,
    "sharpe": by_sharpe,
    "hit rate": by_hit_rate,
    "weighted mean": weighted(mean_influence),
    "weighted sharpe": weighted(lambda x: sharpe_influence(0.2 + x)),
}


def boards(kind: str, cycles: int, contestants: int, replications: int, seed: int = 0) -> np.ndarray:
    """Noise of shape (replications, cycles, contestants)."""
    series = noise(kind, cycles, replications * contestants, seed)
    return np.moveaxis(series.reshape(cycles, replications, contestants), 0, 1)


def separates(found: RankIntervals) -> bool:
    """Whether any two contestants are separated."""
    return bool(((found.rank_lo > 1) | (found.rank_hi < len(found.rank_hi))).any())


def at_most_5_percent(separated: list[bool]) -> None:
    """Hold the rate to 5 %, but for the error of the simulation itself (two standard errors)."""
    rate, error = float(np.mean(separated)), math.sqrt(0.05 * 0.95 / len(separated))
    assert rate <= 0.05 + 2 * error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [52, 260])
@pytest.mark.parametrize("key", BOARDS)
def test_equal_contestants_are_separated_on_at_most_5_percent_of_boards(key: str, cycles: int, kind: str) -> None:
    at_most_5_percent([separates(BOARDS[key](x)) for x in boards(kind, cycles, 8, 500)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [26, 52, 260])
@pytest.mark.parametrize("contestants", [2, 24])
def test_few_contestants_and_many_are_held_to_the_same(contestants: int, cycles: int, kind: str) -> None:
    at_most_5_percent([separates(by_mean(x)) for x in boards(kind, cycles, contestants, 600)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [52, 260])
@pytest.mark.parametrize("pattern", ["a newcomer", "one after another", "half at random", "every other"])
def test_gaps_and_newcomers_are_held_to_the_same(pattern: str, cycles: int, kind: str) -> None:
    t, place = np.arange(cycles)[:, None], np.arange(6)
    there = {
        "a newcomer": (place > 0) | (t >= cycles - 12),
        "one after another": t >= (cycles - 10) * place / 5,
        "half at random": np.random.default_rng(1).random((cycles, 6)) < 0.5,
        "every other": (t + place) % 2 == 0 if cycles < 100 else (t + place) % 3 > 0,
    }[pattern]
    at_most_5_percent([separates(by_mean(np.where(there, x, np.nan))) for x in boards(kind, cycles, 6, 400)])


@pytest.mark.parametrize("kind", ["overlapping", "autocorrelated"])
@pytest.mark.parametrize("contestants", [6, 24])
def test_lasting_bets_among_independent_ones_are_held_to_the_same(contestants: int, kind: str) -> None:
    lasting, others = boards(kind, 260, contestants, 400), boards("independent", 260, contestants, 400, seed=1)
    is_lasting = np.arange(contestants) < contestants // 2
    at_most_5_percent([separates(by_mean(x)) for x in np.where(is_lasting, lasting, others)])


@pytest.mark.parametrize("kind", KINDS)
def test_contestants_that_are_loads_on_one_bet_are_held_to_the_same(kind: str) -> None:
    loads = np.random.default_rng(2).standard_normal(12)
    at_most_5_percent([separates(by_mean(x * loads)) for x in boards(kind, 52, 1, 600)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cycles", [52, 260])
def test_a_clearly_better_contestant_is_separated_from_all_others(cycles: int, kind: str) -> None:
    standard_error = math.sqrt(2 * LONG_RUN[kind] / cycles)
    x = boards(kind, cycles, 12, 150)
    x[:, :, 4] += 8 * standard_error
    first = [(found.rank_lo[4], found.rank_hi[4]) == (1, 1) for found in map(by_mean, x)]
    assert np.mean(first) >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_all_true_ranks_are_held_on_95_percent_of_boards(kind: str) -> None:
    """Groups of equals, some far apart and some close."""
    skill = np.array([0.0, 0.0, 0.1, 0.3, 0.3, 0.8, 0.8, 0.8]) * SD[kind]
    best, worst = (1 + (skill > skill[:, None]).sum(axis=1)), (skill >= skill[:, None]).sum(axis=1)
    held = [
        bool((found.rank_lo <= best).all() and (worst <= found.rank_hi).all())
        for found in map(by_mean, boards(kind, 260, 8, 400) + skill)
    ]
    assert np.mean(held) >= 0.95
    assert any(separates(found) for found in map(by_mean, boards(kind, 260, 8, 20) + skill))
