"""Relative skill: how much a contestant loses beside the others on the tasks that both did.

Where contestants did different tasks, means compare the tasks as much as the contestants. A ratio of means over common
tasks does not, and the geometric mean of a contestant's ratios makes one number of them. For scores that are losses: 0
or more, less is better.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray, refuse_duplicates, sized

NO_SCORES = "no_scores"
NO_COMMON_TASKS = "no_common_tasks"
ZERO_MEAN = "zero_mean"
NO_BASELINE = "no_baseline"
NOT_CONNECTED = "not_connected"

TASKS_AT_ONCE = 4096
"""Tasks of a block: few enough for the cache, and that rounding of sums stays below 1e-12, whatever their number."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every two contestants on the tasks that both did. The pairs of two sets of tasks add up to those of both.

    Parameters
    ----------
    total : float array
        Sum of the scores of the contestant of the row over the tasks in common with that of the column, shape
        (contestants, contestants).
    common : int array
        How many tasks these are, same shape; on the diagonal the tasks of a contestant.
    field : bool array, shape (contestants,), or None
        Who the others are compared with; None for everybody. One outside is compared with the field and moves nobody.
    """

    total: FloatArray
    common: IntArray
    field: BoolArray | None = None

    def __add__(self, other: "Pairs") -> "Pairs":
        return replace(self, total=self.total + other.total, common=self.common + other.common)

    def among(self, places: IntArray, field: BoolArray | None = None) -> "Pairs":
        """Those of some contestants, as if there were no others; ``field`` is of these."""
        cells = np.ix_(places, places)
        return Pairs(self.total[cells], self.common[cells], field)

    @cached_property
    def has_ratio(self) -> BoolArray:
        """Where both have a mean above 0 on common tasks, and that of the column is of the field, or the same."""
        both = (self.total > 0) & (self.total.T > 0)
        if self.field is not None:
            both &= self.field | np.eye(len(self.field), dtype=bool)
        return np.asarray(both)

    @cached_property
    def log_ratios(self) -> FloatArray:
        """Logarithm of the ratio of mean scores, row by column; NaN where there is none."""
        logs = np.log(np.where(self.total > 0, self.total, 1.0))
        return np.asarray(np.where(self.has_ratio, logs - logs.T, np.nan))

    @cached_property
    def has_other(self) -> BoolArray:
        """The same, but for each with itself."""
        return np.asarray(self.has_ratio & ~np.eye(len(self.total), dtype=bool))


@dataclass(frozen=True, eq=False)
class RelativeSkill:
    """Relative skill of every contestant, as arrays of shape (contestants,), or (groups, contestants).

    Parameters
    ----------
    value : float array
        Below 1 is better than the baseline, or than the field where there is none; NaN where undefined.
    reason : object array of str or None
        Why it is undefined: ``no_scores``, ``no_common_tasks`` with anybody, ``zero_mean`` (of one of the two in every
        pair), ``no_baseline`` (it has no relative skill itself), ``not_connected`` (no chain of common tasks leads to
        the baseline); None where defined.
    n : int array
        Tasks of the contestant.
    """

    value: FloatArray
    reason: TextArray
    n: IntArray


def pair_totals(scores: npt.ArrayLike) -> Pairs:
    """Every two contestants on the tasks that both did.

    Two matrix products of scores and presence, a block of tasks at a time.

    Parameters
    ----------
    scores : array-like of float
        Losses, shape (tasks, contestants); what is not finite is absent.

    Returns
    -------
    Pairs

    Raises
    ------
    ValueError
        If scores do not have two dimensions, or one is negative.
    """
    losses = require_losses(scores)
    contestants = losses.shape[1]
    found = Pairs(np.zeros((contestants, contestants)), np.zeros((contestants, contestants), dtype=np.int64))
    for start in range(0, len(losses), TASKS_AT_ONCE):
        found += _pairs_of_block(losses[start : start + TASKS_AT_ONCE])
    return found


def relative_skill(pairs: Pairs, contestants: Sequence[str], baseline: str | None = None) -> RelativeSkill:
    """Geometric mean of a contestant's ratios of mean scores, scaled by that of the baseline.

    theta_i = exp(mean over j of ln(total_ij / total_ji)), over all contestants j with whom i has a ratio, itself among
    them with ratio 1; relative skill is theta_i / theta_baseline. A pair without common tasks, or in which either mean
    is 0, has no ratio.

    Parameters
    ----------
    pairs : Pairs
    contestants : sequence of str
        Their names, in the order of the pairs.
    baseline : str, optional
        Whose relative skill is 1; by default, values are relative to the field.

    Returns
    -------
    RelativeSkill

    Raises
    ------
    ValueError
        If the number of names differs, one occurs twice, or the baseline is not among them.

    References
    ----------
    Cramer et al. (2022), "Evaluation of individual and ensemble probabilistic forecasts of COVID-19 mortality in the
    United States", PNAS 119(15), "Relative WIS".

    Examples
    --------
    >>> skill = relative_skill(pair_totals([[1, 2, 4], [3, 6, np.nan]]), ["a", "b", "base"], "base")
    >>> skill.value.round(3).tolist()
    [0.25, 0.5, 1.0]
    """
    place = place_of(contestants, baseline, len(pairs.total))
    log_theta = _log_theta(pairs)
    reason = _reasons(pairs)
    if place is not None:
        reason = _beside_baseline(pairs, reason, place)
        log_theta = log_theta - log_theta[place]
    is_defined = np.array([one is None for one in reason], dtype=bool)
    return RelativeSkill(np.exp(np.where(is_defined, log_theta, np.nan)), reason, pairs.common.diagonal().copy())


def relative_skill_by(
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    contestants: Sequence[str],
    baseline: str | None = None,
) -> RelativeSkill:
    """Relative skill within each group of tasks, from the pairs of that group alone.

    Parameters
    ----------
    scores : array-like of float
        Losses, shape (tasks, contestants); what is not finite is absent.
    groups : array-like of int
        The group of each task, from 0, shape (tasks,); tasks of a negative one are in none.
    contestants, baseline
        As of :func:`relative_skill`.

    Returns
    -------
    RelativeSkill
        Arrays of shape (groups, contestants); groups are those up to the highest.

    Raises
    ------
    ValueError
        As of :func:`pair_totals` and :func:`relative_skill`, or if there is not one group per task.
    """
    losses = require_losses(scores)
    place_of(contestants, baseline, losses.shape[1])
    within = [
        relative_skill(pair_totals(tasks), contestants, baseline) for tasks in tasks_by_code(losses, "groups", groups)
    ]
    shape = (len(within), losses.shape[1])
    return RelativeSkill(
        np.array([skill.value for skill in within]).reshape(shape),
        np.array([skill.reason for skill in within], dtype=object).reshape(shape),
        np.array([skill.n for skill in within], dtype=np.int64).reshape(shape),
    )


def require_losses(scores: npt.ArrayLike) -> FloatArray:
    """Scores as an array of shape (tasks, contestants); a ValueError if they are not, or one is negative."""
    losses = np.asarray(scores, dtype=np.float64)
    if losses.ndim != 2:
        raise ValueError(f"scores have shape {losses.shape}, expected (tasks, contestants)")
    if (losses < 0).any():
        raise ValueError(
            f"a score is {losses[losses < 0][0]:g}; relative skill is a ratio of losses, give scores of 0 or more"
        )
    return losses


def _pairs_of_block(losses: FloatArray) -> Pairs:
    is_there = np.isfinite(losses)
    presence = is_there.astype(np.float64)
    total = np.where(is_there, losses, 0.0).T @ presence
    return Pairs(total, np.rint(presence.T @ presence).astype(np.int64))


def place_of(contestants: Sequence[str], baseline: str | None, n: int) -> int | None:
    """Where the baseline is, None without one; a ValueError if names do not fit."""
    names = list(sized("contestants", list(contestants), n))
    refuse_duplicates(names, "contestant", "give each once")
    if baseline is None:
        return None
    if baseline not in names:
        raise ValueError(f"baseline {baseline!r} is not among the contestants; they are: {', '.join(sorted(names))}")
    return names.index(baseline)


def _log_theta(pairs: Pairs) -> FloatArray:
    """Mean logarithm of a contestant's ratios; NaN where it has none with another."""
    counted = pairs.has_ratio.sum(axis=1)
    total = np.where(pairs.has_ratio, pairs.log_ratios, 0.0).sum(axis=1)
    return np.asarray(np.where(counted > 1, total, np.nan) / np.maximum(counted, 1))


