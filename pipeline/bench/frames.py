"""The metrics as a data scientist would write them: pandas groupby and scipy, a group for each model and cycle.

Written for clarity with the best tools at hand, not to be slow. Where a metric is about all models of a cycle, or all
cycles of a model, it is one table operation for these.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

Frame = pd.DataFrame
PAIRS = ["model_id", "cycle"]


def metrics(predictions: Frame, truth: Frame, factors: Frame, names: list[str]) -> dict[str, pd.Series]:
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
    truth = truth.assign(centred=truth["value"] - truth.groupby("target_time")["value"].transform("mean"))
    wide = factors.pivot(index=["cycle", "subject"], columns="factor", values="value").add_prefix("factor ")
    rows = predictions.merge(truth, on=["subject", "target_time"], suffixes=("", "_of_truth"))
    rows = rows.rename(columns={"value": "signal", "value_of_truth": "outcome"})
    rows = rows.merge(wide.reset_index(), on=["cycle", "subject"])
    found: dict[str, pd.Series] = {}
    for name in names:
        if name in OF_GROUP:
            found[name] = rows.groupby(PAIRS).apply(OF_GROUP[name])
        elif name in OF_CYCLE:
            found[name] = _long(rows.groupby("cycle").apply(OF_CYCLE[name])).swaplevel()
        elif name in OF_MODEL:
            found[name] = _long(predictions.groupby("model_id").apply(OF_MODEL[name]))
    if "coverage" in names:
        found["coverage"] = rows.groupby(PAIRS).size() / truth["subject"].nunique()
    for name in names:
        if name in OF_SERIES:
            function, of = OF_SERIES[name]
            found[name] = found[of].groupby("model_id").apply(function)
    return found


def _long(table: Any) -> pd.Series:
    """A table of one row for each group as one row for each cell."""
    stacked: pd.Series = table.stack()
    return stacked


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


def numerai(group: Frame) -> float:
    """Correlation of Gaussian ranks and centred outcomes, both to the power of 1.5."""
    gaussian = stats.norm.ppf((stats.rankdata(group["signal"]) - 0.5) / len(group))
    gaussian, centred = (np.sign(values) * np.abs(values) ** 1.5 for values in (gaussian, group["centred"].to_numpy()))
    return float(np.corrcoef(gaussian, centred)[0, 1])


def neutral(group: Frame) -> float:
    """Rank correlation of what the factors leave of the signal's ranks."""
    columns = [name for name in group.columns if name.startswith("factor ")]
    shares = (group[["signal", *columns]].rank() - 0.5) / len(group)
    known = np.column_stack([np.ones(len(group)), shares[columns]])
    coefficients = np.linalg.lstsq(known, shares["signal"].to_numpy(), rcond=None)[0]
    return float(stats.spearmanr(shares["signal"] - known @ coefficients, group["outcome"]).statistic)


def likeness(cycle: Frame) -> pd.Series:
    """Mean rank correlation of each model with the others."""
    correlations = cycle.pivot(index="subject", columns="model_id", values="signal").corr(method="spearman")
    return (correlations.sum() - 1) / (len(correlations) - 1)


def traded(model: Frame) -> pd.Series:
    """Half the change of the portfolio's weights since the cycle before."""
    signals = model.pivot(index="cycle", columns="subject", values="value")
    weights = signals.sub(signals.mean(axis=1), axis=0)
    weights = weights.div(weights.abs().sum(axis=1), axis=0).fillna(0.0)
    return (weights.diff().abs().sum(axis=1, min_count=1) / 2).dropna()


def reordered(model: Frame) -> pd.Series:
    """One minus the correlation of ranks with those of the cycle before."""
    ranks = model.pivot(index="cycle", columns="subject", values="value").rank(axis=1)
    return (1 - ranks.corrwith(ranks.shift(), axis=1)).dropna()


def drawdown(returns: pd.Series) -> float:
    """Deepest fall of compounded returns."""
    value = (1 + returns).cumprod()
    return float(min((value / value.cummax().clip(lower=1) - 1).min(), 0))


def additive_drawdown(values: pd.Series) -> float:
    """Deepest fall of a sum."""
    total = values.cumsum()
    return float(min((total - total.cummax().clip(lower=0)).min(), 0))


def reward_for_losses(returns: pd.Series) -> float:
    """Mean over downside deviation."""
    downside = np.sqrt((returns.clip(upper=0) ** 2).mean())
    return float(returns.mean() / downside) if downside > 0 else np.nan


OF_GROUP: dict[str, Callable[[Frame], float]] = {
    "ic": spearman,
    "mean_return": portfolio_return,
    "hit_rate": hits,
    "score": rank_products,
    "numerai_corr": numerai,
    "fnc": neutral,
}
OF_CYCLE: dict[str, Callable[[Frame], pd.Series]] = {"model_correlation": likeness}
OF_MODEL: dict[str, Callable[[Frame], pd.Series]] = {"turnover": traded, "rank_turnover": reordered}
OF_SERIES: dict[str, tuple[Callable[[pd.Series], float], str]] = {
    "ic_sharpe": (lambda series: float(series.mean() / series.std()), "ic"),
    "max_drawdown": (drawdown, "mean_return"),
    "ic_max_drawdown": (additive_drawdown, "ic"),
    "sortino_ratio": (reward_for_losses, "mean_return"),
}
OF_COMPLETE = ("model_correlation",)
"""Weights each pair of models alike, whatever they have in common: equal to Podium's where nothing is missing."""
