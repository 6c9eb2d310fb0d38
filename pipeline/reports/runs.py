"""The last run of boards, as far as whoever starts the server can tell: reports know no orchestrator."""

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


def no_runs(boards: Sequence[str], now: datetime) -> Mapping[str, LastRun]:  # noqa: ARG001  (a LastRuns)
    """Nothing is known of runs."""
    return {}
