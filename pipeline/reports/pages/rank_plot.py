"""A drawing of a judge's ranking against the official one, with the ranks that each run could have by the judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.reports.queries.runs import Place

WIDTH, HEIGHT = 400.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 38.0, 14.0, 18.0, 40.0
_MOST_NAMED = 24
_MOST_WITH_BARS = 60
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
_MOST_TICKS = 10


@dataclass(frozen=True)
class Point:
    """A run: where it is, from where to where it could be, and how it is called.

    ``name`` is empty where there are too many to be named; it stands left of the point where ``is_left``. ``could_be``
    is None where the rank is sure or has no interval, or there are too many to be drawn.
    """

    x: float
    y: float
    could_be: tuple[float, float] | None
    name: str
    is_left: bool
    said: str


@dataclass(frozen=True)
class RankPlot:
    """Both rankings with the first place at the upper left; on the diagonal they agree.

    Parameters
    ----------
    ticks : tuple of (int, float, float)
        Ranks, and where they are from left to right and from top to bottom.
    diagonal : four floats
        x and y of its ends.
    points : tuple of Point
    """

    ticks: tuple[tuple[int, float, float], ...]
    diagonal: tuple[float, float, float, float]
    points: tuple[Point, ...]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT


def rank_plot(truth: Mapping[str, Place], judge: Mapping[str, Place]) -> RankPlot | None:
    """A judge's ranking against the official one.

    Parameters
    ----------
    truth, judge : mapping of str to Place
        The places of runs; those without a rank on both are left out.

    Returns
    -------
    RankPlot or None
        None with fewer than two runs.
    """
    shared = list(_on_both(truth, judge))
    if len(shared) < 2:
        return None
    on = _Frame(max(place.rank or 1 for board in (truth, judge) for place in board.values()))
    points = tuple(_point(on, one, len(shared)) for one in shared)
    ticks = tuple((rank, on.x(rank), on.y(rank)) for rank in _ticks(on.last))
    return RankPlot(ticks, (on.x(1), on.y(1), on.x(on.last), on.y(on.last)), points)


@dataclass(frozen=True)
class _Frame:
    """Where ranks are; half a rank is left free at both ends."""

    last: int

    def x(self, rank: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (rank - 0.5) / self.last, 1)

    def y(self, rank: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (rank - 0.5) / self.last, 1)


@dataclass(frozen=True)
class _Ranked:
    """A run that both boards rank."""

    run: str
    ranks: tuple[int, int]
    places: tuple[Place, Place]


def _on_both(truth: Mapping[str, Place], judge: Mapping[str, Place]) -> Iterator[_Ranked]:
    for run, place in truth.items():
        other = judge.get(run)
        if other is not None and place.rank is not None and other.rank is not None:
            yield _Ranked(run, (place.rank, other.rank), (place, other))


def _point(on: _Frame, one: _Ranked, n: int) -> Point:
    truth, judge = one.places
    return Point(
        on.x(one.ranks[0]),
        on.y(one.ranks[1]),
        _could_be(judge, on) if n <= _MOST_WITH_BARS else None,
        one.run if n <= _MOST_NAMED else "",
        one.ranks[0] > on.last / 2,
        f"{one.run}: officially {_said(truth)}, here {_said(judge)}",
    )


def _could_be(place: Place, on: _Frame) -> tuple[float, float] | None:
    if place.rank_lo is None or place.rank_hi is None or place.rank_lo == place.rank_hi:
        return None
    return on.y(place.rank_lo), on.y(place.rank_hi)


def _said(place: Place) -> str:
    if place.rank_lo is None or place.rank_lo == place.rank_hi:
        return f"rank {place.rank}"
    return f"rank {place.rank} (could be {place.rank_lo} to {place.rank_hi})"


def _ticks(last: int) -> list[int]:
    """The first rank, and so many at even steps that they are told apart."""
    step = next((one for one in _STEPS if last / one <= _MOST_TICKS), last)
    return sorted({1, *range(step, last + 1, step)})
