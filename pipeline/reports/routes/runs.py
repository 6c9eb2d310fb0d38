"""``/runs``: runs of experiments, asked for, listed, scored and ranked. Every request needs a key."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from pipeline.experiments import RunConfig
from pipeline.reports.access import RUNS
from pipeline.reports.access.keys import Key
from pipeline.reports.answers import Answer, Problem
from pipeline.reports.answers import experiments as answers
from pipeline.reports.experiments.inputs import Live, Tables
from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.reports.experiments.posting import ask_for_run, cancel_run, give_score, may_cancel
from pipeline.reports.experiments.sent import AdHocRunCreate, ScoreInput
from pipeline.reports.queries.experiment_boards import Contestant, RankedRun, board, run_board
from pipeline.reports.queries.experiment_raters import own_raters
from pipeline.reports.queries.experiment_runs import RunDetail, RunScore, RunSelection, Stage, run, runs
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiments import DeclaredScorer
from pipeline.reports.queries.page import page
from pipeline.reports.routes.keyed import REFUSALS, Player
from pipeline.reports.routes.paged import as_json

MOST_LISTED = 500
_NO_JSON: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body cannot be read."},
    408: {"model": Problem, "description": "The body took too long to arrive."},
    413: {"model": Problem, "description": "The body is larger than one may be."},
}
"""What OpenAPI says of every route that takes a body."""

router = APIRouter(prefix=RUNS, tags=["runs of experiments"], responses=REFUSALS)


Status = Literal["pending", "running", "completed", "failed", "cancelled"]
RunId = Annotated[str, Path(max_length=100, description="The run.", examples=["ac0368bd-4385-50f0-94a0-d605bcf19370"])]
ExperimentId = Annotated[str, Path(max_length=100, description="Name of the experiment.", examples=["capitals"])]
_SHARE = {"ge": 0.0, "le": 1.0}


@router.get("/", include_in_schema=False)
@router.get("", response_model=answers.RunListResponse)
def list_runs(
    tables: Tables,
    _: Player,
    experiment_id: Annotated[str | None, Query(description="Of this experiment.", examples=["capitals"])] = None,
    status: Annotated[Status | None, Query(description="With this status.")] = None,
    min_score: Annotated[float | None, Query(description="With a weighted score from this.", **_SHARE)] = None,
    max_score: Annotated[float | None, Query(description="With a weighted score up to this.", **_SHARE)] = None,
    configuration: Annotated[str | None, Query(description="Of this configuration.")] = None,
    input_id: Annotated[str | None, Query(description="On this input.")] = None,
    search: Annotated[str | None, Query(max_length=200, description="With this text, whatever its case.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="At most so many.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**53, description="After so many.")] = 0,
) -> Response:
    """Runs, the newest first, with their weighted scores; those that are only declared come last.

    Where a score is asked for, runs without one are left out.
    """
    selection = RunSelection(
        experiment=experiment_id,
        statuses=None if status is None else [status],
        min_score=min_score,
        max_score=max_score,
        configuration=configuration,
        input_id=input_id,
        search=search,
    )
    found = page(tables.connection, runs(tables, selection), limit, offset)
    items = [answers.RunResponse.model_validate(_listed(row)) for row in found.records()]
    return as_json(answers.RunListResponse(items=items, total=found.total))


@router.post("/", include_in_schema=False)
@router.post(
    "",
    status_code=201,
    response_model=answers.RunResponse,
    responses={
        **_NO_JSON,
        200: {"model": answers.RunResponse, "description": "The same run is there: nothing changes."},
        409: {"model": Problem, "description": "Too many runs wait already."},
    },
)
def create_run(live: Live, key: Player, body: AdHocRunCreate) -> Response:
    """Ask for a run: any prompt, model, params and input. It is executed like those that the experiment declares.

    A run is its config and its repeat: the same again is answered with the run that there is. The experiment's ceiling
    of cost holds.
    """
    config = RunConfig.of(body.config.model_dump())
    made, is_new = ask_for_run(live, body.experiment_id, config, body.repeat, key)
    with live.tables() as tables:
        return _answered(answers.RunResponse.model_validate(_named(run(tables, made))), 201 if is_new else 200)


@router.get(
    "/leaderboard/{experiment_id}",
    response_model=answers.LeaderboardResponse | answers.GroupedLeaderboardResponse,
)
def leaderboard(
    tables: Tables,
    _: Player,
    experiment_id: ExperimentId,
    top_n: Annotated[int, Query(ge=1, le=100, description="So many entries at most.")] = 10,
    group_by: Annotated[
        Literal["run", "configuration", "model", "prompt"], Query(description="What is ranked.")
    ] = "run",
) -> Response:
    """The best runs of an experiment by weighted score, or configurations, models or prompts by the mean of it.

    A run that lacks a weighted scorer says so, and below the experiment's minimum of scorers it is listed without a
    rank, after all ranked ones.
    """
    if group_by != "run":
        return as_json(_grouped(tables, experiment_id, group_by, top_n))
    found = run_board(tables, experiment_id, top_n)
    answer = answers.LeaderboardResponse(
        experiment_id=experiment_id,
        entries=[answers.LeaderboardEntry.model_validate(_entry(one)) for one in found.rows],
        total=found.total,
        n_ranked=found.n_ranked,
        group_by=group_by,
        weights=_weights(found.scorers),
    )
    return as_json(answer)


@router.get("/{run_id}", response_model=answers.RunDetailResponse)
def get_run(live: Live, tables: Tables, key: Player, run_id: RunId) -> Response:
    """A run with its stages, and every score that it was ever given; the newest by each scorer and rater counts."""
    return as_json(run_answer(live, tables, run(tables, run_id), key))


@router.post(
    "/{run_id}/score",
    status_code=201,
    response_model=answers.ScoreResponse,
    responses={**_NO_JSON, 409: {"model": Problem, "description": "The run has no answer."}},
)
def score_run(live: Live, key: Player, run_id: RunId, body: ScoreInput) -> Response:
    """Score a run, as the key's player: `value` from 0 to 1, or `rating` on the scorer's own scale.

    Nothing that was given is overwritten; the newest of each person counts, and people's means count.
    """
    made = give_score(live, run_id, body.scorer_name, key, value=body.value, rating=body.rating, metadata=body.metadata)
    with live.tables() as tables:
        found = run_answer(live, tables, run(tables, run_id), key)
    return _answered(next(one for one in found.scores if one.id == made), 201)


@router.post(
    "/{run_id}/cancel",
    response_model=answers.RunResponse,
    responses={
        403: {"model": Problem, "description": "Somebody else asked for the run."},
        409: {"model": Problem, "description": "It has ended."},
    },
)
def cancel(live: Live, key: Player, run_id: RunId) -> Response:
    """Cancel a run that waits or runs and that the key's player asked for; what the declaration asks for stays."""
    cancel_run(live, run_id, key)
    with live.tables() as tables:
        return as_json(answers.RunResponse.model_validate(_named(run(tables, run_id))))


