"""What rows of files must meet in an experiment, and the rows of tables that they become.

Each ``*_rows`` function takes rows whose columns have their types already, indexed by their place in the file, and
gives those that are accepted and the reasons of those that are not. Pure: what is known is given.
"""

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pandas as pd

from pipeline.experiments.asked import Asked, Asking
from pipeline.experiments.declaration import Experiment
from pipeline.experiments.files import OF_CONFIG
from pipeline.experiments.given import details_json
from pipeline.experiments.identity import canonical_json, run_id
from pipeline.experiments.scored import STATUSES
from pipeline.experiments.scorers import Human, Imported, Kind, Scorer, Scoring
from pipeline.experiments.stages import as_stages

Judged = tuple[pd.DataFrame, "pd.Series[str]"]
"""Rows to store, with ``row_number``; reasons of the others, by row number."""

SCORER_COLUMN = "scores."
"""What the names of imported scorers begin with, among the columns of rows."""

AHEAD = timedelta(days=1)
"""How far a time may be ahead of its file's arrival, for clocks and zones; beyond, it would pass for the newest."""

_AMOUNTS = ("duration_ms", "tokens_in", "tokens_out", "cost")
_ASKED = ("config", *OF_CONFIG, "prompt_name", "prompt_version", "input_id")
_KEPT = (
    *("repeat", "status", "created_at", "started_at", "completed_at", *_AMOUNTS),
    *("output", "error", "error_detail"),
)


def run_rows(
    rows: pd.DataFrame,
    received_at: datetime,
    experiment: Experiment,
    variables: Mapping[str, Mapping[str, Any]],
) -> Judged:
    """Runs of a file.

    Parameters
    ----------
    rows : DataFrame
        The columns of :data:`pipeline.experiments.files.RUN_COLUMNS`, and one for each imported scorer, its name
        behind :data:`SCORER_COLUMN`.
    received_at : datetime
        When the file arrived, UTC.
    experiment : Experiment
    variables : mapping of str to mapping
        Variables of declared inputs by their ids, which stand for them in rows without ``input_data``.

    Returns
    -------
    rows : DataFrame
        Rows of ``landing.run_rows``.
    reasons : Series of str
    """
    reasons = _Reasons(rows.index)
    _refuse_amounts(reasons, rows)
    _refuse_order(reasons, rows, received_at)
    asked = _each(reasons, rows[list(_ASKED)], Asking(experiment, variables))
    stages = _each(reasons, rows[["stages"]], lambda text: None if text is None else canonical_json(as_stages(text)))
    scores = _imported(reasons, rows, experiment)
    stored = pd.DataFrame(
        {
            "received_at": received_at,
            **_columns_of(asked, rows.index),
            **{name: rows[name] for name in _KEPT},
            "stages": pd.Series(stages, rows.index, dtype="str"),
            "scores": pd.Series(scores, rows.index, dtype="str"),
        },
        index=rows.index,
    )
    return stored[reasons.none].rename_axis("row_number").reset_index(), reasons.told


def score_rows(
    rows: pd.DataFrame, received_at: datetime, experiment: Experiment, runs: AbstractSet[str] | None
) -> Judged:
    """Scores of a file.

    Parameters
    ----------
    rows : DataFrame
        The columns of :data:`pipeline.experiments.files.SCORE_COLUMNS`.
    received_at : datetime
        When the file arrived, UTC.
    experiment : Experiment
    runs : set of str or None
        Ids of the runs that are known; None where that cannot be told.

    Returns
    -------
    rows : DataFrame
        Rows of ``landing.score_rows``.
    reasons : Series of str
    """
    reasons = _Reasons(rows.index)
    judge = _Score(experiment, runs, received_at)
    found = _each(reasons, rows, lambda *cells: judge(dict(zip(rows.columns, cells, strict=True))))
    good = [one for one in found if one is not None]
    stored = pd.DataFrame(good, index=rows.index[reasons.none], columns=list(judge.columns))
    texts = {name: "str" for name in judge.columns if name not in ("value", "scored_at")}
    stored = stored.astype({**texts, "value": "float64", "scored_at": "datetime64[us]"})
    stored["scored_at"] = stored["scored_at"].fillna(received_at)
    stored.insert(0, "received_at", received_at)
    return stored.rename_axis("row_number").reset_index(), reasons.told


