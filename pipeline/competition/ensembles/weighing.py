"""The weights of an ensemble's members in one cross-section, and those that it would have without each of them.

Leaving member i out of a separable strategy leaves the other weights as they are, but for two medians that all share:
the floor of the dispersions and the weight of newcomers. A median without one of its values has at most three
different values, so the members fall into a few groups that share the weights of the others, and the cost of all
leave-one-outs together is linear in the members.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.ensembles.strategies import (
    JointStrategy,
    SeparableStrategy,
    Strategy,
    Terms,
    Track,
    floor_of,
)

MOST_JOINT_MEMBERS = 50
"""Up to so many members, leave-one-out of a strategy or combination that is not separable is computed one by one."""

NEWCOMER = "newcomer"
NO_HISTORY = "no_history"
NO_SKILL = "no_skill"


@dataclass(frozen=True)
class Without:
    """Weights that hold when one of ``removed`` is left out, whichever; its own is to be taken away.

    Parameters
    ----------
    removed : array of int
        Places of members.
    weights : array, shape (candidates,)
        Of the members and, where a filter lets the next one in, of that one; those of ``removed`` are what has to
        be taken away again.
    """

    removed: Ints
    weights: Floats


@dataclass(frozen=True)
class Weighing:
    """The weights of one cross-section.

    Parameters
    ----------
    weights : array, shape (candidates,)
        Not normalised, at least 0; 0 for who is no member.
    fallback : object array of str or None, shape (candidates,)
        Why a member's weight is not the strategy's own.
    without : tuple of Without, or None
        One by one what the weights are without each member; None where that is too dear.
    """

    weights: Floats
    fallback: npt.NDArray[np.object_]
    without: tuple[Without, ...] | None


def weigh(strategy: Strategy, track: Track, members: int, terms: Terms, *, leave_out: bool = True) -> Weighing:
    """Weigh the first ``members`` of the candidates; a candidate after them enters when one of them is left out.

    Parameters
    ----------
    strategy : Strategy
    track : Track
        Of the candidates: the members, then at most one more.
    members : int
        How many of the candidates are members; at least 1.
    terms : Terms
    leave_out : bool
        Whether the weights without each member are wanted.
    """
    if isinstance(strategy, SeparableStrategy):
        return _separable(strategy, track, members, terms, leave_out=leave_out)
    if isinstance(strategy, JointStrategy):
        return _joint(strategy, track, members, terms, leave_out=leave_out)
    raise TypeError(f"strategy {strategy.name!r} is neither separable nor joint")


def medians_without(values: Floats) -> Floats:
    """The median of the other values, for each; NaN for a single one; shape as ``values``."""
    n = values.size
    if n < 2:
        return np.full(n, np.nan)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    low, high = (n - 2) // 2, (n - 1) // 2  # the middle of n - 1 values
    place = np.arange(n)
    medians = np.empty(n)
    medians[order] = (ordered[low + (place <= low)] + ordered[high + (place <= high)]) / 2
    return medians


def _separable(strategy: SeparableStrategy, track: Track, members: int, terms: Terms, *, leave_out: bool) -> Weighing:
    shares = _Shares.of(strategy, track, terms)
    weights = np.zeros(len(track.models))
    weights[:members], fallback = shares.of_first(members)
    labels = np.full(len(track.models), None, dtype=object)
    labels[:members] = fallback
    return Weighing(weights, labels, tuple(shares.without(members)) if leave_out else None)


@dataclass(frozen=True)
class _Shares:
    """What the weights of separable candidates follow from; arrays of shape (candidates,)."""

    strategy: SeparableStrategy
    track: Track
    dispersion: Floats
    is_experienced: Bools

    @classmethod
    def of(cls, strategy: SeparableStrategy, track: Track, terms: Terms) -> "_Shares":
        size = len(track.models)
        if strategy.dispersion is None:
            return cls(strategy, track, np.ones(size), np.ones(size, dtype=bool))
        dispersion = strategy.dispersion(track)
        return cls(strategy, track, dispersion, (track.n >= terms.min_history) & np.isfinite(dispersion))

    def of_first(self, members: int) -> tuple[Floats, npt.NDArray[np.object_]]:
        """The weights of the first so many candidates, and why they are not the strategy's own."""
        experienced = np.flatnonzero(self.is_experienced[:members])
        labels = np.full(members, None, dtype=object)
        labels[~self.is_experienced[:members]] = NEWCOMER if experienced.size else NO_HISTORY
        if experienced.size == 0:
            return np.ones(members), labels
        own = self._own(_median(self.dispersion[experienced]))[:members]
        weights = np.where(self.is_experienced[:members], own, np.median(own[experienced]))
        if not weights.sum() > 0:
            return np.ones(members), np.full(members, NO_SKILL, dtype=object)
        return weights, labels

    def without(self, members: int) -> Iterator[Without]:
        """Groups of the first so many candidates that leave the same weights when they are left out."""
        experienced = np.flatnonzero(self.is_experienced)
        removed = np.arange(members)
        medians = np.full(len(self.is_experienced), _median(self.dispersion[experienced]))
        medians[experienced] = medians_without(self.dispersion[experienced])
        for median, group in _groups(medians[removed], removed):
            if np.isnan(median):  # nobody with a history is left
                yield Without(group, np.ones(len(medians)))
                continue
            own = self._own(median)
            newcomers = np.full(len(medians), np.median(own[experienced]))
            newcomers[experienced] = medians_without(own[experienced])
            for weight, alike in _groups(newcomers[group], group):
                yield from _or_equal(Without(alike, np.where(self.is_experienced, own, weight)))

    def _own(self, median: float) -> Floats:
        # Where most records are constant the floor is 0: all are taken to be equally steady.
        least = floor_of(median)
        dispersion = np.maximum(self.dispersion, least) if least > 0 else np.ones(len(self.dispersion))
        with np.errstate(divide="ignore", invalid="ignore"):
            own = self.strategy.own(self.track, np.where(self.is_experienced, dispersion, np.nan))
        return np.where(np.isfinite(own), own, 1.0)


