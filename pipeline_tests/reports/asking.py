"""Clients of a server that opens no page before it is asked for one, which takes longer than most questions."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from pipeline.reports.ahead import LookingAhead
from pipeline.warehouse import Publication


async def _nothing(_: LookingAhead, publication: Publication) -> None:
    """Open no page."""


@contextmanager
def asking(app: FastAPI) -> Iterator[TestClient]:
    """A client that is answered whatever goes wrong; what a server opens first, other tests ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LookingAhead, "_open_first_pages", _nothing)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
