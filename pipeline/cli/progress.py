"""Progress of a Dagster run: a line for each asset as it is done, on a terminal and logged, from the run's event log.

The run executes in the main thread, so that Ctrl-C ends it as Dagster expects; this one watches from another.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

from pipeline.cli.output import counted
from pipeline.components.observing import cause_of
from pipeline.logs import asset_of

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_INTERRUPTS = ("KeyboardInterrupt", "DagsterExecutionInterruptedError")


@dataclass(frozen=True)
class AssetReport:
    """What a run did to one asset; a table without cycles changes as one."""

    asset: str
    rows: int | None
    has_cycles: bool
    cycles_recomputed: int | None
    cycles_changed: int | None
    why: str
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A step that failed: the class of the error behind it, and its message on one line."""

    step: str
    error: str
    message: str


@dataclass
class Watch:
    """What is known of a run so far."""

    assets: list[AssetReport] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    waits_for: str = ""
    """The boards without which nothing is published, as the warehouse lost them."""

    @property
    def is_stopped(self) -> bool:
        """Whether Ctrl-C ended the run."""
        return any(failure.error in _INTERRUPTS for failure in self.failures)

    @property
    def cycles_recomputed(self) -> int:
        """Of each board the most cycles that any of its tables recomputed, added up: most cycles are in all tables."""
        most: dict[str, int] = {}
        for report in self.assets:
            board = report.asset.rpartition("/")[0]
            if report.has_cycles:
                most[board] = max(most.get(board, 0), report.cycles_recomputed or 0)
        return sum(most.values())

    @property
    def whole_tables_recomputed(self) -> int:
        """Tables without cycles that were computed anew."""
        return sum(1 for report in self.assets if report.cycles_recomputed and not report.has_cycles)


class _Watcher:
    """Reads a run's events, keeps what they tell, and prints it."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str, console: Console | None) -> None:
        self.watch = Watch()
        self._instance, self._run_id, self._console = instance, run_id, console
        self._cursor: str | None = None
        self._started: dict[str, float] = {}
        self._materialized_steps: set[str | None] = set()

    def poll(self) -> None:
        """Take in the events since the last time."""
        has_more = True
        while has_more:
            connection = self._instance.get_records_for_run(self._run_id, cursor=self._cursor)
            self._cursor, has_more = connection.cursor, connection.has_more
            for record in connection.records:
                entry = record.event_log_entry
                if entry.dagster_event is not None:
                    self._take(entry.dagster_event, entry.timestamp)
                else:
                    level, asset = _level(entry.level), asset_of(entry.step_key)
                    _log.log(level, "%s", entry.user_message, extra=self._told(asset))

    def _take(self, event: dg.DagsterEvent, timestamp: float) -> None:
        kind = event.event_type
        if kind == dg.DagsterEventType.STEP_START and event.step_key:
            self._started[event.step_key] = timestamp
            self._say(f"[dim]… {escape(_step(event))}[/dim]")
            _log.info("started", extra=self._told(_step(event)))
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._materialized(event, timestamp - self._started.get(event.step_key or "", timestamp))
        elif kind == dg.DagsterEventType.STEP_SUCCESS and event.step_key not in self._materialized_steps:
            self._say(f"[green]✓[/green] {escape(_step(event)):32} {'':>15}           nothing new")
            _log.info("done: nothing new", extra=self._told(_step(event)))
        elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked(event)
        elif kind == dg.DagsterEventType.STEP_FAILURE:
            self._failed(_step(event), event.step_failure_data.error)
        elif kind == dg.DagsterEventType.RUN_FAILURE and not self.watch.failures:
            self._failed("run", event.job_failure_data.error)

    def _materialized(self, event: dg.DagsterEvent, seconds: float) -> None:
        materialization = event.step_materialization_data.materialization
        metadata = materialization.metadata
        report = AssetReport(
            asset=materialization.asset_key.to_user_string(),
            rows=_value(metadata, "dagster/row_count"),
            has_cycles=bool(_value(metadata, "podium/has_cycles")),
            cycles_recomputed=_value(metadata, "podium/cycles_recomputed"),
            cycles_changed=_value(metadata, "podium/cycles_changed"),
            why=_value(metadata, "podium/why") or "",
            seconds=round(seconds, 2),
        )
        self.watch.assets.append(report)
        self.watch.waits_for = _value(metadata, "podium/waits_for") or self.watch.waits_for
        self._materialized_steps.add(event.step_key)
        rows = "" if report.rows is None else counted(report.rows, "row")
        differ = f"; rows differ in {report.cycles_changed:,}" if report.cycles_recomputed else ""
        line = f"{escape(report.asset):32} {rows:>15}  {seconds:5.1f} s  {escape(report.why)}{differ}"
        self._say(f"[green]✓[/green] {line}")
        _log.info("done: %s", report.why, extra=self._told(report.asset, rows=report.rows, seconds=report.seconds))

    def _checked(self, event: dg.DagsterEvent) -> None:
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed:
            name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
            self.watch.failed_checks.append(name)
            self._say(f"[red]✗[/red] check {escape(name)}: {escape(evaluation.description or '')}")
            told = self._told(evaluation.asset_key.to_user_string(), check=evaluation.check_name)
            _log.warning("check failed: %s", evaluation.description or "", extra=told)

    def _failed(self, step: str, error: Any) -> None:
        failure = Failure(step, *cause_of(error))
        self.watch.failures.append(failure)
        if not self.watch.is_stopped:
            self._say(f"[red]✗[/red] {escape(step)}: {escape(failure.message)}")
            _log.error("failed: %s", failure.message, extra=self._told(step, error=failure.error))

    def _told(self, asset: str | None, **more: Any) -> dict[str, Any]:
        """What is logged with a message about an asset; its board is the first part of its key."""
        board = asset.partition("/")[0] if asset and "/" in asset else None
        return {"run_id": self._run_id, "board": board, "asset": asset, **more}

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
        The run; its events may begin later.
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
        thread.join()
        watcher.poll()


def _step(event: dg.DagsterEvent) -> str:
    """The step's name as the asset's key."""
    return asset_of(event.step_key) or ""


def _level(level: str | int) -> int:
    return level if isinstance(level, int) else logging.getLevelNamesMapping().get(level, logging.INFO)


def _value(metadata: Mapping[str, Any], name: str) -> Any:
    entry = metadata.get(name)
    return None if entry is None else entry.value
