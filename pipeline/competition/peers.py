"""The models that a model is compared with, summed once so that comparing is linear in the number of models.

Apart from the panel so that a virtual model, or one that is compared later, needs the sums only and none of the models.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Bools, Floats, Ints, centred

ENSEMBLE_PREFIX = "__ensemble_"
"""How the names of virtual models begin; they are compared with real ones, and nobody with them."""


def is_virtual(model: str) -> bool:
    """Whether a name is that of a virtual model."""
    return model.startswith(ENSEMBLE_PREFIX)


def are_virtual(models: Iterable[str]) -> Bools:
    """Which names are those of virtual models; shape (models,)."""
    return np.array([is_virtual(model) for model in models], dtype=bool)


@dataclass(frozen=True)
class Peers:
    """Sums over the models that others are compared with.

    Parameters
    ----------
    ranks : array, shape (sections, subjects)
        Sum of their unit ranks, 0 where absent.
    presence : array, shape (sections, subjects)
        Sum of 1 / sqrt(n) over those that have the subject, n the number of subjects that each has.
    members : array of bool, shape (sections, models)
        Which models of the panel are in the sums, and so are not compared with themselves.
    """

    ranks: Floats
    presence: Floats
    members: Bools

    @classmethod
    def of(cls, units: Floats, members: Bools) -> "Peers":
        """The sums over those models of a panel that are members.

        Parameters
        ----------
        units : array, shape (sections, models, subjects)
            Unit ranks (``Panel.unit_ranks``), NaN where absent. A model without any, such as a constant one, is
            nobody's peer.
        members : array of bool, shape (sections, models)
        """
        present = ~np.isnan(units) & members[:, :, None]
        n = np.maximum(present.sum(axis=2, keepdims=True), 1)
        ranks = np.where(present, units, 0.0).sum(axis=1)
        return cls(ranks, np.where(present, 1 / np.sqrt(n), 0.0).sum(axis=1), members & present.any(axis=2))

    def for_others(self, models: int) -> "Peers":
        """The same peers for a panel of ``models`` other models, none of them a peer itself: virtual ones."""
        return Peers(self.ranks, self.presence, np.zeros((len(self.ranks), models), dtype=bool))

    def part(self, sections: slice | Ints) -> "Peers":
        """Those of some cross-sections."""
        return Peers(self.ranks[sections], self.presence[sections], self.members[sections])

    def fit(self, shape: tuple[int, int, int]) -> None:
        """Refuse peers of another shape than a panel's (sections, models, subjects).

        Raises
        ------
        ValueError
            If they have other sections, models or subjects.
        """
        have = (*self.members.shape, self.ranks.shape[-1])
        if have != shape or self.ranks.shape != self.presence.shape or len(self.ranks) != shape[0]:
            raise ValueError(f"panel: peers are of shape {have}, expected {shape} (sections, models, subjects)")


def unit_ranks(ranks: Floats) -> Floats:
    """Ranks minus their mean, of length 1 along the last axis; NaN where absent and where all are equal."""
    deviations = centred(ranks)
    length = np.sqrt((deviations**2).sum(axis=-1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isnan(ranks), np.nan, deviations / length)
