"""What Dagster remembers of a board: its last run."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.instance import dagster_home, open_instance
from pipeline.reports.runs import LastRun
from pipeline.settings import settings

if TYPE_CHECKING:
    import dagster as dg

_RUNS = 100
"""Runs over several boards that are looked through for one."""


def last_runs(boards: Sequence[str], now: datetime) -> dict[str, LastRun]:
    """The last run of each board that had one; nothing is created where no run ever was.

    Parameters
    ----------
    boards : sequence of str
    now : datetime
        UTC, without a zone.
    """
    home = Path(os.environ.get("DAGSTER_HOME") or settings().dagster_home).expanduser()
    if not home.is_dir():
        return {}
    with open_instance(dagster_home()) as instance:
        of_several = _records(instance, _ALL_ASSETS, _RUNS)
        found = {
            board: [
                *_records(instance, board, 1),
                *(record for record in of_several if _concerns(record.dagster_run, board)),
            ]
            for board in boards
        }
    newest = {board: max(records, key=lambda one: one.create_timestamp) for board, records in found.items() if records}
    return {board: _last_run(record, now) for board, record in newest.items()}


_ALL_ASSETS = "__ASSET_JOB"
"""Dagster's name of the job over all assets: `podium run` without a board, and what automation requests."""


def _records(instance: "dg.DagsterInstance", job: str, at_most: int) -> Sequence["dg.RunRecord"]:
    import dagster as dg

    return instance.get_run_records(dg.RunsFilter(job_name=job), limit=at_most)


def _concerns(run: "dg.DagsterRun", board: str) -> bool:
    """Whether a run over several boards was over this one too."""
    chosen = run.asset_selection
    return chosen is None or any(key.path[0] == board for key in chosen)


def _last_run(record: "dg.RunRecord", now: datetime) -> LastRun:
    run = record.dagster_run
    started = None if record.start_time is None else _utc(datetime.fromtimestamp(record.start_time, UTC))
    ended = None if record.end_time is None else _utc(datetime.fromtimestamp(record.end_time, UTC))
    seconds = None if started is None else round(((ended or now) - started).total_seconds(), 1)
    return LastRun(run.run_id, run.status.value.lower(), started or _utc(record.create_timestamp), seconds)


def _utc(moment: datetime) -> datetime:
    """A moment as tables store it: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