def _or_equal(without: Without) -> Iterator[Without]:
    """The same, but equal weights where taking one away leaves nothing."""
    weights = without.weights
    positive = np.flatnonzero(weights > 0)
    left = np.full(len(without.removed), positive.size) - np.isin(without.removed, positive)
    for is_empty, part in ((False, without.removed[left > 0]), (True, without.removed[left == 0])):
        if part.size:
            yield Without(part, np.ones(len(weights)) if is_empty else weights)


def _groups(values: Floats, places: Ints) -> Iterator[tuple[float, Ints]]:
    """The places of each different value; NaN is one value."""
    different, inverse = np.unique(values, return_inverse=True)
    for at, value in enumerate(different):
        yield float(value), places[inverse == at]


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else np.nan


def _joint(strategy: JointStrategy, track: Track, members: int, terms: Terms, *, leave_out: bool) -> Weighing:
    every = np.arange(len(track.models))
    weights, labels = _of_places(strategy, track, every[:members], terms)
    if not leave_out or members > MOST_JOINT_MEMBERS:
        return Weighing(weights, labels, None)
    without = (
        Without(np.array([place]), _of_places(strategy, track, np.delete(every, place), terms)[0])
        for place in range(members)
    )
    return Weighing(weights, labels, tuple(without))


def _of_places(
    strategy: JointStrategy, track: Track, places: Ints, terms: Terms
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """The weights of some candidates, 0 for the others, and their fallbacks; by as many cycles as so many look at."""
    weights = np.zeros(len(track.models))
    labels = np.full(len(track.models), None, dtype=object)
    if places.size:
        cycles = max(terms.window, strategy.cycles_needed(len(places)))
        found = strategy.weigh(track.of(places).last(cycles), terms)
        weights[places], labels[places] = found.weights, found.fallback
    return weights, labels
