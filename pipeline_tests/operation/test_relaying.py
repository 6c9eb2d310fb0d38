"""What services print becomes one log of JSON lines, whoever printed it."""

import json
import os
from typing import Any

from pipeline.logs import line
from pipeline.operation.relaying import AsJson, Output

RUN = "0b3a0a0e-8c4d-4b57-9d0c-0123456789ab"


def read(*texts: str) -> list[dict[str, Any]]:
    as_json = AsJson("daemon")
    return [json.loads(as_json(text)) for text in texts]


def test_a_line_of_ours_is_left_as_it_is() -> None:
    ours = line("INFO", "pipeline.reports", "asked", route="/status")
    assert AsJson("report server")(ours) == ours


def test_a_line_of_dagsters_services_has_our_names() -> None:
    (found,) = read('{"event": "sensor ticked", "logger": "dagster.daemon", "level": "info", "timestamp": "x"}')
    assert (found["message"], found["logger"], found["level"]) == ("sensor ticked", "dagster.daemon", "INFO")
    assert (found["service"], "exception" in found) == ("daemon", False)


def test_a_line_of_a_run_has_its_job_its_run_and_its_asset() -> None:
    (found,) = read(f"2026-03-02 09:00:00 +0000 - dagster - DEBUG - toy - {RUN} - 4711 - toy__scores - STEP_START - Go")
    assert (found["level"], found["job"], found["run_id"]) == ("DEBUG", "toy", RUN)
    assert (found["asset"], found["message"]) == ("toy/scores", "STEP_START - Go")


def test_a_traceback_belongs_to_the_run_that_it_follows() -> None:
    head, *rest = read(
        f"\x1b[32m2026-03-02 09:00:00 +0000\x1b[0m - dagster - ERROR - toy - {RUN} - 4711 - toy__scores - it failed",
        "Traceback (most recent call last):",
        "ValueError: wrong",
    )
    assert [one["message"] for one in rest] == ["Traceback (most recent call last):", "ValueError: wrong"]
    for one in rest:
        assert {name: one[name] for name in ("run_id", "asset", "level")} == {
            "run_id": head["run_id"],
            "asset": "toy/scores",
            "level": "ERROR",
        }


def test_anything_else_is_a_message() -> None:
    for text in ("[1, 2]", '{"a": 1}', "", "12:00:00  Running with dbt=1.11"):
        (found,) = read(text)
        assert (found["message"], found["logger"], found["level"]) == (text, "daemon", "INFO")


def test_lines_are_passed_on_whole_and_the_last_without_its_end() -> None:
    told: list[tuple[str, str]] = []
    reading, writing = os.pipe()
    output = Output("daemon", reading, lambda service, text: told.append((service, text)))
    os.write(writing, b"one\r\ntw")
    assert output.pass_on()
    assert told == [("daemon", "one")]
    os.write(writing, "o\n\nthrée".encode())
    assert output.pass_on()
    os.close(writing)
    assert not output.pass_on()
    assert told == [("daemon", "one"), ("daemon", "two"), ("daemon", "thrée")]
