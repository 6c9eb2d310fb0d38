"""``/boards/{name}/runs/{run}``: one run of a judged track, topic by topic beside the others, and run against run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.leaderboard import Direction
from pipeline.reports.inputs import Connection
from pipeline.reports.natural import natural_key
from pipeline.reports.pages import drawings
from pipeline.reports.pages.address import Address
from pipeline.reports.pages.drawings import Axis
from pipeline.reports.pages.figures import Scale, scale
from pipeline.reports.pages.links import downloads
from pipeline.reports.pages.track_rows import scale_of
from pipeline.reports.pages.view import show
from pipeline.reports.queries.run_topics import OfRun, Pair, Topic, pairs_of, topics_of
from pipeline.reports.queries.runs import places, track_runs
from pipeline.reports.wrong import WrongInputError
from pipeline.tables import OFFICIAL

router = APIRouter(include_in_schema=False)

_SORTS = ("topic", "-topic", "difference", "-difference")


@dataclass(frozen=True)
class Row:
    """A run on a topic: texts, and where value, median and ends of the others are drawn; None where nothing is."""

    topic: Topic
    value: str
    median: str
    difference: str
    at: float | None
    median_at: float | None
    span: tuple[float, float] | None


@dataclass(frozen=True)
class PairRow:
    """A run beside another: the difference, and p as texts."""

    pair: Pair
    difference: str
    p: str


@router.get("/boards/{name}/runs/{run_id:path}", response_class=HTMLResponse)
def run(
    request: Request, connection: Connection, name: str, run_id: str, judge: str = "", measure: str = "", sort: str = ""
) -> Any:
    """One run of a track."""
    found = track_runs(connection, name, judge or OFFICIAL, measure or None)
    of = OfRun(name, found.judge, run_id, found.measure.name)
    topics = topics_of(connection, of, is_loss=found.measure.is_loss)
    (place,) = (one for one in found.rows if one.row.run_id == run_id)
    pairs = pairs_of(connection, of)
    asked = {"track": name, "judges": found.judge, "metrics": found.measure.name, "runs": run_id}
    return show(
        request,
        "track_run.html",
        found=found,
        place=place.row,
        value=scale_of([place.row.value]).text(place.row.value),
        rows=_sorted(_rows(topics), sort or "topic"),
        n_better=sum(_is_above(one, is_loss=found.measure.is_loss) for one in topics),
        pairs=_pair_rows(pairs),
        elsewhere={one: ranked.get(run_id) for one, ranked in places(connection, name).items() if one != found.judge},
        rankable=[one for one in found.measures if one.direction != Direction.NONE],
        sort=sort,
        topics_as=downloads(Address("/reports/tracks/measures").but(**asked)),
        pairs_as=downloads(Address("/reports/tracks/comparisons").but(**asked)),
        width=drawings.INTERVAL_WIDTH,
    )


def _rows(topics: Sequence[Topic]) -> list[Row]:
    on = drawings.axis(end for one in topics for end in (one.low, one.high))
    to = scale_of([one.value for one in topics])
    difference = Scale(to.decimals, signed=True)
    return [
        Row(
            one,
            to.text(one.value),
            to.text(one.median),
            difference.text(_difference(one)),
            _at(on, one.value),
            _at(on, one.median),
            None if on is None or one.low is None or one.high is None else (on.place(one.low), on.place(one.high)),
        )
        for one in topics
    ]


def _at(on: Axis | None, value: float | None) -> float | None:
    return None if on is None or value is None else on.place(value)


def _difference(one: Topic) -> float | None:
    """What a run has more than the median of the runs; None where it lacks the topic."""
    return None if one.value is None or one.median is None else one.value - one.median


def _is_above(one: Topic, *, is_loss: bool) -> bool:
    """Whether a run is better than the median."""
    difference = _difference(one) or 0.0
    return difference < 0 if is_loss else difference > 0


def _sorted(rows: Sequence[Row], by: str) -> list[Row]:
    """Rows by topic or difference, topics that the run lacks last; ``-`` before is from the greatest.

    Raises
    ------
    WrongInputError
        If they cannot be sorted so.
    """
    if by not in _SORTS:
        raise WrongInputError(f"cannot sort by {by!r}; sort by one of {', '.join(_SORTS)}")
    is_down = by.startswith("-")
    if by.removeprefix("-") == "topic":
        return sorted(rows, key=lambda row: natural_key(row.topic.topic_id), reverse=is_down)
    known = [row for row in rows if _difference(row.topic) is not None]
    known.sort(key=lambda row: _difference(row.topic) or 0.0, reverse=is_down)
    return [*known, *(row for row in rows if _difference(row.topic) is None)]


def _pair_rows(pairs: Sequence[Pair]) -> list[PairRow]:
    """The runs that it was compared with, those that are better by most first."""
    to = scale([one.difference for one in pairs])
    of_difference = Scale(to.decimals, signed=True)
    ordered = sorted(pairs, key=lambda one: (one.difference is None, one.difference or 0.0))
    return [PairRow(one, of_difference.text(one.difference), _p(one.p_adjusted)) for one in ordered]


def _p(value: float | None) -> str:
    if value is not None and 0 <= value < 0.001:
        return "<0.001"
    return Scale(3).text(value)
