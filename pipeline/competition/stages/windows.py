"""A rolling window over a history: which cycles it holds, and each metric over them.

A window is the last N cycles of the *competition* that were resolved by then, so a model that skips cycles does not
reach further back than the others, and what is still open moves nothing.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.metrics import COVERAGE, RESOLVED, Metric, Pool, safely_over_series
from pipeline.competition.reasons import Reasons, reason_code
from pipeline.competition.stages.history import History, Times
from pipeline.competition.stages.missing import FILLED, Cells, absences, fill
from pipeline.leaderboard import Influence, mean_influence, ratio_influence


@dataclass(frozen=True)
class WindowCoverage:
    """How much of a window each model predicted; arrays of shape (models,)."""

    n_scored: Floats
    in_window: Floats
    since_first: Floats
    cycles_absent: Ints
    is_final: Bools


@dataclass(frozen=True)
class Statistic:
    """A metric over a window: its value with what each cycle moves it by; the others are of shape (models,)."""

    influence: Influence
    n: Floats
    n_imputed: Ints
    reason: Reasons

    @property
    def value(self) -> Floats:
        """The metric, NaN where undefined; shape (models,)."""
        return self.influence.value


def span_of(window: WindowSpec, cycles: Times, resolved: Ints) -> slice:
    """The places of a window's cycles, which end with the last resolved one.

    Parameters
    ----------
    window : WindowSpec
    cycles : array of datetime64, in order
    resolved : array of int
        The places of those with an outcome, in order; at least one.
    """
    last = int(resolved[-1])
    start = 0
    if window.cycles is not None:
        start = int(resolved[-window.cycles :][0])
    if window.duration is not None:
        start = int(np.searchsorted(cycles, cycles[last] - np.timedelta64(window.duration), side="right"))
    return slice(start, last + 1)


class Moment:
    """A contest as known at one moment: its windows, and every metric over them.

    Parameters
    ----------
    history : History
        Is moved to the moment; another one must not be asked for while this is in use.
    as_of : datetime64
    contract : Contract
    """

    def __init__(self, history: History, as_of: np.datetime64, contract: Contract) -> None:
        history.move_to(as_of)
        self.as_of = as_of
        self._history = history
        self._contract = contract
        self._took_part = history.took_part
        self._absent = absences(self._took_part)
        self.resolved: Ints = np.flatnonzero(self._took_part.any(axis=1))
        """Places of the cycles with an outcome, in order."""
        self.seen: Bools = np.asarray(self._took_part.any(axis=0))
        """Who had taken part by then; shape (models,)."""

    def span(self, window: WindowSpec) -> slice:
        """The places of a window's cycles; there must be a resolved one."""
        return span_of(window, self._history.cycles, self.resolved)

    def coverage(self, span: slice) -> WindowCoverage:
        """Scored tasks over tasks with truth in the window, and the same from each model's first cycle on."""
        scored = np.nansum(self._history.of(COVERAGE, "numerator")[span], axis=0)
        tasks = self._history.tasks(span)
        since_first = np.arange(len(self._took_part))[span, None] >= np.argmax(self._took_part, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            since = scored / (tasks[:, None] * since_first).sum(axis=0)
            share = scored / tasks.sum()
        absent = _cycles_absent(self._took_part, self._absent)
        return WindowCoverage(scored, share, since, absent, self._is_final(span))

    def _is_final(self, span: slice) -> Bools:
        """Whether every cross-section of the window that a model predicted has outcomes."""
        known, predicted = (self._history.of(RESOLVED, name)[span] for name in ("numerator", "denominator"))
        return np.asarray(~(known < predicted).any(axis=0))

    def statistic(self, name: str, span: slice) -> Statistic:
        """A listed metric over a window."""
        return _over_window(self._contract.metric(name), self._contract, self._history, span, self._absent[span])


def _cycles_absent(took_part: Bools, absent: Bools) -> Ints:
    """Resolved cycles after each model's last one, shape (models,)."""
    last = len(took_part) - 1 - np.argmax(took_part[::-1], axis=0)
    after_last = np.arange(len(took_part))[:, None] > last
    return np.asarray((absent & after_last).sum(axis=0))


def _over_window(metric: Metric, contract: Contract, history: History, window: slice, absent: Bools) -> Statistic:
    base = metric if metric.series_of is None else contract.metric(metric.series_of)
    cells = history.cells(base, window)
    if contract.missing.policy in FILLED and base not in (COVERAGE, RESOLVED):
        cells = fill(cells, absent, contract.missing, contract.direction(base.name), history.models)
    reasons = history.of(base, "reason")[window]
    if metric.of_series is not None:
        result = safely_over_series(metric, cells.value)
        empty = result.influence.n == 0
        return _of_cycles(result.influence, cells, np.where(empty, _reason(empty, reasons), result.reason))
    if metric.pool is Pool.TASKS:
        counted, tasks = cells.numerator, cells.denominator
        if metric == COVERAGE:
            # A cycle that the model left out counts against it, as in the column of that name.
            counted, tasks = np.nan_to_num(counted), np.broadcast_to(history.tasks(window)[:, None], tasks.shape)
        influence = ratio_influence(counted, tasks)
        n = np.nansum(cells.without_imputed(tasks), axis=0)
        why = _reason(np.isnan(influence.value), reasons)
        return Statistic(influence, n, cells.n_imputed, why)
    influence = mean_influence(cells.value)
    return _of_cycles(influence, cells, _reason(influence.n == 0, reasons))


def _of_cycles(influence: Influence, cells: Cells, reason: Reasons) -> Statistic:
    n = np.asarray(influence.n, dtype=np.float64) - cells.n_imputed
    return Statistic(influence, n, cells.n_imputed, reason)


def _reason(is_undefined: Bools, reasons: Floats) -> Reasons:
    """Of undefined values: the reason of the model's latest cycle, or ``no_predictions`` when it has none."""
    found = np.zeros(is_undefined.shape, dtype=np.int32)
    models = np.flatnonzero(is_undefined)
    if models.size:
        took_part = ~np.isnan(reasons[:, models])
        latest = len(reasons) - 1 - np.argmax(took_part[::-1], axis=0)
        of_latest = reasons[latest, models]
        found[models] = np.where(np.isnan(of_latest), reason_code("no_predictions"), of_latest)
    return found
