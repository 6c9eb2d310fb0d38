"""Item response: the optimum and its errors are those that other ways of computing them find."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit

from pipeline.rankings.response import LEAST_MISFIT, Curves, Shares, fit_response
from pipeline_tests.rankings.simulated import Design

SMALL = Design(models=12, benchmarks=4, figures=3, items=60)


def shares_of(design: Design, seed: int) -> Shares:
    shares = design.simulate(seed).shares / 100
    model, benchmark = np.nonzero(~np.isnan(shares))
    share = shares[model, benchmark]
    return Shares(model, benchmark, share, (share * (1 - share) + 0.01) / design.items)


class Problem:
    """The penalised sum of squares, written out; its parameters are such that logarithms of slopes sum to 0."""

    def __init__(self, shares: Shares, misfit: np.ndarray) -> None:
        self.shares, self.models, self.benchmarks = shares, shares.n_models, len(misfit)
        self.error = np.sqrt(shares.sampling + misfit[shares.benchmark] ** 2)
        self.free = np.zeros((self.models + 2 * self.benchmarks, self.models + 2 * self.benchmarks - 1))
        of_slopes = slice(self.models, self.models + self.benchmarks)
        self.free[: self.models, : self.models] = np.eye(self.models)
        self.free[of_slopes, self.models : self.models + self.benchmarks - 1] = null_space(
            np.ones((1, self.benchmarks))
        )
        self.free[of_slopes.stop :, -self.benchmarks :] = np.eye(self.benchmarks)

    def residuals(self, free: np.ndarray) -> np.ndarray:
        ability, log_slope, intercept = np.split(self.free @ free, [self.models, self.models + self.benchmarks])
        at, of = self.shares.benchmark, self.shares.model
        expected = expit(np.exp(log_slope[at]) * ability[of] - intercept[at])
        own = (self.shares.share - expected) / self.error
        return np.concatenate([own, ability / 5, log_slope / np.log(2), intercept / 5])

    def objective(self, free: np.ndarray) -> float:
        return float(np.sum(self.residuals(free) ** 2))

    def place_of(self, curves: Curves) -> np.ndarray:
        return self.free.T @ np.concatenate([curves.ability, curves.log_slope, curves.intercept])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_optimum_is_that_of_a_general_minimiser(seed: int) -> None:
    shares = shares_of(SMALL, seed)
    found = fit_response(shares)
    problem = Problem(shares, found.misfit)
    best = minimize(problem.objective, np.zeros(problem.free.shape[1]), method="BFGS", options={"gtol": 1e-7})
    assert found.is_converged
    assert problem.objective(problem.place_of(found.curves)) == pytest.approx(best.fun, rel=1e-6)
    np.testing.assert_allclose(problem.place_of(found.curves), best.x, atol=2e-3)


def test_covariances_are_the_inverse_of_the_whole_matrix() -> None:
    shares = shares_of(SMALL, 4)
    found = fit_response(shares)
    problem = Problem(shares, found.misfit)
    jacobian = approx_fprime(problem.place_of(found.curves), problem.residuals, 1e-7)
    whole = problem.free @ np.linalg.inv(jacobian.T @ jacobian) @ problem.free.T
    n = shares.n_models
    within = 1e-3 * np.abs(whole).max()
    of_models = np.diag(found.own_variance) + found.moved @ found.covariance @ found.moved.T
    np.testing.assert_allclose(of_models, whole[:n, :n], atol=within)
    np.testing.assert_allclose(found.covariance, whole[n:, n:], atol=within)
    np.testing.assert_allclose(found.moved @ found.covariance, whole[:n, n:], atol=within)


def test_logarithms_of_slopes_sum_to_nothing() -> None:
    curves = fit_response(shares_of(Design(), 5)).curves
    assert np.sum(curves.log_slope) == pytest.approx(0, abs=1e-9)
    assert np.ptp(curves.log_slope) > 0.5


def test_misfit_is_what_the_choice_of_items_does_not_explain() -> None:
    rng = np.random.default_rng(6)
    model, benchmark = (grid.ravel() for grid in np.indices((300, 6)))
    expected = expit(rng.normal(0, 1, 300)[model] - np.linspace(-1, 1, 6)[benchmark])
    misfit = np.array([0.0, 0.02, 0.04, 0.06, 0.08, 0.10])
    sampling = np.full(len(model), 0.03**2)
    noise = rng.normal(0, np.sqrt(misfit[benchmark] ** 2 + sampling))
    found = fit_response(Shares(model, benchmark, expected + noise, sampling))
    np.testing.assert_allclose(found.misfit[1:], misfit[1:], atol=0.01)
    assert LEAST_MISFIT <= found.misfit[0] < 0.02


def test_of_two_minima_the_deeper_one_is_found() -> None:
    rng = np.random.default_rng(7)
    slope, difficulty = np.array([4.0, 4.0, 4.0, 0.2, 0.5, 0.5]), np.array([1.5, 2.5, 2.5, 0.0, 0.0, 0.5])
    misfit = np.array([0.02, 0.01, 0.01, 0.2, 0.02, 0.02])
    ability = rng.normal(0, 1.5, 200)
    table = expit(slope * (ability[:, None] - difficulty)) + rng.normal(0, misfit, (200, 6))
    # Nothing on two steep benchmarks, little on a vague one, and a bit on the third steep one, which only an able
    # model can have: it starts low, where that curve is flat.
    table[0] = [0.2, 0.0, 0.0, 0.1, np.nan, np.nan]
    model, benchmark = np.nonzero(~np.isnan(table))
    shares = Shares(model, benchmark, np.clip(table[model, benchmark], 0, 1), np.zeros(len(model)))
    found = fit_response(shares)
    problem, curves = Problem(shares, found.misfit), found.curves
    least = problem.objective(problem.place_of(curves))
    for place in np.linspace(-12, 12, 97):
        moved = np.concatenate([[place], curves.ability[1:]])
        assert problem.objective(problem.place_of(replace(curves, ability=moved))) >= least - 1e-6
    assert curves.ability[0] > np.quantile(curves.ability, 0.7)
