"""Relative skill: how much a contestant loses beside the others on the tasks that both did.

Where contestants did different tasks, means compare the tasks as much as the contestants. A ratio of means over common
tasks does not, and the geometric mean of a contestant's ratios makes one number of them. For scores that are losses: 0
or more, less is better.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.arrays import BoolArray, FloatArray, IntArray, TextArray, refuse_duplicates, sized
from pipeline.leaderboard.influence import Influence, count_cycles
from pipeline.leaderboard.intervals import MIN_CYCLES, Interval, interval

NO_SCORES = "no_scores"
NO_COMMON_TASKS = "no_common_tasks"
ZERO_MEAN = "zero_mean"
NO_BASELINE = "no_baseline"
NOT_CONNECTED = "not_connected"

_TASKS_AT_ONCE = 4096
"""Tasks of a block: few enough that rounding of their sums stays below 1e-12 of them, whatever their number."""


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
    """

    total: FloatArray
    common: IntArray

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.total + other.total, self.common + other.common)

    @cached_property
    def has_ratio(self) -> BoolArray:
        """Where both have a mean above 0 on common tasks."""
        return np.asarray((self.total > 0) & (self.total.T > 0))

    @cached_property
    def log_ratios(self) -> FloatArray:
        """Logarithm of the ratio of mean scores, row by column; NaN where there is none."""
        logs = np.log(np.where(self.has_ratio, self.total, np.nan))
        return np.asarray(logs - logs.T)


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
    losses = _losses(scores)
    contestants = losses.shape[1]
    found = Pairs(np.zeros((contestants, contestants)), np.zeros((contestants, contestants), dtype=np.int64))
    for start in range(0, len(losses), _TASKS_AT_ONCE):
        found += _pairs_of_block(losses[start : start + _TASKS_AT_ONCE])
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
    place = _place(contestants, baseline, len(pairs.total))
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
    losses = _losses(scores)
    _place(contestants, baseline, losses.shape[1])
    within = [relative_skill(pair_totals(tasks), contestants, baseline) for tasks in _by_code(losses, "groups", groups)]
    shape = (len(within), losses.shape[1])
    return RelativeSkill(
        np.array([skill.value for skill in within]).reshape(shape),
        np.array([skill.reason for skill in within], dtype=object).reshape(shape),
        np.array([skill.n for skill in within], dtype=np.int64).reshape(shape),
    )


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
        As of :func:`relative_skill`.

    Returns
    -------
    Influence
        Over cycles up to the highest; present where a contestant has a task in common with one it has a ratio with.

    Raises
    ------
    ValueError
        As of :func:`pair_totals` and :func:`relative_skill`, or if there is not one cycle per task.
    """
    return _scaled(*_errors(scores, cycles, contestants, baseline))


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
    value, errors, present = _errors(scores, cycles, contestants, baseline)
    of_baseline = np.zeros((len(errors), 1))
    if baseline is not None:
        of_baseline = errors[:, [list(contestants).index(baseline)]]
    own = interval(_scaled(value, errors - of_baseline, present))
    se = np.hypot(own.se, _se_of_sum(np.broadcast_to(of_baseline, errors.shape), ~present))
    with np.errstate(invalid="ignore"):
        half = (own.high - value) * (se / own.se)
    theta = np.exp(value)
    return Interval(theta * se, np.exp(value - half), np.exp(value + half), own.method)


def _losses(scores: npt.ArrayLike) -> FloatArray:
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


def _place(contestants: Sequence[str], baseline: str | None, n: int) -> int | None:
    """Where the baseline is."""
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
    reason = np.full(n, None, dtype=object)
    reason[~(pairs.has_ratio & others).any(axis=1)] = ZERO_MEAN
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
    scaled[has_skill & ~reached] = NOT_CONNECTED
    return scaled


def _by_code(losses: FloatArray, what: str, codes: npt.ArrayLike) -> Iterator[FloatArray]:
    """The tasks of every code from 0 to the highest, in their order."""
    given = sized(what, np.asarray(codes, dtype=np.int64), len(losses))
    order = np.argsort(given, kind="stable")
    edges = np.searchsorted(given[order], np.arange(given.max(initial=-1) + 2))
    return (losses[order[start:end]] for start, end in itertools.pairwise(edges))


def _errors(
    scores: npt.ArrayLike, cycles: npt.ArrayLike, contestants: Sequence[str], baseline: str | None
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Log relative skill, what each cycle adds to the error of ln(theta), and where a contestant is present."""
    losses = _losses(scores)
    whole = pair_totals(losses)
    with np.errstate(divide="ignore"):
        value = np.log(relative_skill(whole, contestants, baseline).value)
    # ln(theta_i) moves by mean_j(d total_ij / total_ij - d total_ji / total_ji).
    share = whole.has_ratio / np.maximum(whole.has_ratio.sum(axis=1, keepdims=True), 1)
    own = np.where(whole.has_ratio, share / np.where(whole.has_ratio, whole.total, 1.0), 0.0)
    of_others = np.where(whole.has_ratio, share / np.where(whole.has_ratio, whole.total.T, 1.0), 0.0)
    has_other = whole.has_ratio & ~np.eye(len(value), dtype=bool)
    errors, present = [], []
    for tasks in _by_code(losses, "cycles", cycles):
        here = pair_totals(tasks)
        errors.append((own * here.total).sum(axis=1) - (of_others * here.total.T).sum(axis=1))
        present.append(((here.common > 0) & has_other).any(axis=1))
    shape = (len(errors), len(value))
    return value, np.array(errors).reshape(shape), np.array(present, dtype=bool).reshape(shape)


def _scaled(value: FloatArray, errors: FloatArray, present: BoolArray) -> Influence:
    """Influence of what the errors of the cycles present sum up to."""
    is_there = present & np.isfinite(value)
    return Influence(value, np.where(is_there, count_cycles(present) * errors, 0.0), present)


def _se_of_sum(errors: FloatArray, present: BoolArray) -> FloatArray:
    """Standard error of the sum of errors over the cycles present."""
    plain = np.sqrt(np.where(present, errors**2, 0.0).sum(axis=0))
    dependent = interval(_scaled(np.zeros(errors.shape[1]), errors, present)).se
    return np.where((count_cycles(present) < MIN_CYCLES) | np.isnan(dependent), plain, dependent)
