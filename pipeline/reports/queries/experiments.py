"""The experiments there are: what each tries, how far it is, what it cost, who leads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.experiments import STATUSES
from pipeline.experiments.scorers import SCORERS, Kind
from pipeline.reports.queries.experiment_tables import DeclaredExperiment, ExperimentTables, with_json

_COUNTS = """
    SELECT experiment, status, count(*) AS n, sum(cost) AS cost, count(cost) AS n_cost,
           min(created_at) AS first_at, max(coalesce(completed_at, started_at, created_at)) AS last_at
    FROM {runs} GROUP BY experiment, status
"""
_SIZES = """
    SELECT experiment, count(*) FROM {table} GROUP BY experiment
"""
_LEADERS = """
    SELECT experiment, contestant, title, score FROM {leaderboard}
    WHERE grouping = 'configuration' AND rank = 1
    QUALIFY row_number() OVER (PARTITION BY experiment ORDER BY position) = 1
"""
_CONFIGURATIONS = """
    SELECT configuration, title, prompt, prompt_version, model, CAST(parameters AS VARCHAR) AS parameters,
           is_baseline, is_declared
    FROM {configurations} WHERE experiment = ? ORDER BY is_declared DESC, title, configuration
"""
_PROMPTS = """
    SELECT prompt, version, template, system, variables, is_declared
    FROM {prompts} WHERE experiment = ? ORDER BY is_declared DESC, prompt, version
"""
_INPUTS = """
    SELECT input_id, CAST(variables AS VARCHAR) AS variables, CAST(reference AS VARCHAR) AS reference, is_declared
    FROM {inputs} WHERE experiment = ? ORDER BY is_declared DESC, input_id
