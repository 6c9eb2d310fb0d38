"""What is known of a run: its assets, checks and failures; the sensor sees to every run once and tells the hook."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, RunFailureReason
from dagster._utils.error import serializable_error_info_from_exc_info

from pipeline.components.observing import health_sensor, observe, seen_of
from pipeline.health import Alert, Health, Journal, Seen
from pipeline.settings import settings

TOLD: list[Alert] = []


def hook(alert: Alert) -> None:
    TOLD.append(alert)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline_tests"]')
    monkeypatch.setenv("PODIUM_ALERT", "pipeline_tests.components.test_observing.hook")
    settings.cache_clear()
    TOLD.clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(instance: dg.DagsterInstance, *, breaks: bool = False, warns: bool = False) -> str:
    """A run of two assets, of which the second may break and the first may be warned of; its id."""
    key = dg.AssetKey(["toy", "first"])

    @dg.asset(key=key, check_specs=[dg.AssetCheckSpec("is_small", asset=key)])
    def first() -> dg.MaterializeResult:
        check = dg.AssetCheckResult(
            check_name="is_small",
            passed=not warns,
            severity=dg.AssetCheckSeverity.WARN,
            description="2 violations, the first: {'secret': 1}" if warns else None,
            metadata={"violations": 2 if warns else 0},
        )
        metadata = {"dagster/row_count": 10, "podium/seconds": 1.25}
        return dg.MaterializeResult(metadata=metadata, check_results=[check])

    @dg.asset(key=["toy", "second"], deps=[first])
    def second() -> None:
        if breaks:
            raise KeyError("nobody")

    return dg.materialize([first, second], instance=instance, raise_on_error=False).run_id


def test_a_run_tells_of_assets_checks_and_itself(instance: dg.DagsterInstance) -> None:
    run_id = run(instance, warns=True)
    seen = seen_of(instance, run_id)
    first, second = seen.assets
    assert (first.asset, first.seconds, first.rows, first.run_id) == ("toy/first", 1.25, 10, run_id)
    assert (second.asset, second.rows) == ("toy/second", None)
    assert second.seconds is not None
    assert 0 <= second.seconds < 60
    (check,) = seen.checks
    assert (check.asset, check.check, check.passed, check.severity) == ("toy/first", "is_small", False, "WARN")
    assert (check.violations, check.message) == (2, "2 violations, the first: {'secret': 1}")
    assert seen.failures == ()
    assert seen.job is not None
    assert (seen.job.ok, seen.job.run_id) == (True, run_id)
    assert first.at <= second.at <= seen.job.at + timedelta(seconds=1)


def test_a_step_that_breaks_tells_its_cause_and_the_run_is_not_told_besides(instance: dg.DagsterInstance) -> None:
    seen = seen_of(instance, run(instance, breaks=True))
    (failure,) = seen.failures
    assert (failure.asset, failure.cause, failure.what, failure.message) == (
        "toy/second",
        "KeyError",
        "asset",
        "'nobody'",
    )
    assert [one.asset for one in seen.assets] == ["toy/first"]
    assert seen.job is not None
    assert not seen.job.ok


def test_a_run_that_is_killed_fails_as_a_whole(instance: dg.DagsterInstance) -> None:
    stuck = instance.create_run_for_job(dg.job(name="toy")(lambda: None), status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(stuck, "process 4711 ended without a word")
    (failure,) = seen_of(instance, stuck.run_id).failures
    assert (failure.asset, failure.what, failure.message) == ("toy", "run", "process 4711 ended without a word")


def test_a_run_that_was_told_to_end_before_or_between_steps_did_not_fail(
    instance: dg.DagsterInstance, folder: Path
) -> None:
    stopped = instance.create_run_for_job(dg.job(name="toy")(lambda: None), status=dg.DagsterRunStatus.STARTED)
    try:
        raise DagsterExecutionInterruptedError
    except DagsterExecutionInterruptedError:
        why = serializable_error_info_from_exc_info(sys.exc_info())
    event = DagsterEvent.job_failure(stopped.job_name, "", RunFailureReason.UNEXPECTED_TERMINATION, error_info=why)
    instance.report_dagster_event(event, stopped.run_id)
    assert seen_of(instance, stopped.run_id) == Seen()
    observe(instance, stopped.run_id)
    assert TOLD == []


def test_a_run_that_is_not_there_tells_nothing(instance: dg.DagsterInstance) -> None:
    assert seen_of(instance, "none").job is None


def test_one_alert_for_each_cause_until_it_recovers(instance: dg.DagsterInstance, folder: Path) -> None:
    for breaks, warns in ((True, True), (True, True), (False, False), (False, False)):
        observe(instance, run(instance, breaks=breaks, warns=warns))
    assert [(one.state, one.asset, one.cause) for one in TOLD] == [
        ("failed", "toy/first", "is_small"),
        ("failed", "toy/second", "KeyError"),
        ("recovered", "toy/first", "is_small"),
        ("recovered", "toy/second", "KeyError"),
    ]
    known = Journal(folder / "health").read()
    assert (known.failures, known.failing_checks) == ({}, ())
    assert set(known.assets) == {"toy/first", "toy/second"}


def test_what_cannot_be_noted_is_logged_and_nothing_more(
    instance: dg.DagsterInstance, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "health").write_text("no folder")
    run_id = run(instance)
    observe(instance, run_id)
    assert f"what run {run_id} came to could not be noted" in caplog.text


def test_the_sensor_sees_to_every_run_once(instance: dg.DagsterInstance, folder: Path) -> None:
    def tick(cursor: str | None) -> tuple[str | None, str]:
        context = dg.build_sensor_context(instance, cursor=cursor, sensor_name="health")
        skipped = health_sensor()(context)
        assert isinstance(skipped, dg.SkipReason)
        return context.cursor, skipped.skip_message or ""

    assert tick(None) == (None, "no run ended")
    run(instance, breaks=True)
    run(instance, warns=True)
    cursor, said = tick(None)
    assert said == "2 runs ended since"
    assert tick(cursor) == (cursor, "no run ended")
    # The second of the two computed what the first could not: of that nobody needs to hear.
    assert [(one.state, one.cause) for one in TOLD] == [("failed", "is_small")]
    run(instance)
    _, said = tick(cursor)
    assert said == "1 runs ended since"
    assert [(one.state, one.cause) for one in TOLD[1:]] == [("recovered", "is_small")]
    assert Journal(folder / "health").read() != Health()
