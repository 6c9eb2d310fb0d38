"""What a hub refuses of a submission: every rule that its configuration sets, row by row and task by task.

A task is what one forecast is about: a combination of task ids. A rule about a whole forecast, such as that quantiles
do not cross, refuses all rows of it.

References
----------
The checks are those of hubValidations (https://hubverse-org.github.io/hubValidations) that concern a file's content.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools
from pipeline.competition.hub.config import POINTS, ModelTask, OutputType, Round, SampleRule, as_written
from pipeline.competition.whole import WholeForecasts, Wrong, some

STANDARD = ("output_type", "output_type_id", "value")
"""The columns of every submission besides its task ids."""

NOT_APPLICABLE = frozenset({"", "NA"})
"""How files write that a task id does not apply."""


class Rule(StrEnum):
    """What a refused row breaks."""

    ROUND = "round"
    TASK_ID = "task_id"
    COMBINATION = "combination"
    OUTPUT_TYPE = "output_type"
    OUTPUT_TYPE_ID = "output_type_id"
    VALUE = "value"
    DUPLICATE = "duplicate"
    MISSING_LEVELS = "missing_levels"
    CROSSING = "crossing_quantiles"
    PROBABILITIES = "probabilities"
    SAMPLES = "samples"
    DATE = "date"
    COLUMNS = "columns"
    FILE = "file"


def column_problems(columns: Sequence[str], declared: Round) -> list[str]:
    """What is wrong with the columns of a file; it must have those of the round and no other, in any order."""
    wanted = (*declared.task_ids, *STANDARD)
    missing = [name for name in wanted if name not in columns]
    unknown = [name for name in columns if name not in wanted]
    twice = sorted({name for name in columns if list(columns).count(name) > 1})
    return [
        f"{what}: {', '.join(names)}; a submission has {', '.join(wanted)}"
        for what, names in (("missing columns", missing), ("unexpected columns", unknown), ("columns twice", twice))
        if names
    ]


def refused(rows: pd.DataFrame, declared: Round, round_id: str) -> pd.DataFrame:
    """The rows of a submission that break a rule.

    Parameters
    ----------
    rows : DataFrame
        The columns of a submission, see :func:`column_problems`, as any reader gives them.
    declared : Round
        The round that it was sent to.
    round_id : str
        The round's name.

    Returns
    -------
    DataFrame
        row (place among ``rows``), rule, reason; the first rule that a row breaks, in the order of rows.
    """
    return refused_rows(Rows.of(rows, declared.task_ids), declared, round_id)


def refused_rows(rows: "Rows", declared: Round, round_id: str) -> pd.DataFrame:
    """The same of rows that are coded already."""
    checked = _Checked(rows, declared)
    checked.check_round(round_id)
    checked.check_tasks()
    checked.check_duplicates()
    checked.check_forecasts()
    return checked.table()


@dataclass(frozen=True)
class IdColumn:
    """A column of texts: each distinct one once, since a hub repeats them thousands of times."""

    codes: npt.NDArray[np.int64]
    distinct: npt.NDArray[np.object_]

    @classmethod
    def of(cls, values: "pd.Series[Any]") -> "IdColumn":
        """Values as files write them; absent ones are empty."""
        codes, distinct = pd.factorize(values, use_na_sentinel=True)
        texts = np.array([*map(_written, distinct), ""], dtype=object)
        return cls(np.where(codes < 0, len(texts) - 1, codes), texts)

    def among(self, allowed: Collection[str]) -> Bools:
        """Which rows have one of these."""
        return np.array([one in allowed for one in self.distinct], dtype=bool)[self.codes]

    def texts(self) -> npt.NDArray[np.object_]:
        """The text of every row."""
        return self.distinct[self.codes]

    def renamed(self, rename: Callable[[str], str], where: Bools) -> "IdColumn":
        """The column with some rows' texts replaced."""
        renamed = np.array([*self.distinct, *map(rename, self.distinct)], dtype=object)
        return IdColumn(np.where(where, self.codes + len(self.distinct), self.codes), renamed)


