"""Names: of formats, of the columns in a header, and of a run that only its file names."""

import re
from enum import StrEnum
from pathlib import Path

from pipeline.leaderboard.board.known import known_measure

_ENDINGS = re.compile(r"\.(eval|tsv|txt|jsonl|ndjson|json|csv|parquet|gz|out|res|results?|trec_eval|ir_measures|tot)$")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)


class FormatName(StrEnum):
    """The formats that can be read; all but ``ranking`` can be written."""

    TREC_EVAL = "trec_eval"
    """``trec_eval -q``: measure, topic, value; the run in ``runid all NAME`` or the file's name."""
    IR_MEASURES_Q = "ir_measures_q"
    """``ir_measures -q``: topic, measure, value; the run in the file's name."""
    TOT = "tot"
    """run, measure, topic, value."""
    IR_MEASURES = "ir_measures"
    """run, topic, measure, value."""
    RANKING = "ranking"
    """topic, Q0, run, rank, value, measure: a ranking of runs in the form of a TREC run."""
    JSONL = "jsonl"
    """JSON lines: one object for each value."""
    CSV = "csv"
    """One line for each value."""
    CSV_WIDE = "csv_wide"
    """One line for each run and topic, one column for each measure."""
    PARQUET = "parquet"
    """One row for each value."""
    PARQUET_WIDE = "parquet_wide"
    """One row for each run and topic, one column for each measure."""


class Role(StrEnum):
    """What a column holds."""

    RUN = "run"
    TOPIC = "topic"
    MEASURE = "measure"
    VALUE = "value"
    UNREAD = "unread"


_WORDS = {
    Role.RUN: {"run", "run_id", "runid", "runtag", "run_tag", "run_name", "system", "system_id"},
    Role.TOPIC: {
        "topic",
        "topic_id",
        "topicid",
        "query",
        "query_id",
        "queryid",
        "qid",
        "request_id",
        "narrative_id",
    },
    Role.MEASURE: {"measure", "metric", "eval_metric", "measure_name", "metric_name"},
    Role.VALUE: {"value", "score", "metric_value"},
}


def role_of(word: str) -> Role | None:
    """What a column of that name holds; None where the name does not say."""
    return next((role for role, words in _WORDS.items() if word.strip().lower() in words), None)


def is_number(text: str) -> bool:
    """Whether a name is a plain number, as topics often are and measures never."""
    return _NUMBER.fullmatch(text) is not None


def is_known_measure(text: str) -> bool:
    """Whether trec_eval or ir_measures print a measure of that name."""
    return known_measure(text) is not None


def run_of_file(path: Path) -> str:
    """The run that a file is about, by its name without the endings that say what it holds.

    Examples
    --------
    >>> run_of_file(Path("runs/my.run.v1.eval.txt"))
    'my.run.v1'
    """
    name = path.name
    while (shorter := _ENDINGS.sub("", name)) not in (name, ""):
        name = shorter
    return name
