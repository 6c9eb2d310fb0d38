"""Latent ability of models, stitched over all benchmarks, with intervals, on the scale that readers see.

The estimation is in ``response``, ranks made of abilities are in ``rank_ranges``.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, stdtrit

from pipeline.rankings.response import Response, Shares, fit_response

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

NO_FIGURES = "no_figures"
NOT_CONNECTED = "not_connected"

ORIGIN, POINTS = 100.0, 10.0
"""Ability at which the log-odds of shares are 0 on average over benchmarks, and points of ability for 1 more."""
DEGREES_OF_FREEDOM = 10.0
"""Of the t distribution of intervals: wider than the normal one by 14 %, for what the model leaves out."""

_FULL = 100.0
_ADDED_SUCCESSES, _ADDED_ITEMS = 2.0, 4.0


@dataclass(frozen=True, eq=False)
class Ability:
    """Abilities of models and the curves of benchmarks; share = expit(slope (ability - difficulty)).

    Parameters
    ----------
    value, se, low, high : float array, shape (models,)
        Ability, its standard error and the ends of its interval; NaN where there is none.
    reason : object array of str or None, shape (models,)
        Why there is none: ``no_figures``, or ``not_connected``: no chain of common benchmarks leads to the models that
        are compared. None where there is one.
    n_benchmarks : int array, shape (models,)
        Figures of each model, used or not.
    difficulty, slope : float array, shape (benchmarks,)
        The ability at which half is expected, and the growth of log-odds there for a point; NaN where not connected.
    misfit : float array, shape (benchmarks,)
        Standard deviation of shares about the curve beyond that by the choice of items, in percentage points; NaN
        where not connected.
    n_models : int array, shape (benchmarks,)
        Figures of each benchmark, used or not.
    own_variance : float array, shape (models,)
        Of the ability, if all curves were known; NaN where there is none.
    moved : float array, shape (models, parameters)
        How much abilities change with the parameters of curves; NaN where there is none.
    of_curves : float array, shape (parameters, parameters)
        Covariance of these parameters.
    is_converged : bool
        Whether the estimation came to rest.
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats
    reason: Texts
    n_benchmarks: npt.NDArray[np.int64]
    difficulty: Floats
    slope: Floats
    misfit: Floats
    n_models: npt.NDArray[np.int64]
    own_variance: Floats
    moved: Floats
    of_curves: Floats
    is_converged: bool

    def expected(self) -> Floats:
        """The share that the curves expect, in percent, shape (models, benchmarks); NaN where there is no curve."""
        return np.asarray(_FULL * expit(self.slope * (self.value[:, None] - self.difficulty)))

    def surely_above(self, level: float = 0.95) -> Bools:
        """Which models are more able than which: row above column.

        Each two are compared by the standard error of their difference, at this level each. What abilities have in
        common, above all where the scale begins, widens the intervals of all and is no part of a difference.

        Parameters
        ----------
        level : float
            Of each comparison, two-sided.

        Returns
        -------
        bool array, shape (models, models)
            False for a model without an ability.

        Raises
        ------
        ValueError
            If the level is not within 0 and 1.
        """
        common = self.moved @ self.of_curves @ self.moved.T
        variance = self.own_variance + np.diag(common)
        of_difference = variance[:, None] + variance - 2 * common
        difference = self.value[:, None] - self.value
        np.fill_diagonal(of_difference, 0.0)
        return np.asarray(difference > _half_width(level) * np.sqrt(of_difference))


