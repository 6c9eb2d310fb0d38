"""``/reports/models``: who takes part, how they did over time, and one model in detail."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from pipeline.reports import answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import (
    Competition,
    Connection,
    End,
    IncludeEnsembles,
    Metrics,
    ModelIds,
    Start,
    Wanted,
)
from pipeline.reports.queries.models import model_name, models, record
from pipeline.reports.queries.series import Selection, newest_moment, ranks, scores, snapshots, summary
from pipeline.reports.queries.standings import contest, model_windows
from pipeline.reports.routes.diversity import diversity_of
from pipeline.reports.routes.paged import paged
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports/models", tags=["models"])

ModelId = Annotated[
    str, Path(description="The model's id; virtual models are __ensemble_<name>__.", examples=["random"])
]
Window = Annotated[str | None, Query(description="Of this window; of all when left out.", examples=["anchor"])]


@router.get("", response_model=answers.Page[answers.Model], responses=FILES)
def all_models(
    connection: Connection, competition: Competition, wanted: Wanted, include_ensembles: IncludeEnsembles = False
) -> Any:
    """Every model that takes part, with its place on the newest board, the best first."""
    contest(connection, competition)
    found = models(
        connection, competition, include_ensembles=include_ensembles, limit=wanted.limit, offset=wanted.offset
    )
    return paged(found, answers.Model, wanted, f"{competition}_models")


@router.get("/global", response_model=answers.Page[answers.ModelScore], responses=FILES)
def model_scores(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    start: Start,
    end: End,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """The primary metric of models over every window, moment by moment; the newest without start and end."""
    return _scores(connection, competition, model_ids, start, end, wanted, include_ensembles, parts=False)


@router.get("/params", response_model=answers.Page[answers.ModelScore], responses=FILES)
def model_scores_of_parts(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    start: Start,
    end: End,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """The same for every part of the contest that has a board, by the metric that the part is ranked by."""
    return _scores(connection, competition, model_ids, start, end, wanted, include_ensembles, parts=True)


def _scores(
    connection: Connection,
    competition: str,
    model_ids: ModelIds,
    start: Start,
    end: End,
    wanted: Wanted,
    include_ensembles: bool,
    *,
    parts: bool,
) -> Any:
    of = contest(connection, competition)
    if start is None and end is None:
        start = newest_moment(connection, competition)
    selection = Selection(competition, model_ids, start, end, include_ensembles)
    metrics = of.metrics_of_parts if parts else {OVERALL: of.primary}
    found = scores(connection, selection, metrics, limit=wanted.limit, offset=wanted.offset)
    return paged(found, answers.ModelScore, wanted, f"{competition}_{'params' if parts else 'global'}")


@router.get("/metrics", response_model=answers.Page[answers.Snapshot], responses=FILES)
def model_metrics(
    connection: Connection,
    competition: Competition,
    model_ids: ModelIds,
    metrics: Metrics,
    start: Start,
    end: End,
    wanted: Wanted,
    window: Window = None,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Metrics of models over time, of the whole contest; the newest without start and end."""
    of = contest(connection, competition)
    if start is None and end is None:
        start = newest_moment(connection, competition)
    found = snapshots(
        connection,
        Selection(competition, model_ids, start, end, include_ensembles),
        category=OVERALL,
        window=None if window is None else of.window(window),
        metrics=None if metrics is None else [of.metric(name) for name in metrics],
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return paged(found, answers.Snapshot, wanted, f"{competition}_metrics")


@router.get("/summary", response_model=answers.Page[answers.ModelSummary], responses=FILES)
def model_summaries(
    connection: Connection, competition: Competition, wanted: Wanted, include_ensembles: IncludeEnsembles = False
) -> Any:
    """Every metric over every window of every model, as of the newest board."""
    contest(connection, competition)
    found = summary(
        connection, competition, include_ensembles=include_ensembles, limit=wanted.limit, offset=wanted.offset
    )
    return paged(found, answers.ModelSummary, wanted, f"{competition}_summary")


@router.get("/{model_id}/stats", response_model=answers.ModelStats)
def model_stats(connection: Connection, competition: Competition, model_id: ModelId) -> Any:
    """What a model handed in, how single predictions were scored, and its metrics over every window."""
    of = contest(connection, competition)
    title, player = model_name(connection, competition, model_id)
    found = record(connection, competition, model_id)
    subjects = found.ordered(lower_is_better=of.is_loss)
    windows: dict[str, dict[str, Any]] = {}
    for (window, metric), measured in model_windows(connection, competition, model_id).items():
        windows.setdefault(window, {})[metric] = asdict(measured)
    return answers.ModelStats(
        competition=competition,
        model_id=model_id,
        model_name=title,
        player_name=player,
        total_predictions=found.n_predictions,
        successful_predictions=found.n_scored,
        failed_predictions=found.n_failed,
        late_predictions=found.n_late,
        imputed_predictions=found.n_imputed,
        average_score=found.mean_score,
        best_subject=subjects[0] if subjects else None,
        worst_subject=subjects[-1] if subjects else None,
        first_cycle=found.first_cycle,
        last_cycle=found.last_cycle,
        subjects=[answers.SubjectScore.model_validate(one) for one in found.subjects],
        windows=windows,
    )


@router.get("/{model_id}/history", response_model=answers.Page[answers.ModelHistoryRow], responses=FILES)
def model_history(
    connection: Connection,
    competition: Competition,
    model_id: ModelId,
    start: Start,
    end: End,
    wanted: Wanted,
    category: Annotated[str, Query(description="A part of the contest that has a board.")] = OVERALL,
) -> Any:
    """Where a model stood on every board, with the primary metric over every window."""
    of = contest(connection, competition)
    model_name(connection, competition, model_id)
    selection = Selection(competition, [model_id], start, end)
    found = ranks(connection, selection, of.primary, category, wanted.limit, wanted.offset)
    return paged(found, answers.ModelHistoryRow, wanted, f"{competition}_{model_id}_history")


@router.get("/{model_id}/diversity", response_model=answers.Page[answers.Snapshot], responses=FILES)
def model_diversity(
    connection: Connection, competition: Competition, model_id: ModelId, wanted: Wanted, window: Window = None
) -> Any:
    """How a model differs from the others, and what it adds to ensembles, as of the newest board."""
    model_name(connection, competition, model_id)
    return diversity_of(connection, competition, [model_id], wanted, window)
