"""The metrics in plain Python over rows: a dictionary for each prediction, a loop for each formula.

The signature is ``metric(predictions, scores, context)``, once for every model and cycle, each computing what it needs
from the rows that it is given, as a framework of independent metric functions does.
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass
class Cycle:
    """A cycle as rows: everybody's predictions, the outcomes, the predictions of the cycle before, and the factors."""

    predictions: dict[str, list[Row]]
    outcomes: dict[str, float]
    previous: dict[str, list[Row]]
    factors: dict[str, list[float]]


@dataclass
class Context:
    """What a metric may look at besides the model's own rows: the whole cycle."""

    model_id: str
    cycle: Cycle

    @property
    def all_model_predictions(self) -> dict[str, list[Row]]:
        """Rows of each model."""
        return self.cycle.predictions


def average_ranks(values: list[float]) -> list[float]:
    """Ranks, ties sharing the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def pearson(one: list[float], other: list[float]) -> float:
    """Correlation; NaN where one is constant."""
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    product = sum((x - mean_one) * (y - mean_other) for x, y in zip(one, other, strict=True))
    spread = sum((x - mean_one) ** 2 for x in one) * sum((y - mean_other) ** 2 for y in other)
    return product / math.sqrt(spread) if spread > 0 else math.nan


def spearman(one: dict[str, float], other: dict[str, float]) -> float:
    """Rank correlation over the subjects that both have."""
    common = [subject for subject in one if subject in other]
    if len(common) < 2:
        return math.nan
    return pearson(average_ranks([one[name] for name in common]), average_ranks([other[name] for name in common]))


def by_subject(rows: list[Row], column: str = "value") -> dict[str, float]:
    """Values by subject."""
    return {row["subject"]: row[column] for row in rows}


def ic(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Rank correlation of predictions and outcomes."""
    return spearman(by_subject(predictions), by_subject(scores, "outcome"))


