"""Models of a ranking by the weights of whoever asks, with the function that declared scores are made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from pipeline.rankings.benchmarks import Unit
from pipeline.rankings.composite import combine
from pipeline.reports.queries.rankings import RankedModel, Ranking
from pipeline.reports.wrong import WrongInputError

SCORE_PARTS = ("coding", "performance", "value")
"""Scores from 0 to 100 that weights can be of, besides measures in percent and indices."""
_FROM_0_TO_100 = frozenset({Unit.PERCENT, Unit.INDEX})
_LEAST, _MOST = 1e-6, 1e6
"""Of a weight: beyond these sums of weights lose digits."""
_EXAMPLE = "coding:0.5,performance:0.3,value:0.2"


@dataclass(frozen=True)
class Weighed:
    """A model with the weighted mean of its parts; ``rank`` is among those that have one, ties share it.

    Parameters
    ----------
    row : RankedModel
    position, rank : int
    score, coverage : float
        0 to 100; the share of the weights whose parts are there, 0 to 1.
    is_partial : bool
        Whether weights were made to sum to 1 over the parts that are there, here or in a part.
    missing, partial_parts : tuple of str
        Parts that it lacks, and parts that lack parts themselves.
    parts : mapping of str to float or None
        What the score is made of.
    """

    row: RankedModel
    position: int
    rank: int
    score: float
    coverage: float
    is_partial: bool
    missing: tuple[str, ...]
    partial_parts: tuple[str, ...]
    parts: Mapping[str, float | None]


def parse_weights(texts: Sequence[str]) -> dict[str, float]:
    """Weights out of ``name:weight``, repeated or with commas.

    Raises
    ------
    WrongInputError
        If one is not that, is too small or too large, or is given twice.
    """
    weights: dict[str, float] = {}
    for text in (one.strip() for given in texts for one in given.split(",")):
        if not text:
            continue
        name, _, written = text.rpartition(":")
        weight = _number(written)
        if not name or weight is None:
            raise WrongInputError(
                f"weight {text!r} is not name:weight with a weight from {_LEAST:f} to {_MOST:,.0f}, such as {_EXAMPLE}"
            )
        if name in weights:
            raise WrongInputError(f"{name!r} has two weights, {weights[name]:g} and {weight:g}; give one")
        weights[name] = weight
    return weights


def top_models(
    of: Ranking,
    rows: Sequence[RankedModel],
    weights: Mapping[str, float],
    *,
    renormalise: bool = False,
    min_coverage: float = 0.5,
) -> list[Weighed]:
    """Models by the weighted mean of their parts, the best first; those without one are left out.

    Parameters
    ----------
    of : Ranking
    rows : sequence of RankedModel
        Those that are compared.
    weights : mapping of str to float
        Of coding, performance, value, or of any ``benchmark.measure`` from 0 to 100; one at least.
    renormalise : bool
        Whether a model that lacks parts gets the mean of the others, and is marked as partial.
    min_coverage : float
        The least share of the weights that such a mean may rest on.

    Raises
    ------
    WrongInputError
        If one is of nothing that is from 0 to 100.
    """
    _check(of, weights)
    columns = {name: [_part(of, row, name) for row in rows] for name in weights}
    arrays = {name: np.array([np.nan if one is None else one for one in has]) for name, has in columns.items()}
    found = combine(arrays, weights, renormalise=renormalise, min_coverage=min_coverage)
    order = [at for at in np.argsort(-found.value, kind="stable").tolist() if not np.isnan(found.value[at])]
    listed: list[Weighed] = []
    for position, at in enumerate(order, start=1):
        score = float(found.value[at])
        is_tied = bool(listed) and listed[-1].score == score
        partial_parts = tuple(name for name in of.partial_scores(rows[at]) if name in weights)
        listed.append(
            Weighed(
                rows[at],
                position,
                listed[-1].rank if is_tied else position,
                score,
                float(found.coverage[at]),
                bool(found.is_partial[at]) or bool(partial_parts),
                found.missing[at],
                partial_parts,
                {name: column[at] for name, column in columns.items()},
            )
        )
    return listed


def weighable(of: Ranking) -> list[str]:
    """What weights can be of."""
    measured = [one.name for one in of.benchmarks.values() if one.unit in _FROM_0_TO_100 and one.direction == "desc"]
    return [*SCORE_PARTS, *measured]


def _check(of: Ranking, weights: Mapping[str, float]) -> None:
    known = weighable(of)
    for name in weights:
        if name in known:
            continue
        unit = of.benchmarks[name].unit if name in of.benchmarks else None
        what = "no part of a score here" if unit is None else f"in {unit}, and parts are from 0 to 100, more better"
        raise WrongInputError(f"{name!r} is {what}; known: {', '.join(known)}")


def _part(of: Ranking, row: RankedModel, name: str) -> float | None:
    if name in SCORE_PARTS:
        value: float | None = getattr(row, name)
        return value
    return of.values.get(row.model, {}).get(name)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and _LEAST <= number <= _MOST else None
