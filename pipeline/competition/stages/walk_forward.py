"""Who is in an ensemble and with which weight, cycle by cycle, from what was known at each cycle's deadline.

This is the one place where an ensemble looks at outcomes, and a :class:`Record` is all it sees: the history as it was
known at the deadline. Window values are computed by the function that snapshots use.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.categories import OVERALL, By, divided_by
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
from pipeline.competition.metrics import COVERAGE
from pipeline.competition.panel import Axes
from pipeline.competition.stages.cycle_metrics import panel_metrics
from pipeline.competition.stages.history import History, histories
from pipeline.competition.stages.leaderboard import rank_models
from pipeline.competition.stages.windows import Moment
from pipeline.leaderboard import Direction

_SQUARED, _MEAN_SCORE = "squared_error", "score"
"""The scoring rule, and the metric, whose value is a mean squared error already."""


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


@dataclass(frozen=True)
class Choice:
    """Whom a filter chose at a moment, for the cycles until the next choice.

    Parameters
    ----------
    admitted : array of bool, shape (models of the history,)
        Whom the conditions on single models let in.
    position : array, shape (models of the history,)
        Places on the board, infinite for who was not ranked.
    failed : str or None
        Why everybody was let in although a function was to decide.
    """

    admitted: Bools
    position: Floats
    failed: str | None

    @classmethod
    def of(
        cls, history: History, category: str, moment: np.datetime64, ensemble: EnsembleConfig, contract: Contract
    ) -> "Choice":
        """What an ensemble's filter chooses by what was known at a moment; moves the history there."""
        models = pd.Index(history.models)
        record = Record({category: _Known(history, models)}, models, moment, category, contract)
        every = np.arange(len(models))
        admitted = record.admitted(every, ensemble)
        return cls(admitted, record.positions(every), record.failed_filter(ensemble))


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
        metrics = panel_metrics(contract)
        of_subjects = _of_subjects(cycle_metrics["category"])
        by_horizon = cycle_metrics[~of_subjects] if of_subjects.any() else cycle_metrics
        self._histories = histories(by_horizon, metrics, contract.metrics_in)
        self._choices: dict[tuple[str, str, np.datetime64], Choice] = {}

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
        subjects = axes.subjects.to_numpy()
        known = {category: _Known(history, axes.models) for category, history in self._histories.items()}
        record: Record | None = None
        for at in np.lexsort((horizons, cycles, deadlines)):
            key = (deadlines[at], self._category(int(horizons[at])))
            if record is None or record.key != key:
                chosen = self._chosen(*key, ensembles)
                record = Record(known, axes.models, *key, self._contract, chosen)
            submitted = np.flatnonzero(~np.isnan(signals[at]).all(axis=1))
            for ensemble in ensembles:
                candidates, members = record.candidates(submitted, ensemble)
                if members == 0:
                    continue
                strategy = self._strategies[ensemble.name]
                section = Section(cycles[at], int(horizons[at]), subjects, signals[at][candidates])
                track = record.track(candidates, ensemble, strategy, section)
                weighing = weigh(strategy, track, members, ensemble.terms, leave_out=leave_out)
                if (failed := record.failed_filter(ensemble)) is not None:
                    weighing = replace(weighing, fallback=np.full(len(candidates), failed, dtype=object))
                yield WeighedSection(ensemble, int(at), candidates, members, track.n, weighing)

    def _category(self, horizon: int) -> str:
        """Whose record decides at a horizon: its own where the contest divides by it, else the whole contest's."""
        own = By.HORIZON.category(horizon)
        return own if own in self._histories else OVERALL

    def _chosen(
        self, deadline: np.datetime64, category: str, ensembles: Sequence[EnsembleConfig]
    ) -> dict[str, Choice | None]:
        """The last choice of each ensemble that does not choose at every cycle; None before its first one.

        The history moves through the choices that are new in the order of their moments, none after the deadline.
        """
        found: dict[str, Choice | None] = {one.name: None for one in ensembles if one.reselect is not None}
        history = self._histories.get(category)
        due = []
        for ensemble in ensembles:
            if ensemble.reselect is not None and history is not None:
                resolved = int(np.searchsorted(history.resolved_at, deadline, side="right"))
                count = ensemble.reselect.last_choice(resolved)
                due += [] if count is None else [(history.resolved_at[count - 1], ensemble)]
        for moment, ensemble in sorted(due, key=lambda one: one[0]):
            key = (ensemble.name, category, moment)
            if key not in self._choices and history is not None:
                self._choices[key] = Choice.of(history, category, moment, ensemble, self._contract)
            found[ensemble.name] = self._choices[key]
        return found


