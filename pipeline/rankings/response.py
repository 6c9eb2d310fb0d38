"""Item response: one curve per benchmark and one ability per model, fitted to shares of solved items, with errors.

The estimation alone, on a scale of its own: who may be compared with whom, and the scale that readers see, are in
``ability``.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, helmert
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPREAD_OF_ABILITIES = 5.0
"""Standard deviation of the prior of abilities and intercepts, in log-odds: 5 are 99.3 %."""
SPREAD_OF_SLOPES = float(np.log(2.0))
"""That of the prior of the logarithms of slopes: half and twice the typical slope are one away."""
MISFIT_OF_PRIOR = 4.0
"""How many figures the misfit of all benchmarks together counts as in that of each, and the typical one in theirs."""
TYPICAL_MISFIT = 0.05
"""Of a share: what is taken for the misfit where hardly any figure is left to tell."""
LEAST_MISFIT = 0.01
"""Of a share: no benchmark is taken for more exact than one percentage point."""

_FIRST_MISFIT = 0.1
_CLIP, _LEAST_GAIN = 0.02, 1e-6
_ABILITIES = np.linspace(-15.0, 15.0, 61)
_ROUNDS, _STEPS = 100, 8
_TOLERANCE, _TOLERANCE_OF_MISFIT = 1e-12, 1e-4
_FIRST_DAMPING, _MOST_DAMPED = 1e-9, 1e12


@dataclass(frozen=True, eq=False)
class Shares:
    """Observed shares of solved items; all arrays of shape (observations,), at most one of a model and benchmark.

    Parameters
    ----------
    model, benchmark : int array
        Places from 0, each of them occurring.
    share : float array
        0 to 1.
    sampling : float array
        Variance of the share by the choice of its items; 0 where their number is unknown.
    """

    model: Ints
    benchmark: Ints
    share: Floats
    sampling: Floats

    @cached_property
    def n_models(self) -> int:
        """How many there are."""
        return int(self.model.max()) + 1

    @cached_property
    def n_benchmarks(self) -> int:
        """How many there are."""
        return int(self.benchmark.max()) + 1

    def of_models(self, values: Floats) -> Floats:
        """Sums over the observations of each model."""
        return np.asarray(np.bincount(self.model, values, self.n_models), dtype=np.float64)

    def of_benchmarks(self, values: Floats) -> Floats:
        """Sums over the observations of each benchmark."""
        return np.asarray(np.bincount(self.benchmark, values, self.n_benchmarks), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Curves:
    """The expected share of model m on benchmark b: expit(exp(log_slope_b) ability_m - intercept_b).

    Parameters
    ----------
    ability : float array, shape (models,)
    log_slope, intercept : float array, shape (benchmarks,)
        The logarithms of slopes sum to 0.
    """

    ability: Floats
    log_slope: Floats
    intercept: Floats

    @property
    def slope(self) -> Floats:
        """Above 0, of geometric mean 1."""
        return np.exp(self.log_slope)

    def expected(self, shares: Shares) -> Floats:
        """The expected share of each observation."""
        at = shares.benchmark
        return np.asarray(expit(self.slope[at] * self.ability[shares.model] - self.intercept[at]))

    def moved(self, ability: Floats, log_slope: Floats, intercept: Floats) -> "Curves":
        """These, changed by so much."""
        return Curves(self.ability + ability, self.log_slope + log_slope, self.intercept + intercept)


@dataclass(frozen=True, eq=False)
class Response:
    """Curves that fit best, and how sure they are.

    Parameters
    ----------
    curves : Curves
    misfit : float array, shape (benchmarks,)
        Standard deviation of shares about their curve, beyond that by the choice of items.
    own_variance : float array, shape (models,)
        Of abilities, if the curves were known.
    covariance : float array, shape (2 benchmarks, 2 benchmarks)
        Of the logarithms of slopes and the intercepts, in this order.
    moved : float array, shape (models, 2 benchmarks)
        How much abilities change with each of these; so that their covariance is ``own_variance`` on the diagonal plus
        ``moved @ covariance @ moved.T``, and that with the parameters of curves ``moved @ covariance``.
    is_converged : bool
        Whether another round of estimation would have changed nothing that matters.
    """

    curves: Curves
    misfit: Floats
    own_variance: Floats
    covariance: Floats
    moved: Floats
    is_converged: bool


def fit_response(shares: Shares) -> Response:
    """Fit the curves by penalised weighted least squares, and the misfit of benchmarks to what they leave.

    Minimises the sum over observations of (share - expected)^2 / (sampling + misfit_b^2), and over parameters of the
    squares of abilities and intercepts / 5^2 and of the logarithms of slopes / ln(2)^2: the mode under normal priors.
    The misfit is estimated in turns with the curves: the squares of residuals of a benchmark less what sampling
    explains, divided by the number of its observations less the parameters that they paid for (leverages), shrunk
    towards that of all benchmarks as if 4 more observations had had it, and this in the same way towards 5 points.

    Given the curves of benchmarks, models are independent, so that each step solves for the benchmarks alone (the Schur
    complement) and costs models x benchmarks^2. Covariances are the inverse of the Gauss-Newton matrix, of all
    parameters at once.

    Parameters
    ----------
    shares : Shares
        Of at least one model.

    References
    ----------
    Birnbaum (1968), "Some latent trait models and their use in inferring an examinee's ability", in Lord & Novick,
    *Statistical Theories of Mental Test Scores*: the two-parameter logistic model.
    Marquardt (1963), "An Algorithm for Least-Squares Estimation of Nonlinear Parameters", SIAM 11(2).
    """
    # The matrices are small: threads of BLAS wait for each other for longer than they compute.
    with threadpool_limits(1, user_api="blas"):
        return _fit_in_turns(shares)


def _fit_in_turns(shares: Shares) -> Response:
    curves = _first_curves(shares)
    variance = np.full(shares.n_benchmarks, _FIRST_MISFIT**2)
    for _ in range(_ROUNDS):
        weight = 1 / (shares.sampling + variance[shares.benchmark])
        curves = _least_squares(shares, _at_best_abilities(shares, curves, weight), weight)
        equations = _equations(shares, curves, weight)
        before, variance = variance, _misfit_variance(shares, curves, equations, weight)
        is_converged = bool(np.abs(np.log(variance / before)).max() < _TOLERANCE_OF_MISFIT)
        if is_converged:
            break
    return Response(
        curves, np.sqrt(variance), 1 / equations.of_models, equations.covariance, equations.moved, is_converged
    )


def _first_curves(shares: Shares) -> Curves:
    """Of slope 1, by means of log-odds."""
    odds = logit(np.clip(shares.share, _CLIP, 1 - _CLIP))
    ones = np.ones(len(odds))
    intercept = -shares.of_benchmarks(odds) / shares.of_benchmarks(ones)
    ability = shares.of_models(odds + intercept[shares.benchmark]) / shares.of_models(ones)
    return Curves(ability, np.zeros(shares.n_benchmarks), intercept)


def _at_best_abilities(shares: Shares, curves: Curves, weight: Floats) -> Curves:
    """The curves with each model where its own part of the objective is least, if that is away from where it was.

    Figures that contradict each other have several minima, and steps find the nearest.
    """
    slope, intercept = curves.slope[shares.benchmark], curves.intercept[shares.benchmark]

    def of_each(ability: Floats) -> Floats:
        residual = shares.share - expit(slope * ability[shares.model] - intercept)
        return shares.of_models(weight * residual**2) + (ability / SPREAD_OF_ABILITIES) ** 2

    best, least = curves.ability, of_each(curves.ability) * (1 - _LEAST_GAIN)
    for place in _ABILITIES:
        there = np.full(shares.n_models, place)
        now = of_each(there)
        best, least = np.where(now < least, there, best), np.minimum(now, least)
    return Curves(best, curves.log_slope, curves.intercept)


def _least_squares(shares: Shares, curves: Curves, weight: Floats) -> Curves:
    """The curves of the least penalised sum of squares under these weights, by damped Gauss-Newton steps."""
    least, damping = _objective(shares, curves, weight), _FIRST_DAMPING
    for _ in range(_STEPS):
        equations = _equations(shares, curves, weight)
        trial = curves.moved(*equations.step(damping))
        while not (now := _objective(shares, trial, weight)) <= least and damping < _MOST_DAMPED:
            damping *= 100
            trial = curves.moved(*equations.step(damping))
        if not now <= least:
            break
        gained, least, curves, damping = least - now, now, trial, damping / 100
        if gained <= _TOLERANCE * least:
            break
    return curves


def _objective(shares: Shares, curves: Curves, weight: Floats) -> float:
    # A step that is far too long overflows, and is then tried shorter.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = weight @ (shares.share - curves.expected(shares)) ** 2
    penalty = np.sum(curves.ability**2) + np.sum(curves.intercept**2)
    return float(squares + penalty / SPREAD_OF_ABILITIES**2 + np.sum(curves.log_slope**2) / SPREAD_OF_SLOPES**2)


@dataclass(frozen=True, eq=False)
class _Equations:
    """The normal equations of a Gauss-Newton step, with those of the models eliminated on use.

    Parameters
    ----------
    of_models : float array, shape (models,)
        Their part of the matrix, which is diagonal.
    across : float array, shape (models, 2 benchmarks)
        The part between models and benchmarks: the logarithms of slopes, then intercepts.
    of_benchmarks : float array, shape (2 benchmarks, 2 benchmarks)
    gradient_of_models, gradient_of_benchmarks : float array
        Half of the descent of the objective.
    """

    of_models: Floats
    across: Floats
    of_benchmarks: Floats
    gradient_of_models: Floats
    gradient_of_benchmarks: Floats

    @property
    def _free(self) -> Floats:
        return _free(len(self.of_benchmarks) // 2)

    def _eliminated(self, of_models: Floats, of_benchmarks: Floats) -> tuple[Floats, bool]:
        """The Cholesky factor of the Schur complement of the models, over the free directions."""
        complement = of_benchmarks - self.across.T @ (self.across / of_models[:, None])
        factor: tuple[Floats, bool] = cho_factor(self._free.T @ complement @ self._free)
        return factor

    def step(self, damping: float) -> tuple[Floats, Floats, Floats]:
        """Changes of abilities, logarithms of slopes and intercepts."""
        of_models = self.of_models * (1 + damping)
        of_benchmarks = self.of_benchmarks + damping * np.diag(np.diag(self.of_benchmarks))
        factor = self._eliminated(of_models, of_benchmarks)
        left = self.gradient_of_benchmarks - self.across.T @ (self.gradient_of_models / of_models)
        benchmarks = self._free @ cho_solve(factor, self._free.T @ left)
        models = (self.gradient_of_models - self.across @ benchmarks) / of_models
        log_slopes, intercepts = np.split(benchmarks, 2)
        return models, log_slopes, intercepts

    @cached_property
    def covariance(self) -> Floats:
        """That of the parameters of benchmarks: their part of the inverse matrix."""
        factor = self._eliminated(self.of_models, self.of_benchmarks)
        return np.asarray(self._free @ cho_solve(factor, self._free.T))

    @property
    def moved(self) -> Floats:
        """How much abilities change with the parameters of benchmarks."""
        return -self.across / self.of_models[:, None]


@cache
def _free(n: int) -> Floats:
    """The directions in which the parameters of n benchmarks may move, as columns: slopes keep their product."""
    free = np.zeros((2 * n, 2 * n - 1))
    free[:n, : n - 1] = helmert(n).T if n > 1 else 0.0
    free[n:, n - 1 :] = np.eye(n)
    return free


@dataclass(frozen=True, eq=False)
class _Slopes:
    """How the expected share of each observation changes with the three parameters that it depends on."""

    ability: Floats
    log_slope: Floats
    intercept: Floats


def _slopes(shares: Shares, curves: Curves, expected: Floats) -> _Slopes:
    spread = expected * (1 - expected)
    by_ability = spread * curves.slope[shares.benchmark]
    return _Slopes(by_ability, by_ability * curves.ability[shares.model], -spread)


def _equations(shares: Shares, curves: Curves, weight: Floats) -> _Equations:
    expected = curves.expected(shares)
    slopes = _slopes(shares, curves, expected)
    n = shares.n_benchmarks
    across = np.zeros((shares.n_models, 2 * n))
    across[shares.model, shares.benchmark] = weight * slopes.ability * slopes.log_slope
    across[shares.model, n + shares.benchmark] = weight * slopes.ability * slopes.intercept
    between = np.diag(shares.of_benchmarks(weight * slopes.log_slope * slopes.intercept))
    of_slopes = np.diag(shares.of_benchmarks(weight * slopes.log_slope**2) + SPREAD_OF_SLOPES**-2)
    of_intercepts = np.diag(shares.of_benchmarks(weight * slopes.intercept**2) + SPREAD_OF_ABILITIES**-2)
    left = weight * (shares.share - expected)
    return _Equations(
        shares.of_models(weight * slopes.ability**2) + SPREAD_OF_ABILITIES**-2,
        across,
        np.block([[of_slopes, between], [between, of_intercepts]]),
        shares.of_models(left * slopes.ability) - curves.ability / SPREAD_OF_ABILITIES**2,
        np.concatenate(
            [
                shares.of_benchmarks(left * slopes.log_slope) - curves.log_slope / SPREAD_OF_SLOPES**2,
                shares.of_benchmarks(left * slopes.intercept) - curves.intercept / SPREAD_OF_ABILITIES**2,
            ]
        ),
    )


def _misfit_variance(shares: Shares, curves: Curves, equations: _Equations, weight: Floats) -> Floats:
    expected = curves.expected(shares)
    free = 1 - np.minimum(_leverage(shares, _slopes(shares, curves, expected), equations, weight), 1.0)
    excess = (shares.share - expected) ** 2 - free * shares.sampling
    pooled = (MISFIT_OF_PRIOR * TYPICAL_MISFIT**2 + excess.sum()) / (MISFIT_OF_PRIOR + free.sum())
    own = (MISFIT_OF_PRIOR * max(pooled, LEAST_MISFIT**2) + shares.of_benchmarks(excess)) / (
        MISFIT_OF_PRIOR + shares.of_benchmarks(free)
    )
    return np.asarray(np.maximum(own, LEAST_MISFIT**2))


def _leverage(shares: Shares, slopes: _Slopes, equations: _Equations, weight: Floats) -> Floats:
    """How much each observation is fitted by itself, 0 to 1; all sum to the number of parameters they determine."""
    of_benchmarks, moved = equations.covariance, equations.moved
    shared = moved @ of_benchmarks
    n, at, model = shares.n_benchmarks, shares.benchmark, shares.model
    own = np.diag(of_benchmarks)
    variance = slopes.ability**2 * (1 / equations.of_models + np.sum(shared * moved, axis=1))[model]
    variance += slopes.log_slope**2 * own[at] + slopes.intercept**2 * own[n + at]
    variance += 2 * slopes.log_slope * slopes.intercept * of_benchmarks[at, n + at]
    between = slopes.log_slope * shared[model, at] + slopes.intercept * shared[model, n + at]
    return np.asarray(weight * (variance + 2 * slopes.ability * between))