def fit_ability(shares: npt.ArrayLike, n_items: npt.ArrayLike | None = None, *, level: float = 0.95) -> Ability:
    """Fit one ability per model and one curve per benchmark to all shares at once.

    The share of model m on benchmark b is taken for expit(a_b (C_m - D_b)), a_b above 0, plus an error of variance
    p (1 - p) / n_items + misfit_b^2. All parameters are estimated together (:func:`pipeline.rankings.response
    .fit_response`), so that standard errors hold the uncertainty of slopes and difficulties too. The same
    share of a harder benchmark thus means more ability, and chains of benchmarks compare models that share none.

    **The scale.** Slopes and abilities have no scale or origin of their own. Here ability is 100 + 10 times the mean,
    over all benchmarks of the fit, of the log-odds of the share that is expected of the model: at 100 they are 0 on
    average, and 10 points more multiply the odds by e on a benchmark of average slope. Models that come or go move it
    only as estimates move; a benchmark that comes or goes, or is left out, moves all abilities alike, their differences
    stretched by the same factor. So within a fit any two models compare; between days differences and ranks do, and
    absolute values only while the benchmarks are the same.

    **Intervals** are value +- t_10 se, with se by the delta method from the inverse Gauss-Newton matrix. Coverage by 10
    degrees of freedom was 0.92 to 0.98 in simulated designs whose errors are as assumed or have a size that depends
    on the share; the normal quantile fell to 0.89 there. They are symmetric, and at 0 % or 100 % the truth is not: the
    prior (abilities have a standard deviation of 5 log-odds) keeps the value finite then, and the interval is wide; so
    it is for a model of one figure. A model whose figures contradict each other may have two likely abilities; its
    value is the likelier. Where the scale begins is uncertain too, for all alike: two models are compared by
    :meth:`Ability.surely_above`, not by whether their intervals overlap.

    **Not in intervals**: that guessing has a floor (curves have none, so on multiple choice weak models come out too
    able), that benchmarks of one kind err together, and that figures are chosen by who publishes them.

    Parameters
    ----------
    shares : array-like of float, shape (models, benchmarks)
        Percent from 0 to 100; NaN where there is no figure.
    n_items : array-like of float, same shape, or one that broadcasts to it, optional
        Items that a share rests on; NaN where unknown: then their choice is part of the misfit. A published standard
        error s of a share p, both of 1, stands for p (1 - p) / s^2 items.
    level : float
        Of the intervals, within 0 and 1.

    Returns
    -------
    Ability
        Models and benchmarks that no chain of figures connects with the most models (of equally many: with the most
        figures, then with the first model) have no ability and no curve.

    Raises
    ------
    ValueError
        If shares are no matrix, one is not from 0 to 100, a number of items is not above 0 or does not fit, or the
        level is not within 0 and 1.

    References
    ----------
    Epoch AI, Epoch Capabilities Index, https://epoch.ai/benchmarks/eci, and "A Rosetta Stone for AI Benchmarks" (2025):
    the curve, and stitching by it.
    Birnbaum (1968), "Some latent trait models and their use in inferring an examinee's ability", in Lord & Novick,
    *Statistical Theories of Mental Test Scores*: the two-parameter logistic model.
    Agresti & Coull (1998), "Approximate is Better than 'Exact' for Interval Estimation of Binomial Proportions", The
    American Statistician 52(2): p of the variance is of two successes and two failures more, so never 0 or 1.
    """
    matrix = _checked_shares(shares)
    items = np.full(matrix.shape, np.nan) if n_items is None else _checked_items(n_items, matrix)
    width = _half_width(level)
    has = ~np.isnan(matrix)
    models, benchmarks = _connected(has)
    found = _empty(has, parameters=2 * int(benchmarks.sum()))
    if not models.any():
        return found
    fitted = fit_response(_observed(matrix[np.ix_(models, benchmarks)], items[np.ix_(models, benchmarks)]))
    return _on_scale(found, fitted, models, benchmarks, width)


def _checked_shares(shares: npt.ArrayLike) -> Floats:
    matrix = np.asarray(shares, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"shares have shape {matrix.shape}; give a matrix of models by benchmarks")
    for model, benchmark in np.argwhere((matrix < 0) | (matrix > _FULL))[:1]:
        raise ValueError(
            f"the share of model {model} on benchmark {benchmark} is {matrix[model, benchmark]:g}; "
            f"give percent from 0 to 100, and NaN where there is none"
        )
    return matrix


def _checked_items(n_items: npt.ArrayLike, matrix: Floats) -> Floats:
    given = np.asarray(n_items, dtype=np.float64)
    try:
        items = np.broadcast_to(given, matrix.shape)
    except ValueError:
        raise ValueError(
            f"n_items has shape {given.shape}, shares have {matrix.shape}; give one number for each share"
        ) from None
    for model, benchmark in np.argwhere(~np.isnan(matrix) & (items <= 0))[:1]:
        raise ValueError(
            f"n_items of model {model} on benchmark {benchmark} is {items[model, benchmark]:g}; "
            f"give a number above 0, and NaN where it is unknown"
        )
    return items


