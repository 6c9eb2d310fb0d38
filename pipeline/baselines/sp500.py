"""The bundled competition: which of 20 S&P 500 stocks return most over the next week, on real prices 1990-2022.

The 20 stocks were picked with hindsight, so a score here is relative within survivors and no evidence of profit.
"""

import functools
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.baselines.factors import FACTORS, factor_values
from pipeline.baselines.models import BASELINES
from pipeline.baselines.price_source import PriceSource, text, times
from pipeline.competition.source import Source


@functools.cache
def source() -> Source:
    """The competition's data, one object for the process; prices are loaded when they are first needed."""
    return Sp500Source()


class Sp500Source(PriceSource):
    """Predictions of the reference models, factors and outcomes, computed from daily closes."""

    baselines = BASELINES

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Signals of every model for the cycles asked for; no row where a signal is undefined.

        Parameters
        ----------
        cycles : sequence of datetime
            Some of ``cycles()``, in any order; a cycle named twice counts once.

        Returns
        -------
        pandas.DataFrame
            Columns model_id, cycle, horizon, subject, target_time, value, received_at; by model, cycle and subject.

        Raises
        ------
        ValueError
            If there is no such cycle.
        """
        numbers = self.cycle_numbers(cycles)
        positions = self.history.cycle_positions[numbers]
        signals = np.array([baseline.predict(self.history, positions) for baseline in BASELINES])
        return self.rows(numbers, signals[..., None]).drop(columns="output_type_id")

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Factors known at the cycles asked for; no row where a factor is undefined.

        Parameters
        ----------
        cycles : sequence of datetime
            Some of ``cycles()``, in any order; a cycle named twice counts once.

        Returns
        -------
        pandas.DataFrame
            Columns cycle, subject, factor, value; by cycle, subject and factor.

        Raises
        ------
        ValueError
            If there is no such cycle.
        """
        history, positions = self.history, self.history.cycle_positions[self.cycle_numbers(cycles)]
        values = factor_values(history, positions)
        cycle, subject, factor = np.nonzero(~np.isnan(values))
        return pd.DataFrame(
            {
                "cycle": times(history.dates[positions])[cycle],
                "subject": text(history.tickers)[subject],
                "factor": text(list(FACTORS))[factor],
                "value": values[cycle, subject, factor],
            }
        ).astype({"subject": "str", "factor": "str"})
