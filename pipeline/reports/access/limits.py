"""How often something may be done: a bucket of tokens for each name, in the memory of one server."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_NAMES = 10_000


class Buckets:
    """Buckets that fill evenly, so many tokens a minute, and hold a minute's.

    Parameters
    ----------
    per_minute : int
        Tokens a minute.
    clock : function
        Seconds that never go back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._most = float(per_minute)
        self._clock = clock
        self._guard = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take a token out of a name's bucket.

        Returns
        -------
        float
            0, or the seconds until there is one. The names used last are remembered, 10,000 of them.
        """
        with self._guard:
            time_now = self._clock()
            level, since = self._levels.pop(name, (self._most, time_now))
            level = min(self._most, level + (time_now - since) * self._per_second)
            wait = 0.0 if level >= 1 else (1 - level) / self._per_second
            self._levels[name] = (level if wait else level - 1, time_now)
            if len(self._levels) > _MOST_NAMES:
                self._levels.popitem(last=False)
            return wait
