"""Outcomes in time: when a value became known, which revisions are news, and what was known when.

A revision never overwrites: it is a row of its own with a later ``known_at``, so a board of an earlier date can
be computed again at any time and comes out the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Ints
from pipeline.competition.contract import TruthSpec

FACT = ["subject", "target_time", "horizon"]
"""What an outcome is of; its value may be revised."""

ANY_HORIZON = -1
"""The horizon of an outcome that serves every horizon."""


def stamp(rows: pd.DataFrame, spec: TruthSpec, now: datetime) -> pd.DataFrame:
    """Give every row the time at which it counts as known, by the contract's rule.

    Parameters
    ----------
    rows : DataFrame
        subject, target_time, horizon, value, and known_at when the contract says ``column``.
    spec : TruthSpec
    now : datetime
        The time of arrival, UTC.
    """
    if spec.known_at == "column":
        if "known_at" not in rows:
            raise ValueError(
                "truth.known_at is 'column' but the source gives no column known_at; use target_time or arrival"
            )
        return rows
    if spec.known_at == "arrival":
        return rows.assign(known_at=pd.Timestamp(now))
    return rows.assign(known_at=rows["target_time"] + pd.Timedelta(spec.delay))


def news(stored: pd.DataFrame, incoming: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The incoming rows that say something new, to be added to those stored.

    Walking through time, a row is news when its value differs from the one known just before. A value that
    contradicts a stored one of the very same ``known_at`` is a silent revision: it counts as known ``now``.

    Parameters
    ----------
    stored, incoming : DataFrame
        subject, target_time, horizon, known_at, value; one row a fact and known_at.
    now : datetime
        The time of arrival, UTC.

    Returns
    -------
    DataFrame
        Same columns; empty when nothing is new.
    """
    if incoming.empty:
        return incoming
    both = pd.concat([stored.assign(is_new=False), incoming.assign(is_new=True)], ignore_index=True)
    both = both.sort_values([*FACT, "known_at", "is_new"], kind="stable", ignore_index=True)
    contradicts = both["is_new"] & _same_as_previous(both, [*FACT, "known_at"]) & ~_same_value_as_previous(both)
    has_later = _same_as_previous(both.iloc[::-1], FACT).iloc[::-1]
    both.loc[contradicts, "known_at"] = pd.Timestamp(now)
    both = both[~(contradicts & has_later)]
    fresh = both["is_new"] & ~(_same_as_previous(both, FACT) & _same_value_as_previous(both))
    return both.loc[fresh, [*FACT, "known_at", "value"]].reset_index(drop=True)


def _same_value_as_previous(rows: pd.DataFrame) -> pd.Series:
    value, previous = rows["value"], rows["value"].shift()
    return value.eq(previous) | (value.isna() & previous.isna())


def _same_as_previous(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    same = pd.Series(True, index=rows.index)
    for column in columns:
        same &= rows[column].eq(rows[column].shift())
    return same


def outcomes_of(predictions: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The truth of every cross-section: cycle, horizon, subject, known_at, value.

    A row made for one horizon wins over one for any horizon that became known at the same time.
    """
    sections = predictions[["cycle", "horizon", "target_time"]].drop_duplicates()
    joined = sections.merge(truth, on="target_time", suffixes=("", "_of_truth"))
    joined = joined[(joined["horizon_of_truth"] == joined["horizon"]) | (joined["horizon_of_truth"] == ANY_HORIZON)]
    joined = joined.sort_values(["known_at", "horizon_of_truth"], kind="stable")
    joined = joined.drop_duplicates(["cycle", "horizon", "subject", "known_at"], keep="last")
    return joined[["cycle", "horizon", "subject", "known_at", "value"]]


@dataclass(frozen=True)
class Version:
    """What was known of some cycles at one time each.

    Parameters
    ----------
    known_at : Series of datetime64, index cycle
    outcomes : DataFrame
        cycle, horizon, subject, value: the latest values known then.
    """

    known_at: pd.Series
    outcomes: pd.DataFrame

    def sections(self, cycles: np.typing.NDArray[np.datetime64]) -> Ints:
        """Positions, among sections of the given cycles, of those whose cycle is in this version."""
        return np.flatnonzero(pd.Index(cycles).isin(self.known_at.index))


def versions(outcomes: pd.DataFrame) -> Iterator[Version]:
    """Every state of knowledge of every cycle: the first of each, then the second of those revised, and so on.

    Parameters
    ----------
    outcomes : DataFrame
        cycle, horizon, subject, known_at, value, as :func:`outcomes_of` gives them.
    """
    times = outcomes[["cycle", "known_at"]].drop_duplicates().sort_values(["cycle", "known_at"])
    ordinal = times.groupby("cycle").cumcount()
    for version in range(int(ordinal.max()) + 1 if len(times) else 0):
        known_at = times[ordinal == version].set_index("cycle")["known_at"]
        rows = outcomes[outcomes["known_at"] <= outcomes["cycle"].map(known_at)]
        latest = rows.sort_values("known_at", kind="stable").drop_duplicates(
            ["cycle", "horizon", "subject"], keep="last"
        )
        yield Version(known_at, latest[["cycle", "horizon", "subject", "value"]])
