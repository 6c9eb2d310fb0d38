"""Runs by contestant and input: the sums, counts and spreads that boards of contestants are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from pipeline.experiments.scored import CANCELLED, FAILED, UNFINISHED, ScoredRuns
from pipeline.leaderboard import Influence, decimal_codes, ratio_influence
from pipeline.leaderboard.intervals import MIN_CYCLES, Interval

GROUPINGS = ("configuration", "model", "prompt")
OVER_REPEATS, TOO_FEW_INPUTS = "over_repeats", "too_few_inputs"

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_CONFIDENCE = 0.95


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
        """The runs of an experiment by what they are grouped by. Errors are those of leaderboard_rows."""
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
            "n_unfinished": self._number_of(np.isin(status, UNFINISHED)),
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


def _contestants(runs: pd.DataFrame, grouping: str) -> "pd.Series[str]":
    if grouping not in GROUPINGS:
        raise ValueError(f"unknown grouping {grouping!r}; known: {', '.join(GROUPINGS)}")
    if grouping == "prompt":
        return runs["prompt"] + "@" + runs["prompt_version"]
    return runs[grouping]
