"""A small contest for tests of the whole graph: six models, eight subjects, forty weeks, all out of one seed.

Tests change it between two runs as the world changes a real one: a new cycle, late truth, a revision, a withdrawal.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition import Contract

START = datetime(2020, 1, 3, 22)
WEEK = timedelta(days=7)
CYCLES = 40
SUBJECTS = [f"S{number}" for number in range(8)]
NOISE = {"sharp": 0.5, "good": 1.5, "noise": 30.0, "contrarian": 1.0, "latecomer": 1.0}
MODELS = [*NOISE, "constant"]
LATECOMER_FIRST = 25
"""First cycle of the model that joins late."""
LATE = ("noise", 7)
"""A model and a cycle whose predictions came after the deadline."""
WITHHELD = 30
"""The cycle whose truth is not known at first, though that of later ones is."""


def week(number: float) -> datetime:
    """The time of a cycle; fractions are moments in between."""
    return START + number * WEEK


@dataclass(frozen=True)
class Vintage:
    """What was known of one outcome from one time on; None withdraws it."""

    cycle: int
    subject: str
    known_at: datetime
    value: float | None


@dataclass
class ToyContest:
    """A source whose content may be changed; outcomes of a cycle are known one week later, all but the newest's.

    ``broken`` names methods that raise, to see what a failing source does to a run.
    """

    seed: int = 0
    n_cycles: int = CYCLES
    vintages: list[Vintage] = field(default_factory=list)
    models_missing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for cycle in range(self.n_cycles - 1):
            if cycle != WITHHELD:
                self.resolve(cycle)

    def resolve(self, cycle: int, known_at: datetime | None = None) -> None:
        """The outcomes of a cycle become known: at its end, or later."""
        outcomes = self._outcomes(cycle)
        self.vintages += [
            Vintage(cycle, subject, known_at or week(cycle + 1), value)
            for subject, value in zip(SUBJECTS, outcomes.tolist(), strict=True)
        ]

    def revise(self, cycle: int, subject: str, value: float | None, known_at: datetime) -> None:
        """One outcome turns out to be another."""
        self.vintages.append(Vintage(cycle, subject, known_at, value))

    def add_cycle(self) -> None:
        """A week passes: a new cycle begins and the outcomes of the one before are known."""
        self.n_cycles += 1
        self.resolve(self.n_cycles - 2)

    def fingerprint(self) -> str:
        self._may("fingerprint")
        content = repr((self.seed, self.n_cycles, self.vintages, sorted(self.models_missing)))
        return hashlib.sha256(content.encode()).hexdigest()

    def cycles(self) -> list[datetime]:
        self._may("cycles")
        return [week(number) for number in range(self.n_cycles)]

    def models(self) -> pd.DataFrame:
        self._may("models")
        listed = [model for model in MODELS if model not in self.models_missing]
        return pd.DataFrame(
            {
                "model_id": listed,
                "title": [f"The {model} model" for model in listed],
                "player": "tests",
                "version": "1",
                "licence": "MIT",
                "description": None,
            }
        )

    def subjects(self) -> pd.DataFrame:
        self._may("subjects")
        return pd.DataFrame({"subject": SUBJECTS, "title": [f"Subject {subject}" for subject in SUBJECTS]})

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        self._may("predictions")
        numbers = [round((cycle - START) / WEEK) for cycle in cycles]
        frames = [
            _predictions(self.seed, model, number)
            for number in numbers
            for model in MODELS
            if model not in self.models_missing and (model != "latecomer" or number >= LATECOMER_FIRST)
        ]
        return pd.concat(frames, ignore_index=True)

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        self._may("factors")
        rows = [
            {"cycle": cycle, "subject": subject, "factor": "size", "value": float(place)}
            for cycle in cycles
            for place, subject in enumerate(SUBJECTS)
        ]
        return pd.DataFrame(rows)

    def truth(self) -> pd.DataFrame:
        self._may("truth")
        return pd.DataFrame(
            {
                "subject": [one.subject for one in self.vintages],
                "target_time": [week(one.cycle + 1) for one in self.vintages],
                "horizon": 1,
                "known_at": [one.known_at for one in self.vintages],
                "value": [np.nan if one.value is None else one.value for one in self.vintages],
            }
        )

    def _may(self, method: str) -> None:
        if method in self.broken:
            raise OSError(f"the source cannot give its {method}")

    def _outcomes(self, cycle: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return _outcomes(self.seed, cycle)


@functools.cache
def _outcomes(seed: int, cycle: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng([seed, cycle]).normal(0, 0.02, len(SUBJECTS))


@functools.cache
def _predictions(seed: int, model: str, number: int) -> pd.DataFrame:
    """A model's predictions of a cycle; they are always the same, so nobody may write there."""
    noise = np.random.default_rng([seed, number, MODELS.index(model)]).normal(0, 0.02, len(SUBJECTS))
    sign = -1.0 if model == "contrarian" else 1.0
    signal = np.ones(len(SUBJECTS)) if model == "constant" else sign * _outcomes(seed, number) + NOISE[model] * noise
    return pd.DataFrame(
        {
            "model_id": model,
            "cycle": week(number),
            "horizon": 1,
            "subject": SUBJECTS,
            "target_time": week(number + 1),
            "value": signal,
            "received_at": week(number) + (timedelta(hours=1) if (model, number) == LATE else -timedelta(hours=1)),
        }
    )


_contests: dict[str, ToyContest] = {}


def toy() -> ToyContest:
    """The source of the board ``toy``, the same object until ``reset``."""
    return _contests.setdefault("toy", ToyContest())


def other() -> ToyContest:
    """The source of a second board, with other numbers."""
    return _contests.setdefault("other", ToyContest(seed=1))


def reset() -> None:
    """Let every source begin anew."""
    _contests.clear()


def declaration(name: str = "toy", **changes: Any) -> dict[str, Any]:
    """The attributes of a toy board, as its ``defs.yaml`` would give them."""
    source = f"pipeline_tests.toy_contest.{name}"
    return {
        "name": name,
        "title": f"The {name} contest",
        "schedule": "30 6 * * 1",
        "predictions": {"source": source},
        "truth": {"source": source, "known_at": "column"},
        "scoring": {"rule": "rank_product", "primary": "ic"},
        "metrics": ["ic", "ic_sharpe", "mean_return", "hit_rate", "model_correlation", "turnover", "fnc"],
        "windows": {"recent": {"cycles": 8}, "quarter": {"duration": "91d"}, "all": {}},
        "leaderboard": {"rank_by": "quarter.ic", "tie_breakers": ["recent.ic"], "min_coverage": 0.5},
    } | changes


def contract(name: str = "toy", **changes: Any) -> Contract:
    """The contract of a toy board."""
    return Contract.model_validate(declaration(name, **changes))
