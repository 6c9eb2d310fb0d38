"""Which topics a board should have, who says so, and which runs lack what."""

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.leaderboard.arrays import BoolArray
from pipeline.leaderboard.board.entries import Rows
from pipeline.leaderboard.board.measures import OnMissing

UNION = "union"
"""Nobody said which topics are expected: they are those that any run has."""
_SHOWN = 10
CALLER = "caller"


class MissingTopicsError(ValueError):
    """Runs lack topics that they should have; the message names all of them."""


class MissingTopicsWarning(UserWarning):
    """Runs lack topics that they should have; the message names all of them."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which topics were expected, and which of them each run has.

    Parameters
    ----------
    run_ids : tuple of str
        Every run.
    expected_topic_ids : tuple of str
        Every topic that a run should have.
    expected_from : str
        Who says so: ``caller``, ``union`` (nobody: what any run has), or the name of a file of relevance judgements.
    has : bool array
        Whether a row came in for it, shape (runs, expected topics).
    on_missing : OnMissing
        What was done about those without.
    """

    run_ids: tuple[str, ...]
    expected_topic_ids: tuple[str, ...]
    expected_from: str
    has: BoolArray
    on_missing: OnMissing

    @cached_property
    def missing(self) -> Mapping[str, tuple[str, ...]]:
        """Of each run that lacks topics, which ones."""
        return {
            self.run_ids[run]: tuple(self.expected_topic_ids[topic] for topic in np.flatnonzero(~self.has[run]))
            for run in np.flatnonzero(~self.has.all(axis=1))
        }

    @property
    def n_missing(self) -> int:
        """How many pairs of run and topic are missing."""
        return int((~self.has).sum())

    def described(self) -> str:
        """All of it in words: who lacks what."""
        said = {CALLER: "expected", UNION: "that any run has"}.get(self.expected_from, f"of {self.expected_from}")
        lacking = "; ".join(f"{run} lacks {', '.join(topics)}" for run, topics in self.missing.items())
        return f"of {len(self.expected_topic_ids)} topics {said}, {lacking or 'none is missing'}"


def coverage_of(rows: Rows, expected: Collection[str] | None, expected_from: str, on_missing: OnMissing) -> Coverage:
    """Which of the expected topics the rows have; without any, of those that they have.

    Raises
    ------
    ValueError
        If a topic is not expected.
    """
    used = np.zeros(len(rows.topic_ids), dtype=bool)
    has_value = ~rows.is_aggregate & np.any([column.present for column in rows.columns.values()], axis=0)
    used[rows.topic[has_value]] = True
    known = [topic for topic, is_used in zip(rows.topic_ids, used.tolist(), strict=True) if is_used]
    topics = known if expected is None else list(dict.fromkeys(expected))
    place = {topic: at for at, topic in enumerate(topics)}
    if extra := [topic for topic in known if topic not in place]:
        more = f" and {len(extra) - _SHOWN} more" if len(extra) > _SHOWN else ""
        raise ValueError(
            f"topics {', '.join(extra[:_SHOWN])}{more} are not among the {len(topics)} expected ones; "
            f"filter them out first, or expect them"
        )
    column_of = np.array([place.get(topic, 0) for topic in rows.topic_ids], dtype=np.int64)
    has = np.zeros((len(rows.run_ids), len(topics)), dtype=bool)
    has[rows.run[has_value], column_of[rows.topic[has_value]]] = True
    return Coverage(rows.run_ids, tuple(topics), UNION if expected is None else expected_from, has, on_missing)


def act_on(coverage: Coverage) -> None:
    """Refuse a board that lacks topics, or warn of it, if that is to be done.

    Raises
    ------
    MissingTopicsError
        If topics are missing and that is an error.
    """
    if not coverage.missing:
        return
    if coverage.on_missing is OnMissing.ERROR:
        raise MissingTopicsError(
            f"{coverage.described()}; add them, or build with on_missing='fix_aggregate' (each counts with the "
            f"measures' defaults) or 'warn' (sum up what is there)"
        )
    if coverage.on_missing is OnMissing.WARN:
        warnings.warn(
            f"{coverage.described()}; aggregates of these runs are not of the same topics as those of the others",
            MissingTopicsWarning,
            stacklevel=3,
        )
