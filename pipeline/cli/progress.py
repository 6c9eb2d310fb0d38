"""Progress of a Dagster run on a terminal: a line for each asset as it is done, from the run's own event log.

The run executes in the main thread, so that Ctrl-C ends it as Dagster expects; this one watches from another.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console

_POLL_SECONDS = 0.2


@dataclass
class AssetReport:
    """What a run did to one asset."""

    asset: str
    rows: int | None
    cycles_recomputed: int | None
    cycles_changed: int | None
    why: str
    seconds: float


@dataclass
class Watch:
    """What is known of a run so far."""

    assets: list[AssetReport] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _Watcher:
    def __init__(self, instance: dg.DagsterInstance, run_id: str, console: Console | None) -> None:
        self.watch = Watch()
        self._instance, self._run_id, self._console = instance, run_id, console
        self._cursor: str | None = None
        self._started: dict[str, float] = {}

    def poll(self) -> None:
        """Take in the events since the last time."""
        connection = self._instance.get_records_for_run(self._run_id, cursor=self._cursor)
        self._cursor = connection.cursor
        for record in connection.records:
            event = record.event_log_entry.dagster_event
            if event is not None:
                self._take(event, record.event_log_entry.timestamp)

    def _take(self, event: dg.DagsterEvent, timestamp: float) -> None:
        kind = event.event_type
        if kind == dg.DagsterEventType.STEP_START and event.step_key:
            self._started[event.step_key] = timestamp
            self._say(f"[dim]… {event.step_key.replace('__', '/')}[/dim]")
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
            self._materialized(event, timestamp - self._started.get(event.step_key or "", timestamp))
        elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed:
                name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
                self.watch.failed_checks.append(name)
                self._say(f"[red]✗[/red] check {name}: {evaluation.description or ''}")
        elif kind == dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            first_line = (cause.message if cause else "").strip().splitlines() or ["no message"]
            self.watch.failures.append(f"{(event.step_key or '').replace('__', '/')}: {first_line[0]}")

    def _materialized(self, event: dg.DagsterEvent, seconds: float) -> None:
        metadata = event.step_materialization_data.materialization.metadata
        report = AssetReport(
            asset=event.asset_key.to_user_string() if event.asset_key else "",
            rows=_value(metadata, "dagster/row_count"),
            cycles_recomputed=_value(metadata, "podium/cycles_recomputed"),
            cycles_changed=_value(metadata, "podium/cycles_changed"),
            why=_value(metadata, "podium/why") or "",
            seconds=round(seconds, 2),
        )
        self.watch.assets.append(report)
        rows = "" if report.rows is None else f"{report.rows:,} rows"
        self._say(f"[green]✓[/green] {report.asset:32} {rows:>15}  {seconds:5.1f} s  {report.why}")

    def _say(self, line: str) -> None:
        if self._console is not None:
            self._console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def watching(instance: dg.DagsterInstance, run_id: str, console: Console | None) -> Iterator[Watch]:
    """Watch a run that is executed inside the block, printing as it goes; complete when the block ends.

    Parameters
    ----------
    instance : DagsterInstance
        Where the run's events go.
    run_id : str
    console : Console or None
        Where to print; None prints nothing.
    """
    watcher = _Watcher(instance, run_id, console)
    done = threading.Event()

    def follow() -> None:
        while not done.wait(_POLL_SECONDS):
            watcher.poll()

    thread = threading.Thread(target=follow, name="progress", daemon=True)
    thread.start()
    try:
        yield watcher.watch
    finally:
        done.set()
        thread.join(timeout=5)
        time.sleep(0)
        watcher.poll()


def _value(metadata: Any, name: str) -> Any:
    entry = metadata.get(name)
    return None if entry is None else entry.value