@dataclass
class _Reasons:
    """Why rows are refused."""

    index: "pd.Index[Any]"
    by_row: dict[Any, list[str]] = field(default_factory=dict)

    def add(self, which: "pd.Series[Any]", values: "pd.Series[Any]", wrong: str) -> None:
        """Refuse the rows of a mask; ``wrong`` has ``{}`` where the value goes."""
        for at in self.index[which.fillna(False).to_numpy(dtype=bool)]:
            self.refuse(at, wrong.format(repr(str(values[at]))))

    def refuse(self, at: Any, reason: str) -> None:
        """Refuse a row."""
        self.by_row.setdefault(at, []).append(reason)

    @property
    def none(self) -> "pd.Series[bool]":
        """Which rows are not refused."""
        return pd.Series(~self.index.isin(list(self.by_row)), index=self.index)

    @property
    def told(self) -> "pd.Series[str]":
        """The reasons of each row, one behind the other."""
        return pd.Series({at: "; ".join(said) for at, said in sorted(self.by_row.items())}, dtype=object)


def _each(reasons: _Reasons, rows: pd.DataFrame, made: Callable[..., Any]) -> list[Any]:
    """What is made of the cells of each row, None for a missing cell; what it raises is why the row is refused."""
    cells = [rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in rows.columns]
    found = []
    for at, row in zip(rows.index, zip(*cells, strict=True), strict=True):
        try:
            found.append(made(*row))
        except ValueError as error:
            reasons.refuse(at, str(error))
            found.append(None)
    return found


def _refuse_amounts(reasons: _Reasons, rows: pd.DataFrame) -> None:
    for name in _AMOUNTS:
        reasons.add(rows[name] < 0, rows[name], f"{name} {{}} is below 0; leave it empty where it is unknown")
    reasons.add(rows["repeat"] < 1, rows["repeat"], "repeat {} is below 1; repeats count from 1")


def _refuse_order(reasons: _Reasons, rows: pd.DataFrame, received_at: datetime) -> None:
    unknown = ~rows["status"].isin(STATUSES)
    reasons.add(unknown, rows["status"], f"status {{}} is unknown; known: {', '.join(STATUSES)}")
    early = rows["completed_at"] < rows["started_at"]
    reasons.add(early, rows["completed_at"], "completed_at {} is before started_at; correct one of them")
    for name in ("created_at", "started_at", "completed_at"):
        ahead = rows[name] > received_at + AHEAD
        reasons.add(ahead, rows[name], f"{name} {{}} is in the future; correct it, in UTC")


def _columns_of(asked: list[Asked | None], index: "pd.Index[Any]") -> dict[str, "pd.Series[Any]"]:
    nothing = Asked("", "", None, None, None)
    columns = zip(*(one or nothing for one in asked), strict=True)
    return {
        name: pd.Series(values, index, dtype="str")
        for name, values in zip(Asked._fields, columns if asked else [[]] * len(Asked._fields), strict=True)
    }


def _imported(reasons: _Reasons, rows: pd.DataFrame, experiment: Experiment) -> list[str | None]:
    """Values of imported scorers as JSON, by name, from 0 to 1; None without any."""
    columns = [_scaled(reasons, rows[SCORER_COLUMN + name], name, experiment) for name in experiment.imported]
    found: list[str | None] = []
    for values in zip(*columns, strict=True):
        given = {name: one for name, one in zip(experiment.imported, values, strict=True) if one is not None}
        found.append(json.dumps(given) if given else None)
    return found or [None] * len(rows)


def _scaled(reasons: _Reasons, given: "pd.Series[Any]", name: str, experiment: Experiment) -> list[float | None]:
    """Values of a scorer as shares of its scale; each distinct one is worked out once."""
    scorer = experiment.made_scorers[name]
    shares: dict[float, float | None] = {}
    for value in given.dropna().unique():
        try:
            shares[value] = cast(Imported, scorer).scaled(float(value)).value
        except ValueError as error:
            for at in given.index[given == value]:
                reasons.refuse(at, f"{name}: {error}")
    return [shares.get(value) for value in given]


