"""``/rankings/models/{model}``: every figure of one language model with its link, what scores rest on, and what not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from pipeline.charts import rank_chart
from pipeline.clock import utc_now
from pipeline.rankings.benchmarks import Area, Unit
from pipeline.reports.inputs import Published
from pipeline.reports.pages import drawings
from pipeline.reports.pages.address import Address, path_to
from pipeline.reports.pages.drawings import RANKS_WIDTH, Axis, Interval
from pipeline.reports.pages.figures import NOTHING, Scale
from pipeline.reports.pages.links import downloads
from pipeline.reports.pages.ranking_figures import tokens, usd
from pipeline.reports.pages.ranking_rows import ability_axis, ability_scale, label_of
from pipeline.reports.pages.view import show
from pipeline.reports.queries.ranking_lists import tier_of
from pipeline.reports.queries.ranking_models import Figure, ModelFacts, Score, Standing, model_facts, standings_of
from pipeline.reports.queries.ranking_sources import Break, breaks_of
from pipeline.reports.queries.rankings import Ranking, ranking, ranking_names

router = APIRouter(include_in_schema=False)

_AREAS: Mapping[str, str] = {
    Area.CODING: "Coding",
    Area.GENERAL: "General",
    Area.AGENTS: "Agents",
    Area.PREFERENCE: "Preference of people",
    Area.SPEED: "Speed",
    Area.PRICE: "Prices",
    Area.LIMITS: "Limits",
    "": "Others",
}
_CHECKED = ("price.input", "price.output", "context.context_length")
_MANY = 15
"""Rows of a table, from which on those that are not used are folded."""
_AGREE = 0.01
"""How far apart prices may be that agree, as a share."""
_DAYS = 30
"""That the table of the history shows."""
_RANKS_HEIGHT = 220
_ONE, _NONE = Scale(1), Scale(0)


@dataclass(frozen=True)
class FigureRow:
    """A figure as texts; ``flags`` are what is said against it."""

    figure: Figure
    label: str
    value: str
    error: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """The figures of an area: those that are shown at once, and those that are folded because they are many.

    Scores rest on ``n_used`` of ``n`` figures.
    """

    title: str
    rows: tuple[FigureRow, ...]
    folded: tuple[FigureRow, ...]
    n_used: int

    @property
    def n(self) -> int:
        """All its figures."""
        return len(self.rows) + len(self.folded)


@dataclass(frozen=True)
class ScoreRow:
    """A score as texts and as a drawing; ``lacks`` are the parts that are not there."""

    score: Score
    value: str
    ends: str
    interval: Interval | None
    said: str
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """What one source says of a price or a limit beside the one that is used; ``difference`` is in percent of it."""

    figure: Figure
    label: str
    value: str
    difference: str


@dataclass(frozen=True)
class Agreement:
    """How far sources agree on a price or a limit: how many of the others say the same, and what all say."""

    label: str
    used: str
    n_others: int
    n_same: int
    lowest: str
    highest: str


@router.get("/rankings/models/{model:path}", response_class=HTMLResponse)
def ranking_model(
    request: Request,
    reading: Published,
    model: str,
    name: Annotated[str, Query(alias="ranking")] = "",
) -> Any:
    """One model of a ranking; of the first by name unless one is asked for."""
    connection = reading.connection
    names = ranking_names(connection)
    of = ranking(connection, reading.memory, name or next(iter(names), ""))
    found = model_facts(connection, of, model)
    days, breaks = standings_of(connection, of, found.model), breaks_of(connection, of.name)
    abilities = ability_axis(of)
    n_ranked = sum(row.rank is not None for row in of.rows)
    asked = {"ranking": of.name if name else None}
    return show(
        request,
        "ranking_model.html",
        of=of,
        found=found,
        now=utc_now(),
        abilities=abilities,
        n_ranked=n_ranked,
        board=Address("/rankings").but(**asked),
        scores=[_score_row(of, one, abilities) for one in found.scores],
        groups=_groups(found.figures),
        checks=_checks(found.figures),
        agreements=_agreements(found.figures),
        many=_MANY,
        ranks=Axis(1, max(1, n_ranked), RANKS_WIDTH),
        tier=tier_of(found.row.ttft) if found.row else None,
        links=_links(found),
        days=days[-_DAYS:],
        chart=_chart(days, breaks),
        height=_RANKS_HEIGHT,
        breaks=breaks,
        rank_by_scale=ability_scale(of) if of.declared.rank_by == "ability" else _ONE,
        results_as=str(Address(f"/rankings/api/models{path_to(*found.model.split('/'))}").but(**asked)),
        history_as=downloads(Address("/rankings/api/history").but(models=found.model, **asked)),
    )


def _score_row(of: Ranking, one: Score, on: Axis | None) -> ScoreRow:
    to = ability_scale(of) if one.score == "ability" else _ONE
    value, ends = to.text(one.value), ""
    if one.ci_low is not None and one.ci_high is not None:
        ends = f"{to.text(one.ci_low)} to {to.text(one.ci_high)}"
    drawn = drawings.interval(on, one.value, one.ci_low, one.ci_high) if ends else None
    missing = [part.strip() for part in (one.missing or "").split(",") if part.strip()]
    lacks = tuple(label_of(of, part) for part in missing)
    return ScoreRow(one, value, ends, drawn, f"{value}, 95 % interval {ends}", lacks)


def _groups(figures: Sequence[Figure]) -> list[Group]:
    groups = []
    for area, title in _AREAS.items():
        rows = [_figure_row(one) for one in figures if (one.area if one.area in _AREAS else "") == area]
        used = [row for row in rows if row.figure.is_used]
        shown = rows if len(rows) <= _MANY else used
        if rows:
            folded = tuple(row for row in rows if row not in shown)
            groups.append(Group(title, tuple(shown), folded, len(used)))
    return groups


def _figure_row(one: Figure) -> FigureRow:
    same = one.measure_title.casefold() == one.title.casefold()
    label = one.title if same else f"{one.title}: {one.measure_title}"
    error = "" if one.se is None or one.value is None else f"± {Scale(1).text(one.se)}"
    flags = tuple(flag.strip().replace("_", " ") for flag in one.flags.split(",") if flag.strip())
    return FigureRow(one, label, written(one.value, one.unit), error, flags)


def written(value: float | None, unit: str) -> str:
    """A figure in its unit."""
    if value is None:
        return NOTHING
    if unit in (Unit.USD, Unit.USD_PER_MILLION):
        return f"{usd(value)} USD"
    if unit == Unit.TOKENS:
        return tokens(value)
    if unit == Unit.SECONDS:
        return f"{Scale(2).text(value)} s"
    if unit == Unit.PERCENT:
        return f"{_ONE.text(value)} %"
    return (_NONE if unit in (Unit.RATING, Unit.TOKENS_PER_SECOND) else _ONE).text(value)


def _checks(figures: Sequence[Figure]) -> list[Check]:
    """Prices and context by source, that which is used first; nothing where there is only one."""
    checks = []
    for name in _CHECKED:
        said = [one for one in figures if f"{one.benchmark}.{one.measure}" == name and one.value is not None]
        used = next((one.value for one in said if one.is_used), None)
        if len(said) > 1:
            checks += [
                Check(one, one.measure_title, written(one.value, one.unit), _difference(one, used)) for one in said
            ]
    return checks


def _agreements(figures: Sequence[Figure]) -> list[Agreement]:
    """By price or limit that several sources give, how far these agree with the one that is used."""
    found = []
    for name in _CHECKED:
        said = [one for one in figures if f"{one.benchmark}.{one.measure}" == name and one.value is not None]
        used = next((one for one in said if one.is_used), None)
        if used is None or len(said) < 2:
            continue
        values = [one.value or 0.0 for one in said if one is not used]
        at = used.value or 0.0
        found.append(
            Agreement(
                used.measure_title,
                f"{written(at, used.unit)} ({used.source_title})",
                len(values),
                sum(abs(value - at) <= _AGREE * abs(at) for value in values),
                written(min(values), used.unit),
                written(max(values), used.unit),
            )
        )
    return found


def _difference(one: Figure, used: float | None) -> str:
    if one.is_used:
        return "used"
    if used is None or not used or one.value is None:
        return NOTHING
    return f"{Scale(0, signed=True).text(100 * (one.value / used - 1))} %"


def _links(found: ModelFacts) -> list[tuple[str, str]]:
    """Where else the model is to be found."""
    release = found.release
    places = (
        ("Hugging Face", "https://huggingface.co/", release.hugging_face_id),
        ("OpenRouter", "https://openrouter.ai/", release.openrouter_id),
        ("models.dev", "https://models.dev/?search=", release.models_dev_id),
    )
    return [(title, f"{base}{path_to(*name.split('/'))[1:]}") for title, base, name in places if name]


def _chart(days: Sequence[Standing], breaks: Sequence[Break]) -> str:
    """The ranks by day; empty with fewer than two."""
    rows: list[dict[str, Any]] = []
    run = 0
    for one in days:
        if one.rank is None:
            run += 1
            continue
        about = {"time": one.day.isoformat(), "rank": one.rank, "best": one.rank_lo, "worst": one.rank_hi}
        rows.append({**about, "run": run})
    if len(rows) < 2:
        return ""
    last = max(row["worst"] or row["rank"] for row in rows)
    since = days[0].day
    marks = [{"time": one.at.isoformat(), "label": one.source} for one in breaks if one.at >= since]
    return json.dumps(rank_chart(rows, last, marks))
