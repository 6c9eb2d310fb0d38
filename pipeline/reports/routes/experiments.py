"""``/experiments``: experiments that are posted, and what is asked of each. Every request needs a key."""

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from pipeline.reports.access import EXPERIMENTS
from pipeline.reports.answers import Page, Problem, as_rows
from pipeline.reports.answers import experiments as answers
from pipeline.reports.experiments.declaring import PostedExperiment, declare
from pipeline.reports.experiments.inputs import Live, Tables
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import Wanted
from pipeline.reports.queries.experiment_boards import distributions
from pipeline.reports.queries.experiment_comparison import against_baseline, compared
from pipeline.reports.queries.experiment_raters import agreement, next_to_rate, own_raters
from pipeline.reports.queries.experiments import ExperimentSummary, configurations, experiment, experiments
from pipeline.reports.routes.keyed import REFUSALS, Player
from pipeline.reports.routes.paged import as_json, paged

router = APIRouter(prefix=EXPERIMENTS, tags=["experiments"], responses=REFUSALS)

Name = Annotated[str, Path(max_length=100, description="Name of the experiment.", examples=["capitals"])]
Grouping = Annotated[Literal["configuration", "model", "prompt"], Query(description="What runs are grouped by.")]


@router.post(
    "",
    status_code=201,
    response_model=answers.ExperimentAnswer,
    responses={
        200: {"model": answers.ExperimentAnswer, "description": "The same content was posted before: nothing changes."},
        400: {"model": Problem, "description": "The body cannot be read."},
        409: {"model": Problem, "description": "Another board has the name."},
        413: {"model": Problem, "description": "The body is larger than one may be."},
    },
)
def post_experiment(request: Request, live: Live, _: Player, body: PostedExperiment) -> Response:
    """Post a whole experiment, as defs.yaml would declare it: kept whole or not at all, and never changed.

    Its runs are listed as pending at once, and executed by the operator's Podium, within PODIUM_POSTED_COST.
    """
    is_new = declare(live, body, request.app.state.settings)
    with live.tables() as tables:
        response = as_json(_answer(experiment(tables, body.name)))
    response.status_code = 201 if is_new else 200
    return response


@router.get("/api/experiments", response_model=Page[answers.ExperimentAnswer])
def all_experiments(tables: Tables, _: Player) -> Response:
    """Every experiment: what it tries, how far it is, and what it cost."""
    rows = [_answer(one) for one in experiments(tables)]
    return as_json(Page[answers.ExperimentAnswer](total=len(rows), limit=None, offset=0, rows=rows))


@router.get("/api/experiments/{name}", response_model=answers.ExperimentDetail)
def one_experiment(tables: Tables, _: Player, name: Name) -> Response:
    """An experiment with its configurations, and as it was declared."""
    said = {
        **_answer(experiment(tables, name)).model_dump(),
        "configurations": configurations(tables, name),
        "declaration": json.loads(tables.of(name).declaration),
    }
    return as_json(answers.ExperimentDetail.model_validate(said))


@router.get("/api/experiments/{name}/comparisons", response_model=Page[answers.ComparisonRow], responses=FILES)
def comparisons(tables: Tables, _: Player, name: Name, wanted: Wanted) -> Any:
    """Configurations against the baseline on the inputs that both have; no rows where none is declared."""
    return paged(
        tables.connection, against_baseline(tables, name), answers.ComparisonRow, wanted, f"{name}_comparisons"
    )


@router.get("/api/experiments/{name}/compare", response_model=answers.PairAnswer)
def compare(
    tables: Tables,
    _: Player,
    name: Name,
    a: Annotated[str, Query(description="A configuration.", examples=["9e6a49d275eed187"])],
    b: Annotated[str, Query(description="Another one.", examples=["02a17691bfcc923b"])],
) -> Response:
    """Any two configurations input by input: outputs and scores of both; what one of them lacks is counted, no 0."""
    return as_json(answers.PairAnswer.model_validate(asdict(compared(tables, name, a, b))))


@router.get("/api/experiments/{name}/distributions", response_model=Page[answers.DistributionAnswer])
def distribution(
    tables: Tables,
    _: Player,
    name: Name,
    group_by: Grouping = "configuration",
    bins: Annotated[int, Query(ge=1, le=100, description="Equal parts of 0 to 1.")] = 20,
) -> Response:
    """How the scores of runs spread, by configuration, model or prompt."""
    found = [asdict(one) for _, one in sorted(distributions(tables, name, group_by, bins).items())]
    rows = as_rows(answers.DistributionAnswer, found)
    return as_json(Page[answers.DistributionAnswer](total=len(rows), limit=None, offset=0, rows=rows))


@router.get("/api/experiments/{name}/agreement", response_model=Page[answers.AgreementAnswer], responses=FILES)
def agreement_of_people(tables: Tables, _: Player, name: Name, wanted: Wanted) -> Any:
    """How far people agree who rate by the same scorer, by several coefficients."""
    return paged(tables.connection, agreement(tables, name), answers.AgreementAnswer, wanted, f"{name}_agreement")


@router.get("/api/experiments/{name}/next", response_model=answers.ToRateAnswer)
def next_run_to_rate(
    live: Live,
    tables: Tables,
    key: Player,
    name: Name,
    scorer: Annotated[str, Query(max_length=100, description="A scorer that people rate by.", examples=["helpful"])],
    skipped: Annotated[list[str] | None, Query(max_length=1000, description="Runs that come last. Repeated.")] = None,
) -> Response:
    """The run that the key's player should rate next: those that others have begun first."""
    own = own_raters(tables, name, live.raters.token(name, key.player))
    found = next_to_rate(tables, name, scorer, own, key.player, skipped or ())
    return as_json(answers.ToRateAnswer.model_validate(asdict(found)))


def _answer(one: ExperimentSummary) -> answers.ExperimentAnswer:
    said = {**vars(one), "runs": dict(one.statuses), "n_runs": one.n_runs, "scorers": [vars(s) for s in one.scorers]}
    return answers.ExperimentAnswer.model_validate(said)