def _reasons(pairs: Pairs) -> TextArray:
    """Why a contestant has no ratio with another; None where it has."""
    n = len(pairs.common)
    others = ~np.eye(n, dtype=bool)
    if pairs.field is not None:
        others &= pairs.field
    reason = np.full(n, None, dtype=object)
    reason[~pairs.has_other.any(axis=1)] = ZERO_MEAN
    reason[~((pairs.common > 0) & others).any(axis=1)] = NO_COMMON_TASKS
    reason[pairs.common.diagonal() == 0] = NO_SCORES
    return reason


def _beside_baseline(pairs: Pairs, reason: TextArray, baseline: int) -> TextArray:
    """The same, with why a contestant cannot be scaled by the baseline."""
    scaled = reason.copy()
    has_skill = np.array([one is None for one in reason], dtype=bool)
    if not has_skill[baseline]:
        scaled[has_skill] = NO_BASELINE
        return scaled
    reached = pairs.has_ratio[baseline]
    while (further := np.asarray(pairs.has_ratio[reached].any(axis=0))).sum() > reached.sum():
        reached = further
    reached = reached | pairs.has_ratio[:, reached].any(axis=1)
    scaled[has_skill & ~reached] = NOT_CONNECTED
    return scaled


def tasks_by_code(losses: FloatArray, what: str, codes: npt.ArrayLike) -> Iterator[FloatArray]:
    """The tasks of every code from 0 to the highest, in their order."""
    given = sized(what, np.asarray(codes, dtype=np.int64), len(losses))
    order = np.argsort(given, kind="stable")
    edges = np.searchsorted(given[order], np.arange(given.max(initial=-1) + 2))
    return (losses[order[start:end]] for start, end in itertools.pairwise(edges))
