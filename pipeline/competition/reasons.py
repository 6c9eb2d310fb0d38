"""Why a value is undefined: short stable codes, kept as integers so that reasons stay arrays.

Podium's own reasons are listed in :data:`REASONS`. What a metric of an operator's own raised is free text; it gets the
next free code of this process, so that it travels through the same arrays. Tables hold the text, never a code.
"""

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.competition.arrays import Bools, Floats
from pipeline.texts import on_one_line, shortened

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
    "no_peers",
    "no_previous",
    "no_factors",
    "explained_by_factors",
    "no_downside",
    "undefined",
    "not_member",
    "only_member",
    "not_separable",
    "incomplete",
    "crossing_quantiles",
    "not_a_pmf",
    "not_a_cdf",
    "too_few_samples",
    "outside_domain",
)
"""By code; 0 is no reason, for a value that is defined."""

Reasons = npt.NDArray[np.int32]

_LONGEST = 200
"""Characters of a free text, at most."""
_texts: list[str | None] = list(REASONS)
_codes: dict[str | None, int] = {text: code for code, text in enumerate(REASONS)}
_adding = threading.Lock()


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


def error_code(error: BaseException) -> int:
    """The code of what went wrong, as one line: ``error: ZeroDivisionError: division by zero``."""
    said = on_one_line(str(error))
    text = f"error: {type(error).__name__}: {said}" if said else f"error: {type(error).__name__}"
    return _code_of(shortened(text, _LONGEST))


def reason_texts(codes: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """The texts of codes, None for 0: what tables hold."""
    return np.array(_texts, dtype=object)[np.asarray(codes, dtype=np.int64)]


def require_codes(codes: npt.NDArray[Any]) -> Reasons:
    """Codes as integers.

    Raises
    ------
    ValueError
        If one is no code of a reason.
    """
    if np.issubdtype(codes.dtype, np.integer):
        are_codes = (codes >= 0) & (codes < len(_texts))
    else:
        are_codes = np.isin(codes, np.arange(len(_texts)))
    if not are_codes.all():
        raise ValueError(f"reason holds what is no code of a reason; give 0 where defined, or codes of {__name__}")
    return codes.astype(np.int32)


def reason_codes(texts: Iterable[str | None]) -> Reasons:
    """The codes of texts as tables hold them, 0 for None; what is not known yet gets a code."""
    return np.array([_code_of(text) for text in texts], dtype=np.int32)


def _code_of(text: str | None) -> int:
    with _adding:
        if text not in _codes:
            _codes[text] = len(_texts)
            _texts.append(text)
        return _codes[text]


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
    reason : array of int
        Codes, 0 where defined.

    Raises
    ------
    ValueError
        If a reason is not in :data:`REASONS`.
    """
    reason = np.zeros(value.shape, dtype=np.int32)
    for where, name in causes:
        reason = np.where(where & (reason == 0), np.int32(reason_code(name)), reason)
    reason = np.where((reason == 0) & ~np.isfinite(value), np.int32(reason_code("error")), reason)
    return np.where(reason == 0, value, np.nan), reason
