"""The Dagster graph of an experiment on a warehouse in a folder, run in this process; files as tests write them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.components.experiment import ASSETS, experiment_definitions
from pipeline.components.experiment_checks import of_table
from pipeline.components.experiment_tables import land_inbox
from pipeline.components.inbox import Landing
from pipeline.experiments import Experiment
from pipeline.tables import EXPERIMENT_FILES, EXPERIMENT_QUARANTINE, EXPERIMENT_TABLES, TableSpec
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.brought import Brought, bring, failing
from pipeline_tests.toy_graph import FILE

NAME = "answers"
PROMPT = "In a word: {{ question }}"


def experiment(**changes: Any) -> Experiment:
    """One prompt, two models, three inputs; an exact match counts twice as much as what people say."""
    declared: dict[str, Any] = {
        "name": NAME,
        "title": "Answers",
        "prompts": {"short": PROMPT},
        "models": ["small", "large"],
        "inputs": [
            {"id": "france", "variables": {"question": "Capital of France?"}, "reference": "Paris"},
            {"id": "italy", "variables": {"question": "Capital of Italy?"}, "reference": "Rome"},
            {"id": "spain", "variables": {"question": "Capital of Spain?"}, "reference": "Madrid"},
        ],
        "scorers": {
            "exact": {"weight": 2},
            "stars": {"scorer": "human", "options": {"scale": [1, 5], "step": 1}},
            "speed": {"scorer": "imported", "weight": 0, "options": {"scale": [10, 0]}},
        },
        "min_scorers": 1,
        "baseline": {"model": "small"},
        "execution": {"automatic": False},
    }
    return Experiment.model_validate(declared | changes)


def imported(**changes: Any) -> Experiment:
    """An experiment that declares nothing to run: what is imported makes it."""
    nothing: dict[str, Any] = {"prompts": {}, "models": {}, "inputs": [], "baseline": None}
    return experiment(**nothing | changes)


def asked(model: str, question: str, **more: Any) -> dict[str, Any]:
    """A row of a file: a declared prompt asked of a model."""
    return {"prompt": PROMPT, "model": model, "input_data": {"question": question}, **more}


@dataclass
class ExperimentGraph:
    """An experiment, its inbox, its warehouse and the history of runs.

    Parameters
    ----------
    folder : Path
        The data folder.
    declared : Experiment
        The experiment.
    """

    folder: Path
    declared: Experiment = field(default_factory=experiment)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.folder / FILE), lock_timeout=5)

    @cached_property
    def definitions(self) -> dg.Definitions:
        resources = dg.Definitions(resources={"warehouse": self.warehouse}, executor=dg.in_process_executor)
        return dg.Definitions.merge(experiment_definitions(self.declared), resources)

    def drop(self, folder: str, rows: Iterable[Mapping[str, Any]] | str, name: str | None = None) -> Path:
        """Put a file of JSON lines into a folder of the inbox."""
        place = self.folder / "inbox" / self.declared.name / folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / (name or f"{len(list(place.iterdir()))}.jsonl")
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        return path

    def run(
        self, *dropped: tuple[str, Sequence[Mapping[str, Any]]], raise_on_error: bool = True
    ) -> dg.ExecuteInProcessResult:
        """Drop files, and execute the experiment's job."""
        for folder, rows in dropped:
            self.drop(folder, rows)
        job = self.definitions.resolve_job_def(self.declared.name)
        return job.execute_in_process(instance=self.instance, raise_on_error=raise_on_error)

    def bring(self, *dropped: tuple[str, Sequence[Mapping[str, Any]]]) -> Brought:
        """Drop files, land what waits, and bring all tables up to date, without Dagster; nothing is executed."""
        for folder, rows in dropped:
            self.drop(folder, rows)
        with self.open() as store:
            land_inbox(store, self.declared, Landing())
            return bring(store, self.declared, ASSETS)

    def failing(self) -> dict[str, str]:
        """Severity of the checks of all tables that do not hold, by ``table.check``."""
        with self.open() as store:
            return failing(store, self.declared, (EXPERIMENT_FILES, *(spec for spec, _, _ in ASSETS)), of_table)

    def redeclared(self, **changes: Any) -> "ExperimentGraph":
        """The same with another declaration."""
        declared = Experiment.model_validate(self.declared.model_dump() | changes)
        return ExperimentGraph(self.folder, declared, self.instance)

    def open(self) -> AbstractContextManager[Store]:
        """The warehouse, to look at or to damage."""
        return self.warehouse.write("a test")

    def table(self, spec: TableSpec) -> pd.DataFrame:
        """All rows of the experiment in a table."""
        with self.open() as store:
            return store.read(spec, self.declared.name)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All rows of the experiment in every table."""
        with self.open() as store:
            specs = (*EXPERIMENT_TABLES, EXPERIMENT_FILES, EXPERIMENT_QUARANTINE)
            return {spec.name: store.read(spec, self.declared.name) for spec in specs}
