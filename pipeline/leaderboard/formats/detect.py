"""Which format a file is in, by what it holds.

``trec_eval -q`` and ``ir_measures -q`` print the same three columns, and ``tot`` and ``ir_measures`` the same four,
with measure and topic in the other order. A reader that takes one for the other swaps topics and measures without an
error, so nothing is guessed here: either the content tells, or it is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.leaderboard.board.columns import Coded
from pipeline.leaderboard.formats.cells import FormatError
from pipeline.leaderboard.formats.names import FormatName, Role, is_known_measure, is_number, role_of
from pipeline.leaderboard.formats.text import Table, is_blank_or_comment, open_text, readable
from pipeline.leaderboard.formats.wide import LONG

PARQUET_MAGIC = b"PAR1"
RUN_ID = "runid"
"""The measure of trec_eval whose value names the run."""
_SHOWN = 3
_LONGEST = 60

PLAIN_ROLES: dict[FormatName, tuple[Role, ...]] = {
    FormatName.TREC_EVAL: (Role.MEASURE, Role.TOPIC, Role.VALUE),
    FormatName.IR_MEASURES_Q: (Role.TOPIC, Role.MEASURE, Role.VALUE),
    FormatName.TOT: (Role.RUN, Role.MEASURE, Role.TOPIC, Role.VALUE),
    FormatName.IR_MEASURES: (Role.RUN, Role.TOPIC, Role.MEASURE, Role.VALUE),
    FormatName.RANKING: (Role.TOPIC, Role.UNREAD, Role.RUN, Role.UNREAD, Role.VALUE, Role.MEASURE),
}
"""The formats of lines of columns, and what their columns hold."""
_BY_COLUMNS = {
    3: (FormatName.TREC_EVAL, FormatName.IR_MEASURES_Q),
    4: (FormatName.TOT, FormatName.IR_MEASURES),
    6: (FormatName.RANKING,),
}


@dataclass(frozen=True)
class Columns:
    """What the columns of a file hold, and which format that is."""

    format: FormatName
    roles: tuple[Role, ...]
    header: tuple[str, ...] = ()


def kind_of(path: Path) -> FormatName | None:
    """The format of a file that is no lines of columns; None for those, and for a file without any content.

    CSV is told by a first line of words with commas between, one of which names the column of the topic.
    """
    with path.open("rb") as file:
        if file.read(4) == PARQUET_MAGIC:
            return FormatName.PARQUET
    first = first_line(path)
    if first.startswith("{"):
        return FormatName.JSONL
    words = [word.strip().strip('"') for word in first.split(",")]
    roles = {role_of(word) for word in words}
    if len(words) > 1 and "\t" not in first and Role.TOPIC in roles:
        return FormatName.CSV if Role.MEASURE in roles else FormatName.CSV_WIDE
    return None


def first_line(path: Path) -> str:
    """The first line that is neither blank nor a comment; empty without one."""
    with readable(path), open_text(path) as file:
        return next((line.strip() for line in file if not is_blank_or_comment(line)), "")


def columns_of(table: Table, named: FormatName | None, all_topic_id: str) -> Columns:
    """What the columns of a table hold.

    Parameters
    ----------
    table : Table
        With at least one line.
    named : FormatName or None
        The format that somebody said it is; then only content that rules it out is an error.
    all_topic_id : str
        What aggregate rows have for a topic.

    Raises
    ------
    FormatError
        If the content does not tell, contradicts itself or the name, or is of no known format.
    """
    words = tuple(column.texts[column.codes[0]] for column in table.columns)
    roles = [role_of(word) for word in words]
    is_run_line = words[:2] == (RUN_ID, all_topic_id)  # of trec_eval, which may name a run "value"
    if sum(role is not None for role in roles) >= 2 and not is_number(words[-1]) and not is_run_line:
        return _by_header(table, words, roles, named)
    if named is not None and len(PLAIN_ROLES[named]) != len(words):
        raise FormatError(
            f"{_at(table)}: {len(words)} columns, and {named} has {len(PLAIN_ROLES[named])}: "
            f"{', '.join(PLAIN_ROLES[named])}; name the right format, or leave it out to have it found"
        )
    if len(words) not in _BY_COLUMNS:
        raise FormatError(
            f"{_at(table)}: {_columns_found(table, len(words))}; known formats have 3 (trec_eval, ir_measures_q), 4 "
            f"(tot, ir_measures) or 6 (ranking), or a header that names run, topic, measure and value"
        )
    if len(words) == 6:
        return _ranking(table, named)
    if len(words) == 4 and named is None:
        _refuse_judgements(table, all_topic_id)
    found = _by_evidence(table, named, all_topic_id)
    return Columns(found, PLAIN_ROLES[found])


def _columns_found(table: Table, n: int) -> str:
    """How many columns a table has, and what else it looks like."""
    line = table.first.strip()
    found = f"{n} column{'' if n == 1 else 's'}: {line[:_LONGEST]!r}{'...' if len(line) > _LONGEST else ''}"
    if line.startswith("["):
        return f"{found}, by the look of it a JSON array: write one object in each line"
    if "," in line or ";" in line:
        return f"{found}, by the look of it CSV: separate fields by commas, below a header such as {','.join(LONG)}"
    return found


def _by_header(table: Table, words: tuple[str, ...], roles: list[Role | None], named: FormatName | None) -> Columns:
    """The roles that a header names."""
    known = [role for role in roles if role is not None]
    lacking = {Role.TOPIC, Role.MEASURE, Role.VALUE} - set(known)
    if lacking or len(set(known)) < len(known):
        raise FormatError(
            f"{_at(table)}: the header {', '.join(words)} names {', '.join(known)}; it must name topic, measure and "
            f"value once each, and may name run"
        )
    given = tuple(role or Role.UNREAD for role in roles)
    in_order = tuple(role for role in given if role is not Role.UNREAD)
    found = next((one for one, order in PLAIN_ROLES.items() if order == in_order), FormatName.IR_MEASURES)
    if named is not None and named is not found:
        raise FormatError(f"{_at(table)}: the header {', '.join(words)} is that of {found}, not of {named}")
    return Columns(found, given, words)


def _ranking(table: Table, named: FormatName | None) -> Columns:
    """A ranking of runs, which has the form of a run: only whoever wrote it knows which it is."""
    marks = set(table.columns[1].texts)
    if marks - {"Q0", "q0", "0"}:
        raise FormatError(
            f"{_at(table)}: 6 columns are a ranking (topic Q0 run rank value measure), but the second holds "
            f"{', '.join(sorted(marks)[:_SHOWN])} and not Q0"
        )
    if named is None:
        raise FormatError(
            f"{_at(table)}: 6 columns with Q0 are a run (of documents) or a ranking (of runs); evaluate the first, and "
            f"name the format of the second: ranking"
        )
    return Columns(FormatName.RANKING, PLAIN_ROLES[FormatName.RANKING])


def _refuse_judgements(table: Table, all_topic_id: str) -> None:
    """Refuse relevance judgements, which are no values: topic, an iteration that is always 0, document, grade."""
    documents = _distinct(table.columns[2])
    is_judgements = set(table.columns[1].texts) == {"0"} and not any(map(is_known_measure, documents))
    if is_judgements and all_topic_id not in documents:
        raise FormatError(
            f"{_at(table)}: relevance judgements (topic, 0, document, grade), by the look of it; name them as such "
            f"(--expect), or the format if they are values"
        )


def _by_evidence(table: Table, named: FormatName | None, all_topic_id: str) -> FormatName:
    """Which of two columns holds measures and which topics."""
    candidates = _BY_COLUMNS[len(table.columns)]
    left, right = len(table.columns) - 3, len(table.columns) - 2
    measures_left = _evidence(table, left, right, all_topic_id)
    measures_right = _evidence(table, right, left, all_topic_id)
    if any(one.is_certain for one in measures_left) != any(one.is_certain for one in measures_right):
        measures_left, measures_right = (
            [one for one in side if one.is_certain] for side in (measures_left, measures_right)
        )
    if measures_left and measures_right:
        raise FormatError(
            f"{_at(table)}: cannot tell {candidates[0]} from {candidates[1]}: {_joined(measures_left)}, yet "
            f"{_joined(measures_right)}; are two files mixed?"
        )
    if not measures_left and not measures_right:
        if named is not None:
            return named
        tried = " and ".join(f"{one} ({', '.join(PLAIN_ROLES[one])})" for one in candidates)
        columns = " and ".join(f"column {at + 1} ({_some(table.columns[at])})" for at in (left, right))
        raise FormatError(
            f"{_at(table)}: cannot tell which of {tried} it is: what tells ({all_topic_id!r}, numbers, measures of "
            f"trec_eval or ir_measures) is in both or neither of {columns}; name the format"
        )
    found = candidates[0] if measures_left else candidates[1]
    said = measures_left or measures_right
    if named is not None and named is not found:
        if any(one.is_certain for one in said):
            raise FormatError(
                f"{_at(table)}: this is {found}, not {named}: {_joined(said)}; leave the format out, or name the "
                f"right one"
            )
        return named
    return found


@dataclass(frozen=True)
class _Evidence:
    """What speaks for one column to hold measures and another to hold topics.

    That a topic is called like a measure (``P``, ``G``) can be; that a measure is called ``all`` or ``303``, never.
    """

    said: str
    is_certain: bool


def _evidence(table: Table, measures: int, topics: int, all_topic_id: str) -> list[_Evidence]:
    of_measures, of_topics = (_distinct(table.columns[at]) for at in (measures, topics))
    found = []
    if all_topic_id in of_topics and all_topic_id not in of_measures:
        found.append(_Evidence(f"column {topics + 1} holds {all_topic_id!r}", is_certain=True))
    if any(map(is_number, of_topics)) and not any(map(is_number, of_measures)):
        found.append(_Evidence(f"column {topics + 1} holds numbers", is_certain=True))
    if any(map(is_known_measure, of_measures)) and not any(map(is_known_measure, of_topics)):
        example = next(filter(is_known_measure, of_measures))
        found.append(_Evidence(f"column {measures + 1} holds measures such as {example}", is_certain=False))
    return found


def _joined(evidence: Sequence[_Evidence]) -> str:
    return ", ".join(one.said for one in evidence)


def _distinct(column: Coded) -> list[str]:
    return [text for text in column.texts.tolist() if text]


def _some(column: Coded) -> str:
    return ", ".join(_distinct(column)[:_SHOWN])


def _at(table: Table) -> str:
    return f"{table.path}:{table.line[0]}"
