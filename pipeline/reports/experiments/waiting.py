"""What waits of one experiment, as rows of its tables: what its queue has and the publication has not.

A run in the queue counts where the publication does not have it, or knows less of it: it has not ended there, or ended
earlier. Runs that wait or run never replace one that has ended. So nothing is counted twice while files land.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.experiments import (
    GROUPINGS,
    BoardError,
    Configuration,
    Experiment,
    ScoredRuns,
    agreement_rows,
    canonical_json,
    comparison_rows,
    configuration_of,
    configuration_rows,
    input_rows,
    leaderboard_rows,
    numbered,
    plan,
    prompt_rows,
    ranked_again,
    rater_numbers,
    run_board_rows,
    score_runs,
    scorer_rows,
    sha256_of,
)
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.running import GivenScore, QueuedRun
from pipeline.experiments.scorers import Answer
from pipeline.experiments.templates import PromptError, variables_of
from pipeline.reports.experiments.queues import Snapshot
from pipeline.reports.experiments.raters import DIGITS, Raters
from pipeline.reports.queries.experiment_tables import DeclaredExperiment, ExperimentTables
from pipeline.tables import (
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
    MACHINE,
    TableSpec,
)
from pipeline.warehouse import Sql, compose, relation, to_pandas

MOST_GROUPED = 20_000
"""Runs of an experiment whose boards of configurations, models and prompts are made anew for a reader, at most."""
_BY_RUN = ("experiment", "run_id")
_BY_EXPERIMENT = ("experiment",)
_SEEN = "SELECT run_id, status, completed_at FROM {runs} SEMI JOIN {wanted} ON id = run_id WHERE experiment = $name"
_PUBLISHED = "SELECT score_id FROM {scores} SEMI JOIN {wanted} ON id = score_id WHERE experiment = $name"
_NUMBERS = """
    SELECT left(score_id, $digits), rater FROM {scores}
    WHERE experiment = $name AND rater > 0 AND score_id IS NOT NULL GROUP BY ALL
