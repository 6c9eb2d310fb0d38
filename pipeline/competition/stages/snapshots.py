"""Rolling windows: every metric of every model at every moment the board speaks for, from the cycles' metrics.

Predictions are never read again here. A window is the last N cycles of the *competition* that were resolved by then,
so a model that skips cycles does not reach further back than the others, and what is still open moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.metrics import COVERAGE, Metric, Pool
from pipeline.competition.reasons import REASONS, reason_code
from pipeline.competition.stages.cycle_metrics import panel_metrics
from pipeline.leaderboard import Influence, Interval, interval, mean_influence, ratio_influence

COLUMNS = [
    *("as_of", "model_id", "category", "window_name", "metric"),
    *("value", "n", "n_scored", "coverage", "coverage_since_first", "se", "ci_low", "ci_high", "ci_method", "reason"),
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
    frames = [
        _snapshots_of_category(str(category), rows, sorted(set(as_ofs)), contract)
        for category, rows in cycle_metrics.groupby("category", sort=True)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


class _History:
    """The metrics of every cycle and model as known at a moment that moves forward in time."""

    def __init__(self, rows: pd.DataFrame, metrics: Sequence[Metric]) -> None:
        self._names = {metric.name: place for place, metric in enumerate(metrics)}
        rows = rows[rows["metric"].isin(list(self._names))].sort_values("known_at", kind="stable")
        self.cycles: Times = np.unique(rows["cycle"].to_numpy())
        self.models = np.sort(rows["model_id"].unique().astype(object))
        self._known_at = rows["known_at"].to_numpy()
        self._places = (
            rows["metric"].map(self._names).to_numpy(dtype=np.int64),
            np.searchsorted(self.cycles, rows["cycle"].to_numpy()),
            pd.Index(self.models).get_indexer(rows["model_id"]),
        )
        # None is looked up apart: as a key among strings it is found only when some value is a string.
        codes = rows["reason"].map({reason: code for code, reason in enumerate(REASONS) if reason is not None})
        self._new = {
            "value": rows["value"].to_numpy(dtype=float),
            "numerator": rows["numerator"].to_numpy(dtype=float),
            "denominator": rows["denominator"].to_numpy(dtype=float),
            "reason": np.where(rows["reason"].isna(), 0.0, codes.to_numpy(dtype=float)),
        }
        shape = (len(metrics), len(self.cycles), len(self.models))
        self._known = {name: np.full(shape, np.nan) for name in self._new}
        self._applied = 0

    def move_to(self, as_of: np.datetime64) -> None:
        """Take in everything known by ``as_of``; later rows of the same cycle replace earlier ones."""
        until = int(np.searchsorted(self._known_at, as_of, side="right"))
        news = slice(self._applied, until)
        places = tuple(place[news] for place in self._places)
        for name, known in self._known.items():
            known[places] = self._new[name][news]
        self._applied = until

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


@dataclass(frozen=True)
class _Statistic:
    """A metric over a window; arrays of shape (models,)."""

    value: Floats
    n: Floats
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


def _snapshots_of_category(
    category: str, rows: pd.DataFrame, as_ofs: Sequence[datetime], contract: Contract
) -> pd.DataFrame:
    history = _History(rows, panel_metrics(contract))
    parts = []
    for as_of in as_ofs:
        moment = np.datetime64(as_of, "us")
        history.move_to(moment)
        parts += _at_moment(history, moment, contract)
    return _frame(category, history.models, parts) if parts else pd.DataFrame(columns=COLUMNS)


def _at_moment(history: _History, as_of: np.datetime64, contract: Contract) -> list[_Part]:
    took_part = history.took_part
    resolved = np.flatnonzero(took_part.any(axis=1))
    if resolved.size == 0:
        return []
    seen = np.asarray(took_part.any(axis=0))
    parts = []
    for window_name, window in contract.windows.items():
        span = slice(_window_start(history.cycles, resolved, window), int(resolved[-1]) + 1)
        coverage = _coverage(history, span, took_part)
        for name in contract.metrics:
            statistic = _over_window(contract.metric(name), contract, history, span)
            parts.append(_Part(as_of, window_name, name, seen, coverage, statistic))
    return parts


def _window_start(cycles: Times, resolved: Ints, window: WindowSpec) -> int:
    """The place of the window's first cycle; ``resolved`` are the places of the resolved ones, in order."""
    if window.cycles is not None:
        return int(resolved[-window.cycles :][0])
    if window.duration is not None:
        return int(np.searchsorted(cycles, cycles[resolved[-1]] - np.timedelta64(window.duration), side="right"))
    return 0


def _coverage(history: _History, window: slice, took_part: Bools) -> _Coverage:
    """Scored tasks over tasks with truth in the window, and the same from each model's first cycle on."""
    scored = np.nansum(history.of(COVERAGE, "numerator")[window], axis=0)
    tasks = history.tasks(window)
    since_first = np.arange(len(took_part))[window, None] >= np.argmax(took_part, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _Coverage(scored, scored / tasks.sum(), scored / (tasks[:, None] * since_first).sum(axis=0))


def _over_window(metric: Metric, contract: Contract, history: _History, window: slice) -> _Statistic:
    if metric.of_series is not None and metric.series_of is not None:
        base = contract.metric(metric.series_of)
        result = metric.of_series(history.of(base, "value")[window])
        empty = result.influence.n == 0
        why_empty = _reason(empty, history.of(base, "reason")[window])
        return _statistic(result.influence, result.influence.n, np.where(empty, why_empty, result.reason))
    reasons = history.of(metric, "reason")[window]
    if metric.pool is Pool.TASKS:
        counted, tasks = history.of(metric, "numerator")[window], history.of(metric, "denominator")[window]
        if metric == COVERAGE:
            # A cycle that the model left out counts against it, as in the column of that name.
            counted, tasks = np.nan_to_num(counted), np.broadcast_to(history.tasks(window)[:, None], tasks.shape)
        influence = ratio_influence(counted, tasks)
        return _statistic(influence, np.nansum(tasks, axis=0), _reason(np.isnan(influence.value), reasons))
    influence = mean_influence(history.of(metric, "value")[window])
    return _statistic(influence, influence.n, _reason(influence.n == 0, reasons))


def _statistic(influence: Influence, n: npt.ArrayLike, reason: npt.NDArray[np.int8]) -> _Statistic:
    return _Statistic(influence.value, np.asarray(n, dtype=np.float64), reason, interval(influence))


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
        "n_scored": np.concatenate([one.n_scored for one in coverages]).astype(np.int64),
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
