"""How sure relative skill is: what every task, and so every cycle, adds to its error.

For scores that are in memory whole, and for those that come block by block: first the pairs of all blocks are added
up, then each block says what it adds to the error of what they give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray
from pipeline.leaderboard.influence import Influence, count_cycles
from pipeline.leaderboard.intervals import MIN_CYCLES, Interval, interval
from pipeline.leaderboard.relative_skill import (
    TASKS_AT_ONCE,
    Pairs,
    pair_totals,
    place_of,
    relative_skill,
    require_losses,
    tasks_by_code,
)


@dataclass(frozen=True, eq=False)
class TaskErrors:
    """What tasks add to the error of ln(theta), theta being relative skill without a baseline.

    ln(theta_i) moves by the mean over j of d total_ij / total_ij - d total_ji / total_ji.

    Parameters
    ----------
    pairs : Pairs
        Of all tasks.
    """

    pairs: Pairs

    @cached_property
    def _weights(self) -> tuple[FloatArray, FloatArray]:
        """Of a loss of the contestant of the row, and of that of the column, on a common task."""
        has_ratio, total = self.pairs.has_ratio, self.pairs.total
        share = has_ratio / np.maximum(has_ratio.sum(axis=1, keepdims=True), 1)
        own = np.where(has_ratio, share / np.where(has_ratio, total, 1.0), 0.0)
        return own, np.where(has_ratio, share / np.where(has_ratio, total.T, 1.0), 0.0)

    def of(self, scores: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
        """What some tasks add, and where a contestant has one in common with another that it has a ratio with.

        Parameters
        ----------
        scores : array-like of float
            Losses of some of the tasks, shape (tasks, contestants); what is not finite is absent.

        Returns
        -------
        float array, bool array
            Of the same shape. The errors of tasks add up to those of cycles.

        Raises
        ------
        ValueError
            As of :func:`pipeline.leaderboard.relative_skill.pair_totals`.
        """
        losses = require_losses(scores)
        errors, present = np.empty(losses.shape), np.empty(losses.shape, dtype=bool)
        for start in range(0, len(losses), TASKS_AT_ONCE):
            block = slice(start, start + TASKS_AT_ONCE)
            errors[block], present[block] = self._of_block(losses[block])
        return errors, present

    def _of_block(self, losses: FloatArray) -> tuple[FloatArray, BoolArray]:
        is_there = np.isfinite(losses)
        presence = is_there.astype(np.float64)
        filled = np.where(is_there, losses, 0.0)
        own, of_others = self._weights
        errors = filled * (presence @ own.T) - presence * (filled @ of_others.T)
        return errors, is_there & (presence @ self.pairs.has_other.T > 0)


@dataclass(frozen=True, eq=False)
class SkillErrors:
    """The logarithm of relative skill, with what cycles add to the error of ln(theta).

    Parameters
    ----------
    value : float array
        The logarithm of relative skill, shape (contestants,); NaN where undefined.
    errors : float array
        Shape (cycles, contestants), cycles in the order of time.
    present : bool array
        The cycles that a contestant has, same shape.
    """

    value: FloatArray
    errors: FloatArray
    present: BoolArray

    def influence(self) -> Influence:
        """As :func:`relative_skill_influence`."""
        return _scaled(self.value, self.errors, self.present)

    def interval(self, baseline: int | None) -> Interval:
        """As :func:`relative_skill_interval`; ``baseline`` is the place of who it is scaled by."""
        of_baseline = np.zeros((len(self.errors), 1))
        if baseline is not None:
            of_baseline = self.errors[:, [baseline]]
        own = interval(_scaled(self.value, self.errors - of_baseline, self.present))
        se = np.hypot(own.se, _se_of_sum(np.broadcast_to(of_baseline, self.errors.shape), ~self.present))
        with np.errstate(invalid="ignore"):
            half = (own.high - self.value) * (se / own.se)
        theta = np.exp(self.value)
        return Interval(theta * se, np.exp(self.value - half), np.exp(self.value + half), own.method)


def relative_skill_influence(
    scores: npt.ArrayLike, cycles: npt.ArrayLike, contestants: Sequence[str], baseline: str | None = None
) -> Influence:
    """The logarithm of relative skill, with what each cycle adds to the error of a contestant's own part of it.

    Of a pair, the error of ln(total_i / total_j) is the sum over common tasks of x_i / total_i - x_j / total_j; with
    the same tasks for all, psi of two contestants differs by x_i / mean_i - x_j / mean_j per cycle. psi is that of
    ln(theta_i), without the baseline's: it is the same for all contestants, so comparisons are as they should be. An
    interval needs the baseline's too: see :func:`relative_skill_interval`.

    Parameters
    ----------
    scores : array-like of float
        Losses, shape (tasks, contestants); what is not finite is absent.
    cycles : array-like of int
        The cycle of each task, from 0 in the order of time, shape (tasks,).
    contestants, baseline
        As of :func:`pipeline.leaderboard.relative_skill.relative_skill`.

    Returns
    -------
    Influence
        Over cycles up to the highest; present where a contestant has a task in common with one it has a ratio with.

    Raises
    ------
    ValueError
        As of :func:`pipeline.leaderboard.relative_skill.relative_skill`, or if there is not one cycle per task.
    """
    return _errors(scores, cycles, contestants, baseline).influence()


def relative_skill_interval(
    scores: npt.ArrayLike, cycles: npt.ArrayLike, contestants: Sequence[str], baseline: str | None = None
) -> Interval:
    """95 % confidence intervals of relative skill, from the influence of its logarithm.

    In the cycles that a contestant has, its error and the baseline's move together and their difference counts; in the
    others, the baseline's alone does. Both parts are dependent within, by equal-weighted cosines, and taken as
    independent of each other; of fewer than 8 other cycles, the squares are summed.

    Parameters
    ----------
    scores, cycles, contestants, baseline
        As of :func:`relative_skill_influence`.

    Returns
    -------
    Interval
        In the unit of relative skill, not symmetric about it; ``se`` by the delta method. The baseline itself has
        ``zero_variance``.

    Raises
    ------
    ValueError
        As of :func:`relative_skill_influence`.
    """
    found = _errors(scores, cycles, contestants, baseline)
    return found.interval(place_of(contestants, baseline, len(found.value)))


def _errors(
    scores: npt.ArrayLike, cycles: npt.ArrayLike, contestants: Sequence[str], baseline: str | None
) -> SkillErrors:
    losses = require_losses(scores)
    whole = pair_totals(losses)
    with np.errstate(divide="ignore"):
        value = np.log(relative_skill(whole, contestants, baseline).value)
    of_tasks = TaskErrors(whole)
    found = [of_tasks.of(tasks) for tasks in tasks_by_code(losses, "cycles", cycles)]
    shape = (len(found), len(value))
    errors = np.array([one.sum(axis=0) for one, _ in found]).reshape(shape)
    present = np.array([one.any(axis=0) for _, one in found], dtype=bool).reshape(shape)
    return SkillErrors(value, errors, present)


def _scaled(value: FloatArray, errors: FloatArray, present: BoolArray) -> Influence:
    """Influence of what the errors of the cycles present sum up to."""
    is_there = present & np.isfinite(value)
    return Influence(value, np.where(is_there, count_cycles(present) * errors, 0.0), present)


def _se_of_sum(errors: FloatArray, present: BoolArray) -> FloatArray:
    """Standard error of the sum of errors over the cycles present."""
    plain = np.sqrt(np.where(present, errors**2, 0.0).sum(axis=0))
    dependent = interval(_scaled(np.zeros(errors.shape[1]), errors, present)).se
    return np.where((count_cycles(present) < MIN_CYCLES) | np.isnan(dependent), plain, dependent)
