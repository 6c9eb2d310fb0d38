"""``/experiments``: every prompt experiment, how far it is, what it cost, and which configuration leads."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.experiments.execution import ExecutionSpec
from pipeline.experiments.running import Money
from pipeline.intake.posted import is_posted
from pipeline.reports.access import EXPERIMENTS
from pipeline.reports.experiments.inputs import Live, Tables
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiment_tables import DeclaredExperiment
from pipeline.reports.queries.experiments import ExperimentSummary, experiments
from pipeline.settings import Settings

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Listed:
    """An experiment of the list.

    Parameters
    ----------
    about : ExperimentSummary
    ceiling : float or None
        US dollars that all of it may cost; None for no ceiling.
    money : Money or None
        What all of it came to; None where nothing was ever asked.
    """

    about: ExperimentSummary
    ceiling: float | None
    money: Money | None


@router.get(EXPERIMENTS, response_class=HTMLResponse)
def listed_experiments(request: Request, tables: Tables, live: Live) -> Any:
    """Every experiment."""
    given = request.app.state.settings
    listed = [
        Listed(one, known_ceiling(tables.of(one.name), given), live.queues.money(one.name))
        for one in experiments(tables)
    ]
    return show(request, "experiments.html", listed=listed)


def known_ceiling(declared: DeclaredExperiment, given: Settings) -> float | None:
    """US dollars that all of an experiment may cost; None for no ceiling, and for one that runs no models.

    Read without its scorers, which may be of packages that this server does not have.
    """
    said = json.loads(declared.declaration)
    if not said.get("models"):
        return None
    ceiling: float | None = (said.get("execution") or {}).get("max_cost", ExecutionSpec().max_cost)
    if is_posted(declared.name, given):
        ceiling = given.posted_cost if ceiling is None else min(ceiling, given.posted_cost)
    return ceiling
