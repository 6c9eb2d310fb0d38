"""Strategies that look at all members at once: by performance, by optimisation, and the operator's own."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.ensembles.strategies import STRATEGIES, JointStrategy, JointWeights, Strategy, Terms, Track
from pipeline.competition.ensembles.weighing import NEWCOMER, NO_HISTORY, NO_SKILL
from pipeline.leaderboard import pair_totals, relative_skill
from pipeline.registry import UnknownNameError, described, resolve_dotted_path, takes

REFIT_EVERY = 13
"""Resolved cycles for which an optimised allocation lasts."""

TOO_FEW_CYCLES = "too_few_cycles"
NEGATIVE = "negative_scores"
"""Relative skill is a ratio of losses."""

CustomStrategy = Callable[..., Mapping[str, float]]
"""(model_metrics, predictions) or (model_metrics, predictions, scores) -> {model_id: weight}."""

_SCORES = "scores"
"""The third parameter of a strategy of an operator's own that wants past scores."""


def performance(track: Track, terms: Terms) -> JointWeights:
    """exp(-theta x relative score), no member above ``max_weight``.

    For losses the relative score is the mean over the median of the members' means; where more is better it is how far
    the mean falls short of that median, in units of their mean absolute deviation from it.

    References
    ----------
    Ray et al. (2023), *International Journal of Forecasting* 39, who weigh forecasts by relative WIS with one theta.
    """
    experienced = track.n >= terms.min_history
    if not experienced.any():
        return JointWeights.equal(len(track.models), NO_HISTORY)
    mean = track.mean()
    median = np.median(mean[experienced])
    if track.is_loss:
        relative = mean / median if median > 0 else np.ones(len(mean))
    else:
        spread = np.abs(mean[experienced] - median).mean()
        relative = (median - mean) / spread if spread > 0 else np.zeros(len(mean))
    # From the best on, so that the sum does not underflow.
    behind = np.where(experienced, relative - relative[experienced].min(), 0.0)
    own = np.exp(-terms.theta * behind)
    found = _with_newcomers(own, experienced)
    return replace(found, weights=_capped(found.weights, terms.max_weight))


def by_relative_skill(track: Track, terms: Terms) -> JointWeights:
    """exp(-theta x relative skill), no member above ``max_weight``: for losses.

    Relative skill is pairwise over the cycles that both members have, so that one who left out hard ones gains nothing.

    References
    ----------
    Cramer et al. (2022), PNAS 119(15), for relative skill; Ray et al. (2023), *International Journal of Forecasting*
    39, for weights by it with one theta.
    """
    experienced = track.n >= terms.min_history
    if not experienced.any():
        return JointWeights.equal(len(track.models), NO_HISTORY)
    if (track.series < 0).any():
        return JointWeights.equal(len(track.models), NEGATIVE)
    skill = np.full(len(track.models), np.nan)
    skill[experienced] = _relative_skill(track.of(np.flatnonzero(experienced)))
    experienced = ~np.isnan(skill)
    if not experienced.any():
        return JointWeights.equal(len(track.models), NO_HISTORY)
    own = np.exp(-terms.theta * np.where(experienced, skill - np.nanmin(skill), 0.0))
    found = _with_newcomers(own, experienced)
    return replace(found, weights=_capped(found.weights, terms.max_weight))


def mean_variance(track: Track, terms: Terms) -> JointWeights:
    """The long-only portfolio of members with the highest ratio of mean to deviation of the primary metric.

    Ledoit-Wolf covariance, over stretches of 13 resolved cycles; equal weights where the solver finds none.

    References
    ----------
    Markowitz (1952), *Journal of Finance* 7; Ledoit & Wolf (2004), *Journal of Multivariate Analysis* 88.
    """
    return _optimised(track, terms, "mean_variance")


def risk_parity(track: Track, terms: Terms) -> JointWeights:
    """The portfolio of members that each add the same risk to; Ledoit-Wolf covariance, as for ``mean_variance``.

    References
    ----------
    Maillard, Roncalli & Teiletche (2010), *Journal of Portfolio Management* 36.
    """
    return _optimised(track, terms, "risk_parity")


def strategy_of(name: str) -> Strategy:
    """The strategy of that name, or the one made of the function that a dotted path names.

    Raises
    ------
    UnknownNameError
        If there is neither, or the function takes other parameters.
    """
    if "." not in name:
        return STRATEGIES.get(name)
    try:
        function = resolve_dotted_path(name, STRATEGIES.kind)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; known without a path: {', '.join(STRATEGIES.available())}") from error
    if isinstance(function, Strategy):
        return function
    if not _is_strategy(function):
        raise UnknownNameError(
            f"ensemble strategy {name!r} is a {described(function)}; name a function (model_metrics, predictions) or "
            f"(model_metrics, predictions, {_SCORES}) that gives {{model_id: weight}}"
        )
    return JointStrategy(name, terms=frozenset({"window"}), weigh=lambda track, terms: _custom(function, track))  # noqa: ARG005


def _is_strategy(function: object) -> bool:
    """Whether it is a function of what a strategy is given."""
    if not takes(function, 2 + _wants_scores(function)):
        return False
    return not _wants_scores(function) or _parameters(function)[2] == _SCORES


def _wants_scores(function: object) -> bool:
    return _SCORES in _parameters(function)


