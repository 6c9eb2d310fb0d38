"""Series of cycles for simulations: independent, overlapping and autocorrelated noise."""

import numpy as np
import numpy.typing as npt

KINDS = ["independent", "overlapping", "autocorrelated"]


def noise(kind: str, cycles: int, replications: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Series of mean 0, shape (cycles, replications); overlapping ones are sums over a horizon of 4 cycles."""
    shocks = np.random.default_rng([seed, KINDS.index(kind)]).standard_normal((cycles + 60, replications))
    if kind == "independent":
        return shocks[60:]
    if kind == "overlapping":
        return np.asarray(sum(shocks[60 - lag : 60 - lag + cycles] for lag in range(4)) / 2)
    x = np.zeros_like(shocks)
    for t in range(1, len(x)):
        x[t] = 0.5 * x[t - 1] + shocks[t]
    return x[60:]
