"""A hub's target as a competition: its contract out of the hub's own configuration, and the source that it names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from upath import UPath

from pipeline.competition.contract import Contract
from pipeline.competition.declaration import HUB
from pipeline.competition.durations import format_duration
from pipeline.competition.evaluations import EvaluationSpec
from pipeline.competition.hub.config import Hub, HubError
from pipeline.competition.hub.forecast_target import DATES, HORIZON, ForecastTarget
from pipeline.competition.hub.predevals import Predevals, TaskNames, find_predevals
from pipeline.competition.hub.source import HubSource
from pipeline.competition.outputs import Output
from pipeline.competition.scoring import measure_names

BASELINE = "-baseline"
"""How the name of a hub's baseline ends."""
_RECENT = 8
"""Rounds of the default window and evaluation set of recent ones."""
_SUBMITTED = 0.75
"""Share of the tasks that a model must have submitted in the default evaluation sets."""
_COVERAGES = ("interval_coverage_50", "interval_coverage_95")
_PARTS = ("dispersion", "underprediction", "overprediction")
_STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}
_LONGEST_NAME = 63


@dataclass(frozen=True)
class _Scoring:
    """How an output type is scored: by which rule, and what is said of every model, the first being the contest's own.

    ``relative`` are the losses whose relative skill is shown.
    """

    rule: str
    metrics: tuple[str, ...]
    relative: tuple[str, ...]


@dataclass(frozen=True)
class Contest:
    """A target of a hub as a competition.

    Parameters
    ----------
    contract : Contract
    source : HubSource
    notes : tuple of str
        What of the hub's configuration Podium leaves out, one sentence each.
    """

    contract: Contract
    source: HubSource
    notes: tuple[str, ...] = ()


def contest_of(path: str | UPath, target: str, output_type: str | None = None) -> Contest:
    """The competition that a target of a hub is.

    Scored by the rule of its output type, with the evaluation sets of the hub's predevals configuration where it has
    one; otherwise one of all rounds and one of the last 8, of the models that submitted three quarters of it.

    Parameters
    ----------
    path : str or UPath
        The hub's folder, local or behind any URL that fsspec knows.
    target : str
        A target id of the hub.
    output_type : str, optional
        The one that is scored; by default the first of quantile, pmf, cdf, sample, median and mean that it takes.

    Raises
    ------
    HubError
        If that is no hub, it has no such target, nobody submitted anything to it, it is not said when it comes true, or
        the hub has no outcomes of it.
    """
    source = HubSource(path, target, output_type)
    hub, found = source.hub, source.target
    if not found.is_dated:
        raise HubError(f"target {target!r} has no date and no horizon, so nothing says when it comes true")
    if not source.by_cycle:
        raise HubError(f"{hub.path / hub.model_output} has no submission to any round of the hub")
    outcomes = source.outcomes()
    scoring = _scoring(found, source.output_type)
    evaluations, scale, notes = _evaluations(source, scoring)
    contract = Contract.model_validate(
        {
            "name": name_of(hub, target),
            "title": f"{hub.name}: {found.title}",
            "description": f"Target {target} of the forecast hub {hub.name}.",
            "predictions": _predictions(source),
            "truth": {"source": HUB, "known_at": "column" if outcomes.is_dated else "arrival"},
            "scoring": {"rule": scoring.rule, "primary": scoring.metrics[0], "scale": scale},
            "metrics": scoring.metrics,
            "windows": {"recent": {"cycles": _RECENT}, "all": {}},
            "leaderboard": {"rank_by": f"all.{scoring.metrics[0]}", "min_coverage": _SUBMITTED},
            "evaluations": evaluations,
            **_horizon_length(found),
        }
    )
    return Contest(contract, source, notes)


def name_of(hub: Hub, target: str) -> str:
    """The name of a target's board: those of the hub and the target, in small letters."""
    return slug(f"{hub.name} {target}")


