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
        self._being_made: dict[Hashable, threading.RLock] = {}

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; made when it is not there, by one of the threads that ask for it at the same time.

        An error is raised on and not kept: the next thread tries itself.
        """
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]  # type: ignore[no-any-return]  # of the type that its key is made as
            making = self._being_made.setdefault(key, threading.RLock())
        with making:
            with self._guard:
                if key in self._values:
                    return self._values[key]  # type: ignore[no-any-return]
            try:
                value = make()
            finally:
                with self._guard:
                    self._being_made.pop(key, None)
            with self._guard:
                self._values[key] = value
                if len(self._values) > self._most:
                    self._values.popitem(last=False)
        return value
