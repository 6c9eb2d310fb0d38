"""What stands in for the cycles that a model left out, by the contest's rule; by default nothing does.

Here the metrics of another model do (:data:`FILLED`). A submission that is carried forward was scored like any other:
:mod:`pipeline.competition.stand_ins`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.declaration import MissingSpec
from pipeline.leaderboard import Direction

FILLED = ("baseline", "worst")
"""The rules that give a cycle left out the metrics of another model."""

_NOBODY = -1


@dataclass(frozen=True)
class Cells:
    """A metric of every cycle and model, what was left out filled in; arrays of shape (cycles, models).

    Parameters
    ----------
    value, numerator, denominator : array of float
        NaN where there is still nothing.
    imputed : array of bool
        Where a value stands in that is not of the model's own submission to the cycle.
    """

    value: Floats
    numerator: Floats
    denominator: Floats
    imputed: Bools

    @property
    def n_imputed(self) -> Ints:
        """Cycles of each model that are filled in, shape (models,)."""
        return np.asarray(self.imputed.sum(axis=0))

    def without_imputed(self, column: Floats) -> Floats:
        """A column with NaN where it is filled in."""
        return np.where(self.imputed, np.nan, column)


def absences(took_part: Bools) -> Bools:
    """Resolved cycles that a model left out after its first one; shape (cycles, models)."""
    began = np.logical_or.accumulate(took_part, axis=0)
    return np.asarray(began & ~took_part & took_part.any(axis=1, keepdims=True))


def fill(
    cells: Cells, absent: Bools, missing: MissingSpec, direction: Direction, models: npt.NDArray[np.object_]
) -> Cells:
    """Fill in what models left out.

    Parameters
    ----------
    cells : Cells
        As the models played.
    absent : array of bool, shape (cycles, models)
        What :func:`absences` gives.
    missing : MissingSpec
        ``baseline``: the values of a named model; ``worst``: of the model that was worst in that cycle.
    direction : Direction
        Which way the metric is better; where neither is, there is no worst and nothing is filled in.
    models : array of str, shape (models,)
    """
    donor = _donors(cells.value, missing, direction, models)
    imputed = absent & (donor >= 0)[:, None]
    columns = {
        name: np.where(imputed, np.take_along_axis(column, donor[:, None], axis=1), column)
        for name, column in (
            ("value", cells.value),
            ("numerator", cells.numerator),
            ("denominator", cells.denominator),
        )
    }
    return Cells(imputed=imputed, **columns)


def _donors(value: Floats, missing: MissingSpec, direction: Direction, models: npt.NDArray[np.object_]) -> Ints:
    """The model that stands in for absent ones in each cycle, by its place; -1 where none can."""
    if missing.policy == "baseline":
        place = int(np.flatnonzero(models == missing.baseline)[0]) if missing.baseline in models else _NOBODY
        return np.where(np.isnan(value[:, place]), _NOBODY, place)
    if direction is Direction.NONE:
        return np.full(len(value), _NOBODY)
    badness = np.where(np.isnan(value), -np.inf, -value if direction is Direction.DESC else value)
    return np.where(np.isnan(value).all(axis=1), _NOBODY, badness.argmax(axis=1))
