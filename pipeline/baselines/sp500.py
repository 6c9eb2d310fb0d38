"""The bundled competition: which of 20 S&P 500 stocks return most over the next week, on real prices 1990-2022.

The 20 stocks were picked with hindsight, so a score here is relative within survivors and no evidence of profit.
"""

import functools
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata, resources

import numpy as np
import pandas as pd

from pipeline.baselines.factors import FACTORS, factor_values
from pipeline.baselines.models import BASELINES
from pipeline.baselines.prices import Dates, Positions, PriceHistory, load_prices
from pipeline.competition.source import Source

PLAYER = "Podium baselines"
VERSION = "1"
LICENCE = "MIT"
HORIZON = 1
"""Outcomes lie one cycle ahead."""

COMPANIES = {
    "AAPL": "Apple",
    "AMD": "Advanced Micro Devices",
    "BAC": "Bank of America",
    "BBY": "Best Buy",
    "CVX": "Chevron",
    "GE": "General Electric",
    "HD": "Home Depot",
    "JNJ": "Johnson & Johnson",
    "JPM": "JPMorgan Chase",
    "KO": "Coca-Cola",
    "LLY": "Eli Lilly",
    "MRK": "Merck",
    "MSFT": "Microsoft",
    "PEP": "PepsiCo",
    "PFE": "Pfizer",
    "PG": "Procter & Gamble",
    "RRC": "Range Resources",
    "UNH": "UnitedHealth",
    "WMT": "Walmart",
    "XOM": "Exxon Mobil",
}


@functools.cache
def source() -> Source:
    """The competition's data, one object for the process; prices are loaded when they are first needed."""
    return Sp500Source()


class Sp500Source:
    """Predictions of the reference models, factors and outcomes, computed from daily closes.

    A cycle is a date, midnight, that stands for the close of that day. Predictions are received at their cycle,
    outcomes are known at their target time, the next cycle. See ``pipeline.competition.source.Source``.

    Parameters
    ----------
    history : PriceHistory or None
        Daily closes; None for those of the installed ``skfolio`` package.
    """

    def __init__(self, history: PriceHistory | None = None) -> None:
        self._given = history

    @functools.cached_property
    def history(self) -> PriceHistory:
        """The daily closes, loaded when first asked for."""
        return load_prices() if self._given is None else self._given

    def fingerprint(self) -> str:
        """A hash of the data's version and of the text of this package; loads no prices unless they were given."""
        digest = hashlib.sha256()
        for module in sorted(resources.files("pipeline.baselines").iterdir(), key=lambda file: file.name):
            if module.name.endswith(".py"):
                digest.update(f"{module.name}\n{module.read_text(encoding='utf-8')}\n".encode())
        digest.update(self._data_version().encode())
        return digest.hexdigest()

    def cycles(self) -> list[datetime]:
        """Every cycle, ascending; the newest one's outcome is not known yet."""
        return [_midnight(date) for date in self.history.cycle_dates]

    def models(self) -> pd.DataFrame:
        """One row for each reference model."""
        return pd.DataFrame(
            {
                "model_id": [baseline.model_id for baseline in BASELINES],
                "title": [baseline.title for baseline in BASELINES],
                "player": PLAYER,
                "version": VERSION,
                "licence": LICENCE,
                "description": [f"{baseline.description} {baseline.reference}" for baseline in BASELINES],
            }
        )

    def subjects(self) -> pd.DataFrame:
        """One row for each stock: its ticker and the company's name."""
        tickers = self.history.tickers
        return pd.DataFrame({"subject": tickers, "title": [COMPANIES.get(ticker, ticker) for ticker in tickers]})

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
        history, numbers = self.history, self._cycle_numbers(cycles)
        positions = history.cycle_positions[numbers]
        signals = np.array([baseline.predict(history, positions) for baseline in BASELINES])
        model, cycle, subject = np.nonzero(~np.isnan(signals))
        cycle_dates = _times(history.dates[positions])[cycle]
        return pd.DataFrame(
            {
                "model_id": _text([baseline.model_id for baseline in BASELINES])[model],
                "cycle": cycle_dates,
                "horizon": HORIZON,
                "subject": _text(history.tickers)[subject],
                "target_time": _times(history.target_dates[numbers])[cycle],
                "value": signals[model, cycle, subject],
                "received_at": cycle_dates,
            }
        ).astype({"model_id": "str", "horizon": "int64", "subject": "str"})

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
        history, positions = self.history, self.history.cycle_positions[self._cycle_numbers(cycles)]
        values = factor_values(history, positions)
        cycle, subject, factor = np.nonzero(~np.isnan(values))
        return pd.DataFrame(
            {
                "cycle": _times(history.dates[positions])[cycle],
                "subject": _text(history.tickers)[subject],
                "factor": _text(list(FACTORS))[factor],
                "value": values[cycle, subject, factor],
            }
        ).astype({"subject": "str", "factor": "str"})

    def truth(self) -> pd.DataFrame:
        """Simple return of each stock from each cycle's close to the next one's, by target time and subject."""
        history = self.history
        cycle, subject = np.nonzero(~np.isnan(history.outcomes))
        target_times = _times(history.target_dates)[cycle]
        return pd.DataFrame(
            {
                "subject": _text(history.tickers)[subject],
                "target_time": target_times,
                "horizon": HORIZON,
                "known_at": target_times,
                "value": history.outcomes[cycle, subject],
            }
        ).astype({"subject": "str", "horizon": "int64"})

    def _cycle_numbers(self, cycles: Sequence[datetime]) -> Positions:
        """Places of the cycles among all cycles, ascending, each once."""
        known = self.history.cycle_dates.astype("datetime64[us]")
        wanted = np.unique(np.array(cycles, dtype="datetime64[us]"))
        unknown = wanted[~np.isin(wanted, known)]
        if len(unknown):
            raise ValueError(
                f"no cycle {', '.join(str(cycle) for cycle in unknown[:5])}"
                f"{f' and {len(unknown) - 5} more' if len(unknown) > 5 else ''}; "
                f"there are {len(known)}{f', {known[0]} to {known[-1]}' if len(known) else ''}: take them from cycles()"
            )
        return np.searchsorted(known, wanted)

    def _data_version(self) -> str:
        if self._given is None:
            return f"skfolio {metadata.version('skfolio')}"
        content = hashlib.sha256("\n".join(self._given.tickers).encode())
        content.update(self._given.dates.astype(np.int64).tobytes())
        content.update(self._given.prices.tobytes())
        return content.hexdigest()


def _midnight(date: np.datetime64) -> datetime:
    return pd.Timestamp(date).to_pydatetime()


def _times(dates: Dates) -> Dates:
    """Dates as the times that the tables hold: midnight, to the microsecond."""
    return dates.astype("datetime64[us]")


def _text(names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Names as an array of plain strings that can be indexed by place."""
    return np.array(names, dtype=object)
