"""A small experiment whose tables are made by the pure functions and published, without components, files or models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.experiments import (
    GROUPINGS,
    Experiment,
    RunConfig,
    ScoredRuns,
    agreement_rows,
    canonical_json,
    comparison_rows,
    configuration_of,
    configuration_rows,
    details_json,
    input_of,
    input_rows,
    leaderboard_rows,
    numbered,
    plan,
    prompt_rows,
    rater_numbers,
    run_board_rows,
    run_id,
    score_runs,
    scorer_rows,
    undeclared_input_row,
)
from pipeline.experiments.scorers import Answer
from pipeline.tables import (
    BOARDS,
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_INPUTS,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_PROMPTS,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORERS,
    EXPERIMENT_SCORES,
    EXPERIMENT_STAGES,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Dirty, Store
from pipeline_tests.reports.served import files_in

NAME = "capitals"
CAPITALS = {
    **{"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo", "Japan": "Tokyo"},
    **{"Kenya": "Nairobi", "Peru": "Lima", "Chad": "N'Djamena", "Fiji": "Suva", "Oman": "Muscat"},
}
DECLARED: dict[str, Any] = {
    "name": NAME,
    "title": "Capitals of <countries>",
    "description": "Made up for tests.",
    "prompts": {"terse": "Capital of {{ country }}?", "polite": {"version": "2", "template": "Please: {{ country }}?"}},
    "models": ["small", "large"],
    "inputs": [
        {"id": country.lower(), "variables": {"country": country}, "reference": city}
        for country, city in CAPITALS.items()
    ],
    "repeats": 2,
    "scorers": {
        "exact": {"weight": 2},
        "brief": {"scorer": "format", "weight": 0, "options": {"length": {"most": 3, "unit": "words"}}},
        "helpful": {"scorer": "human", "weight": 1, "options": {"scale": [1, 5], "step": 1, "raters": 2}},
    },
    "min_scorers": 1,
    "baseline": {"prompt": "terse", "model": "small"},
}
START = datetime(2026, 3, 1, 9)
RATERS = ("Ann", "Bert")


@dataclass(frozen=True)
class Made:
    """A run that was made, and what came of it; ``times`` are when it was begun and when it ended."""

    config: RunConfig
    repeat: int = 1
    status: str = "completed"
    output: str | None = None
    created_at: datetime = START
    error: str | None = None
    cost: float | None = 0.001
    tokens: tuple[int | None, int | None] = (12, 3)
    times: tuple[datetime | None, datetime | None] | None = None

    def run_id(self, experiment: str = NAME) -> str:
        return run_id(experiment, self.config.config_hash, self.repeat)


@dataclass(frozen=True)
class Given:
    """A score that somebody gave; ``rater`` is a person's name."""

    run_id: str
    scorer: str
    value: float
    rater: str
    scored_at: datetime = START + timedelta(days=1)
    score_id: str | None = None


@dataclass(frozen=True)
class ToyExperiment:
    """The experiment with what was made of it so far."""

    declared: Experiment
    made: tuple[Made, ...]
    given: tuple[Given, ...]

    def but(self, *made: Made, given: Sequence[Given] = ()) -> "ToyExperiment":
        """With further runs and scores; a run that is made again replaces what was."""
        keys = {(one.config.config_hash, one.repeat) for one in made}
        kept = (one for one in self.made if (one.config.config_hash, one.repeat) not in keys)
        return replace(self, made=(*kept, *made), given=(*self.given, *given))

    def tables(self) -> dict[TableSpec, pd.DataFrame]:
        """Rows of every table, without the experiment's name."""
        declared = self.declared
        runs, configurations, inputs = _runs(self)
        scores = _scores(self, runs, inputs)
        scored = ScoredRuns.of(declared, runs, scores, configurations)
        input_ids = [one.id for one in declared.inputs]
        return {
            EXPERIMENT_PROMPTS: prompt_rows(declared),
            EXPERIMENT_INPUTS: inputs,
            EXPERIMENT_CONFIGURATIONS: configurations,
            EXPERIMENT_RUNS: runs,
            EXPERIMENT_STAGES: _stages(runs),
            EXPERIMENT_SCORES: scores,
            EXPERIMENT_RUN_BOARD: run_board_rows(scored),
            EXPERIMENT_LEADERBOARD: pd.concat([leaderboard_rows(scored, one, input_ids) for one in GROUPINGS]),
            EXPERIMENT_SCORERS: pd.concat([scorer_rows(scored, one) for one in GROUPINGS]),
            EXPERIMENT_COMPARISONS: comparison_rows(scored),
            EXPERIMENT_AGREEMENT: agreement_rows(scores),
        }

    def publish(self, folder: Path) -> None:
        """Bring the tables in the warehouse of a folder up to date, and publish them."""
        files = files_in(folder)
        with files.write("a test") as store:
            self.fill(store)
        files.publish()

    def fill(self, store: Store) -> None:
        """Fill the tables."""
        said = {
            "kind": "experiments",
            "title": self.declared.title,
            "contract": self.declared.model_dump_json(exclude_unset=True),
        }
        columns = [one for one in BOARDS.column_names if one != BOARDS.board]
        _replace(store, BOARDS, self.declared.name, pd.DataFrame([said], columns=columns))
        for spec, rows in self.tables().items():
            _replace(store, spec, self.declared.name, rows)


