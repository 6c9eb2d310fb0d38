"""Outcomes in time: when a value became known, which revisions are news, and what was known when.

A revision never overwrites: it is a row of its own with a later ``known_at``, so a board of an earlier date can
be computed again at any time and comes out the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from pipeline.competition.declaration import TruthSpec
from pipeline.competition.labels import distinct

FACT = ["subject", "target_time", "horizon"]
"""What an outcome is of; its value may be revised."""

ANY_HORIZON = -1
"""The horizon of an outcome that serves every horizon."""

_MOMENT = [*FACT, "known_at"]
_COLUMNS = [*_MOMENT, "value"]
_TYPES = {"target_time": "datetime64[us]", "horizon": "int64", "known_at": "datetime64[us]", "value": "float64"}


def stamp(rows: pd.DataFrame, spec: TruthSpec, now: datetime) -> pd.DataFrame:
    """Give every row the time at which it counts as known, by the contract's rule.

    Unless the contract says ``column``, only the source's newest value of each fact is taken: the times of the
    others would be the same.

    Parameters
    ----------
    rows : DataFrame
        subject, target_time, horizon, value, and known_at when the contract says ``column``.
    spec : TruthSpec
    now : datetime
        The time of arrival, UTC.

    Returns
    -------
    DataFrame
        The rows with ``known_at``.

    Raises
    ------
    ValueError
        If the contract says ``column`` and there is none.
    """
    if spec.known_at == "column":
        if "known_at" not in rows:
            raise ValueError(
                "truth.known_at is 'column' but the source gives no column known_at; use target_time or arrival"
            )
        return rows
    if "known_at" in rows:
        rows = rows.sort_values("known_at", kind="stable").drop_duplicates(FACT, keep="last")
    if spec.known_at == "arrival":
        return rows.assign(known_at=pd.Timestamp(now))
    return rows.assign(known_at=rows["target_time"] + pd.Timedelta(spec.delay))


def news(stored: pd.DataFrame, incoming: pd.DataFrame, now: datetime, *, partial: bool = False) -> pd.DataFrame:
    """The incoming rows that say something new, to be added to those stored.

    Walking through time, a row is news when its value differs from the one known just before; to withdraw what
    was never given is none. When the newest value that the source gives of a fact is still not the one that counts
    in the end, the source has changed its mind without a date (a silent revision): its value is known ``now``.

    Parameters
    ----------
    stored, incoming : DataFrame
        subject, target_time, horizon, known_at, value; one row a fact and known_at.
    now : datetime
        The time of arrival, UTC.
    partial : bool
        Whether ``incoming`` may lack values that were given before, as a single file does. Then only a value that
        contradicts a stored one of the very same ``known_at`` is a silent revision. By default it is all that the
        source ever said, and a source that returns to an earlier value has revised too.

    Returns
    -------
    DataFrame
        Same columns; empty when nothing is new.

    Raises
    ------
    ValueError
        If incoming rows give one fact two values at the same time.
    """
    if incoming.empty:  # a source that knows nothing yet may give columns without types
        return incoming[_COLUMNS].astype(_TYPES)
    incoming = _without_repeats(incoming[_COLUMNS])
    stored = stored[_COLUMNS] if len(stored) else incoming.iloc[:0]
    both = pd.concat([stored.assign(is_new=False), incoming.assign(is_new=True)], ignore_index=True)
    both = both.sort_values([*_MOMENT, "is_new"], kind="stable", ignore_index=True)
    restated = both.duplicated(_MOMENT)
    dated = both[~restated]
    previous = dated.groupby(FACT)["value"].shift()
    found = dated.loc[dated["is_new"] & ~_same(dated["value"], previous), _COLUMNS]
    newest_claim = incoming.sort_values("known_at", kind="stable").drop_duplicates(FACT, keep="last")
    if partial:
        contradicts = restated & ~_same(both["value"], both["value"].shift())
        newest_claim = newest_claim.merge(both.loc[contradicts, _MOMENT], on=_MOMENT)
    silent = _silent_revisions(pd.concat([stored, found], ignore_index=True), newest_claim, now)
    return pd.concat([found, silent], ignore_index=True).sort_values(_MOMENT, ignore_index=True)


def _without_repeats(incoming: pd.DataFrame) -> pd.DataFrame:
    distinct = incoming.drop_duplicates()
    unclear = distinct[distinct.duplicated(_MOMENT, keep=False)]
    if len(unclear):
        raise ValueError(
            f"truth gives one outcome several values at the same time, such as {unclear.iloc[0].to_dict()} and "
            f"{unclear.iloc[1].to_dict()}; give one value for each subject, target_time, horizon and known_at"
        )
    return distinct


def _silent_revisions(known: pd.DataFrame, claimed: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The claims that differ from the newest known value of their fact, known now or just after that value."""
    newest = known.sort_values("known_at", kind="stable").drop_duplicates(FACT, keep="last")
    compared = claimed.merge(newest, on=FACT, how="left", suffixes=("", "_known"))
    silent = compared[~_same(compared["value"], compared["value_known"])]
    just_after = silent["known_at_known"] + pd.Timedelta(1, "us")
    return silent.assign(known_at=just_after.where(just_after > pd.Timestamp(now), pd.Timestamp(now)))[_COLUMNS]


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    return one.eq(other) | (one.isna() & other.isna())


