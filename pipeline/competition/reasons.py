"""Why a value is undefined: short stable codes, kept as small integers so that reasons stay arrays."""

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats

REASONS: tuple[str | None, ...] = (
    None,
    "too_few_pairs",
    "constant_input",
    "zero_outcomes",
    "no_scores",
    "too_few_cycles",
    "zero_variance",
    "no_predictions",
    "error",
    "not_member",
    "only_member",
    "not_separable",
)
"""By code; 0 is no reason, for a value that is defined."""

Reasons = npt.NDArray[np.int8]


def reason_code(reason: str) -> int:
    """The code of a reason.

    Raises
    ------
    ValueError
        If the reason is not in :data:`REASONS`.
    """
    if reason not in REASONS:
        known = ", ".join(name for name in REASONS if name is not None)
        raise ValueError(f"unknown reason {reason!r}; known: {known}; add it to REASONS")
    return REASONS.index(reason)


def undefined(value: Floats, *causes: tuple[Bools, str]) -> tuple[Floats, Reasons]:
    """Set ``value`` to NaN where a cause holds and say which, the first cause winning.

    What is still not finite afterwards is undefined too: ``error``, never NaN without a reason.

    Parameters
    ----------
    value : array
    *causes : (bool array, str)
        Where the value is undefined, and the reason; arrays of the shape of ``value``.

    Returns
    -------
    value : array
        Finite, or NaN where undefined.
    reason : array of int8
        Codes into :data:`REASONS`, 0 where defined.

    Raises
    ------
    ValueError
        If a reason is not in :data:`REASONS`.
    """
    reason = np.zeros(value.shape, dtype=np.int8)
    for where, name in causes:
        reason = np.where(where & (reason == 0), np.int8(reason_code(name)), reason)
    reason = np.where((reason == 0) & ~np.isfinite(value), np.int8(reason_code("error")), reason)
    return np.where(reason == 0, value, np.nan), reason
