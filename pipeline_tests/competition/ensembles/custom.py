"""Strategies and filters of an operator's own, as a dotted path names them."""

from typing import Any

Metrics = dict[str, dict[str, float]]
Predictions = dict[str, list[dict[str, Any]]]

CALLS: list[tuple[Any, ...]] = []
"""What the functions were given; a test clears it first."""


def by_number(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    """1, 2, 3... in the order of the members."""
    CALLS.append((model_metrics, predictions))
    return {model: place + 1 for place, model in enumerate(model_metrics)}


def by_scores(model_metrics: Metrics, predictions: Predictions, scores: Predictions) -> dict[str, float]:
    """One more than the number of scores."""
    CALLS.append((model_metrics, predictions, scores))
    return {model: 1.0 + len(rows) for model, rows in scores.items()}


def only_the_first(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return {next(iter(model_metrics)): 2.0}


def with_a_stranger(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return dict.fromkeys(model_metrics, 1.0) | {"stranger": 1.0}


def negative(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return {model: place - 0.5 for place, model in enumerate(model_metrics)}


def not_finite(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return dict.fromkeys(model_metrics, float("nan"))


def nothing(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return dict.fromkeys(model_metrics, 0.0)


def failing(model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    raise ZeroDivisionError("of the operator's own")


def silent(model_metrics: Metrics, predictions: Predictions) -> None:
    """Forgets to return."""


def wordy(model_metrics: Metrics, predictions: Predictions) -> dict[str, str]:
    return dict.fromkeys(model_metrics, "much")


def of_one(model_metrics: Metrics) -> dict[str, float]:
    return dict.fromkeys(model_metrics, 1.0)


def of_four(model_metrics: Metrics, predictions: Predictions, scores: Predictions, more: float) -> dict[str, float]:
    return dict.fromkeys(model_metrics, more)


def scores_first(scores: Predictions, model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
    return dict.fromkeys(model_metrics, 1.0)


def scores_by_name(model_metrics: Metrics, predictions: Predictions, *, scores: Predictions) -> dict[str, float]:
    return dict.fromkeys(model_metrics, 1.0)


def with_a_default(model_metrics: Metrics, predictions: Predictions, weight: float = 1.0) -> dict[str, float]:
    return dict.fromkeys(model_metrics, weight)


class Weigher:
    """A strategy that is an object."""

    def __call__(self, model_metrics: Metrics, predictions: Predictions) -> dict[str, float]:
        return dict.fromkeys(model_metrics, 1.0)


WEIGHER = Weigher()


def not_the_last(model_id: str, metrics: dict[str, float]) -> bool:
    """A filter by name."""
    CALLS.append((model_id, metrics))
    return model_id != "m3"


def skilled(model_id: str, metrics: dict[str, float]) -> bool:
    """A filter by record."""
    return metrics["ic"] > 0


def mistaken(model_id: str, metrics: dict[str, float]) -> bool:
    """A filter that asks for what is not there."""
    return metrics["no_such"] > 0


NOT_A_STRATEGY = 0.5
