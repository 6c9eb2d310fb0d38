"""The boards of an experiment: runs by their weighted score, and configurations, models or prompts by the mean of it.

Rows are those of the tables without the experiment's name. What did not come about (failed, cancelled, unfinished,
unscored) is counted and shown; it is no 0 and it is not left out in silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.scores import scorer_values
from pipeline.experiments.weighing import Weighed, weigh
from pipeline.leaderboard import (
    Direction,
    Influence,
    RankBy,
    RankingKey,
    decimal_codes,
    eligibility,
    item_interval,
    rank_contestants,
    rank_intervals,
    ratio_influence,
)
from pipeline.leaderboard.intervals import MIN_CYCLES, Interval
from pipeline.leaderboard.item_intervals import STUDENT, TOO_FEW_ITEMS
from pipeline.tables import EXPERIMENT_LEADERBOARD, EXPERIMENT_RUN_BOARD, EXPERIMENT_SCORERS, TableSpec

COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
STATUSES = ("pending", "running", COMPLETED, FAILED, CANCELLED)
GROUPINGS = ("configuration", "model", "prompt")

OVER_INPUTS, OVER_REPEATS, TOO_FEW_INPUTS = "over_inputs", "over_repeats", "too_few_inputs"
TOO_MANY = "too_many_contestants"
MOST_COMPARED = 2000
"""Contestants whose ranks have intervals, at most: every two of them are compared."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_CONFIDENCE = 0.95
_RANKED = "ranked"
_BY_SCORE = RankBy(RankingKey("score"))


class BoardError(ValueError):
    """Runs and scores that make no board; the message says which and what would do."""


