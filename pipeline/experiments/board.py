"""The boards of an experiment: runs by their weighted score, and configurations, models or prompts by the mean of it.

Rows are those of the tables without the experiment's name. What did not come about (failed, cancelled, unfinished,
unscored) is counted and shown; it is no 0 and it is not left out in silence.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.experiments.frames import frame_of, frame_of_rows
from pipeline.experiments.groups import OVER_REPEATS, Groups
from pipeline.experiments.scored import COMPLETED, ScoredRuns
from pipeline.leaderboard import (
    Direction,
    Influence,
    RankBy,
    RankingKey,
    eligibility,
    item_interval,
    rank_contestants,
    rank_intervals,
)
from pipeline.leaderboard.item_intervals import STUDENT, TOO_FEW_ITEMS
from pipeline.tables import EXPERIMENT_LEADERBOARD, EXPERIMENT_RUN_BOARD, EXPERIMENT_SCORERS

OVER_INPUTS = "over_inputs"
TOO_MANY = "too_many_contestants"
MOST_COMPARED = 2000
"""Contestants whose ranks have intervals, at most: every two of them are compared."""

_RANKED = "ranked"
_BY_SCORE = RankBy(RankingKey("score"))


def run_board_rows(scored: ScoredRuns) -> pd.DataFrame:
    """Every run with its weighted score, what that rests on, and its rank."""
    weighed, run_ids = scored.weighed, scored.runs["run_id"].to_numpy(dtype=object)
    ranking = rank_contestants(run_ids, {"score": weighed.score}, _BY_SCORE, ineligible=scored.why_not)
    columns = {
        "run_id": run_ids,
        "position": ranking.position,
        "rank": _none_for_0(ranking.rank),
        "score": weighed.score,
        "coverage": weighed.coverage,
        "n_scorers": weighed.n_scorers,
        "weighting": weighed.weighting,
        "missing_scorers": weighed.missing,
        "unweighted_scorers": weighed.unweighted,
        "mean_of_scorers": weighed.mean_of_scorers,
        "status": ranking.status,
    }
    return frame_of(EXPERIMENT_RUN_BOARD, columns).sort_values("position", ignore_index=True)


def ranked_again(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a board of runs put in order anew, after some of them were replaced.

    Parameters
    ----------
    rows : DataFrame
        Of experiments.run_board; ``position`` and ``rank`` are those of before.
    """
    status = rows["status"].to_numpy(dtype=object)
    why_not = np.array([None if one == _RANKED else one.removeprefix("unranked: ") for one in status], dtype=object)
    score = rows["score"].to_numpy(dtype=np.float64, na_value=np.nan)
    ranking = rank_contestants(rows["run_id"].to_numpy(dtype=object), {"score": score}, _BY_SCORE, ineligible=why_not)
    placed = rows.assign(
        position=ranking.position.astype(np.int32), rank=pd.Series(_none_for_0(ranking.rank), rows.index, dtype="Int32")
    )
    return placed.sort_values("position", ignore_index=True)


