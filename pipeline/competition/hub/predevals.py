"""The evaluation sets of a hub's dashboard, as hubPredEvalsData reads them from ``predevals-config.yml``.

The options that a dashboard publishes (``predevals-options.json``) have the same form and are read as well. Schemas
1.0.1 and 1.1.0; of scale transformations only those that Podium scores on.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from upath import UPath

from pipeline.competition.evaluations import Breakdown, Column, CyclesSpec, EvaluationSpec
from pipeline.competition.hub.config import HubError, as_written, validated
from pipeline.competition.hub.plain_yaml import load_plain

PREDEVALS = ("hub-config/predevals-config.yml", "predevals-config.yml", "predevals-options.json")
"""Where a hub or its dashboard keeps it."""

Scale = Literal["natural", "log1p", "sqrt"]

_OTHER_NAMES = {"ae_point": "absolute_error", "se_point": "squared_error"}
"""Measures that Podium calls otherwise."""


def _listed(declared: object) -> object:
    return [declared] if isinstance(declared, str | int) else declared


def _as_text(value: object) -> object:
    return as_written(value) if isinstance(value, int | float) else str(value)


Values = Annotated[tuple[Annotated[str, BeforeValidator(_as_text)], ...], BeforeValidator(_listed), Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Part(BaseModel):
    """A part of the configuration; a field that is not known would change the board unnoticed, so it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Transform(_Part):
    """The scale on which predictions are scored, beside the natural one or in its place."""

    fun: str
    args: dict[str, Any] = Field(default_factory=dict)
    append: bool = True
    label: str | None = None
    description: str = ""


class PredevalsTarget(_Part):
    """What is said of the models for one target."""

    target_id: str = Field(min_length=1)
    metrics: Names = Field(min_length=1)
    relative_metrics: Names = ()
    baseline: str | None = None
    disaggregate_by: Names = ()
    transform: Transform | Literal[False] | None = None

    @model_validator(mode="after")
    def _relative_to_something(self) -> "PredevalsTarget":
        if self.relative_metrics and self.baseline is None:
            raise ValueError(
                f"target {self.target_id!r} has relative_metrics and no baseline; name the model whose skill is 1"
            )
        return self


class RoundFilters(_Part):
    """Which rounds count."""

    min: Annotated[str, BeforeValidator(_as_text)] | None = None
    n_last: int | None = Field(default=None, ge=1)


class EvalSet(_Part):
    """Which tasks count."""

    eval_set_name: str = Field(min_length=1)
    round_filters: RoundFilters = RoundFilters()
    task_filters: dict[str, Values] = Field(default_factory=dict)


class _Config(_Part):
    schema_version: str = ""
    transform_defaults: Transform | None = None
    targets: tuple[PredevalsTarget, ...] = Field(min_length=1)
    eval_sets: tuple[EvalSet, ...] = Field(min_length=1)
    task_id_text: dict[str, dict[Annotated[str, BeforeValidator(_as_text)], str]] = Field(default_factory=dict)
    rounds_idx: int = Field(default=0, ge=0)
    initial_sort_column: str | None = None


