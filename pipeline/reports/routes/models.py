"""``/reports/models``: who takes part, how they did over time, and one model in detail."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from pipeline.reports.answers import Page
from pipeline.reports.answers import competitions as answers
from pipeline.reports.formats import FILES
from pipeline.reports.inputs import (
    AsOf,
    Competition,
    Connection,
    End,
    IncludeEnsembles,
    Metrics,
    Newest,
    Selected,
    Start,
    Wanted,
)
from pipeline.reports.queries import boards
from pipeline.reports.queries.correlations import correlations
from pipeline.reports.queries.cycles import window_cycles
from pipeline.reports.queries.models import model_name, models, record
from pipeline.reports.queries.page import page_of
from pipeline.reports.queries.series import Selection, ranks, scores, summary
from pipeline.reports.queries.standings import Measured, contest, model_windows
from pipeline.reports.routes.diversity import diversity_of
from pipeline.reports.routes.history import snapshots_of
from pipeline.reports.routes.paged import as_page, paged
from pipeline.tables import OVERALL

router = APIRouter(prefix="/reports/models", tags=["models"])

ModelId = Annotated[
    str, Path(description="The model's id; virtual models are __ensemble_<name>__.", examples=["random"])
]
Window = Annotated[str | None, Query(description="Of this window; of all when left out.", examples=["anchor"])]


@router.get("", response_model=Page[answers.Model], responses=FILES)
def all_models(
    connection: Connection,
    competition: Competition,
    newest: Newest,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Every model that takes part, with its place on the newest board, the best first."""
    contest(connection, competition)
    query = models(competition, newest, include_ensembles=include_ensembles)
    return paged(connection, query, answers.Model, wanted, f"{competition}_models")


@router.get("/global", response_model=Page[answers.ModelScore], responses=FILES)
def model_scores(connection: Connection, selected: Selected, wanted: Wanted) -> Any:
    """The primary metric of models over every window, moment by moment; the newest without start and end."""
    of = contest(connection, selected.competition)
    return paged(connection, scores(selected, {OVERALL: of.primary}), answers.ModelScore, wanted, f"{of.name}_global")


@router.get("/params", response_model=Page[answers.ModelScore], responses=FILES)
def model_scores_of_parts(connection: Connection, selected: Selected, wanted: Wanted) -> Any:
    """The same for every part of the contest that has a board, by the metric that the part is ranked by."""
    of = contest(connection, selected.competition)
    return paged(connection, scores(selected, of.metrics_of_parts), answers.ModelScore, wanted, f"{of.name}_params")


@router.get("/metrics", response_model=Page[answers.Snapshot], responses=FILES)
def model_metrics(
    connection: Connection, selected: Selected, metrics: Metrics, wanted: Wanted, window: Window = None
) -> Any:
    """Metrics of models over time, of the whole contest; the newest without start and end."""
    query = snapshots_of(connection, selected, OVERALL, window, metrics)
    return paged(connection, query, answers.Snapshot, wanted, f"{selected.competition}_metrics")


@router.get("/summary", response_model=Page[answers.ModelSummary], responses=FILES)
def model_summaries(
    connection: Connection,
    competition: Competition,
    newest: Newest,
    wanted: Wanted,
    include_ensembles: IncludeEnsembles = False,
) -> Any:
    """Every metric over every window of every model, as of the newest board."""
    contest(connection, competition)
    query = summary(competition, newest, include_ensembles=include_ensembles)
    return paged(connection, query, answers.ModelSummary, wanted, f"{competition}_summary")


@router.get("/{model_id:path}/stats", response_model=answers.ModelStats)
def model_stats(connection: Connection, competition: Competition, model_id: ModelId, newest: Newest) -> Any:
    """What a model handed in, how single predictions were scored, and its metrics over every window."""
    of = contest(connection, competition)
    title, player = model_name(connection, competition, model_id)
    found = record(connection, competition, model_id)
    subjects = found.ordered(lower_is_better=of.is_loss)
    windows: dict[str, dict[str, Measured]] = {}
    for (window, metric), measured in model_windows(connection, competition, model_id, newest).items():
        windows.setdefault(window, {})[metric] = measured
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


@router.get("/{model_id:path}/history", response_model=Page[answers.ModelHistoryRow], responses=FILES)
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
    query = ranks(Selection(competition, [model_id], start, end), of.primary, category)
    return paged(connection, query, answers.ModelHistoryRow, wanted, f"{competition}_{model_id}_history")


@router.get("/{model_id:path}/diversity", response_model=Page[answers.Snapshot], responses=FILES)
def model_diversity(
    connection: Connection,
    competition: Competition,
    model_id: ModelId,
    newest: Newest,
    wanted: Wanted,
    window: Window = None,
) -> Any:
    """How a model differs from the others, and what it adds to ensembles, as of the newest board."""
    model_name(connection, competition, model_id)
    return diversity_of(connection, Selection(competition, [model_id], newest), wanted, window)


@router.get("/{model_id:path}/correlations", response_model=Page[answers.ModelCorrelation], responses=FILES)
def model_correlations(
    connection: Connection,
    competition: Competition,
    model_id: ModelId,
    as_of: AsOf,
    wanted: Wanted,
    window: Annotated[str | None, Query(description="The window ranked by when left out.", examples=["anchor"])] = None,
) -> Any:
    """How alike a model's signals are to those of every other real model, the most alike first."""
    of = contest(connection, competition)
    model_name(connection, competition, model_id)
    moment = boards.newest(connection, competition, OVERALL, as_of)
    cycles = window_cycles(connection, of, of.window(window), moment)
    found = page_of(correlations(connection, of, model_id, cycles, moment).table(), wanted.limit, wanted.offset)
    return as_page(found, answers.ModelCorrelation, wanted, f"{competition}_{model_id}_correlations")
