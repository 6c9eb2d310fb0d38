"""``/experiments/{name}/rate``: people score runs one by one, with keys, and without seeing whose they are."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from pipeline.experiments.scorers import Human
from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.pages.experiment_run import messages_of, variables_of
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiment_raters import human_scorers
from pipeline.reports.queries.experiment_runs import RunDetail, UnknownRunError, run
from pipeline.reports.queries.experiments import experiment
from pipeline.reports.queries.standings import UnknownKeyError

router = APIRouter(include_in_schema=False)

_LETTERS = "abdefghijklmopqrstvwxyz"
"""Keys of steps that no digit is left for: c is for the comment, n for the next run, u for the one before."""
_DIGITS = "123456789"


@dataclass(frozen=True)
class Asked:
    """What an address asks; ``run`` is the run that is shown, and ``blind`` is false to see whose it is."""

    scorer: str = ""
    run: str = ""
    blind: str = ""


@dataclass(frozen=True)
class Choice:
    """A rating, and the key that gives it."""

    rating: float
    key: str

    @property
    def label(self) -> str:
        """The rating as a person writes it."""
        return f"{self.rating:g}"


@router.get("/experiments/{name}/rate", response_class=HTMLResponse)
def rate(request: Request, tables: Tables, name: str, asked: Annotated[Asked, Depends()]) -> Any:
    """A run to rate; which one comes next is asked for by the page, with the key of whoever rates."""
    about = experiment(tables, name)
    known = human_scorers(tables, name)
    scorer = asked.scorer or next(iter(known), "")
    if scorer and scorer not in known:
        raise UnknownKeyError(
            f"people do not rate by {scorer!r} in experiment {name!r}; they rate by: {', '.join(known) or 'nothing'}"
        )
    found = None
    if asked.run:
        found = run(tables, asked.run)
        if found.experiment != name:
            raise UnknownRunError(f"run {asked.run!r} is not of experiment {name!r} but of {found.experiment!r}")
    return show(
        request,
        "experiment_rate.html",
        about=about,
        asked=asked,
        scorers=list(known),
        scorer=scorer,
        human=known.get(scorer),
        choices=choices_of(known[scorer]) if scorer else (),
        is_blind=asked.blind != "false",
        run=found,
        messages=messages_of(found.config) if found else [],
        variables=variables_of(found.config) if found else [],
        references=_references(found),
    )


def choices_of(human: Human) -> tuple[Choice, ...]:
    """The steps of a scale with their keys: digits where ratings are whole numbers up to 9, else by their place.

    Empty where there is a key for no more than some of them: then the rating is typed.
    """
    if human.step is None:
        return ()
    least, most = human.scale
    ratings = [round(least + place * human.step, 9) for place in range(round((most - least) / human.step) + 1)]
    if set(ratings) <= set(range(10)):
        return tuple(Choice(one, f"{one:g}") for one in ratings)
    keys = _DIGITS + _LETTERS
    return tuple(map(Choice, ratings, keys)) if len(ratings) <= len(keys) else ()


def _references(found: RunDetail | None) -> list[Any]:
    if found is None or found.reference is None:
        return []
    return found.reference if isinstance(found.reference, list) else [found.reference]
