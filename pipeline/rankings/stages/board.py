"""The board: who ranks where by the declared score, and the facts that people choose by."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.leaderboard import RankBy, Ranking, RankingKey, rank_contestants
from pipeline.rankings.benchmarks import Area, Benchmark
from pipeline.rankings.declaration import SCORES, Rankings
from pipeline.rankings.rank_ranges import RankRange, rank_range_by_leaving_out, rank_range_of_comparisons
from pipeline.rankings.stages.choosing import FREE_OFFER, has_flag
from pipeline.rankings.stages.frames import Column, frame_of
from pipeline.rankings.stages.results import could_be_used, without_source
from pipeline.rankings.stages.scores import (
    Bools,
    Floats,
    Ints,
    Score,
    Used,
    deciding,
    figures_of,
    fitted_ability,
    scores_of,
)
from pipeline.tables import LLM_LEADERBOARD, LLM_SNAPSHOTS

NO_BENCHMARKS = "no_benchmarks"
"""Why a model is unranked: it has no figure of what the score is made of."""
MIN_BENCHMARKS, MIN_SOURCES = "min_benchmarks", "min_sources"
"""It has figures of too few benchmarks, or of too few sources."""
NO_SCORE = "no_score"
"""It has enough, and the score is undefined: ``llm.scores`` says why."""

_FACTS = {
    "price_input": "price.input",
    "price_output": "price.output",
    "context": "context.context_length",
    "ttft": "speed.ttft_median",
    "throughput": "speed.throughput_median",
}
_OF_OFFERS = (Area.PRICE, Area.LIMITS)
_OF_MODEL = ("title", "organisation", "released_on", "open_weights")


def leaderboard_rows(
    scores: pd.DataFrame,
    models: pd.DataFrame,
    results: pd.DataFrame,
    declared: Rankings,
    benchmarks: Mapping[str, Benchmark],
) -> pd.DataFrame:
    """Rows of ``llm.leaderboard``, from the top: one per model that has a figure that is used.

    Equal to 12 significant digits is a tie, which shares its rank (1, 1, 3). Between which ranks a model could be is
    told by comparing the abilities of every two, and by leaving out one source after another; where a fit did not come
    to rest, nothing is told.

    Parameters
    ----------
    scores, models, results : pandas.DataFrame
        Rows of those tables.
    declared : Rankings
    benchmarks : mapping of str to Benchmark
        The vocabulary.
    """
    by_score = {name: scores[scores["score"] == name].set_index("model").sort_index() for name in SCORES}
    by = by_score[declared.rank_by]
    ids = [str(model) for model in by.index]
    ranking = _ranked(ids, by, declared)
    is_ranked = ranking.rank > 0
    allowed = _allowed(ids, is_ranked, results, declared, benchmarks)
    score = by["value"].where(is_ranked).to_numpy(dtype=np.float64)
    without = _without_one_source(ids, score, results, declared, benchmarks)
    columns: dict[str, Column] = {
        "model": ids,
        "position": ranking.position,
        "rank_by": [declared.rank_by] * len(ids),
        "rank": _or_null(ranking.rank),
        "rank_lo": _or_null(allowed.lo),
        "rank_hi": _or_null(allowed.hi),
        "loo_rank_lo": _or_null(without.lo),
        "loo_rank_hi": _or_null(without.hi),
        **{name: by[name].to_numpy() for name in ("coverage", "n_benchmarks", "n_sources", "is_partial")},
        "status": ranking.status,
        "tie_group": _or_null(allowed.lo),
        **{name: rows["value"].reindex(ids) for name, rows in by_score.items()},
        "ability_low": by_score["ability"]["ci_low"].reindex(ids),
        "ability_high": by_score["ability"]["ci_high"].reindex(ids),
        **_facts(ids, models, results, declared, benchmarks),
    }
    rows = frame_of(LLM_LEADERBOARD, columns)
    return rows.sort_values("position", ignore_index=True)


def snapshot_rows(leaderboard: pd.DataFrame, day: datetime) -> pd.DataFrame:
    """Rows of ``llm.snapshots``: where every model of the board stood on a day."""
    return frame_of(LLM_SNAPSHOTS, leaderboard.assign(day=day))


def _ranked(ids: Sequence[str], by: pd.DataFrame, declared: Rankings) -> Ranking:
    """A score ranked; of too few benchmarks or sources, or undefined, is unranked."""
    n_benchmarks, n_sources = by["n_benchmarks"].to_numpy(), by["n_sources"].to_numpy()
    cases = (
        (n_benchmarks == 0, NO_BENCHMARKS),
        (n_benchmarks < declared.min_benchmarks, MIN_BENCHMARKS),
        (n_sources < declared.min_sources, MIN_SOURCES),
        (~np.isfinite(by["value"].to_numpy(dtype=np.float64)), NO_SCORE),
    )
    reasons = [next((why for holds, why in cases if holds[place]), None) for place in range(len(ids))]
    value = by["value"].to_numpy(dtype=np.float64)
    return rank_contestants(ids, {"score": value}, RankBy(RankingKey("score")), ineligible=reasons)


def _allowed(
    ids: Sequence[str], is_ranked: Bools, results: pd.DataFrame, declared: Rankings, benchmarks: Mapping[str, Benchmark]
) -> RankRange:
    """Between which ranks ability leaves models; of other scores, and of a fit that is not at rest, nothing tells."""
    if declared.rank_by != "ability":
        return _no_range(ids)
    fitted = fitted_ability(Used.of(results, ids), declared, benchmarks)
    return rank_range_of_comparisons(fitted.surely_above(), is_ranked) if fitted.is_converged else _no_range(ids)


def _no_range(ids: Sequence[str]) -> RankRange:
    nothing = np.zeros(len(ids), dtype=np.int64)
    return RankRange(nothing, nothing)


def _without_one_source(
    ids: Sequence[str], score: Floats, results: pd.DataFrame, declared: Rankings, benchmarks: Mapping[str, Benchmark]
) -> RankRange:
    """Ranks of the boards that leave out one source; where its figures were used, another's may be in their place.

    ``score`` has the declared score of every ranked model, NaN for others. A model that only one source tells of has no
    range: what its rank rests on could not be left out. Nobody has one if a fit did not come to rest.
    """
    figures = figures_of(declared.rank_by, Used.of(results, ids), declared, benchmarks)
    decides = results["benchmark"].isin(deciding(declared.rank_by, declared, benchmarks))
    results = results[decides & could_be_used(results)]
    telling = results[(results["benchmark"] + "." + results["measure"]).isin(figures)]
    has = pd.crosstab(telling["model"], telling["source"]).reindex(list(ids)).replace(0, np.nan)
    sources = [str(source) for source in has.columns]
    used = set(telling.loc[telling["is_used"].astype(bool), "source"])
    are_at_rest: list[bool] = []

    def scored(values: Floats) -> Floats:
        gone = [sources[place] for place in np.flatnonzero(np.isnan(values).all(axis=0))]
        if not used.intersection(gone):
            return score
        rest = without_source(results, gone[0], declared, benchmarks)
        of_rest = scores_of(Used.of(rest, ids), declared, benchmarks, [declared.rank_by])[declared.rank_by]
        are_at_rest.append(of_rest.is_converged is not False)
        return np.where(_ranked(ids, _standings(of_rest), declared).rank > 0, of_rest.value, np.nan)

    found = rank_range_by_leaving_out(has.to_numpy(dtype=np.float64), sources, scored, ranked=~np.isnan(score))
    if not all(are_at_rest):
        return _no_range(ids)
    is_told_by_one = has.notna().sum(axis=1).to_numpy() < 2
    return RankRange(np.where(is_told_by_one, 0, found.lo), np.where(is_told_by_one, 0, found.hi))


def _standings(score: Score) -> pd.DataFrame:
    """What ranks models, and what they need to be ranked."""
    return pd.DataFrame({"value": score.value, "n_benchmarks": score.n_benchmarks, "n_sources": score.n_sources})


def _facts(
    ids: Sequence[str],
    models: pd.DataFrame,
    results: pd.DataFrame,
    declared: Rankings,
    benchmarks: Mapping[str, Benchmark],
) -> dict[str, Column]:
    """What the board shows of models besides scores."""
    used = Used.of(results, ids)
    facts = {name: used.column(figure) for name, figure in _FACTS.items()}
    is_free = _is_free(ids, results, np.maximum(facts["price_input"], facts["price_output"]))
    areas = used.figures["benchmark"].map({key: one.area for key, one in benchmarks.items()})
    is_speed, is_offered = areas == Area.SPEED, areas.isin(_OF_OFFERS)
    of_model = models.set_index("model").reindex(list(ids))
    return {
        **{name: of_model[name].to_numpy() for name in _OF_MODEL},
        **facts,
        "context": pd.Series(facts["context"]).round().astype("Int64"),
        "is_free": is_free,
        "quality": used.column(declared.quality),
        "benchmarks_at": _newest(used.figures[~is_speed & ~is_offered], ids),
        "performance_at": _newest(used.figures[is_speed], ids),
        "prices_at": _newest(used.figures[is_offered], ids),
    }


def _is_free(ids: Sequence[str], results: pd.DataFrame, dearest: Floats) -> pd.Series:
    """Whether models cost nothing, or are offered for nothing beside their price; NA where no price is known."""
    offers = results[(results["benchmark"] == Area.PRICE.value) & has_flag(results["flags"], (FREE_OFFER,))]
    is_tried = np.isin(np.array(ids, dtype=object), offers["model"].dropna().unique())
    return pd.Series((dearest == 0) | is_tried, dtype="boolean").mask(np.isnan(dearest) & ~is_tried)


def _newest(figures: pd.DataFrame, ids: Sequence[str]) -> Column:
    return figures.groupby("model")["fetched_at"].max().reindex(list(ids)).to_numpy()


def _or_null(ranks: Ints) -> pd.Series:
    return pd.Series(ranks, dtype="Int32").mask(ranks == 0)
