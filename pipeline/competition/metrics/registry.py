"""Metrics by name: Podium's own and those of an operator, and their values from rows.

What is registered, or named by a dotted path, is one of three things, told apart by the names of its parameters:

- a :class:`Metric`, which says everything: pool, direction, unit;
- a function of ``panel`` that gives a :class:`SectionMetric`: the panel form;
- a function of ``predictions``, ``scores`` and ``context`` that gives a number: the row form.

A bare function is of pool ``cycles`` and better when higher; name a Metric for another direction or pool.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np

from pipeline.competition.metrics.beside_rows import ensemble_of_rows
from pipeline.competition.metrics.context import MetricsContext, Rows
from pipeline.competition.metrics.guard import safely, safely_beside, safely_over_series
from pipeline.competition.metrics.metric import Metric, PanelFunction, Pool, SectionMetric, base_and_ensemble
from pipeline.competition.metrics.pooling import pool_horizons
from pipeline.competition.metrics.rows import RowForm, RowFunction, panel_of_rows
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import reason_code, reason_texts
from pipeline.leaderboard import Direction, mean_influence, ratio_influence
from pipeline.registry import Registry, UnknownNameError, described, takes

_PANEL_FORM = ("panel",)
_ROW_FORM = ("predictions", "scores", "context")
_MEMBER_FORM = ("panel", "ensemble")
_SERIES_FORM = ("series",)


Family = Callable[[str], Metric | None]
"""From a name to the metric called so; None where it is none of this family."""


@dataclass(frozen=True)
class Measured:
    """A metric of one model over a window: ``value`` is None where undefined, and ``reason`` says why."""

    value: float | None
    n: int
    reason: str | None


class MetricsRegistry(Registry[Metric]):
    """Metrics by name, and their values from rows.

    Parameters
    ----------
    built_in : bool
        Whether Podium's own are known too. What is registered here hides one of the same name.
    """

    def __init__(self, *, built_in: bool = True) -> None:
        super().__init__("metric", Metric)
        self._built_in = built_in
        self._families: list[Family] = []

    def register(self, name: str, thing: Metric | PanelFunction | RowFunction) -> Metric:
        """Register a metric, or a function of either form, under ``name`` and return the metric.

        Raises
        ------
        ValueError
            If the name is taken or contains a dot, or the thing is neither.
        """
        return super().register(name, self._of_kind(name, thing))

    def get(self, name: str) -> Metric:
        """The metric of that name, or the one that a dotted path names.

        Raises
        ------
        UnknownNameError
            If there is none, or the path names something else; the message lists every known name.
        """
        if name not in self._things:
            if self._built_in and name in METRICS:
                return METRICS.get(name)
            made = self._made(name)
            if made is not None:
                return made
        return super().get(name)

    def register_family(self, family: "Family") -> None:
        """Register metrics whose names hold a number, such as the level of an interval."""
        self._families.append(family)

    def _made(self, name: str) -> Metric | None:
        """The metric of that name that a family makes, if one does."""
        return next((made for family in self._families if (made := family(name)) is not None), None)

    def available(self) -> list[str]:
        """The known names, sorted: first those of any prediction, then those of distributions."""
        known = {*self._things, *(METRICS.available() if self._built_in else ())}
        return sorted(known, key=lambda name: (not self.get(name).is_of_any, name))

    def __iter__(self) -> Iterator[Metric]:
        return (self.get(name) for name in (self.available() if self._built_in else self._things))

    def __contains__(self, name: str) -> bool:
        return name in self.available() or self._made(name) is not None

    def compute(
        self, *, metrics: Sequence[str], predictions: Rows, scores: Rows, context: MetricsContext
    ) -> dict[str, float | None]:
        """Values of one model over a window, from rows; None where undefined.

        Parameters
        ----------
        metrics : sequence of str
            Which; only these are computed.
        predictions, scores, context
            As for :func:`pipeline.competition.metrics.rows.panel_of_rows`. A function of the row form is called with
            them as they are.

        Raises
        ------
        UnknownNameError
            If a metric is unknown.
        ValueError
            If a row lacks what it must have.
        """
        measured = self.measure(metrics=metrics, predictions=predictions, scores=scores, context=context)
        return {name: one.value for name, one in measured.items()}

    def measure(
        self, *, metrics: Sequence[str], predictions: Rows, scores: Rows, context: MetricsContext
    ) -> dict[str, Measured]:
        """The same as :meth:`compute`, with what each value rests on and why there is none."""
        wanted = {name: replace(self.get(base_and_ensemble(name)[0]), name=name) for name in metrics}
        row_forms = {name: metric.of_panel for name, metric in wanted.items() if isinstance(metric.of_panel, RowForm)}
        found = {}
        for name, row_form in row_forms.items():
            value, reason = row_form.over(predictions, scores, context)
            found[name] = _measured(value, len(scores), reason)
        if len(row_forms) < len(wanted):
            window = _Window(predictions, scores, context)
            found |= {name: window.measure(metric, self) for name, metric in wanted.items() if name not in row_forms}
        return {name: found[name] for name in wanted}

    def _of_kind(self, name: str, thing: object) -> Metric:
        """The metric that a thing is, or makes."""
        if isinstance(thing, Metric):
            _require_callable(name, thing)
            return thing if thing.name == name else replace(thing, name=name)
        parameters = _parameters(thing)
        if parameters == _ROW_FORM:
            function: PanelFunction = RowForm(cast(RowFunction, thing))
        elif parameters == _PANEL_FORM:
            function = cast(PanelFunction, thing)
        else:
            raise UnknownNameError(
                f"metric {name!r} is a {described(thing)}; give a Metric, a function ({', '.join(_PANEL_FORM)}), or "
                f"one ({', '.join(_ROW_FORM)}); known without a path: {', '.join(self.available())}"
            )
        return Metric(name, Pool.CYCLES, Direction.DESC, "value", of_panel=function)


METRICS = MetricsRegistry(built_in=False)
"""Every metric that a contest can name."""


class _Window:
    """The rows of one model over a window, as a panel."""

    def __init__(self, predictions: Rows, scores: Rows, context: MetricsContext) -> None:
        self._panel = panel_of_rows(predictions, scores, context)
        self._model = context.model_id
        self._context = context

    def measure(self, metric: Metric, registry: MetricsRegistry) -> Measured:
        """One metric over the window; the base of a series is looked up in the registry."""
        if self._panel is None:
            return _measured(np.nan, 0, reason_code("no_predictions"))
        base = metric if metric.series_of is None else registry.get(metric.series_of)
        cycles = self._panel.cycles
        start = np.flatnonzero(np.r_[True, cycles[1:] != cycles[:-1]])
        model = self._panel.models == self._model
        sections = self._sections(self._panel, base, base_and_ensemble(metric.name)[1])
        over = {name: array[:, model] for name, array in pool_horizons(base, sections, start).items()}
        if metric.pool is Pool.SERIES:
            found = safely_over_series(metric, over["value"])
            influence, reason = found.influence, int(found.reason[0])
        elif metric.pool is Pool.TASKS:
            influence, reason = ratio_influence(over["numerator"], over["denominator"]), 0
        else:
            influence, reason = mean_influence(over["value"]), 0
        n = over["denominator"].sum() if metric.pool is Pool.TASKS else influence.n[0]
        if np.isnan(influence.value[0]) and (reason == 0 or not influence.n[0]):
            played = np.logical_or.reduceat(self._panel.submitted[:, model].any(axis=2), start, axis=0)
            reason = int(over["reason"][played][-1])
        return _measured(float(influence.value[0]), int(n), reason)

    def _sections(self, panel: Panel, metric: Metric, ensemble: str | None) -> SectionMetric:
        """A metric of every cross-section, beside an ensemble where it is one of members."""
        if metric.of_members is None:
            return safely(metric, panel)
        beside = partial(ensemble_of_rows, panel, self._context, METRICS.get("ic").over_panel, ensemble)
        return safely_beside(metric, panel, beside)


def _measured(value: float, n: int, reason: int) -> Measured:
    return Measured(None if np.isnan(value) else value, n, reason_texts([reason])[0])


def _require_callable(name: str, metric: Metric) -> None:
    """Refuse a metric whose functions take other parameters than they are given.

    Raises
    ------
    UnknownNameError
        Naming the function, and what it is to take.
    """
    row_form = metric.of_panel.function if isinstance(metric.of_panel, RowForm) else None
    forms: tuple[tuple[str, object, tuple[str, ...]], ...] = (
        ("of_panel", metric.of_panel if row_form is None else None, _PANEL_FORM),
        ("of_panel's RowForm", row_form, _ROW_FORM),
        ("of_members", metric.of_members, _MEMBER_FORM),
        ("of_series", metric.of_series, _SERIES_FORM),
    )
    for part, function, form in forms:
        if function is not None and not takes(function, len(form)):
            raise UnknownNameError(
                f"metric {name!r}: {part} is a {described(function)}; give a function ({', '.join(form)})"
            )


def _parameters(thing: object) -> tuple[str, ...]:
    """The names of a function's parameters that have no default; none of what cannot be called with them."""
    try:
        parameters = inspect.signature(cast(Any, thing)).parameters.values()
    except (TypeError, ValueError):  # of what is no function, or is not written in Python
        return ()
    names = tuple(one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD)
    return names if takes(thing, len(names)) else ()
