"""Small contests for tests: a contract, frames of predictions and truth written by hand or drawn at random, panels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition import Contract, Panel
from pipeline.competition.metrics import METRICS
from pipeline.competition.reasons import reason_texts
from pipeline.competition.stages import stamp_deadline

NAN = float("nan")
START = datetime(2024, 1, 5)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)

OF_ANY = [metric.name for metric in METRICS if metric.is_of_any]
"""The metrics that predictions of any output type have."""

DECLARED: dict[str, Any] = {
    "name": "demo",
    "title": "Demo",
    "predictions": {"source": "pipeline.baselines.sp500"},
    "truth": {"source": "pipeline.baselines.sp500"},
    "scoring": {"rule": "rank_product", "primary": "ic"},
    "metrics": ["ic", "ic_sharpe", "mean_return", "hit_rate", "score"],
    "windows": {"recent": {"cycles": 3}, "month": {"duration": "28d"}, "all": {}},
    "leaderboard": {"rank_by": "all.ic"},
}


def contract(**changes: Any) -> Contract:
    """The demo contract with some fields replaced."""
    return Contract.model_validate(DECLARED | changes)


def cycle(number: int) -> datetime:
    """The cycle of that number; weekly."""
    return START + number * WEEK


def predictions(
    values: Mapping[str, Mapping[str, float]], number: int = 0, horizon: int = 1, late: Sequence[str] = ()
) -> pd.DataFrame:
    """One cross-section of predictions: model -> subject -> value; the models ``late`` came after the deadline."""
    rows = [
        {
            "model_id": model,
            "cycle": cycle(number),
            "horizon": horizon,
            "subject": subject,
            "target_time": cycle(number + horizon),
            "value": value,
            "received_at": cycle(number) + (HOUR if model in late else -HOUR),
        }
        for model, of_model in values.items()
        for subject, value in of_model.items()
    ]
    return stamp_deadline(pd.DataFrame(rows), contract())


def truth(
    values: Mapping[str, float | None], number: int = 1, horizon: int = -1, known_at: datetime | None = None
) -> pd.DataFrame:
    """Outcomes at the end of a cycle: subject -> value, known at the target time unless said otherwise."""
    rows = [
        {
            "subject": subject,
            "target_time": cycle(number),
            "horizon": horizon,
            "known_at": known_at or cycle(number),
            "value": NAN if value is None else float(value),
        }
        for subject, value in values.items()
    ]
    return pd.DataFrame(rows)


def stack(*frames: pd.DataFrame) -> pd.DataFrame:
    """Frames below one another."""
    return pd.concat(frames, ignore_index=True)


def shuffled(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same rows in another order."""
    return rows.sample(frac=1.0, random_state=seed, ignore_index=True)


def random_contest(
    seed: int, cycles: int = 10, models: int = 4, subjects: int = 7, horizons: Sequence[int] = (1, 2)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and truth with ties, gaps, late predictions, a newcomer, a constant model, revisions, withdrawals."""
    random = np.random.default_rng(seed)
    names = [f"s{number}" for number in range(subjects)]
    sections = []
    for number in range(cycles):
        for horizon in horizons:
            drawn = {
                f"m{model}": {name: round(random.normal(), 1) for name in names if random.random() < 0.9}
                for model in range(models)
                if random.random() < 0.85 and not (model == 1 and number < cycles // 2)
            }
            drawn["constant"] = dict.fromkeys(names, 0.1)
            late = [model for model in drawn if random.random() < 0.1]
            sections.append(predictions(drawn, number, horizon, late))
    vintages = []
    for number in range(1, cycles + max(horizons) - 2):
        given = {name: round(random.normal(), 1) for name in names if random.random() < 0.95}
        vintages.append(truth(given, number))
        if random.random() < 0.4:
            changed = {name: round(random.normal(), 1) for name in given if random.random() < 0.5}
            withdrawn = {name: None for name in list(given)[:1] if random.random() < 0.5}
            later = cycle(number) + int(random.integers(1, 30)) * timedelta(days=1)
            if changed | withdrawn:
                vintages.append(truth(changed | withdrawn, number, known_at=later))
        if random.random() < 0.3:
            own = {name: round(random.normal(), 1) for name in names[:4]}
            vintages.append(truth(own, number, horizon=max(horizons), known_at=cycle(number) + timedelta(days=2)))
    return stack(*sections), stack(*vintages)


def panel(signals: npt.ArrayLike, outcomes: npt.ArrayLike, **changes: Any) -> Panel:
    """A panel from signals of shape (sections, models, subjects) and outcomes of shape (sections, subjects)."""
    signal = np.asarray(signals, dtype=float)
    sections, models, subjects = signal.shape
    given: dict[str, Any] = {
        "cycles": np.array([cycle(number) for number in range(sections)], dtype="datetime64[us]"),
        "horizons": np.ones(sections, dtype=np.int64),
        "models": np.array([f"m{number}" for number in range(models)], dtype=object),
        "subjects": np.array([f"s{number}" for number in range(subjects)], dtype=object),
        "signals": signal,
        "outcomes": np.asarray(outcomes, dtype=float),
        "scores": np.full(signal.shape, np.nan),
    }
    return Panel(**(given | changes))


def random_panel(seed: int, sections: int = 6, models: int = 5, subjects: int = 9, gaps: float = 0.25) -> Panel:
    """Signals and outcomes with ties and gaps, one model constant."""
    random = np.random.default_rng(seed)
    signals = np.round(random.normal(size=(sections, models, subjects)), 1)
    outcomes = np.round(random.normal(size=(sections, subjects)), 1)
    signals[:, 0] = 0.3
    signals[random.random(signals.shape) < gaps] = np.nan
    outcomes[random.random(outcomes.shape) < gaps] = np.nan
    return panel(signals, outcomes)


def full_panel(seed: int, sections: int = 4, models: int = 5, subjects: int = 30, gaps: float = 0.1) -> Panel:
    """A random panel with all that a metric may read: scores, two factors of ties and gaps, the previous cycle."""
    random = np.random.default_rng(seed)
    given = random_panel(seed, sections, models, subjects, gaps)
    factors = np.round(random.normal(size=(sections, subjects, 2)), 1)
    factors[random.random(factors.shape) < gaps / 4] = np.nan
    previous = np.concatenate([np.full((1, models, subjects), np.nan), given.signals[:-1]])
    scores = np.where(given.paired, random.normal(size=given.shape), np.nan)
    return replace(given, factors=factors, previous=previous, scores=scores)


def reasons(codes: npt.ArrayLike) -> list[str | None]:
    """The texts of reason codes, in one list."""
    return [None if text is None else str(text) for text in reason_texts(np.ravel(codes))]
