"""What is logged as JSON: one object in a line, with its fields, whoever wrote it."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pipeline.logs import JsonLines, line, logged_as_json

MOMENT = datetime(2026, 3, 2, 10, 0, 0, 123456, timezone(timedelta(hours=1)))


def logged(log: logging.Logger, **given: Any) -> list[dict[str, Any]]:
    stream = io.StringIO()
    with logged_as_json(stream):
        log.info("two\nlines of %s", "text", extra=given)
        try:
            raise ValueError("wrong")
        except ValueError:
            log.exception("it failed")
    return [json.loads(one) for one in stream.getvalue().splitlines()]


def test_a_line_has_the_time_in_utc_and_what_is_given_but_not_what_is_none() -> None:
    found = json.loads(line("INFO", "podium", "näher", MOMENT, board="sp500", asset=None, seconds=1.5))
    assert found == {
        "time": "2026-03-02T09:00:00.123Z",
        "level": "INFO",
        "logger": "podium",
        "message": "näher",
        "board": "sp500",
        "seconds": 1.5,
    }


def test_a_field_never_takes_the_place_of_one_that_every_line_has() -> None:
    assert json.loads(line("INFO", "podium", "said", MOMENT, **{"level": "none", "message": "other"})) == json.loads(
        line("INFO", "podium", "said", MOMENT)
    )


def test_records_are_one_line_each_with_what_was_given_and_tracebacks() -> None:
    before = datetime.now(UTC)
    first, second = logged(logging.getLogger("pipeline.test"), run_id="one", moment=MOMENT)
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(first["time"]) <= datetime.now(UTC)
    assert (first["level"], first["logger"], first["message"]) == ("INFO", "pipeline.test", "two\nlines of text")
    assert (first["run_id"], first["moment"]) == ("one", str(MOMENT))
    assert set(first) == {"time", "level", "logger", "message", "run_id", "moment"}
    assert second["level"] == "ERROR"
    assert second["exception"].endswith("ValueError: wrong")


def test_of_libraries_only_warnings_are_logged() -> None:
    (only,) = logged(logging.getLogger("somebody.elses"))
    assert only["level"] == "ERROR"


def test_what_dagster_logs_has_its_run_and_asset_and_the_message_alone() -> None:
    record = logging.makeLogRecord({"msg": "job - one - toy__scores - said", "name": "dagster", "levelname": "INFO"})
    record.dagster_meta = {"orig_message": "said", "run_id": "one", "step_key": "toy__scores"}
    found = json.loads(JsonLines().format(record))
    assert (found["message"], found["run_id"], found["asset"]) == ("said", "one", "toy/scores")
