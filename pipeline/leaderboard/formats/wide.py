"""Boards as columns of records: long, one record for each value, and wide, one for each run and topic."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.leaderboard.board.leaderboard import Leaderboard
from pipeline.leaderboard.formats.names import Role, role_of
from pipeline.leaderboard.formats.out import Out, WriteError

LONG = ("run_id", "topic_id", "measure", "value")
TEXT = "text"


def long_columns(values: Iterable[Out]) -> dict[str, Sequence[object]]:
    """A record for each value; texts have a column of their own."""
    columns: dict[str, list[object]] = {name: [] for name in (*LONG, TEXT)}
    for run, topic, measure, value, is_text in values:
        record = (run, topic, measure, None if is_text else float(value), value if is_text else None)
        for column, field in zip(columns.values(), record, strict=True):
            column.append(field)
    if all(text is None for text in columns[TEXT]):
        del columns[TEXT]
    return dict(columns)


def wide_columns(board: Leaderboard, header: Sequence[str] = (), *, as_text: bool) -> dict[str, Sequence[object]]:
    """A record for each run and topic, its numbers as such or as they were read; None where there is none.

    Raises
    ------
    WriteError
        If a measure is called as the column of a run, topic or measure is.
    """
    if taken := [name for name in board.measures if name in LONG[:2] or role_of(name) is Role.MEASURE]:
        raise WriteError(f"measure {', '.join(taken)} is what another column is called; write a long format")
    topic_ids = (*board.topic_ids, board.all_topic_id)
    by_role = {role_of(word): word for word in header}
    columns: dict[str, Sequence[object]] = {
        by_role.get(Role.RUN, LONG[0]): [board.run_ids[run] for run in board.rows.run.tolist()],
        by_role.get(Role.TOPIC, LONG[1]): [topic_ids[topic] for topic in board.rows.topic.tolist()],
    }
    for name in board.measures:
        column = board.rows.columns[name]
        columns[name] = column.texts().tolist() if as_text else [column.value(row) for row in range(len(column))]
    if header and Role.RUN not in by_role:
        del columns[LONG[0]]
    in_header = {word: columns[word] for word in header if word in columns}
    return {**in_header, **{name: column for name, column in columns.items() if name not in in_header}}


def records(columns: dict[str, Sequence[object]]) -> Iterator[Sequence[str | None]]:
    """The names of the columns, then their rows as texts."""
    yield list(columns)
    for row in zip(*columns.values(), strict=True):
        yield [None if field is None else str(field) for field in row]
