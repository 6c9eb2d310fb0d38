"""What two boards say of the same runs and topics, as arrays, and what only one of them says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.leaderboard.arrays import FloatArray
from pipeline.leaderboard.board import Aggregate, Leaderboard, MeasureSpec, MissingTopicsError, OnMissing
from pipeline.leaderboard.board.aggregation import LEAST_OF_A_PRODUCT
from pipeline.leaderboard.keys import Direction

TEXT = "text"
NO_DIRECTION = "no_direction"
NO_AGGREGATE = "no_aggregate"

_SHOWN = 5


@dataclass(frozen=True)
class LeftOutMeasure:
    """A measure that takes no part: of which board (``truth`` or ``judge``), and why.

    The reason is ``text``, ``no_direction`` (neither end is better) or ``no_aggregate`` (topics do not sum up to one
    value).
    """

    board: str
    measure: str
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """What of two boards takes no part in comparing them.

    Parameters
    ----------
    truth_runs, judge_runs : tuple of str
        Runs that only this board has.
    truth_topics, judge_topics : tuple of str
        Topics that only this board has.
    measures : tuple of LeftOutMeasure
        Measures that cannot be ranked by.
    truth_missing, judge_missing : int
        Of the common runs and topics, how many pairs this board lacks.
    """

    truth_runs: tuple[str, ...]
    judge_runs: tuple[str, ...]
    truth_topics: tuple[str, ...]
    judge_topics: tuple[str, ...]
    measures: tuple[LeftOutMeasure, ...]
    truth_missing: int
    judge_missing: int


@dataclass(frozen=True, eq=False)
class TopicScores:
    """What one board says of some runs and topics.

    Parameters
    ----------
    measures : tuple of MeasureSpec
        The measures.
    topics : float array
        Their values by topic, shape (measures, topics, runs), NaN where absent; higher is better, so that values of a
        measure where lower is better are negated. A measure of ``all`` rows only has none.
    summed_up : float array
        What is summed up, not negated: the values of a measure's source, perhaps with defaults for what is missing.
    whole : float array or None
        The values of the ``all`` rows, shape (measures, runs), where there are no topics.
    """

    measures: tuple[MeasureSpec, ...]
    topics: FloatArray
    summed_up: FloatArray
    whole: FloatArray | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measures."""
        return tuple(measure.name for measure in self.measures)

    @property
    def cells(self) -> int:
        """How many measures of runs there are."""
        measures, _, runs = self.summed_up.shape
        return int(measures * runs)

    def aggregates(self, weights: FloatArray) -> FloatArray:
        """Every run's value over topics that count as often as weights say.

        Parameters
        ----------
        weights : float array
            How often each topic counts, shape (resamples, topics).

        Returns
        -------
        float array
            Shape (resamples, measures, runs); NaN where a run has none of the topics, or no value at all.
        """
        found = np.empty((len(weights), *self.summed_up.shape[::2]))
        for place, measure in enumerate(self.measures):
            found[:, place] = _aggregates(measure, self.summed_up[place], weights)
        return found


def usable_measures(
    board: Leaderboard, wanted: Collection[str] | None, which: str, by_topic: bool
) -> tuple[tuple[MeasureSpec, ...], tuple[LeftOutMeasure, ...]]:
    """The measures of a board that runs can be ranked by, and those that they cannot.

    Parameters
    ----------
    board : Leaderboard
    wanted : collection of str or None
        Those asked for; None for all.
    which : str
        ``truth`` or ``judge``, for messages.
    by_topic : bool
        Whether topics are to be summed up, so that the measure needs an aggregate.

    Raises
    ------
    KeyError
        If the board has no such measure.
    ValueError
        If one that was asked for cannot be used, or none can.
    """
    asked = board.spec.measures if wanted is None else tuple(board.spec[name] for name in dict.fromkeys(wanted))
    reasons = [_unusable(measure, board, by_topic) for measure in asked]
    left_out = tuple(
        LeftOutMeasure(which, measure.name, reason)
        for measure, reason in zip(asked, reasons, strict=True)
        if reason is not None
    )
    if left_out and wanted is not None:
        listed = ", ".join(f"{one.measure} ({one.reason})" for one in left_out)
        raise ValueError(f"runs of the {which} cannot be ranked by {listed}; name other measures")
    usable = tuple(measure for measure, reason in zip(asked, reasons, strict=True) if reason is None)
    if not usable:
        listed = ", ".join(f"{one.measure} ({one.reason})" for one in left_out) or "none"
        raise ValueError(f"the {which} has no measure that runs can be ranked by; it has: {listed}")
    return usable, left_out


def common(truth: Sequence[str], judge: Sequence[str], what: str) -> tuple[str, ...]:
    """What both boards have, in the order of the truth.

    Raises
    ------
    ValueError
        If there is nothing.
    """
    found = tuple(one for one in truth if one in set(judge))
    if not found:
        raise ValueError(
            f"no {what} is on both boards: the truth has {_some(truth)}, the judge {_some(judge)}; "
            f"both must call the same {what} by the same name"
        )
    return found


