"""Which submission of a model counts for a cycle, when several files predict it."""

import pandas as pd

from pipeline.competition.contract import Contract

SUBMISSION = ["model_id", "cycle", "file_number"]
SUBMISSION_COLUMNS = [*SUBMISSION, "received_at", "deadline", "is_late", "n_rows", "superseded_by"]
_PREDICTION = ["model_id", "cycle", "horizon", "subject", "target_time", "value", "received_at"]


def submitted_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with what was submitted alone; of distributions one column more."""
    return rows[[*_PREDICTION, *(["output_type_id"] if "output_type_id" in rows else [])]]


def choose_submissions(rows: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Every submission to some cycles, and by which file it is superseded.

    A submission is what one file says of one model and cycle; it counts as a whole, from the time at which the last of
    its rows was received. The last one received by the deadline counts; when none was, the last late one stands there,
    unscored. Of submissions received at the same time, the one landed later counts.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``landing.prediction_rows`` of whole cycles.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``submissions``.
    """
    if rows.empty:
        return pd.DataFrame(columns=SUBMISSION_COLUMNS)
    arrived = rows.groupby(SUBMISSION, as_index=False).agg(received_at=("received_at", "max"))
    forecasts = rows.drop_duplicates([*SUBMISSION, "horizon", "subject"]) if contract.output.is_distribution else rows
    found = arrived.merge(forecasts.groupby(SUBMISSION, as_index=False).agg(n_rows=("subject", "size")), on=SUBMISSION)
    deadline = found["cycle"] + pd.Timedelta(contract.predictions.deadline)
    found = found.assign(deadline=deadline, is_late=found["received_at"] > deadline)
    ordered = found.sort_values(["is_late", "received_at", "file_number"], ascending=[False, True, True], kind="stable")
    # Last in this order: in time before late, then the last received. Of late ones alone, the last.
    counts = ordered.groupby(["model_id", "cycle"])["file_number"].transform("last")
    ordered["superseded_by"] = counts.astype("Int64").mask(counts == ordered["file_number"])
    return ordered.sort_values(SUBMISSION, ignore_index=True)[SUBMISSION_COLUMNS]


def counted_rows(rows: pd.DataFrame, submissions: pd.DataFrame) -> pd.DataFrame:
    """The rows of the submissions that count, each received when its submission was.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``landing.prediction_rows``.
    submissions : DataFrame
        What :func:`choose_submissions` says of them.
    """
    counts = submissions.loc[submissions["superseded_by"].isna(), [*SUBMISSION, "received_at"]]
    return submitted_columns(rows.drop(columns="received_at").merge(counts, on=SUBMISSION))
