"""``/experiments/{name}/compare``: two configurations input by input, with what both answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.natural import natural_key
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.experiment_rows import p_text
from pipeline.reports.pages.figures import NOTHING, Scale
from pipeline.reports.pages.view import show
from pipeline.reports.pages.word_differences import Piece, differences
from pipeline.reports.queries.experiment_comparison import PairComparison, PairedInput, PairedRun, compared
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.experiments import ConfigurationRow, configurations, experiment
from pipeline.reports.wrong import WrongInputError

router = APIRouter(include_in_schema=False)

_OUTCOMES = {"better": "win", "worse": "loss", "same": "tie"}
_SORTS = ("input", "-input", "difference", "-difference")
_MOST_ROWS = 100
_MOST_REPEATS = 6
_DIFFERENCE = Scale(3, signed=True)


@dataclass(frozen=True)
class Asked:
    """What an address asks; ``only`` is better, worse or same, of the first configuration."""

    a: str = ""
    b: str = ""
    only: str = ""
    sort: str = ""
    search: str = ""
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 20
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0


@dataclass(frozen=True)
class Side:
    """What one configuration made of an input: its score, its first runs, and one of them in pieces.

    ``run`` is None where it was not asked, and ``pieces`` are None where nothing came back.
    """

    score: float | None
    runs: tuple[PairedRun, ...]
    n_runs: int
    run: PairedRun | None
    pieces: tuple[Piece, ...] | None


@dataclass(frozen=True)
class Row:
    """An input with both sides; ``interval`` is the difference drawn."""

    pair: PairedInput
    difference: str
    interval: Interval | None
    sides: tuple[Side, Side]
    is_compared: bool


@router.get("/experiments/{name}/compare", response_class=HTMLResponse)
def compare_configurations(request: Request, tables: Tables, name: str, asked: Annotated[Asked, Depends()]) -> Any:
    """Two configurations beside each other; without two a form to choose them."""
    about = experiment(tables, name)
    known = configurations(tables, name)
    first, second = _chosen(known, asked)
    found = _pair(tables, name, first, second)
    rows = [] if found is None else _sorted(_wanted(found.inputs, asked), asked.sort or "difference")
    shown = rows[asked.offset : asked.offset + asked.limit]
    return show(
        request,
        "experiment_compare.html",
        about=about,
        asked=asked,
        known=known,
        first=first,
        second=second,
        found=found,
        verdict=None if found is None else _verdict(found),
        rows=[_row(one) for one in shown],
        axis=_AXIS,
        total=len(rows),
    )


_AXIS = Axis(-1, 1, drawings.INTERVAL_WIDTH)
"""What all differences are drawn on."""


@dataclass(frozen=True)
class Verdict:
    """Two configurations as a whole: texts and a drawing."""

    difference: str
    ends: str
    interval: Interval | None
    p: str


def _verdict(found: PairComparison) -> Verdict:
    low, high = found.ci_low, found.ci_high
    ends = NOTHING if low is None or high is None else f"{_DIFFERENCE.text(low)} to {_DIFFERENCE.text(high)}"
    drawn = drawings.interval(_AXIS, found.difference, low, high)
    return Verdict(_DIFFERENCE.text(found.difference), ends, drawn, p_text(found.p))


def _chosen(known: Sequence[ConfigurationRow], asked: Asked) -> tuple[str, str]:
    """The two that are asked for; where one is not, the second is the baseline if there is one."""
    baseline = next((one.configuration for one in known if one.is_baseline), "")
    return asked.a, asked.b or (baseline if asked.a != baseline else "")


def _pair(tables: ExperimentTables, name: str, first: str, second: str) -> PairComparison | None:
    if not first or not second:
        return None
    return compared(tables, name, first, second)


def _wanted(inputs: Sequence[PairedInput], asked: Asked) -> list[PairedInput]:
    """Inputs that both have scores on, those that are asked for.

    Raises
    ------
    WrongInputError
        If they cannot be chosen so.
    """
    if asked.only and asked.only not in _OUTCOMES:
        raise WrongInputError(f"only {asked.only!r} is not known; known: {', '.join(_OUTCOMES)}")
    outcome = _OUTCOMES.get(asked.only)
    text = asked.search.casefold()
    return [
        one
        for one in inputs
        if one.outcome is not None and outcome in (None, one.outcome) and text in one.input_id.casefold()
    ]


def _sorted(inputs: Sequence[PairedInput], by: str) -> list[PairedInput]:
    """Inputs by name or by difference, ``difference`` being that where the first is behind by most first.

    Raises
    ------
    WrongInputError
        If they cannot be sorted so.
    """
    if by not in _SORTS:
        raise WrongInputError(f"cannot sort by {by!r}; sort by one of {', '.join(_SORTS)}")
    named = sorted(inputs, key=lambda one: natural_key(one.input_id), reverse=by == "-input")
    if by.removeprefix("-") == "input":
        return named
    return sorted(named, key=lambda one: one.difference or 0.0, reverse=by.startswith("-"))


def _row(one: PairedInput) -> Row:
    ours, theirs = _shown(one.first), _shown(one.second)
    first, second = (None if run is None else run.output for run in (ours, theirs))
    found = differences(first or "", second or "")
    is_compared = first is not None and second is not None and found.is_whole
    pieces = (found.first, found.second) if is_compared else (_plain(first), _plain(second))
    return Row(
        one,
        _DIFFERENCE.text(one.difference),
        drawings.interval(_AXIS, one.difference, None, None),
        (
            _side(one.first_score, one.first, ours, pieces[0]),
            _side(one.second_score, one.second, theirs, pieces[1]),
        ),
        is_compared,
    )


def _side(score: float | None, runs: Sequence[PairedRun], shown: PairedRun | None, pieces: tuple[Piece, ...]) -> Side:
    came_back = shown is not None and shown.output is not None
    return Side(score, tuple(runs[:_MOST_REPEATS]), len(runs), shown, pieces if came_back else None)


def _plain(text: str | None) -> tuple[Piece, ...]:
    return (Piece(text or "", False),)


def _shown(runs: Sequence[PairedRun]) -> PairedRun | None:
    """The run whose output is shown: the first that counts, else the first."""
    return next((one for one in runs if one.score is not None), runs[0] if runs else None)
