"""What a board knows of its ranks: the influence of what it is ranked by, for the kernel to compare models with.

It needs the cycles' metrics, since snapshots keep no series.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.metrics import COVERAGE, Metric
from pipeline.competition.stages.history import History
from pipeline.competition.stages.windows import Moment
from pipeline.leaderboard import Influence, RankIntervals, rank_intervals

Models = npt.NDArray[np.object_]

_NOWHERE = -1


def key_metrics(contract: Contract) -> list[Metric]:
    """The metrics of cycles that rank intervals rest on: those that the ranking key is computed from, and coverage."""
    of_key = [contract.metric(key.partition(".")[2]) for key in contract.leaderboard.weights]
    bases = [metric if metric.series_of is None else contract.metric(metric.series_of) for metric in of_key]
    return list(dict.fromkeys([*bases, COVERAGE]))


class RankEvidence:
    """Rank intervals at moments that move forward in time, out of one reading of the cycles' metrics.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` with every version, of :func:`key_metrics` at least; text may be categorical.
    contract : Contract
    """

    def __init__(self, cycle_metrics: pd.DataFrame, contract: Contract) -> None:
        self._contract = contract
        self._primary = contract.rank_by().primary
        keys = [key.partition(".") for key in contract.leaderboard.weights]
        self._windows = [contract.windows[window] for window, _, _ in keys]
        self._metrics = [metric for _, _, metric in keys]
        metrics = key_metrics(contract)
        self._histories = {
            category: History(cycle_metrics, category, metrics) for category in cycle_metrics["category"].unique()
        }
        self._places = {
            category: {model: place for place, model in enumerate(history.models)}
            for category, history in self._histories.items()
        }

    def intervals(
        self, as_of: np.datetime64, category: str, models: Models, key: Floats, ranked: Bools
    ) -> RankIntervals:
        """Between which ranks each model could be, as known at a moment.

        Parameters
        ----------
        as_of : datetime64
            Not before any that was asked about of this category.
        category : str
        models : array of str, shape (models,)
            Those on the board; one without any cycle is compared with nobody.
        key : array, shape (models,)
            What they are ranked by.
        ranked : array of bool, shape (models,)
            Who takes part.
        """
        statistics, windows = self._statistics(as_of, category, models)
        return rank_intervals(
            key,
            [statistics[metric] for metric in self._metrics],
            self._primary.direction,
            weights=list(self._contract.leaderboard.weights.values()),
            windows=windows,
            ranked=ranked,
        )

    def _statistics(
        self, as_of: np.datetime64, category: str, models: Models
    ) -> tuple[dict[str, Influence], list[int]]:
        """The key's metrics over its longest window, and how many of the last cycles each part is over."""
        history = self._histories.get(category)
        moment = None if history is None else Moment(history, as_of, self._contract)
        if history is None or moment is None or moment.resolved.size == 0:
            return dict.fromkeys(self._metrics, _of_nobody(len(models))), [1] * len(self._metrics)
        spans = [moment.span(window) for window in self._windows]
        longest = min(spans, key=lambda span: span.start)
        # Only resolved cycles: later ones and those without an outcome yet must leave no trace, not even in rounding.
        cycles = moment.resolved[moment.resolved >= longest.start]
        places = self._places[category]
        place = np.array([places.get(model, _NOWHERE) for model in models], dtype=np.intp)
        statistics = {
            metric: _part(moment.statistic(metric, longest).influence, cycles - longest.start, place)
            for metric in set(self._metrics)
        }
        return statistics, [int(np.count_nonzero(moment.resolved >= span.start)) for span in spans]


def _part(influence: Influence, cycles: Ints, place: npt.NDArray[np.intp]) -> Influence:
    """Some cycles and models only, these in their order; a model that is nowhere has no cycles."""
    cells = np.ix_(cycles, place)
    is_there = place != _NOWHERE
    present = influence.present[cells] & is_there
    return Influence(influence.value[place], influence.psi[cells], present, influence.is_smooth)


def _of_nobody(models: int) -> Influence:
    """A statistic over a window in which nobody has a cycle."""
    return Influence(np.full(models, np.nan), np.zeros((1, models)), np.zeros((1, models), dtype=bool))
