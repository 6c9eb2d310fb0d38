"""A published experiment and its server, asked with the keys of people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pipeline.experiments.running import Queue
from pipeline.reports.access.keys import KeyStore
from pipeline.reports.app import create_app
from pipeline.settings import Settings
from pipeline_tests.reports.asking import asking
from pipeline_tests.toy_experiment import NAME

CONFIG: dict[str, Any] = {
    "prompt": "Capital of {{ country }}?",
    "model": "tiny",
    "params": {"temperature": 0},
    "input_data": {"country": "Malta"},
}


@dataclass
class Bench:
    """The experiment in a data folder, its keys and its queue."""

    folder: Path

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.folder / "keys")

    def key(self, player: str = "Ann") -> dict[str, str]:
        """The headers of a request with a new key."""
        return {"Authorization": f"Bearer {self.keys.add(player)[1]}"}

    @contextmanager
    def served(self, **limits: Any) -> Iterator[TestClient]:
        given = Settings(data_dir=self.folder, **limits)
        with asking(create_app(self.folder / "published", given=given)) as client:
            yield client

    @contextmanager
    def queue(self) -> Iterator[Queue]:
        """The queue, as a process that executes runs has it."""
        with Queue(self.folder / "experiments" / f"{NAME}.sqlite", NAME) as queue:
            yield queue


def asked(**changes: Any) -> dict[str, Any]:
    """A run that nobody declared, with other parts of its config."""
    return {"experiment_id": NAME, "config": CONFIG | changes}


def said(answer: Any, status: int = 200) -> Any:
    """The JSON of an answer with this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
