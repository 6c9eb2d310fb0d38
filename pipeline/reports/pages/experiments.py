"""``/experiments``: every prompt experiment, how far it is, what it cost, and which configuration leads."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.access import EXPERIMENTS
from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiments import ExperimentSummary, experiments

router = APIRouter(include_in_schema=False)

_CEILING = 1.0
"""US dollars that an experiment may cost that does not say; see ``ExecutionSpec.max_cost``."""


@dataclass(frozen=True)
class Listed:
    """An experiment of the list.

    Parameters
    ----------
    about : ExperimentSummary
    has_ceiling : bool
        Whether it runs models of its own for no more than ``ceiling`` US dollars.
    ceiling : float or None
    """

    about: ExperimentSummary
    has_ceiling: bool
    ceiling: float | None


@router.get(EXPERIMENTS, response_class=HTMLResponse)
def listed_experiments(request: Request, tables: Tables) -> Any:
    """Every experiment."""
    listed = [_listed(one, tables.of(one.name).declaration) for one in experiments(tables)]
    return show(request, "experiments.html", listed=listed)


def ceiling_of(declaration: str) -> tuple[bool, float | None]:
    """Whether a declaration has a ceiling of cost, and which; one that runs no models has none.

    Read without its scorers, which may be of packages that this server does not have.
    """
    said = json.loads(declaration)
    if not said.get("models"):
        return False, None
    ceiling = (said.get("execution") or {}).get("max_cost", _CEILING)
    return ceiling is not None, ceiling


def _listed(about: ExperimentSummary, declaration: str) -> Listed:
    return Listed(about, *ceiling_of(declaration))
