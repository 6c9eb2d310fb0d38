"""Who is in an ensemble and with which weight, cycle by cycle, from what was known at each cycle's deadline.

This is the one place where an ensemble looks at outcomes, and a :class:`Record` is all it sees: the history as it was
known at the deadline. Window values are computed by the function that snapshots use.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.ensembles import (
    EnsembleConfig,
    Section,
    Strategy,
    Track,
    Weighing,
    filter_of,
    strategy_of,
    weigh,
)
from pipeline.competition.panel import Axes
from pipeline.competition.stages.cycle_metrics import OVERALL, panel_metrics
from pipeline.competition.stages.history import History
from pipeline.competition.stages.leaderboard import rank_models, ranking_keys
from pipeline.competition.stages.windows import Moment
from pipeline.leaderboard import Direction

_SQUARED = "squared_error"
"""The scoring rule whose mean is a mean squared error already."""


@dataclass(frozen=True)
class WeighedSection:
    """An ensemble in one cross-section.

    Parameters
    ----------
    ensemble : EnsembleConfig
    section : int
        Its place on the axes.
    candidates : array of int
        Places of models on the axes: the members, then at most one that would enter in the place of a member.
    members : int
        How many of them are members.
    n_history : array of int
        Cycles that each candidate's weight rests on.
    weighing : Weighing
    """

    ensemble: EnsembleConfig
    section: int
    candidates: Ints
    members: int
    n_history: Ints
    weighing: Weighing


class WalkForward:
    """The ensembles of a contest, walked forward in time, out of one reading of the cycles' metrics.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics`` with every version; text may be categorical.
    contract : Contract
    """

    def __init__(self, cycle_metrics: pd.DataFrame, contract: Contract) -> None:
        self._contract = contract
        self._strategies = {one.name: strategy_of(one.strategy) for one in contract.active_ensembles}
        self._histories = {
            category: History(cycle_metrics, category, panel_metrics(contract))
            for category in sorted(cycle_metrics["category"].unique())
        }

    def weigh(
        self,
        axes: Axes,
        signals: Floats,
        deadlines: npt.NDArray[np.datetime64],
        ensembles: Sequence[EnsembleConfig],
        *,
        leave_out: bool,
    ) -> Iterator[WeighedSection]:
        """Weigh the members of every cross-section, those due first, first.

        Parameters
        ----------
        axes : Axes
        signals : array, shape (sections, models, subjects)
            What counts of what real models submitted.
        deadlines : array of datetime64, shape (sections,)
            None may be before one that was asked for earlier.
        ensembles : sequence of EnsembleConfig
        leave_out : bool
            Whether weights without each member are wanted.

        Yields
        ------
        WeighedSection
            For sections where the ensemble has a member.
        """
        cycles = axes.sections.get_level_values("cycle").to_numpy()
        horizons = axes.sections.get_level_values("horizon").to_numpy()
        names, subjects = axes.models.to_numpy(), axes.subjects.to_numpy()
        record: Record | None = None
        for at in np.lexsort((horizons, cycles, deadlines)):
            if record is None or record.key != (deadlines[at], horizons[at]):
                record = Record(self._histories, deadlines[at], int(horizons[at]), self._contract)
            submitted = np.flatnonzero(~np.isnan(signals[at]).all(axis=1))
            if submitted.size == 0:
                continue
            given = Section(cycles[at], int(horizons[at]), subjects, signals[at][submitted], np.array([], "M8[us]"))
            for ensemble in ensembles:
                order, members = record.candidates(names[submitted], ensemble)
                if members == 0:
                    continue
                strategy = self._strategies[ensemble.name]
                track = record.track(names[submitted][order], ensemble, strategy, given.of(order))
                weighing = weigh(strategy, track, members, ensemble.terms, leave_out=leave_out)
                yield WeighedSection(ensemble, int(at), submitted[order], members, track.n, weighing)


class Record:
    """The records of all models as known at one deadline.

    Parameters
    ----------
    histories : mapping of str to History
        By category; they are moved to the deadline.
    deadline : datetime64
    horizon : int
        Of the cross-section; its own category is used where the contest has one.
    contract : Contract
    """

    def __init__(
        self, histories: dict[str, History], deadline: np.datetime64, horizon: int, contract: Contract
    ) -> None:
        self.key = (deadline, horizon)
        self._contract = contract
        category = f"horizon={horizon}"
        of_horizon = histories.get(category, histories.get(OVERALL))
        self._history, self._moment = of_horizon, _moment(of_horizon, deadline, contract)
        self._board = _Standing(histories.get(OVERALL), deadline, contract)

    def candidates(self, models: npt.NDArray[np.object_], ensemble: EnsembleConfig) -> tuple[Ints, int]:
        """Which of the models are candidates, in order, and how many of these are members."""
        admitted = np.flatnonzero(self._admitted(models, ensemble))
        limit = ensemble.conditions.top_n
        if limit is None:
            return admitted, len(admitted)
        position = self._board.positions(models[admitted])
        best = admitted[np.argsort(position, kind="stable")][: int(np.isfinite(position).sum())]
        return best[: limit + 1], min(limit, len(best))

    def track(
        self, models: npt.NDArray[np.object_], ensemble: EnsembleConfig, strategy: Strategy, section: Section
    ) -> Track:
        """What is known of some models, as a strategy needs it."""
        primary = self._contract.scoring.primary
        direction = self._contract.direction(primary)
        is_squared = direction is Direction.ASC and self._contract.scoring.rule == _SQUARED
        if self._moment is None or self._history is None:
            return Track(models, np.empty((0, len(models))), direction, is_squared, section=section)
        cycles = self._cycles(ensemble, strategy, len(models))
        values = self._history.of(self._contract.metric(primary), "value")[cycles]
        places = _places(self._history, models)
        metrics = {name: np.append(over, np.nan)[places] for name, over in self._over_window(ensemble).items()}
        series = np.column_stack([values, np.full(len(values), np.nan)])[:, places]
        section = Section(
            section.cycle, section.horizon, section.subjects, section.signals, self._history.cycles[cycles]
        )
        return Track(models, series, direction, is_squared, metrics, section)

    def _cycles(self, ensemble: EnsembleConfig, strategy: Strategy, members: int) -> Ints:
        """The resolved cycles that a strategy looks at."""
        resolved = self._moment.resolved if self._moment is not None else np.array([], dtype=int)
        whole = len(resolved) - len(resolved) % strategy.refit_every
        return resolved[:whole][-max(ensemble.window, strategy.cycles_needed(members)) :]

    def _over_window(self, ensemble: EnsembleConfig) -> dict[str, Floats]:
        """Metrics over the ensemble's window that its filter or strategy may ask for; of all models."""
        asked = dict.fromkeys(ensemble.conditions.min_metric)
        if isinstance(ensemble.filter, str) or "." in ensemble.strategy:
            asked = dict.fromkeys(
                name for name in self._contract.metrics if self._contract.metric(name).of_members is None
            )
        if self._moment is None:
            return {}
        span = self._moment.span(WindowSpec(cycles=ensemble.window))
        found = {name: self._moment.statistic(name, span).value for name in asked}
        if "." in ensemble.strategy or ensemble.filter is not None:
            found["coverage"] = self._moment.coverage(span).in_window
        return found

    def _admitted(self, models: npt.NDArray[np.object_], ensemble: EnsembleConfig) -> Bools:
        """Whom the conditions on single models let in."""
        if ensemble.filter is None:
            return np.ones(len(models), dtype=bool)
        places = None if self._history is None else _places(self._history, models)
        over = {
            name: np.append(values, np.nan)[places] if places is not None else np.full(len(models), np.nan)
            for name, values in self._over_window(ensemble).items()
        }
        if isinstance(ensemble.filter, str):
            let_in = filter_of(ensemble.filter)
            rows = [{name: float(values[at]) for name, values in over.items()} for at in range(len(models))]
            return np.array([bool(let_in(model, row)) for model, row in zip(models, rows, strict=True)], dtype=bool)
        admitted = np.ones(len(models), dtype=bool)
        absent = np.full(len(models), np.nan)
        for name, threshold in ensemble.filter.min_metric.items():
            value = over.get(name, absent)
            is_loss = self._contract.direction(name) is Direction.ASC
            admitted &= (value <= threshold) if is_loss else (value >= threshold)
        if ensemble.filter.min_coverage is not None:
            admitted &= over.get("coverage", absent) >= ensemble.filter.min_coverage
        return admitted


