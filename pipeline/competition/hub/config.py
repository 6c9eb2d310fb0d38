"""A hub's configuration: its rounds, targets, task ids, output types and deadlines.

Read from ``hub-config/tasks.json`` and ``admin.json`` as the hubverse schemas, versions 2 to 6, lay them out; fields
that Podium does not need are left alone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from upath import UPath

TASKS, ADMIN = "hub-config/tasks.json", "hub-config/admin.json"
OUTPUT_TYPES = ("mean", "median", "quantile", "cdf", "pmf", "sample")
POINTS = frozenset({"mean", "median"})
"""Output types of one number, without an id."""

TaskValue = str | int | float | bool

T = TypeVar("T", bound=BaseModel)


class HubError(ValueError):
    """A hub that cannot be read; the message names the file, what is wrong with it, and what would be right."""


class _Part(BaseModel):
    """A part of the configuration; other fields of it are of no matter here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TaskId(_Part):
    """The values that a task id may have; without any the task id does not apply."""

    required: tuple[TaskValue, ...] = ()
    optional: tuple[TaskValue, ...] = ()

    @field_validator("required", "optional", mode="before")
    @classmethod
    def _none_is_empty(cls, values: object) -> object:
        return () if values is None else values

    @cached_property
    def values(self) -> frozenset[str]:
        """All of them, as files write them."""
        return frozenset(map(as_written, (*self.required, *self.optional)))


class ValueRule(_Part):
    """What a predicted value must be."""

    type: Literal["double", "integer", "character", "logical", "date"] = "double"
    minimum: float | None = None
    maximum: float | None = None


class SampleRule(_Part):
    """How many samples a task has, and which task ids may share one."""

    min_samples_per_task: int = Field(ge=0)
    max_samples_per_task: int = Field(ge=1)
    compound_taskid_set: tuple[str, ...] | None = None


class OutputType(_Part):
    """What a prediction of one output type is made of."""

    output_type_id: TaskId | None = None
    output_type_id_params: SampleRule | None = None
    is_required: bool = False
    value: ValueRule = ValueRule()

    @model_validator(mode="before")
    @classmethod
    def _as_of_today(cls, declared: object) -> object:
        """Schemas before version 4 list points as ``required: ["NA"]`` or ``[null]``, and are required by that."""
        if not isinstance(declared, Mapping) or not isinstance(declared.get("output_type_id"), Mapping):
            return declared
        lists = declared["output_type_id"]
        required = [one for one in lists.get("required") or () if one not in (None, "NA")]
        optional = [one for one in lists.get("optional") or () if one not in (None, "NA")]
        is_required = bool(declared.get("is_required", bool(lists.get("required"))))
        return {
            **declared,
            "output_type_id": {"required": required, "optional": optional},
            "is_required": is_required,
        }


class TargetMetadata(_Part):
    """What is predicted."""

    target_id: str
    target_name: str = ""
    target_units: str = ""
    target_keys: dict[str, str] | None = None
    target_type: Literal["continuous", "discrete", "date", "binary", "nominal", "ordinal", "compositional"]
    is_step_ahead: bool = False
    time_unit: str | None = None


class ModelTask(_Part):
    """Tasks that share their output types: any combination of the values of their task ids."""

    task_ids: dict[str, TaskId] = Field(min_length=1)
    output_type: dict[str, OutputType] = Field(min_length=1)
    target_metadata: tuple[TargetMetadata, ...] = Field(min_length=1)

    @field_validator("output_type")
    @classmethod
    def _types_are_known(cls, declared: dict[str, OutputType]) -> dict[str, OutputType]:
        unknown = sorted(set(declared) - set(OUTPUT_TYPES))
        if unknown:
            raise ValueError(f"unknown output type {', '.join(map(repr, unknown))}; known: {', '.join(OUTPUT_TYPES)}")
        return declared


