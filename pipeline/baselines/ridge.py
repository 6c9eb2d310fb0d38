"""The reference model that learns: a ridge regression on the factors, fitted anew at every cycle on the past alone."""

import numpy as np

from pipeline.baselines.factors import factor_values
from pipeline.baselines.prices import Floats, Positions, PriceHistory, mean_of_present

MIN_CYCLES = 52
"""Past cycles with a known outcome that the model needs before it predicts: one year."""

PENALTY = 1000.0
"""Added to the sum of squares of each factor: as much as 50 weeks of 20 stocks. A round number, never tuned."""


def ridge_on_factors(history: PriceHistory, positions: Positions) -> Floats:
    """Walk-forward ridge regression of the next week's relative return on the four factors, each standardised by cycle.

    The fit of a cycle takes every earlier cycle whose outcome is known by then, and needs 52 of them. X'X and X'y are
    sums over cycles, so the fits of all cycles cost one pass.

    References
    ----------
    Hoerl & Kennard (1970), "Ridge Regression: Biased Estimation for Nonorthogonal Problems", Technometrics 12(1),
    55-67; Haugen & Baker (1996), "Commonality in the Determinants of Expected Stock Returns", Journal of Financial
    Economics 41(3), 401-439.
    """
    signals = np.full((len(positions), len(history.tickers)), np.nan)
    coefficients = _coefficients(history, positions)
    fitted = ~np.isnan(coefficients).any(axis=1)
    exposures = standardise(factor_values(history, positions[fitted]))
    signals[fitted] = (exposures * coefficients[fitted, None, :]).sum(axis=-1)
    return signals


def standardise(values: Floats) -> Floats:
    """Factors in standard deviations (ddof 0) from their mean over the stocks of the cycle.

    Parameters
    ----------
    values : array of float, shape (cycles, subjects, factors)
        Factors, NaN where absent. A stock that lacks one factor is left out.

    Returns
    -------
    array of float, shape (cycles, subjects, factors)
        NaN for a stock that is left out, and for a cycle in which a factor is the same for all.
    """
    complete = ~np.isnan(values).any(axis=-1, keepdims=True)
    centred = np.where(complete, values, np.nan)
    centred = centred - mean_of_present(centred, axis=1)[:, None, :]
    deviation = np.sqrt(mean_of_present(centred**2, axis=1))[:, None, :]
    usable = complete & (deviation > 0).all(axis=-1, keepdims=True)
    standardised: Floats = np.divide(centred, deviation, out=np.full(values.shape, np.nan), where=usable)
    return standardised


def _coefficients(history: PriceHistory, positions: Positions) -> Floats:
    """Coefficients known at each row, shape (cycles, factors); NaN with fewer than ``MIN_CYCLES`` known outcomes."""
    known_at = history.cycle_positions[1:]
    n_known = np.searchsorted(known_at, positions, side="right")
    past = int(n_known.max(initial=0))
    exposures = standardise(factor_values(history, history.cycle_positions[:past]))
    outcomes = history.outcomes[:past]
    used = ~np.isnan(exposures).any(axis=-1) & ~np.isnan(outcomes)
    X = np.where(used[..., None], exposures, 0.0)
    relative = outcomes - mean_of_present(np.where(used, outcomes, np.nan), axis=1)[:, None]
    y = np.where(used, relative, 0.0)

    gram = np.cumsum(np.einsum("csf,csg->cfg", X, X), axis=0)
    moment = np.cumsum(np.einsum("csf,cs->cf", X, y), axis=0)
    n_used = np.concatenate([[0], np.cumsum(used.any(axis=1))])

    coefficients = np.full((len(positions), X.shape[-1]), np.nan)
    ready = n_used[n_known] >= MIN_CYCLES
    last = n_known[ready] - 1
    penalty = PENALTY * np.eye(X.shape[-1])
    coefficients[ready] = np.linalg.solve(gram[last] + penalty, moment[last][..., None])[..., 0]
    return coefficients
