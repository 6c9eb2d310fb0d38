"""The Dagster graph of a judged track on a warehouse in a folder, run in this process; files as tests write them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from pipeline.components.judged_checks import of_table
from pipeline.components.judged_track import ASSETS, track_definitions
from pipeline.judging import Track
from pipeline.tables import TableSpec
from pipeline.warehouse import Store
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.brought import Brought, bring, failing
from pipeline_tests.toy_graph import FILE

NAME = "robust"


def track(**changes: Any) -> Track:
    """A small track with one judge, whose files are in the inbox."""
    declared: dict[str, Any] = {"name": NAME, "title": "A track", "primary": "map", "judges": ["umbrela"]}
    return Track.model_validate(declared | {"correlations": {"resamples": 20}} | changes)


def write_run(folder: Path, run: str, values: Mapping[str, Sequence[float]], measure: str = "map") -> Path:
    """A file as ``trec_eval -q`` writes it: one run, and a value of one measure for each topic.

    Parameters
    ----------
    folder : Path
        Where.
    run : str
        The run, and the file's name.
    values : mapping of str to sequence of float
        For each topic one value; more of them make lines that contradict each other.
    measure : str
        The measure.
    """
    lines = [f"runid\tall\t{run}"]
    lines += [f"{measure}\t{topic}\t{value:.4f}" for topic, given in values.items() for value in given]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run}.eval"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass
class TrackGraph:
    """A track, its warehouse and the history of runs.

    Parameters
    ----------
    folder : Path
        The data folder.
    declared : Track
        The track.
    """

    folder: Path
    declared: Track = field(default_factory=track)
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    @property
    def official(self) -> Path:
        """Where the files of the official board lie."""
        return self.folder / "inbox" / self.declared.name / "official"

    def judge(self, name: str = "umbrela") -> Path:
        """Where those of a judge lie."""
        return self.folder / "inbox" / self.declared.name / "judges" / name

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.folder / FILE), lock_timeout=5)

    @cached_property
    def definitions(self) -> dg.Definitions:
        resources = dg.Definitions(resources={"warehouse": self.warehouse}, executor=dg.in_process_executor)
        return dg.Definitions.merge(track_definitions(self.declared), resources)

    def run(self, *assets: str, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Execute the track's job, or some of its assets."""
        job = self.definitions.resolve_job_def(self.declared.name)
        keys = [dg.AssetKey([self.declared.name, name]) for name in assets] or None
        return job.execute_in_process(instance=self.instance, asset_selection=keys, raise_on_error=raise_on_error)

    def bring(self) -> Brought:
        """Bring all tables up to date, without Dagster."""
        with self.open() as store:
            return bring(store, self.declared, ASSETS)

    def failing(self) -> dict[str, str]:
        """Severity of the checks of all tables that do not hold, by ``table.check``."""
        with self.open() as store:
            return failing(store, self.declared, [spec for spec, _, _ in ASSETS], of_table)

    def redeclared(self, **changes: Any) -> "TrackGraph":
        """The same with another declaration."""
        return TrackGraph(self.folder, track(**changes), self.instance)

    def open(self) -> AbstractContextManager[Store]:
        """The warehouse, to look at or to damage."""
        return self.warehouse.write("a test")

    def table(self, spec: TableSpec) -> pd.DataFrame:
        """All rows of the track in a table."""
        with self.open() as store:
            return store.read(spec, self.declared.name)
