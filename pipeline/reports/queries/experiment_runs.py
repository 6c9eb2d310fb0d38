"""Runs of experiments: lists of them, and one with its stages, its scores and what it was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.reports.queries.experiment_tables import ExperimentTables, with_json
from pipeline.reports.queries.page import Query
from pipeline.tables import MACHINE
from pipeline.warehouse import Sql

_ASKED = """
    r.experiment, r.run_id, r.config_hash, r.repeat, r.configuration, c.title, c.prompt, c.prompt_version, c.model,
    CAST(c.parameters AS VARCHAR) AS parameters, r.input_id, CAST(r.config AS VARCHAR) AS config,
    r.status, r.created_at, r.started_at, r.completed_at, r.duration_ms, r.tokens_in, r.tokens_out, r.cost
"""
"""Columns of a run: what it asks, when that was, and what it took."""
_RUNS = """
    SELECT {asked}, r.error, b.score, b.rank, b.coverage, b.n_scorers, b.missing_scorers, b.unweighted_scorers,
           b.status AS standing
    FROM {runs} AS r
    LEFT JOIN {configurations} AS c USING (experiment, configuration)
    LEFT JOIN {run_board} AS b USING (experiment, run_id)
    WHERE true {conditions}
    ORDER BY coalesce(r.created_at, r.started_at, r.completed_at) DESC NULLS LAST, r.experiment, r.run_id
"""
_CONDITIONS = {
    "experiment": "AND r.experiment = $experiment",
    "statuses": "AND list_contains($statuses, r.status)",
    "min_score": "AND b.score >= $min_score",
    "max_score": "AND b.score <= $max_score",
    "configuration": "AND r.configuration = $configuration",
    "model": "AND c.model = $model",
    "prompt": "AND c.prompt = $prompt",
    "input_id": "AND r.input_id = $input_id",
    "search": """AND contains(
        lower(concat_ws(chr(31), r.run_id, r.input_id, c.title, r.output, r.error, CAST(r.config AS VARCHAR))),
        lower($search)
    )""",
}
_RUN = """
    SELECT {asked}, r.output, r.error, CAST(i.reference AS VARCHAR) AS reference,
           b.position, b.rank, b.score, b.coverage, b.n_scorers, b.weighting, b.missing_scorers, b.unweighted_scorers,
           b.mean_of_scorers, b.status AS standing
    FROM {runs} AS r
    LEFT JOIN {configurations} AS c USING (experiment, configuration)
    LEFT JOIN {inputs} AS i USING (experiment, input_id)
    LEFT JOIN {run_board} AS b USING (experiment, run_id)
    WHERE r.run_id = ?
"""
_STANDING = 23
"""Columns of a run before those of its standing."""
_STAGES = """
    SELECT number, stage, status, started_at, completed_at, duration_ms, tokens_in, tokens_out, cost, sent, output,
           error
    FROM {stages} WHERE experiment = ? AND run_id = ? ORDER BY number
"""
_SCORES = """
    SELECT scorer, rater, number, score_id, kind, version, value, reason, CAST(details AS VARCHAR) AS details,
           scored_at, is_latest
    FROM {scores} WHERE experiment = ? AND run_id = ? ORDER BY scorer, rater, number
"""
_OTHERS = """
    SELECT run_id, repeat, status FROM {runs} WHERE experiment = ? AND config_hash = ? ORDER BY repeat