def leaderboard_rows(scored: ScoredRuns, grouping: str, input_ids: Sequence[str] = ()) -> pd.DataFrame:
    """Configurations, models or prompts by the mean score of their runs, with what is behind it.

    Intervals are over inputs, so that repeats of an input do not count as further evidence; with fewer than 8 inputs
    over repeats, which says nothing of other inputs.

    Parameters
    ----------
    scored : ScoredRuns
    grouping : str
        ``configuration``, ``model`` or ``prompt``.
    input_ids : sequence of str
        Inputs that everybody should have runs on; those that anybody has, where none is given. Runs on others do not
        lower anybody's coverage: whoever asks for a run of their own would unrank all others.

    Raises
    ------
    ValueError
        If the grouping is another one.
    """
    groups = Groups.of(scored, grouping, input_ids)
    coverage = groups.coverage
    ineligible = eligibility(coverage, groups.n_scored, min_coverage=scored.experiment.min_coverage, min_predictions=1)
    ineligible[groups.n_scored == 0] = "no_scored_runs"
    influence = groups.influence
    ranking = rank_contestants(groups.names, {"score": influence.value}, _BY_SCORE, ineligible=ineligible)
    columns = {
        "grouping": np.full(len(groups.names), grouping, dtype=object),
        "contestant": groups.names,
        "title": groups.titles,
        "position": ranking.position,
        "rank": _none_for_0(ranking.rank),
        **_rank_intervals(influence, ranking.rank > 0),
        "score": influence.value,
        **_intervals(groups, influence),
        **groups.described(),
        "n_inputs": np.count_nonzero(groups.n_by_input, axis=0),
        "n_inputs_missing": np.count_nonzero(groups.n_by_input[groups.is_wanted] == 0, axis=0),
        "coverage": coverage,
        "status": ranking.status,
    }
    return frame_of(EXPERIMENT_LEADERBOARD, columns).sort_values("position", ignore_index=True)


def scorer_rows(scored: ScoredRuns, grouping: str) -> pd.DataFrame:
    """What each scorer says of each contestant's completed runs."""
    groups = Groups.of(scored, grouping, ())
    is_completed = groups.runs["status"].to_numpy(dtype=object) == COMPLETED
    completed = np.bincount(groups.code[is_completed], minlength=len(groups.names))
    frames = []
    for name in dict.fromkeys([*scored.experiment.scorers, *scored.values]):
        values = scored.values.get(name, np.full(len(scored.runs), np.nan))[scored.is_kept]
        has = ~np.isnan(values) & is_completed
        by_group = pd.Series(values[has]).groupby(groups.code[has])
        n = np.bincount(groups.code[has], minlength=len(groups.names))
        frames.append(
            frame_of(
                EXPERIMENT_SCORERS,
                {
                    "grouping": np.full(len(groups.names), grouping, dtype=object),
                    "contestant": groups.names,
                    "scorer": np.full(len(groups.names), name, dtype=object),
                    "weight": np.full(len(groups.names), scored.experiment.weights.get(name, np.nan)),
                    "value": groups.spread(by_group.mean()),
                    "sd": groups.spread(by_group.std()),
                    "n_scored": n,
                    "n_unscored": completed - n,
                },
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else frame_of_rows(EXPERIMENT_SCORERS, [])


def _intervals(groups: Groups, influence: Influence) -> dict[str, Any]:
    """Intervals over inputs, or over repeats where there are too few inputs."""
    over_inputs, over_repeats = item_interval(influence), groups.over_repeats()
    is_few = over_inputs.method == TOO_FEW_ITEMS
    method = np.where(is_few, over_repeats.method, over_inputs.method)
    method[over_inputs.method == STUDENT] = OVER_INPUTS
    has = np.isin(method, [OVER_INPUTS, OVER_REPEATS])
    ends = {}
    for name, attribute in (("se", "se"), ("ci_low", "low"), ("ci_high", "high")):
        chosen = np.where(is_few, getattr(over_repeats, attribute), getattr(over_inputs, attribute))
        ends[name] = np.where(has, chosen, np.nan)
    return {**ends, "ci_method": method}


def _rank_intervals(influence: Influence, is_ranked: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Between which ranks each contestant could be."""
    if np.count_nonzero(is_ranked) > MOST_COMPARED:
        none = np.full(len(is_ranked), None, dtype=object)
        method = np.where(is_ranked, TOO_MANY, "unranked").astype(object)
        return {"rank_lo": none, "rank_hi": none, "tie_group": none, "rank_method": method}
    found = rank_intervals(influence.value, [influence], Direction.DESC, ranked=is_ranked, dependent=False)
    ranks = {name: _none_for_0(getattr(found, name)) for name in ("rank_lo", "rank_hi", "tie_group")}
    return {**ranks, "rank_method": found.method}


def _none_for_0(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    found = ranks.astype(object)
    found[ranks == 0] = None
    return found
