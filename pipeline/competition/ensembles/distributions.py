"""From the members' distributions of a cross-section to one of the same output type.

Per quantile level, category or threshold as :mod:`pipeline.competition.ensembles.combine` does with numbers, or by a
linear pool. Who predicts a part of a distribution, or none that is one, drops out there, so that nothing crosses.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.competition.arrays import Floats
from pipeline.competition.ensembles.combine import combine
from pipeline.competition.ensembles.config import EnsembleConfig
from pipeline.competition.ensembles.mixture import mixture_quantiles, pooled_samples
from pipeline.competition.ensembles.weighing import Weighing
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.scoring import faults

POOL = "linear_pool"


@dataclass(frozen=True)
class CombinedForecasts:
    """An ensemble's distributions of one cross-section.

    Parameters
    ----------
    values : array, shape (subjects, ids)
        NaN for a subject that no member with weight predicted. Of samples there are as many as the members have.
    without : array, shape (candidates, subjects, ids), or None
        Those without each candidate; None where leaving members out is too dear.
    """

    values: Floats
    without: Floats | None


def only_whole(forecasts: Forecasts) -> Forecasts:
    """The distributions that are ones, NaN for the others."""
    is_wrong = faults(forecasts) != 0
    return replace(forecasts, values=np.where(is_wrong[..., None], np.nan, forecasts.values))


def combine_forecasts(
    members: Forecasts, weighing: Weighing, config: EnsembleConfig, *, leave_out: bool = True
) -> CombinedForecasts:
    """Combine the candidates' distributions of one cross-section.

    Missing members drop out, subject by subject, and the weights of the others are renormalised. Of trimmed means and
    medians, quantiles and probabilities of thresholds are put in rising order where weights made them fall, and
    probabilities of categories scaled to sum to 1.

    Parameters
    ----------
    members : Forecasts
        Of shape (candidates, subjects, ids), as :func:`only_whole` gives them.
    weighing : Weighing
    config : EnsembleConfig
    leave_out : bool
        Whether the distributions without each member are wanted.

    References
    ----------
    Per level: Ray et al. (2023), *International Journal of Forecasting* 39. Rising order: Chernozhukov,
    Fernandez-Val & Galichon (2010), "Quantile and probability curves without crossing", *Econometrica* 78.
    """
    values = members.values
    if config.combine == POOL and members.output_type == "sample":
        return CombinedForecasts(pooled_samples(values, weighing.weights), None)
    if config.combine == POOL and members.output_type == "quantile":
        order = np.argsort(members.ids, kind="stable")
        pooled = np.empty(values.shape[1:])
        pooled[:, order] = mixture_quantiles(values[:, :, order], weighing.weights, members.ids[order])
        return CombinedForecasts(pooled, None)
    by_number = config.model_copy(update={"combine": "mean"}) if config.combine == POOL else config
    combined = combine(values.reshape(len(values), -1), weighing, by_number, leave_out=leave_out)
    without = None if combined.without is None else combined.without.reshape(values.shape)
    whole = combined.value.reshape(values.shape[1:])
    return CombinedForecasts(
        _distribution(members, whole), None if without is None else _distribution(members, without)
    )


def _distribution(members: Forecasts, values: Floats) -> Floats:
    """Numbers of each id made a distribution."""
    if members.output_type == "pmf":
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(values / values.sum(axis=-1, keepdims=True))
    order = np.argsort(members.ids, kind="stable")
    found = np.empty_like(values)
    found[..., order] = np.sort(values[..., order], axis=-1)
    return found
