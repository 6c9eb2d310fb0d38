"""``/experiments/{name}/runs``: the runs of an experiment, whatever came of them, the newest first."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.experiments import STATUSES
from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.pages.address import address_of
from pipeline.reports.pages.asked import share
from pipeline.reports.pages.links import files
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiment_runs import RunSelection, runs
from pipeline.reports.queries.experiments import configurations, experiment
from pipeline.reports.queries.page import page
from pipeline.reports.wrong import WrongInputError

router = APIRouter(include_in_schema=False)

_MOST_ROWS = 500


@dataclass(frozen=True)
class Asked:
    """Which runs an address asks for; empty texts are any."""

    status: str = ""
    configuration: str = ""
    model: str = ""
    prompt: str = ""
    input_id: str = ""
    min_score: str = ""
    max_score: str = ""
    search: str = ""
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 50
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0

    def selection(self, name: str) -> RunSelection:
        """The runs that are meant.

        Raises
        ------
        WrongInputError
            If a status is unknown or a score no number from 0 to 1.
        """
        if self.status and self.status not in STATUSES:
            raise WrongInputError(f"runs have no status {self.status!r}; known: {', '.join(STATUSES)}")
        return RunSelection(
            experiment=name,
            statuses=(self.status,) if self.status else None,
            min_score=share(self.min_score, "min_score"),
            max_score=share(self.max_score, "max_score"),
            **{one: getattr(self, one) or None for one in _NAMES},
        )

    @property
    def is_narrow(self) -> bool:
        """Whether not all runs are asked for."""
        return any(getattr(self, one) for one in (*_NAMES, "status", "min_score", "max_score"))


_NAMES = ("configuration", "model", "prompt", "input_id", "search")


@router.get("/experiments/{name}/runs", response_class=HTMLResponse)
def listed_runs(request: Request, tables: Tables, name: str, asked: Annotated[Asked, Depends()]) -> Any:
    """The runs of an experiment, a page of them."""
    about = experiment(tables, name)
    found = page(tables.connection, runs(tables, asked.selection(name)), asked.limit, asked.offset)
    known = configurations(tables, name)
    return show(
        request,
        "experiment_runs.html",
        about=about,
        asked=asked,
        rows=found.records(),
        total=found.total,
        statuses=[(one, about.statuses[one]) for one in STATUSES if about.statuses[one] or one == asked.status],
        configurations=known,
        downloads=files(address_of(request).but(limit=None)),
        others=[one for one in ("model", "prompt", "input_id") if getattr(asked, one)],
    )
