"""The last run of boards and when schedules are due, as whoever starts the server tells: it knows no orchestrator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LastRun:
    """The newest run that a board was part of; seconds until now while it goes on, None before it starts."""

    run_id: str
    status: str
    started_at: datetime
    seconds: float | None


LastRuns = Callable[[Sequence[str], datetime], Mapping[str, LastRun]]
"""From the names of boards and the time (UTC, without a zone) to the last run of each that had one."""


NextTick = Callable[[str, datetime], datetime | None]
"""From a cron line and the time (UTC, without a zone, as is the answer) to the next time that it is due."""


def no_ticks(cron: str, now: datetime) -> datetime | None:  # noqa: ARG001  (a NextTick)
    """Nothing is known of schedules."""
    return None


def no_runs(boards: Sequence[str], now: datetime) -> Mapping[str, LastRun]:  # noqa: ARG001  (a LastRuns)
    """Nothing is known of runs."""
    return {}
