"""A board of a track between its files and the tables: which measures it has, its grid of values, and its rows.

The tables hold the grid complete: a topic that a run lacks is a row without a value. So a board that is made of them
again expects the same topics as the one that was read.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.judging.declaration import Track
from pipeline.leaderboard import (
    Aggregate,
    Coded,
    Direction,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardSpec,
    MeasureSpec,
    MissingTopicsWarning,
    OnMissing,
)
from pipeline.leaderboard.arrays import FloatArray, TextArray
from pipeline.leaderboard.formats import Inference
from pipeline.tables import ALL_TOPICS_ID

Codes = npt.NDArray[np.int32]


class TrackError(ValueError):
    """A board of a track cannot be made as it is declared; the message names the board and says what would do."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The values of a board, run by topic.

    Parameters
    ----------
    run_ids, topic_ids : tuple of str
        The runs, and the topics that every run should have; none where files have ``all`` rows only.
    values : mapping of str to float array
        Of each measure of topics, shape (runs, topics), NaN where absent.
    aggregates : mapping of str to float array
        Of each measure the ``all`` rows, shape (runs,): as printed where there are no topics, else not yet known.
    """

    run_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]
    values: Mapping[str, FloatArray]
    aggregates: Mapping[str, FloatArray]

    @classmethod
    def of(cls, board: Leaderboard, specs: Sequence[MeasureSpec]) -> "Grid":
        """The grid of some measures of a board, over the topics that it expects."""
        topics = board.coverage.expected_topic_ids
        if not topics:
            return cls(board.run_ids, (), {}, {one.name: board.aggregates(one.name) for one in specs})
        place = {topic: at for at, topic in enumerate(topics)}
        columns = [place[topic] for topic in board.topic_ids]
        values = {}
        for one in specs:
            if not one.only_in_all:
                values[one.name] = np.full((len(board.run_ids), len(topics)), np.nan)
                values[one.name][:, columns] = board.matrix(one.name)
        return cls(board.run_ids, topics, values, {})


def used_measures(inferences: Sequence[Inference], listed: Sequence[str] | None) -> tuple[MeasureSpec, ...]:
    """The measures of a board that the tables have.

    They are those listed, or all numbers with a better end, and the measures that these sum up.

    Parameters
    ----------
    inferences : sequence of Inference
        What the measures in the files were taken for.
    listed : sequence of str or None
        Those that the declaration names.
    """
    specs = {one.measure.name: one.measure for one in inferences if one.measure.dtype is float}
    chosen = [
        one for one in specs.values() if (one.direction is not Direction.NONE if listed is None else one.name in listed)
    ]
    sources = [specs[one.source] for one in chosen if one.source in specs]
    kept = {one.name for one in (*chosen, *sources)}
    return tuple(one for one in specs.values() if one.name in kept)


def board_of(grid: Grid, specs: Sequence[MeasureSpec], on_missing: OnMissing | str) -> Leaderboard:
    """The board of a grid: its ``all`` rows computed anew where there are topics, else as they are.

    Raises
    ------
    MissingTopicsError
        If a run lacks a topic and ``on_missing`` is ``error``.
    """
    spec = LeaderboardSpec(tuple(specs), ALL_TOPICS_ID)
    builder = LeaderboardBuilder.for_spec(spec, drop_aggregate=bool(grid.topic_ids))
    builder.expect_runs(grid.run_ids)
    runs, topics = (_objects(ids) for ids in (grid.run_ids, (*grid.topic_ids, ALL_TOPICS_ID)))
    if not grid.topic_ids:
        every = np.arange(len(runs), dtype=np.int32)
        builder.add_columns(
            run_ids=Coded(every, runs), topic_ids=Coded(np.zeros_like(every), topics), values=dict(grid.aggregates)
        )
        return builder.build(None, OnMissing.FIX_AGGREGATE, drop_aggregate=False)
    present = np.any([np.isfinite(values) for values in grid.values.values()], axis=0)
    run, topic = np.nonzero(present)
    values = {name: grid.values[name][run, topic] for name in builder.spec.names if name in grid.values}
    builder.add_columns(
        run_ids=Coded(run.astype(np.int32), runs), topic_ids=Coded(topic.astype(np.int32), topics), values=values
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingTopicsWarning)  # the tables have every missing topic
        return builder.build(grid.topic_ids, on_missing)


def spec_rows(inferences: Sequence[Inference], used: Sequence[MeasureSpec]) -> pd.DataFrame:
    """The rows of ``measure_specs`` for one board, without its name."""
    names = {one.name for one in used}
    rows = [
        {
            "measure": one.measure.name,
            "direction": str(one.measure.direction),
            "aggregate": str(one.measure.aggregate),
            "default_value": one.measure.default if isinstance(one.measure.default, float) else None,
            "is_text": one.measure.dtype is str,
            "only_in_all": one.measure.only_in_all,
            "sums_up": one.measure.source,
            "taken_from": one.why,
            "is_used": one.measure.name in names,
        }
        for one in inferences
    ]
    return pd.DataFrame(rows)


def specs_of(rows: pd.DataFrame) -> tuple[MeasureSpec, ...]:
    """The measures of one board that its rows of ``measure_specs`` say are used."""
    return tuple(
        MeasureSpec(
            str(row["measure"]),
            direction=Direction(row["direction"]),
            aggregate=Aggregate(row["aggregate"]),
            default=None if pd.isna(row["default_value"]) else float(row["default_value"]),
            only_in_all=bool(row["only_in_all"]),
            of=None if row["sums_up"] == row["measure"] else str(row["sums_up"]),
        )
        for row in rows[rows["is_used"]].to_dict("records")
    )


def measure_rows(grid: Grid, board: Leaderboard) -> pd.DataFrame:
    """The rows of ``measures`` for one board, without its name.

    A run has a row for every expected topic of each measure that it has at all, and one for all topics together.
    """
    parts = [_topic_cells(grid, at, name) for at, name in enumerate(board.measures) if name in grid.values]
    parts += [_all_cells(grid, board, at, name) for at, name in enumerate(board.measures)]
    codes = np.concatenate([np.empty((3, 0), dtype=np.int32), *(codes for codes, _ in parts)], axis=1)
    values = np.concatenate([np.empty(0), *(values for _, values in parts)])
    texts = (grid.run_ids, (*grid.topic_ids, ALL_TOPICS_ID), board.measures)
    named = zip(("run_id", "topic_id", "measure"), codes, texts, strict=True)
    coded = {name: pd.Categorical.from_codes(code, pd.Index(ids, dtype="str")) for name, code, ids in named}
    return pd.DataFrame({**coded, "value": values})


def _topic_cells(grid: Grid, measure: int, name: str) -> tuple[Codes, FloatArray]:
    """Of runs that have a measure the codes of run, topic and measure, shape (3, cells), and the values."""
    values = grid.values[name]
    has = np.flatnonzero(np.isfinite(values).any(axis=1))
    run, topic = (one.ravel() for one in np.meshgrid(has, np.arange(values.shape[1]), indexing="ij"))
    return np.stack([run, topic, np.full_like(run, measure)]).astype(np.int32), values[has].ravel()


def _all_cells(grid: Grid, board: Leaderboard, measure: int, name: str) -> tuple[Codes, FloatArray]:
    """The same for all topics together."""
    place = {run: at for at, run in enumerate(grid.run_ids)}
    run = np.array([place[one] for one in board.run_ids], dtype=np.int32)
    codes = np.stack([run, np.full_like(run, len(grid.topic_ids)), np.full_like(run, measure)])
    return codes, board.aggregates(name)


def require_measures(track: Track, boards: Mapping[str, Sequence[str]], refused: bool) -> None:
    """Refuse names of measures that no board has.

    Parameters
    ----------
    track : Track
        The declaration.
    boards : mapping of str to sequence of str
        The measures in the files of each board that has any.
    refused : bool
        Whether files were refused, which may have had them.

    Raises
    ------
    TrackError
        If a name is unknown; the message lists those that are known.
    """
    known = list(dict.fromkeys(name for names in boards.values() for name in names))
    asked = [*(track.measures or ()), *track.meanings, *(track.comparisons.measures or ())]
    unknown = [repr(name) for name in dict.fromkeys(asked) if name not in known]
    if unknown and boards and not refused:
        raise TrackError(f"no board has measure {', '.join(unknown)}; known: {', '.join(known)}")


def _objects(ids: Sequence[str]) -> TextArray:
    array = np.empty(len(ids), dtype=object)
    array[:] = ids
    return array
