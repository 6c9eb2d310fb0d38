"""The only way to a board: rows are checked and cast as they are added, and summed up when it is built."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.columns import Coded, Codes, Column, absent, cast_column, joined, recast
from pipeline.leaderboard.board.coverage import CALLER, act_on, coverage_of
from pipeline.leaderboard.board.entries import ALL, Entries, LeaderboardEntry, Rows, stacked
from pipeline.leaderboard.board.filling import with_defaults
from pipeline.leaderboard.board.leaderboard import Dropped, Leaderboard
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureName, OnMissing, Value, require_name
from pipeline.leaderboard.board.repeats import once
from pipeline.leaderboard.board.summing import aggregate_rows, is_lost

Record = TypeVar("Record")


class LeaderboardBuilder:
    """Collects the rows of a board, then builds it.

    Parameters
    ----------
    spec : LeaderboardSpec
        Its measures.

    Examples
    --------
    >>> from pipeline.leaderboard import LeaderboardSpec, MeasureSpec
    >>> builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("GRADE"),)))
    >>> builder.add(run_id="first", topic_id="28", GRADE=0.5)
    >>> builder.add(run_id="first", topic_id="29", GRADE=1)
    >>> builder.build().aggregates("GRADE").tolist()
    [0.75]
    """

    def __init__(self, spec: LeaderboardSpec) -> None:
        self.spec = spec
        self._runs: dict[str, int] = {}
        self._topics: dict[str, int] = {}
        self._chunks: list[tuple[Codes, Codes, dict[MeasureName, Column]]] = []
        self._added: list[tuple[int, int, dict[MeasureName, Value | None]]] = []
        self._dropped: list[Dropped] = []

    @classmethod
    def for_leaderboard(cls, lb: Leaderboard, drop_aggregate: bool = True) -> "LeaderboardBuilder":
        """A builder for the measures of a board.

        Parameters
        ----------
        lb : Leaderboard
            Whose measures.
        drop_aggregate : bool
            Whether aggregates will be computed anew: then measures that only ``all`` rows have, and that no topics sum
            up to, are left out, and the board that is built names them.
        """
        return cls.for_spec(lb.spec, drop_aggregate)

    @classmethod
    def for_spec(cls, spec: LeaderboardSpec, drop_aggregate: bool = True) -> "LeaderboardBuilder":
        """The same for measures that are no board's yet."""
        lost = [measure for measure in spec.measures if drop_aggregate and is_lost(measure, spec)]
        builder = cls(replace(spec, measures=tuple(one for one in spec.measures if one not in lost)))
        builder._dropped = [
            Dropped("measure", measure.name, "only all rows have it, so it cannot be computed from topics")
            for measure in lost
        ]
        return builder

    def add(
        self, *, run_id: str, topic_id: str, values: Mapping[MeasureName, Any] | None = None, **measures: Any
    ) -> None:
        """Add one row; its values as a mapping or as keyword arguments, cast here.

        Parameters
        ----------
        run_id, topic_id : str
            Whose it is; the topic ``all`` makes it an aggregate row.
        values : mapping, optional
            A value for every measure that such a row has, None where it is absent.
        **measures : float or str
            The same, by name.

        Raises
        ------
        KeyError
            If measures are unknown or missing; the message lists them and those of the board.
        ValueError
            If a value cannot be cast.
        TypeError
            If an id is no text, or values are given in both ways.
        """
        if values is not None and measures:
            raise TypeError("give values either as a mapping or as keyword arguments, not both")
        given = measures if values is None else values
        require_name(run_id, "run id")
        require_name(topic_id, "topic id")
        is_aggregate = topic_id == self.spec.all_topic_id
        self.spec.require(given, is_aggregate=is_aggregate)
        cast = self.spec.cast_values(given)
        topic = ALL if is_aggregate else self._topics.setdefault(topic_id, len(self._topics))
        self._added.append((self._runs.setdefault(run_id, len(self._runs)), topic, cast))

    def add_records(
        self,
        records: Iterable[Record],
        *,
        run_id: Callable[[Record], str],
        topic_id: Callable[[Record], str],
        get_values: Callable[[Record], Mapping[MeasureName, Any]],
    ) -> None:
        """Add a row for each of any objects; the functions say what it holds. Errors are those of :meth:`add`."""
        for record in records:
            self.add(run_id=run_id(record), topic_id=topic_id(record), values=get_values(record))

    def add_entries(self, entries: Iterable[LeaderboardEntry], skip_all_rows: bool = False) -> None:
        """Add entries, of a board or not; without ``all`` rows if so wished. Errors are those of :meth:`add`."""
        if isinstance(entries, Entries):
            self._add_rows(entries.rows, entries.spec, skip_all_rows)
            return
        for entry in entries:
            if not (skip_all_rows and entry.topic_id == self.spec.all_topic_id):
                self.add(run_id=entry.run_id, topic_id=entry.topic_id, values=entry.values)

    def add_from_all(self, leaderboards: Iterable[Leaderboard], skip_all_rows: bool = False) -> None:
        """Add the rows of boards; measures that one of them does not have are absent there.

        Raises
        ------
        KeyError
            If one has a measure that this board has not.
        """
        for board in leaderboards:
            self._add_rows(board.rows, board.spec, skip_all_rows, is_whole=False)

    def add_columns(
        self,
        *,
        run_ids: Coded | Sequence[str],
        topic_ids: Coded | Sequence[str],
        values: Mapping[MeasureName, Coded | npt.ArrayLike],
    ) -> None:
        """Add many rows at once, with the checks and casts of :meth:`add`.

        Parameters
        ----------
        run_ids, topic_ids : Coded or sequence of str
            Shape (rows,).
        values : mapping of str to Coded or array-like
            For every measure that topics have, its values, shape (rows,), None or NaN where absent; those that only
            ``all`` rows have may be left out. Texts are cast to numbers, and keep how they are written.

        Raises
        ------
        KeyError, ValueError, TypeError
            As :meth:`add`; ValueError also if lengths differ or a topic has a measure that only ``all`` rows have.
        """
        runs, topics = _coded(run_ids), _coded(topic_ids)
        given = [name for name in values if name not in self.spec.name_set or not self.spec[name].only_in_all]
        self.spec.require(given)
        columns = {
            measure.name: cast_column(measure, values[measure.name])
            if measure.name in values
            else absent(measure, len(runs))
            for measure in self.spec.measures
        }
        _require_lengths(len(runs), {"topic_ids": len(topics)} | {name: len(one) for name, one in columns.items()})
        self._add_cast(runs, topics, columns)

    def expect_runs(self, run_ids: Iterable[str]) -> None:
        """Name runs that should be on the board: one without rows is told of as dropped, and lacks every topic."""
        for run_id in run_ids:
            require_name(run_id, "run id")
            self._runs.setdefault(run_id, len(self._runs))

    def build(
        self,
        expected_topic_ids: Collection[str] | None = None,
        on_missing: OnMissing | str = OnMissing.WARN,
        drop_aggregate: bool = True,
        *,
        expected_from: str = CALLER,
    ) -> Leaderboard:
        """Build the board.

        Parameters
        ----------
        expected_topic_ids : collection of str, optional
            The topics that every run should have; without them, all that any run has.
        on_missing : OnMissing
            What is done about a run that lacks one: ``error``, ``warn``, ``default`` (add a row with the measures'
            defaults) or ``fix_aggregate`` (sum up as if it had them). Nothing is ever filled in for a measure of which
            a run has no value at all, and a measure without a default is then undefined.
        drop_aggregate : bool
            Whether ``all`` rows are computed anew, instead of being kept as they were added.
        expected_from : str
            Who says which topics are expected, for messages.

        Returns
        -------
        Leaderboard
            Its rows in the order in which they were added; those filled in, then those computed, come last.

        Raises
        ------
        MissingTopicsError
            If a run lacks a topic and ``on_missing`` is ``error``.
        ValueError
            If rows of one run and topic contradict each other, or a topic is not among the expected ones.
        """
        on_missing = OnMissing(on_missing)
        rows = self._joined()
        rows = once(rows, ~rows.is_aggregate)
        coverage = coverage_of(rows, expected_topic_ids, expected_from, on_missing)
        act_on(coverage)
        if on_missing is OnMissing.DEFAULT:
            rows = with_defaults(rows, coverage, self.spec)
        fills = on_missing in (OnMissing.DEFAULT, OnMissing.FIX_AGGREGATE)
        n_expected = len(coverage.expected_topic_ids) if fills else 0
        given = rows
        rows = self._handle_aggregates(rows, drop_aggregate, n_expected)
        gone = sorted(set(range(len(rows.run_ids))) - set(rows.run.tolist()))
        lost = (Dropped("run", rows.run_ids[run], "it has no topic to compute aggregates from") for run in gone)
        return Leaderboard(self.spec, rows.trimmed(), coverage, (*self._dropped, *_lost_aggregates(given, rows), *lost))

    def _handle_aggregates(self, rows: Rows, drop_aggregate: bool, phantom_defaults: int) -> Rows:
        """Keep the ``all`` rows, or compute them anew: the only place that decides it.

        Parameters
        ----------
        rows : Rows
            Topics' rows, each run and topic once, and ``all`` rows.
        drop_aggregate : bool
            Whether to compute them anew.
        phantom_defaults : int
            How many topics each run counts as having, those it lacks with the measures' defaults; 0 for what it has.
        """
        if not drop_aggregate:
            return once(rows, rows.is_aggregate)
        topics = rows.take(~rows.is_aggregate)
        return stacked([topics, aggregate_rows(topics, self.spec, phantom_defaults)])

    def _joined(self) -> Rows:
        """Everything that was added, in order."""
        self._flush()
        columns = {
            measure.name: joined([absent(measure, 0), *(chunk[2][measure.name] for chunk in self._chunks)])
            for measure in self.spec.measures
        }
        none = np.empty(0, dtype=np.int32)
        run = np.concatenate([none, *(chunk[0] for chunk in self._chunks)])
        topic = np.concatenate([none, *(chunk[1] for chunk in self._chunks)])
        return Rows(tuple(self._runs), tuple(self._topics), run, topic, columns)

    def _flush(self) -> None:
        """Make a chunk of the rows that were added one by one."""
        if not self._added:
            return
        runs, topics, values = zip(*self._added, strict=True)
        columns = {
            measure.name: cast_column(measure, [row.get(measure.name) for row in values])
            for measure in self.spec.measures
        }
        self._added = []
        self._chunks.append((np.array(runs, dtype=np.int32), np.array(topics, dtype=np.int32), columns))

    def _add_rows(self, rows: Rows, spec: LeaderboardSpec, skip_all_rows: bool, *, is_whole: bool = True) -> None:
        if is_whole:
            self.spec.require(spec.topic_names)
        elif unknown := [name for name in spec.topic_names if name not in self.spec.topic_names]:
            self.spec.require([*self.spec.topic_names, *unknown])
        if skip_all_rows:
            rows = rows.take(~rows.is_aggregate)
        columns = {
            measure.name: recast(measure, rows.columns.get(measure.name), len(rows)) for measure in self.spec.measures
        }
        topic_ids = np.array([*rows.topic_ids, self.spec.all_topic_id], dtype=object)
        topics = Coded(np.where(rows.topic == ALL, len(rows.topic_ids), rows.topic).astype(np.int32), topic_ids)
        self._add_cast(Coded(rows.run, np.array(rows.run_ids, dtype=object)), topics, columns)

    def _add_cast(self, runs: Coded, topics: Coded, columns: dict[MeasureName, Column]) -> None:
        """Add rows whose values are cast; ids of which no row is are left out."""
        self._flush()
        run = _codes_in(self._runs, runs, "run id")
        topic = _codes_in(self._topics, topics, "topic id", self.spec.all_topic_id)
        for measure in self.spec.measures:
            if measure.only_in_all and (wrong := columns[measure.name].present & (topic != ALL)).any():
                at = int(np.flatnonzero(wrong)[0])
                raise ValueError(
                    f"run {runs.texts[runs.codes[at]]!r} has a value of {measure.name!r} for the topic "
                    f"{topics.texts[topics.codes[at]]!r}; only all rows have that measure"
                )
        self._chunks.append((run, topic, columns))


