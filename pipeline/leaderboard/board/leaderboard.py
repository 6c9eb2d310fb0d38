"""A board of runs, topics and measures: read, ranked and written. What changes it goes through the builder."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.leaderboard.arrays import FloatArray, TextArray
from pipeline.leaderboard.board.coverage import UNION, Coverage
from pipeline.leaderboard.board.entries import Entries, Rows
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureName, MeasureSpec, OnMissing
from pipeline.leaderboard.keys import RankBy, RankingKey, WeightedKey
from pipeline.leaderboard.ranking import Ranking, rank_contestants

if TYPE_CHECKING:
    from pipeline.leaderboard.board.builder import LeaderboardBuilder

NO_VALUES = "no_values"
"""Why a run has no aggregate: nothing of the measure is known."""
MISSING_TOPICS = "missing_topics"
"""Why a run has no aggregate: it lacks topics, and the measure has no default for them."""


@dataclass(frozen=True)
class Dropped:
    """What a board had and could not keep when aggregates were computed anew.

    A ``measure``, a ``run``, or the ``aggregate`` of a measure that stays.
    """

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """The values of measures for runs and topics, and for each run's ``all`` row, which sums up its topics.

    Only :meth:`LeaderboardBuilder.build` makes one.

    Parameters
    ----------
    spec : LeaderboardSpec
        The measures.
    rows : Rows
        The rows as columns; :attr:`entries` shows them one by one.
    coverage : Coverage
        Which topics were expected, who said so, and which runs lack what.
    dropped : tuple of Dropped
        What could not be computed anew and was left out.
    """

    spec: LeaderboardSpec
    rows: Rows
    coverage: Coverage
    dropped: tuple[Dropped, ...] = ()

    @property
    def measures(self) -> tuple[MeasureName, ...]:
        """Names of the measures, in order."""
        return self.spec.names

    @cached_property
    def entries(self) -> Entries:
        """The rows, each an object only while it is looked at."""
        return Entries(self.rows, self.spec)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs, in the order of first appearance."""
        return self.rows.run_ids

    @property
    def topic_ids(self) -> tuple[str, ...]:
        """The topics that any run has, in the order of first appearance, without ``all``."""
        return self.rows.topic_ids

    @property
    def all_topic_id(self) -> str:
        """What aggregate rows have for a topic."""
        return self.spec.all_topic_id

    def matrix(self, measure: MeasureName) -> FloatArray:
        """The values of a measure by run and topic, shape (runs, topics), NaN where absent.

        Raises
        ------
        KeyError
            If the board has no such measure.
        ValueError
            If it is text.
        """
        values = self._numbers(measure)
        of_topic = ~self.rows.is_aggregate
        found = np.full((len(self.run_ids), len(self.topic_ids)), np.nan)
        found[self.rows.run[of_topic], self.rows.topic[of_topic]] = values[of_topic]
        return found

    def aggregates(self, measure: MeasureName) -> FloatArray:
        """The values of a measure in the ``all`` rows, shape (runs,), NaN where absent. Errors as :meth:`matrix`."""
        values = self._numbers(measure)
        found = np.full(len(self.run_ids), np.nan)
        found[self.rows.run[self.rows.is_aggregate]] = values[self.rows.is_aggregate]
        return found

    def get_aggregate_ranking(self, measure: MeasureName | None = None) -> Ranking:
        """Rank the runs by their ``all`` rows.

        Parameters
        ----------
        measure : str, optional
            By which, in its direction; without one, by the sum of all measures that have a weight, times that.

        Returns
        -------
        Ranking
            Arrays in the order of :attr:`run_ids`. Runs without a value are unranked: ``no_values``, or
            ``missing_topics`` where they lack topics for which the measure has no default.

        Raises
        ------
        KeyError
            If the board has no such measure.
        ValueError
            If the measure is text or has no direction, or none is named and none has a weight.
        """
        key = self._key(measure)
        columns = {part.name: self.aggregates(part.name) for part in key.parts}
        undefined = {part.name: self._why_undefined(part.name) for part in key.parts}
        return rank_contestants(self.run_ids, columns, RankBy(key), undefined=undefined)

    def top_k(self, k: int, measure: MeasureName | None = None) -> "Leaderboard":
        """The board of the ``k`` best runs, with all who tie with the last of them; aggregates stay as they are.

        Raises
        ------
        ValueError
            If ``k`` is negative; others as :meth:`get_aggregate_ranking`.
        """
        if k < 0:
            raise ValueError(f"k is {k}; keep 0 runs or more")
        rank = self.get_aggregate_ranking(measure).rank
        is_kept = (rank > 0) & (rank <= k)
        builder = self._builder(self.spec, drop_aggregate=False)
        builder.add_entries(Entries(self.rows.take(is_kept[self.rows.run]), self.spec))
        return self._built(builder, OnMissing.FIX_AGGREGATE, drop_aggregate=False)  # nothing is summed up

    def filter_and_recompute(
        self,
        run_ids: Collection[str] | None = None,
        topic_ids: Collection[str] | None = None,
        on_missing: OnMissing | str = OnMissing.FIX_AGGREGATE,
    ) -> "Leaderboard":
        """The board of some runs and topics, its aggregates computed anew.

        Parameters
        ----------
        run_ids, topic_ids : collection of str, optional
            Which to keep: all without it, none if it is empty. The topics are then those that every run should have;
            without any, these are the same as before.
        on_missing : OnMissing
            What is done about a run that lacks one of them: by default it counts with the measures' defaults.

        Raises
        ------
        ValueError
            If a run or topic is named that the board does not have.
        """
        _refuse_unknown("runs", run_ids, self.run_ids)
        _refuse_unknown("topics", topic_ids, self.topic_ids)
        runs = set(self.run_ids if run_ids is None else run_ids)
        topics = set(self.topic_ids if topic_ids is None else topic_ids)
        is_run = np.array([one in runs for one in self.run_ids], dtype=bool)
        is_topic = np.array([*(one in topics for one in self.topic_ids), True], dtype=bool)  # the last one is for all
        builder = self._builder(self.spec)
        builder.expect_runs(one for one in self.run_ids if one in runs)
        builder.add_entries(Entries(self.rows.take(is_run[self.rows.run] & is_topic[self.rows.topic]), builder.spec))
        if topic_ids is None:
            return self._built(builder, on_missing, drop_aggregate=True)
        return builder.build(tuple(dict.fromkeys(topic_ids)), on_missing)

    def merge(self, *others: "Leaderboard", on_missing: OnMissing | str = OnMissing.WARN) -> "Leaderboard":
        """One board of the rows of several, its aggregates computed anew.

        Measures are those of all, and absent where a board does not have them. Expected are the topics that any of the
        boards expects.

        Raises
        ------
        ValueError
            If boards mean different things by one measure, or give one run, topic and measure different values.
        """
        boards = (self, *others)
        merged = self._builder(_merged_spec(boards))
        merged.add_from_all(boards)
        given = [board._given_topics for board in boards if board._given_topics is not None]
        topics = {topic: None for board in boards for topic in board.topic_ids}
        expected = list(dict.fromkeys([topic for one in given for topic in one] + list(topics))) if given else None
        return merged.build(expected, on_missing)

    @classmethod
    def load(cls, path: Path | str, drop_aggregate: bool = False, **options: Any) -> "Leaderboard":
        """Read a file, or a directory of files, as :func:`pipeline.leaderboard.formats.load` does."""
        from pipeline.leaderboard.formats import load

        return load(path, drop_aggregate=drop_aggregate, **options).board

    def write(self, path: Path | str, format: str = "ir_measures") -> None:
        """Write a file, or a directory, as :func:`pipeline.leaderboard.formats.write` does."""
        from pipeline.leaderboard.formats import write

        write(self, path, format)

    def _numbers(self, measure: MeasureName) -> FloatArray:
        if self.spec[measure].dtype is str:
            raise ValueError(f"measure {measure!r} is text; numbers are: {', '.join(self._number_names) or 'none'}")
        return self.rows.columns[measure].numbers

    @property
    def _number_names(self) -> list[MeasureName]:
        return [measure.name for measure in self.spec.measures if measure.dtype is float]

    def _key(self, measure: MeasureName | None) -> RankingKey | WeightedKey:
        if measure is not None:
            self._numbers(measure)
            return RankingKey(measure, self.spec[measure].direction)
        weighted = [(one, one.weight) for one in self.spec.measures if one.weight is not None]
        if not weighted:
            raise ValueError(f"no measure has a weight; name the one to rank by: {', '.join(self._number_names)}")
        parts = tuple(RankingKey(one.name, one.direction) for one, _ in weighted)
        return WeightedKey(parts, tuple(weight for _, weight in weighted))

    def _why_undefined(self, measure: MeasureName) -> TextArray:
        source = self.spec[measure].source
        has_values = np.zeros(len(self.run_ids), dtype=bool)
        if source in self.rows.columns:
            has_values[self.rows.run[self.rows.columns[source].present & ~self.rows.is_aggregate]] = True
        return np.where(has_values, MISSING_TOPICS, NO_VALUES).astype(object)

    @property
    def _given_topics(self) -> Sequence[str] | None:
        """The expected topics where somebody named them."""
        return None if self.coverage.expected_from == UNION else self.coverage.expected_topic_ids

    def _built(
        self, builder: "LeaderboardBuilder", on_missing: OnMissing | str, *, drop_aggregate: bool
    ) -> "Leaderboard":
        """A board of some of the rows, of which the same topics are expected as of this one."""
        expected = self.coverage.expected_topic_ids
        return builder.build(expected, on_missing, drop_aggregate, expected_from=self.coverage.expected_from)

    def _builder(self, spec: LeaderboardSpec, drop_aggregate: bool = True) -> "LeaderboardBuilder":
        from pipeline.leaderboard.board.builder import LeaderboardBuilder

        return LeaderboardBuilder.for_spec(spec, drop_aggregate)


def _refuse_unknown(what: str, named: Collection[str] | None, known: Collection[str]) -> None:
    on_board = set(known)
    if unknown := [one for one in dict.fromkeys(named or ()) if one not in on_board]:
        raise ValueError(
            f"{what} {', '.join(repr(one) for one in unknown)} are not on the board, which has {len(on_board)}: "
            f"{', '.join(sorted(on_board)) or 'none'}"
        )


def _merged_spec(boards: Sequence[Leaderboard]) -> LeaderboardSpec:
    """The measures of all boards, in the order of first appearance."""
    measures: dict[MeasureName, MeasureSpec] = {}
    for board in boards:
        if board.all_topic_id != boards[0].all_topic_id:
            raise ValueError(f"boards call aggregates {boards[0].all_topic_id!r} and {board.all_topic_id!r}; use one")
        for measure in board.spec.measures:
            if measures.setdefault(measure.name, measure) != measure:
                raise ValueError(
                    f"boards mean different things by measure {measure.name!r}: {measures[measure.name]} and {measure}"
                )
    return replace(boards[0].spec, measures=tuple(measures.values()))
