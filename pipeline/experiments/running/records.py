"""What a queue holds: runs, the outcomes that end them, and scores that were given to runs."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pipeline.experiments.identity import RunConfig
from pipeline.experiments.running.times import as_time

ENDED = ("completed", "failed", "cancelled")
"""What a run is when nothing more comes of it by itself."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Parameters
    ----------
    status : str
        completed, failed or cancelled.
    output : str or None
    tokens_in, tokens_out : int or None
        None where nobody says.
    cost : float or None
        US dollars; None where unknown.
    error : str or None
        What went wrong, in Podium's words.
    error_detail : str or None
        What the provider said of it.
    stages : tuple of mapping
        In order: stage, status, started_at, completed_at (texts of ISO 8601), duration_ms, tokens_in, tokens_out,
        cost, sent, output, error, error_detail.
    """

    status: str
    output: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    error: str | None = None
    error_detail: str | None = None
    stages: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.status not in ENDED:
            raise ValueError(f"status {self.status!r} ends no run; known: {', '.join(ENDED)}")


@dataclass(frozen=True)
class QueuedRun:
    """A run in the queue, with the columns of experiments.runs.

    Parameters
    ----------
    params : str
        Canonical JSON of the parameters of its ``config``.
    is_planned : bool
        Whether the declaration asks for it; otherwise somebody put it in.
    claim : int
        Which taking of a run this is, of all that there were; 0 for none.
    change : int
        The queue's count of changes when the row was changed last.
    asked_by : str or None
        Who put it in, where somebody did; private.
    """

    run_id: str
    config_hash: str
    repeat: int
    config: RunConfig
    prompt: str
    prompt_version: str
    params: str
    input_id: str
    is_planned: bool
    status: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    output: str | None
    error: str | None
    error_detail: str | None
    stages: tuple[Mapping[str, Any], ...]
    claim: int
    change: int
    asked_by: str | None

    @property
    def key(self) -> tuple[str, int]:
        """What makes it the same run as another."""
        return self.config_hash, self.repeat

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.status in ENDED

    @classmethod
    def of(cls, row: sqlite3.Row) -> "QueuedRun":
        """A row of the table of runs."""
        values = {name: row[name] for name in row.keys() if name in cls.__dataclass_fields__}  # noqa: SIM118
        times = {name: as_time(row[name]) for name in ("created_at", "started_at", "completed_at")}
        config = RunConfig.of(json.loads(row["config"]))
        read = {"config": config, "stages": tuple(json.loads(row["stages"])), "is_planned": bool(row["is_planned"])}
        return cls(**(values | times | read))


@dataclass(frozen=True)
class GivenScore:
    """A score of a run, with the columns of experiments.scores.

    Parameters
    ----------
    score_id : str
        A name of its own.
    rater : str or None
        The person; None for a machine.
    value : float or None
        From 0 to 1; None where it cannot be told, and ``reason`` says why.
    change : int
        The queue's count of changes when it was given.
    """

    score_id: str
    run_id: str
    scorer: str
    kind: str
    version: str
    scored_at: datetime
    rater: str | None = None
    identity: str | None = None
    value: float | None = None
    reason: str | None = None
    details: Mapping[str, Any] | None = field(default=None)
    change: int = 0

    @classmethod
    def of(cls, row: sqlite3.Row) -> "GivenScore":
        """A row of the table of scores."""
        values = {name: row[name] for name in row.keys() if name in cls.__dataclass_fields__}  # noqa: SIM118
        details = None if row["details"] is None else json.loads(row["details"])
        return cls(**(values | {"scored_at": as_time(row["scored_at"]), "details": details}))


class Seen(NamedTuple):
    """What a published file says of a run: enough to tell whether the queue knows more."""

    status: str
    completed_at: datetime | None


class Kind(NamedTuple):
    """Runs of one model with one set of parameters, as canonical JSON: all can be run, or none."""

    model: str
    params: str


def storable(value: Any) -> Any:
    """A value as every reader can take it: of texts, what is no Unicode (half of a surrogate pair, NUL) is escaped."""
    if isinstance(value, str):
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {storable(name): storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    return value