"""


@dataclass(frozen=True)
class DeclaredScorer:
    """A scorer of an experiment.

    Parameters
    ----------
    name : str
        As the experiment calls it.
    scorer : str
        A scorer of Podium, or a dotted path.
    kind : str
        auto, judge or human.
    weight : float
        0 where it is shown only.
    options : mapping
    """

    name: str
    scorer: str
    kind: str
    weight: float
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Leader:
    """The configuration that is first."""

    configuration: str
    title: str
    score: float


@dataclass(frozen=True)
class ExperimentSummary:
    """An experiment: what it tries, and how far it is.

    Parameters
    ----------
    name, title, description : str
    is_published : bool
        False for one that was posted and that no run has brought up to date yet.
    statuses : mapping of str to int
        Runs by status, all five of them.
    n_configurations, n_inputs : int
    scorers : tuple of DeclaredScorer
        In the order of the declaration.
    cost : float or None
        Sum of known costs in US dollars; None without any.
    n_cost : int
        Runs of known cost.
    first_at, last_at : datetime or None
        When the first run was asked for, and when something last happened to one (UTC).
    group_by : str
        What the board shows first: run, configuration, model or prompt.
    n_waiting : int
        Runs and scores that are not published yet.
    leader : Leader or None
    """

    name: str
    title: str
    description: str
    is_published: bool
    statuses: Mapping[str, int]
    n_configurations: int
    n_inputs: int
    scorers: tuple[DeclaredScorer, ...]
    cost: float | None
    n_cost: int
    first_at: datetime | None
    last_at: datetime | None
    group_by: str
    n_waiting: int
    leader: Leader | None

    @property
    def n_runs(self) -> int:
        """All runs, whatever came of them."""
        return sum(self.statuses.values())


@dataclass(frozen=True)
class ConfigurationRow:
    """A configuration; ``parameters`` by name."""

    configuration: str
    title: str
    prompt: str
    prompt_version: str
    model: str
    parameters: Mapping[str, Any]
    is_baseline: bool
    is_declared: bool


@dataclass(frozen=True)
class PromptRow:
    """A version of a prompt; ``system`` is None without a system message."""

    prompt: str
    version: str
    template: str
    system: str | None
    variables: str
    is_declared: bool


@dataclass(frozen=True)
class InputRow:
    """An input; ``reference`` is a text, a list of texts, or None."""

    input_id: str
    variables: Any
    reference: Any
    is_declared: bool


def experiments(tables: ExperimentTables) -> list[ExperimentSummary]:
    """Every experiment, by name."""
    tables.require_all()
    return _summaries(tables)


def experiment(tables: ExperimentTables, name: str) -> ExperimentSummary:
    """One experiment.

    Raises
    ------
    UnknownBoardError
        If there is none of that name.
    """
    tables.of(name)
    return next(one for one in _summaries(tables) if one.name == name)


def scorers_of(one: DeclaredExperiment) -> tuple[DeclaredScorer, ...]:
    """The scorers that an experiment declares, in that order; dotted paths are not imported for it."""
    listed: Mapping[str, Mapping[str, Any]] = json.loads(one.declaration).get("scorers") or {}
    return tuple(_scorer(name, said or {}) for name, said in listed.items())


def configurations(tables: ExperimentTables, name: str) -> list[ConfigurationRow]:
    """The configurations of an experiment, declared ones first."""
    rows = tables.connection.execute(tables.sql(_CONFIGURATIONS), [name]).fetchall()
    return [ConfigurationRow(*with_json(row, 5)) for row in rows]


def prompts(tables: ExperimentTables, name: str) -> list[PromptRow]:
    """The prompts of an experiment in all versions, declared ones first."""
    return [PromptRow(*row) for row in tables.connection.execute(tables.sql(_PROMPTS), [name]).fetchall()]


def inputs(tables: ExperimentTables, name: str) -> list[InputRow]:
    """The inputs of an experiment, declared ones first."""
    rows = tables.connection.execute(tables.sql(_INPUTS), [name]).fetchall()
    return [InputRow(*with_json(row, 1, 2)) for row in rows]


def _summaries(tables: ExperimentTables) -> list[ExperimentSummary]:
    counted: dict[str, list[tuple[Any, ...]]] = {}
    for name, *row in tables.connection.execute(tables.sql(_COUNTS)).fetchall():
        counted.setdefault(name, []).append(tuple(row))
    sizes = [
        dict(tables.connection.execute(tables.sql(_SIZES, table=tables.relations[table])).fetchall())
        for table in ("configurations", "inputs")
    ]
    leaders = {name: Leader(*row) for name, *row in tables.connection.execute(tables.sql(_LEADERS)).fetchall()}
    return [
        _summary(tables, one, counted.get(name, []), sizes[0].get(name, 0), sizes[1].get(name, 0), leaders.get(name))
        for name, one in sorted(tables.declared.items())
    ]


def _summary(
    tables: ExperimentTables,
    one: DeclaredExperiment,
    counted: list[tuple[Any, ...]],
    n_configurations: int,
    n_inputs: int,
    leader: Leader | None,
) -> ExperimentSummary:
    said = json.loads(one.declaration)
    costs = [cost for _, _, cost, *_ in counted if cost is not None]
    return ExperimentSummary(
        name=one.name,
        title=one.title,
        description=said.get("description", ""),
        is_published=one.is_published,
        statuses=dict.fromkeys(STATUSES, 0) | {status: n for status, n, *_ in counted},
        n_configurations=n_configurations,
        n_inputs=n_inputs,
        scorers=scorers_of(one),
        cost=sum(costs) if costs else None,
        n_cost=sum(n_cost for _, _, _, n_cost, *_ in counted),
        first_at=min((row[4] for row in counted if row[4] is not None), default=None),
        last_at=max((row[5] for row in counted if row[5] is not None), default=None),
        group_by=said.get("group_by", "configuration"),
        n_waiting=tables.n_waiting.get(one.name, 0),
        leader=leader,
    )


def _scorer(name: str, said: Mapping[str, Any]) -> DeclaredScorer:
    scorer = said.get("scorer") or name
    kind = SCORERS.get(scorer).kind if scorer in SCORERS else Kind.AUTO  # type: ignore[attr-defined]
    return DeclaredScorer(name, scorer, str(kind), float(said.get("weight", 1.0)), said.get("options") or {})
