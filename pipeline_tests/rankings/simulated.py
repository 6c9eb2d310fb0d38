"""Shares of simulated models on simulated benchmarks, whose abilities are known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Simulated:
    """Shares in percent, shape (models, benchmarks), and what they were made of."""

    shares: Floats
    ability: Floats
    difficulty: Floats
    slope: Floats


@dataclass(frozen=True)
class Design:
    """How many models and benchmarks, figures of a model on average, items of each, spread of abilities, and errors.

    Errors are ``beta``, whose size depends on the share, or of constant size on the scale of ``log_odds``.
    """

    models: int = 150
    benchmarks: int = 10
    figures: float = 4
    items: int = 164
    spread: float = 1.5
    errors: str = "beta"

    def simulate(self, seed: int) -> Simulated:
        rng = np.random.default_rng(seed)
        ability = rng.normal(0, self.spread, self.models)
        slope = np.exp(rng.normal(0, 0.5, self.benchmarks))
        intercept = slope * rng.normal(0, 1.3, self.benchmarks)
        odds = np.outer(ability, slope) - intercept
        misfit = 0.05 * np.exp(rng.normal(0, 0.4, self.benchmarks))
        if self.errors == "beta":
            share, size = expit(odds), 0.25 / misfit**2 - 1
            true = rng.beta(share * size, (1 - share) * size)
        else:
            true = expit(odds + rng.normal(0, 1, odds.shape) * 5 * misfit)
        shares = 100 * rng.binomial(self.items, true) / self.items
        order = rng.permuted(np.tile(np.arange(self.benchmarks), (self.models, 1)), axis=1)
        shares[order >= 1 + rng.poisson(self.figures - 1, self.models)[:, None]] = np.nan
        # On the scale of Ability: 100 + 10 times the mean log-odds over benchmarks.
        unit, origin = slope.mean(), intercept.mean()
        difficulty = 100 + 10 * (unit * intercept / slope - origin)
        return Simulated(shares, 100 + 10 * (unit * ability - origin), difficulty, slope / (10 * unit))
