"""A judged track as its page shows it: runs with the places that judges give them, and how well judges agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import Axis, Interval
from pipeline.reports.pages.figures import NOTHING, Scale, scale
from pipeline.reports.pages.rank_plot import RankPlot, rank_plot
from pipeline.reports.queries import Agreement, RunRank
from pipeline.reports.queries.runs import Measure, Place, Run, TrackRuns
from pipeline.tables import OFFICIAL

_FEW = 4
"""Measures beside that which ranks, and judges, that are shown unless all are asked for."""

_DECIMALS = 4
"""Of values up to 1, as evaluation tools print them."""


@dataclass(frozen=True)
class Beside:
    """Where another board has a run: its place there, and how many places higher (+) that is."""

    place: Place | None
    higher: int | None


@dataclass(frozen=True)
class Row:
    """A run: its values as texts, and its places on other boards."""

    run: RunRank
    value: str
    values: tuple[str, ...]
    beside: tuple[Beside, ...]


@dataclass(frozen=True)
class Table:
    """The runs of a page.

    Parameters
    ----------
    measures : tuple of Measure
        Whose values stand beside that which ranks.
    judges : tuple of str
        Whose places stand beside the ranks.
    rows : tuple of Row
    ranks : Axis or None
        Of the drawings of ranks; None where runs have no rank intervals.
    hidden : int
        Measures and judges that are not shown.
    """

    measures: tuple[Measure, ...]
    judges: tuple[str, ...]
    rows: tuple[Row, ...]
    ranks: Axis | None
    hidden: int


@dataclass(frozen=True)
class Coefficient:
    """One correlation with its interval, as text and as drawing; ``said`` is both in words."""

    method: str
    value: str
    ends: str
    interval: Interval | None
    said: str
    reason: str | None


@dataclass(frozen=True)
class Judge:
    """How well a judge predicts the official ranking; ``plot`` is None with fewer than two runs on both boards."""

    name: str
    measure: str
    n_runs: int
    n_topics: int
    coefficients: tuple[Coefficient, ...]
    plot: RankPlot | None


def table_of(
    found: TrackRuns, rows: Sequence[Run], places: Mapping[str, Mapping[str, Place]], *, everything: bool
) -> Table:
    """One board as its page shows it.

    Parameters
    ----------
    found : TrackRuns
    rows : sequence of Run
        Those of the page.
    places : mapping
        Of all runs, by judge and run.
    everything : bool
        All measures and judges, not the first few alone.
    """
    measures = [one for one in found.measures if one.name != found.measure.name]
    judges = [one for one in found.judges if one != found.judge]
    shown = (measures, judges) if everything else (measures[:_FEW], judges[:_FEW])
    written = scale_of([one.row.value for one in found.rows])
    scales = [scale_of([one.values.get(measure.name) for one in found.rows]) for measure in shown[0]]
    is_bounded = any(one.row.rank_lo is not None for one in found.rows)
    n_ranked = sum(one.row.rank is not None for one in found.rows)
    return Table(
        tuple(shown[0]),
        tuple(shown[1]),
        tuple(
            Row(
                one.row,
                written.text(one.row.value),
                tuple(to.text(one.values.get(of.name)) for of, to in zip(shown[0], scales, strict=True)),
                tuple(_beside(one.row, places.get(judge, {}).get(one.row.run_id)) for judge in shown[1]),
            )
            for one in rows
        ),
        Axis(1, max(1, n_ranked), drawings.RANKS_WIDTH) if is_bounded else None,
        len(measures) + len(judges) - len(shown[0]) - len(shown[1]),
    )


def scale_of(values: Iterable[float | None]) -> Scale:
    """How values of a measure are written: of shares four decimals, as evaluation tools print them."""
    known = [one for one in values if one is not None]
    if all(abs(one) <= 1 for one in known):
        return Scale(_DECIMALS, any(one < 0 for one in known))
    return scale(known)


def judges_of(agreements: Iterable[Agreement], places: Mapping[str, Mapping[str, Place]]) -> tuple[Judge, ...]:
    """How well judges predict the official ranking, in the order of the agreements.

    Parameters
    ----------
    agreements : iterable of Agreement
    places : mapping
        Of all runs, by judge and run.
    """
    by_judge: dict[str, list[Agreement]] = {}
    for one in agreements:
        by_judge.setdefault(one.judge, []).append(one)
    return tuple(
        Judge(
            name,
            listed[0].measure,
            listed[0].n_runs,
            listed[0].n_topics,
            tuple(map(_coefficient, listed)),
            rank_plot(places.get(OFFICIAL, {}), places.get(name, {})),
        )
        for name, listed in by_judge.items()
    )


AGREEMENT = Axis(-1, 1, drawings.INTERVAL_WIDTH)
"""What all coefficients are drawn on: from the reverse order to the same."""


def _beside(run: RunRank, place: Place | None) -> Beside:
    if place is None or place.rank is None or run.rank is None:
        return Beside(place, None)
    return Beside(place, run.rank - place.rank)


def _coefficient(one: Agreement) -> Coefficient:
    to = Scale(2, signed=True)
    value, ends = to.text(one.value), ""
    if one.ci_low is not None and one.ci_high is not None:
        ends = f"{to.text(one.ci_low)} to {to.text(one.ci_high)}"
    said = value if one.value is None else f"{value}, 95 % interval {ends}" if ends else f"{value}, no interval"
    drawn = drawings.interval(AGREEMENT, one.value, one.ci_low, one.ci_high)
    return Coefficient(one.method, value, ends or NOTHING, drawn, said, one.reason)
