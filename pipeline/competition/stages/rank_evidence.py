"""What a board knows of its ranks: the influence of what it is ranked by, for the kernel to compare models with.

It needs the cycles' metrics, since snapshots keep no series.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.metrics import COVERAGE, Metric
from pipeline.competition.stages.history import histories
from pipeline.competition.stages.windows import Moment
from pipeline.leaderboard import Influence, RankIntervals, rank_intervals, significantly_better

Models = npt.NDArray[np.object_]

_NOWHERE = -1


def key_metrics(contract: Contract) -> list[Metric]:
    """The metrics of cycles that rank intervals rest on: those that ranking keys are computed from, and coverage."""
    keys = [key for board in contract.boards for key in board.weights]
    return list(dict.fromkeys([*(contract.base(key.partition(".")[2]) for key in keys), COVERAGE]))


class RankEvidence:
    """Rank intervals at moments that move forward in time, out of one reading of the cycles' metrics.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` with every version, of ``metrics`` at least; text may be categorical.
    contract : Contract
    metrics : sequence of Metric, optional
        Those that are asked about, and coverage; by default :func:`key_metrics`.
    """

    def __init__(
        self, cycle_metrics: pd.DataFrame, contract: Contract, metrics: Sequence[Metric] | None = None
    ) -> None:
        self._contract = contract
        kept = key_metrics(contract) if metrics is None else metrics
        self._histories = histories(cycle_metrics, kept, contract.metrics_in)
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
        weights = self._contract.board(category).weights
        statistics, windows = self._statistics(as_of, category, models, [key.partition(".") for key in weights])
        return rank_intervals(
            key,
            statistics,
            self._contract.rank_by(category).primary.direction,
            weights=list(weights.values()),
            windows=windows,
            ranked=ranked,
        )

    def better(self, as_of: np.datetime64, category: str, models: Models, key: str) -> Bools | None:
        """Which models are significantly better than which by one ``window.metric``, compared with each other only.

        Parameters
        ----------
        as_of, category, models
            As for :meth:`intervals`.
        key : str
            Of a metric of which one end is better.

        Returns
        -------
        array of bool, shape (models, models)
            Where the model of the row is better than that of the column; None where single cycles have no influence
            on the metric, so that nothing separates models by it.
        """
        parts = key.partition(".")
        (statistic,), windows = self._statistics(as_of, category, models, [parts])
        if not statistic.is_smooth:
            return None
        direction = self._contract.direction(parts[2])
        return significantly_better(statistic.value, [statistic], direction, windows=windows)

    def _statistics(
        self, as_of: np.datetime64, category: str, models: Models, keys: Sequence[tuple[str, str, str]]
    ) -> tuple[list[Influence], list[int]]:
        """Each key's metric over the longest of the windows, and how many of the last cycles each key is over."""
        history = self._histories.get(category)
        moment = None if history is None else Moment(history, as_of, self._contract)
        if history is None or moment is None or moment.resolved.size == 0:
            return [_of_nobody(len(models))] * len(keys), [1] * len(keys)
        spans = [moment.span(self._contract.windows[window]) for window, _, _ in keys]
        longest = min(spans, key=lambda span: span.start)
        # Only resolved cycles: later ones and those without an outcome yet must leave no trace, not even in rounding.
        cycles = moment.resolved[moment.resolved >= longest.start]
        places = self._places[category]
        place = np.array([places.get(model, _NOWHERE) for model in models], dtype=np.intp)
        metrics = [metric for _, _, metric in keys]
        of_metric = {
            metric: _part(moment.statistic(metric, longest).influence, cycles - longest.start, place)
            for metric in set(metrics)
        }
        n_cycles = [int(np.count_nonzero(moment.resolved >= span.start)) for span in spans]
        return [of_metric[metric] for metric in metrics], n_cycles


def _part(influence: Influence, cycles: Ints, place: npt.NDArray[np.intp]) -> Influence:
    """Some cycles and models only, these in their order; a model that is nowhere has no cycles."""
    cells = np.ix_(cycles, place)
    is_there = place != _NOWHERE
    present = influence.present[cells] & is_there
    return Influence(influence.value[place], influence.psi[cells], present, influence.is_smooth)


def _of_nobody(models: int) -> Influence:
    """A statistic over a window in which nobody has a cycle."""
    return Influence(np.full(models, np.nan), np.zeros((1, models)), np.zeros((1, models), dtype=bool))