def slug(text: str) -> str:
    """A name that is good for a folder and a schema."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    named = plain if plain[:1].isalpha() else f"hub_{plain}"
    return named[:_LONGEST_NAME].rstrip("_")


def hub_source(contract: Contract) -> HubSource:
    """The source of a contract whose predictions come from a hub.

    Raises
    ------
    HubError
        If there is no such hub, or it has no such target.
    ValueError
        If they come from elsewhere.
    """
    declared = contract.predictions
    if declared.source != HUB or declared.path is None or declared.target is None:
        raise ValueError(f"predictions of {contract.name!r} come from {declared.source!r}, which is no hub")
    return HubSource(declared.path, declared.target, declared.output_type)


def _predictions(source: HubSource) -> dict[str, Any]:
    last = source.cycles()[-1]
    local = source.hub.path.protocol in ("", "file")
    path = UPath(source.hub.path.path).absolute() if local else source.hub.path
    declared: dict[str, Any] = {
        "source": HUB,
        "path": str(path),
        "target": source.target.target_id,
        "output_type": source.output_type,
        "deadline": format_duration(source.deadline(last) - last),
        "trusted": True,
    }
    ids = source.target.output_type_ids[source.output_type]
    return declared | ({"output_type_ids": ids} if ids and source.output_type in ("quantile", "pmf", "cdf") else {})


def _horizon_length(target: ForecastTarget) -> dict[str, Any]:
    step = _STEPS.get(target.time_unit or "")
    return {} if step is None else {"horizon_length": format_duration(step)}


def _scoring(target: ForecastTarget, output_type: str) -> _Scoring:
    if output_type == "quantile":
        have = measure_names(Output(output_type, target.output_type_ids[output_type]))
        metrics = tuple(name for name in ("wis", "ae_median", *_COVERAGES, *_PARTS) if name in have)
        return _Scoring("wis", metrics, tuple(name for name in ("wis", "ae_median") if name in have))
    if output_type == "pmf":
        first = ("rps",) if target.is_ordered else ()
        return _Scoring((*first, "log_score")[0], (*first, "log_score", "brier", "accuracy"), (*first, "log_score")[:1])
    of_type: Mapping[str, _Scoring] = {
        "cdf": _Scoring("crps", ("crps", "threshold_brier"), ("crps",)),
        "sample": _Scoring("crps", ("crps", "ae_median"), ("crps", "ae_median")),
        "median": _Scoring("absolute_error", ("ae_median",), ("ae_median",)),
        "mean": _Scoring("squared_error", ("se_mean",), ("se_mean",)),
    }
    return of_type[output_type]


def _evaluations(
    source: HubSource, scoring: _Scoring
) -> tuple[Sequence[EvaluationSpec | Mapping[str, Any]], str, tuple[str, ...]]:
    """The evaluation sets of a target, the scale that it is scored on, and what is left out."""
    target_id = source.target.target_id
    declared = find_predevals(source.hub.path)
    if declared is not None and target_id in declared.targets:
        evaluations, notes = declared.evaluations(target_id, _names(source), _measures(source, scoring))
        return evaluations, declared.scale(target_id), notes
    return _default_evaluations(source, scoring, declared), "natural", ()


def _measures(source: HubSource, scoring: _Scoring) -> list[str]:
    """What can be said of a prediction of the target."""
    ids = source.target.output_type_ids[source.output_type]
    return [*measure_names(Output(source.output_type, ids)), scoring.rule]


def _names(source: HubSource) -> TaskNames:
    first = next(iter(source.by_cycle.values()))[0].what
    declared = source.hub.round(first.round_id)  # type: ignore[union-attr]  # by_cycle has submissions alone
    cycle = declared.round_id if declared.round_id_from_variable else declared.submissions_due.relative_to
    units = dict(source.target.units_by_id)
    return TaskNames(cycle or "round", units, HORIZON, source.target.date_id or DATES[0])


def _default_evaluations(
    source: HubSource, scoring: _Scoring, declared: Predevals | None
) -> Sequence[Mapping[str, Any]]:
    """Sets of all rounds, and of the last where there are more."""
    baseline = baseline_of(source)
    if declared is not None:  # which says nothing of this target
        named = [one.baseline for one in declared.targets.values() if one.baseline in _models(source)]
        baseline = named[0] if named else baseline
    shown = [name for name in scoring.metrics if name not in _PARTS]
    every = {
        "name": "all rounds",
        "metrics": shown,
        "relative_metrics": scoring.relative,
        "baseline": baseline,
        "by": ["subject", "cycle", "horizon", "target_time"],
        "min_submitted": _SUBMITTED,
    }
    recent = every | {"name": f"last {_RECENT} rounds", "cycles": {"last": _RECENT}}
    return [every, recent] if len(source.by_cycle) > _RECENT else [every]


def baseline_of(source: HubSource) -> str | None:
    """The model that relative skill is measured by: the first whose name ends in ``-baseline``; None without one."""
    return next((name for name in _models(source) if name.endswith(BASELINE)), None)


def _models(source: HubSource) -> list[str]:
    return list(source.models()["model_id"])
