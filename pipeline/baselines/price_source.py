"""What the bundled competitions share: cycles, stocks and outcomes out of daily closes, and who plays.

Two competitions are made of the same prices: which stock returns most (``sp500``), and how far each may move
(``sp500_risk``). The 20 stocks were picked with hindsight, so a score is relative within survivors and no evidence of
profit.
"""

import functools
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata, resources
from typing import Any

import numpy as np
import pandas as pd

from pipeline.baselines.baseline import Baseline
from pipeline.baselines.prices import Dates, Floats, Positions, PriceHistory, load_prices

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


class PriceSource:
    """What a source of the bundled competitions has beside its predictions.

    A cycle is a date, midnight, that stands for the close of that day. Predictions are received at their cycle,
    outcomes are known at their target time, the next cycle. See ``pipeline.competition.source.Source``.

    Parameters
    ----------
    history : PriceHistory or None
        Daily closes; None for those of the installed ``skfolio`` package.
    """

    baselines: Sequence[Baseline[Any]] = ()
    """The reference models that predict."""

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
                "model_id": [baseline.model_id for baseline in self.baselines],
                "title": [baseline.title for baseline in self.baselines],
                "player": PLAYER,
                "version": VERSION,
                "licence": LICENCE,
                "description": [f"{baseline.description} {baseline.reference}" for baseline in self.baselines],
            }
        )

    def subjects(self) -> pd.DataFrame:
        """One row for each stock: its ticker and the company's name."""
        tickers = self.history.tickers
        return pd.DataFrame({"subject": tickers, "title": [COMPANIES.get(ticker, ticker) for ticker in tickers]})

    def truth(self) -> pd.DataFrame:
        """Simple return of each stock from each cycle's close to the next one's, by target time and subject."""
        history = self.history
        cycle, subject = np.nonzero(~np.isnan(history.outcomes))
        target_times = times(history.target_dates)[cycle]
        return pd.DataFrame(
            {
                "subject": text(history.tickers)[subject],
                "target_time": target_times,
                "horizon": HORIZON,
                "known_at": target_times,
                "value": history.outcomes[cycle, subject],
            }
        ).astype({"subject": "str", "horizon": "int64"})

    def cycle_numbers(self, cycles: Sequence[datetime]) -> Positions:
        """Places of the cycles among all cycles, ascending, each once.

        Raises
        ------
        ValueError
            If there is no such cycle.
        """
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

    def rows(self, numbers: Positions, values: Floats, ids: Sequence[str] = ("",)) -> pd.DataFrame:
        """Rows of predictions out of arrays; none where a prediction is undefined.

        Parameters
        ----------
        numbers : array of int, shape (cycles,)
            Places of the cycles, ascending.
        values : array of float, shape (models, cycles, subjects, ids)
        ids : sequence of str
            What each number of a prediction is, such as its quantile level.

        Returns
        -------
        pandas.DataFrame
            Columns model_id, cycle, horizon, subject, output_type_id, target_time, value, received_at; by model,
            cycle, subject and id.
        """
        history = self.history
        model, cycle, subject, one = np.nonzero(~np.isnan(values))
        cycle_dates = times(history.cycle_dates[numbers])[cycle]
        return pd.DataFrame(
            {
                "model_id": text([baseline.model_id for baseline in self.baselines])[model],
                "cycle": cycle_dates,
                "horizon": HORIZON,
                "subject": text(history.tickers)[subject],
                "output_type_id": text(ids)[one],
                "target_time": times(history.target_dates[numbers])[cycle],
                "value": values[model, cycle, subject, one],
                "received_at": cycle_dates,
            }
        ).astype({"model_id": "str", "horizon": "int64", "subject": "str", "output_type_id": "str"})


def _midnight(date: np.datetime64) -> datetime:
    return pd.Timestamp(date).to_pydatetime()


def times(dates: Dates) -> Dates:
    """Dates as the times that the tables hold: midnight, to the microsecond."""
    return dates.astype("datetime64[us]")


def text(names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Names as an array of plain strings that can be indexed by place."""
    return np.array(names, dtype=object)
