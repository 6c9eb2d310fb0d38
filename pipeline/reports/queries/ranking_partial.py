"""A published ranking with its weighted scores made anew: of the parts that are there, or where all parts are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.rankings.composite import Combined
from pipeline.rankings.declaration import SCORES, Rankings
from pipeline.rankings.stages.scores import composites_of, why_undefined
from pipeline.reports.queries.rankings import Note, RankedModel, Ranking
from pipeline.warehouse import Memory

COMPOSITES = tuple(name for name in SCORES if name != "ability")
"""The weighted scores."""


@dataclass(frozen=True)
class MissingParts:
    """What becomes of models that lack parts of weighted scores; as a ranking declares where None.

    Parameters
    ----------
    renormalise : bool or None
        Whether they get the mean of the others, and are marked as partial.
    min_coverage : float or None
        The least share of weights that such a mean may rest on.
    """

    renormalise: bool | None = None
    min_coverage: float | None = None

    def of(self, declared: Rankings) -> Rankings:
        """A declaration with this in it."""
        given = {"renormalise": self.renormalise, "min_coverage": self.min_coverage}
        # A copy of a model has the values that were worked out for it, too.
        changed = declared.model_dump() | {name: value for name, value in given.items() if value is not None}
        return Rankings.model_validate(changed)


def scored_by(of: Ranking, memory: Memory, missing: MissingParts) -> Ranking:
    """A ranking with its weighted scores as a reader wants parts that are missing to count; its ranks stay."""
    declared, wanted = of.declared, missing.of(of.declared)
    is_limited_alike = not wanted.renormalise or wanted.min_coverage == declared.min_coverage
    if wanted.renormalise == declared.renormalise and is_limited_alike:
        return of
    key = "scored by", of.name, wanted.renormalise, wanted.min_coverage
    return memory.of(key, lambda: _scored(of, wanted))


def _scored(of: Ranking, wanted: Rankings) -> Ranking:
    made = composites_of(partial(_column, of), wanted)
    scores: dict[str, Combined] = {name: getattr(made, name) for name in COMPOSITES}
    reasons = {name: why_undefined(one, wanted) for name, one in scores.items()}
    rows = tuple(_row(row, at, scores, wanted.rank_by) for at, row in enumerate(of.rows))
    notes = {
        row.model: {**of.notes.get(row.model, {}), **{name: _note(scores[name], reasons[name], at) for name in scores}}
        for at, row in enumerate(of.rows)
    }
    return replace(of, declared=wanted, rows=rows, notes=notes)


def _column(of: Ranking, figure: str) -> npt.NDArray[np.float64]:
    return np.array([of.values.get(row.model, {}).get(figure, np.nan) for row in of.rows], dtype=np.float64)


def _row(row: RankedModel, at: int, scores: Mapping[str, Combined], rank_by: str) -> RankedModel:
    values = {name: float(one.value[at]) for name, one in scores.items()}
    changed: dict[str, Any] = {name: None if np.isnan(value) else value for name, value in values.items()}
    if rank_by in scores:
        ranks = scores[rank_by]
        changed |= {"coverage": float(ranks.coverage[at]), "is_partial": bool(ranks.is_partial[at])}
    return replace(row, **changed)


def _note(one: Combined, reasons: list[str | None], at: int) -> Note:
    missing = ", ".join(one.missing[at])
    return Note(float(one.coverage[at]), bool(one.is_partial[at]), missing or None, reasons[at])
