"""Rolling windows: every metric of every model at every moment the board speaks for, from the cycles' metrics.

Predictions are never read again here; what a window holds is in :mod:`pipeline.competition.stages.windows`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.metrics import Metric
from pipeline.competition.reasons import Reasons, reason_texts
from pipeline.competition.stages.cycle_metrics import member_metrics, panel_metrics
from pipeline.competition.stages.history import History, histories
from pipeline.competition.stages.windows import Moment, WindowCoverage
from pipeline.leaderboard import Interval, intervals

COLUMNS = [
    *("as_of", "model_id", "category", "window_name", "metric"),
    *("value", "n", "n_imputed", "n_scored", "cycles_absent", "coverage", "coverage_since_first"),
    *("se", "ci_low", "ci_high", "ci_method", "reason", "is_final"),
]


def compute_snapshots(cycle_metrics: pd.DataFrame, as_ofs: Sequence[datetime], contract: Contract) -> pd.DataFrame:
    """Compute every window and metric at each moment.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` with every version, of all cycles that the windows reach; those of metrics that
        are not listed are left out.
    as_ofs : sequence of datetime
        The moments; each uses only rows with ``known_at`` up to it. Categories whose history is not kept are there
        at the last one alone.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``snapshots``: for each moment, every model that had taken part by then.
    """
    return RollingWindows(cycle_metrics, contract, max(as_ofs, default=None)).at(as_ofs)


class RollingWindows:
    """Every window and metric at moments that move forward in time, out of one reading of the cycles' metrics.

    For a run in blocks: what it keeps does not grow from one to the next.

    Parameters
    ----------
    cycle_metrics, contract
        As for :func:`compute_snapshots`; text may be categorical, which takes a fraction of the memory.
    newest : datetime or None
        The only moment at which there are categories whose history is not kept; None for no such moment.
    """

    def __init__(self, cycle_metrics: pd.DataFrame, contract: Contract, newest: datetime | None = None) -> None:
        self._contract = contract
        self._newest = newest
        metrics = [*panel_metrics(contract), *member_metrics(contract)]
        self._histories = histories(cycle_metrics, metrics, contract.metrics_in)

    def _parts(self, category: str, history: History, as_of: np.datetime64) -> Iterator["_Part"]:
        moment = Moment(history, as_of, self._contract)
        return _parts(moment, history.is_virtual, self._contract, self._contract.metrics_in(category))

    def _moments(self, category: str, as_ofs: Sequence[datetime]) -> list[np.datetime64]:
        """Those at which a category is kept, in order."""
        is_kept = self._contract.keeps_history(category)
        kept = {as_of for as_of in as_ofs if is_kept or as_of == self._newest}
        return [np.datetime64(as_of, "us") for as_of in sorted(kept)]

    @property
    def rows_per_moment(self) -> int:
        """Rows at one moment, at most, of the categories that every moment has."""
        kept = [category for category in self._histories if self._contract.keeps_history(category)]
        cells = [len(self._histories[category].models) * len(self._contract.metrics_in(category)) for category in kept]
        return sum(cells) * len(self._contract.windows)

    def at(self, as_ofs: Sequence[datetime]) -> pd.DataFrame:
        """Rows of ``snapshots`` at these moments.

        Raises
        ------
        ValueError
            If one is before a moment that was asked for earlier: what was known then is not kept.
        """
        frames = []
        for category, history in self._histories.items():
            moments = self._moments(category, as_ofs)
            parts = [part for as_of in moments for part in self._parts(category, history, as_of)]
            if parts:
                frames.append(_frame(category, history.models, parts))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


@dataclass(frozen=True)
class _Part:
    """One metric of one window at one moment, for the models ``seen`` by then; arrays of shape (models,).

    Holds no series, since a block has many parts.
    """

    as_of: np.datetime64
    window_name: str
    metric: str
    seen: Bools
    coverage: WindowCoverage
    value: Floats
    n: Floats
    n_imputed: Ints
    reason: Reasons
    interval: Interval


def _parts(moment: Moment, virtual: Bools, contract: Contract, metrics: Sequence[str]) -> Iterator[_Part]:
    """Every window and metric; virtual models have no metrics of members."""
    if moment.resolved.size == 0:
        return
    for window_name, window in contract.windows.items():
        span = moment.span(window)
        coverage = moment.coverage(span)
        statistics = [moment.statistic(name, span) for name in metrics]
        found = intervals([one.influence for one in statistics])
        for name, one, between in zip(metrics, statistics, found, strict=True):
            metric = contract.metric(name)
            yield _Part(
                as_of=moment.as_of,
                window_name=window_name,
                metric=name,
                seen=moment.seen & ~virtual if metric.of_members else moment.seen,
                coverage=coverage,
                value=one.influence.value,
                n=one.n,
                n_imputed=one.n_imputed,
                reason=one.reason,
                interval=_within(metric, between),
            )


def _within(metric: Metric, found: Interval) -> Interval:
    """The interval, cut to what the metric can take."""
    if metric.bounds is None:
        return found
    return replace(found, low=np.clip(found.low, *metric.bounds), high=np.clip(found.high, *metric.bounds))


def _frame(category: str, models: npt.NDArray[np.object_], parts: list[_Part]) -> pd.DataFrame:
    """One frame out of the parts, without models not seen by then."""
    size = len(models)
    columns = {
        "as_of": np.repeat(np.array([part.as_of for part in parts]), size),
        "model_id": np.tile(models, len(parts)),
        "category": np.full(size * len(parts), category, dtype=object),
        "window_name": np.repeat(np.array([part.window_name for part in parts], dtype=object), size),
        "metric": np.repeat(np.array([part.metric for part in parts], dtype=object), size),
        "value": np.concatenate([part.value for part in parts]),
        "n": np.concatenate([part.n for part in parts]).astype(np.int64),
        "n_imputed": np.concatenate([part.n_imputed for part in parts]),
        "n_scored": np.concatenate([part.coverage.n_scored for part in parts]).astype(np.int64),
        "cycles_absent": np.concatenate([part.coverage.cycles_absent for part in parts]),
        "coverage": np.concatenate([part.coverage.in_window for part in parts]),
        "coverage_since_first": np.concatenate([part.coverage.since_first for part in parts]),
        "se": np.concatenate([part.interval.se for part in parts]),
        "ci_low": np.concatenate([part.interval.low for part in parts]),
        "ci_high": np.concatenate([part.interval.high for part in parts]),
        "ci_method": np.concatenate([part.interval.method for part in parts]),
        "reason": reason_texts(np.concatenate([part.reason for part in parts])),
        "is_final": np.concatenate([part.coverage.is_final for part in parts]),
    }
    seen = np.concatenate([part.seen for part in parts])
    return pd.DataFrame({name: values[seen] for name, values in columns.items()})[COLUMNS]
