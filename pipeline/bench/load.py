"""A bounded load on a server of this machine: questions at a steady rate, and how long answers take."""

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

_NAN = float("nan")


@dataclass(frozen=True)
class Load:
    """Questions at a steady rate, bounded in number."""

    per_second: float
    seconds: float

    @property
    def n(self) -> int:
        """How many questions."""
        return max(1, round(self.per_second * self.seconds))


@dataclass(frozen=True)
class Questions:
    """What is asked, and at which rate."""

    urls: list[str]
    load: Load


@dataclass(frozen=True)
class Latency:
    """Milliseconds from when an answer was due to be asked for until it was there whole.

    Parameters
    ----------
    median, p95, worst : float
    n : int
        Questions.
    errors : int
        Those without a whole answer of status 200.
    from_memory : float
        Share of the answers that the server had made before.
    per_second : float
        Questions asked.
    """

    median: float
    p95: float
    worst: float
    n: int
    errors: int
    from_memory: float
    per_second: float


def ask(port: int, questions: Questions) -> Latency:
    """Ask one question after another at a steady rate, each when it is due, however long the answers before take."""
    own, load, urls = threading.local(), questions.load, questions.urls
    began = time.perf_counter()

    def one(number: int) -> tuple[float, bool] | None:
        due = began + number / load.per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            own.connection.request("GET", urls[number], headers={"Accept-Encoding": "gzip"})
            answer = own.connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            own.connection.close()
            return None
        if answer.status != 200 or not body:
            return None
        return 1e3 * (time.perf_counter() - due), answer.getheader("Cache-Status", "").endswith("hit")

    with ThreadPoolExecutor(max_workers=max(1, min(32, int(2 * load.per_second)))) as threads:
        answered = [found for found in threads.map(one, range(len(urls))) if found is not None]
    took, n = sorted(milliseconds for milliseconds, _ in answered), len(urls)
    if not took:
        return Latency(_NAN, _NAN, _NAN, n, n, _NAN, load.per_second)
    p95 = took[min(len(took) - 1, int(0.95 * len(took)))]
    from_memory = statistics.fmean(is_hit for _, is_hit in answered)
    return Latency(statistics.median(took), p95, took[-1], n, n - len(took), from_memory, load.per_second)
