"""Metrics of a model's series of cycle values over a window: consistency and risk."""

from dataclasses import replace

import numpy as np

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.metrics.metric import Metric, Pool, SeriesMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction, Influence, sharpe_influence
from pipeline.leaderboard.influence import ZERO_VARIANCE


def sharpe(series: Floats) -> SeriesMetric:
    """Mean over standard deviation of the cycle values: the reward for consistency.

    Parameters
    ----------
    series : array, shape (cycles, models)
        NaN where absent.

    Returns
    -------
    SeriesMetric
        Per cycle, not annualised, ddof 1; undefined with ``no_predictions``, ``too_few_cycles`` (fewer than 2)
        or ``zero_variance`` (standard deviation below 1e-12).

    References
    ----------
    Sharpe (1994), *Journal of Portfolio Management* 21; Grinold & Kahn (1999), ch. 5 (information ratio).
    """
    influence = sharpe_influence(series)
    causes = (influence.n == 0, "no_predictions"), (influence.n < 2, "too_few_cycles")
    value, reason = undefined(influence.value, *causes, (np.isnan(influence.value), "zero_variance"))
    return SeriesMetric(replace(influence, value=value), reason)


def max_drawdown(series: Floats) -> SeriesMetric:
    """Deepest fall of the compounded returns from their highest point so far, the beginning included.

    V begins at 1 and grows by 1 + r each cycle; min over t of V_t / max(1, V_1 ... V_t) - 1. Nothing is left to lose
    once V is 0: a return below -1 loses all.

    Parameters
    ----------
    series : array, shape (cycles, models)
        Returns; NaN where absent, which leaves V as it is.

    Returns
    -------
    SeriesMetric
        In [-1, 0], 0 when V never falls; undefined with ``no_predictions``. It has no interval: not smooth.

    References
    ----------
    Magdon-Ismail & Atiya (2004), "Maximum Drawdown", *Risk* 17(10).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.cumprod(np.maximum(1.0 + np.nan_to_num(series), 0.0), axis=0)
        highest = np.maximum.accumulate(np.maximum(value, 1.0), axis=0)
        return _not_smooth(series, (value / highest - 1.0).min(axis=0, initial=0.0))


def additive_drawdown(series: Floats) -> SeriesMetric:
    """Deepest fall of the sum of the cycle values from its highest point so far, the beginning included.

    For values that do not compound, such as correlations: C begins at 0; min over t of C_t - max(0, C_1 ... C_t).

    Parameters
    ----------
    series : array, shape (cycles, models)
        NaN where absent, which leaves C as it is.

    Returns
    -------
    SeriesMetric
        In the unit of the series, at most 0; undefined with ``no_predictions``. It has no interval: not smooth.

    References
    ----------
    Magdon-Ismail & Atiya (2004), "Maximum Drawdown", *Risk* 17(10).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.cumsum(np.nan_to_num(series), axis=0)
        highest = np.maximum.accumulate(np.maximum(total, 0.0), axis=0)
        return _not_smooth(series, (total - highest).min(axis=0, initial=0.0))


def sortino(series: Floats) -> SeriesMetric:
    """Mean return over downside deviation: what is gained for each unit lost.

    mean(r) / sqrt(mean(min(r, 0)^2)), both means over all cycles, not annualised. It leaps where losses are few, so a
    board cannot be ranked by it.

    Parameters
    ----------
    series : array, shape (cycles, models)
        Returns; NaN where absent.

    Returns
    -------
    SeriesMetric
        Per cycle; undefined with ``no_predictions``, ``too_few_cycles`` (fewer than 2) or ``no_downside`` (no losing
        cycle, or a downside deviation below 1e-12). It has no interval: not smooth.

    References
    ----------
    Sortino & van der Meer (1991), "Downside Risk", *Journal of Portfolio Management* 17(4).
    """
    n = np.asarray((~np.isnan(series)).sum(axis=0))
    cycles = np.maximum(n, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        downside = np.sqrt((np.minimum(np.nan_to_num(series), 0.0) ** 2).sum(axis=0) / cycles)
        flat = np.asarray(downside < ZERO_VARIANCE)
        value = np.nansum(series, axis=0) / cycles / np.where(flat, 1.0, downside)
    return _not_smooth(series, value, (n < 2, "too_few_cycles"), (flat, "no_downside"))


def _not_smooth(series: Floats, value: Floats, *causes: tuple[Bools, str]) -> SeriesMetric:
    """A statistic without influence of single cycles; where there is no cycle it is undefined."""
    present = ~np.isnan(series)
    value, reason = undefined(value, (np.asarray(~present.any(axis=0)), "no_predictions"), *causes)
    return SeriesMetric(Influence(value, np.zeros(series.shape), present, is_smooth=False), reason)


METRICS.register(
    "ic_sharpe", Metric("ic_sharpe", Pool.SERIES, Direction.DESC, "ratio", of_series=sharpe, series_of="ic")
)
METRICS.register(
    "max_drawdown",
    Metric("max_drawdown", Pool.SERIES, Direction.DESC, "share", of_series=max_drawdown, series_of="mean_return"),
)
METRICS.register(
    "ic_max_drawdown",
    Metric("ic_max_drawdown", Pool.SERIES, Direction.DESC, "correlation", of_series=additive_drawdown, series_of="ic"),
)
METRICS.register(
    "sortino_ratio",
    Metric(
        "sortino_ratio",
        Pool.SERIES,
        Direction.DESC,
        "ratio",
        of_series=sortino,
        series_of="mean_return",
        ranks=False,
    ),
)
