"""The forecasts of Samartzis (2024) as a source: probabilities of return quintiles of 100 assets by 18 models."""

import functools
from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from pipeline.competition.source import Source
from pipeline_tests.competition.published.files import shared

QUINTILES = ("1", "2", "3", "4", "5")
"""From the worst fifth of the returns to the best."""


@functools.cache
def source() -> Source:
    return M6Source()


class M6Source:
    """Forecasts, and the quintiles that came true, as they are in the shared data; each known when its month ended."""

    def fingerprint(self) -> str:
        return "as published"

    def cycles(self) -> list[datetime]:
        return [cycle.to_pydatetime() for cycle in self._outcomes["cycle"].drop_duplicates()]

    def models(self) -> pd.DataFrame:
        models = pd.DataFrame({"model_id": sorted(self._probabilities["model_id"].unique())})
        return models.assign(title=models["model_id"], player="Samartzis", version="1", licence="MIT", description="")

    def subjects(self) -> pd.DataFrame:
        assets = sorted(self._outcomes["subject"].unique())
        return pd.DataFrame({"subject": assets, "title": assets})

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        asked = self._probabilities[self._probabilities["cycle"].isin(list(cycles))]
        keys = ["model_id", "cycle", "subject"]
        rows = asked.melt(keys, list(QUINTILES), "output_type_id", "value")
        ends = self._outcomes[["cycle", "subject", "target_time"]]
        return rows.merge(ends, on=["cycle", "subject"]).assign(horizon=1, received_at=lambda one: one["cycle"])

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        return pd.DataFrame(columns=["cycle", "subject", "factor", "value"])

    def truth(self) -> pd.DataFrame:
        rows = self._outcomes[["subject", "target_time", "value"]]
        return rows.assign(horizon=1, known_at=rows["target_time"], value=rows["value"].astype(float))

    @functools.cached_property
    def _probabilities(self) -> pd.DataFrame:
        rows = pd.read_parquet(shared("m6", "predictions.parquet"))
        names = {f"p{quintile}": quintile for quintile in QUINTILES}
        rows = rows.rename(columns={"asset": "subject", **names})
        return rows.assign(cycle=_times(rows["cycle"]))[["model_id", "cycle", "subject", *QUINTILES]]

    @functools.cached_property
    def _outcomes(self) -> pd.DataFrame:
        rows = pd.read_parquet(shared("m6", "outcomes.parquet")).sort_values(["cycle", "asset"])
        rows = rows.rename(columns={"asset": "subject", "end_date": "target_time", "realized_quintile": "value"})
        return rows.assign(cycle=_times(rows["cycle"]), target_time=_times(rows["target_time"]))


def _times(dates: "pd.Series[datetime]") -> "pd.Series[pd.Timestamp]":
    """Dates as tables hold times."""
    return pd.to_datetime(dates).astype("datetime64[us]")
