"""Rolling windows: every metric of every model at every moment the board speaks for, from the cycles' metrics.

Predictions are never read again here. A window is the last N cycles of the *competition* that were resolved by then,
so a model that skips cycles does not reach further back than the others, and what is still open moves nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.metrics import COVERAGE, Metric, Pool
from pipeline.competition.reasons import REASONS, reason_code
from pipeline.competition.stages.cycle_metrics import panel_metrics
from pipeline.competition.stages.missing import Cells, absences, fill
from pipeline.leaderboard import Influence, Interval, interval, mean_influence, ratio_influence

COLUMNS = [
    *("as_of", "model_id", "category", "window_name", "metric"),
    *("value", "n", "n_imputed", "n_scored", "cycles_absent", "coverage", "coverage_since_first"),
    *("se", "ci_low", "ci_high", "ci_method", "reason"),
]
Times = npt.NDArray[np.datetime64]


def compute_snapshots(cycle_metrics: pd.DataFrame, as_ofs: Sequence[datetime], contract: Contract) -> pd.DataFrame:
    """Compute every window and metric at each moment.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` with every version, of all cycles that the windows reach; those of metrics that
        are not listed are left out.
    as_ofs : sequence of datetime
        The moments; each uses only rows with ``known_at`` up to it.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``snapshots``: for each moment, every model that had taken part by then.
    """
    return RollingWindows(cycle_metrics, contract).at(as_ofs)


class RollingWindows:
    """Every window and metric at moments that move forward in time, out of one reading of the cycles' metrics.

    For a run in blocks: what it keeps does not grow from one to the next.

    Parameters
    ----------
    cycle_metrics, contract
        As for :func:`compute_snapshots`; text may be categorical, which takes a fraction of the memory.
    """

    def __init__(self, cycle_metrics: pd.DataFrame, contract: Contract) -> None:
        self._contract = contract
        metrics = panel_metrics(contract)
        self._histories = {
            category: _History(cycle_metrics, category, metrics)
            for category in sorted(cycle_metrics["category"].unique())
        }

    def at(self, as_ofs: Sequence[datetime]) -> pd.DataFrame:
        """Rows of ``snapshots`` at these moments.

        Raises
        ------
        ValueError
            If one is before a moment that was asked for earlier: what was known then is not kept.
        """
        moments = [np.datetime64(as_of, "us") for as_of in sorted(set(as_ofs))]
        frames = []
        for category, history in self._histories.items():
            parts = [part for moment in moments for part in _at_moment(history, moment, self._contract)]
            if parts:
                frames.append(_frame(category, history.models, parts))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


class _History:
    """The metrics of a category's cycles and models as known at a moment that moves forward in time.

    Holds arrays, no frame, since a long contest of many models has millions of rows.
    """

    def __init__(self, rows: pd.DataFrame, category: str, metrics: Sequence[Metric]) -> None:
        self._names = {metric.name: place for place, metric in enumerate(metrics)}
        metric = _codes(self._names, rows["metric"])
        kept = np.flatnonzero((rows["category"] == category).to_numpy() & (metric >= 0))
        kept = kept[np.argsort(rows["known_at"].to_numpy()[kept], kind="stable")]
        cycle = rows["cycle"].to_numpy()[kept]
        self.cycles: Times = np.unique(cycle)
        self.models = np.sort(rows["model_id"].iloc[kept].unique().astype(object))
        self._known_at = rows["known_at"].to_numpy()[kept]
        self._places = (
            metric[kept],
            np.searchsorted(self.cycles, cycle).astype(np.int32),
            _codes(self.models, rows["model_id"])[kept],
        )
        numbers = ("value", "numerator", "denominator")
        self._new = {name: rows[name].to_numpy(dtype=float)[kept] for name in numbers}
        self._new["reason"] = _codes(REASONS[1:], rows["reason"])[kept] + 1
        shape = (len(metrics), len(self.cycles), len(self.models))
        self._known = {name: np.full(shape, np.nan) for name in self._new}
        self._applied = 0
        self._moment: np.datetime64 | None = None

    def move_to(self, as_of: np.datetime64) -> None:
        """Take in everything known by ``as_of``; later rows of the same cycle replace earlier ones."""
        if self._moment is not None and as_of < self._moment:
            raise ValueError(f"what was known at {as_of} is no longer kept at {self._moment}; ask in the order of time")
        self._moment = as_of
        until = int(np.searchsorted(self._known_at, as_of, side="right"))
        news = slice(self._applied, until)
        places = tuple(place[news] for place in self._places)
        for name, known in self._known.items():
            known[places] = self._new[name][news]
        self._applied = until

    def cells(self, metric: Metric, window: slice) -> Cells:
        """A metric over a window, as the models played."""
        value, numerator, denominator = (
            self.of(metric, name)[window] for name in ("value", "numerator", "denominator")
        )
        return Cells(value, numerator, denominator, np.zeros(value.shape, dtype=bool))

    def of(self, metric: Metric, column: str) -> Floats:
        """One column of a metric, shape (cycles, models); NaN where the model took no part."""
        return np.asarray(self._known[column][self._names[metric.name]])

    @property
    def took_part(self) -> Bools:
        """Where a model has a resolved cycle; shape (cycles, models)."""
        return ~np.isnan(self.of(COVERAGE, "reason"))

    def tasks(self, window: slice) -> Floats:
        """Outcomes known of each cycle of a window; shape (cycles,)."""
        return np.asarray(np.nan_to_num(self.of(COVERAGE, "denominator")[window]).max(axis=1, initial=0.0))


@dataclass(frozen=True)
class _Coverage:
    """How much of a window each model predicted; arrays of shape (models,)."""

    n_scored: Floats
    in_window: Floats
    since_first: Floats
    cycles_absent: Ints


@dataclass(frozen=True)
class _Statistic:
    """A metric over a window; arrays of shape (models,)."""

    value: Floats
    n: Floats
    n_imputed: Ints
    reason: npt.NDArray[np.int8]
    interval: Interval


@dataclass(frozen=True)
class _Part:
    """One metric of one window at one moment, for the models ``seen`` by then."""

    as_of: np.datetime64
    window_name: str
    metric: str
    seen: Bools
    coverage: _Coverage
    statistic: _Statistic


def _codes(names: Iterable[str | None], values: "pd.Series[Any]") -> npt.NDArray[np.int32]:
    """The place of every value among the names; -1 for NULL and for what is not among them."""
    index = pd.Index(np.array(list(names), dtype=object))
    return np.asarray(index.get_indexer(pd.Index(values)), dtype=np.int32)


def _at_moment(history: _History, as_of: np.datetime64, contract: Contract) -> list[_Part]:
    history.move_to(as_of)
    took_part = history.took_part
    resolved = np.flatnonzero(took_part.any(axis=1))
    if resolved.size == 0:
        return []
    seen = np.asarray(took_part.any(axis=0))
    absent = absences(took_part)
    parts = []
    for window_name, window in contract.windows.items():
        span = slice(_window_start(history.cycles, resolved, window), int(resolved[-1]) + 1)
        coverage = _coverage(history, span, took_part, absent)
        for name in contract.metrics:
            metric = contract.metric(name)
            statistic = _within(metric, _over_window(metric, contract, history, span, absent[span]))
            parts.append(_Part(as_of, window_name, name, seen, coverage, statistic))
    return parts


def _window_start(cycles: Times, resolved: Ints, window: WindowSpec) -> int:
    """The place of the window's first cycle; ``resolved`` are the places of the resolved ones, in order."""
    if window.cycles is not None:
        return int(resolved[-window.cycles :][0])
    if window.duration is not None:
        return int(np.searchsorted(cycles, cycles[resolved[-1]] - np.timedelta64(window.duration), side="right"))
    return 0


def _coverage(history: _History, window: slice, took_part: Bools, absent: Bools) -> _Coverage:
    """Scored tasks over tasks with truth in the window, and the same from each model's first cycle on."""
    scored = np.nansum(history.of(COVERAGE, "numerator")[window], axis=0)
    tasks = history.tasks(window)
    since_first = np.arange(len(took_part))[window, None] >= np.argmax(took_part, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        since = scored / (tasks[:, None] * since_first).sum(axis=0)
        return _Coverage(scored, scored / tasks.sum(), since, _cycles_absent(took_part, absent))


def _cycles_absent(took_part: Bools, absent: Bools) -> Ints:
    """Resolved cycles after each model's last one, shape (models,)."""
    last = len(took_part) - 1 - np.argmax(took_part[::-1], axis=0)
    after_last = np.arange(len(took_part))[:, None] > last
    return np.asarray((absent & after_last).sum(axis=0))


def _over_window(metric: Metric, contract: Contract, history: _History, window: slice, absent: Bools) -> _Statistic:
    base = metric if metric.series_of is None else contract.metric(metric.series_of)
    cells = history.cells(base, window)
    if contract.missing.policy != "skip" and base != COVERAGE:
        cells = fill(cells, absent, contract.missing, contract.direction(base.name), history.models)
    reasons = history.of(base, "reason")[window]
    if metric.of_series is not None:
        result = metric.of_series(cells.value)
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
        return _Statistic(influence.value, n, cells.n_imputed, why, interval(influence))
    influence = mean_influence(cells.value)
    return _of_cycles(influence, cells, _reason(influence.n == 0, reasons))


def _within(metric: Metric, statistic: _Statistic) -> _Statistic:
    """The statistic, its interval cut to what the metric can take."""
    if metric.bounds is None:
        return statistic
    found = statistic.interval
    low, high = np.clip(found.low, *metric.bounds), np.clip(found.high, *metric.bounds)
    return replace(statistic, interval=replace(found, low=low, high=high))


def _of_cycles(influence: Influence, cells: Cells, reason: npt.NDArray[np.int8]) -> _Statistic:
    n = np.asarray(influence.n, dtype=np.float64) - cells.n_imputed
    return _Statistic(influence.value, n, cells.n_imputed, reason, interval(influence))


def _reason(is_undefined: Bools, reasons: Floats) -> npt.NDArray[np.int8]:
    """Of undefined values: the reason of the model's latest cycle, or ``no_predictions`` when it has none."""
    took_part = ~np.isnan(reasons)
    latest = reasons.shape[0] - 1 - np.argmax(took_part[::-1], axis=0)
    last_reason = np.nan_to_num(np.take_along_axis(reasons, latest[None, :], axis=0)[0])
    absent = ~took_part.any(axis=0)
    code = np.where(absent, reason_code("no_predictions"), last_reason)
    return np.where(is_undefined, code, 0).astype(np.int8)


def _frame(category: str, models: npt.NDArray[np.object_], parts: list[_Part]) -> pd.DataFrame:
    """One frame out of the parts, without models not seen by then."""
    size = len(models)
    statistics = [part.statistic for part in parts]
    coverages = [part.coverage for part in parts]
    columns = {
        "as_of": np.repeat(np.array([part.as_of for part in parts]), size),
        "model_id": np.tile(models, len(parts)),
        "category": np.full(size * len(parts), category, dtype=object),
        "window_name": np.repeat(np.array([part.window_name for part in parts], dtype=object), size),
        "metric": np.repeat(np.array([part.metric for part in parts], dtype=object), size),
        "value": np.concatenate([one.value for one in statistics]),
        "n": np.concatenate([one.n for one in statistics]).astype(np.int64),
        "n_imputed": np.concatenate([one.n_imputed for one in statistics]),
        "n_scored": np.concatenate([one.n_scored for one in coverages]).astype(np.int64),
        "cycles_absent": np.concatenate([one.cycles_absent for one in coverages]),
        "coverage": np.concatenate([one.in_window for one in coverages]),
        "coverage_since_first": np.concatenate([one.since_first for one in coverages]),
        "se": np.concatenate([one.interval.se for one in statistics]),
        "ci_low": np.concatenate([one.interval.low for one in statistics]),
        "ci_high": np.concatenate([one.interval.high for one in statistics]),
        "ci_method": np.concatenate([one.interval.method for one in statistics]),
        "reason": np.array(REASONS, dtype=object)[np.concatenate([one.reason for one in statistics])],
    }
    seen = np.concatenate([part.seen for part in parts])
    return pd.DataFrame({name: values[seen] for name, values in columns.items()})[COLUMNS]