"""
_HIGHEST = "SELECT max(rater), count(*) FROM {scores} WHERE experiment = $name"


@dataclass(frozen=True)
class Laid:
    """Rows that are laid over a published table, in place of those with the same values of some columns.

    Parameters
    ----------
    rows : DataFrame
        Of the table, without the experiment's name.
    in_place_of : DataFrame
        What is replaced, with the columns ``key`` but the experiment.
    key : tuple of str
    """

    rows: pd.DataFrame
    in_place_of: pd.DataFrame
    key: tuple[str, ...]


Scored = Callable[[QueuedRun, Callable[[], list[dict[str, Any]]]], list[dict[str, Any]]]
"""Keeps what scorers say of a run, as long as the run is as it is."""


@dataclass(eq=False)
class Waiting:
    """What waits of an experiment; rows of each table are made when they are first asked for.

    Parameters
    ----------
    declared : DeclaredExperiment
    runs : tuple of QueuedRun
        Those that count.
    given : tuple of GivenScore
        Those that are not published.
    planned : tuple of PlannedRun
        Of an experiment that is not published: what nobody has put into the queue yet.
    raters : Raters
    scored : Scored
    """

    declared: DeclaredExperiment
    runs: tuple[QueuedRun, ...]
    given: tuple[GivenScore, ...]
    planned: tuple[PlannedRun, ...]
    raters: Raters
    scored: Scored
    _made: dict[str, Laid | None] = field(default_factory=dict)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(
        cls, tables: ExperimentTables, declared: DeclaredExperiment, held: Snapshot, raters: Raters, scored: Scored
    ) -> "Waiting":
        """What of a queue's content the published tables lack."""
        name = declared.name
        there = _among(tables, _SEEN, name, list(held.runs))
        seen = {run_id: (status, completed_at) for run_id, status, completed_at in there}
        runs = tuple(one for one in held.runs.values() if _counts(one, *seen.get(one.run_id, (None, None))))
        ids = [one.score_id for one in held.scores]
        published = {score_id for (score_id,) in _among(tables, _PUBLISHED, name, ids)}
        given = tuple(one for one in held.scores if one.score_id not in published)
        planned = () if declared.is_published else tuple(plan(declared.experiment, done={r.key for r in runs}))
        return cls(declared, runs, given, planned, raters, scored)

    @property
    def n(self) -> int:
        """Runs and scores."""
        return len(self.runs) + len(self.given)

    def laid(self, table: str, tables: ExperimentTables) -> Laid | None:
        """What is laid over a table; None where it is as it is published."""
        with self._guard:
            if table not in self._made:
                self._made[table] = self._make(table, tables)
            return self._made[table]

    def _make(self, table: str, tables: ExperimentTables) -> Laid | None:
        makers: Mapping[str, Callable[[ExperimentTables], Laid | None]] = {
            "prompts": self._prompts,
            "inputs": self._inputs,
            "configurations": self._configurations,
            "runs": self._runs,
            "stages": self._stages,
            "scores": self._scores,
            "run_board": self._run_board,
        }
        return makers[table](tables) if table in makers else self._grouped(table, tables)

    @property
    def experiment(self) -> Experiment:
        """The declaration."""
        return self.declared.experiment

    @property
    def affected(self) -> list[str]:
        """Runs that are other than published, or scored otherwise."""
        return list(dict.fromkeys([*(one.run_id for one in self.runs), *(one.run_id for one in self.given)]))

    def _prompts(self, tables: ExperimentTables) -> Laid | None:
        declared = None if self.declared.is_published else prompt_rows(self.experiment)
        others = {(one.prompt, one.prompt_version): one.config.prompt for one in self.runs}
        rows = [_prompt_row(name, version, prompt) for (name, version), prompt in others.items()]
        return _laid_new(tables, self.declared.name, EXPERIMENT_PROMPTS, declared, rows)

    def _inputs(self, tables: ExperimentTables) -> Laid | None:
        declared = None if self.declared.is_published else input_rows(self.experiment.inputs)
        rows = [
            {
                "input_id": one.input_id,
                "variables": canonical_json(one.config.input_data),
                "reference": None,
                "is_declared": False,
            }
            for one in self.runs
        ]
        return _laid_new(tables, self.declared.name, EXPERIMENT_INPUTS, declared, rows)

    def _configurations(self, tables: ExperimentTables) -> Laid | None:
        declared = None if self.declared.is_published else configuration_rows(self.experiment)
        others: dict[str, Configuration] = {
            one.config.configuration: configuration_of(one.config, self.experiment, one.prompt, one.prompt_version)
            for one in self.runs
        }
        rows = [
            {
                "configuration": one.id,
                "title": one.title,
                "prompt": one.prompt,
                "prompt_version": one.prompt_version,
                "model": one.model,
                "parameters": canonical_json(one.parameters),
                "is_baseline": False,
                "is_declared": False,
            }
            for one in others.values()
        ]
        return _laid_new(tables, self.declared.name, EXPERIMENT_CONFIGURATIONS, declared, rows)

    def _runs(self, tables: ExperimentTables) -> Laid | None:  # noqa: ARG002  (the signature of all)
        rows = [*map(_run_row, self.runs), *map(_planned_row, self.planned)]
        frame = _frame(EXPERIMENT_RUNS, rows)
        return Laid(frame, frame[["run_id"]], _BY_RUN)

    def _stages(self, tables: ExperimentTables) -> Laid | None:  # noqa: ARG002
        rows = [_stage_row(one.run_id, at, stage) for one in self.runs for at, stage in enumerate(one.stages, start=1)]
        replaced = pd.DataFrame({"run_id": [one.run_id for one in self.runs]}, dtype="str")
        return Laid(_frame(EXPERIMENT_STAGES, rows), replaced, _BY_RUN)

    def _scores(self, tables: ExperimentTables) -> Laid | None:
        affected = self.affected
        before = _read(tables, EXPERIMENT_SCORES, self.declared.name, "run_id", affected)
        again = {one.run_id for one in self.runs}
        stays = ~(
            before["run_id"].isin(again)
            & before["scorer"].isin(self.experiment.computed)
            & (before["rater"] == MACHINE)
            & before["score_id"].isna()
        )
        rows = [*self._computed(tables), *self._given(tables)]
        fresh = _frame(EXPERIMENT_SCORES, [row | {"number": 0, "is_latest": False} for row in rows])
        together = pd.concat([before[stays], fresh], ignore_index=True) if len(before) else fresh
        return Laid(numbered(together), pd.DataFrame({"run_id": affected}, dtype="str"), _BY_RUN)

    def _computed(self, tables: ExperimentTables) -> list[dict[str, Any]]:
        """Scores of runs that ended, by every scorer that calls no model."""
        completed = [one for one in self.runs if one.status == "completed"]
        wanted = [one.input_id for one in completed]
        inputs = _read(tables, EXPERIMENT_INPUTS, self.declared.name, "input_id", wanted)
        listed = zip(inputs["input_id"], inputs["reference"], strict=True)
        references = {name: json.loads(text) for name, text in listed if isinstance(text, str)}
        if not self.declared.is_published:
            references |= {one.id: one.reference for one in self.experiment.inputs}
        return [row for one in completed for row in self.scored(one, self._scoring(one, references.get(one.input_id)))]

    def _scoring(self, run: QueuedRun, reference: object) -> Callable[[], list[dict[str, Any]]]:
        def score() -> list[dict[str, Any]]:
            variables = run.config.input_data
            answer = Answer(run.output, reference, variables if isinstance(variables, dict) else {})
            return [
                {
                    **{"run_id": one.run_id, "scorer": one.scorer, "rater": MACHINE, "score_id": None},
                    **{"rater_name": None, "kind": str(one.kind), "version": one.version, "identity": one.identity},
                    **{"value": one.scoring.value, "reason": one.scoring.reason},
                    **{"details": _json_of(one.scoring.details), "scored_at": run.completed_at or run.created_at},
                }
                for one in score_runs(self.experiment, [(run.run_id, answer)], names=self.experiment.computed)
            ]

        return score

    def _given(self, tables: ExperimentTables) -> list[dict[str, Any]]:
        """Scores that were given; a person keeps the number that published scores of the same person have."""
        name = self.declared.name
        people = list(dict.fromkeys(one.rater for one in self.given if one.rater is not None))
        tokens = {person: self.raters.token(name, person) for person in people}
        known = dict(tables.rows(_NUMBERS, name=name, digits=DIGITS))
        highest = int(tables.rows(_HIGHEST, name=name)[0][0] or 0)
        numbers = {person: known[token] for person, token in tokens.items() if token in known}
        new = rater_numbers((one for one in people if one not in numbers), {"": highest} if highest else {})
        numbers |= {person: number for person, number in new.items() if person}
        return [
            {
                **{"run_id": one.run_id, "scorer": one.scorer, "score_id": one.score_id, "rater_name": one.rater},
                "rater": MACHINE if one.rater is None else numbers[one.rater],
                **{"kind": one.kind, "version": one.version, "identity": one.identity, "value": one.value},
                **{"reason": one.reason, "details": _json_of(one.details), "scored_at": one.scored_at},
            }
            for one in self.given
        ]

    def _run_board(self, tables: ExperimentTables) -> Laid | None:
        """The board of runs: those that are affected are weighed anew, and all are ranked again."""
        name = self.declared.name
        is_partly = bool(self.experiment.weights) and self.declared.is_published
        ids = [*self.affected, *(one.run_id for one in self.planned)]
        fresh = run_board_rows(self._scored_runs(tables, ids if is_partly else None))
        if not is_partly:
            return Laid(fresh, pd.DataFrame({}), _BY_EXPERIMENT)
        before = _read(tables, EXPERIMENT_RUN_BOARD, name)
        whole = pd.concat([before[~before["run_id"].isin(ids)], fresh], ignore_index=True)
        return Laid(ranked_again(whole), pd.DataFrame({}), _BY_EXPERIMENT)

    def _grouped(self, table: str, tables: ExperimentTables) -> Laid | None:
        """Boards of configurations, models and prompts, and what follows from them; None where there are too many."""
        if not self.is_grouped(tables):
            return None
        scored = self._scored_runs(tables, None)
        declared = self._overlaid(tables, EXPERIMENT_INPUTS)
        input_ids = declared.loc[declared["is_declared"], "input_id"].tolist()
        make: Mapping[str, Callable[[], pd.DataFrame]] = {
            EXPERIMENT_LEADERBOARD.name: lambda: _together(leaderboard_rows(scored, by, input_ids) for by in GROUPINGS),
            EXPERIMENT_SCORERS.name: lambda: _together(scorer_rows(scored, by) for by in GROUPINGS),
            EXPERIMENT_COMPARISONS.name: lambda: _compared(scored),
            EXPERIMENT_AGREEMENT.name: lambda: agreement_rows(self._overlaid(tables, EXPERIMENT_SCORES)),
        }
        return Laid(make[table](), pd.DataFrame({}), _BY_EXPERIMENT)

    def is_grouped(self, tables: ExperimentTables) -> bool:
        """Whether boards of configurations, models and prompts are made anew."""
        (n,) = tables.rows("SELECT count(*) FROM {runs} WHERE experiment = $name", name=self.declared.name)[0]
        return int(n) + len(self.runs) + len(self.planned) <= MOST_GROUPED

    def _scored_runs(self, tables: ExperimentTables, ids: Sequence[str] | None) -> ScoredRuns:
        runs, scores = (self._overlaid(tables, spec, ids) for spec in (EXPERIMENT_RUNS, EXPERIMENT_SCORES))
        return ScoredRuns.of(self.experiment, runs, scores, self._overlaid(tables, EXPERIMENT_CONFIGURATIONS))

    def _overlaid(self, tables: ExperimentTables, spec: TableSpec, ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows of a table with what is laid over it; of some runs only, if they are named."""
        before = _read(tables, spec, self.declared.name, "run_id", ids)
        laid = self.laid(spec.name, tables)
        if laid is None:
            return before
        keys = [one for one in laid.key if one != spec.board]
        replaced = pd.MultiIndex.from_frame(laid.in_place_of[keys].astype("str"))
        stays = ~pd.MultiIndex.from_frame(before[keys].astype("str")).isin(replaced)
        rows = laid.rows if ids is None else laid.rows[laid.rows["run_id"].isin(ids)]
        return _together([before[stays], rows])


def _compared(scored: ScoredRuns) -> pd.DataFrame:
    try:
        return comparison_rows(scored)
    except BoardError:  # the baseline has no runs
        return _frame(EXPERIMENT_COMPARISONS, [])


def _counts(queued: QueuedRun, status: str | None, completed_at: datetime | None) -> bool:
    """Whether the queue knows more of a run than what is published of it."""
    if status is None:
        return True
    if status in ("pending", "running"):
        return queued.status != status
    return queued.has_ended and (
        completed_at is None or (queued.completed_at is not None and queued.completed_at > completed_at)
    )


def _read(
    tables: ExperimentTables, spec: TableSpec, name: str, column: str = "", ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Published rows of an experiment without its name, in the order of the key; of some ids only, if given."""
    parts = {
        "columns": [one for one in spec.column_names if one != spec.board],
        "of": tables.relations[spec.name],
        "key": spec.key,
    }
    template = "SELECT {columns} FROM {of} {only} WHERE experiment = $name ORDER BY {key}"
    with ExitStack() as stack:
        only = Sql("")
        if ids is not None:
            wanted = stack.enter_context(_relation_of(tables, ids))
            only = compose("SEMI JOIN {wanted} ON id = {column}", wanted=wanted, column=column)
        statement = compose(template, only=only, **parts)
        return to_pandas(spec, tables.connection.execute(statement, {"name": name}).df())


def _among(tables: ExperimentTables, template: str, name: str, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows of a statement that asks for some ids only."""
    with _relation_of(tables, ids) as wanted:
        return tables.connection.execute(tables.sql(template, wanted=wanted), {"name": name}).fetchall()


def _relation_of(tables: ExperimentTables, ids: Sequence[str]) -> AbstractContextManager[Sql]:
    return relation(tables.connection, pa.table({"id": pa.array(list(ids), pa.string())}))


def _laid_new(
    tables: ExperimentTables,
    name: str,
    spec: TableSpec,
    declared: pd.DataFrame | None,
    rows: Sequence[Mapping[str, Any]],
) -> Laid:
    """Rows that nobody has published, each once: declared ones first."""
    key = [one for one in spec.key if one != spec.board]
    frame = _frame(spec, rows)
    whole = frame if declared is None else _together([declared, frame])
    new = whole.drop_duplicates(key).reset_index(drop=True)
    there = pd.MultiIndex.from_frame(_read(tables, spec, name)[key])
    left = new[~pd.MultiIndex.from_frame(new[key]).isin(there)].reset_index(drop=True)
    return Laid(left, left[key], spec.key)


def _prompt_row(name: str, version: str, prompt: object) -> dict[str, Any]:
    parts = prompt if isinstance(prompt, Mapping) else {"template": prompt}
    template, system = str(parts.get("template", "")), parts.get("system")
    try:
        taken = variables_of(template) | (variables_of(str(system)) if system is not None else frozenset())
    except PromptError:  # a text that was imported, and is no template of ours
        taken = frozenset()
    return {
        **{"prompt": name, "version": version, "template": template, "system": system},
        **{"variables": ", ".join(sorted(taken)), "sha256": sha256_of(prompt), "is_declared": False},
    }


def _run_row(one: QueuedRun) -> dict[str, Any]:
    named = {name: getattr(one, name) for name in EXPERIMENT_RUNS.column_names if hasattr(one, name)}
    asked = {"configuration": one.config.configuration, "config": canonical_json(one.config.as_json)}
    return named | asked | {"error_detail": None}


def _planned_row(one: PlannedRun) -> dict[str, Any]:
    return {
        **{"run_id": one.run_id, "config_hash": one.config_hash, "repeat": one.repeat},
        **{"configuration": one.configuration.id, "input_id": one.input_id, "status": "pending"},
        "config": canonical_json(one.config.as_json),
    }


def _stage_row(run_id: str, number: int, stage: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: stage.get(name) for name in EXPERIMENT_STAGES.column_names if name in stage}
    times = {name: _time(stage.get(name)) for name in ("started_at", "completed_at")}
    return said | times | {"run_id": run_id, "number": number, "error_detail": None}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=None)


def _json_of(details: Mapping[str, Any] | None) -> str | None:
    return None if details is None else json.dumps(dict(details), ensure_ascii=False)


def _frame(spec: TableSpec, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of a table without the experiment's name; what a row does not say is NULL."""
    columns = [one for one in spec.column_names if one != spec.board]
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns})
    return to_pandas(spec, frame)


def _together(frames: Any) -> pd.DataFrame:
    listed = [one for one in frames if len(one)] or list(frames)[:1]
    together: pd.DataFrame = pd.concat(listed, ignore_index=True)
    return together
