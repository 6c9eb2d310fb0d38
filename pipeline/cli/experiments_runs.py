"""Runs of an experiment as a command lists them: those that are published, and what the queue knows besides."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.settings import settings
from pipeline.tables import EXPERIMENT_CONFIGURATIONS, EXPERIMENT_RUN_BOARD, EXPERIMENT_RUNS
from pipeline.warehouse import NotPublishedError, Sql, compose, open_published

if TYPE_CHECKING:
    from pipeline.experiments import Experiment
    from pipeline.experiments.running import QueuedRun

_PUBLISHED = """
    SELECT r.run_id, r.status, c.prompt, c.prompt_version, r.input_id, r.repeat, r.created_at, r.completed_at,
           r.tokens_in, r.tokens_out, r.cost, r.output, r.error, c.model, c.parameters
    FROM {runs} AS r LEFT JOIN {configurations} AS c USING (experiment, configuration)
    WHERE r.experiment = ? AND r.run_id NOT IN (SELECT unnest(?::VARCHAR[])) AND (?::VARCHAR IS NULL OR r.status = ?)
"""
_SCORES = "SELECT run_id, score FROM {board} WHERE experiment = ?"


def listed_runs(experiment: "Experiment", status: str | None, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Runs, the newest first and those that are only declared last, and how many there are without the limit.

    Only what is published has a weighted score.
    """
    from pipeline.intake.executing import has_queue, pending_of
    from pipeline.intake.queueing import open_queue

    queued: list[QueuedRun] = []
    if has_queue(experiment, settings()):
        pending_of(experiment, settings())
        with open_queue(experiment.name, settings()) as queue:
            queued = queue.runs()
    rows = [_of_queue(one) for one in queued if status in (None, one.status)]
    rows += _published(experiment.name, [one.run_id for one in queued], status)
    rows.sort(key=lambda one: one["completed_at"] or one["created_at"] or datetime.min, reverse=True)
    scores = _scores(experiment.name)
    return [one | {"score": scores.get(one["run_id"])} for one in rows[:limit]], len(rows)


def _of_queue(run: "QueuedRun") -> dict[str, Any]:
    names = ("run_id", "status", "prompt", "prompt_version", "input_id", "repeat", "created_at", "completed_at")
    more = ("tokens_in", "tokens_out", "cost", "output", "error")
    asked = {"model": run.config.model, "parameters": dict(run.config.params)}
    return {name: getattr(run, name) for name in (*names, *more)} | asked


def _published(name: str, without: list[str], status: str | None) -> list[dict[str, Any]]:
    statement = compose(_PUBLISHED, runs=EXPERIMENT_RUNS, configurations=EXPERIMENT_CONFIGURATIONS)
    return [
        one | {"parameters": json.loads(one["parameters"] or "{}")}
        for one in _rows(statement, [name, without, status, status])
    ]


def _scores(name: str) -> dict[str, float | None]:
    return {one["run_id"]: one["score"] for one in _rows(compose(_SCORES, board=EXPERIMENT_RUN_BOARD), [name])}


def _rows(statement: Sql, values: Sequence[object]) -> list[dict[str, Any]]:
    """Rows of what is published; none where nothing is, or an older Podium published it without the table."""
    try:
        with open_published(settings().published_dir) as connection:
            found = connection.execute(statement, list(values))
            columns = [column[0] for column in found.description]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except (NotPublishedError, duckdb.CatalogException, duckdb.BinderException):
        return []
