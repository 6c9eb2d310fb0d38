"""What pages take of a metric over a window: its value, how far its interval reaches, and both in words."""

import math
from collections.abc import Iterable, Mapping
from typing import Protocol

from pipeline.reports.pages.figures import NOTHING, Scale
from pipeline.reports.queries.metrics import Described


class Bounded(Protocol):
    """A value with its 95 % interval, of whatever board; None is NULL."""

    @property
    def value(self) -> float | None:
        """The value."""

    @property
    def ci_low(self) -> float | None:
        """The lower end of its interval."""

    @property
    def ci_high(self) -> float | None:
        """The upper end."""


def meaning_of(means: Mapping[str, Described], metric: str) -> str:
    """What a metric is; empty where nobody says."""
    return means[metric].description if metric in means else ""


def unit_of(means: Mapping[str, Described], metric: str) -> str:
    """The unit of a metric; empty where it has none."""
    return means[metric].unit if metric in means else ""


def value_of(measured: Bounded | None) -> float | None:
    """The value; None where there is none."""
    return None if measured is None else measured.value


def half_width(measured: Bounded | None) -> float | None:
    """Half the width of the interval; None without one."""
    if measured is None or measured.ci_low is None or measured.ci_high is None:
        return None
    return (measured.ci_high - measured.ci_low) / 2


def ends(measured: Iterable[Bounded | None]) -> list[float | None]:
    """What an axis must reach: every value and both ends of its interval."""
    known = [one for one in measured if one is not None]
    return [end for one in known for end in (one.value, one.ci_low, one.ci_high)]


def between(measured: Bounded | None, written: Scale) -> str:
    """The ends of the interval; empty without one."""
    if measured is None or measured.ci_low is None or measured.ci_high is None or not math.isfinite(measured.ci_low):
        return ""
    return f"{written.text(measured.ci_low)} to {written.text(measured.ci_high)}"


def said(measured: Bounded | None, written: Scale) -> str:
    """A value with its interval in words."""
    if measured is None or measured.value is None:
        return NOTHING
    ends_said = between(measured, written)
    return f"{written.text(measured.value)}, {f'95 % interval {ends_said}' if ends_said else 'no interval'}"
