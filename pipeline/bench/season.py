"""A made-up season of a forecast hub as two Parquet files, with the columns that hubs give their forecasts."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = date(2024, 11, 23)
NATIONAL = "US"
_DAYS = 7
_LEVELS = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)


@dataclass(frozen=True)
class Season:
    """How large a season is, and what share of the forecasts is missing: the first model lacks none."""

    models: int = 48
    cycles: int = 27
    subjects: int = 53
    horizons: int = 5
    missing: float = 0.3
    seed: int = 0

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantile levels of every forecast."""
        return _LEVELS


@dataclass(frozen=True)
class SeasonFiles:
    """A season's forecasts and outcomes, the files of :func:`write_season` or others with the same columns."""

    forecasts: Path
    outcomes: Path


def write_season(folder: Path, season: Season) -> SeasonFiles:
    """Write the files of a season.

    Forecasts: model_id, reference_date, horizon (the first is 0), target_end_date, location, quantile_level, value.
    Outcomes: target_end_date, location, oracle_value.
    """
    random = np.random.default_rng(season.seed)
    weeks = season.cycles + season.horizons
    size = random.lognormal(4, 1.5, season.subjects)
    outcomes = size * np.exp(np.cumsum(random.normal(0, 0.2, (weeks, season.subjects)), axis=0))
    shape = (season.cycles, season.horizons, season.models, season.subjects)
    is_there = random.random(shape) >= season.missing  # nosec B311 # drawn for a benchmark
    is_there[:, :, 0] = True
    cycle, horizon, model, subject = np.nonzero(is_there)
    centre = outcomes[cycle + horizon, subject] * np.exp(random.normal(0, 0.3, cycle.size))
    spread = np.quantile(random.normal(0, 0.25, 10_001), season.levels)
    values = centre[:, None] * np.exp(spread * (1 + 0.2 * horizon[:, None]))
    n = len(season.levels)
    dates = [START + timedelta(days=_DAYS * week) for week in range(weeks)]
    names = [f"team{number:02d}-model" for number in range(season.models)]
    places = [NATIONAL, *(f"{number:02d}" for number in range(1, season.subjects))]
    forecasts = pa.table(
        {
            "model_id": _labels(np.repeat(model, n), names),
            "reference_date": _labels(np.repeat(cycle, n), dates),
            "horizon": np.repeat(horizon, n).astype(np.int8),
            "target_end_date": _labels(np.repeat(cycle + horizon, n), dates),
            "location": _labels(np.repeat(subject, n), places),
            "quantile_level": np.tile(np.array(season.levels), cycle.size),
            "value": values.ravel(),
        }
    )
    week, place = np.divmod(np.arange(weeks * season.subjects), season.subjects)
    truth = pa.table(
        {
            "target_end_date": _labels(week, dates),
            "location": _labels(place, places),
            "oracle_value": outcomes.ravel(),
        }
    )
    files = SeasonFiles(folder / "forecasts.parquet", folder / "outcomes.parquet")
    pq.write_table(forecasts, files.forecasts)
    pq.write_table(truth, files.outcomes)
    return files


def _labels(places: np.ndarray, labels: list[str] | list[date]) -> pa.Array:
    codes = pa.array(places.astype(np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array(labels)).dictionary_decode()
