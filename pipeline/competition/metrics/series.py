"""Metrics of a model's series of cycle values over a window: consistency and, later, risk."""

from dataclasses import replace

import numpy as np

from pipeline.competition.arrays import Floats
from pipeline.competition.metrics.metric import METRICS, Metric, Pool, SeriesMetric
from pipeline.competition.reasons import undefined
from pipeline.leaderboard import Direction, sharpe_influence


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


METRICS.register(
    "ic_sharpe", Metric("ic_sharpe", Pool.SERIES, Direction.DESC, "ratio", of_series=sharpe, series_of="ic")
)
