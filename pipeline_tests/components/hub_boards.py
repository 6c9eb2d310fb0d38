"""A small hub's board on a warehouse in a folder, computed table by table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.hub import contest_of
from pipeline.components import hub_tables
from pipeline.components.recompute import Outcome, Recompute
from pipeline.components.updating import update_all
from pipeline.tables import TableSpec
from pipeline.warehouse import WarehouseFiles


@dataclass
class HubOnDisk:
    """A target of a hub, and its warehouse."""

    hub: Path
    folder: Path
    target: str = "count"
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def contract(self) -> Contract:
        return contest_of(self.hub, self.target).contract.model_copy(update=dict(self.changes))

    @property
    def files(self) -> WarehouseFiles:
        (self.folder / "warehouse").mkdir(parents=True, exist_ok=True)
        return WarehouseFiles(self.folder / "warehouse" / "podium.duckdb", self.folder / "published", lock_timeout=5)

    def update(self) -> dict[str, Outcome]:
        """Read what is new in the hub; what happened to predictions and truth."""
        with self.files.write("a test") as store:
            return {
                "predictions": hub_tables.update_predictions(store, self.contract, Recompute()),
                "truth": hub_tables.update_truth(store, self.contract, Recompute()),
            }

    def update_all(self) -> dict[str, Outcome]:
        """Bring all tables up to date; what happened to each."""
        done = update_all(self.files, self.contract, lambda _: None)
        return {one.spec.name: one.outcome for one in done}

    def table(self, spec: TableSpec) -> pd.DataFrame:
        with self.files.read() as store:
            return store.read(spec, self.contract.name)


def recomputed(outcomes: Mapping[str, Outcome]) -> dict[str, int]:
    """How many cycles of each table were computed, where any were."""
    counts = {name: sum(change.cycles for change in one.changes) for name, one in outcomes.items()}
    return {name: count for name, count in counts.items() if count}
