"""Metrics of predictive distributions: means of what the scoring rule says of each, and two of whole cross-sections.

One that is a mean of a measure is one line of :data:`_MEANS`; the measures are in ``pipeline.competition.scoring``. All
are of the contest's scale.
"""

import re

import numpy as np

from pipeline.competition.metrics.metric import Metric, PanelFunction, Pool, SectionMetric
from pipeline.competition.metrics.registry import METRICS
from pipeline.competition.metrics.tasks import nowhere, share
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.competition.scoring import energy_score, expected_calibration_error
from pipeline.leaderboard import Direction

_COVERAGE = re.compile(r"interval_coverage_(\d+(?:\.\d+)?)")

_MEANS = (
    ("wis", "score", "Mean weighted interval score of quantiles."),
    ("dispersion", "score", "Part of the WIS that is the width of the intervals."),
    ("underprediction", "score", "Part of the WIS that is outcomes above the intervals."),
    ("overprediction", "score", "Part of the WIS that is outcomes below the intervals."),
    ("ae_median", "outcome", "Mean absolute error of the median."),
    ("se_mean", "outcome squared", "Mean squared error of the mean."),
    ("rps", "score", "Mean ranked probability score of categories that have an order, summed over them."),
    ("mean_rps", "score", "Mean ranked probability score of categories that have an order, averaged over them (M6)."),
    ("brier", "score", "Mean Brier score of probabilities of categories, summed over them."),
    ("log_score", "score", "Mean of -ln of the probability of the category that occurred, at most 10 each."),
    ("crps", "outcome", "Mean continuous ranked probability score of samples or a distribution function."),
    ("fair_crps", "outcome", "Mean CRPS of the distribution that samples are drawn from, whatever their number."),
    ("threshold_brier", "score", "Mean Brier score of a distribution function at its thresholds."),
)
"""Name of the measure and of the metric, unit, first line of the documentation. All are losses."""


def mean_of(measure: str, described: str) -> PanelFunction:
    """The mean of a measure over the predictions that have it, as a function of a panel.

    It is undefined with ``no_scores``. The function fails where the scoring rule does not give the measure.
    """

    def over_panel(panel: Panel) -> SectionMetric:
        if measure not in panel.measures:
            given = ", ".join(panel.measures) or "none"
            raise ValueError(f"the scoring rule gives no measure {measure!r}; it gives: {given}")
        measured = panel.measures[measure]
        counted = ~np.isnan(measured)
        total = np.where(counted, measured, 0.0).sum(axis=2)
        return share(total, counted, (nowhere(counted), "no_scores"))

    over_panel.__doc__ = described
    return over_panel


def interval_coverage(name: str) -> Metric | None:
    """The metric ``interval_coverage_<N>``: share of outcomes within the central interval of N %, its ends included.

    Well calibrated intervals have N %, so neither more nor less is better. None for another name.
    """
    level = _COVERAGE.fullmatch(name)
    if level is None:
        return None
    function = mean_of(name, f"Share of outcomes within the central {level[1]} % interval, its ends included.")
    return Metric(name, Pool.TASKS, Direction.NONE, "share", function, bounds=(0.0, 1.0), measure=name)


def calibration_error(panel: Panel) -> SectionMetric:
    """Expected calibration error of the most likely category over a cross-section, in five bins of confidence.

    Parameters
    ----------
    panel : Panel
        With measures ``confidence`` and ``accuracy``.

    Returns
    -------
    SectionMetric
        From 0 to 1; undefined with ``no_scores``.

    References
    ----------
    See :func:`pipeline.competition.scoring.expected_calibration_error`.
    """
    confidence, accuracy = panel.measures["confidence"], panel.measures["accuracy"]
    n = np.asarray(np.count_nonzero(~np.isnan(confidence), axis=2), dtype=np.int64)
    value, reason = undefined(expected_calibration_error(confidence, accuracy), (n == 0, "no_scores"))
    return SectionMetric(value, n, reason)


def energy(panel: Panel) -> SectionMetric:
    """Energy score of samples of all subjects of a cross-section jointly: the CRPS of vectors.

    Samples of one number are one vector. It is over all subjects with an outcome, so that models are compared on the
    same ones, and on the natural scale.

    Parameters
    ----------
    panel : Panel
        With samples.

    Returns
    -------
    SectionMetric
        In the outcome's unit. Undefined with ``no_predictions``, or ``incomplete`` (the model, or one of its samples,
        lacks a subject that has an outcome).

    References
    ----------
    See :func:`pipeline.competition.scoring.energy_score`.
    """
    if panel.forecasts is None:
        raise ValueError("the panel has no samples, which the energy score is of")
    value, reason = np.full(panel.shape[:2], np.nan), np.zeros(panel.shape[:2], dtype=np.int32)
    for section, outcomes in enumerate(panel.outcomes):
        known = ~np.isnan(outcomes)
        samples = panel.forecasts.values[section][:, known].swapaxes(1, 2)
        of_models = np.broadcast_to(outcomes[known], (panel.shape[1], int(known.sum())))
        scored = energy_score(samples, of_models)
        value[section], reason[section] = scored.value, scored.reason
    return SectionMetric(value, panel.n_pairs, reason)


for _name, _unit, _described in _MEANS:
    METRICS.register(
        _name,
        Metric(_name, Pool.TASKS, Direction.ASC, _unit, mean_of(_name, _described), measure=_name),
    )
METRICS.register(
    "accuracy",
    Metric(
        "accuracy",
        Pool.TASKS,
        Direction.DESC,
        "share",
        mean_of("accuracy", "Share of predictions whose most likely category occurred."),
        bounds=(0.0, 1.0),
        measure="accuracy",
    ),
)
METRICS.register_family(interval_coverage)
METRICS.register(
    "ece",
    Metric("ece", Pool.CYCLES, Direction.ASC, "share", calibration_error, bounds=(0.0, 1.0), output_types=("pmf",)),
)
METRICS.register(
    "energy_score", Metric("energy_score", Pool.CYCLES, Direction.ASC, "outcome", energy, output_types=("sample",))
)