def run_answer(
    live: LiveExperiments, tables: ExperimentTables, found: RunDetail, key: Key
) -> answers.RunDetailResponse:
    """A run as whoever has the key sees it: their own scores are marked, others' names are not told."""
    own = own_raters(tables, found.experiment, live.raters.token(found.experiment, key.player))
    standing = found.standing
    said = {
        **_named(found),
        "stage_results": [_stage(one) for one in found.stages],
        "scores": [_score(found.run_id, one, one.rater in own) for one in found.scores],
        "output": found.output,
        "reference": found.reference,
        "standing": None
        if standing is None
        else asdict(standing)
        | {
            "missing_scorers": _names(standing.missing_scorers),
            "unweighted_scorers": _names(standing.unweighted_scorers),
        },
        "can_cancel": may_cancel(live, found.experiment, found.run_id, key),
    }
    return answers.RunDetailResponse.model_validate(said)


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    names = {"id": row["run_id"], "experiment_id": row["experiment"], "cost_estimate": row["cost"]}
    return row | names | {"weighted_score": row["score"]}


def _named(found: RunDetail) -> dict[str, Any]:
    standing = found.standing
    return {
        **vars(found),
        "id": found.run_id,
        "experiment_id": found.experiment,
        "cost_estimate": found.cost,
        "weighted_score": None if standing is None else standing.score,
        "rank": None if standing is None else standing.rank,
    }


def _stage(one: Stage) -> dict[str, Any]:
    return vars(one) | {"stage_name": one.stage, "cost_estimate": one.cost, "input": one.sent}


def _score(run_id: str, one: RunScore, is_own: bool) -> dict[str, Any]:
    given = one.details if one.is_of_a_person and isinstance(one.details, dict) else {}
    return {
        **vars(one),
        "id": one.score_id,
        "run_id": run_id,
        "scorer_name": one.scorer,
        "rating": given.get("rating"),
        "metadata": given.get("metadata") if one.is_of_a_person else one.details,
        "created_at": one.scored_at,
        "scorer_version": one.version,
        "is_own": is_own,
    }


def _entry(one: RankedRun) -> dict[str, Any]:
    return {
        **vars(one),
        "status": one.run_status,
        "weighted_score": one.score,
        "scores": dict(one.values),
        "cost_estimate": one.cost,
        "unranked_reason": _why(one.status),
        "missing_scorers": _names(one.missing_scorers),
        "unweighted_scorers": _names(one.unweighted_scorers),
    }


def _grouped(tables: ExperimentTables, name: str, group_by: str, top_n: int) -> answers.GroupedLeaderboardResponse:
    found = board(tables, name, group_by)
    return answers.GroupedLeaderboardResponse(
        experiment_id=name,
        entries=[answers.GroupEntry.model_validate(_group(one)) for one in found.rows[:top_n]],
        total=len(found.rows),
        n_ranked=sum(one.row.rank is not None for one in found.rows),
        group_by=group_by,
        weights=_weights(found.scorers),
        n_waiting=found.n_waiting,
    )


def _group(one: Contestant) -> dict[str, Any]:
    scores = {name: said.value for name, said in one.scorers.items()}
    named = {"weighted_score": one.row.score, "scores": scores, "unranked_reason": _why(one.row.status)}
    return vars(one.row) | named


def _weights(scorers: tuple[DeclaredScorer, ...]) -> dict[str, float]:
    return {one.name: one.weight for one in scorers if one.weight > 0}


def _why(status: str) -> str | None:
    return None if status == "ranked" else status.removeprefix("unranked: ")


def _names(listed: str | None) -> list[str]:
    return [] if listed is None else listed.split(", ")


def _answered(answer: Answer, status: int) -> Response:
    response = as_json(answer)
    response.status_code = status
    return response