def _of_subjects(categories: "pd.Series[str]") -> Bools:
    """Which rows are of a subject's category."""
    of_row, names = pd.factorize(categories)
    return np.array([divided_by(name) is By.SUBJECT for name in names], dtype=bool)[of_row]


class _Known:
    """A history, and where it has the models of a block; what it knows of them, NaN for those that it has not."""

    def __init__(self, history: History, models: pd.Index) -> None:
        self.history = history
        # The last place of what has one appended is -1 too.
        self._places = np.asarray(pd.Index(history.models).get_indexer(models), dtype=np.int64)

    def of(self, values: Floats, models: Ints, absent: float = np.nan) -> Floats:
        """Values of shape (..., models of the history) for some models of the block."""
        more = np.full((*values.shape[:-1], 1), absent)
        return np.concatenate([values, more], axis=-1)[..., self._places[models]]


class Record:
    """The records of all models as known at one deadline.

    Parameters
    ----------
    known : mapping of str to _Known
        By category; the histories are moved to the deadline.
    models : Index
        The models of the block; others are named by their places there.
    deadline : datetime64
    category : str
        Whose record decides.
    contract : Contract
    chosen : mapping of str to Choice or None
        By ensemble, for those whose members were chosen earlier; None where nobody was chosen yet.
    """

    def __init__(
        self,
        known: Mapping[str, _Known],
        models: pd.Index,
        deadline: np.datetime64,
        category: str,
        contract: Contract,
        chosen: Mapping[str, Choice | None] = MappingProxyType({}),
    ) -> None:
        self.key = (deadline, category)
        self._names = models.to_numpy()
        self._contract = contract
        self._failed: dict[str, str] = {}
        self._chosen = chosen
        self._category = category
        self._known = known.get(category)
        self._moment = self._at_deadline(self._known)

    def candidates(self, models: Ints, ensemble: EnsembleConfig) -> tuple[Ints, int]:
        """Which of the models are candidates, in order, and how many of these are members."""
        admitted = models[self.admitted(models, ensemble)]
        limit = ensemble.conditions.top_n
        if limit is None:
            return admitted, len(admitted)
        position = self._positions_for(admitted, ensemble)
        best = admitted[np.argsort(position, kind="stable")][: int(np.isfinite(position).sum())]
        return best[: limit + 1], min(limit, len(best))

    def track(self, models: Ints, ensemble: EnsembleConfig, strategy: Strategy, section: Section) -> Track:
        """What is known of some models, as a strategy needs it."""
        primary = self._contract.scoring.primary
        track = Track(
            self._names[models],
            np.empty((0, len(models))),
            self._contract.direction(primary),
            self._contract.scoring.rule == _SQUARED and primary == _MEAN_SCORE,
            metrics=self._over_window(models, ensemble) if "." in ensemble.strategy else {},
            section=section,
        )
        if self._moment is None or self._known is None:
            return track
        cycles = self._cycles(self._moment, ensemble, strategy, len(models))
        history = self._known.history
        return replace(
            track,
            series=self._known.of(history.as_played(self._contract.metric(primary))[cycles], models),
            section=replace(section, cycles=history.cycles[cycles]),
        )

    @staticmethod
    def _cycles(moment: Moment, ensemble: EnsembleConfig, strategy: Strategy, members: int) -> Ints:
        """The resolved cycles that a strategy looks at."""
        whole = len(moment.resolved) - len(moment.resolved) % strategy.refit_every
        return moment.resolved[:whole][-max(ensemble.window, strategy.cycles_needed(members)) :]

    def _over_window(self, models: Ints, ensemble: EnsembleConfig) -> dict[str, Floats]:
        """Every metric of the contest, and coverage, over the ensemble's window."""
        listed = [name for name in self._contract.metrics if self._contract.metric(name).of_members is None]
        return {name: self._metric(name, models, ensemble) for name in (*listed, COVERAGE.name)}

    def _metric(self, name: str, models: Ints, ensemble: EnsembleConfig) -> Floats:
        """A metric over the ensemble's window, NaN where undefined."""
        if self._moment is None or self._known is None:
            return np.full(len(models), np.nan)
        span = self._moment.span(WindowSpec(cycles=ensemble.window))
        is_coverage = name == COVERAGE.name
        over = self._moment.coverage(span).in_window if is_coverage else self._moment.statistic(name, span).value
        return self._known.of(over, models)

    def admitted(self, models: Ints, ensemble: EnsembleConfig) -> Bools:
        """Whom the conditions on single models let in, now or when members were chosen."""
        if ensemble.name not in self._chosen:
            return self._admitted_now(models, ensemble)
        choice = self._chosen[ensemble.name]
        if choice is None or self._known is None:
            return np.zeros(len(models), dtype=bool)
        if choice.failed is not None:
            self._failed[ensemble.name] = choice.failed
            return np.ones(len(models), dtype=bool)
        return self._known.of(choice.admitted.astype(float), models, 0.0) > 0

    def _admitted_now(self, models: Ints, ensemble: EnsembleConfig) -> Bools:
        """Whom the conditions on single models let in by what is known now."""
        if isinstance(ensemble.filter, str):
            let_in, over = filter_of(ensemble.filter), self._over_window(models, ensemble)
            rows = [{name: float(values[at]) for name, values in over.items()} for at in range(len(models))]
            try:
                return np.array(
                    [bool(let_in(self._names[at], row)) for at, row in zip(models, rows, strict=True)], dtype=bool
                )
            except Exception as error:  # an operator's code may raise anything; the board goes on and says so
                self._failed[ensemble.name] = f"error: filter: {type(error).__name__}: {error}"
                return np.ones(len(models), dtype=bool)
        admitted = ~np.isin(self._names[models], ensemble.conditions.exclude)
        for name, threshold in ensemble.conditions.min_metric.items():
            value = self._metric(name, models, ensemble)
            admitted &= value <= threshold if self._contract.direction(name) is Direction.ASC else value >= threshold
        if ensemble.conditions.min_coverage is not None:
            admitted &= self._metric(COVERAGE.name, models, ensemble) >= ensemble.conditions.min_coverage
        return admitted

    def failed_filter(self, ensemble: EnsembleConfig) -> str | None:
        """Why everybody was let in although a function was to decide; None where it did."""
        return self._failed.get(ensemble.name)

    def positions(self, models: Ints) -> Floats:
        """Places of models on the board as known at the deadline, infinite for who is not ranked."""
        if self._board is None or self._known is None:
            return np.full(len(models), np.inf)
        return self._known.of(self._board, models, np.inf)

    def _positions_for(self, models: Ints, ensemble: EnsembleConfig) -> Floats:
        """Places on the board, now or when members were chosen."""
        choice = self._chosen.get(ensemble.name)
        if choice is None or self._known is None:
            return self.positions(models)
        return self._known.of(choice.position, models, np.inf)

    @cached_property
    def _board(self) -> Floats | None:
        """Places on the board of all models of the history."""
        moment = self._moment
        if moment is None or self._known is None:
            return None
        keys = self._contract.board(self._category).keys
        spans = {window: moment.span(spec) for window, spec in self._contract.windows.items()}
        of_key = [(key, *key.split(".", 1)) for key in keys]
        columns = {key: moment.statistic(metric, spans[window]).value for key, window, metric in of_key}
        coverage = moment.coverage(spans[of_key[0][1]])
        columns |= {"coverage": coverage.in_window, "n_scored": coverage.n_scored}
        columns |= {"cycles_absent": coverage.cycles_absent.astype(float)}
        models, seen = self._known.history.models, np.flatnonzero(moment.seen)
        seen_columns = {name: values[seen] for name, values in columns.items()}
        ranking = rank_models(models[seen], seen_columns, self._contract, category=self._category)
        position = np.full(len(models), np.inf)
        position[seen] = np.where(ranking.rank > 0, ranking.position, np.inf)
        return position

    def _at_deadline(self, known: _Known | None) -> Moment | None:
        """What is known of a category at the deadline; None while it has no resolved cycle."""
        if known is None:
            return None
        moment = Moment(known.history, self.key[0], self._contract)
        return moment if moment.resolved.size else None
