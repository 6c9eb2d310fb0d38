"""What is written through the API: runs that are asked for and cancelled, and scores that people give."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.experiments import (
    Experiment,
    InputSpec,
    RunConfig,
    canonical_json,
    configuration_of,
    input_of,
    run_id,
    variables_in,
)
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.running import ENDED, QueueError
from pipeline.experiments.scored import COMPLETED
from pipeline.experiments.scorers import Human, Imported, Kind, Scorer, Scoring
from pipeline.experiments.templates import PromptError, require_simple, variables_of
from pipeline.reports.access.keys import Key
from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.experiments.queues import unusable
from pipeline.reports.queries.experiment_runs import run
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiments import inputs
from pipeline.reports.submissions.ownership import NotYoursError
from pipeline.reports.wrong import WrongInputError

MOST_PROMPT, MOST_PARAMS, MOST_INPUT, MOST_METADATA = 100_000, 10_000, 1_000_000, 10_000
"""Characters of a prompt, and of the canonical JSON of the others."""
MOST_ASKED = 10_000
"""Runs of an experiment that wait because somebody asked for them, at most."""


class ConflictError(ValueError):
    """What was asked for cannot be done to something as it is now; the message says why."""


def ask_for_run(live: LiveExperiments, name: str, config: RunConfig, repeat: int, key: Key) -> tuple[str, bool]:
    """Put a run into the queue of an experiment, unless it is there or was made before.

    Returns
    -------
    (str, bool)
        The run's id, and whether it is new.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    WrongInputError
        If it is too large, or the prompt cannot be filled in.
    ConflictError
        If too many wait.
    QueueUnusableError
        If the queue cannot be written.
    """
    with live.tables() as tables:
        experiment = tables.of(name).experiment
        config = _with_text(config, experiment)
        _require_askable(config, experiment)
        asked = PlannedRun(
            run_id(name, config.config_hash, repeat),
            config.config_hash,
            repeat,
            configuration_of(config, experiment),
            input_of(config, _declared_inputs(tables, name)),
            config,
        )
        status = tables.rows("SELECT status FROM {runs} WHERE run_id = $run_id", run_id=asked.run_id)
    if status and status[0][0] in ENDED:
        return asked.run_id, False
    try:
        queue = live.queues.queue(name)
        waiting = sum(not one.is_planned for one in queue.runs("pending"))
        if waiting >= MOST_ASKED and not status:
            raise ConflictError(f"{waiting:,} runs that were asked for wait in {name!r}; wait, or cancel some")
        added = queue.add([asked], asked_by=key.player)
    except QueueError as error:
        raise unusable(name, error) from error
    return asked.run_id, bool(added) and not status


def cancel_run(live: LiveExperiments, of: str, key: Key) -> None:
    """Cancel a run that the key's player asked for.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    ConflictError
        If it has ended.
    NotYoursError
        If somebody else asked for it, or the declaration does.
    QueueUnusableError
        If the queue cannot be written.
    """
    with live.tables() as tables:
        found = run(tables, of)
    try:
        queue = live.queues.queue(found.experiment)
        queued = queue.run(of)
        status = found.status if queued is None else queued.status  # one that failed may wait again
        if status in ENDED:
            raise ConflictError(f"run {of!r} has ended: it is {status}; only what waits or runs is cancelled")
        if queued is None or queued.asked_by != key.player:
            raise NotYoursError(
                f"run {of!r} was not asked for by {key.player!r}; who asked for it may cancel it, and the operator: "
                f"podium experiments cancel {found.experiment}"
            )
        cancelled = queue.cancel(of)
    except QueueError as error:
        raise unusable(found.experiment, error) from error
    if cancelled is None or cancelled.status != "cancelled":
        raise ConflictError(f"run {of!r} ended meanwhile; only what waits or runs is cancelled")


def may_cancel(live: LiveExperiments, experiment: str, of: str, key: Key) -> bool:
    """Whether a run waits or runs that the key's player asked for."""
    queued = live.queues.snapshots()[0].get(experiment)
    found = None if queued is None else queued.runs.get(of)
    return found is not None and not found.has_ended and found.asked_by == key.player


