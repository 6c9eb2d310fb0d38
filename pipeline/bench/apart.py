"""A measurement in a process of its own, so that its memory is its own and nothing is warm from what ran before."""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """What a function of a module gives, and the peak memory in MB of the process that it ran in."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(_with_peak, function, args, kwargs).result()


def peak_megabytes() -> float:
    """The most memory in MB that this process had resident so far.

    Linux counts the parent's memory into ``ru_maxrss`` of a process that it started, so the kernel's high-water mark
    of this program's own memory is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (mark,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(mark.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def _with_peak(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, float]:
    return function(*args, **kwargs), peak_megabytes()
