"""What a hub's target is to a competition: which task ids say whose outcome it is, and when it comes true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.competition.hub.config import Hub, HubError, ModelTask, Round, TargetMetadata, as_written

HORIZON = "horizon"
DATES = ("target_end_date", "target_date")
"""Task ids that say when an outcome comes true."""
PREFERRED = ("quantile", "pmf", "cdf", "sample", "median", "mean")
"""Output types, the one first that a target is scored on when it takes several."""
WHOLE = "all"
"""The subject of a target that no task id divides."""
_UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


@dataclass(frozen=True)
class ForecastTarget:
    """One target of a hub.

    Parameters
    ----------
    target_id, title : str
    keys : mapping of str to str
        Task ids whose values mark its rows; empty in a hub with one target.
    unit_ids : tuple of str
        Task ids that say whose outcome it is, such as location.
    units_by_id : mapping of str to tuple of str
        The values that each of them may have.
    units : tuple of str
        The subjects: combinations of these, joined by a slash, that the hub may ask for.
    date_id : str or None
        The task id that says when it comes true.
    has_horizon : bool
        Whether a task id says how far ahead that is.
    time_unit : str or None
        Of horizons: day, week, month or year.
    output_types : tuple of str
        What it takes, that first which it is scored on by default.
    output_type_ids : mapping of str to tuple of str
        By output type the levels, thresholds or categories, in the order of declaration, as files write them.
    is_required : bool
        Whether rounds ask everybody for it.
    is_ordered : bool
        Whether its categories, where it has any, come in an order.
    """

    target_id: str
    title: str
    keys: Mapping[str, str]
    unit_ids: tuple[str, ...]
    units_by_id: Mapping[str, tuple[str, ...]]
    units: tuple[str, ...]
    date_id: str | None
    has_horizon: bool
    time_unit: str | None
    output_types: tuple[str, ...]
    output_type_ids: Mapping[str, tuple[str, ...]]
    is_required: bool
    is_ordered: bool

    @classmethod
    def of(cls, hub: Hub, target_id: str) -> "ForecastTarget":
        """A target as the hub's configuration declares it.

        Raises
        ------
        HubError
            If the hub has no such target; the known ones are listed.
        """
        found = [(one, task) for one in hub.rounds for task in one.model_tasks if target_id in _targets(task)]
        if not found:
            raise HubError(f"{hub.name} has no target {target_id!r}; known: {', '.join(hub.targets)}")
        tasks = [task for _, task in found]
        metadata = _targets(tasks[-1])[target_id]
        keys = cls.keys_of(metadata)
        rounds = {name for one, _ in found for name in _round_ids(one)}
        applies = [name for name in tasks[-1].task_ids if any(task.task_ids[name].values for task in tasks)]
        date_id = next((name for name in DATES if name in applies), None)
        apart = {*keys, *rounds, HORIZON, *DATES}
        unit_ids = tuple(name for name in applies if name not in apart)
        kinds = {name for task in tasks for name in task.output_type}
        return cls(
            target_id,
            metadata.target_name or target_id,
            keys,
            unit_ids,
            {name: _values(tasks, name) for name in unit_ids},
            _units(tasks, unit_ids),
            date_id,
            HORIZON in applies and HORIZON not in rounds,
            metadata.time_unit if metadata.time_unit in _UNITS else None,
            tuple(name for name in PREFERRED if name in kinds),
            {name: _ids(tasks, name) for name in PREFERRED if name in kinds},
            any(output.is_required for task in tasks for output in task.output_type.values()),
            metadata.target_type != "nominal",
        )

    @staticmethod
    def keys_of(metadata: TargetMetadata) -> dict[str, str]:
        """The task ids whose values mark a target's rows."""
        return dict(metadata.target_keys or {})

    def output_type(self, asked: str | None = None) -> str:
        """The output type that is scored: the one asked for, or the preferred one of those it takes.

        Raises
        ------
        HubError
            If it does not take the one asked for.
        """
        if asked is None:
            return self.output_types[0]
        if asked not in self.output_types:
            raise HubError(
                f"target {self.target_id!r} takes no output type {asked!r}; it takes {', '.join(self.output_types)}"
            )
        return asked

    def comes_true(self, cycle: pd.Timestamp, horizon: int) -> pd.Timestamp | None:
        """The end of the period that is so many horizons after a round's date; None where the hub does not say."""
        if self.time_unit is None:
            return None
        step: dict[str, Any] = {_UNITS[self.time_unit]: horizon}
        return pd.Timestamp(cycle + pd.DateOffset(**step))

    def horizon(self, cycle: pd.Timestamp, date: pd.Timestamp) -> int | None:
        """How far ahead of a round's date a date is: weeks where horizons are weeks, otherwise days; None between."""
        days = int((date - cycle).days)
        if self.time_unit != "week":
            return days
        return None if days % 7 else days // 7

    @property
    def is_dated(self) -> bool:
        """Whether it is said when an outcome comes true."""
        return self.date_id is not None or (self.has_horizon and self.time_unit is not None)


def default_target(hub: Hub) -> str | None:
    """The target that outcomes are of which name none: the only one, or the only one that is required."""
    targets = [ForecastTarget.of(hub, target_id) for target_id in hub.targets]
    if len(targets) == 1:
        return targets[0].target_id
    required = [one.target_id for one in targets if one.is_required]
    return required[0] if len(required) == 1 else None


def _targets(task: ModelTask) -> dict[str, TargetMetadata]:
    return {one.target_id: one for one in task.target_metadata}


def _round_ids(one: Round) -> tuple[str, ...]:
    """The task ids that name a round."""
    if one.round_id_from_variable:
        return (one.round_id,)
    relative_to = one.submissions_due.relative_to
    return () if relative_to is None else (relative_to,)


def _values(tasks: list[ModelTask], task_id: str) -> tuple[str, ...]:
    """What a task id may be, each once."""
    declared = [task.task_ids[task_id] for task in tasks]
    values = (as_written(value) for one in declared for value in (*one.required, *one.optional))
    return tuple(dict.fromkeys(values))


def _units(tasks: list[ModelTask], unit_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Every combination of the values of some task ids, model task by model task."""
    found: dict[str, None] = {}
    for task in tasks:
        combined = [""]
        for name in unit_ids:
            declared = task.task_ids[name]
            values = [as_written(one) for one in (*declared.required, *declared.optional)] or [""]
            combined = [f"{before}/{value}" if before else value for before in combined for value in values]
        found |= dict.fromkeys(one or WHOLE for one in combined)
    return tuple(found)


def _ids(tasks: list[ModelTask], output_type: str) -> tuple[str, ...]:
    """The ids that any of the tasks declares of an output type; of several lists the last is the order."""
    found: dict[str, None] = {}
    for task in reversed(tasks):
        output = task.output_type.get(output_type)
        if output is not None and output.output_type_id is not None:
            declared = output.output_type_id
            found |= dict.fromkeys(as_written(one) for one in (*declared.required, *declared.optional))
    if output_type in ("quantile", "cdf") and all(_is_number(one) for one in found):
        return tuple(sorted(found, key=float))
    return tuple(found)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