@dataclass(frozen=True)
class Rows:
    """The rows of a submission: every id as text, as :func:`as_written` writes it, and the value as a number."""

    ids: Mapping[str, IdColumn]
    value: npt.NDArray[np.float64]
    value_text: IdColumn

    @classmethod
    def of(cls, rows: pd.DataFrame, task_ids: Sequence[str]) -> "Rows":
        """From what a reader gives; ``value`` is NaN where it is no number."""
        ids = {name: IdColumn.of(rows[name]) for name in (*task_ids, "output_type", "output_type_id")}
        ids["output_type_id"] = ids["output_type_id"].renamed(_level, ids["output_type"].among({"quantile", "cdf"}))
        value = pd.to_numeric(rows["value"], errors="coerce").to_numpy(dtype=np.float64)
        return cls(ids, value, IdColumn.of(rows["value"]))

    def __len__(self) -> int:
        return len(self.value)

    def group(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """A number for each combination of some ids that occurs; shape (rows,)."""
        code: npt.NDArray[np.int64] = np.zeros(len(self), dtype=np.int64)
        for name in names:
            _, of_text = np.unique(self.ids[name].distinct.astype(str), return_inverse=True)
            _, code = np.unique(code * len(of_text) + of_text[self.ids[name].codes], return_inverse=True)
        return code


def _level(text: str) -> str:
    """A level as the configuration writes it; what is no number stays."""
    try:
        return as_written(float(text))
    except ValueError:
        return text


def _written(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if hasattr(value, "isoformat"):  # a date, or a time that stands for one
        return str(value.isoformat())[:10]
    return as_written(value.item() if isinstance(value, np.generic) else value)  # type: ignore[arg-type]


class _Checked:
    """Rows with the first rule that each breaks."""

    def __init__(self, rows: Rows, declared: Round) -> None:
        self._rows = rows
        self._declared = declared
        self._rule = np.full(len(rows), None, dtype=object)
        self._reason = np.full(len(rows), None, dtype=object)
        self._task = np.full(len(rows), -1)
        self._forecast = rows.group([*declared.task_ids, "output_type"])

    def table(self) -> pd.DataFrame:
        row = np.flatnonzero(~self._standing)
        return pd.DataFrame({"row": row, "rule": self._rule[row], "reason": self._reason[row]})

    def _refuse(self, where: Bools, rule: Rule, reason: str, column: IdColumn | None = None) -> None:
        """Refuse rows that nothing else refused; the reason is filled in with what each has in a column."""
        new = np.flatnonzero(where & self._standing)
        if len(new):
            self._reason[new] = reason if column is None else [reason.format(text) for text in column.texts()[new]]
            self._rule[new] = str(rule)

    @property
    def _standing(self) -> Bools:
        return np.asarray(self._rule == None)  # noqa: E711

    def check_round(self, round_id: str) -> None:
        if self._declared.round_id_from_variable:
            name = self._declared.round_id
            reason = f"{name} is {{}}, but the file is for round {round_id}"
            self._refuse(~self._rows.ids[name].among({round_id}), Rule.ROUND, reason, self._rows.ids[name])

    def check_tasks(self) -> None:
        """Task ids, then what is predicted of them; a row is of the first model task that has its combination."""
        tasks = self._declared.model_tasks
        for name in self._declared.task_ids:
            allowed = _allowed([task.task_ids[name].values for task in tasks])
            column = self._rows.ids[name]
            self._refuse(~column.among(allowed), Rule.TASK_ID, f"{name} {{!r}} is not among {some(allowed)}", column)
        for place in reversed(range(len(tasks))):
            self._task[_is_of(self._rows, tasks[place])] = place
        self._refuse(self._task < 0, Rule.COMBINATION, "no task of the round has this combination of task ids")
        for place, task in enumerate(tasks):
            self._check_outputs(self._task == place, task)

    def _check_outputs(self, of_task: Bools, task: ModelTask) -> None:
        kinds = self._rows.ids["output_type"]
        reason = f"output type {{!r}} is not asked for; asked for: {', '.join(task.output_type)}"
        self._refuse(of_task & ~kinds.among(task.output_type), Rule.OUTPUT_TYPE, reason, kinds)
        for kind, output in task.output_type.items():
            of_kind = of_task & kinds.among({kind})
            if of_kind.any():
                self._check_ids(of_kind, kind, output)
                self._check_values(of_kind, output)

    def _check_ids(self, of_kind: Bools, kind: str, output: OutputType) -> None:
        ids = self._rows.ids["output_type_id"]
        if kind == "sample":
            self._refuse(of_kind & ids.among({""}), Rule.OUTPUT_TYPE_ID, "a sample needs a number or a name")
            return
        declared = frozenset[str]() if output.output_type_id is None else output.output_type_id.values
        allowed = NOT_APPLICABLE if kind in POINTS else declared
        reason = f"output_type_id {{!r}} of a {kind} is not among {some(allowed)}"
        self._refuse(of_kind & ~ids.among(allowed), Rule.OUTPUT_TYPE_ID, reason, ids)

    def _check_values(self, of_kind: Bools, output: OutputType) -> None:
        value, rule = self._rows.value, output.value
        if rule.type not in ("double", "integer"):
            return
        wrong = [(~np.isfinite(value), "is no finite number")]
        if rule.type == "integer":
            wrong.append((value != np.round(value), "is no whole number"))
        if rule.minimum is not None:
            wrong.append((value < rule.minimum, f"is below {rule.minimum:g}"))
        if rule.maximum is not None:
            wrong.append((value > rule.maximum, f"is above {rule.maximum:g}"))
        for where, what in wrong:
            self._refuse(of_kind & where, Rule.VALUE, f"value {{!r}} {what}", self._rows.value_text)

    def check_duplicates(self) -> None:
        row = np.flatnonzero(self._standing)
        key = self._rows.group([*self._declared.task_ids, "output_type", "output_type_id"])[row]
        repeated = np.zeros(len(self._rows), dtype=bool)
        repeated[row] = np.bincount(key)[key] > 1 if len(row) else False
        self._refuse(repeated, Rule.DUPLICATE, "the same forecast is given more than once")

    def check_forecasts(self) -> None:
        """What the rows of a forecast must be together: one with a refused row has been judged already."""
        kinds = self._rows.ids["output_type"]
        broken = np.unique(self._forecast[~self._standing])
        whole = ~np.isin(self._forecast, broken)
        self._refuse(
            ~whole & kinds.among({"quantile", "cdf", "pmf"}),
            Rule.MISSING_LEVELS,
            "another row of this forecast is refused, and a part of it says something else",
        )
        for place, task in enumerate(self._declared.model_tasks):
            for kind, output in task.output_type.items():
                of_kind = whole & (self._task == place) & kinds.among({kind})
                if of_kind.any():
                    self._check_forecasts(np.flatnonzero(of_kind), kind, output)

    def _check_forecasts(self, rows: npt.NDArray[np.int64], kind: str, output: OutputType) -> None:
        ids = self._rows.ids["output_type_id"]
        names, forecast = np.unique(self._forecast[rows], return_inverse=True)
        forecasts = WholeForecasts(len(names), forecast, ids.codes[rows], ids.distinct, self._rows.value[rows])
        for rule, wrong in _wrong(forecasts, kind, output):
            if not wrong:
                continue
            of_row = IdColumn.of(pd.Series(forecast).map(wrong))
            where = np.zeros(len(self._rows), dtype=bool)
            where[rows] = of_row.codes < len(of_row.distinct) - 1
            told = IdColumn(np.zeros(len(self._rows), dtype=np.int64), of_row.distinct)
            told.codes[rows] = of_row.codes
            self._refuse(where, rule, "{}", told)


def _wrong(forecasts: WholeForecasts, kind: str, output: OutputType) -> Iterator[tuple[Rule, Wrong]]:
    """The forecasts that break each rule, with the reason."""
    ids = output.output_type_id
    needed = () if kind in POINTS or ids is None else tuple(map(as_written, ids.required))
    for fault, wrong in forecasts.wrong(kind, needed):
        yield Rule(str(fault)), wrong
    if kind == "sample" and output.output_type_id_params is not None:
        yield Rule.SAMPLES, _too_few_or_many(forecasts, output.output_type_id_params)


def _too_few_or_many(forecasts: WholeForecasts, asked: SampleRule) -> Wrong:
    """The forecasts that have another number of samples than is asked for."""
    count = np.bincount(forecasts.forecast, minlength=forecasts.n)
    off = np.flatnonzero((count < asked.min_samples_per_task) | (count > asked.max_samples_per_task))
    limits = f"{asked.min_samples_per_task} to {asked.max_samples_per_task}"
    return {int(one): f"{count[one]} samples; {limits} are asked for" for one in off}


def _allowed(values: Sequence[frozenset[str]]) -> frozenset[str]:
    """What any of the tasks allows; where a task id does not apply, nothing is written."""
    found = frozenset[str]().union(*values)
    return found if all(values) else found | NOT_APPLICABLE


def _is_of(rows: Rows, task: ModelTask) -> Bools:
    """Which rows have a combination of a task's ids."""
    found = np.ones(len(rows), dtype=bool)
    for name, values in task.task_ids.items():
        found &= rows.ids[name].among(_allowed([values.values]))
    return found