@dataclass(frozen=True, eq=False)
class ScoredRuns:
    """Runs with what scorers say of them.

    Parameters
    ----------
    experiment : Experiment
    runs : DataFrame
        Rows of experiments.runs with those of their configurations, numbered from 0.
    values : mapping of str to float array, shape (runs,)
        By scorer, 0 to 1, NaN for none.
    weighed : Weighed
        The weighted scores.
    baseline : str or None
        The configuration that others are compared with.
    """

    experiment: Experiment
    runs: pd.DataFrame
    values: Mapping[str, Floats]
    weighed: Weighed
    baseline: str | None = None

    @classmethod
    def of(
        cls, experiment: Experiment, runs: pd.DataFrame, scores: pd.DataFrame, configurations: pd.DataFrame
    ) -> "ScoredRuns":
        """Runs, scores and configurations put together.

        Parameters
        ----------
        experiment : Experiment
            Its scorers' weights and minimum.
        runs, scores, configurations : DataFrame
            Rows of the tables; scores in the order of arrival.

        Raises
        ------
        BoardError
            If a run or a configuration is there twice, a run has an unknown status or no known configuration.
        """
        whole = _with_configurations(runs, configurations)
        values = scorer_values(scores, pd.Index(whole["run_id"]))
        weighed = weigh(values, experiment.weights, experiment.min_scorers, n_runs=len(whole))
        marked = configurations.loc[configurations["is_baseline"], "configuration"]
        return cls(experiment, whole, values, weighed, next(iter(marked), None))

    @cached_property
    def why_not(self) -> Texts:
        """Per run why it is not ranked: its status, or what it lacks; None where it is."""
        status = self.runs["status"].to_numpy(dtype=object)
        return np.where(status == COMPLETED, self.weighed.reason, status)

    @cached_property
    def is_kept(self) -> npt.NDArray[np.bool_]:
        """Runs that newer repeats of the same do not replace."""
        most = self.experiment.newest_repeats
        if most is None:
            return np.ones(len(self.runs), dtype=bool)
        in_time = self.runs.sort_values(["created_at", "repeat"], ascending=False, kind="stable")
        age = in_time.groupby(["configuration", "input_id"], sort=False).cumcount()
        return np.asarray((age < most).sort_index().to_numpy(), dtype=bool)


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
    return _frame(EXPERIMENT_RUN_BOARD, columns).sort_values("position", ignore_index=True)


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
    return _frame(EXPERIMENT_LEADERBOARD, columns).sort_values("position", ignore_index=True)


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
            _frame(
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
    return pd.concat(frames, ignore_index=True) if frames else _frame(EXPERIMENT_SCORERS, {})


@dataclass(frozen=True, eq=False)
class Groups:
    """Runs by contestant and input; arrays by contestant have shape (contestants,).

    Parameters
    ----------
    runs : DataFrame
        Those that count as repeats, numbered from 0.
    score : float array, shape (runs,)
        NaN where a run does not count.
    names, titles : object array of str
        Of contestants, sorted by name.
    code : int array, shape (runs,)
        The contestant of each run.
    input_ids : tuple of str
        Inputs of the experiment.
    input_code : int array, shape (runs,)
        The input of each run.
    is_wanted : bool array, shape (inputs,)
        Whether everybody should have runs on it.
    """

    runs: pd.DataFrame
    score: Floats
    names: Texts
    titles: Texts
    code: Integers
    input_ids: tuple[str, ...]
    input_code: Integers
    is_wanted: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, scored: ScoredRuns, grouping: str, input_ids: Sequence[str]) -> "Groups":
        """The runs of an experiment by what they are grouped by. Errors are those of :func:`leaderboard_rows`."""
        runs = scored.runs[scored.is_kept].reset_index(drop=True)
        score = np.where(scored.why_not == np.array(None), scored.weighed.score, np.nan)[scored.is_kept]
        contestant = _contestants(runs, grouping)
        code, names = pd.factorize(contestant, sort=True)
        titles = contestant if grouping != "configuration" else runs["title"]
        inputs = tuple(sorted({*input_ids, *runs["input_id"].unique()}))
        input_code = pd.Index(inputs).get_indexer(pd.Index(runs["input_id"]))
        first = pd.Series(np.arange(len(runs))).groupby(code).first().to_numpy(dtype=np.int64)
        named = np.asarray(names, dtype=object), titles.to_numpy(dtype=object)[first]
        is_wanted = np.isin(np.array(inputs, dtype=object), list(input_ids or inputs))
        return cls(runs, score, *named, code, inputs, input_code, is_wanted)

    @cached_property
    def n_by_input(self) -> Integers:
        """Runs that count, shape (inputs, contestants)."""
        return self._counted(~np.isnan(self.score))

    @cached_property
    def sums(self) -> Floats:
        """Sums of scores, shape (inputs, contestants)."""
        counts = ~np.isnan(self.score)
        shape = len(self.input_ids), len(self.names)
        sums = np.bincount(self._cell[counts], weights=self.score[counts], minlength=shape[0] * shape[1])
        return np.asarray(sums.reshape(shape), dtype=np.float64)

    @property
    def means(self) -> Floats:
        """Mean score by input, shape (inputs, contestants); NaN where there is none."""
        n = self.n_by_input
        return np.asarray(np.divide(self.sums, n, out=np.full(n.shape, np.nan), where=n > 0), dtype=np.float64)

    @cached_property
    def n_scored(self) -> Integers:
        """Runs that count."""
        return np.asarray(self.n_by_input.sum(axis=0), dtype=np.int64)

    @cached_property
    def coverage(self) -> Floats:
        """Mean over the experiment's inputs of the share of a contestant's runs that count; 0 where it has no run."""
        n_runs = self._counted(np.ones(len(self.score), dtype=bool))
        shares = (self.n_by_input / np.maximum(n_runs, 1))[self.is_wanted]
        return np.asarray(shares.sum(axis=0) / max(len(shares), 1), dtype=np.float64)

    @cached_property
    def influence(self) -> Influence:
        """The mean over runs, as a ratio of sums over inputs."""
        return ratio_influence(self.sums, self.n_by_input)

    def described(self) -> dict[str, Any]:
        """How scores spread, what came of runs, and what they took."""
        scores = pd.Series(self.score).groupby(self.code)
        codes = decimal_codes(self.score)
        status = self.runs["status"].to_numpy(dtype=object)
        cost, duration = (self._numbers(name) for name in ("cost", "duration_ms"))
        return {
            "sd": self.spread(scores.std()),
            "median": self.spread(scores.median()),
            "n_zero": self._number_of(codes == 0),
            "n_full": self._number_of(codes == decimal_codes(1.0)),
            "n_scored": self.n_scored,
            "n_runs": self._number_of(np.ones(len(self.code), dtype=bool)),
            "n_failed": self._number_of(status == FAILED),
            "n_cancelled": self._number_of(status == CANCELLED),
            "n_unfinished": self._number_of(np.isin(status, STATUSES[:2])),
            "cost": self.spread(cost.mean()),
            "total_cost": self.spread(cost.sum(min_count=1)),
            "n_cost": self.spread(cost.count()).astype(np.int64),
            "duration_ms": self.spread(duration.mean()),
            "median_duration_ms": self.spread(duration.median()),
            "tokens_in": self.spread(self._numbers("tokens_in").mean()),
            "tokens_out": self.spread(self._numbers("tokens_out").mean()),
        }

    def over_repeats(self) -> Interval:
        """95 % intervals of the mean over further repeats of the same inputs, which are not drawn anew.

        SE^2 = s^2 / N with s^2 the variance of scores within inputs, pooled, and N less the number of inputs as degrees
        of freedom, 7 at least.
        """
        n, value = self.n_scored.astype(np.float64), self.influence.value
        counts = ~np.isnan(self.score)
        residual = (self.score - self.means[self.input_code, self.code])[counts]
        squares = np.bincount(self.code[counts], weights=residual**2, minlength=len(self.names))
        free = n - np.count_nonzero(self.n_by_input, axis=0)
        enough = free >= MIN_CYCLES - 1
        variance = np.divide(squares, free, out=np.full(len(free), np.nan), where=enough)
        se = np.sqrt(variance / np.maximum(n, 1))
        half = se * stdtrit(np.maximum(free, 1), (1 + _CONFIDENCE) / 2)
        method = np.where(enough & (se > 0), OVER_REPEATS, TOO_FEW_INPUTS).astype(object)
        se = np.where(method == OVER_REPEATS, se, np.nan)
        return Interval(se, value - half, value + half, method)

    def spread(self, found: "pd.Series[Any]") -> Floats:
        """A series by contestant's code as an array, NaN for those that it does not have."""
        return found.reindex(range(len(self.names))).to_numpy(dtype=np.float64, na_value=np.nan)

    @cached_property
    def _cell(self) -> Integers:
        return np.asarray(self.input_code * len(self.names) + self.code, dtype=np.int64)

    def _counted(self, which: npt.NDArray[np.bool_]) -> Integers:
        cells = len(self.input_ids) * len(self.names)
        return np.bincount(self._cell[which], minlength=cells).reshape(len(self.input_ids), len(self.names))

    def _number_of(self, which: npt.NDArray[np.bool_]) -> Integers:
        return np.bincount(self.code[which], minlength=len(self.names))

    def _numbers(self, name: str) -> Any:
        return self.runs[name].astype("float64").groupby(self.code)


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


