"""Array types of the kernel, and checks of what is passed to it that more than one of its modules makes."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

Reasons = Sequence[str | None] | TextArray
"""Per contestant why not, None where there is nothing to say."""

Values = TypeVar("Values", bound=Sequence[Any] | npt.NDArray[Any])


def sized(what: str, values: Values, n: int) -> Values:
    """``values``; a ValueError unless there is one per contestant."""
    shape = values.shape if isinstance(values, np.ndarray) else (len(values),)
    if shape != (n,):
        raise ValueError(f"{what} has shape {shape}, expected ({n},): one value per contestant, in their order")
    return values


def refuse_duplicates(names: Collection[str], what: str, remedy: str) -> None:
    """Raise a ValueError that lists the names that occur twice."""
    if len(set(names)) < len(names):
        twice = ", ".join(repr(name) for name, count in Counter(names).items() if count > 1)
        raise ValueError(f"{what} {twice} occurs more than once; {remedy}")
