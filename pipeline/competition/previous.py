"""Which cycle of a competition is the one before another, and what was predicted then.

The previous cycle is the newest one before with any prediction in time, by whatever model: what is known when a cycle
begins decides it, nothing that comes later.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Floats
from pipeline.competition.labels import distinct, labels, plain
from pipeline.competition.outputs import ONE_VALUE, Output
from pipeline.competition.panel import Axes


def cycles_before(cycles: Sequence[datetime], played: Sequence[datetime]) -> list[datetime]:
    """The previous cycles of ``cycles`` that are not among them; ``played`` are those with a prediction in time."""
    places = {bisect_left(played, cycle) - 1 for cycle in cycles}
    return sorted({played[place] for place in places if place >= 0} - set(cycles))


@dataclass(frozen=True)
class Before:
    """What the previous cycle's predictions are to each cycle of a block, with those of the block left in their array.

    Parameters
    ----------
    previous : dict
        From each cycle to the one before it, in the block or not.
    rows : DataFrame
        Predictions of the block's models in cycles that are not in it, dated forward to the next cycle.
    output : Output
        What a prediction is; one number by default.
    """

    previous: dict[np.datetime64, np.datetime64]
    rows: pd.DataFrame
    output: Output = ONE_VALUE

    @classmethod
    def of(cls, counted: pd.DataFrame, earlier: pd.DataFrame, output: Output = ONE_VALUE) -> "Before":
        """From predictions in time: those of the block, and of other cycles with the previous one of each."""
        sections = distinct(counted, ["cycle", "horizon"])
        cycles = sections["cycle"].unique()
        earlier = earlier.assign(**plain(earlier[["cycle", "horizon"]]))
        earlier = earlier[~earlier["cycle"].isin(cycles)]
        played = np.unique(np.concatenate([cycles, earlier["cycle"].to_numpy()]))
        # Each cycle is the previous one of at most one other: its next among all that were played.
        following = np.append(played[1:], np.datetime64("NaT"))
        rows = earlier[earlier["model_id"].isin(labels(counted["model_id"]))]
        rows = rows.assign(cycle=following[np.searchsorted(played, rows["cycle"].to_numpy())])
        rows = rows.merge(sections, on=["cycle", "horizon"])
        return cls(dict(zip(played[1:], played[:-1], strict=True)), rows, output)

    def signals(self, axes: Axes, signals: Floats) -> Floats:
        """The signals of every section's previous one; shape (sections, models, subjects)."""
        cycles = axes.sections.get_level_values("cycle")
        before = [self.previous.get(cycle, np.datetime64("NaT")) for cycle in cycles.to_numpy()]
        pairs = [pd.DatetimeIndex(before).astype(cycles.dtype), axes.sections.get_level_values("horizon")]
        place = axes.sections.get_indexer(pd.MultiIndex.from_arrays(pairs))
        found = signals[place]
        found[place < 0] = np.nan
        if not self.output.is_distribution:
            axes.fill(found, self.rows, "value")
            return found
        points, _ = axes.predicted(self.rows, self.output)
        return np.where(np.isnan(points), found, points)