def _with_configurations(runs: pd.DataFrame, configurations: pd.DataFrame) -> pd.DataFrame:
    """Runs with the title, prompt and model of their configurations."""
    for frame, key in ((runs, "run_id"), (configurations, "configuration")):
        twice = frame.loc[frame[key].duplicated(), key].unique()[:5]
        if len(twice):
            raise BoardError(f"{key} {', '.join(map(repr, twice))} is there more than once; keep one row of each")
    odd = sorted(set(runs["status"].unique()) - set(STATUSES))
    if odd:
        raise BoardError(f"unknown status {', '.join(map(repr, odd))}; known: {', '.join(STATUSES)}")
    unknown = runs.loc[~runs["configuration"].isin(configurations["configuration"]), "configuration"].unique()[:5]
    if len(unknown):
        raise BoardError(
            f"runs have configurations that are not there: {', '.join(map(repr, unknown))}; add their rows"
        )
    of_each = configurations[["configuration", "title", "prompt", "prompt_version", "model"]]
    return runs.merge(of_each, on="configuration", how="left", validate="many_to_one").reset_index(drop=True)


def _contestants(runs: pd.DataFrame, grouping: str) -> "pd.Series[str]":
    if grouping not in GROUPINGS:
        raise ValueError(f"unknown grouping {grouping!r}; known: {', '.join(GROUPINGS)}")
    if grouping == "prompt":
        return runs["prompt"] + "@" + runs["prompt_version"]
    return runs[grouping]


def _none_for_0(ranks: Integers) -> Texts:
    found = ranks.astype(object)
    found[ranks == 0] = None
    return found


def _frame(spec: TableSpec, columns: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """Columns of a table, but the experiment's name, in its order; what is absent makes no float of a whole number."""
    kinds = {"VARCHAR": "str", "INTEGER": "Int32", "BIGINT": "Int64", "DOUBLE": "float64"}
    return pd.DataFrame(
        {
            one.name: pd.Series(columns.get(one.name, np.array([], dtype=object)), dtype=kinds[one.type])
            for one in spec.columns
            if one.name != spec.board
        }
    )
