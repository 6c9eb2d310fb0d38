"""Cells as rows of runs and topics, with a column of texts for each measure; each cell once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.leaderboard.board.columns import Coded, Codes
from pipeline.leaderboard.formats.cells import NONE, Cells, FormatError

_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Pivoted:
    """Cells by run and topic.

    Parameters
    ----------
    run, topic : Coded
        Of every row, shape (rows,), in the order of first appearance.
    is_aggregate : bool array
        Which are ``all`` rows.
    measures : tuple of str
        In an order that follows the rows of topics and of ``all``.
    columns : tuple of Coded
        For each measure its texts, shape (rows,), -1 where there is no value.
    n_repeated : int
        Cells that say again what another one said.
    order : int array or None
        For each cell its place when they are in the order of rows, then measures; None if they are.
    """

    run: Coded
    topic: Coded
    is_aggregate: npt.NDArray[np.bool_]
    measures: tuple[str, ...]
    columns: tuple[Coded, ...]
    n_repeated: int
    order: npt.NDArray[np.int64] | None


def pivot(cells: Cells, all_topic_id: str) -> Pivoted:
    """Cells by run, topic and measure.

    Raises
    ------
    FormatError
        If two cells give one run, topic and measure different values; the message names both lines.
    """
    n_topics, n_measures = len(cells.topic.texts), len(cells.measure.texts)
    key = cells.run.codes.astype(np.int64) * n_topics + cells.topic.codes
    found, first, row = np.unique(key, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first)
    place = np.empty(len(found), dtype=np.int64)
    place[by_appearance] = np.arange(len(found))
    row = place[row]
    first = first[by_appearance]
    topic = cells.topic.take(first)
    is_aggregate = np.isin(topic.codes, np.flatnonzero(cells.topic.texts == all_topic_id))
    values, n_repeated = _values(cells, row, len(found), n_measures)
    order = _in_order(cells, is_aggregate[row])
    measures = cells.measure.texts[order]
    columns = tuple(Coded(values[code], cells.value.texts).compacted() for code in order)
    rank = np.empty(n_measures, dtype=np.int64)
    rank[order] = np.arange(n_measures)
    return Pivoted(
        run=cells.run.take(first),
        topic=topic,
        is_aggregate=is_aggregate,
        measures=tuple(measures.tolist()),
        columns=columns,
        n_repeated=n_repeated,
        order=None if n_repeated else _order(row * n_measures + rank[cells.measure.codes]),
    )


def _values(cells: Cells, row: npt.NDArray[np.int64], n_rows: int, n_measures: int) -> tuple[Codes, int]:
    """The code of each measure's value in each row, shape (measures, rows); and how many cells only repeat another."""
    cell = np.arange(len(cells))
    held_by = np.full((n_measures, n_rows), NONE, dtype=np.int64)
    held_by[cells.measure.codes, row] = cell
    is_again = held_by[cells.measure.codes, row] != cell
    n_again = int(is_again.sum())
    if n_again:
        again = np.flatnonzero(_repeated(held_by, cells.measure.codes, row, is_again))
        measures, rows = cells.measure.codes[again], row[again]
        _, first, group = np.unique(rows * n_measures + measures, return_index=True, return_inverse=True)
        held_by[measures[first], rows[first]] = again[first]
        _refuse_contradictions(cells, again[first][group], again)
    values = np.full((n_measures, n_rows), NONE, dtype=np.int32)
    is_held = held_by >= 0
    values[is_held] = cells.value.codes[held_by[is_held]]
    return values, n_again


def _repeated(
    held_by: npt.NDArray[np.int64], measure: Codes, row: npt.NDArray[np.int64], is_again: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which cells are not the only ones of their measure and row."""
    is_repeated = np.zeros(held_by.shape, dtype=bool)
    is_repeated[measure[is_again], row[is_again]] = True
    return is_repeated[measure, row]


def _refuse_contradictions(cells: Cells, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> None:
    texts: list[str | None] = [*cells.value.texts.tolist(), None]
    wrong = [
        (int(a), int(b))
        for a, b in zip(one, other, strict=True)
        if not _is_same(texts[cells.value.codes[a]], texts[cells.value.codes[b]])
    ]
    if wrong:
        said = [_contradiction(cells, texts, a, b) for a, b in wrong[:_SHOWN]]
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise FormatError(f"{'; '.join(said)}{more}; keep one of each")


def _contradiction(cells: Cells, texts: Sequence[str | None], one: int, other: int) -> str:
    run = cells.run.texts[cells.run.codes[one]]
    topic, measure = cells.topic.texts[cells.topic.codes[one]], cells.measure.texts[cells.measure.codes[one]]
    return (
        f"{cells.where(other)}: {measure} of run {run!r} for topic {topic!r} is {texts[cells.value.codes[other]]}, "
        f"but {texts[cells.value.codes[one]]} in {cells.where(one)}"
    )


def _is_same(one: str | None, other: str | None) -> bool:
    """Whether two texts say the same value."""
    if one == other or one is None or other is None:
        return one == other
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _in_order(cells: Cells, is_aggregate: npt.NDArray[np.bool_]) -> list[int]:
    """The measures in the order in which topics have them, those of ``all`` rows put between as they stand there.

    Those that the file declares come first, in its order.
    """
    measure = cells.measure.codes
    code_of = {name: code for code, name in enumerate(cells.measure.texts.tolist())}
    declared = [code_of[one.name] for one in cells.declared if one.name in code_of]
    order = list(dict.fromkeys([*declared, *_appearance(measure[~is_aggregate])]))
    at = 0
    for code in _appearance(measure[is_aggregate]):
        if code in order:
            at = order.index(code) + 1
        else:
            order.insert(at, code)
            at += 1
    return order


def _appearance(codes: Codes) -> list[int]:
    found, first = np.unique(codes, return_index=True)
    return found[np.argsort(first)].tolist()  # type: ignore[no-any-return]


def _order(key: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """The place of each cell in the order of their keys; None if they are in that order."""
    if (np.diff(key) > 0).all():
        return None
    place = np.empty(len(key), dtype=np.int64)
    place[np.argsort(key)] = np.arange(len(key))
    return place
