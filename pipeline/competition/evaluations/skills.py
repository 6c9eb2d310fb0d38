"""Relative skill in every part of a breakdown, and what tasks add to its error."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Floats, Ints
from pipeline.competition.evaluations.declaration import Column, EvaluationSpec, Kind
from pipeline.competition.evaluations.tally import Errors, Part
from pipeline.competition.evaluations.tasks import Names
from pipeline.competition.peers import are_virtual
from pipeline.leaderboard import Pairs, RelativeSkill, SkillErrors, TaskErrors, relative_skill

NO_BASELINE = "no_baseline"


@dataclass(frozen=True, eq=False)
class Skills:
    """Every two models that take part, by measure and part.

    Parameters
    ----------
    models : object array of str
        Those who take part; arrays are in their order.
    baseline : str or None
        The name of the baseline where it is among them.
    pairs : mapping of measure and part to Pairs
    weights : mapping of measure and part to TaskErrors
    """

    models: Names
    baseline: str | None
    pairs: Mapping[str, Mapping[Part, Pairs]]
    weights: Mapping[str, Mapping[Part, TaskErrors]]

    @classmethod
    def of(cls, pairs: Mapping[str, Mapping[Part, Pairs]], kept: Ints, models: Names, spec: EvaluationSpec) -> "Skills":
        """From the pairs of all models; ``kept`` are the places of those who take part."""
        is_virtual = are_virtual(models)
        field = ~is_virtual if is_virtual.any() else None
        among = {
            measure: {part: found.among(kept, field) for part, found in by_part.items()}
            for measure, by_part in pairs.items()
        }
        weights = {
            measure: {part: TaskErrors(found) for part, found in by_part.items()} for measure, by_part in among.items()
        }
        return cls(models, spec.baseline if spec.baseline in set(models) else None, among, weights)

    def skill(self, column: Column, part: Part) -> RelativeSkill:
        """Relative skill in a part."""
        pairs = self.pairs[column.measure][part]
        if column.kind is Kind.RELATIVE:
            return relative_skill(pairs, self.models.tolist())
        if self.baseline is None:
            n = len(self.models)
            return RelativeSkill(
                np.full(n, np.nan), np.full(n, NO_BASELINE, dtype=object), pairs.common.diagonal().copy()
            )
        return relative_skill(pairs, self.models.tolist(), self.baseline)

    def errors(self, value: Floats, errors: Errors, cells: slice) -> SkillErrors:
        """How sure relative skill is in a part, from what its cells add to the error."""
        with np.errstate(divide="ignore"):
            return SkillErrors(np.log(value), errors.errors[cells], errors.present[cells])

    def place(self, column: Column) -> int | None:
        """Where the baseline of a column is, None without one."""
        if column.kind is not Kind.SCALED or self.baseline is None:
            return None
        return list(self.models).index(self.baseline)
