"""Scores of runs as rows: which of them count, and the one value of a scorer that they make."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.tables import MACHINE

_GIVEN_BY = ["run_id", "scorer", "rater"]


def numbered(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores of each run, scorer and rater counted in the order of time, and which is the newest.

    Of two of the same time, the later row is the newer one.

    Parameters
    ----------
    scores : DataFrame
        With ``run_id``, ``scorer``, ``rater`` and ``scored_at``, in the order of arrival.

    Returns
    -------
    DataFrame
        The same rows in the same order, with ``number`` (from 1) and ``is_latest``.

    Raises
    ------
    ValueError
        If a score has no time.
    """
    if scores["scored_at"].isna().any():
        raise ValueError("a score has no scored_at, so that nobody can tell which is the newest; give each its time")
    in_time = scores.reset_index(drop=True).sort_values("scored_at", kind="stable")
    groups = in_time.groupby(_GIVEN_BY, sort=False)
    number = groups.cumcount() + 1
    is_latest = ~in_time.duplicated(_GIVEN_BY, keep="last")
    return scores.assign(number=number.sort_index().to_numpy(), is_latest=is_latest.sort_index().to_numpy())


def latest_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """The newest score of each run by each scorer and rater, by time: rows of :func:`numbered`.

    A newest score without a value stays: what the scorer said before no longer holds.
    """
    found = numbered(scores)
    return found[found["is_latest"]]


def scorer_values(scores: pd.DataFrame, run_ids: pd.Index) -> dict[str, npt.NDArray[np.float64]]:
    """One value by scorer and run: the newest of a machine, or the mean over people of the newest of each.

    Where people rated by the name of a machine's scorer, theirs count and the machine's does not.

    Parameters
    ----------
    scores : DataFrame
        Rows of experiments.scores in the order of arrival; those of other runs do not count.
    run_ids : Index
        The runs, each once.

    Returns
    -------
    dict of str to float array, shape (runs,)
        NaN where there is no value.
    """
    latest = latest_scores(scores)
    place = run_ids.get_indexer(pd.Index(latest["run_id"]))
    latest, place = latest[place >= 0], place[place >= 0]
    names = sorted(latest["scorer"].unique())
    code = place * len(names) + np.searchsorted(np.array(names, dtype=str), latest["scorer"].to_numpy(dtype=str))
    value = latest["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    is_human = latest["rater"].to_numpy() != MACHINE
    cells = len(run_ids) * len(names)
    rated = np.bincount(code[is_human & ~np.isnan(value)], minlength=cells) > 0
    counts = ~np.isnan(value) & (is_human | ~rated[code])
    totals = np.bincount(code[counts], weights=value[counts], minlength=cells)
    n = np.bincount(code[counts], minlength=cells)
    means = np.divide(totals, n, out=np.full(cells, np.nan), where=n > 0).reshape(len(run_ids), len(names))
    # The mean of equal values can leave [0, 1] by rounding, and equal ones should stay equal.
    return {name: np.clip(means[:, column], 0.0, 1.0) for column, name in enumerate(names)}


def rater_numbers(names: Iterable[str], known: Mapping[str, int]) -> dict[str, int]:
    """Numbers of raters: who has one keeps it, others get the next in the order in which they come.

    Raises
    ------
    ValueError
        If two known ones share a number, or one has that of machines.
    """
    if len(set(known.values())) < len(known) or any(number <= MACHINE for number in known.values()):
        raise ValueError(f"numbers of raters are {dict(known)}; give each person one of their own, from 1")
    numbers = dict(known)
    for name in names:
        if name not in numbers:
            numbers[name] = max(numbers.values(), default=MACHINE) + 1
    return numbers
