"""The same metrics computed in two other ways over a part of the same rows, in seconds a prediction."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.bench import frames, rows
from pipeline.bench.contest import BOARD, contract, files
from pipeline.tables import FACTORS, PREDICTIONS, TRUTH
from pipeline.warehouse import Store, compose


@dataclass(frozen=True)
class Baseline:
    """How long a way took for how many predictions, and which metrics it computes."""

    seconds: float
    cpu_seconds: float
    predictions: int
    models: int
    cycles: int
    metrics: tuple[str, ...]

    @property
    def per_prediction(self) -> float:
        """Seconds."""
        return self.seconds / self.predictions

    @property
    def cpu_per_prediction(self) -> float:
        """Seconds of processor time, of all threads."""
        return self.cpu_seconds / self.predictions


Part = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def over_frames(folder: Path, models: int, cycles: int) -> Baseline:
    """Time pandas and scipy, from reading the rows on."""
    names = list(contract().metrics)
    with files(folder).read() as store:
        took = _stopwatch()
        part = read_part(store, models, cycles)
        found = frames.metrics(*part, names)
        return Baseline(*took(), len(part[0]), models, cycles, tuple(found))


def over_rows(folder: Path, models: int, cycles: int) -> Baseline:
    """Time plain Python, from rows that are dictionaries already; the cycle before the first counts as read only."""
    names = list(contract().metrics)
    with files(folder).read() as store:
        _, *by_cycle = cycles_of(*read_part(store, models, cycles + 1))
    took = _stopwatch()
    computed = [rows.metrics_of_cycle(cycle, names) for cycle in by_cycle]
    seconds = took()
    n_predictions = sum(len(of_model) for cycle in by_cycle for of_model in cycle.predictions.values())
    return Baseline(*seconds, n_predictions, models, cycles, tuple(computed[0]))


def _stopwatch() -> Callable[[], tuple[float, float]]:
    """What tells the seconds since now, and those of processor time."""
    began, began_cpu = time.perf_counter(), time.process_time()
    return lambda: (time.perf_counter() - began, time.process_time() - began_cpu)


def read_part(store: Store, models: int, cycles: int) -> Part:
    """Predictions of the first models and cycles, and all truth and factors of these cycles."""
    chosen = (
        "WITH part AS (SELECT DISTINCT cycle, target_time FROM {predictions} WHERE competition = $board"
        " ORDER BY cycle LIMIT $cycles) "
    )
    statements = (
        "SELECT model_id, cycle, subject, target_time, value FROM {predictions} SEMI JOIN part USING (cycle)"
        " WHERE competition = $board AND model_id IN"
        " (SELECT DISTINCT model_id FROM {predictions} SEMI JOIN part USING (cycle) ORDER BY 1 LIMIT $models)"
        " ORDER BY ALL",
        "SELECT subject, target_time, value FROM {truth} SEMI JOIN part USING (target_time) ORDER BY ALL",
        "SELECT cycle, subject, factor, value FROM {factors} SEMI JOIN part USING (cycle) ORDER BY ALL",
    )
    given: tuple[dict[str, int], ...] = ({"models": models}, {}, {})
    predictions, truth, factors = (
        store.connection.execute(
            compose(chosen + statement, predictions=PREDICTIONS, truth=TRUTH, factors=FACTORS),
            {"board": BOARD, "cycles": cycles} | more,
        ).df()
        for statement, more in zip(statements, given, strict=True)
    )
    return predictions, truth, factors


def cycles_of(predictions: pd.DataFrame, truth: pd.DataFrame, factors: pd.DataFrame) -> list[rows.Cycle]:
    """The cycles as rows, in order."""
    outcomes: dict[object, dict[str, float]] = {}
    for subject, target_time, value in truth[["subject", "target_time", "value"]].itertuples(index=False):
        outcomes.setdefault(target_time, {})[subject] = value
    of_factors: dict[object, dict[str, list[float]]] = {}
    in_order = factors.sort_values(["cycle", "subject", "factor"])
    for cycle, subject, value in in_order[["cycle", "subject", "value"]].itertuples(index=False):
        of_factors.setdefault(cycle, {}).setdefault(subject, []).append(value)
    found: list[rows.Cycle] = []
    for cycle, of_cycle in predictions.groupby("cycle"):
        by_model: dict[str, list[rows.Row]] = {}
        for model, subject, value in of_cycle[["model_id", "subject", "value"]].itertuples(index=False):
            by_model.setdefault(model, []).append({"subject": subject, "value": value})
        previous = found[-1].predictions if found else {}
        known = outcomes[of_cycle["target_time"].iloc[0]]
        found.append(rows.Cycle(by_model, known, previous, of_factors[cycle]))
    return found
