"""Small contests of every output type for tests of the whole graph: four models, five subjects, two horizons.

Model ``d`` leaves out a part of some distributions; horizon -1 is of the week before the cycle.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition import Contract

START = datetime(2024, 1, 5, 12)
WEEK = timedelta(days=7)
CYCLES = 9
MODELS = {"a": (0.3, 1.0), "b": (0.6, 2.0), "c": (1.5, 0.5), "d": (0.9, 1.5)}
"""Noise of the centre of each model's distributions, and how wide these are."""
SUBJECTS = [f"s{place}" for place in range(5)]
HORIZONS = (-1, 1)
IDS: dict[str, list[float | str]] = {
    "quantile": [0.1, 0.25, 0.5, 0.75, 0.9],
    "pmf": ["low", "mid", "high"],
    "sample": [1, 2, 3, 4, 5, 6],
    "cdf": [-2, -1, 0, 1, 2],
}
EDGES = (-0.5, 0.5)
"""Between the categories of the pmf."""


def week(number: int) -> datetime:
    """The time of a cycle."""
    return START + number * WEEK


def outcome(number: int, subject: int) -> float:
    """What is true of a subject at the end of a week; its first value, revised a week later for the first subject."""
    return float(np.random.default_rng([1, number + 1, subject]).normal())


@dataclass(frozen=True)
class DistributionContest:
    """A source of predictions of one output type."""

    output_type: str

    def fingerprint(self) -> str:
        return hashlib.sha256(self.output_type.encode()).hexdigest()

    def cycles(self) -> list[datetime]:
        return [week(number) for number in range(CYCLES)]

    def models(self) -> pd.DataFrame:
        listed = {"model_id": list(MODELS), "title": list(MODELS), "player": "tests", "version": "1", "licence": "MIT"}
        return pd.DataFrame({**listed, "description": None})

    def subjects(self) -> pd.DataFrame:
        return pd.DataFrame({"subject": SUBJECTS, "title": SUBJECTS})

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        rows = [
            {**task, "output_type_id": one, "value": value}
            for cycle in cycles
            for task, numbers in self.forecasts(round((cycle - START) / WEEK))
            for one, value in numbers.items()
        ]
        frame = pd.DataFrame(rows)
        return frame if self.output_type in IDS else frame.drop(columns="output_type_id")

    def forecasts(self, number: int) -> list[tuple[dict[str, Any], dict[float | str, float]]]:
        """Every forecast of a cycle: what it is of, and its numbers by id."""
        found = []
        for place, (model, (noise, width)) in enumerate(MODELS.items()):
            for horizon in HORIZONS:
                for subject, name in enumerate(SUBJECTS):
                    if model == "d" and (number + subject) % 4 == 0:
                        continue
                    random = np.random.default_rng([number, place, horizon + 5, subject])
                    centre = outcome(number + horizon, subject) + noise * random.normal()
                    numbers = self._numbers(centre, width, random)
                    if model == "d" and (number + subject) % 4 == 1 and self.output_type != "sample":
                        numbers = dict(list(numbers.items())[1:]) or numbers
                    task = {
                        "model_id": model,
                        "cycle": week(number),
                        "horizon": horizon,
                        "subject": name,
                        "target_time": week(number + horizon),
                        "received_at": week(number) - timedelta(hours=1),
                    }
                    found.append((task, numbers))
        return found

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        return pd.DataFrame(columns=["cycle", "subject", "factor", "value"])

    def truth(self) -> pd.DataFrame:
        rows = [
            {
                "subject": name,
                "target_time": week(number),
                "horizon": -1,
                "known_at": week(number) + delay,
                "value": self.observed(number, subject, revised=bool(delay)),
            }
            for number in range(-1, CYCLES - 1)
            for subject, name in enumerate(SUBJECTS)
            for delay in ([timedelta(0), WEEK] if subject == 0 else [timedelta(0)])
        ]
        return pd.DataFrame(rows)

    def observed(self, number: int, subject: int, *, revised: bool) -> float:
        """The outcome, of categories the place of the one that occurred."""
        value = outcome(number, subject) + (0.4 if revised else 0.0)
        return float(1 + np.searchsorted(EDGES, value)) if self.output_type == "pmf" else value

    def _numbers(self, centre: float, width: float, random: np.random.Generator) -> dict[float | str, float]:
        draws = centre + width * random.normal(size=60)
        ids = IDS.get(self.output_type, [""])
        if self.output_type == "quantile":
            values = np.quantile(draws, IDS["quantile"])
        elif self.output_type == "pmf":
            values = np.bincount(np.searchsorted(EDGES, draws), minlength=3) / draws.size
        elif self.output_type == "sample":
            values = draws[: len(ids)]
        elif self.output_type == "cdf":
            values = np.array([(draws <= threshold).mean() for threshold in IDS["cdf"]])
        else:
            values = np.array([np.median(draws) if self.output_type == "median" else draws.mean()])
        return dict(zip(ids, values.tolist(), strict=True))


def quantile() -> DistributionContest:
    return DistributionContest("quantile")


def pmf() -> DistributionContest:
    return DistributionContest("pmf")


def sample() -> DistributionContest:
    return DistributionContest("sample")


def cdf() -> DistributionContest:
    return DistributionContest("cdf")


def mean() -> DistributionContest:
    return DistributionContest("mean")


def median() -> DistributionContest:
    return DistributionContest("median")


RULES = {
    "quantile": (
        "wis",
        ["wis", "dispersion", "underprediction", "overprediction", "interval_coverage_80", "ae_median"],
    ),
    "pmf": ("rps", ["rps", "brier", "log_score", "accuracy", "ece"]),
    "sample": ("crps", ["crps", "fair_crps", "ae_median", "se_mean", "energy_score"]),
    "cdf": ("crps", ["crps", "threshold_brier"]),
    "mean": ("squared_error", ["score", "se_mean"]),
    "median": ("absolute_error", ["score", "ae_median"]),
}


def declaration(output_type: str, **changes: Any) -> dict[str, Any]:
    """The attributes of the board of an output type, as its ``defs.yaml`` would give them."""
    source = f"pipeline_tests.distribution_contest.{output_type}"
    rule, metrics = RULES[output_type]
    return {
        "name": "toy",
        "title": f"A contest of {output_type}",
        "predictions": {"source": source, "output_type": output_type}
        | ({"output_type_ids": IDS[output_type]} if output_type in ("quantile", "pmf", "cdf") else {}),
        "truth": {"source": source, "known_at": "column"},
        "scoring": {"rule": rule, "primary": metrics[0]},
        "metrics": [*metrics, "ic", "model_correlation", "turnover"],
        "windows": {"recent": {"cycles": 4}, "all": {}},
        "leaderboard": {"rank_by": f"all.{metrics[0]}", "min_coverage": 0.1},
        "min_subjects": 3,
    } | changes


def contract(output_type: str, **changes: Any) -> Contract:
    """The contract of the board of an output type."""
    return Contract.model_validate(declaration(output_type, **changes))