def topic_scores(
    board: Leaderboard,
    measures: tuple[MeasureSpec, ...],
    run_ids: Sequence[str],
    topic_ids: Sequence[str],
    on_missing: OnMissing,
) -> TopicScores:
    """The values of some runs and topics.

    Raises
    ------
    MissingTopicsError
        If values are missing and ``on_missing`` is ``error``.
    """
    runs, topics = _places(run_ids, board.run_ids), _places(topic_ids, board.topic_ids)
    shown = np.full((len(measures), len(topics), len(runs)), np.nan)
    summed_up = np.full(shown.shape, np.nan)
    for place, measure in enumerate(measures):
        values = board.matrix(measure.source).T[np.ix_(topics, runs)]
        if on_missing is OnMissing.ERROR and np.isnan(values).any():
            raise MissingTopicsError(_lacking(measure, values, run_ids, topic_ids))
        filled = _filled(values, board.spec[measure.source].default)
        summed_up[place] = filled if on_missing in (OnMissing.FIX_AGGREGATE, OnMissing.DEFAULT) else values
        if not measure.only_in_all:
            shown[place] = _sign(measure) * (filled if on_missing is OnMissing.DEFAULT else values)
    return TopicScores(measures, shown, summed_up)


def whole_scores(board: Leaderboard, measures: tuple[MeasureSpec, ...], run_ids: Sequence[str]) -> TopicScores:
    """The values of the ``all`` rows of some runs, without topics."""
    runs = _places(run_ids, board.run_ids)
    whole = np.stack([_sign(measure) * board.aggregates(measure.name)[runs] for measure in measures])
    nothing = np.empty((len(measures), 0, len(runs)))
    return TopicScores(measures, nothing, nothing, whole)


def n_missing(board: Leaderboard, run_ids: Sequence[str], topic_ids: Sequence[str]) -> int:
    """Pairs of these runs and topics that a board has no row for."""
    has = np.zeros((len(board.run_ids), len(board.topic_ids)), dtype=bool)
    of_topic = ~board.rows.is_aggregate
    has[board.rows.run[of_topic], board.rows.topic[of_topic]] = True
    return int((~has[np.ix_(_places(run_ids, board.run_ids), _places(topic_ids, board.topic_ids))]).sum())


def _unusable(measure: MeasureSpec, board: Leaderboard, by_topic: bool) -> str | None:
    if measure.dtype is str:
        return TEXT
    if measure.direction is Direction.NONE:
        return NO_DIRECTION
    can_be_summed_up = measure.aggregate in (Aggregate.MEAN, Aggregate.SUM, Aggregate.GMEAN)
    if by_topic and not (can_be_summed_up and measure.source in board.spec.topic_names):
        return NO_AGGREGATE
    return None


def _aggregates(measure: MeasureSpec, values: FloatArray, weights: FloatArray) -> FloatArray:
    """One measure's, shape (resamples, runs), of values of shape (topics, runs)."""
    present = np.isfinite(values)
    numbers = np.where(present, values, 0.0)
    if measure.aggregate is Aggregate.GMEAN:
        numbers = np.where(present, np.log(np.maximum(values, LEAST_OF_A_PRODUCT)), 0.0)
    total, count = weights @ numbers, weights @ present.astype(np.float64)
    if measure.aggregate is not Aggregate.SUM:
        total = total / np.where(count > 0, count, 1.0)
    if measure.aggregate is Aggregate.GMEAN:
        total = np.exp(total)
    return np.where(count > 0, _sign(measure) * total, np.nan)


def _filled(values: FloatArray, default: object) -> FloatArray:
    """Values with the default where one is missing; a run stays undefined with none at all, or without a default."""
    missing = np.isnan(values)
    if not isinstance(default, float):
        return np.where(missing.any(axis=0), np.nan, values)
    return np.where(missing & ~missing.all(axis=0), default, values)


def _sign(measure: MeasureSpec) -> float:
    return -1.0 if measure.direction is Direction.ASC else 1.0


def _places(ids: Sequence[str], among: Sequence[str]) -> list[int]:
    place = {one: at for at, one in enumerate(among)}
    return [place[one] for one in ids]


def _lacking(measure: MeasureSpec, values: FloatArray, run_ids: Sequence[str], topic_ids: Sequence[str]) -> str:
    lacking = "; ".join(
        f"{run} lacks {_some([topic for topic, is_nan in zip(topic_ids, column, strict=True) if is_nan])}"
        for run, column in zip(run_ids, np.isnan(values).T.tolist(), strict=True)
        if any(column)
    )
    return f"of {len(topic_ids)} common topics, {lacking} of measure {measure.name!r}; evaluate with another on_missing"


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(repr(one) for one in ids[:_SHOWN])
    return f"{shown} and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else shown or "none"
