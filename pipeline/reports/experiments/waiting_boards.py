"""Boards of an experiment made anew, out of its tables with what waits of it laid over them."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from pipeline.experiments import (
    GROUPINGS,
    BoardError,
    ScoredRuns,
    agreement_rows,
    comparison_rows,
    frame_of_rows,
    leaderboard_rows,
    ranked_again,
    run_board_rows,
    scorer_rows,
)
from pipeline.reports.experiments.laying import Laid, together, whole
from pipeline.reports.experiments.waiting import Waiting
from pipeline.tables import (
    EXPERIMENT_AGREEMENT,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_INPUTS,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_RUNS,
    EXPERIMENT_SCORERS,
    EXPERIMENT_SCORES,
    TableSpec,
)

Overlaid = Callable[[TableSpec, Sequence[str] | None], pd.DataFrame]
"""Rows of a table with what is laid over it; of some runs only, if they are named."""


def waiting_run_board(waiting: Waiting, overlaid: Overlaid, published: Callable[[], pd.DataFrame]) -> Laid:
    """The board of runs: those that are affected are weighed anew, and all are ranked again.

    Parameters
    ----------
    waiting : Waiting
    overlaid : Overlaid
    published : callable
        The board as it is published.
    """
    if not (waiting.experiment.weights and waiting.declared.is_published):
        return whole(run_board_rows(_scored_runs(waiting, overlaid, None)))
    ids = [*waiting.affected, *(one.run_id for one in waiting.planned)]
    before, fresh = published(), run_board_rows(_scored_runs(waiting, overlaid, ids))
    kept = before[~before["run_id"].isin(ids)]
    return whole(ranked_again(pd.concat([kept, fresh], ignore_index=True)))


def waiting_grouped(table: str, waiting: Waiting, overlaid: Overlaid) -> Laid:
    """A board of configurations, models and prompts, or what follows from it."""
    scored = _scored_runs(waiting, overlaid, None)
    inputs = overlaid(EXPERIMENT_INPUTS, None)
    input_ids = inputs.loc[inputs["is_declared"], "input_id"].tolist()
    make: Mapping[str, Callable[[], pd.DataFrame]] = {
        EXPERIMENT_LEADERBOARD.name: lambda: together(leaderboard_rows(scored, by, input_ids) for by in GROUPINGS),
        EXPERIMENT_SCORERS.name: lambda: together(scorer_rows(scored, by) for by in GROUPINGS),
        EXPERIMENT_COMPARISONS.name: lambda: _compared(scored),
        EXPERIMENT_AGREEMENT.name: lambda: agreement_rows(overlaid(EXPERIMENT_SCORES, None)),
    }
    return whole(make[table]())


def _scored_runs(waiting: Waiting, overlaid: Overlaid, ids: Sequence[str] | None) -> ScoredRuns:
    runs, scores = (overlaid(spec, ids) for spec in (EXPERIMENT_RUNS, EXPERIMENT_SCORES))
    return ScoredRuns.of(waiting.experiment, runs, scores, overlaid(EXPERIMENT_CONFIGURATIONS, None))


def _compared(scored: ScoredRuns) -> pd.DataFrame:
    try:
        return comparison_rows(scored)
    except BoardError:  # the baseline has no runs
        return frame_of_rows(EXPERIMENT_COMPARISONS, [])