def _parameters(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # of what is no function, or is not written in Python
        return []


def _relative_skill(track: Track) -> Floats:
    """Relative skill of members over the cycles in common, NaN where there is none; 1 of a single one."""
    if len(track.models) == 1:
        return np.ones(1)
    return relative_skill(pair_totals(track.series), track.models.tolist()).value


def _with_newcomers(own: Floats, experienced: Bools) -> JointWeights:
    """Weights of the experienced, of whom one is, and for the others their median, which says so."""
    fallback = np.full(len(own), None, dtype=object)
    fallback[~experienced] = NEWCOMER
    return JointWeights(np.where(experienced, own, np.median(own[experienced])), fallback)


def _capped(weights: Floats, largest: float) -> Floats:
    """Shares of which none is above ``largest``, the excess given to the others in proportion; equally to zeros."""
    shares = weights / weights.sum()
    if largest * len(shares) <= 1:
        return np.full(len(shares), 1 / len(shares))
    while (over := shares > largest * (1 + 1e-12)).any():
        capped = over | (shares >= largest)
        rest = np.where(capped, 0.0, shares)
        rest = rest if rest.sum() > 0 else np.where(capped, 0.0, 1.0)
        shares = np.where(capped, largest, rest * (1 - largest * capped.sum()) / rest.sum())
    return np.asarray(shares)


@lru_cache(maxsize=256)
def _solved(kind: str, cycles: int, returns: bytes) -> tuple[float, ...] | str:
    """The weights of a portfolio, or why there are none; members are the same for a stretch of cycles, solved once."""
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting
    from skfolio.prior import EmpiricalPrior

    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    if kind == "mean_variance":
        estimator: Any = MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO, prior_estimator=prior)
    else:
        estimator = RiskBudgeting(prior_estimator=prior)
    try:
        estimator.fit(pd.DataFrame(np.frombuffer(returns).reshape(cycles, -1)))
        own = np.maximum(np.array([float(weight) for weight in estimator.weights_]), 0.0)
    except MemoryError:
        raise
    except Exception as error:  # whatever a solver raises, the ensemble goes on
        return f"solver: {type(error).__name__}"
    return tuple(own.tolist()) if np.isfinite(own).all() and own.sum() > 0 else "solver: no weights"


def _optimised(track: Track, terms: Terms, kind: str) -> JointWeights:
    size = len(track.models)
    experienced = track.n >= terms.min_history
    if len(track.series) < STRATEGIES.get(kind).cycles_needed(size) or experienced.sum() < 2:
        return JointWeights.equal(size, TOO_FEW_CYCLES)
    series = track.series[:, experienced]
    with np.errstate(invalid="ignore"):
        of_cycle = np.nanmean(series, axis=1, keepdims=True)
    returns = np.where(np.isnan(series), of_cycle, series)
    returns = np.ascontiguousarray(returns[~np.isnan(of_cycle[:, 0])])
    if kind == "mean_variance" and not (returns.mean(axis=0) > 0).any():
        return JointWeights.equal(size, NO_SKILL)
    solved = _solved(kind, len(returns), returns.tobytes())
    if isinstance(solved, str):
        return JointWeights.equal(size, solved)
    own = np.full(size, np.nan)
    own[experienced] = solved
    return _with_newcomers(own, experienced)


def _custom(function: CustomStrategy, track: Track) -> JointWeights:
    """Call an operator's function; equal weights, and why, where it fails or gives nothing usable."""
    models = track.models.tolist()
    try:
        arguments: list[Any] = [_metrics(track), _predictions(track)]
        if _wants_scores(function):
            arguments.append(_scores(track))
        given = dict(function(*arguments))
        strangers = [name for name in given if name not in models]
        weights = np.array([float(given.get(model, 0.0)) for model in models])
    except Exception as error:  # an operator's code may raise anything; the board goes on and says so
        return JointWeights.equal(len(models), f"error: {type(error).__name__}: {error}")
    wrong = None
    if strangers:
        wrong = f"error: weights for {strangers[0]!r}, which is no member"
    elif not np.isfinite(weights).all() or (weights < 0).any():
        wrong = "error: a weight is negative or not finite"
    elif not weights.sum() > 0:
        wrong = "error: all weights are 0"
    return JointWeights(weights) if wrong is None else JointWeights.equal(len(models), wrong)


def _metrics(track: Track) -> dict[str, dict[str, float]]:
    return {
        model: {name: float(values[place]) for name, values in track.metrics.items()}
        for place, model in enumerate(track.models)
    }


def _predictions(track: Track) -> dict[str, list[dict[str, Any]]]:
    section = track.section
    if section is None:
        return {model: [] for model in track.models}
    common = {"cycle": pd.Timestamp(section.cycle).to_pydatetime(), "horizon": section.horizon}
    return {
        model: [
            {**common, "subject": section.subjects[at], "value": float(section.signals[place, at])}
            for at in np.flatnonzero(~np.isnan(section.signals[place]))
        ]
        for place, model in enumerate(track.models)
    }


def _scores(track: Track) -> dict[str, list[dict[str, Any]]]:
    cycles: list[Any] = [] if track.section is None else list(pd.DatetimeIndex(track.section.cycles).to_pydatetime())
    return {
        model: [
            {"cycle": cycle, "value": float(value)}
            for cycle, value in zip(cycles, track.series[:, place], strict=True)
            if not np.isnan(value)
        ]
        for place, model in enumerate(track.models)
    }


STRATEGIES.register(
    "performance",
    JointStrategy("performance", terms=frozenset(one.name for one in fields(Terms)), weigh=performance),
)
for _optimiser in (mean_variance, risk_parity):
    STRATEGIES.register(
        _optimiser.__name__,
        JointStrategy(
            _optimiser.__name__,
            # No ratio of mean to deviation is best where every mean is a loss.
            for_losses=_optimiser is not mean_variance,
            needs=52,
            needs_per_member=2,
            refit_every=REFIT_EVERY,
            weigh=_optimiser,
        ),
    )
STRATEGIES.register(
    "relative_skill",
    JointStrategy(
        "relative_skill",
        for_gains=False,
        terms=frozenset(one.name for one in fields(Terms)),
        weigh=by_relative_skill,
    ),
)
