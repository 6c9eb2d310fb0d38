"""A template with its values as a page."""

import functools
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.reports.access.headers import PAGE_POLICY
from pipeline.reports.pages import drawings, experiment_figures, figures, ranking_figures
from pipeline.reports.pages.address import address_of, path_to

STATIC = "/static"
_FOLDER = Path(__file__).parent
_HEADERS = {"Content-Security-Policy": PAGE_POLICY}


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page.

    Parameters
    ----------
    request : Request
    template : str
        A file in ``templates``.
    status : int
        Of HTTP.
    values
        What the template names; every text in them is escaped.
    """
    body = _environment().get_template(template).render(here=address_of(request), **values)
    return HTMLResponse(body, status, headers=_HEADERS)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = (drawings.draw_interval, drawings.draw_ranks, drawings.draw_line, drawings.draw_histogram)
    environment.globals.update(path_to=path_to, static=STATIC, nothing=figures.NOTHING)
    environment.globals.update({one.__name__: one for one in drawn})
    named = (
        figures.ago,
        figures.percent,
        figures.share,
        figures.count,
        figures.day,
        figures.metric_name,
        figures.coefficient_name,
        figures.window_name,
        figures.category_name,
        figures.reason,
        figures.code,
        ranking_figures.usd,
        ranking_figures.tokens,
        ranking_figures.seconds,
        ranking_figures.unranked,
        ranking_figures.score_name,
        ranking_figures.exact,
        ranking_figures.hours_ago,
        ranking_figures.web_link,
        experiment_figures.points,
        experiment_figures.dollars,
        experiment_figures.took,
        experiment_figures.moment,
        experiment_figures.why,
        experiment_figures.kind_of_scorer,
        experiment_figures.agreement_name,
        experiment_figures.as_text,
        experiment_figures.shortened,
    )
    environment.filters.update({one.__name__: one for one in named})
    environment.filters["script_json"] = _script_json
    environment.filters["path"] = _path
    return environment


def _path(text: str) -> str:
    """A part of a path that may have slashes and any other letter."""
    return quote(text)


def _script_json(text: str) -> Markup:
    """JSON inside a script element: nothing in it ends the element."""
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  # nosec B704 # numbers and escaped texts