def experiment(**changes: Any) -> Experiment:
    """The declaration, changed."""
    return Experiment.model_validate(DECLARED | changes)


def toy_experiment(**changes: Any) -> ToyExperiment:
    """The experiment after its first runs: some failed, some wait, one was asked ad hoc, two people rated a few.

    ``large`` knows all capitals but the last and ``small`` every other one; ``polite`` makes both say too much at every
    third input. Of ``polite`` with ``large`` the second repeats are not run yet.
    """
    declared = experiment(**changes)
    made = []
    for number, one in enumerate(plan(declared)):
        asked, place = one.config, list(CAPITALS).index(one.config.input_data["country"])  # type: ignore[index]
        if one.repeat == 2 and (asked.model, one.configuration.prompt) == ("large", "polite"):
            continue
        made.append(_answered(asked, one.repeat, place, number))
    ad_hoc = RunConfig("Where is {{ city }}?", "large", {"temperature": 0.5}, {"city": "Ghent"})
    made.append(Made(ad_hoc, output="Belgium", created_at=START + timedelta(hours=3), cost=None, tokens=(None, None)))
    completed = [one for one in made if one.status == "completed"][:12]
    given = []
    for number, one in enumerate(completed):
        given.append(Given(one.run_id(declared.name), "helpful", (number % 5) / 4, RATERS[0], score_id=f"ann-{number}"))
        if number % 2 == 0:
            rated = Given(one.run_id(declared.name), "helpful", (number % 4) / 4, RATERS[1], score_id=f"bert-{number}")
            given.append(rated)
    again = replace(given[0], value=1.0, scored_at=given[0].scored_at + timedelta(hours=1), score_id="ann-again")
    return ToyExperiment(declared, tuple(made), (*given, again))


def _answered(config: RunConfig, repeat: int, place: int, number: int) -> Made:
    city = list(CAPITALS.values())[place]
    knows = place < len(CAPITALS) - 1 if config.model == "large" else place % 2 == repeat % 2
    is_wordy = "Please" in str(config.prompt) and place % 3 == 0
    at = START + timedelta(minutes=number)
    if (config.model, place, repeat) == ("small", 4, 1):
        return Made(config, repeat, "failed", None, at, "timed out after 120 s", None, (None, None))
    output = (f"It is {city}, I think" if is_wordy else city) if knows else "Atlantis"
    cost = 0.003 if config.model == "large" else 0.001
    return Made(config, repeat, "completed", output, at, cost=cost, tokens=(12 + place, len(output)))


