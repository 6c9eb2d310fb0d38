"""What readers worked out from a publication: kept beside it, and gone with it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """The values used last, at most so many, of one publication: they never have to be checked for being old.

    Parameters
    ----------
    most : int
        Values that are kept.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; made when it is not there.

        Threads that ask for it at the same time may each make it; an error is raised on and not kept.
        """
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
                value: T = self._values[key]
                return value
        value = make()
        with self._guard:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value