def outcomes_of(predictions: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The truth of every cross-section: every version of the outcome of each of its subjects.

    From the moment that an outcome made for one horizon is known, it replaces the one that serves every horizon.

    Parameters
    ----------
    predictions : DataFrame
        cycle, horizon, target_time.
    truth : DataFrame
        Rows of ``truth``.

    Returns
    -------
    DataFrame
        cycle, horizon, subject, known_at, value.

    Raises
    ------
    ValueError
        If the predictions of one cross-section name several target times.
    """
    sections = distinct(predictions, ["cycle", "horizon", "target_time"])
    several = sections[sections.duplicated(["cycle", "horizon"], keep=False)]
    if len(several):
        cycle, horizon = several[["cycle", "horizon"]].iloc[0]
        times = ", ".join(str(time) for time in sorted(several["target_time"].unique()))
        raise ValueError(
            f"predictions of cycle {cycle}, horizon {horizon}, name several target times (among {times}); "
            f"a cycle and horizon have one: correct or reject the others"
        )
    joined = sections.merge(truth, on="target_time", suffixes=("", "_of_truth"))
    outcome = ["cycle", "horizon", "subject"]
    own = joined[joined["horizon_of_truth"] == joined["horizon"]]
    own_since = own.groupby(outcome, as_index=False).agg(own_since=("known_at", "min"))
    shared = joined[joined["horizon_of_truth"] == ANY_HORIZON].merge(own_since, on=outcome, how="left")
    shared = shared[~(shared["known_at"] >= shared["own_since"])]
    return pd.concat([own, shared], ignore_index=True)[[*outcome, "known_at", "value"]]


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


def truth_of_arrivals(rows: pd.DataFrame, spec: TruthSpec) -> pd.DataFrame:
    """What files said of some outcomes, arrival by arrival, as versions of each.

    Where files date what they say, one may bring an old version, which revises nothing. Otherwise a file says what is
    believed when it arrives, so a value that it returns to is a revision like any other.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``landing.truth_rows``, all of the outcomes that they are of.
    spec : TruthSpec

    Returns
    -------
    DataFrame
        subject, target_time, horizon, known_at, value: rows of ``truth``.
    """
    known = rows.iloc[:0][_COLUMNS]
    by_column = spec.known_at == "column"
    for _, arrival in rows.groupby(["received_at", "file_number"], sort=True):
        received_at = arrival["received_at"].iloc[0].to_pydatetime()
        new = news(known, stamp(arrival[_COLUMNS], spec, received_at), received_at, partial=by_column)
        known = pd.concat([known, new], ignore_index=True)
    return known
