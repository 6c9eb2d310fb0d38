"""What waits of an experiment as scores: what scorers say of runs that ended, and what was given to any run."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from pipeline.experiments import details_json, rater_numbers, score_row, score_runs, score_table
from pipeline.experiments.running import QueuedRun
from pipeline.experiments.scorers import Answer
from pipeline.reports.experiments.laying import BY_RUN, Laid
from pipeline.reports.experiments.published_rows import published_rows
from pipeline.reports.experiments.raters import DIGITS, Raters
from pipeline.reports.experiments.waiting import Waiting
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.tables import EXPERIMENT_INPUTS, EXPERIMENT_SCORES, MACHINE

Scored = Callable[[QueuedRun, Callable[[], list[dict[str, Any]]]], list[dict[str, Any]]]
"""Keeps what scorers say of a run, as long as the run is as it is."""

_NUMBERS = """
    SELECT left(score_id, $digits), rater FROM {scores}
    WHERE experiment = $name AND rater > 0 AND score_id IS NOT NULL GROUP BY ALL
"""
_HIGHEST = "SELECT max(rater), count(*) FROM {scores} WHERE experiment = $name"


def waiting_scores(waiting: Waiting, tables: ExperimentTables, raters: Raters, scored: Scored) -> Laid:
    """All scores of runs that are other than published, or scored otherwise."""
    affected = waiting.affected
    before = published_rows(tables, EXPERIMENT_SCORES, waiting.declared.name, "run_id", affected)
    is_computed_again = (
        before["run_id"].isin([one.run_id for one in waiting.runs])
        & before["scorer"].isin(waiting.experiment.computed)
        & (before["rater"] == MACHINE)
        & before["score_id"].isna()
    )
    new = [*_computed(waiting, tables, scored), *_given(waiting, tables, raters)]
    rows = score_table(before[~is_computed_again], pd.DataFrame(new, columns=list(before)))
    return Laid(rows, pd.DataFrame({"run_id": affected}, dtype="str"), BY_RUN)


def _computed(waiting: Waiting, tables: ExperimentTables, scored: Scored) -> list[dict[str, Any]]:
    """Scores of runs that ended, by every scorer that calls no model."""
    completed = [one for one in waiting.runs if one.status == "completed"]
    references = _references(waiting, tables, [one.input_id for one in completed])
    return [row for one in completed for row in scored(one, _scoring(waiting, one, references.get(one.input_id)))]


def _references(waiting: Waiting, tables: ExperimentTables, input_ids: Sequence[str]) -> dict[str, object]:
    """What should come out, by input."""
    inputs = published_rows(tables, EXPERIMENT_INPUTS, waiting.declared.name, "input_id", input_ids)
    listed = zip(inputs["input_id"], inputs["reference"], strict=True)
    references = {name: json.loads(text) for name, text in listed if isinstance(text, str)}
    if not waiting.declared.is_published:
        references |= {one.id: one.reference for one in waiting.experiment.inputs}
    return references


def _scoring(waiting: Waiting, run: QueuedRun, reference: object) -> Callable[[], list[dict[str, Any]]]:
    experiment = waiting.experiment

    def score() -> list[dict[str, Any]]:
        answer = Answer.of(run.output, reference, run.config.input_data)
        found = score_runs(experiment, [(run.run_id, answer)], names=experiment.computed)
        return [score_row(one) | {"scored_at": run.completed_at or run.created_at} for one in found]

    return score


def _given(waiting: Waiting, tables: ExperimentTables, raters: Raters) -> list[dict[str, Any]]:
    """Scores that were given; a person keeps the number that published scores of the same person have."""
    numbers = _numbers(waiting, tables, raters)
    return [
        {
            **{"run_id": one.run_id, "scorer": one.scorer, "score_id": one.score_id, "rater_name": one.rater},
            "rater": MACHINE if one.rater is None else numbers[one.rater],
            **{"kind": one.kind, "version": one.version, "identity": one.identity, "value": one.value},
            **{"reason": one.reason, "details": details_json(one.details), "scored_at": one.scored_at},
        }
        for one in waiting.given
    ]


def _numbers(waiting: Waiting, tables: ExperimentTables, raters: Raters) -> dict[str, int]:
    """The number of each person who gave a score."""
    name = waiting.declared.name
    people = list(dict.fromkeys(one.rater for one in waiting.given if one.rater is not None))
    tokens = {person: raters.token(name, person) for person in people}
    known = dict(tables.rows(_NUMBERS, name=name, digits=DIGITS))
    highest = int(tables.rows(_HIGHEST, name=name)[0][0] or 0)
    numbers = {person: known[token] for person, token in tokens.items() if token in known}
    new = rater_numbers((one for one in people if one not in numbers), {"": highest} if highest else {})
    return numbers | {person: number for person, number in new.items() if person}
