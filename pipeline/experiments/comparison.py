"""Configurations against the baseline, on the inputs that both have."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.experiments.board import leaderboard_rows
from pipeline.experiments.frames import frame_of_rows
from pipeline.experiments.groups import Groups
from pipeline.experiments.scored import BoardError, ScoredRuns
from pipeline.leaderboard import Comparing, PairwiseComparison, compare_pairs, item_interval, mean_influence
from pipeline.tables import EXPERIMENT_COMPARISONS

BETTER, WORSE, UNDECIDED = "better", "worse", "undecided"


def comparison_rows(scored: ScoredRuns, baseline: str | None = None) -> pd.DataFrame:
    """The best configurations, each against the baseline: repeats of an input are averaged, then inputs are paired.

    Parameters
    ----------
    scored : ScoredRuns
    baseline : str, optional
        The configuration; by default the one that is marked as it. Without either there is nothing to compare.

    Raises
    ------
    BoardError
        If the baseline has no runs.
    """
    experiment = scored.experiment
    baseline = baseline or scored.baseline
    if baseline is None:
        return frame_of_rows(EXPERIMENT_COMPARISONS, [])
    groups = Groups.of(scored, "configuration", ())
    place = {name: at for at, name in enumerate(groups.names)}
    if baseline not in place:
        raise BoardError(f"baseline {baseline!r} has no runs, so that nothing can be compared with it; run it first")
    best = [one for one in leaderboard_rows(scored, "configuration")["contestant"] if one != baseline]
    compared = best[: experiment.comparisons.configurations]
    means = groups.means[:, [place[one] for one in (baseline, *compared)]]
    pairs = compared_columns(means, experiment.comparisons.how)
    rows = [{"configuration": one, "baseline": baseline, **pair} for one, pair in zip(compared, pairs, strict=True)]
    return frame_of_rows(EXPERIMENT_COMPARISONS, rows)


def compared_columns(means: npt.NDArray[np.float64], how: Comparing) -> list[dict[str, Any]]:
    """Every column but the first against the first, on the rows that both have; p values allow for all of them.

    Parameters
    ----------
    means : float array, shape (inputs, configurations)
        Mean scores; NaN where there is none.
    how : Comparing

    Returns
    -------
    list of dict
        Columns of experiments.comparisons, without the names.
    """
    pairs = compare_pairs(means, how, baseline=0)
    interval = item_interval(mean_influence(means - means[:, :1]), least=2)
    return [
        {**_of_pair(pairs, at), "ci_low": interval.low[at], "ci_high": interval.high[at]}
        for at in range(1, means.shape[1])
    ]


def _of_pair(pairs: PairwiseComparison, at: int) -> dict[str, Any]:
    """What one configuration has against the baseline, which is the first."""
    verdict = BETTER if pairs.better[at, 0] else WORSE if pairs.better[0, at] else UNDECIDED
    return {
        "n_inputs": pairs.n_topics[at, 0],
        "n_left_out": pairs.n_left_out[at, 0],
        **{name: getattr(pairs, name)[at, 0] for name in ("difference", "wins", "ties", "losses", "statistic")},
        "p": pairs.p[at, 0],
        "p_adjusted": pairs.p_adjusted[at, 0],
        "verdict": verdict,
        "test": str(pairs.how.test),
        "correction": str(pairs.how.correction),
        "reason": _of_inputs(pairs.reason[at, 0]),
    }


def _of_inputs(reason: str | None) -> str | None:
    """The kernel's reasons speak of topics."""
    return None if reason is None else reason.replace("topics", "inputs")