def mean_return(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Return of the portfolio whose weights are the demeaned predictions."""
    outcomes = by_subject(scores, "outcome")
    signals = {row["subject"]: row["value"] for row in predictions if row["subject"] in outcomes}
    mean = sum(signals.values()) / len(signals)
    gross = sum(abs(signal - mean) for signal in signals.values())
    return float(sum((signal - mean) / gross * outcomes[subject] for subject, signal in signals.items()))


def hit_rate(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Share of predictions with the sign of the outcome."""
    outcomes = by_subject(scores, "outcome")
    products = [row["value"] * outcomes[row["subject"]] for row in predictions if row["subject"] in outcomes]
    signed = [product for product in products if product != 0]
    return float(sum(product > 0 for product in signed) / len(signed))


def score(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Mean of the scores."""
    return statistics.fmean(row["value"] for row in scores)


def coverage(predictions: list[Row], scores: list[Row], context: Context) -> float:
    """Scored predictions by all subjects that anybody predicted."""
    subjects = {row["subject"] for rows in context.all_model_predictions.values() for row in rows}
    return len(scores) / len(subjects) if predictions else 0.0


def model_correlation(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Mean rank correlation with every other model."""
    mine = by_subject(predictions)
    others = [rows for model, rows in context.all_model_predictions.items() if model != context.model_id]
    return statistics.fmean(spearman(mine, by_subject(rows)) for rows in others)


def weights_of(rows: list[Row]) -> dict[str, float]:
    """The portfolio of demeaned predictions."""
    signals = by_subject(rows)
    mean = sum(signals.values()) / len(signals)
    gross = sum(abs(signal - mean) for signal in signals.values())
    return {subject: (signal - mean) / gross for subject, signal in signals.items()}


def turnover(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Half the change of the portfolio's weights since the cycle before."""
    if context.model_id not in context.cycle.previous:
        return math.nan
    now, before = weights_of(predictions), weights_of(context.cycle.previous[context.model_id])
    return 0.5 * sum(abs(now.get(subject, 0.0) - before.get(subject, 0.0)) for subject in now.keys() | before.keys())


def rank_turnover(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """One minus the correlation of ranks with those of the cycle before."""
    if context.model_id not in context.cycle.previous:
        return math.nan
    now, before = by_subject(predictions), by_subject(context.cycle.previous[context.model_id])
    ranks_now = dict(zip(now, average_ranks(list(now.values())), strict=True))
    ranks_before = dict(zip(before, average_ranks(list(before.values())), strict=True))
    common = [subject for subject in now if subject in before]
    return 1 - pearson([ranks_now[name] for name in common], [ranks_before[name] for name in common])


def numerai_corr(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Correlation of Gaussian ranks and centred outcomes, both to the power of 1.5."""
    outcomes = context.cycle.outcomes
    mean = sum(outcomes.values()) / len(outcomes)
    paired = [row for row in predictions if row["subject"] in outcomes]
    normal = statistics.NormalDist()
    ranks = average_ranks([row["value"] for row in paired])
    gaussian = [normal.inv_cdf((rank - 0.5) / len(ranks)) for rank in ranks]
    centred = [outcomes[row["subject"]] - mean for row in paired]
    return pearson(*([math.copysign(abs(x) ** 1.5, x) for x in values] for values in (gaussian, centred)))


def fnc(predictions: list[Row], scores: list[Row], context: Context) -> float:  # noqa: ARG001
    """Rank correlation of what the factors leave of the prediction's ranks."""
    outcomes, factors = context.cycle.outcomes, context.cycle.factors
    subjects = [row["subject"] for row in predictions if row["subject"] in outcomes and row["subject"] in factors]
    signals = by_subject(predictions)
    columns = [[factors[subject][place] for subject in subjects] for place in range(len(factors[subjects[0]]))]
    signal, *known = [
        [(rank - 0.5) / len(subjects) for rank in average_ranks(values)]
        for values in ([signals[subject] for subject in subjects], *columns)
    ]
    residual = residuals(signal, [[1.0] * len(subjects), *known])
    return pearson(average_ranks(residual), average_ranks([outcomes[subject] for subject in subjects]))


def residuals(values: list[float], columns: list[list[float]]) -> list[float]:
    """What least squares on some columns leaves, by the normal equations."""
    matrix = [[sum(x * y for x, y in zip(one, other, strict=True)) for other in (*columns, values)] for one in columns]
    for pivot, row in enumerate(matrix):
        for other in matrix:
            if other is not row:
                factor = other[pivot] / row[pivot]
                for place in range(pivot, len(row)):
                    other[place] -= factor * row[place]
    coefficients = [row[-1] / row[place] for place, row in enumerate(matrix)]
    return [
        value - sum(coefficient * column[place] for coefficient, column in zip(coefficients, columns, strict=True))
        for place, value in enumerate(values)
    ]


METRICS: dict[str, Callable[[list[Row], list[Row], Context], float]] = {
    "ic": ic,
    "mean_return": mean_return,
    "hit_rate": hit_rate,
    "score": score,
    "coverage": coverage,
    "model_correlation": model_correlation,
    "turnover": turnover,
    "rank_turnover": rank_turnover,
    "numerai_corr": numerai_corr,
    "fnc": fnc,
}
"""Those written here; a model's series are a few numbers, so metrics of series are left out."""
OF_COMPLETE = ("model_correlation",)
"""Weights each pair of models alike, whatever they have in common: equal to Podium's where nothing is missing."""


def rank_product_scores(predictions: list[Row], outcomes: dict[str, float]) -> list[Row]:
    """A score for each prediction whose outcome is known: the product of standardised ranks."""
    paired = [row for row in predictions if row["subject"] in outcomes]
    standard = []
    for values in ([row["value"] for row in paired], [outcomes[row["subject"]] for row in paired]):
        ranks = average_ranks(values)
        mean, spread = statistics.fmean(ranks), statistics.pstdev(ranks)
        standard.append([(rank - mean) / spread for rank in ranks])
    return [
        {"subject": row["subject"], "outcome": outcomes[row["subject"]], "value": signal * outcome}
        for row, signal, outcome in zip(paired, *standard, strict=True)
    ]


def metrics_of_cycle(cycle: Cycle, names: list[str]) -> dict[str, dict[str, float]]:
    """Every metric of every model in one cycle, by metric and model; those not written here are left out."""
    found: dict[str, dict[str, float]] = {name: {} for name in names if name in METRICS}
    for model, predictions in cycle.predictions.items():
        scores = rank_product_scores(predictions, cycle.outcomes)
        context = Context(model, cycle)
        for name, of_model in found.items():
            of_model[model] = METRICS[name](predictions, scores, context)
    return found
