"""A made-up contest of any size in a warehouse of its own: what the benchmarks run on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.labels import times
from pipeline.competition.metrics import METRICS, Pool
from pipeline.tables import FACTORS, PREDICTIONS, TRUTH, TableSpec
from pipeline.warehouse import Dirty, Store, WarehouseFiles

BOARD = "bench"
START = datetime(1980, 1, 4)
WEEK = timedelta(days=7)
N_FACTORS = 3
_MEMORY = "512MB"
_CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Size:
    """How large a contest is, and what share of the predictions is missing, at random."""

    models: int
    cycles: int
    subjects: int
    missing: float = 0.05
    seed: int = 0

    @property
    def cells(self) -> int:
        """Predictions if none were missing."""
        return self.models * self.cycles * self.subjects


def contract(**changes: object) -> Contract:
    """The contest's declaration: every built-in metric that a contest without ensembles may list."""
    declared: dict[str, Any] = {
        "name": BOARD,
        "title": "Made up, to measure speed",
        "predictions": {"source": "inbox", "trusted": True},
        "truth": {"source": "inbox"},
        "factors": {"source": "inbox"},
        "scoring": {"rule": "rank_product", "primary": "ic"},
        "metrics": metric_names(),
        "windows": {"recent": {"cycles": 13}, "steady": {"cycles": 52}, "all": {}},
        "leaderboard": {"rank_by": "steady.ic"},
    }
    return Contract.model_validate(declared | changes)


def metric_names() -> list[str]:
    """Every built-in metric of any prediction that needs no ensemble, those of cycles first."""
    known = {metric.name: metric for metric in METRICS if metric.of_members is None and metric.is_of_any}
    return sorted(known, key=lambda name: (known[name].pool is Pool.SERIES, name))


def files(folder: Path) -> WarehouseFiles:
    """The warehouse in a folder; its memory is bounded, so that what is measured is not DuckDB's cache."""
    return WarehouseFiles(folder / "bench.duckdb", config={"memory_limit": _MEMORY})


def cycles_of(size: Size, first: int = 0) -> list[datetime]:
    """The contest's cycles from one on: weeks."""
    return [START + number * WEEK for number in range(first, size.cycles)]


def fill(store: Store, size: Size, first: int = 0) -> int:
    """Write predictions, truth and factors of the cycles from ``first`` on and give the number of predictions."""
    at_once = max(1, _CELLS_AT_ONCE // (size.models * size.subjects))
    cycles = cycles_of(size, first)
    written = 0
    for start in range(0, len(cycles), at_once):
        block = cycles[start : start + at_once]
        random = np.random.default_rng([size.seed, first + start])
        for spec, rows in _rows(size, block, random):
            _put(store, spec, rows)
            written += len(rows) if spec is PREDICTIONS else 0
    return written


def _rows(size: Size, cycles: list[datetime], random: np.random.Generator) -> Iterator[tuple[TableSpec, pd.DataFrame]]:
    factors = random.normal(size=(len(cycles), size.subjects, N_FACTORS))
    outcomes = 0.02 * (factors @ np.full(N_FACTORS, 0.3) + random.normal(size=(len(cycles), size.subjects)))
    skill = np.linspace(-0.05, 0.1, size.models)[:, None]
    signals = skill * 50 * outcomes[:, None, :] + random.normal(size=(len(cycles), size.models, size.subjects))
    yield PREDICTIONS, _predictions(size, cycles, signals, random.random(signals.shape) >= size.missing)  # nosec B311 # drawn for a benchmark
    cycle, subject = np.indices(outcomes.shape).reshape(2, -1)
    moments = pd.DatetimeIndex(cycles).as_unit("us")
    target_time = (moments + WEEK)[cycle]
    yield (
        TRUTH,
        pd.DataFrame(
            {
                "subject": _names("subject", size.subjects, subject),
                "target_time": target_time,
                "horizon": -1,
                "known_at": target_time,
                "value": outcomes.ravel(),
            }
        ),
    )
    cycle, subject, factor = np.indices(factors.shape).reshape(3, -1)
    yield (
        FACTORS,
        pd.DataFrame(
            {
                "cycle": moments[cycle],
                "subject": _names("subject", size.subjects, subject),
                "factor": _names("factor", N_FACTORS, factor),
                "value": factors.ravel(),
            }
        ),
    )


def _predictions(size: Size, cycles: list[datetime], signals: Floats, present: Bools) -> pd.DataFrame:
    cycle, model, subject = np.nonzero(present)
    moments = pd.DatetimeIndex(cycles).as_unit("us")
    return pd.DataFrame(
        {
            "model_id": _names("model", size.models, model),
            "cycle": moments[cycle],
            "horizon": 1,
            "subject": _names("subject", size.subjects, subject),
            "output_type": _same("value", len(cycle)),
            "output_type_id": _same("", len(cycle)),
            "target_time": (moments + WEEK)[cycle],
            "value": signals[present],
            "deadline": moments[cycle],
            "received_at": moments[cycle],
            "is_late": False,
            "is_imputed": False,
        },
        copy=False,
    )


def _names(what: str, n: int, codes: Ints) -> "pd.Categorical[str]":
    """Names such as ``model_0042``."""
    return pd.Categorical.from_codes(codes, pd.Index([f"{what}_{number:04d}" for number in range(n)]))


def _same(text: str, n: int) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int64), pd.Index([text]))


def _put(store: Store, spec: TableSpec, rows: pd.DataFrame) -> None:
    store.replace(spec, BOARD, [Dirty(cycle, 0) for cycle in times(rows[str(spec.cycle)])], rows, "bench")
