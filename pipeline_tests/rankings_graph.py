"""The Dagster graph of a small ranking on a warehouse in a folder, its sources at a publisher on this machine."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.components.llm_rankings import ASSETS, rankings_definitions
from pipeline.components.llm_sources import folder_of
from pipeline.components.recompute import Recompute
from pipeline.intake.sources import Archive, look
from pipeline.rankings.declaration import Rankings
from pipeline.tables import LLM_FETCH_STATUS, LLM_LEADERBOARD, TableSpec
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.landing.publisher import Answer, Publisher
from pipeline_tests.toy_graph import FILE
from pipeline_tests.toy_sources import JSON, listed

NAME = "small"
LISTED, MINE = "pipeline_tests.toy_sources.Listed", "pipeline_tests.toy_sources.Mine"
MODELS = {f"acme/model-{letter}": 40.0 + 5 * place for place, letter in enumerate("abcdefgh")}
"""What the first source says: the last is the best."""


def ranking(sources: Mapping[str, Mapping[str, Any]], **changes: Any) -> Rankings:
    """A ranking by one benchmark."""
    declared: dict[str, Any] = {
        "name": NAME,
        "title": "A ranking",
        "sources": sources,
        "rank_by": "coding",
        "min_benchmarks": 1,
        "weights": {"coding": {"humaneval_plus.pass_at_1": 1}},
    }
    return Rankings.model_validate(declared | changes)


def source(publisher: Publisher, name: str, path: str = LISTED, **options: Any) -> dict[str, Any]:
    """The declaration of a source at a publisher."""
    return {"source": path, "options": {"name": name, "url": publisher.url(f"/{name}.json"), **options}}


@dataclass
class RankingsGraph:
    """A ranking, its publisher, its warehouse and the history of runs.

    Parameters
    ----------
    folder : Path
        The data folder.
    publisher : Publisher
        Of the sources ``arena`` and ``mine``.
    changes : dict
        Of the declaration.
    other : Rankings, optional
        In place of it.
    """

    folder: Path
    publisher: Publisher
    changes: dict[str, Any] = field(default_factory=dict)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    other: Rankings | None = None

    @property
    def name(self) -> str:
        return self.declared.name

    @cached_property
    def declared(self) -> Rankings:
        if self.other is not None:
            return self.other
        sources = {
            "arena": source(self.publisher, "arena"),
            "mine": source(self.publisher, "mine", MINE, benchmark="mbpp_plus"),
        }
        return ranking(**({"sources": sources} | self.changes))

    @property
    def archive(self) -> Archive:
        return Archive.of_settings()

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.folder / FILE), lock_timeout=5)

    @cached_property
    def definitions(self) -> dg.Definitions:
        resources = dg.Definitions(resources={"warehouse": self.warehouse}, executor=dg.in_process_executor)
        return dg.Definitions.merge(rankings_definitions(self.declared), resources)

    def says(self, name: str, models: Mapping[str, float], version: str = "", **headers: str) -> None:
        """Let a source publish this from now on."""
        self.answers(name, Answer(listed(models, version), headers=JSON | headers))

    def answers(self, name: str, *answers: Answer) -> None:
        """Let a source's publisher answer so from now on."""
        self.publisher.says(f"/{name}.json", *answers)

    def run(self, *assets: str, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Execute the ranking's job, or some of its assets."""
        job = self.definitions.resolve_job_def(self.name)
        keys = [dg.AssetKey([self.name, *name.split("/")]) for name in assets] or None
        return job.execute_in_process(instance=self.instance, asset_selection=keys, raise_on_error=raise_on_error)

    def update(self) -> dict[str, int]:
        """What a run does, without Dagster, checks and marts: cycles recomputed by table."""
        for name in self.declared.sources:
            look(self.declared.source(name), self.archive, folder_of(self.declared, name))
        with self.open() as store:
            outcomes = {spec.name: update(store, self.declared, Recompute()) for spec, update, _ in ASSETS}
        return {name: sum(change.changed for change in outcome.changes) for name, outcome in outcomes.items()}

    def redeclared(self, **changes: Any) -> "RankingsGraph":
        """The same with another declaration."""
        return RankingsGraph(self.folder, self.publisher, self.changes | changes, self.instance)

    def of(self, other: Rankings) -> "RankingsGraph":
        """Another ranking in the same folder."""
        return RankingsGraph(self.folder, self.publisher, other=other)

    def open(self) -> AbstractContextManager[Store]:
        """The warehouse, to look at or to damage."""
        return self.warehouse.write("a test")

    def table(self, spec: TableSpec) -> pd.DataFrame:
        """All rows of the ranking in a table."""
        with self.open() as store:
            return store.read(spec, self.name)

    def ranks(self) -> dict[str, Any]:
        """The rank of each ranked model."""
        rows = self.table(LLM_LEADERBOARD)
        return rows[rows["rank"].notna()].set_index("model")["rank"].astype(int).to_dict()

    def said(self, name: str) -> tuple[str, str | None]:
        """The status of a source, and why."""
        row = self.table(LLM_FETCH_STATUS).set_index("source").loc[name]
        return row["status"], row["why"] if isinstance(row["why"], str) else None