class SubmissionsDue(_Part):
    """When a round takes submissions: dates, or days relative to the value of a task id; the last day is included."""

    start: date | int
    end: date | int
    relative_to: str | None = None

    @model_validator(mode="after")
    def _days_are_of_something(self) -> "SubmissionsDue":
        if self.relative_to is None and (isinstance(self.start, int) or isinstance(self.end, int)):
            raise ValueError("start and end are numbers of days, so relative_to must name the task id they count from")
        return self


class Round(_Part):
    """A round, or with ``round_id_from_variable`` all rounds, each called by its value of that task id."""

    round_id: str
    round_id_from_variable: bool = False
    model_tasks: tuple[ModelTask, ...] = Field(min_length=1)
    submissions_due: SubmissionsDue
    derived_task_ids: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Round":
        names = self.task_ids
        for task in self.model_tasks:
            if tuple(task.task_ids) != names and set(task.task_ids) != set(names):
                raise ValueError(
                    f"model tasks of a round have the same task ids, but one has {', '.join(task.task_ids)} and "
                    f"another {', '.join(names)}"
                )
        asked = {"round_id": self.round_id} if self.round_id_from_variable else {}
        if self.submissions_due.relative_to is not None:
            asked["submissions_due.relative_to"] = self.submissions_due.relative_to
        for field, name in asked.items():
            if name not in names:
                raise ValueError(f"{field} is {name!r}, which is no task id; task ids: {', '.join(names)}")
        return self

    @cached_property
    def task_ids(self) -> tuple[str, ...]:
        """Names of the task ids."""
        return tuple(self.model_tasks[0].task_ids)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The rounds that it stands for, by name, sorted."""
        if not self.round_id_from_variable:
            return (self.round_id,)
        named = (task.task_ids[self.round_id].values for task in self.model_tasks)
        return tuple(sorted(frozenset[str]().union(*named)))

    @cached_property
    def targets(self) -> dict[str, TargetMetadata]:
        """What it asks for, by target id."""
        return {target.target_id: target for task in self.model_tasks for target in task.target_metadata}

    def deadline(self, round_id: str, timezone: ZoneInfo) -> datetime:
        """The end of the last day on which a round takes submissions, UTC without a zone.

        It may be before the date that the round is named after.

        Raises
        ------
        HubError
            If that depends on a date and the round's name is none.
        """
        due = self.submissions_due
        day = due.end
        if isinstance(day, int):
            if not self.round_id_from_variable or due.relative_to != self.round_id:
                raise HubError(
                    f"{TASKS}: submissions of round {round_id!r} are due {day} days after {due.relative_to!r}, which "
                    f"rounds are not named by; give dates"
                )
            try:
                day = date.fromisoformat(round_id) + timedelta(days=day)
            except ValueError:
                raise HubError(f"{TASKS}: round {round_id!r} is no date, but its deadline counts from it") from None
        end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=timezone)
        return end.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


class _Tasks(_Part):
    rounds: tuple[Round, ...] = Field(min_length=1)
    derived_task_ids: tuple[str, ...] = ()


class _Admin(_Part):
    name: str
    file_format: tuple[str, ...] = ("csv", "parquet")
    timezone: str = "UTC"
    model_output_dir: str = "model-output"

    @field_validator("file_format", mode="before")
    @classmethod
    def _one_or_more(cls, declared: object) -> object:
        return (declared,) if isinstance(declared, str) else declared

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no time zone; write one such as US/Eastern or UTC") from None
        return name


class Hub:
    """A hub as its configuration describes it.

    Parameters
    ----------
    path : UPath
        Its folder, local or behind any URL that fsspec knows.
    name : str
    rounds : sequence of Round
    timezone : ZoneInfo
        Of its deadlines.
    file_formats : sequence of str
        Extensions of submissions.
    model_output : str
        The folder of submissions.
    derived_task_ids : sequence of str
        Task ids that follow from others, such as ``target_end_date``.
    """

    def __init__(
        self,
        path: UPath,
        name: str,
        rounds: Sequence[Round],
        timezone: ZoneInfo,
        file_formats: Sequence[str],
        model_output: str,
        derived_task_ids: Sequence[str],
    ) -> None:
        self.path = path
        self.name = name
        self.rounds = tuple(rounds)
        self.timezone = timezone
        self.file_formats = tuple(file_formats)
        self.model_output = model_output
        self.derived_task_ids = tuple(derived_task_ids)

    @cached_property
    def _by_id(self) -> dict[str, Round]:
        return {round_id: one for one in self.rounds for round_id in one.ids}

    @property
    def round_ids(self) -> tuple[str, ...]:
        """The rounds by name, in the order of declaration, then sorted."""
        return tuple(self._by_id)

    @property
    def targets(self) -> dict[str, TargetMetadata]:
        """What any round asks for, by target id."""
        return {target_id: target for one in self.rounds for target_id, target in one.targets.items()}

    def round(self, round_id: str) -> Round:
        """The declaration of a round.

        Raises
        ------
        HubError
            If there is none of that name.
        """
        if round_id not in self._by_id:
            first, last = min(self._by_id, default="none"), max(self._by_id, default="none")
            raise HubError(f"the hub has no round {round_id!r}; it has {len(self._by_id)}, from {first} to {last}")
        return self._by_id[round_id]

    def deadline(self, round_id: str) -> datetime:
        """The end of the last day on which a round takes submissions, UTC without a zone. Errors as :meth:`round`."""
        return self.round(round_id).deadline(round_id, self.timezone)


def read_hub(path: UPath | str) -> Hub:
    """Read a hub's configuration.

    Parameters
    ----------
    path : UPath or str
        Its folder, local or behind any URL that fsspec knows.

    Raises
    ------
    HubError
        If it is no hub, or its configuration is broken; the message names the file and the field.
    """
    folder = _folder(path)
    tasks, admin = _read(folder, TASKS, _Tasks), _read(folder, ADMIN, _Admin)
    rounds = [
        one if one.derived_task_ids is not None else one.model_copy(update={"derived_task_ids": tasks.derived_task_ids})
        for one in tasks.rounds
    ]
    names = [round_id for one in rounds for round_id in one.ids]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HubError(f"{folder / TASKS}: rounds {', '.join(twice[:5])} are declared twice; each round once")
    return Hub(
        folder,
        admin.name,
        rounds,
        ZoneInfo(admin.timezone),
        admin.file_format,
        admin.model_output_dir,
        tasks.derived_task_ids,
    )


def _folder(path: UPath | str) -> UPath:
    """The folder, behind a file system that can be asked.

    Raises
    ------
    HubError
        If there is no such file system, or the package that knows it is not installed.
    """
    try:
        folder = UPath(path)
        folder.fs  # noqa: B018  # where the package that it needs is imported
    except (ValueError, ImportError) as error:
        raise HubError(f"{path} cannot be opened: {error}; give a folder, such as a clone, or another URL") from None
    return folder


def _read(folder: UPath, name: str, model: type[T]) -> T:
    """A file of the configuration."""
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise HubError(f"{folder} is no hub: it has no {name}") from None
    except OSError as error:
        raise HubError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    except UnicodeDecodeError as error:
        raise HubError(f"{path} is not in UTF-8: {error}") from None
    try:
        content: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise HubError(f"{path} is no JSON: line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise HubError(f"{path} is nested too deeply") from None
    return validated(path, model, content)


def validated(path: UPath, model: type[T], content: object) -> T:
    """What a file of the configuration says.

    Raises
    ------
    HubError
        If it is not as it must be; the message names the file and the first field that is wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise HubError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}{more}") from None


def as_written(value: TaskValue) -> str:
    """A value of a task id or an output type id as files write it: 0.5 for 0.50, 1 for 1.0."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
