"""The rows of a breakdown: values with their intervals, reasons and ranks, part by part."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.evaluations.declaration import OVERALL, Column, EvaluationSpec
from pipeline.competition.evaluations.skills import Skills
from pipeline.competition.evaluations.tally import Cells, Errors, Part, Tally
from pipeline.competition.evaluations.tasks import Names
from pipeline.competition.peers import are_virtual
from pipeline.leaderboard import (
    Influence,
    Interval,
    RankBy,
    RankingKey,
    interval,
    rank_contestants,
    rank_intervals,
    ratio_influence,
)
from pipeline.tables import EXCLUDED

COLUMNS = [
    *("evaluation", "by", "part", "model_id", "metric", "value", "n", "n_submitted", "n_tasks"),
    *("se", "ci_low", "ci_high", "ci_method", "reason", "is_ensemble"),
    *("rank", "rank_with_ensembles", "rank_lo", "rank_hi", "tie_group"),
]
_RANKS = ("rank", "rank_with_ensembles", "rank_lo", "rank_hi", "tie_group")
NO_SCORES = "no_scores"


@dataclass(frozen=True, eq=False)
class _Part:
    """One part of a breakdown, of the models that take part in the set.

    Parameters
    ----------
    spec : EvaluationSpec
    name : Part
    cells : Cells
        Of every part.
    span : slice
        The cells of this one.
    kept : int array
        Places of the models among those of the cells.
    skills : Skills
    errors : mapping of measure to Errors
    is_virtual : bool array, shape (models,)
    """

    spec: EvaluationSpec
    name: Part
    cells: Cells
    span: slice
    kept: Ints
    skills: Skills
    errors: Mapping[str, Errors]
    is_virtual: Bools

    @cached_property
    def submitted(self) -> Floats:
        """How many tasks each model submitted."""
        return np.asarray(self.cells.submitted[self.span][:, self.kept].sum(axis=0))

    @cached_property
    def listed(self) -> Ints:
        """Places, among those kept, of the models that submitted any task here."""
        return np.flatnonzero(self.submitted > 0)

    def column(self, column: Column) -> dict[str, object]:
        """What a column says of the models that are listed."""
        value, n, reason, influence, sure = self._relative(column) if column.is_relative else self._mean(column)
        said: dict[str, object] = {
            "value": value[self.listed],
            "n": n[self.listed],
            "se": sure.se[self.listed],
            "ci_low": sure.low[self.listed],
            "ci_high": sure.high[self.listed],
            "ci_method": sure.method[self.listed],
            "reason": reason[self.listed],
        }
        if column == self.spec.ranked_by:
            return said | self._ranks(column, value, reason, influence)
        return said | dict.fromkeys(_RANKS, np.nan)

    def _mean(self, column: Column) -> tuple[Floats, Floats, Names, Influence, Interval]:
        total = self.cells.total[column.measure][self.span][:, self.kept]
        n = self.cells.n[column.measure][self.span][:, self.kept]
        influence = ratio_influence(total, n)
        reason = np.full(influence.value.shape, None, dtype=object)
        reason[np.isnan(influence.value)] = NO_SCORES
        return influence.value, n.sum(axis=0), reason, influence, interval(influence)

    def _relative(self, column: Column) -> tuple[Floats, Floats, Names, Influence, Interval]:
        found = self.skills.skill(column, self.name)
        errors = self.skills.errors(found.value, self.errors[column.measure], self.span)
        sure = errors.interval(self.skills.place(column))
        return found.value, found.n.astype(np.float64), found.reason, errors.influence(), sure

    def _ranks(self, column: Column, value: Floats, reason: Names, influence: Influence) -> dict[str, object]:
        """Ranks among the models that are listed; the rank intervals are of the real ones."""
        names = self.skills.models[self.listed].tolist()
        direction = self.spec.direction(column)
        key = RankingKey(column.name, direction)
        found = rank_contestants(
            names,
            {column.name: value[self.listed]},
            RankBy(key),
            virtual=self.is_virtual[self.listed],
            undefined={column.name: reason[self.listed]},
        )
        here = Influence(value[self.listed], influence.psi[:, self.listed], influence.present[:, self.listed])
        between = rank_intervals(value[self.listed], [here], direction, ranked=found.rank > 0)
        ranks = (found.rank, found.rank_with_ensembles, between.rank_lo, between.rank_hi, between.tie_group)
        return {name: np.where(rank > 0, rank, np.nan) for name, rank in zip(_RANKS, ranks, strict=True)}

    def rows(self) -> list[dict[str, object]]:
        """Columns of the rows of this part, one mapping for each column of the set."""
        tasks = float(self.cells.tasks[self.span].sum())
        shared = {
            "part": part_text(self.name),
            "model_id": self.skills.models[self.listed],
            "n_submitted": self.submitted[self.listed],
            "n_tasks": tasks,
            "is_ensemble": self.is_virtual[self.listed],
        }
        return [shared | {"metric": column.name} | self.column(column) for column in self.spec.columns]


def part_rows(spec: EvaluationSpec, tally: Tally, skills: Skills, kept: Ints, is_virtual: Bools) -> pd.DataFrame:
    """The rows of one breakdown of a set."""
    cells = tally.cells()
    errors = {measure: tally.errors(measure) for measure in tally.pairs}
    rows = [
        said
        for name, span in zip(cells.named, cells.spans(), strict=True)
        for said in _Part(spec, name, cells, span, kept, skills, errors, is_virtual).rows()
    ]
    sizes = [len(said["model_id"]) for said in rows]  # type: ignore[arg-type]
    found = {
        column: np.concatenate(
            [
                np.broadcast_to(np.asarray(said[column], dtype=dtype), size)
                for said, size in zip(rows, sizes, strict=True)
            ]
        )
        for column, dtype in _TYPES.items()
    }
    return pd.DataFrame({"evaluation": spec.name, "by": tally.by or OVERALL, **found})


_TYPES = {
    **dict.fromkeys(("part", "model_id", "metric", "ci_method", "reason"), object),
    **dict.fromkeys(("value", "se", "ci_low", "ci_high", *_RANKS), np.float64),
    **dict.fromkeys(("n", "n_submitted", "n_tasks"), np.int64),
    "is_ensemble": np.bool_,
}


def rows_of_excluded(spec: EvaluationSpec, models: Names, submitted: Floats, n_tasks: float) -> pd.DataFrame:
    """Rows of models that submitted too little: no values, and in ``reason`` why."""
    columns = [column.name for column in spec.columns]
    reasons = [excluded_because(count, n_tasks, spec.min_submitted) for count in submitted.tolist()]
    index = pd.MultiIndex.from_product([range(len(models)), columns])
    place = index.get_level_values(0).to_numpy()
    return pd.DataFrame(
        {
            "evaluation": spec.name,
            "by": OVERALL,
            "part": OVERALL,
            "model_id": models[place],
            "metric": index.get_level_values(1).to_numpy(dtype=object),
            "n": 0,
            "n_submitted": submitted[place].astype(np.int64),
            "n_tasks": int(n_tasks),
            "ci_method": EXCLUDED,
            "reason": np.array(reasons, dtype=object)[place],
            "is_ensemble": are_virtual(models)[place],
        }
    ).reindex(columns=COLUMNS)


def excluded_because(submitted: float, n_tasks: float, needed: float) -> str:
    """Such as ``submitted 61 % of 1,404 tasks; 75 % needed``; the share is rounded down, so it never seems enough."""
    share = math.floor(1000 * submitted / n_tasks) / 10
    return f"submitted {share:g} % of {n_tasks:,.0f} tasks; {100 * needed:g} % needed"


def part_text(part: Part) -> str:
    """A part as tables name it: times as dates where they are at midnight."""
    if isinstance(part, np.datetime64):
        moment = pd.Timestamp(part)
        return moment.date().isoformat() if moment == moment.normalize() else moment.isoformat()
    return str(part)
