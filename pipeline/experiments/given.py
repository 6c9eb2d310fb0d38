"""Scores of runs as rows of ``experiments.scores``: those that were given, and those that Podium computed."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from pipeline.experiments.identity import canonical_json
from pipeline.experiments.scorers import Imported, Kind
from pipeline.experiments.scores import numbered, rater_numbers
from pipeline.experiments.scoring import RunScore
from pipeline.tables import EXPERIMENT_SCORES, MACHINE

_SAID = ["run_id", "scorer", "rater", "value", "reason"]
_STATED = [*_SAID, "scored_at"]
_TYPES = {
    one.name: one.dtype
    for one in EXPERIMENT_SCORES.columns
    if one.name not in (EXPERIMENT_SCORES.board, "number", "is_latest")
}
_COLUMNS = list(_TYPES)


def score_table(*parts: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``experiments.scores`` but the experiment's name, out of parts in the order of arrival."""
    rows = pd.concat([part.reindex(columns=_COLUMNS).astype(_TYPES) for part in parts], ignore_index=True)
    return numbered(rows)


def scores_with_runs(rows: pd.DataFrame) -> pd.DataFrame:
    """Values of imported scorers that came with runs; one that a later row only repeats is left out.

    Parameters
    ----------
    rows : DataFrame
        run_id, scores (JSON), created_at, started_at, completed_at and received_at, in the order of arrival.
    """
    found = [json.loads(one) for one in rows["scores"]]
    each = [len(one) for one in found]
    moment = rows["completed_at"].fillna(rows["created_at"]).fillna(rows["started_at"]).fillna(rows["received_at"])
    given = pd.DataFrame(
        {
            "run_id": rows["run_id"].repeat(each).to_numpy(),
            "scorer": pd.Series([name for one in found for name in one], dtype="str"),
            "rater": MACHINE,
            "kind": str(Kind.AUTO),
            "version": Imported.version,
            "value": pd.Series([value for one in found for value in one.values()], dtype="float64"),
            "scored_at": moment.repeat(each).to_numpy(),
        }
    )
    before = given.groupby(["run_id", "scorer"], sort=False)["value"].shift()
    return given[given["value"] != before]


def scores_of_files(rows: pd.DataFrame) -> pd.DataFrame:
    """Scores that came in files of their own; what is stated twice is there once.

    It is stated twice when it is of the same time, or has the same name (``score_id``); a score of the same name that
    says something else, or speaks of another run, is another score.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``landing.score_rows`` in the order of arrival.
    """
    numbers = rater_numbers(rows["rater_name"].dropna(), {})
    given = rows.assign(rater=rows["rater_name"].map(numbers).fillna(MACHINE).astype("int32"))
    is_again = given.duplicated(_STATED) | (given["score_id"].notna() & given.duplicated(["score_id", *_SAID]))
    return given[~is_again]


def computed_scores(
    scored: Iterable[RunScore], stored: pd.DataFrame, moments: Mapping[str, datetime], given: Iterable[str]
) -> pd.DataFrame:
    """Scores that Podium computed, now or before.

    Parameters
    ----------
    scored : iterable of RunScore
        Those computed now.
    stored : DataFrame
        Rows of the table by scorers that are computed; one that is not computed anew still holds.
    moments : mapping of str to datetime
        When each run that is scored ended.
    given : iterable of str
        Identities of scores that were given: they are not Podium's.
    """
    new = list(scored)
    anew = {(one.run_id, one.scorer) for one in new}
    pairs = zip(stored["run_id"], stored["scorer"], stored["identity"], strict=True)
    others = {*given, None}
    holds = [(run, scorer) not in anew and run in moments and identity not in others for run, scorer, identity in pairs]
    kept = stored[pd.Series(holds, stored.index, dtype=bool) & stored["identity"].notna()]
    rows = pd.DataFrame([score_row(one) for one in new], columns=_COLUMNS)
    return pd.concat([kept[_COLUMNS], rows], ignore_index=True).assign(
        scored_at=lambda both: pd.to_datetime(both["run_id"].map(moments))
    )


def score_row(one: RunScore) -> dict[str, Any]:
    """A score that Podium computed, without its time."""
    return {
        "run_id": one.run_id,
        "scorer": one.scorer,
        "rater": MACHINE,
        "kind": str(one.kind),
        "version": one.version,
        "identity": one.identity,
        "value": one.scoring.value,
        "reason": one.scoring.reason,
        "details": details_json(one.scoring.details),
    }


def details_json(details: Mapping[str, Any] | None) -> str | None:
    """What a score is made of as canonical JSON; None for nothing. Errors are those of canonical_json."""
    return canonical_json(dict(details)) if details else None
