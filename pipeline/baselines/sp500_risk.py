"""The second bundled competition: how far each of 20 S&P 500 stocks may move over the next week, 1990-2022.

Forecasts are quantiles of the stock's simple return in percent. The stocks, cycles and outcomes are those of ``sp500``.
"""

import functools
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.baselines.price_source import PriceSource
from pipeline.baselines.risk_models import RISK_BASELINES
from pipeline.competition.source import Source

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantile levels: intervals of 95, 80 and 50 %, and the median.

With the 23 levels of forecast hubs models rank as with these 7, which have a third of the rows.
"""

PERCENT = 100.0
"""Quantiles and outcomes are in percent: a WIS of 1.8 reads better than one of 0.018."""


@functools.cache
def source() -> Source:
    """The competition's data, one object for the process; prices are loaded when they are first needed."""
    return Sp500RiskSource()


class Sp500RiskSource(PriceSource):
    """Quantile forecasts of the reference models, and outcomes, computed from daily closes."""

    baselines = RISK_BASELINES

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Quantiles of every model for the cycles asked for; no row where a quantile is undefined.

        Parameters
        ----------
        cycles : sequence of datetime
            Some of ``cycles()``, in any order; a cycle named twice counts once.

        Returns
        -------
        pandas.DataFrame
            Columns model_id, cycle, horizon, subject, output_type_id, target_time, value, received_at; by model,
            cycle, subject and level. The level is text, such as 0.025; values are in percent.

        Raises
        ------
        ValueError
            If there is no such cycle.
        """
        numbers = self.cycle_numbers(cycles)
        positions, levels = self.history.cycle_positions[numbers], np.array(LEVELS)
        quantiles = np.array([baseline.predict(self.history, positions, levels) for baseline in RISK_BASELINES])
        return self.rows(numbers, PERCENT * quantiles, [format(level, ".12g") for level in LEVELS])

    def truth(self) -> pd.DataFrame:
        """Simple return in percent of each stock from each cycle's close to the next one's."""
        truth = super().truth()
        return truth.assign(value=PERCENT * truth["value"])

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """No factors: quantiles are not compared with properties of stocks. Errors as of ``predictions``."""
        self.cycle_numbers(cycles)
        return pd.DataFrame({"cycle": [], "subject": [], "factor": [], "value": []}).astype(
            {"cycle": "datetime64[us]", "subject": "str", "factor": "str", "value": "float64"}
        )