"""


class UnknownRunError(LookupError):
    """A run that there is not."""


@dataclass(frozen=True)
class RunSelection:
    """Which runs; None is any.

    Parameters
    ----------
    experiment, configuration, model, prompt, input_id : str, optional
    statuses : sequence of str, optional
    min_score, max_score : float, optional
        Of the weighted score, both included; runs without a score are left out then.
    search : str, optional
        Text in the run's id, its input, configuration, output, error, or what it was asked, whatever its case.
    """

    experiment: str | None = None
    statuses: Sequence[str] | None = None
    min_score: float | None = None
    max_score: float | None = None
    configuration: str | None = None
    model: str | None = None
    prompt: str | None = None
    input_id: str | None = None
    search: str | None = None


@dataclass(frozen=True)
class Stage:
    """A stage of a run, such as one call of a model; None is NULL."""

    number: int
    stage: str
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    sent: str | None
    output: str | None
    error: str | None


@dataclass(frozen=True)
class RunScore:
    """A score of a run.

    Parameters
    ----------
    scorer : str
    rater : int
        Number of the person who gave it, from 1; 0 for a machine.
    number : int
        Counts the scores by this scorer and rater, from 1.
    score_id : str or None
    kind : str
        auto, judge or human.
    version : str
    value : float or None
        0 to 1; None where it could not be told.
    reason : str or None
        Why not.
    details : object
        What it is made of; of a person's the rating on its own scale.
    scored_at : datetime
        UTC.
    is_latest : bool
        Whether it is the newest by this scorer and rater: the one that counts.
    """

    scorer: str
    rater: int
    number: int
    score_id: str | None
    kind: str
    version: str
    value: float | None
    reason: str | None
    details: Any
    scored_at: datetime
    is_latest: bool

    @property
    def is_of_a_person(self) -> bool:
        """Whether a person gave it."""
        return self.rater != MACHINE


@dataclass(frozen=True)
class RunStanding:
    """Where a run stands among all runs of its experiment."""

    position: int
    rank: int | None
    score: float | None
    coverage: float
    n_scorers: int
    weighting: str | None
    missing_scorers: str | None
    unweighted_scorers: str | None
    mean_of_scorers: float | None
    status: str


@dataclass(frozen=True)
class RunDetail:
    """One run with everything that is known of it; None is NULL.

    Parameters
    ----------
    experiment, run_id, config_hash : str
    repeat : int
    configuration, title, prompt, prompt_version, model : str
    parameters : mapping
    input_id : str
    config : mapping
        prompt, model, params and input_data, as hashed.
    status : str
    created_at, started_at, completed_at : datetime or None
        UTC.
    duration_ms, cost : float or None
    tokens_in, tokens_out : int or None
    output, error : str or None
    reference : object
        What should have come: a text, a list of texts, or None.
    standing : RunStanding or None
    stages : tuple of Stage
    scores : tuple of RunScore
        All of them; by scorer, rater and time.
    repeats : tuple of (run_id, repeat, status)
        All askings of the same, this one among them.
    """

    experiment: str
    run_id: str
    config_hash: str
    repeat: int
    configuration: str
    title: str
    prompt: str
    prompt_version: str
    model: str
    parameters: Mapping[str, Any]
    input_id: str
    config: Mapping[str, Any]
    status: str
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    output: str | None
    error: str | None
    reference: Any
    standing: RunStanding | None
    stages: tuple[Stage, ...]
    scores: tuple[RunScore, ...]
    repeats: tuple[tuple[str, int, str], ...]


def runs(tables: ExperimentTables, selection: RunSelection, with_outputs: bool = False) -> Query:
    """Runs with their weighted scores, the newest first; those that are only declared come last.

    Parameters
    ----------
    tables : ExperimentTables
    selection : RunSelection
    with_outputs : bool
        Whether what they answered is among the columns: long texts, which a list does not show.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    """
    if selection.experiment is not None:
        tables.of(selection.experiment)
    else:
        tables.require_all()
    given = {name: value for name, value in vars(selection).items() if value is not None}
    conditions = Sql(" ".join(_CONDITIONS[name] for name in given))
    values = {name: list(value) if name == "statuses" else value for name, value in given.items()}
    asked = Sql(f"{_ASKED}, r.output" if with_outputs else _ASKED)
    return Query(tables.sql(_RUNS, asked=asked, conditions=conditions), values)


def run(tables: ExperimentTables, run_id: str) -> RunDetail:
    """One run.

    Raises
    ------
    UnknownRunError
        If there is none of that id.
    """
    ask = tables.connection.execute
    found = ask(tables.sql(_RUN, asked=Sql(_ASKED)), [run_id]).fetchone()
    if found is None:
        tables.require_all()
        raise UnknownRunError(f"there is no run {run_id!r}; GET /runs lists them")
    experiment, config_hash = found[0], found[2]
    tables.of(experiment)
    scores = ask(tables.sql(_SCORES), [experiment, run_id]).fetchall()
    named, standing = with_json(found[:_STANDING], 9, 11, 22), found[_STANDING:]
    more = (
        None if standing[0] is None else RunStanding(*standing),
        tuple(Stage(*row) for row in ask(tables.sql(_STAGES), [experiment, run_id]).fetchall()),
        tuple(RunScore(*with_json(row, 8)) for row in scores),
        tuple(ask(tables.sql(_OTHERS), [experiment, config_hash]).fetchall()),
    )
    return RunDetail(*[*named, *more])