class _Standing:
    """The board as known at a deadline, made when it is asked for."""

    def __init__(self, history: History | None, deadline: np.datetime64, contract: Contract) -> None:
        self._history, self._contract = history, contract
        self._deadline = deadline

    @cached_property
    def _position(self) -> Floats | None:
        moment = _moment(self._history, self._deadline, self._contract)
        return None if moment is None or self._history is None else self._rank(moment, self._history.models)

    def positions(self, models: npt.NDArray[np.object_]) -> Floats:
        """Places of models on the board, infinite for who is not ranked."""
        if self._position is None or self._history is None:
            return np.full(len(models), np.inf)
        return np.append(self._position, np.inf)[_places(self._history, models)]

    def _rank(self, moment: Moment, models: npt.NDArray[np.object_]) -> Floats:
        keys = ranking_keys(self._contract)
        columns = {}
        for key in keys:
            window, _, metric = key.partition(".")
            columns[key] = moment.statistic(metric, moment.span(self._contract.windows[window])).value
        coverage = moment.coverage(moment.span(self._contract.windows[keys[0].partition(".")[0]]))
        columns["coverage"] = coverage.in_window
        columns["n_scored"] = coverage.n_scored
        columns["cycles_absent"] = coverage.cycles_absent.astype(float)
        seen = np.flatnonzero(moment.seen)
        ranking = rank_models(models[seen], {name: values[seen] for name, values in columns.items()}, self._contract)
        position = np.full(len(models), np.inf)
        position[seen] = np.where(ranking.rank > 0, ranking.position, np.inf)
        return position


def _moment(history: History | None, deadline: np.datetime64, contract: Contract) -> Moment | None:
    """The contest at a deadline; None while it has no resolved cycle."""
    if history is None:
        return None
    moment = Moment(history, deadline, contract)
    return moment if moment.resolved.size else None


def _places(history: History, models: npt.NDArray[np.object_]) -> Ints:
    """The places of models in a history; -1, the last of what has one appended, for who is not in it."""
    return np.asarray(pd.Index(history.models).get_indexer(pd.Index(models)), dtype=np.int64)
