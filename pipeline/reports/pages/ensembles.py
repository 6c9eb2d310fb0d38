"""``/boards/{name}/ensembles``: how virtual models stand beside those they are made of, and how these are weighed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.charts import against_members_chart, weights_chart
from pipeline.competition.peers import ENSEMBLE_PREFIX
from pipeline.reports.inputs import AsOf, Connection
from pipeline.reports.pages.address import Address
from pipeline.reports.pages.board_rows import key_scale
from pipeline.reports.pages.figures import metric_name
from pipeline.reports.pages.links import downloads
from pipeline.reports.pages.view import show
from pipeline.reports.queries.ensembles import Weight, history, sampled_weights
from pipeline.reports.queries.metrics import described
from pipeline.reports.queries.page import page
from pipeline.reports.queries.standings import contest, standings
from pipeline.reports.wrong import UnknownPageError

router = APIRouter(include_in_schema=False)

_POINTS = 150
_HEIGHT = 280
_NAMED = 7
"""Members with a colour of their own; the others are one."""
_OTHERS = "others"


@router.get("/boards/{name}/ensembles", response_class=HTMLResponse)
def ensembles(request: Request, connection: Connection, name: str, as_of: AsOf, ensemble: str = "") -> Any:
    """Ensembles over time, and the weights of one."""
    of = contest(connection, name)
    found = standings(connection, name, as_of=as_of, include_ensembles=True)
    declared = [one["name"] for one in of.contract.get("ensembles", ())]
    if not declared:
        raise UnknownPageError(f"board {name!r} has no ensembles; its contract declares them under `ensembles:`")
    chosen = ensemble or declared[0]
    if chosen not in declared:
        raise UnknownPageError(f"board {name!r} has no ensemble {chosen!r}; known: {', '.join(declared)}")
    moment = found.board.as_of
    weights = sampled_weights(connection, name, chosen, moment, _POINTS)
    newest = [one for one in weights if one.cycle == weights[-1].cycle]
    past = page(connection, history(name, [chosen], None, moment)).records()
    metric = found.board.rank_by.partition(".")[2]
    rows = [one for one in found.rows if one.row.is_ensemble]
    return show(
        request,
        "ensembles.html",
        found=found,
        rows=rows,
        written=key_scale(found, described(connection, name)),
        best=next((one for one in found.rows if one.row.rank == 1), None),
        chosen=chosen,
        declared=declared,
        config=next(one for one in of.contract["ensembles"] if one["name"] == chosen),
        newest=newest,
        weights=json.dumps(_weights(weights)) if weights else "",
        against=json.dumps(_against(past, chosen, metric_name(metric))) if past else "",
        height=_HEIGHT,
        model_id=f"{ENSEMBLE_PREFIX}{chosen}__",
        downloads=downloads(
            Address("/reports/ensemble/weights").but(competition=name, ensembles=chosen, end=moment.isoformat())
        ),
    )


def _weights(weights: Sequence[Weight]) -> dict[str, Any]:
    """Weights as a chart: the members that weigh most by name, the others together."""
    total: dict[str, float] = {}
    for one in weights:
        total[one.title] = total.get(one.title, 0.0) + one.weight
    named = sorted(total, key=lambda title: -total[title])[:_NAMED]
    order = [*named, _OTHERS] if len(total) > len(named) else named
    summed: dict[tuple[datetime, str], float] = {}
    for one in weights:
        key = (one.cycle, one.title if one.title in named else _OTHERS)
        summed[key] = summed.get(key, 0.0) + one.weight
    cycles = sorted({one.cycle for one in weights})
    rows = [
        {"time": cycle.isoformat(), "label": label, "value": round(summed.get((cycle, label), 0.0), 6), "order": place}
        for cycle in cycles
        for place, label in enumerate(order)
    ]
    return weights_chart(rows, order)


def _against(past: Sequence[Mapping[str, Any]], title: str, value_title: str) -> dict[str, Any]:
    """The ensemble beside the best and the median model, at moments at even distances, the newest among them."""
    step = max(1, len(past) // (2 * _POINTS))
    kept = list(reversed(list(reversed(past))[::step]))
    lines = {title: "rank_key", "best model": "best_member", "median model": "median_member"}
    rows = [
        {"time": one["as_of"].isoformat(), "label": label, "value": one[field]}
        for one in kept
        for label, field in lines.items()
        if one[field] is not None
    ]
    return against_members_chart(rows, value_title, _HEIGHT)