@dataclass(frozen=True)
class _Score:
    """A row of a file of scores, judged."""

    experiment: Experiment
    runs: AbstractSet[str] | None
    received_at: datetime

    columns = (
        *("score_id", "run_id", "scorer", "kind", "rater_name", "version", "identity", "value", "reason", "details"),
        "scored_at",
    )

    def __call__(self, row: dict[str, Any]) -> tuple[Any, ...]:
        """Its columns of ``landing.score_rows``.

        Raises
        ------
        ValueError
            If something is wrong in it.
        """
        scorer = self._scorer(row["scorer"])
        kind = self._kind(row, scorer)
        scoring = _scoring(row, scorer)
        if row["rater"] is None:
            self._refuse_computed(row["scorer"])
        if row["scored_at"] is not None and row["scored_at"] > self.received_at + AHEAD:
            raise ValueError(f"scored_at {str(row['scored_at'])!r} is in the future; correct it, in UTC")
        details = _details(row, scoring)
        return (
            row["score_id"],
            self._run(row),
            row["scorer"],
            kind,
            row["rater"],
            row["version"] or scorer.version,
            row["identity"],
            scoring.value,
            scoring.reason,
            details_json(details),
            row["scored_at"],
        )

    def _run(self, row: dict[str, Any]) -> str:
        if (row["run_id"] is None) == (row["config_hash"] is None):
            raise ValueError("it names no run, or names it twice; give run_id, or config_hash and repeat")
        if row["repeat"] is not None and row["repeat"] < 1:
            raise ValueError(f"repeat {str(row['repeat'])!r} is below 1; repeats count from 1")
        run = row["run_id"] or run_id(self.experiment.name, row["config_hash"], int(row["repeat"] or 1))
        if self.runs is not None and run not in self.runs:
            raise ValueError(f"run {run!r} is not known; land the run first, or at the same time")
        return str(run)

    def _scorer(self, name: str) -> Scorer:
        made = self.experiment.made_scorers
        if name not in made:
            raise ValueError(f"scorer {name!r} is not declared; known: {', '.join(made) or 'none'}")
        return made[name]

    def _kind(self, row: dict[str, Any], scorer: Scorer) -> str:
        if row["rater"] is None and (row["kind"] == Kind.HUMAN or isinstance(scorer, Human)):
            raise ValueError("rater is missing; say who gave the score")
        if row["rater"] is not None and row["kind"] not in (None, Kind.HUMAN):
            raise ValueError(f"rater is given, and kind is {row['kind']!r}; a score by a person is of kind 'human'")
        try:
            return Kind.HUMAN if row["rater"] is not None else Kind(row["kind"] or scorer.kind)
        except ValueError as error:
            raise ValueError(f"kind {row['kind']!r} is unknown; known: {', '.join(Kind)}") from error

    def _refuse_computed(self, name: str) -> None:
        if name in self.experiment.computed:
            raise ValueError(
                f"scorer {name!r} is computed by Podium; say who gave the score, or declare an imported scorer for it"
            )


def _scoring(row: dict[str, Any], scorer: Scorer) -> Scoring:
    """The value of a score, or why there is none."""
    value, rating, reason = row["value"], row["rating"], row["reason"]
    if sum(one is not None for one in (value, rating, reason)) != 1:
        raise ValueError(
            "it has not one of value, rating and reason; give value from 0 to 1, rating on the scorer's scale, "
            "or the reason why there is none"
        )
    if reason is not None:
        return Scoring.undefined(reason)
    if rating is None:
        if not 0 <= value <= 1:
            raise ValueError(f"value {str(value)!r} is not from 0 to 1; give rating for one on the scorer's own scale")
        return Scoring(value)
    if isinstance(scorer, Human):
        return scorer.rating(rating)
    if isinstance(scorer, Imported):
        return scorer.scaled(rating)
    raise ValueError(f"rating is given, but scorer {row['scorer']!r} has no scale; give value from 0 to 1")


def _details(row: dict[str, Any], scoring: Scoring) -> dict[str, Any]:
    given = {} if row["details"] is None else json.loads(row["details"])
    if not isinstance(given, dict):
        raise ValueError("details is no JSON object; write {name: value}")
    comment = {} if row["comment"] is None else {"comment": row["comment"]}
    return {**scoring.details, **given, **comment}
