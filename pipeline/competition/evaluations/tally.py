"""What a breakdown adds up over blocks of tasks: sums by part and cycle, and every two models by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.evaluations.declaration import OVERALL, Breakdown
from pipeline.competition.evaluations.tasks import ScoredTasks, Times
from pipeline.leaderboard import Pairs, TaskErrors, pair_totals

Part = object
"""What a part of a breakdown is called: a subject, a cycle, a horizon, a target time; ``overall`` for the whole."""


@dataclass(frozen=True, eq=False)
class Division:
    """Tasks in the order of parts and, within them, of cycles.

    Parameters
    ----------
    tasks : ScoredTasks
        In that order.
    parts : array, shape (cells,)
        The part of each cell; a cell is a part in one cycle.
    cycles : datetime64 array, shape (cells,)
    starts : int array, shape (cells,)
        The first task of each cell.
    """

    tasks: ScoredTasks
    parts: npt.NDArray[np.generic]
    cycles: Times
    starts: Ints

    @classmethod
    def of(cls, tasks: ScoredTasks, by: Breakdown | None) -> "Division":
        """The tasks divided by a breakdown, or not at all."""
        whole = np.full(len(tasks), OVERALL, dtype=object)
        values = whole if by is None else tasks.values(by)
        part, parts = pd.factorize(values, sort=True)
        cycle, cycles = pd.factorize(tasks.cycles, sort=True)
        cell = part * len(cycles) + cycle
        if (cell[1:] < cell[:-1]).any():
            order = np.argsort(cell, kind="stable")
            tasks, cell = tasks.part(order), cell[order]
        starts = np.flatnonzero(np.diff(cell, prepend=-1))
        cells = cell[starts]
        return cls(tasks, parts[cells // len(cycles)], cycles[cells % len(cycles)], starts)

    def sums(self, values: npt.NDArray[np.generic]) -> Floats:
        """Sums over the tasks of each cell; values of shape (tasks, ...) give (cells, ...)."""
        if not len(self.starts):
            return np.zeros((0, *values.shape[1:]))
        return np.add.reduceat(values.astype(np.float64, copy=False), self.starts, axis=0)

    def by_part(self) -> Mapping[Part, slice]:
        """The tasks of each part."""
        changes = np.flatnonzero(self.parts[1:] != self.parts[:-1]) + 1
        first = np.concatenate([[0], changes]).astype(np.int64) if len(self.parts) else np.zeros(0, dtype=np.int64)
        ends = [*self.starts[first[1:]].tolist(), len(self.tasks)]
        starts = self.starts[first].tolist()
        return {self.parts[cell]: slice(*of) for cell, of in zip(first, zip(starts, ends, strict=True), strict=True)}


@dataclass(frozen=True, eq=False)
class Cells:
    """Sums by part and cycle, sorted so; every array has shape (cells, models) but ``tasks``.

    Parameters
    ----------
    parts : array, shape (cells,)
    cycles : datetime64 array, shape (cells,)
    tasks : float array, shape (cells,)
        How many tasks there are.
    submitted : float array
        How many of them a model submitted.
    total, n : mapping of str to float array
        The sum of a measure, and over how many tasks.
    """

    parts: npt.NDArray[np.generic]
    cycles: Times
    tasks: Floats
    submitted: Floats
    total: Mapping[str, Floats]
    n: Mapping[str, Floats]

    @classmethod
    def of(cls, division: Division, measures: Sequence[str]) -> "Cells":
        """Those of some tasks."""
        values = {name: division.tasks.measures[name] for name in measures}
        finite = {name: np.isfinite(value) for name, value in values.items()}
        return cls(
            division.parts,
            division.cycles,
            division.sums(np.ones(len(division.tasks))),
            division.sums(division.tasks.submitted),
            {name: division.sums(np.where(finite[name], value, 0.0)) for name, value in values.items()},
            {name: division.sums(found) for name, found in finite.items()},
        )

    @classmethod
    def joined(cls, cells: Sequence["Cells"]) -> "Cells":
        """Those of several blocks of cycles, in order."""
        parts = np.concatenate([one.parts for one in cells])
        cycles = np.concatenate([one.cycles for one in cells])
        order = _order(parts, cycles)
        names = list(cells[0].total)
        return cls(
            parts[order],
            cycles[order],
            np.concatenate([one.tasks for one in cells])[order],
            np.concatenate([one.submitted for one in cells])[order],
            {name: np.concatenate([one.total[name] for one in cells])[order] for name in names},
            {name: np.concatenate([one.n[name] for one in cells])[order] for name in names},
        )

    @cached_property
    def starts(self) -> Ints:
        """The first cell of each part."""
        changes = np.flatnonzero(self.parts[1:] != self.parts[:-1]) + 1
        return np.concatenate([np.zeros(min(1, len(self.parts)), dtype=np.int64), changes])

    @cached_property
    def named(self) -> list[Part]:
        """The parts, in order."""
        return list(self.parts[self.starts])

    def of_parts(self, values: Floats) -> Floats:
        """Sums over the cells of each part, shape (parts, ...)."""
        return np.add.reduceat(values, self.starts, axis=0) if len(self.starts) else values

    def spans(self) -> list[slice]:
        """The cells of each part."""
        ends = [*self.starts[1:].tolist(), len(self.parts)]
        return [slice(start, end) for start, end in zip(self.starts.tolist(), ends, strict=True)]


@dataclass(frozen=True, eq=False)
class Errors:
    """What cells add to the error of relative skill of one measure, sorted as :class:`Cells`.

    Parameters
    ----------
    parts : array, shape (cells,)
    cycles : datetime64 array, shape (cells,)
    errors : float array, shape (cells, models)
    present : bool array, same shape
    """

    parts: npt.NDArray[np.generic]
    cycles: Times
    errors: Floats
    present: Bools

    @classmethod
    def joined(cls, found: Sequence["Errors"]) -> "Errors":
        """Those of several blocks of cycles, in order."""
        parts = np.concatenate([one.parts for one in found])
        cycles = np.concatenate([one.cycles for one in found])
        order = _order(parts, cycles)
        errors = np.concatenate([one.errors for one in found])
        return cls(parts[order], cycles[order], errors[order], np.concatenate([one.present for one in found])[order])


class Tally:
    """One breakdown of one evaluation set, added up over blocks of cycles, each cycle in one block.

    Parameters
    ----------
    by : str or None
        What divides the tasks; None for the whole.
    measures, relative : sequence of str
        What is averaged, and of what every two models are compared.
    """

    def __init__(self, by: Breakdown | None, measures: Sequence[str], relative: Sequence[str]) -> None:
        self.by = by
        self._measures = measures
        self.pairs: dict[str, dict[Part, Pairs]] = {measure: {} for measure in relative}
        self._cells: list[Cells] = []
        self._errors: dict[str, list[Errors]] = {measure: [] for measure in relative}

    def add(self, tasks: ScoredTasks) -> None:
        """Take in the tasks of some cycles."""
        division = Division.of(tasks, self.by)
        self._cells.append(Cells.of(division, self._measures))
        for measure, by_part in self.pairs.items():
            values = division.tasks.measures[measure]
            for part, span in division.by_part().items():
                found = pair_totals(values[span])
                by_part[part] = by_part[part] + found if part in by_part else found

    @property
    def has_tasks(self) -> bool:
        """Whether there were any."""
        return bool(self._cells)

    def cells(self) -> Cells:
        """The sums of all blocks so far."""
        return Cells.joined(self._cells)

    def add_errors(self, tasks: ScoredTasks, weights: Mapping[str, Mapping[Part, TaskErrors]]) -> None:
        """What the same tasks, of the models that are left, add to the error of relative skill.

        Parameters
        ----------
        tasks : ScoredTasks
        weights : mapping of measure and part to TaskErrors
            From the pairs of all blocks.
        """
        division = Division.of(tasks, self.by)
        for measure, of_part in weights.items():
            values = division.tasks.measures[measure]
            errors, present = np.zeros(values.shape), np.zeros(values.shape, dtype=bool)
            for part, span in division.by_part().items():
                errors[span], present[span] = of_part[part].of(values[span])
            found = Errors(division.parts, division.cycles, division.sums(errors), division.sums(present) > 0)
            self._errors[measure].append(found)

    def errors(self, measure: str) -> Errors:
        """Those of all blocks, in the order of :meth:`cells`."""
        return Errors.joined(self._errors[measure])


def _order(parts: npt.NDArray[np.generic], cycles: Times) -> Ints:
    """By part and, within it, by cycle."""
    return np.asarray(np.lexsort((cycles, pd.factorize(parts, sort=True)[0])))
