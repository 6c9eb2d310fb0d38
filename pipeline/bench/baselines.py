"""The same metrics computed in two other ways over a part of the same rows, in seconds a prediction."""

import time
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
    predictions: int
    models: int
    cycles: int
    metrics: tuple[str, ...]

    @property
    def per_prediction(self) -> float:
        """Seconds."""
        return self.seconds / self.predictions


Part = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def over_frames(folder: Path, models: int, cycles: int) -> Baseline:
    """Time pandas and scipy, from reading the rows on."""
    names = list(contract().metrics)
    with files(folder).read() as store:
        began = time.perf_counter()
        part = read_part(store, models, cycles)
        found = frames.metrics(*part, names)
        return Baseline(time.perf_counter() - began, len(part[0]), models, cycles, tuple(found))


def over_rows(folder: Path, models: int, cycles: int) -> Baseline:
    """Time plain Python, from rows that are dictionaries already."""
    names = list(contract().metrics)
    with files(folder).read() as store:
        predictions, truth, _ = read_part(store, models, cycles)
    by_cycle = [
        (by_model(of_cycle), outcomes_of(truth, of_cycle["target_time"].iloc[0]))
        for _, of_cycle in predictions.groupby("cycle")
    ]
    began = time.perf_counter()
    computed = [rows.metrics_of_cycle(*cycle, names) for cycle in by_cycle]
    return Baseline(time.perf_counter() - began, len(predictions), models, cycles, tuple(computed[0]))


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


def by_model(predictions: pd.DataFrame) -> dict[str, list[rows.Row]]:
    """Rows of each model as dictionaries."""
    found: dict[str, list[rows.Row]] = {}
    for model, cycle, subject, value in predictions[["model_id", "cycle", "subject", "value"]].itertuples(index=False):
        found.setdefault(model, []).append({"cycle": cycle, "subject": subject, "value": value})
    return found


def outcomes_of(truth: pd.DataFrame, target_time: object) -> dict[str, float]:
    """Outcomes at a time, by subject."""
    of_time = truth[truth["target_time"] == target_time]
    return dict(zip(of_time["subject"], of_time["value"], strict=True))
