"""What Dagster knows of a run, as the state of its assets and checks; and the sensor that sees to it.

One sensor in place of Dagster's own for failed runs: it also sees checks that only warn, which fail no run, runs of
``podium run``, which belong to no code location, and what is well again. What it saw it may see again: nothing changes.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg

from pipeline.clock import utc_now
from pipeline.components.metadata import SECONDS
from pipeline.health import AssetState, CheckState, Failure, Hook, JobState, Journal, Seen, after, hook_of, tell
from pipeline.logs import asset_of
from pipeline.settings import settings

_EVERY_SECONDS = 30
_LOOKS_BACK = timedelta(days=7)
"""How far the first tick looks back."""
_AT_ONCE = 20
"""Runs that are looked at in one tick."""
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_STOPPED = ("KeyboardInterrupt", "DagsterExecutionInterruptedError")
_COUNTS = ("violations", "dagster_dbt/failed_row_count")
"""Metadata in which checks say how many rows break them."""
_log = logging.getLogger(__name__)


def observe(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note what a run came to, and tell the hook what is new of it; what goes wrong with that is logged."""
    try:
        journal = Journal(settings().health_dir)
        journal.change(partial(after, seen=seen_of(instance, run_id)))
        _tell(journal)
    except Exception as error:  # the run is done: nothing that is told of it makes it fail
        _log.warning("what run %s came to could not be noted: %s: %s", run_id, type(error).__name__, error)


def _tell(journal: Journal) -> None:
    hook: Hook | None = hook_of(settings())
    if hook is not None:
        tell(journal, hook)


def seen_of(instance: dg.DagsterInstance, run_id: str) -> Seen:
    """What a run did to assets and checks, as far as it went."""
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return Seen()
    run = _Run(run_id)
    for entry in _entries(instance, run_id):
        if entry.dagster_event is not None:
            run.take(entry.dagster_event, _moment(entry.timestamp))
    return run.seen(record)


def _entries(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.EventLogEntry]:
    cursor, has_more = None, True
    while has_more:
        found = instance.get_records_for_run(run_id, cursor=cursor)
        cursor, has_more = found.cursor, found.has_more
        yield from (record.event_log_entry for record in found.records)


@dataclass
class _Run:
    """What the events of a run told so far."""

    run_id: str
    started: dict[str, datetime] = field(default_factory=dict)
    assets: dict[str, AssetState] = field(default_factory=dict)
    checks: list[CheckState] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    whole: tuple[datetime, str, str] | None = None
    is_stopped: bool = False

    def take(self, event: dg.DagsterEvent, at: datetime) -> None:
        """Take in an event."""
        step = asset_of(event.step_key) or ""
        kind = event.event_type
        if kind == dg.DagsterEventType.STEP_START:
            self.started[step] = at
        elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._materialized(event.step_materialization_data.materialization, step, at)
        elif kind == dg.DagsterEventType.STEP_SUCCESS and step not in self.assets:  # of several assets, or of none
            self.assets[step] = AssetState(step, at, self.run_id, self._seconds(step, at))
        elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self.checks.append(_check(event.asset_check_evaluation_data, at, self.run_id))
        elif kind == dg.DagsterEventType.STEP_FAILURE:
            self._failed(step, event.step_failure_data.error, at)
        elif kind == dg.DagsterEventType.RUN_FAILURE:
            error = event.job_failure_data.error if event.event_specific_data is not None else None
            cause, message = cause_of(error, event.message or "no message")
            if cause in _STOPPED:  # before or between steps
                self.is_stopped = True
            else:
                self.whole = (at, cause, message)

    def seen(self, record: dg.RunRecord) -> Seen:
        """All of it; a run that failed at a step failed there, and not as a whole."""
        run = record.dagster_run
        ended = _utc(record.update_timestamp) if record.end_time is None else _moment(record.end_time)
        failures = list(self.failures)
        if self.whole is not None and not failures and not self.is_stopped:
            at, cause, message = self.whole
            failures.append(Failure(run.job_name, cause, "run", "ERROR", at, self.run_id, message))
        job = None
        if run.status in _ENDED and run.status != dg.DagsterRunStatus.CANCELED and not self.is_stopped:
            took = None if record.start_time is None or record.end_time is None else record.end_time - record.start_time
            job = JobState(run.job_name, run.status == dg.DagsterRunStatus.SUCCESS, ended, self.run_id, took)
        return Seen(tuple(self.assets.values()), tuple(self.checks), tuple(failures), job)

    def _materialized(self, made: dg.AssetMaterialization, step: str, at: datetime) -> None:
        key, metadata = made.asset_key.to_user_string(), made.metadata
        seconds = _value(metadata, SECONDS)
        if seconds is None and key == step:
            seconds = self._seconds(step, at)
        self.assets[key] = AssetState(key, at, self.run_id, seconds, _value(metadata, "dagster/row_count"))

    def _failed(self, step: str, error: Any, at: datetime) -> None:
        cause, message = cause_of(error)
        if cause in _STOPPED:
            self.is_stopped = True
        else:
            self.failures.append(Failure(step, cause, "asset", "ERROR", at, self.run_id, message))

    def _seconds(self, step: str, at: datetime) -> float | None:
        begun = self.started.get(step)
        return None if begun is None else round((at - begun).total_seconds(), 3)


def health_sensor() -> dg.SensorDefinition:
    """Note what every run came to, whoever started it, and tell the hook what failed and what is well again."""

    @dg.sensor(
        name="health",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_EVERY_SECONDS,
        description="Notes what runs and checks came to, and tells the hook of PODIUM_ALERT.",
    )
    def health(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        since = datetime.fromisoformat(context.cursor) if context.cursor else utc_now() - _LOOKS_BACK
        wanted = dg.RunsFilter(statuses=list(_ENDED), updated_after=since)
        records = context.instance.get_run_records(wanted, limit=_AT_ONCE, order_by="update_timestamp", ascending=True)
        journal = Journal(settings().health_dir)
        for record in records:
            journal.change(partial(after, seen=seen_of(context.instance, record.dagster_run.run_id)))
            # Only then: a tick that is killed looks at the same runs again.
            context.update_cursor(_utc(record.update_timestamp).isoformat())
        _tell(journal)
        return dg.SkipReason(f"{len(records)} runs ended since" if records else "no run ended")

    return health


def _check(evaluation: Any, at: datetime, run_id: str) -> CheckState:
    count = next((found for name in _COUNTS if (found := _value(evaluation.metadata, name)) is not None), None)
    return CheckState(
        asset=evaluation.asset_key.to_user_string(),
        check=evaluation.check_name,
        passed=bool(evaluation.passed),
        severity=evaluation.severity.value,
        at=at,
        run_id=run_id,
        message="" if evaluation.passed else evaluation.description or "",
        violations=None if evaluation.passed or not isinstance(count, int) else count,
    )


def _utc(moment: datetime) -> datetime:
    """A moment of Dagster's, which is UTC with or without a zone, as all others here."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def cause_of(error: Any, otherwise: str = "no message") -> tuple[str, str]:
    """Class and message of a recorded error; Dagster records both as one text, ``package.Class: message``."""
    cause = error.cause if error is not None and error.cause is not None else error
    if cause is None:
        return "error", otherwise
    name = cause.cls_name or "error"
    _, _, message = cause.message.partition(f"{name}:")
    return name, " ".join((message or cause.message).split())


def _value(metadata: Mapping[str, Any], name: str) -> Any:
    entry = metadata.get(name)
    return None if entry is None else entry.value


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC).replace(tzinfo=None)
