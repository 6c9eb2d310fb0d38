"""What a competition's predictions and truth come from when they are computed rather than landed as files.

A source is named in YAML by a dotted path: to a module with a function ``source()``, or to a callable, that
returns an object with the methods below. Every frame's columns are named as those of the tables.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import pandas as pd


@runtime_checkable
class Source(Protocol):
    """Models, subjects, predictions, factors and truth of one competition. All times are UTC without a zone."""

    def fingerprint(self) -> str:
        """A string that changes whenever any content may have changed: version of the data, hash of the code."""

    def cycles(self) -> Sequence[datetime]:
        """Every cycle there is, ascending, the newest included even if its outcome is not known yet."""

    def models(self) -> pd.DataFrame:
        """Columns model_id, title, player, version, licence, description."""

    def subjects(self) -> pd.DataFrame:
        """Columns subject, title."""

    def predictions(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Columns model_id, cycle, horizon, subject, target_time, value, received_at, for the cycles asked for.

        Of distributions one more, output_type_id, and a row for each number: quantile level, category, number of the
        sample (from 1) or threshold. Horizons may be 0 or below.
        """

    def factors(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Columns cycle, subject, factor, value, each known at its cycle. May be empty."""

    def truth(self) -> pd.DataFrame:
        """Columns subject, target_time, horizon (-1: any), known_at, value. One row for each value ever known."""