def _lost_aggregates(before: Rows, after: Rows) -> Iterator[Dropped]:
    """Measures of which ``all`` rows had values, and none has one now."""
    for name in before.columns:
        had, has = (one.columns[name].present & one.is_aggregate for one in (before, after))
        if had.any() and not has.any():
            yield Dropped("aggregate", name, "it cannot be computed from topics, so all rows go without it")


def _codes_in(places: dict[str, int], ids: Coded, what: str, all_id: str | None = None) -> Codes:
    """Codes among the ids that are known, which new ones join; -1 for ``all_id``."""
    used = np.unique(ids.codes)
    code_of = np.full(len(ids.texts) + 1, ALL, dtype=np.int32)
    for code in used.tolist():
        text: Any = ids.texts[code] if code >= 0 else None
        require_name(text, what)
        code_of[code] = ALL if text == all_id else places.setdefault(text, len(places))
    return code_of[ids.codes]


def _coded(ids: Coded | Sequence[str]) -> Coded:
    return ids if isinstance(ids, Coded) else Coded.of(ids)


def _require_lengths(n: int, lengths: Mapping[str, int]) -> None:
    if wrong := {name: length for name, length in lengths.items() if length != n}:
        listed = ", ".join(f"{name} has {length}" for name, length in wrong.items())
        raise ValueError(f"run_ids has {n} rows, but {listed}; give one for each row")