def _runs(toy: ToyExperiment) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows of runs, configurations and inputs: those that were made, and those that wait."""
    declared = toy.declared
    rows, others, extra = [], {}, {}
    for one in toy.made:
        configuration = configuration_of(one.config, declared)
        named = input_of(one.config, declared.inputs)
        others[configuration.id] = configuration
        if named not in {spec.id for spec in declared.inputs}:
            extra[named] = one.config.input_data
        rows.append(_run_row(one, declared.name, configuration.id, named))
    there = {(one.config.config_hash, one.repeat) for one in toy.made}
    for planned in plan(declared, done=there):
        waiting = Made(planned.config, planned.repeat, "pending", cost=None, tokens=(None, None))
        row = _run_row(waiting, declared.name, planned.configuration.id, planned.input_id)
        rows.append(row | {"created_at": None})
    runs = pd.DataFrame(rows, columns=[one for one in EXPERIMENT_RUNS.column_names if one != "experiment"])
    runs["created_at"] = runs["created_at"].astype("datetime64[us]")
    runs = runs.astype({"tokens_in": "Int64", "tokens_out": "Int64", "cost": "float64", "duration_ms": "float64"})
    others_asked = [undeclared_input_row(name, data) for name, data in extra.items()]
    inputs = pd.concat([input_rows(declared.inputs), pd.DataFrame(others_asked)])
    return runs, configuration_rows(declared, tuple(others.values())), inputs.reset_index(drop=True)


def _run_row(one: Made, experiment_name: str, configuration: str, input_id: str) -> dict[str, Any]:
    has_ended = one.status in ("completed", "failed", "cancelled")
    begun, ended = one.times or (one.created_at + timedelta(seconds=1), one.created_at + timedelta(seconds=3))
    return {
        "run_id": one.run_id(experiment_name),
        "config_hash": one.config.config_hash,
        "repeat": one.repeat,
        "configuration": configuration,
        "input_id": input_id,
        "config": canonical_json(one.config.as_json),
        "status": one.status,
        "created_at": one.created_at,
        "started_at": begun if has_ended or one.times else None,
        "completed_at": ended if has_ended else None,
        "duration_ms": (ended - begun).total_seconds() * 1000 if has_ended and begun and ended else None,
        "tokens_in": one.tokens[0],
        "tokens_out": one.tokens[1],
        "cost": one.cost,
        "output": one.output,
        "error": one.error,
        "error_detail": None,
    }


def _stages(runs: pd.DataFrame) -> pd.DataFrame:
    ended = runs[runs["completed_at"].notna()]
    names = [one for one in EXPERIMENT_STAGES.column_names if one != "experiment"]
    return ended.assign(number=1, stage="answer", sent="what was sent")[names]


def _scores(toy: ToyExperiment, runs: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    references = {row.input_id: row.reference for row in inputs.itertuples()}
    completed = runs[runs["status"] == "completed"]
    answers = [
        (row.run_id, Answer.of(row.output, _json(references[row.input_id]), json.loads(row.config)["input_data"]))
        for row in completed.itertuples()
    ]
    ended = dict(zip(runs["run_id"], runs["completed_at"], strict=True))
    rows = [
        {
            **{"run_id": one.run_id, "scorer": one.scorer, "rater": 0, "score_id": None, "rater_name": None},
            **{"kind": str(one.kind), "version": one.version, "identity": one.identity, "value": one.scoring.value},
            **{"reason": one.scoring.reason, "details": details_json(one.scoring.details)},
            "scored_at": ended[one.run_id],
        }
        for one in score_runs(toy.declared, answers)
    ]
    numbers = rater_numbers((one.rater for one in toy.given), {})
    rows += [
        {
            **{"run_id": one.run_id, "scorer": one.scorer, "rater": numbers[one.rater], "score_id": one.score_id},
            **{"rater_name": one.rater, "kind": "human", "version": "1", "identity": None, "value": one.value},
            **{"reason": None, "details": details_json({"rating": 1 + 4 * one.value, "scale": [1, 5]})},
            "scored_at": one.scored_at,
        }
        for one in toy.given
    ]
    names = [one for one in EXPERIMENT_SCORES.column_names if one not in ("experiment", "number", "is_latest")]
    frame = pd.DataFrame(rows, columns=names)
    frame["scored_at"] = frame["scored_at"].astype("datetime64[us]")
    return numbered(frame.astype({"rater": "int32", "value": "float64"}))


def _json(text: object) -> Any:
    return json.loads(text) if isinstance(text, str) else None


def _replace(store: Store, spec: TableSpec, board: str, rows: pd.DataFrame) -> None:
    store.replace(spec, board, [Dirty(WHOLE, 0)], rows.reset_index(drop=True), "by hand")