def give_score(
    live: LiveExperiments,
    of: str,
    scorer: str,
    key: Key,
    *,
    value: float | None = None,
    rating: float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Keep what the key's player says of a run.

    Parameters
    ----------
    live : LiveExperiments
    of, scorer : str
        The run, and a scorer of its experiment.
    key : Key
    value : float, optional
        0 (worst) to 1 (best).
    rating : float, optional
        On the scorer's own scale; one of the two is given.
    metadata : mapping, optional
        To be kept with it.

    Returns
    -------
    str
        The score's id.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    ConflictError
        If the run has no answer: it waits, runs, failed or was cancelled.
    WrongInputError
        If the experiment has no such scorer, or the value is none of its.
    QueueUnusableError
        If the queue cannot be written.
    """
    with live.tables() as tables:
        found = run(tables, of)
        scorers = tables.of(found.experiment).experiment.made_scorers
    if found.status != COMPLETED:
        raise ConflictError(f"run {of!r} has no answer to score: it is {found.status}; score it when it has completed")
    if scorer not in scorers:
        raise WrongInputError(
            f"experiment {found.experiment!r} has no scorer {scorer!r}; known: {', '.join(scorers) or 'none'}"
        )
    scoring = _scoring(scorers[scorer], scorer, value, rating)
    details = dict(scoring.details)
    if metadata is not None:
        _require_short("metadata", dict(metadata), MOST_METADATA)
        details["metadata"] = dict(metadata)
    try:
        given = live.queues.queue(found.experiment).scores.give(
            of,
            scorer,
            kind=str(Kind.HUMAN),
            version=scorers[scorer].version,
            rater=key.player,
            value=scoring.value,
            details=details or None,
            score_id=live.raters.new_id(found.experiment, key.player),
        )
    except QueueError as error:
        raise unusable(found.experiment, error) from error
    return given.score_id


def _scoring(made: Scorer, name: str, value: float | None, rating: float | None) -> Scoring:
    if (value is None) == (rating is None):
        raise WrongInputError("give value, 0 (worst) to 1 (best), or rating, on the scorer's own scale: one of the two")
    try:
        if value is not None:
            return Scoring(value)
        given = rating if rating is not None else math.nan
        if isinstance(made, Human):
            return made.rating(given)
        return made.scaled(given) if isinstance(made, Imported) else Scoring(given)
    except ValueError as error:
        raise WrongInputError(f"scorer {name!r}: {error}") from None


def _with_text(config: RunConfig, experiment: Experiment) -> RunConfig:
    """The same with a declared prompt's text, where its name stands for it."""
    named = experiment.prompts.get(config.prompt) if isinstance(config.prompt, str) else None
    return config if named is None else replace(config, prompt=named.text)


def _require_askable(config: RunConfig, experiment: Experiment) -> None:
    parts = config.prompt if isinstance(config.prompt, Mapping) else {"template": config.prompt}
    if set(parts) - {"system", "template"} or not str(parts.get("template", "")).strip():
        raise WrongInputError('the prompt is neither a text nor {"system": ..., "template": ...}; write one of the two')
    _require_short("prompt", config.prompt, MOST_PROMPT)
    _require_short("params", dict(config.params), MOST_PARAMS)
    _require_short("input_data", config.input_data, MOST_INPUT)
    given = variables_in(config.input_data)
    is_declared = any(config.prompt == one.text for one in experiment.prompts.values())
    for part, text in parts.items():
        try:
            taken = variables_of(str(text)) if is_declared else require_simple(str(text))
        except PromptError as error:
            raise WrongInputError(f"the prompt's {part}: {error}") from None
        missing = sorted(taken - set(given))
        if missing:
            raise WrongInputError(
                f"the prompt's {part} takes {', '.join(missing)}, which input_data does not have; it has: "
                f"{', '.join(given) or 'nothing'}"
            )


def _require_short(what: str, value: object, most: int) -> None:
    try:
        written = canonical_json(value)
    except ValueError as error:
        raise WrongInputError(f"{what}: {error}") from None
    if len(written) > most:
        raise WrongInputError(f"{what} has {len(written):,} characters as JSON; give {most:,} at most")


def _declared_inputs(tables: ExperimentTables, name: str) -> tuple[InputSpec, ...]:
    return tuple(InputSpec(id=one.input_id, variables=one.variables) for one in inputs(tables, name) if one.is_declared)
