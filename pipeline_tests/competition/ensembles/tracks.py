"""Records of made-up models, and what a strategy makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Floats
from pipeline.competition.ensembles import Terms, Track, Weighing, strategy_of, weigh
from pipeline.leaderboard import Direction

NAN = float("nan")


def names(size: int) -> npt.NDArray[np.object_]:
    """m00, m01, ..."""
    return np.array([f"m{number:02d}" for number in range(size)], dtype=object)


def track(series: npt.ArrayLike, direction: Direction = Direction.DESC, **more: Any) -> Track:
    """A record of the primary metric, shape (models, cycles) for reading; NaN is absent."""
    values = np.atleast_2d(np.asarray(series, dtype=float)).T
    return Track(names(values.shape[1]), values, direction, **more)


def record_of(*models: Mapping[str, Any] | Sequence[float]) -> Track:
    """The same from one list for each model, the shorter ones absent at first."""
    longest = max(len(model) for model in models)
    return track([[NAN] * (longest - len(model)) + list(model) for model in models])


def weighed(
    strategy: str, record: Track, members: int | None = None, *, leave_out: bool = True, **terms: Any
) -> Weighing:
    """What a strategy makes of a record; all are members unless said otherwise."""
    size = len(record.models) if members is None else members
    return weigh(strategy_of(strategy), record, size, Terms(**({"min_history": 2} | terms)), leave_out=leave_out)


def shares(weighing: Weighing) -> Floats:
    """Its weights, summing to 1."""
    return np.asarray(weighing.weights / weighing.weights.sum())
