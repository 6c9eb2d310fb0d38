"""A small contest whose files arrive in the inbox, on cycles near today, so that real arrival times decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from pipeline.competition import Contract
from pipeline.components.competition import checks_of
from pipeline.components.competition_tables import update_catalog
from pipeline.components.inbox_tables import Landing, land_inbox
from pipeline.components.recompute import Recompute
from pipeline.landing import Landed
from pipeline.tables import COMPETITION_TABLES, FILES, QUARANTINE, SUBMISSIONS, TableSpec
from pipeline.warehouse import Store
from pipeline_tests.brought import failing
from pipeline_tests.toy_contest import declaration
from pipeline_tests.toy_graph import ToyGraph, bring_up_to_date

SUBJECTS = [f"0{number}" for number in range(1, 9)]
TODAY = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)


def cycle(days_ago: int) -> datetime:
    """The cycle of some days ago; until twenty days after it predictions are in time."""
    return TODAY - timedelta(days=days_ago)


def predictions(model: str, *days_ago: int, seed: int = 0, **more: Any) -> pd.DataFrame:
    """A model's predictions of some cycles."""
    blocks = []
    for days in days_ago:
        noise = np.random.default_rng([seed, days, *model.encode()]).standard_normal(len(SUBJECTS))
        blocks.append(pd.DataFrame({"model_id": model, "cycle": cycle(days), "subject": SUBJECTS, "value": noise}))
    return pd.concat(blocks).assign(**more)


def truth(*days_ago: int, seed: int = 1) -> pd.DataFrame:
    """The outcomes of some cycles."""
    return predictions("truth", *days_ago, seed=seed).drop(columns="model_id")


@dataclass
class InboxContest:
    """The contest, its inbox and its warehouse."""

    folder: Path
    changes: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def contract(self) -> Contract:
        parts = {"predictions": {"source": "inbox", "deadline": "20d"}, "truth": {"source": "inbox"}}
        board = {"windows": {"all": {}}, "leaderboard": {"rank_by": "all.ic"}, "metrics": ["ic", "ic_sharpe"]}
        return Contract.model_validate(declaration(**{"horizon_length": "1d", **parts, **board, **self.changes}))

    @cached_property
    def graph(self) -> ToyGraph:
        return ToyGraph(self.folder, [self.contract])

    def drop(self, folder: str, content: pd.DataFrame | str, name: str | None = None) -> Path:
        """Put a CSV file into a folder of the inbox."""
        place = self.folder / "inbox" / "toy" / folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / (name or f"{len(list(place.iterdir()))}.csv")
        path.write_text(content if isinstance(content, str) else content.to_csv(index=False))
        return path

    def land(self, *dropped: tuple[str, pd.DataFrame | str], **config: Any) -> list[Landed]:
        """Drop files, and land what waits, without Dagster and the tables that follow."""
        with self.graph.open() as store:
            return self._land(store, dropped, config)

    def bring(self, *dropped: tuple[str, pd.DataFrame | str], **config: Any) -> dict[str, int]:
        """Drop files, land what waits, and bring all tables up to date, without Dagster; cycles recomputed by table."""
        with self.graph.open() as store:
            self._land(store, dropped, config)
            return bring_up_to_date(store, self.contract)

    def _land(
        self, store: Store, dropped: Iterable[tuple[str, pd.DataFrame | str]], config: Mapping[str, Any]
    ) -> list[Landed]:
        for folder, content in dropped:
            self.drop(folder, content)
        update_catalog(store, self.contract, Recompute())
        return land_inbox(store, self.contract, Landing(**config))

    def run(self, *dropped: tuple[str, pd.DataFrame | str], **config: Any) -> dg.ExecuteInProcessResult:
        """Drop files, and materialize everything."""
        for folder, content in dropped:
            self.drop(folder, content)
        job = self.graph.definitions.resolve_job_def("toy")
        ops = {"ops": {"toy__files": {"config": config}}} if config else None
        return job.execute_in_process(instance=self.graph.instance, run_config=ops)

    def failing(self) -> dict[str, str]:
        """Severity of the checks of all tables that do not hold, by ``table.check``."""
        with self.graph.open() as store:
            return failing(store, self.contract, self.contract.tables, partial(checks_of, self.contract))

    def table(self, spec: TableSpec) -> pd.DataFrame:
        return self.graph.table(spec)

    def tables(self) -> dict[str, pd.DataFrame]:
        specs = (*COMPETITION_TABLES, FILES, SUBMISSIONS, QUARANTINE)
        with self.graph.open() as store:
            return {spec.name: store.read(spec, "toy") for spec in specs}
