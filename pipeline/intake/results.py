"""An experiment's queue, its inbox and its published tables: what goes from each to the next.

Results go into the inbox as JSON lines, runs before the scores that are given to them; what is seen published just as
the queue has it is forgotten there.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import filelock

from pipeline.clock import utc_now
from pipeline.experiments import RUNS, SCORES, Experiment, InputSpec, RunConfig
from pipeline.experiments.running import ENDED, GivenScore, Queue, QueueBusyError, QueuedRun, Seen
from pipeline.experiments.scorers import Answer
from pipeline.landing import deliver
from pipeline.settings import Settings
from pipeline.tables import EXPERIMENT_RUNS, EXPERIMENT_SCORES
from pipeline.warehouse import NotPublishedError, compose, open_published

_ROWS_PER_FILE = 1000
_LOCK_SECONDS = 60.0
_NOTHING = (NotPublishedError, duckdb.CatalogException, duckdb.BinderException)
"""Nothing is published yet, or by a Podium without these tables."""


@dataclass(frozen=True)
class Published:
    """What is published of an experiment.

    Parameters
    ----------
    runs : mapping of str to Seen
        By ``run_id``; those that are only declared are left out.
    ended : frozenset of (config_hash, repeat)
        Runs that ended.
    repeats : mapping of str to int
        The last repeat of each ``config_hash``.
    score_ids : frozenset of str
    known : frozenset of (run_id, scorer, identity)
        Scores by what they are known by.
    """

    runs: Mapping[str, Seen] = field(default_factory=dict)
    ended: frozenset[tuple[str, int]] = frozenset()
    repeats: Mapping[str, int] = field(default_factory=dict)
    score_ids: frozenset[str] = frozenset()
    known: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def completed(self) -> list[str]:
        """``run_id`` of those that were answered: unlike one that failed, they never wait again."""
        return [run_id for run_id, seen in self.runs.items() if seen.status == "completed"]


def published_of(name: str, given: Settings) -> Published:
    """What is published of an experiment; nothing where nothing is."""
    of_runs = compose(
        "SELECT run_id, config_hash, repeat, status, completed_at FROM {runs} "
        "WHERE experiment = ? AND created_at IS NOT NULL",
        runs=EXPERIMENT_RUNS,
    )
    of_scores = compose(
        "SELECT run_id, scorer, identity, score_id FROM {scores} "
        "WHERE experiment = ? AND (identity IS NOT NULL OR score_id IS NOT NULL)",
        scores=EXPERIMENT_SCORES,
    )
    try:
        with open_published(given.published_dir) as connection:
            runs = connection.execute(of_runs, [name]).fetchall()
            scores = connection.execute(of_scores, [name]).fetchall()
    except _NOTHING:
        return Published()
    repeats: dict[str, int] = {}
    for _, config_hash, repeat, _, _ in runs:
        repeats[config_hash] = max(repeat, repeats.get(config_hash, 0))
    return Published(
        {run_id: Seen(status, completed_at) for run_id, _, _, status, completed_at in runs},
        frozenset((config_hash, repeat) for _, config_hash, repeat, status, _ in runs if status in ENDED),
        repeats,
        frozenset(score_id for *_, score_id in scores if score_id is not None),
        frozenset((run_id, scorer, identity) for run_id, scorer, identity, _ in scores if identity is not None),
    )


def published_answers(
    experiment: Experiment, inputs: Sequence[InputSpec], given: Settings
) -> Iterator[tuple[str, Answer]]:
    """Published completed runs as what scorers see of them."""
    statement = compose(
        "SELECT run_id, input_id, config, output FROM {runs} WHERE experiment = ? AND status = 'completed' "
        "ORDER BY run_id",
        runs=EXPERIMENT_RUNS,
    )
    try:
        with open_published(given.published_dir) as connection:
            rows = connection.execute(statement, [experiment.name]).fetchall()
    except _NOTHING:
        return
    references = {one.id: one.reference for one in inputs}
    for run_id, input_id, config, output in rows:
        asked = RunConfig.of(json.loads(config))
        yield run_id, Answer.of(output, references.get(input_id), asked.input_data)


def queued_answers(queue: Queue, inputs: Sequence[InputSpec]) -> Iterator[tuple[str, Answer]]:
    """Completed runs of a queue as what scorers see of them."""
    references = {one.id: one.reference for one in inputs}
    for one in queue.runs("completed"):
        yield one.run_id, Answer.of(one.output, references.get(one.input_id), one.config.input_data)


def deliver_results(experiment: Experiment, queue: Queue, given: Settings) -> list[Path]:
    """Put what has ended, and what was scored, into the inbox; a process that is killed meanwhile loses nothing.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    QueueBusyError
        If another process has been delivering for long.
    """
    lock = queue.path.with_name(f".{queue.path.stem}.delivery.lock")
    files: list[Path] = []
    try:
        # Two that deliver at once could leave an older state of a run as the later file.
        with filelock.FileLock(lock, timeout=_LOCK_SECONDS):
            while runs := queue.undelivered(_ROWS_PER_FILE):
                files.append(_written([_run_row(experiment, one) for one in runs], experiment, RUNS, given))
                queue.mark_delivered(runs)
            while scores := queue.scores.undelivered(_ROWS_PER_FILE):
                files.append(_written([_score_row(experiment, one) for one in scores], experiment, SCORES, given))
                queue.scores.mark_delivered(scores)
    except filelock.Timeout as error:
        raise QueueBusyError(f"another process has been delivering out of {queue.path} for long; try again") from error
    return files


def _written(rows: Sequence[Mapping[str, Any]], experiment: Experiment, folder: str, given: Settings) -> Path:
    name = f"{folder}-{utc_now():%Y%m%dT%H%M%S%f}.jsonl"
    with tempfile.TemporaryDirectory(prefix="podium-") as place:
        draft = Path(place) / name
        text = "".join(f"{_line(row)}\n" for row in rows)
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        return deliver(draft, given.inbox_dir, experiment.name, folder)


def _line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON. A model may well answer with U+FFFD, which plain in a file says that it is no UTF-8."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).replace("\ufffd", "\\ufffd")


def _run_row(experiment: Experiment, run: QueuedRun) -> dict[str, Any]:
    row = {
        "config": run.config.as_json,
        "prompt_name": run.prompt,
        "prompt_version": run.prompt_version,
        "input_id": run.input_id,
        "repeat": run.repeat,
        "status": run.status,
        "created_at": _utc(run.created_at),
        "started_at": _utc(run.started_at),
        "completed_at": _utc(run.completed_at),
        "duration_ms": run.duration_ms,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "cost": run.cost,
        "output": run.output,
        "error": run.error,
        "error_detail": run.error_detail,
        "stages": [dict(one) for one in run.stages],
    }
    return _as_columns(experiment, row)


def _score_row(experiment: Experiment, score: GivenScore) -> dict[str, Any]:
    row = {
        "score_id": score.score_id,
        "run_id": score.run_id,
        "scorer": score.scorer,
        "kind": score.kind,
        "rater": score.rater,
        "version": score.version,
        "identity": score.identity,
        "value": score.value,
        "reason": score.reason,
        "details": None if score.details is None else dict(score.details),
        "scored_at": _utc(score.scored_at),
    }
    return _as_columns(experiment, row)


def _as_columns(experiment: Experiment, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row under the names that the experiment's files have; what is unknown is left out."""
    return {experiment.columns.get(name, name): value for name, value in row.items() if value is not None}


def _utc(time: datetime | None) -> str | None:
    return None if time is None else f"{time.isoformat(timespec='microseconds')}Z"
