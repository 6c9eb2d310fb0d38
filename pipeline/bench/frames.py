"""The metrics as a data scientist would write them: pandas groupby and scipy, a group for each model and cycle.

Written for clarity with the best tools at hand, not to be slow. Where a metric is about all models of a cycle, it is
one table operation for the cycle.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

Frame = pd.DataFrame
PAIRS = ["model_id", "cycle"]


def metrics(
    predictions: Frame,
    truth: Frame,
    factors: Frame,  # noqa: ARG001
    names: list[str],
) -> dict[str, pd.Series]:
    """Each metric that is written here, by model and cycle, or by model for those of a series.

    Parameters
    ----------
    predictions : DataFrame
        model_id, cycle, subject, target_time, value.
    truth : DataFrame
        subject, target_time, value.
    factors : DataFrame
        cycle, subject, factor, value.
    names : list of str
        The metrics wanted; those not written here are left out.
    """
    rows = predictions.merge(truth, on=["subject", "target_time"], suffixes=("", "_of_truth"))
    rows = rows.rename(columns={"value": "signal", "value_of_truth": "outcome"})
    found: dict[str, pd.Series] = {}
    for name in names:
        if name in OF_ROWS:
            found[name] = rows.groupby(PAIRS)[["signal", "outcome"]].apply(OF_ROWS[name])
    if "coverage" in names:
        found["coverage"] = rows.groupby(PAIRS).size() / truth.groupby("target_time").size().mean()
    for name in names:
        if name in OF_SERIES:
            function, of = OF_SERIES[name]
            found[name] = found[of].groupby("model_id").apply(function)
    return found


def spearman(group: Frame) -> float:
    """Rank correlation."""
    return float(stats.spearmanr(group["signal"], group["outcome"]).statistic)


def portfolio_return(group: Frame) -> float:
    """Return of demeaned signals as weights."""
    weights = group["signal"] - group["signal"].mean()
    return float((weights / weights.abs().sum() * group["outcome"]).sum())


def hits(group: Frame) -> float:
    """Share of equal signs."""
    signed = group[(group["signal"] != 0) & (group["outcome"] != 0)]
    return float((np.sign(signed["signal"]) == np.sign(signed["outcome"])).mean())


def rank_products(group: Frame) -> float:
    """Mean product of standardised ranks."""
    signal, outcome = stats.zscore(stats.rankdata(group["signal"])), stats.zscore(stats.rankdata(group["outcome"]))
    return float((signal * outcome).mean())


OF_ROWS: dict[str, Callable[[Frame], float]] = {
    "ic": spearman,
    "mean_return": portfolio_return,
    "hit_rate": hits,
    "score": rank_products,
}
OF_SERIES: dict[str, tuple[Callable[[pd.Series], float], str]] = {
    "ic_sharpe": (lambda series: float(series.mean() / series.std()), "ic"),
}
