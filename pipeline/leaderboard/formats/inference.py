"""What a measure in a file is: known, or concluded from its values and from the aggregates that are printed.

Only files are read this way; a judge that builds its own board declares what its measures are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.leaderboard.board.aggregation import Aggregate
from pipeline.leaderboard.board.columns import Coded, cast_column
from pipeline.leaderboard.board.entries import ALL, Rows
from pipeline.leaderboard.board.known import known_measure
from pipeline.leaderboard.board.measures import LeaderboardSpec, MeasureName, MeasureSpec, is_number
from pipeline.leaderboard.board.rounding import agreement
from pipeline.leaderboard.formats.cells import Cells, FormatError
from pipeline.leaderboard.formats.pivot import Pivoted

DECLARED = "declared"
DECLARED_IN_FILE = "declared in the file"


@dataclass(frozen=True)
class Inference:
    """What a measure was taken for, and why."""

    measure: MeasureSpec
    why: str

    @property
    def is_certain(self) -> bool:
        """Whether it was declared, or is a known tool's."""
        return self.is_declared or self.why.startswith("known")

    @property
    def is_declared(self) -> bool:
        """Whether somebody, or the file, says what it is."""
        return self.why in (DECLARED, DECLARED_IN_FILE)


def infer(
    pivoted: Pivoted,
    declared: Mapping[MeasureName, MeasureSpec],
    in_files: Mapping[MeasureName, MeasureSpec],
    n_expected: int,
) -> tuple[Inference, ...]:
    """What each measure is.

    A measure is, in this order, what was declared, what the files say, what is known of it, a number if all of its
    values are, and text otherwise. An unknown number is averaged or added up, whichever the printed aggregates agree
    with; if they agree with neither, it has no aggregate; where none is printed it is averaged. Higher is taken to be
    better, and 0 to be the worst unless a value is below 0.

    Parameters
    ----------
    pivoted : Pivoted
        The values as texts.
    declared : mapping of str to MeasureSpec
        What somebody said of measures.
    in_files : mapping of str to MeasureSpec
        What the files themselves say of them.
    n_expected : int
        How many topics a run should have; 0 if that is not known.
    """
    found = []
    for name, column in zip(pivoted.measures, pivoted.columns, strict=True):
        known = known_measure(name)
        if name in declared:
            found.append(Inference(declared[name], DECLARED))
        elif name in in_files:
            found.append(Inference(in_files[name], DECLARED_IN_FILE))
        elif known is not None:
            measure, tool = known
            of_topics = bool((column.codes[~pivoted.is_aggregate] >= 0).any())
            found.append(
                Inference(replace(measure, only_in_all=measure.only_in_all and not of_topics), f"known: {tool}")
            )
        else:
            found.append(_concluded(name, column, pivoted, n_expected))
    return tuple(found)


def refuse_no_numbers(cells: Cells, inferences: Sequence[Inference]) -> None:
    """Check that what is known or declared to be a number is one everywhere.

    Raises
    ------
    FormatError
        If a value is not; the message names the line.
    """
    numbers = {one.measure.name: one.measure for one in inferences if one.measure.dtype is float}
    wrong = {text: at for at, text in enumerate(cells.value.texts.tolist()) if not is_number(text)}
    if not wrong:
        return
    suspects = np.isin(cells.value.codes, list(wrong.values()))
    for cell in np.flatnonzero(suspects).tolist():
        name = cells.measure.texts[cells.measure.codes[cell]]
        if name in numbers:
            raise FormatError(
                f"{cells.where(cell)}: {name} is {cells.value.texts[cells.value.codes[cell]]!r}, which is no number"
            )


def refuse_topics_of_aggregates(cells: Cells, inferences: Sequence[Inference], all_topic_id: str) -> None:
    """Check that topics have no value of a measure that is declared to be in ``all`` rows only.

    Raises
    ------
    FormatError
        If one has; the message names the line.
    """
    names = [one.measure.name for one in inferences if one.measure.only_in_all and one.is_declared]
    of_measure, of_all = (
        np.append(np.isin(texts, wanted), False)
        for texts, wanted in ((cells.measure.texts, names), (cells.topic.texts, [all_topic_id]))
    )
    wrong = np.flatnonzero(of_measure[cells.measure.codes] & ~of_all[cells.topic.codes])
    if names and wrong.size:
        cell = int(wrong[0])
        raise FormatError(
            f"{cells.where(cell)}: {cells.measure.texts[cells.measure.codes[cell]]} of topic "
            f"{cells.topic.texts[cells.topic.codes[cell]]!r}, but it is declared to be in all rows only"
        )


def _concluded(name: MeasureName, column: Coded, pivoted: Pivoted, n_expected: int) -> Inference:
    """What a measure that nobody knows is taken for."""
    texts = [text for text in column.texts.tolist() if not is_number(text)]
    of_topic, of_all = ((column.codes >= 0) & which for which in (~pivoted.is_aggregate, pivoted.is_aggregate))
    dtype: type[float] | type[str] = str if texts else float
    said = [f"text: {texts[0]!r} is no number" if texts else "a number"]
    if not of_topic.any():
        measure = MeasureSpec(name, dtype, aggregate=Aggregate.NONE, default=None, only_in_all=True)
        return Inference(measure, f"{said[0]}; only in all rows, so it cannot be computed from topics")
    measure = MeasureSpec(name, dtype)
    if dtype is float:
        is_negative = np.array([float(text) < 0 for text in column.texts.tolist()], dtype=bool)
        if (is_negative[column.codes[column.codes >= 0]]).any():
            measure = replace(measure, default=None)
            said.append("below 0 in places, so a missing topic is not taken for 0")
        said.append("higher taken to be better")
    how, why = _aggregate(measure, column, pivoted, n_expected) if of_all.any() else (measure.aggregate, "none printed")
    return Inference(replace(measure, aggregate=how), "; ".join([*said, f"aggregate {how}: {why}"]))


def _aggregate(measure: MeasureSpec, column: Coded, pivoted: Pivoted, n_expected: int) -> tuple[Aggregate, str]:
    """The aggregate that agrees with those printed."""
    tried = (Aggregate.MEAN, Aggregate.SUM) if measure.dtype is float else (Aggregate.FIRST,)
    rows = _rows(measure, column, pivoted)
    best, n_best, n_compared = Aggregate.NONE, 0, 0
    for how in tried:
        one = replace(measure, aggregate=how)
        for n_topics in dict.fromkeys((0, n_expected)):
            compared, agrees = agreement(one, rows, LeaderboardSpec((one,)), n_topics)
            n_compared = int(compared.sum())
            if agrees.sum() > n_best:
                best, n_best = how, int(agrees.sum())
    if not n_compared:
        return measure.aggregate, "nothing printed to compare with"
    return best, f"{n_best} of {n_compared} printed ones agree"


def _rows(measure: MeasureSpec, column: Coded, pivoted: Pivoted) -> Rows:
    topic = np.where(pivoted.is_aggregate, ALL, pivoted.topic.codes).astype(np.int32)
    columns = {measure.name: cast_column(measure, column)}
    return Rows(tuple(pivoted.run.texts), tuple(pivoted.topic.texts), pivoted.run.codes, topic, columns)
