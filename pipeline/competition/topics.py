"""A contest as a board of runs, topics and measures, which evaluation tools and ``podium board`` take.

Runs are models. Topics are what the contest's metrics are of: its cycles or, where they have boards of their own, its
horizons or subjects. Every value is the contest's own: a topic's is that of the window that holds just this cycle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.categories import OVERALL, By, divided_by
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import WindowSpec
from pipeline.competition.metrics import Pool
from pipeline.competition.stages import member_metrics
from pipeline.competition.stages.cycle_metrics import panel_metrics
from pipeline.competition.stages.history import History, histories
from pipeline.competition.stages.windows import Moment
from pipeline.leaderboard import Aggregate, Coded, Leaderboard, LeaderboardBuilder, LeaderboardSpec, MeasureSpec

ALL_CYCLES = WindowSpec()


class NoTopicsError(ValueError):
    """A part of a contest that there is nothing of; the message says what there is."""


@dataclass(frozen=True)
class TopicBoard:
    """A contest as a board.

    Parameters
    ----------
    board : Leaderboard
        Runs are models, measures the contest's metrics in their order, the one ranked by first. Aggregates are the
        contest's own values; those that are no mean of topics say so by their measure's aggregate, ``none``.
    n_scored : mapping of str to int
        Scored predictions of each run, in all topics together.
    n_imputed : int
        Values that stand in for cycles that models left out, by the contest's rule.
    """

    board: Leaderboard
    n_scored: Mapping[str, int]
    n_imputed: int


def topic_board(
    cycle_metrics: pd.DataFrame,
    as_of: datetime,
    contract: Contract,
    *,
    category: str = OVERALL,
    topics: By | None = None,
    window: WindowSpec = ALL_CYCLES,
    include_ensembles: bool = False,
) -> TopicBoard:
    """Make a board of a contest.

    Parameters
    ----------
    cycle_metrics : DataFrame
        Rows of ``cycle_metrics``, of ensembles and of members beside them too, as windows are computed of.
    as_of : datetime
        Only what was known by then, UTC.
    contract : Contract
    category : str
        The part of the contest that is exported.
    topics : By or None
        What topics are: cycles (None), or the parts that have boards of their own.
    window : WindowSpec
        Which cycles; all by default.
    include_ensembles : bool
        Whether virtual models are runs too.

    Raises
    ------
    NoTopicsError
        If there is no such part, or nothing was known by then.
    ValueError
        If a part is asked for and its parts are to be the topics.
    """
    if topics is not None and category != OVERALL:
        raise ValueError(f"topics are {topics}s of the whole contest, not of {category}; name one of both")
    of_category = _Parts(cycle_metrics, as_of, contract).windows(category, topics)
    whole = _Window(*of_category.pop(category), window, contract)
    if topics is None:
        parts = whole.cycles()
    else:
        parts = {name.partition("=")[2]: _Window(*part, window, contract) for name, part in of_category.items()}
    is_run = whole.moment.seen & (include_ensembles | ~whole.history.is_virtual)
    return _built(whole, parts, _measures(contract, category, topics), is_run)


def topic_of(cycle: np.datetime64) -> str:
    """What a cycle is called as a topic: its date, with the time (UTC) where that is not midnight.

    Examples
    --------
    >>> topic_of(np.datetime64("2008-10-15T00:00")), topic_of(np.datetime64("2008-10-15T18:30:00"))
    ('2008-10-15', '2008-10-15T18:30')
    """
    time = pd.Timestamp(cycle)
    if time == time.normalize():
        return time.date().isoformat()
    return time.isoformat(timespec="auto" if time.second or time.microsecond else "minutes")


class _Parts:
    """What is known of each category of a contest at a moment."""

    def __init__(self, cycle_metrics: pd.DataFrame, as_of: datetime, contract: Contract) -> None:
        self._contract = contract
        self._as_of = np.datetime64(as_of, "us")
        metrics = [*panel_metrics(contract), *member_metrics(contract)]
        self._histories = histories(cycle_metrics, metrics, contract.metrics_in)

    def windows(self, category: str, topics: By | None) -> dict[str, tuple[History, Moment]]:
        """The category, and those that are its topics, in their order.

        Raises
        ------
        NoTopicsError
            If there is none, or nothing of them is known.
        """
        names = [category, *self._divided(topics)]
        if topics is not None and len(names) == 1:
            raise NoTopicsError(
                f"{self._contract.name!r} has no boards of each {topics}; declare `categories: [{topics}]`, then run it"
            )
        if category not in self._histories:
            known = ", ".join(self._histories) or "none"
            raise NoTopicsError(f"{self._contract.name!r} has no category {category!r}; known: {known}")
        found = {}
        for name in names:
            history = self._histories[name]
            moment = Moment(history, self._as_of, self._contract)
            if moment.resolved.size:
                found[name] = (history, moment)
        if category not in found:
            raise NoTopicsError(f"of {self._contract.name!r}, {category}, nothing was known by {self._as_of} (UTC)")
        return found

    def _divided(self, topics: By | None) -> list[str]:
        """The categories that are parts of the contest, horizons in the order of their numbers."""
        names = [] if topics is None else [name for name in self._histories if divided_by(name) is topics]
        return sorted(names, key=lambda name: int(name.partition("=")[2])) if topics is By.HORIZON else names


@dataclass(frozen=True)
class _Window:
    """Every metric over some cycles of a category, as the contest computes it."""

    history: History
    moment: Moment
    window: WindowSpec
    contract: Contract
    cycle: int | None = None
    """The only one that it holds, by its place; None for all that the window has."""

    @property
    def span(self) -> slice:
        """The places of its cycles."""
        if self.cycle is not None:
            return slice(self.cycle, self.cycle + 1)
        return self.moment.span(self.window)

    def cycles(self) -> dict[str, "_Window"]:
        """A window of each resolved cycle alone, by what it is called as a topic."""
        places = [place for place in self.moment.resolved.tolist() if self.span.start <= place < self.span.stop]
        return {
            topic_of(self.history.cycles[place]): _Window(
                self.history, self.moment, self.window, self.contract, cycle=place
            )
            for place in places
        }

    def values(self, metric: str) -> tuple[Floats, int]:
        """A metric of every model, and how many cycles of all of them are filled in."""
        found = self.moment.statistic(metric, self.span)
        return found.value, int(found.n_imputed.sum())


def _measures(contract: Contract, category: str, topics: By | None) -> tuple[MeasureSpec, ...]:
    """The metrics of a category as measures, the first that it is ranked by in front.

    None has a value for a topic that a run lacks: 0 is the worst of none of them by rule. Only means of cycles are
    means of topics; of the others the contest's own value stands in the ``all`` rows.
    """
    names = contract.metrics_in(category)
    topic_names = contract.metrics_by(topics if topics is not None else divided_by(category))
    ranked_by = next(iter(contract.board(category).keys)).partition(".")[2]
    measures = []
    for name in sorted(names, key=lambda name: name != ranked_by):
        metric = contract.metric(name)
        is_mean = topics is None and metric.pool is Pool.CYCLES
        measures.append(
            MeasureSpec(
                name,
                direction=contract.direction(name),
                aggregate=Aggregate.MEAN if is_mean else Aggregate.NONE,
                default=None,
                only_in_all=name not in topic_names or (topics is None and metric.pool is Pool.SERIES),
            )
        )
    return tuple(measures)


def _built(whole: _Window, parts: Mapping[str, _Window], measures: Sequence[MeasureSpec], is_run: Bools) -> TopicBoard:
    """The board of the runs among the models of the whole contest."""
    runs = whole.history.models[is_run]
    spec = LeaderboardSpec(tuple(measures))
    cells = {one.name: np.full((len(runs), len(parts) + 1), np.nan) for one in measures}
    n_imputed = 0
    for place, part in enumerate((*parts.values(), whole)):
        is_aggregate = part is whole
        of_run = _places(part.history.models, runs)
        for one in measures:
            if is_aggregate or not one.only_in_all:
                found, n_filled = part.values(one.name)
                cells[one.name][:, place] = np.append(found, np.nan)[of_run]
                n_imputed += 0 if is_aggregate else n_filled
    builder = LeaderboardBuilder.for_spec(spec, drop_aggregate=False)
    builder.expect_runs(runs.tolist())
    has_value = np.any([~np.isnan(values) for values in cells.values()], axis=0)
    run, topic = (places.astype(np.int32) for places in np.nonzero(has_value))
    builder.add_columns(
        run_ids=Coded(run, runs),
        topic_ids=Coded(topic, np.array([*parts, spec.all_topic_id], dtype=object)),
        values={name: values[run, topic] for name, values in cells.items()},
    )
    scored = whole.moment.coverage(whole.span).n_scored[is_run]
    n_scored = dict(zip(runs.tolist(), scored.astype(int).tolist(), strict=True))
    return TopicBoard(builder.build(on_missing="fix_aggregate", drop_aggregate=False), n_scored, n_imputed)


def _places(models: npt.NDArray[np.object_], runs: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """The place of each run among the models of a part; one past the last where it is none of them."""
    place = {model: at for at, model in enumerate(models.tolist())}
    return np.array([place.get(run, len(models)) for run in runs.tolist()], dtype=np.int64)
