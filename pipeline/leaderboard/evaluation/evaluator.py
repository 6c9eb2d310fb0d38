"""How well judges' boards predict a board that counts as the truth."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.leaderboard.arrays import FloatArray
from pipeline.leaderboard.board import Leaderboard, OnMissing
from pipeline.leaderboard.correlation import CorrelationMethod, Correlations, correlate
from pipeline.leaderboard.evaluation.bootstrap import (
    CorrelationIntervals,
    bootstrap_intervals,
    no_intervals,
)
from pipeline.leaderboard.evaluation.scores import (
    LeftOut,
    LeftOutMeasure,
    TopicScores,
    common,
    n_missing,
    topic_scores,
    usable_measures,
    whole_scores,
)

DEFAULT_METHODS = ("kendall", "spearman", "pearson", "tau_ap_b", "tau_gap", "rbo")
ONLY_IN_ALL = "only_in_all"
NOT_ASKED = "not_asked"
ONE_TOPIC = "one_topic"


@dataclass(frozen=True)
class CorrelationRow:
    """One correlation, as tables hold it: None where undefined, with the reason.

    Parameters
    ----------
    topic_id : str
        The topic, or what the boards call all topics together.
    truth_measure, judge_measure, method : str
        What is correlated, and how.
    value : float or None
        The correlation.
    n_runs, n_topics : int
        Runs that were correlated, and topics that were summed up (0 where ``all`` rows were taken as they are).
    se : float or None
        Its standard error.
    ci_low, ci_high : float or None
        Its 95 % interval.
    ci_method : str
        How that came about, or why there is none: as in :class:`CorrelationIntervals`, ``not_asked`` or ``one_topic``.
    reason : str or None
        Why the correlation is undefined.
    """

    topic_id: str
    truth_measure: str
    judge_measure: str
    method: str
    value: float | None
    n_runs: int
    n_topics: int
    se: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    reason: str | None


@dataclass(frozen=True, eq=False)
class BoardEvaluation:
    """How well one judge's board predicts the truth.

    Parameters
    ----------
    run_ids, topic_ids : tuple of str
        What both boards have. Without topics, ``all`` rows were compared as they are.
    truth_measures, judge_measures : tuple of str
        Every truth measure is correlated with every judge measure.
    methods : tuple of CorrelationMethod
        How.
    overall : Correlations
        Of what the topics sum up to, arrays of shape (methods, truth measures, judge measures).
    intervals : CorrelationIntervals
        Of the same shape.
    per_topic : Correlations
        Of shape (methods, topics, truth measures, judge measures). Its reasons may also be ``only_in_all``: topics have
        no value of the measure.
    left_out : LeftOut
        What only one board has, and measures that cannot be ranked by.
    all_topic_id : str
        What rows call all topics together.
    """

    run_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    truth_measures: tuple[str, ...]
    judge_measures: tuple[str, ...]
    methods: tuple[CorrelationMethod, ...]
    overall: Correlations
    intervals: CorrelationIntervals
    per_topic: Correlations
    left_out: LeftOut
    all_topic_id: str

    def rows(self, per_topic: bool = True) -> Iterator[CorrelationRow]:
        """Every correlation: those over all topics, then those of each topic."""
        yield from self._rows(self.all_topic_id, len(self.topic_ids), self.overall, self.intervals)
        for place, topic_id in enumerate(self.topic_ids if per_topic else ()):
            found = self.per_topic[:, place]
            yield from self._rows(topic_id, 1, found, no_intervals(found.value, ONE_TOPIC))

    def _rows(
        self, topic_id: str, n_topics: int, found: Correlations, intervals: CorrelationIntervals
    ) -> Iterator[CorrelationRow]:
        names = itertools.product(self.methods, self.truth_measures, self.judge_measures)
        numbers = (
            found.value,
            found.n_runs,
            found.reason,
            intervals.se,
            intervals.low,
            intervals.high,
            intervals.method,
        )
        cells = zip(*(one.ravel().tolist() for one in numbers), strict=True)
        for (method, truth, judge), (value, n_runs, reason, se, low, high, how) in zip(names, cells, strict=True):
            interval = _or_none(se), _or_none(low), _or_none(high)
            yield CorrelationRow(
                topic_id, truth, judge, str(method), _or_none(value), n_runs, n_topics, *interval, how, reason
            )


class LeaderboardEvaluator:
    """Correlates judges' boards with a board that counts as the truth.

    Parameters
    ----------
    ground_truth : Leaderboard
        The official board.
    methods : sequence of str or CorrelationMethod
        Such as ``kendall``, ``tau_ap_b@10``; see :class:`CorrelationMethod`.
    truth_measures, judge_measures : sequence of str, optional
        Measures to correlate; by default all that runs can be ranked by.
    on_missing : OnMissing
        What counts where a board lacks a common topic of a common run: ``fix_aggregate`` (the default, as in
        :meth:`Leaderboard.filter_and_recompute`): the measure's default in what is summed up, and nothing in the topic;
        ``default``: the same in both; ``warn``: nothing, a run's topics are summed up as far as they go; ``error``:
        refuse. Whichever it is, the result counts how many are missing.
    resamples : int
        Draws of topics for intervals; 0 for none.
    seed : int
        What their generator starts from.

    Raises
    ------
    ValueError
        If a method or ``on_missing`` is unknown, there is no method, or ``resamples`` is negative.
    """

    def __init__(
        self,
        ground_truth: Leaderboard,
        *,
        methods: Sequence[str | CorrelationMethod] = DEFAULT_METHODS,
        truth_measures: Sequence[str] | None = None,
        judge_measures: Sequence[str] | None = None,
        on_missing: OnMissing | str = OnMissing.FIX_AGGREGATE,
        resamples: int = 1000,
        seed: int = 0,
    ) -> None:
        self.ground_truth = ground_truth
        parsed = (CorrelationMethod.parse(one) if isinstance(one, str) else one for one in methods)
        self.methods = tuple(dict.fromkeys(parsed))
        if not self.methods:
            raise ValueError(f"no correlation to compute; name one or more, such as {', '.join(DEFAULT_METHODS)}")
        if resamples < 0:
            raise ValueError(f"resamples is {resamples}; draw topics 1,000 times or so, or 0 times for no intervals")
        if on_missing not in set(OnMissing):
            raise ValueError(f"unknown on_missing {on_missing!r}; known: {', '.join(OnMissing)}")
        self.truth_measures = truth_measures
        self.judge_measures = judge_measures
        self.on_missing = OnMissing(on_missing)
        self.resamples = resamples
        self.seed = seed

    def evaluate(self, judge: Leaderboard) -> BoardEvaluation:
        """Correlate a judge's board with the truth, over the runs and topics that both have.

        Where either board has no topics, the ``all`` rows of both are compared as they are. Otherwise topics are summed
        up anew, so that both boards speak of the same ones.

        Parameters
        ----------
        judge : Leaderboard

        Returns
        -------
        BoardEvaluation

        Raises
        ------
        KeyError
            If a measure that was asked for is not on its board.
        ValueError
            If the boards have no run, or no topic, in common, or no measure can be ranked by.
        MissingTopicsError
            If topics are missing and that is an error.
        """
        boards = (self.ground_truth, judge)
        by_topic = all(board.topic_ids for board in boards)
        truth_measures, truth_unused = usable_measures(self.ground_truth, self.truth_measures, "truth", by_topic)
        judge_measures, judge_unused = usable_measures(judge, self.judge_measures, "judge", by_topic)
        run_ids = common(self.ground_truth.run_ids, judge.run_ids, "run")
        topic_ids = common(self.ground_truth.topic_ids, judge.topic_ids, "topic") if by_topic else ()
        truth_scores, judge_scores = (
            topic_scores(board, measures, run_ids, topic_ids, self.on_missing)
            if by_topic
            else whole_scores(board, measures, run_ids)
            for board, measures in zip(boards, (truth_measures, judge_measures), strict=True)
        )
        overall, intervals = self._overall(truth_scores, judge_scores, topic_ids)
        return BoardEvaluation(
            run_ids,
            topic_ids,
            truth_scores.names,
            judge_scores.names,
            self.methods,
            overall,
            intervals,
            self._per_topic(truth_scores, judge_scores),
            _left_out(*boards, run_ids, topic_ids, (*truth_unused, *judge_unused)),
            self.ground_truth.all_topic_id,
        )

    def _overall(
        self, truth: TopicScores, judge: TopicScores, topic_ids: Sequence[str]
    ) -> tuple[Correlations, CorrelationIntervals]:
        """Correlations of what topics sum up to, and their intervals."""
        found = [correlate(_once(truth), _once(judge), method) for method in self.methods]
        overall = Correlations.stacked(found)
        if self.resamples == 0:
            return overall, no_intervals(overall.value, NOT_ASKED)

        # Drawn by name, so that intervals do not depend on the order in which files have topics.
        by_name = np.argsort(np.argsort(np.array(topic_ids, dtype=object)))

        def drawn(weights: FloatArray) -> FloatArray:
            both = truth.aggregates(weights[:, by_name]), judge.aggregates(weights[:, by_name])
            return np.stack([correlate(*both, method).value for method in self.methods], axis=1)

        return overall, bootstrap_intervals(
            overall.value,
            drawn,
            len(topic_ids),
            resamples=self.resamples,
            seed=self.seed,
            cells=sum(scores.cells for scores in (truth, judge)),
            lowest=np.array([method.lowest for method in self.methods])[:, None, None],
        )

    def _per_topic(self, truth: TopicScores, judge: TopicScores) -> Correlations:
        """Correlations of every topic."""
        x, y = (scores.topics.swapaxes(0, 1) for scores in (truth, judge))
        found = Correlations.stacked([correlate(x, y, method) for method in self.methods])
        truth_only, judge_only = ([measure.only_in_all for measure in scores.measures] for scores in (truth, judge))
        found.reason[:, :, np.logical_or.outer(truth_only, judge_only)] = ONLY_IN_ALL
        return found


def _once(scores: TopicScores) -> FloatArray:
    """The value of every run over all topics once, shape (measures, runs)."""
    if scores.whole is not None:
        return scores.whole
    (once,) = scores.aggregates(np.ones((1, scores.summed_up.shape[1])))
    return np.asarray(once, dtype=np.float64)


def _left_out(
    truth: Leaderboard,
    judge: Leaderboard,
    run_ids: Sequence[str],
    topic_ids: Sequence[str],
    measures: tuple[LeftOutMeasure, ...],
) -> LeftOut:
    return LeftOut(
        truth_runs=_others(truth.run_ids, run_ids),
        judge_runs=_others(judge.run_ids, run_ids),
        truth_topics=_others(truth.topic_ids, topic_ids),
        judge_topics=_others(judge.topic_ids, topic_ids),
        measures=measures,
        truth_missing=n_missing(truth, run_ids, topic_ids),
        judge_missing=n_missing(judge, run_ids, topic_ids),
    )


def _others(ids: Sequence[str], kept: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in ids if one not in set(kept))


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