def _connected(has: Bools) -> tuple[Bools, Bools]:
    """The models and benchmarks of the set that is compared; none where there is no figure."""
    n_models, n_benchmarks = has.shape
    model, benchmark = np.nonzero(has)
    n = n_models + n_benchmarks
    graph = coo_array((np.ones(len(model)), (model, n_models + benchmark)), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    of_models = np.where(has.any(axis=1), label[:n_models], -1)
    of_benchmarks = np.where(has.any(axis=0), label[n_models:], -1)
    if not len(model):
        return of_models >= 0, of_benchmarks >= 0
    sizes = np.bincount(of_models[of_models >= 0], minlength=count)
    figures = np.bincount(of_models[model], minlength=count)
    largest = max(of_models[of_models >= 0], key=lambda each: (sizes[each], figures[each]))
    return of_models == largest, of_benchmarks == largest


def _observed(matrix: Floats, items: Floats) -> Shares:
    model, benchmark = np.nonzero(~np.isnan(matrix))
    share, n = matrix[model, benchmark] / _FULL, items[model, benchmark]
    likely = (share * n + _ADDED_SUCCESSES) / (n + _ADDED_ITEMS)
    sampling = np.where(np.isfinite(n), likely * (1 - likely) / n, 0.0)
    return Shares(model, benchmark, share, sampling)


def _half_width(level: float) -> float:
    """How many standard errors an interval reaches to either side."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give one within 0 and 1, such as 0.95")
    return float(stdtrit(DEGREES_OF_FREEDOM, (1 + level) / 2))


def _empty(has: Bools, parameters: int) -> Ability:
    n_models, n_benchmarks = has.shape
    value, se, low, high, own_variance = np.full((5, n_models), np.nan)
    difficulty, slope, misfit = np.full((3, n_benchmarks), np.nan)
    return Ability(
        value=value,
        se=se,
        low=low,
        high=high,
        reason=np.where(has.any(axis=1), NOT_CONNECTED, NO_FIGURES).astype(object),
        n_benchmarks=np.asarray(np.sum(has, axis=1, dtype=np.int64)),
        difficulty=difficulty,
        slope=slope,
        misfit=misfit,
        n_models=np.asarray(np.sum(has, axis=0, dtype=np.int64)),
        own_variance=own_variance,
        moved=np.full((n_models, parameters), np.nan),
        of_curves=np.zeros((parameters, parameters)),
        is_converged=True,
    )


def _on_scale(found: Ability, fitted: Response, models: Bools, benchmarks: Bools, width: float) -> Ability:
    """What was found, with the models and benchmarks that were fitted filled in."""
    curves = fitted.curves
    slope, intercept = curves.slope.mean(), curves.intercept.mean()
    found.value[models] = ORIGIN + POINTS * (slope * curves.ability - intercept)
    found.own_variance[models] = (POINTS * slope) ** 2 * fitted.own_variance
    found.moved[models] = moved = POINTS * (slope * fitted.moved + _scale_moved(fitted))
    found.of_curves[:] = fitted.covariance
    found.se[models] = np.sqrt(found.own_variance[models] + np.sum((moved @ fitted.covariance) * moved, axis=1))
    found.low[models] = found.value[models] - width * found.se[models]
    found.high[models] = found.value[models] + width * found.se[models]
    found.reason[models] = None
    found.slope[benchmarks] = curves.slope / (POINTS * slope)
    found.difficulty[benchmarks] = ORIGIN + POINTS * (slope * curves.intercept / curves.slope - intercept)
    found.misfit[benchmarks] = _FULL * fitted.misfit
    return replace(found, is_converged=fitted.is_converged)


def _scale_moved(fitted: Response) -> Floats:
    """How much the mean log-odds over benchmarks of a model that stays changes with the parameters of curves."""
    curves = fitted.curves
    n = len(curves.slope)
    return np.hstack([np.outer(curves.ability, curves.slope) / n, np.full((len(curves.ability), n), -1 / n)])
