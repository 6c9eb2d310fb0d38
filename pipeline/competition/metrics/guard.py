"""What a metric gives, whatever it does: one that fails, or gives nonsense, is undefined and says why.

The run, and every other metric, goes on. Podium's own metrics pass here too: a board with one column missing is better
than none.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Floats
from pipeline.competition.metrics.metric import EnsemblePanel, Metric, Pool, SectionMetric, SeriesMetric
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import Reasons, error_code, reason_code, require_codes
from pipeline.leaderboard import Influence


def safely(metric: Metric, panel: Panel) -> SectionMetric:
    """A metric of every cross-section and model of a panel.

    One that fails is tried on each cross-section by itself, so that what it says of one never depends on which others
    happen to be computed with it.

    Parameters
    ----------
    metric : Metric
        Of pool ``cycles`` or ``tasks``.
    panel : Panel

    Returns
    -------
    SectionMetric
        Finite, or NaN with a reason: the metric's own, ``undefined`` where it gave NaN without one, or
        ``error: <type>: <message>``.
    """
    try:
        return _checked(metric, metric.over_panel(panel), panel)
    except MemoryError:
        raise
    except Exception as error:
        if panel.shape[0] > 1:
            return joined([safely(metric, panel.at(section)) for section in range(panel.shape[0])])
        return _failed(error, panel)


def safely_beside(metric: Metric, panel: Panel, ensemble: Callable[[], EnsemblePanel]) -> SectionMetric:
    """A metric of members of every cross-section and model of a panel, beside an ensemble; as :func:`safely`."""
    try:
        return _checked(metric, metric.beside(panel, ensemble()), panel)
    except MemoryError:
        raise
    except Exception as error:
        return _failed(error, panel)


def safely_over_series(metric: Metric, series: Floats) -> SeriesMetric:
    """A metric of pool ``series`` of every model's series, shape (cycles, models); as :func:`safely`."""
    models = series.shape[1]
    try:
        if metric.of_series is None:
            raise ValueError(f"metric {metric.name!r} is not of a series")
        found = metric.of_series(series)
        value = np.asarray(found.influence.value, dtype=np.float64)
        _require("value", value.shape, (models,))
        _require("psi", found.influence.psi.shape, series.shape)
        _require("present", found.influence.present.shape, series.shape)
        value, reason = _with_reasons(value, np.asarray(found.reason))
        return SeriesMetric(replace(found.influence, value=value), reason)
    except MemoryError:
        raise
    except Exception as error:
        nothing = Influence(np.full(models, np.nan), np.zeros(series.shape), ~np.isnan(series), is_smooth=False)
        return SeriesMetric(nothing, np.full(models, error_code(error), dtype=np.int32))


def _checked(metric: Metric, found: object, panel: Panel) -> SectionMetric:
    """What the metric gave, if it is of the right form; an error that says what is wrong with it."""
    if not isinstance(found, SectionMetric):
        raise TypeError(f"the metric gave a {type(found).__name__}, expected a SectionMetric")
    value, n = np.asarray(found.value, dtype=np.float64), np.asarray(found.n, dtype=np.int64)
    tasks = found.tasks(metric.name) if metric.pool is Pool.TASKS else ()
    arrays = {"value": value, "n": n} | dict(zip(("numerator", "denominator"), tasks, strict=False))
    for name, array in arrays.items():
        _require(name, np.shape(array), panel.shape[:2])
    if not all(np.isfinite(array).all() for array in tasks):
        raise ValueError("numerator and denominator must be finite, 0 where there is nothing")
    value, reason = _with_reasons(value, np.asarray(found.reason))
    return replace(found, value=value, n=n, reason=reason)


def _require(name: str, have: tuple[int, ...], want: tuple[int, ...]) -> None:
    if have != want:
        raise ValueError(f"{name} has shape {have}, expected {want}")


def _with_reasons(value: Floats, reason: npt.NDArray[Any]) -> tuple[Floats, Reasons]:
    """NaN where there is a reason, and a reason where there is no finite number."""
    _require("reason", reason.shape, value.shape)
    codes = require_codes(reason)
    infinite = error_code(ValueError("the value is infinite"))
    codes = np.where((codes == 0) & np.isinf(value), np.int32(infinite), codes)
    codes = np.where((codes == 0) & np.isnan(value), np.int32(reason_code("undefined")), codes)
    return np.where(codes == 0, value, np.nan), codes


def _failed(error: Exception, panel: Panel) -> SectionMetric:
    shape = panel.shape[:2]
    nothing = np.zeros(shape)
    return SectionMetric(
        np.full(shape, np.nan), panel.n_pairs, np.full(shape, error_code(error), dtype=np.int32), nothing, nothing
    )


def joined(parts: Sequence[SectionMetric]) -> SectionMetric:
    """One metric out of those of consecutive sections."""
    value, n, reason, numerator, denominator = (
        np.concatenate(
            [np.zeros_like(part.value) if (array := getattr(part, name)) is None else array for part in parts]
        )
        for name in ("value", "n", "reason", "numerator", "denominator")
    )
    return SectionMetric(value, n, reason, numerator, denominator)
