"""Small drawings in tables as SVG: intervals, ranks that could be, lines."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

INTERVAL_WIDTH, RANKS_WIDTH, LINE_WIDTH, LINE_HEIGHT = 160.0, 80.0, 96.0, 24.0
_PAD = 4.0
_MOST_POINTS = 60


@dataclass(frozen=True)
class Axis:
    """A scale from values to places, the same in every row of a column."""

    low: float
    high: float
    width: float

    def place(self, value: float) -> float:
        """Where a value is; what is beyond the ends is at the end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(_PAD + (self.width - 2 * _PAD) * min(1.0, max(0.0, share)), 1)

    @property
    def zero(self) -> float | None:
        """Where zero is; None where it is not within."""
        return self.place(0.0) if self.low <= 0 <= self.high else None


@dataclass(frozen=True)
class Interval:
    """A value with its interval; ``low`` and ``high`` are None where it has none."""

    at: float
    low: float | None
    high: float | None


def axis(values: Iterable[float | None], width: float = INTERVAL_WIDTH) -> Axis | None:
    """An axis that all values are on; zero too where it is near. None without values."""
    known = [one for one in values if one is not None and np.isfinite(one)]
    if not known:
        return None
    low, high = min(known), max(known)
    span = high - low or abs(high) or 1.0
    if low > 0 and low < span:
        low = 0.0
    if high < 0 and -high < span:
        high = 0.0
    return Axis(low, high, width)


def interval(on: Axis | None, value: float | None, low: float | None, high: float | None) -> Interval | None:
    """A value on an axis; None where there is none."""
    if on is None or value is None:
        return None
    if low is None or high is None:
        return Interval(on.place(value), None, None)
    return Interval(on.place(value), on.place(low), on.place(high))


def polyline(values: Sequence[float] | npt.NDArray[np.float64]) -> str:
    """The points of a line through values at even distances, as SVG wants them; empty below two values.

    Of many values those at even distances are kept, the last among them. Points are whole tenths of a pixel.
    """
    if len(values) < 2:
        return ""
    kept, xs = _spread(len(values))
    ys = np.asarray(values, dtype=float)[kept]
    low, high = float(ys.min()), float(ys.max())
    shares = (ys - low) / (high - low) if high > low else np.full(len(ys), 0.5)
    places = np.rint(10 * (2 + (LINE_HEIGHT - 4) * (1 - shares))).astype(int)
    return " ".join(map("%d,%d".__mod__, zip(xs, places.tolist(), strict=True)))


@functools.lru_cache(maxsize=256)
def _spread(n: int) -> tuple[npt.NDArray[np.intp], list[int]]:
    """Which of so many values are kept, and where they are from left to right."""
    kept = np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(np.intp))
    return kept, np.rint(10 * np.linspace(1.0, LINE_WIDTH - 1.0, len(kept))).astype(int).tolist()


def draw_interval(on: Axis, drawn: Interval, said: str) -> Markup:
    """A value with its interval as SVG; ``said`` is what it says in words."""
    zero, bar = on.zero, ""
    line = "" if zero is None else f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="18"/>'
    if drawn.low is not None:
        bar = f'<line class="bar" x1="{drawn.low}" x2="{drawn.high}" y1="9" y2="9"/>'
    return Markup(  # noqa: S704  # nosec B704 # numbers, and a text that is escaped
        f'<svg class="ci" viewBox="0 0 {on.width:.0f} 18" role="img" aria-label="{escape(said)}">'
        f'{line}{bar}<circle cx="{drawn.at}" cy="9" r="3.6"/></svg>'
    )


def draw_ranks(on: Axis, lo: int, hi: int, rank: int) -> Markup:
    """A rank among those that it could be as SVG; the text beside it says the same."""
    return Markup(  # noqa: S704  # nosec B704 # numbers
        f'<svg class="ranks" viewBox="0 0 {on.width:.0f} 18" aria-hidden="true">'
        f'<line class="whole" x1="{on.place(on.low)}" x2="{on.place(on.high)}" y1="9" y2="9"/>'
        f'<line class="bar" x1="{on.place(lo)}" x2="{on.place(hi)}" y1="9" y2="9"/>'
        f'<circle cx="{on.place(rank)}" cy="9" r="3"/></svg>'
    )


def draw_histogram(counts: Sequence[int], said: str) -> Markup:
    """Counts of equal parts as bars in SVG, the highest as high as the drawing; ``said`` is what it says in words.

    A part with anything in it is seen, however little it is beside the highest.
    """
    highest, step = max(counts, default=0), LINE_WIDTH / max(1, len(counts))
    bars = "".join(
        f'<rect x="{place * step + 0.5:.1f}" y="{LINE_HEIGHT - height:.1f}" width="{step - 1:.1f}" '
        f'height="{height:.1f}"/>'
        for place, height in enumerate(max(1.5, (LINE_HEIGHT - 2) * one / highest) if one else 0.0 for one in counts)
        if height
    )
    return Markup(  # noqa: S704  # nosec B704 # numbers, and a text that is escaped
        f'<svg class="hist" viewBox="0 0 {LINE_WIDTH:.0f} {LINE_HEIGHT:.0f}" role="img" aria-label="{escape(said)}">'
        f'<line class="zero" x1="0" x2="{LINE_WIDTH:.0f}" y1="{LINE_HEIGHT:.0f}" y2="{LINE_HEIGHT:.0f}"/>{bars}</svg>'
    )


def draw_line(points: str) -> Markup:
    """A line through points of :func:`polyline` as SVG; nothing where there are none."""
    if not points:
        return Markup()
    size = f"{10 * LINE_WIDTH:.0f} {10 * LINE_HEIGHT:.0f}"
    line = f'<svg class="spark" viewBox="0 0 {size}" aria-hidden="true"><polyline points="{points}"/></svg>'
    return Markup(line)  # noqa: S704  # nosec B704 # numbers
