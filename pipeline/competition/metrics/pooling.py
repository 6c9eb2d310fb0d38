"""How the sections of a cycle, one per horizon, make the cycle's value, and cycles that of a window."""

import numpy as np

from pipeline.competition.arrays import Floats, Ints
from pipeline.competition.metrics.metric import Metric, Pool, SectionMetric


def pool_horizons(metric: Metric, over: SectionMetric, start: Ints) -> dict[str, Floats]:
    """A metric of every cycle and model, out of that of the cycle's sections.

    Pool ``tasks`` sums numerators and denominators; the others take the mean over horizons where the metric is defined.

    Parameters
    ----------
    metric : Metric
    over : SectionMetric
        Sections in the order of cycles, then horizons.
    start : array of int, shape (cycles,)
        The place of each cycle's first section.

    Returns
    -------
    dict of str to array of shape (cycles, models)
        value, n, numerator, denominator and reason (as a code). n counts the horizons in the value, or all where
        there is no value.
    """
    defined = ~np.isnan(over.value)
    count = _sum(defined.astype(float), start)
    n = np.where(count > 0, _sum(np.where(defined, over.n, 0.0), start), _sum(over.n.astype(float), start))
    numerator = denominator = np.full(count.shape, np.nan)
    if metric.pool is Pool.TASKS:
        numerator, denominator = (_sum(tasks, start) for tasks in over.tasks(metric.name))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _sum(np.where(defined, over.value, 0.0), start) / count
        value = np.where(count > 0, numerator / denominator, np.nan) if metric.pool is Pool.TASKS else mean
    reason = np.where(count > 0, 0.0, _reason(over, start))
    return {"value": value, "n": n, "numerator": numerator, "denominator": denominator, "reason": reason}


def _reason(over: SectionMetric, start: Ints) -> Floats:
    """The reason of each cycle's section with the most pairs: a horizon that was not predicted explains nothing.

    Of several, that of the shortest horizon.
    """
    sections = len(over.reason)
    from_last = np.arange(sections - 1, -1, -1)[:, None]
    most: Ints = np.maximum.reduceat(over.n.astype(np.int64) * sections + from_last, start, axis=0)
    chosen = sections - 1 - most % sections
    return np.take_along_axis(over.reason, chosen, axis=0).astype(np.float64)


def _sum(sections: Floats, start: Ints) -> Floats:
    summed: Floats = np.add.reduceat(sections, start, axis=0)
    return summed
