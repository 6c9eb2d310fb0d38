"""A contest that takes submissions, published, and its server asked with the keys of players."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.testclient import TestClient

from pipeline.competition import Contract
from pipeline.landing import pending
from pipeline.reports.access.keys import KeyStore
from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline.tables import BOARDS, MODELS, WHOLE, TableSpec
from pipeline.warehouse import Dirty, Store, WarehouseFiles
from pipeline_tests.cli.league import DECLARATION, HEADER
from pipeline_tests.reports.asking import asking

FUTURE = "2150-01-05"
MODELS_THERE = {"anna": "Ann", "bert": "Bert", "ghost": "", "__ensemble_main__": ""}
"""Models that are published, and whose they are."""


def row(model: str, subject: str = "X", value: object = 0.5, cycle: str = FUTURE) -> str:
    return f"{model},{cycle},{subject},{value}"


def csv(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


@dataclass
class Desk:
    """The contest in a data folder, its players' keys and its inbox."""

    folder: Path
    changes: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=lambda: MODELS_THERE)

    @cached_property
    def contract(self) -> Contract:
        return Contract.model_validate({"name": "league"} | DECLARATION | dict(self.changes))

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.folder / "keys")

    def publish(self) -> None:
        files = WarehouseFiles(self.folder / "warehouse" / "podium.duckdb", self.folder / "published")
        said = {"kind": "competition", "title": "The league", "contract": self.contract.model_dump_json()}
        known = {"kind": "real", "designated": True, "version": "1"}
        models = [{"model_id": one, "title": one, "player": who} | known for one, who in self.models.items()]
        with files.write("a test") as store:
            _replace(store, BOARDS, [said])
            _replace(store, MODELS, models)
        files.publish()

    @contextmanager
    def served(self, **limits: Any) -> Iterator[TestClient]:
        given = Settings(data_dir=self.folder, **limits)
        with asking(create_app(self.folder / "published", given=given)) as client:
            yield client

    def key(self, player: str) -> dict[str, str]:
        """The headers of a request with a new key."""
        return {"Authorization": f"Bearer {self.keys.add(player)[1]}"}

    def waiting(self, folder: str = "predictions") -> list[Path]:
        return [one.path for one in pending(self.folder / "inbox", "league", (folder,))]


def post(client: TestClient, headers: Mapping[str, str], *rows: str, name: str = "week.csv", **asked: Any) -> Any:
    """Submit lines as a file."""
    return client.post("/submissions", files={"file": (name, csv(*rows))}, params=asked, headers=dict(headers))


def _replace(store: Store, spec: TableSpec, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = [name for name in spec.column_names if name != spec.board]
    store.replace(spec, "league", [Dirty(WHOLE, 0)], pd.DataFrame(rows, columns=columns), "by hand")
