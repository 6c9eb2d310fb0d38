"""Which cycle of a competition is the one before another, and what was predicted then.

The previous cycle is the newest one before with any prediction in time, by whatever model: what is known when a cycle
begins decides it, nothing that comes later.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd


def cycles_before(cycles: Sequence[datetime], played: Sequence[datetime]) -> list[datetime]:
    """The previous cycles of ``cycles`` that are not among them; ``played`` are those with a prediction in time."""
    places = {bisect_left(played, cycle) - 1 for cycle in cycles}
    return sorted({played[place] for place in places if place >= 0} - set(cycles))


def of_next_cycle(counted: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """What the previous cycle's predictions are to each cycle, dated forward to it.

    Parameters
    ----------
    counted : DataFrame
        Predictions in time of some cycles: model_id, cycle, horizon, subject, value.
    earlier : DataFrame
        Those of other cycles, with the previous one of each that is not among ``counted``.

    Returns
    -------
    DataFrame
        Rows of the sections and models of ``counted``: the same model's of the same horizon, one cycle before.
    """
    cycles = np.unique(counted["cycle"].to_numpy())
    played = np.unique(np.concatenate([cycles, earlier["cycle"].to_numpy()]))
    # Each cycle is the previous one of at most one other: its next among all that were played.
    following = np.append(played[1:], np.datetime64("NaT"))
    both = pd.concat([counted, earlier[~earlier["cycle"].isin(cycles)]])
    both = both.assign(cycle=following[np.searchsorted(played, both["cycle"].to_numpy())])
    sections = counted[["cycle", "horizon"]].drop_duplicates()
    return both[both["model_id"].isin(counted["model_id"].unique())].merge(sections, on=["cycle", "horizon"])
