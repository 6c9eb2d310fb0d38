"""Submissions that stand in for the cycles that a model left out, where the contest carries them forward.

A cycle of the contest is one that somebody was in time for. Who was not, but was for an earlier one, takes part with
the last of those submissions, whatever came late: to be late is no better and no worse than to submit nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

Times = npt.NDArray[np.datetime64]

COLUMNS = ["model_id", "cycle", "from_cycle"]
"""A model, a cycle that it left out, and the one whose submission stands in."""


@dataclass(frozen=True)
class Played:
    """Who was in time for which cycles.

    Parameters
    ----------
    cycles : mapping of str to array of datetime64
        Those of every model, ascending.
    """

    cycles: Mapping[str, Times]

    @classmethod
    def of(cls, models: Sequence[str], cycles: Sequence[Times]) -> "Played":
        """From lists of models and of the cycles of each, in any order; a model may be named several times."""
        found: dict[str, list[Times]] = {}
        for model, own in zip(models, cycles, strict=True):
            found.setdefault(model, []).append(np.asarray(own, dtype="datetime64[us]"))
        return cls({model: np.unique(np.concatenate(own)) for model, own in found.items()})

    @classmethod
    def of_predictions(cls, predictions: pd.DataFrame) -> "Played":
        """From rows of ``predictions``; what came late or stands in is nobody's submission in time."""
        own = predictions[~predictions["is_late"].astype(bool) & ~predictions["is_imputed"].astype(bool)]
        by_model = own.groupby("model_id")["cycle"].unique()
        return cls.of([str(model) for model in by_model.index], [np.asarray(cycles) for cycles in by_model])

    def __or__(self, other: "Played") -> "Played":
        return Played.of([*self.cycles, *other.cycles], [*self.cycles.values(), *other.cycles.values()])

    @property
    def of_contest(self) -> Times:
        """The cycles that anybody was in time for, ascending."""
        return np.unique(np.concatenate([np.empty(0, dtype="datetime64[us]"), *self.cycles.values()]))


def choose_stand_ins(played: Played, cycles: Sequence[datetime], max_cycles: int | None = None) -> pd.DataFrame:
    """Which submission stands in, for every model that left out some of the cycles after its first one.

    Parameters
    ----------
    played : Played
        Up to the last of the cycles; of earlier ones at least each model's last, and every cycle of the contest.
    cycles : sequence of datetime
        The cycles to fill in; those that nobody was in time for are left alone.
    max_cycles : int or None
        At most so many cycles of the contest in a row are filled in; None for all.

    Returns
    -------
    DataFrame
        model_id, cycle and from_cycle, the last cycle before it that the model was in time for.
    """
    contest = played.of_contest
    wanted = np.intersect1d(np.array(cycles, dtype="datetime64[us]"), contest)
    parts = []
    for model, own in played.cycles.items():
        left_out = wanted[(wanted > own[0]) & ~np.isin(wanted, own)]
        last = own[np.searchsorted(own, left_out) - 1]
        if max_cycles is not None:
            in_a_row = np.searchsorted(contest, left_out) - np.searchsorted(contest, last)
            left_out, last = left_out[in_a_row <= max_cycles], last[in_a_row <= max_cycles]
        parts.append(pd.DataFrame({"model_id": model, "cycle": left_out, "from_cycle": last}))
    chosen = [part for part in parts if len(part)]
    return pd.concat(chosen, ignore_index=True) if chosen else pd.DataFrame(columns=COLUMNS)


def carry_forward(predictions: pd.DataFrame, earlier: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Add the submissions that stand in to predictions of whole cycles.

    A submission is carried as a whole, but for horizons that nobody predicts in the new cycle: there is no time at
    which they would come true. Where something stands in, it takes the place of what the model submitted late, which
    would have the same keys; ``submissions`` goes on telling of that.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``predictions``, of whole cycles.
    earlier : DataFrame
        Rows of ``predictions`` of the chosen submissions to other cycles.
    chosen : DataFrame
        What :func:`choose_stand_ins` gives.

    Returns
    -------
    DataFrame
        Rows of ``predictions``. A stand-in has the target time and deadline of the cycle that it is for and the time
        at which it was received.
    """
    if chosen.empty:
        return predictions
    in_time = predictions[~predictions["is_late"].astype(bool)]
    submitted = pd.concat([frame for frame in (earlier, in_time) if len(frame)], ignore_index=True)
    sections = in_time[["cycle", "horizon", "target_time", "deadline"]].drop_duplicates(["cycle", "horizon"])
    carried = (
        submitted.drop(columns=["target_time", "deadline"])
        .rename(columns={"cycle": "from_cycle"})
        .merge(chosen, on=["model_id", "from_cycle"])
        .merge(sections, on=["cycle", "horizon"])
        .assign(is_imputed=True)
    )
    submission = ["model_id", "cycle"]
    late = pd.MultiIndex.from_frame(predictions[submission]).isin(pd.MultiIndex.from_frame(carried[submission]))
    return pd.concat([predictions[~late], carried[predictions.columns]], ignore_index=True)
