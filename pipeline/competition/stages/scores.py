"""Predictions and truth in, one score per resolved prediction out."""

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Bools
from pipeline.competition.contract import Contract
from pipeline.competition.reasons import REASONS
from pipeline.competition.scoring import Scored
from pipeline.competition.stages.block import Block, LastKnown, State

COLUMNS = [
    *("model_id", "cycle", "horizon", "subject", "output_type", "known_at"),
    *("prediction", "outcome", "value", "success", "failed_reason", "is_imputed"),
]


def stamp_deadline(rows: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Give predictions their output type, their deadline and whether they came after it.

    Parameters
    ----------
    rows : DataFrame
        With ``cycle`` and ``received_at``; of distributions also ``output_type_id``, which comes out as tables hold it.
    contract : Contract

    Returns
    -------
    DataFrame
        The rows with output_type, output_type_id, deadline, is_late and is_imputed (no). What arrives at the deadline
        is in time.

    Raises
    ------
    ValueError
        If distributions have no ids, or ids that the contract does not declare.
    """
    output = contract.output
    if output.is_distribution and "output_type_id" not in rows:
        raise ValueError(
            f"predictions have no column output_type_id, which says of each number of a {output.type} forecast what it "
            f"is: {output.known}"
        )
    deadline = rows["cycle"] + pd.Timedelta(contract.predictions.deadline)
    return rows.assign(
        output_type=contract.predictions.output_type,
        output_type_id=output.texts(rows["output_type_id"]) if output.is_distribution else "",
        deadline=deadline,
        is_late=rows["received_at"] > deadline,
        is_imputed=False,
    )


def score_predictions(predictions: pd.DataFrame, truth: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Score every prediction whose truth is known, anew each time that its score, or why it has none, changed.

    Parameters
    ----------
    predictions : DataFrame
        Rows of whole cycles; late ones are left out.
    truth : DataFrame
        Every version of the outcomes at their target times.
    contract : Contract

    Returns
    -------
    DataFrame
        Rows of ``scores``. A prediction whose outcome is known but that has no score has ``success`` false and
        says why; so has one whose outcome was withdrawn (``outcome_withdrawn``).
    """
    rule = contract.rule
    block = Block.of(predictions, truth, contract)
    last = LastKnown()
    frames = []
    for state in block.states():
        scored = rule.function(state.panel)
        outcomes = np.where(np.isnan(state.panel.signals), np.nan, state.panel.outcomes[:, None, :])
        reason = np.where(state.panel.paired, scored.reason, np.nan)
        changed = last.update(block.shape[0], state.sections, outcome=outcomes, value=scored.value, reason=reason)
        frames.append(_rows(state, scored, changed, contract.predictions.output_type))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _rows(state: State, scored: Scored, changed: Bools, output_type: str) -> pd.DataFrame:
    panel = state.panel
    section, model, subject = np.nonzero(changed)
    outcome = panel.outcomes[section, subject]
    value = scored.value[section, model, subject]
    reasons = np.array(REASONS, dtype=object)[scored.reason[section, model, subject]]
    return pd.DataFrame(
        {
            "model_id": panel.models[model],
            "cycle": panel.cycles[section],
            "horizon": panel.horizons[section],
            "subject": panel.subjects[subject],
            "output_type": output_type,
            "known_at": state.known_at[section],
            "prediction": panel.signals[section, model, subject],
            "outcome": outcome,
            "value": value,
            "success": ~np.isnan(value),
            "failed_reason": np.where(np.isnan(outcome), "outcome_withdrawn", reasons),
            "is_imputed": panel.imputed[section, model],
        }
    )[COLUMNS]