@dataclass(frozen=True)
class TaskNames:
    """How a hub calls what Podium's tasks are made of.

    Parameters
    ----------
    cycle : str
        The task id that rounds are named by.
    units : mapping of str to sequence of str
        The task ids that say whose outcome it is, in the order in which a subject joins them by a slash, and the
        values that each may have.
    horizon, target_time : str
    """

    cycle: str = "reference_date"
    units: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"location": ()})
    horizon: str = "horizon"
    target_time: str = "target_end_date"

    def breakdown(self, task_id: str) -> Breakdown | None:
        """What divides Podium's tasks as a task id does; None where nothing does."""
        known: dict[str, Breakdown] = {self.cycle: "cycle", self.horizon: "horizon", self.target_time: "target_time"}
        if len(self.units) == 1:
            known[next(iter(self.units))] = "subject"
        return known.get(task_id)

    def subjects(self, filters: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
        """The subjects that filters on task ids leave; None for all."""
        if not any(unit in filters for unit in self.units):
            return None
        values = [filters.get(unit, known) for unit, known in self.units.items()]
        return tuple("/".join(joined) for joined in itertools.product(*values))


class Predevals:
    """The configuration of a hub's evaluations.

    Parameters
    ----------
    path : UPath
        Where it comes from.
    config : _Config
    """

    def __init__(self, path: UPath, config: _Config) -> None:
        self.path = path
        self.eval_sets = config.eval_sets
        self.targets = {target.target_id: target for target in config.targets}
        self.rounds_idx = config.rounds_idx
        self.task_id_text = config.task_id_text
        self._transform_defaults = config.transform_defaults

    def scale(self, target_id: str) -> Scale:
        """The scale on which a target is scored: ``natural``, ``log1p`` or ``sqrt``.

        Where a dashboard shows scores on both the natural and another scale (``append``), this is the natural one.

        Raises
        ------
        HubError
            If it is another scale, or there is no such target.
        """
        declared = self._target(target_id).transform
        transform = self._transform_defaults if declared is None else declared
        if not transform or transform.append:
            return "natural"
        if transform.fun in ("log1p", "sqrt"):
            return "log1p" if transform.fun == "log1p" else "sqrt"
        if transform.fun == "log_shift" and transform.args.get("offset") == 1:
            return "log1p"
        raise HubError(
            f"{self.path}: target {target_id!r} is to be scored on the scale {transform.fun!r}; Podium scores on log1p "
            f"(log_shift with offset 1) and sqrt, or on the natural scale"
        )

    def evaluations(
        self, target_id: str, names: TaskNames, measures: Collection[str] | None = None
    ) -> tuple[tuple[EvaluationSpec, ...], tuple[str, ...]]:
        """The evaluation sets of a target, and what of them Podium leaves out.

        Parameters
        ----------
        target_id : str
        names : TaskNames
        measures : collection of str, optional
            Those that predictions of the target have; others are left out. By default all are taken to be known.

        Returns
        -------
        tuple of EvaluationSpec
            The last ``n_last`` rounds are counted among those for which there is any prediction in the set.
        tuple of str
            What is left out, and why, one sentence each.

        Raises
        ------
        HubError
            If there is no such target, a filter is on something that is no task id, or no metric is left.
        """
        target = self._target(target_id)
        named = [_OTHER_NAMES.get(metric, metric) for metric in target.metrics]
        unknown = [name for name in named if measures is not None and Column.of(name).measure not in measures]
        by = {task_id: names.breakdown(task_id) for task_id in target.disaggregate_by}
        notes = [f"metric {name} of target {target_id!r} is left out: its predictions have none" for name in unknown]
        notes += [
            f"target {target_id!r} is not divided by {task_id}: Podium divides by {', '.join(_divisors(names))}"
            for task_id, breakdown in by.items()
            if breakdown is None
        ]
        metrics = tuple(dict.fromkeys(name for name in named if name not in unknown))
        if not metrics:
            raise HubError(f"{self.path}: target {target_id!r} has no metric that its predictions have")
        relative = [_OTHER_NAMES.get(metric, metric) for metric in target.relative_metrics]
        declared = {
            "metrics": metrics,
            "relative_metrics": tuple(name for name in relative if measures is None or name in measures),
            "baseline": target.baseline,
            "by": tuple(dict.fromkeys(breakdown for breakdown in by.values() if breakdown is not None)),
        }
        return tuple(self._spec(one, names, declared) for one in self.eval_sets), tuple(notes)

    def _target(self, target_id: str) -> PredevalsTarget:
        if target_id not in self.targets:
            raise HubError(f"{self.path} has no target {target_id!r}; it has: {', '.join(self.targets)}")
        return self.targets[target_id]

    def _spec(self, one: EvalSet, names: TaskNames, declared: Mapping[str, object]) -> EvaluationSpec:
        filters = one.task_filters
        known = (names.cycle, names.horizon, names.target_time, *names.units)
        unknown = [task_id for task_id in filters if task_id not in known]
        if unknown:
            raise HubError(
                f"{self.path}: evaluation set {one.eval_set_name!r} filters on {', '.join(unknown)}; "
                f"known: {', '.join(known)}"
            )
        try:
            return EvaluationSpec.model_validate(
                {
                    **declared,
                    "name": one.eval_set_name,
                    "cycles": CyclesSpec.model_validate(
                        {
                            "since": one.round_filters.min,
                            "last": one.round_filters.n_last,
                            "only": filters.get(names.cycle),
                        }
                    ),
                    "subjects": names.subjects(filters),
                    "horizons": filters.get(names.horizon),
                    "target_times": filters.get(names.target_time),
                }
            )
        except ValueError as error:
            said = " ".join(str(error).split())
            raise HubError(f"{self.path}: evaluation set {one.eval_set_name!r}: {said}") from None


def _divisors(names: TaskNames) -> list[str]:
    every = (names.cycle, names.horizon, names.target_time, *names.units)
    return [task_id for task_id in every if names.breakdown(task_id) is not None]


def read_predevals(path: UPath | str) -> Predevals:
    """Read the evaluation sets of a hub: its YAML, or the JSON that its dashboard publishes.

    Raises
    ------
    HubError
        If the file is not there or is no such configuration; the message names the file and the field.
    """
    file = UPath(path)
    try:
        content = load_plain(file.read_text(encoding="utf-8"))  # JSON is YAML too
    except (FileNotFoundError, IsADirectoryError):
        raise HubError(f"{file} is not there; a predevals configuration is a file such as {PREDEVALS[0]}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise HubError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    return Predevals(file, validated(file, _Config, content))


def find_predevals(folder: UPath | str) -> Predevals | None:
    """The evaluation sets that a hub keeps in its folder; None when it has none there. Errors as read_predevals."""
    for name in PREDEVALS:
        if (UPath(folder) / name).exists():
            return read_predevals(UPath(folder) / name)
    return None
