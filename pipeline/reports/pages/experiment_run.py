"""``/experiments/{name}/runs/{run_id}``: one run: what was asked, what came back, and what scorers say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.experiments import variables_in
from pipeline.experiments.templates import PromptError, filled
from pipeline.reports.experiments.inputs import Tables
from pipeline.reports.pages.experiment_figures import as_text
from pipeline.reports.pages.view import show
from pipeline.reports.queries.experiment_neighbours import neighbours
from pipeline.reports.queries.experiment_runs import RunDetail, RunScore, UnknownRunError, run
from pipeline.reports.queries.experiments import DeclaredScorer, experiment

router = APIRouter(include_in_schema=False)

_MOST_NEIGHBOURS = 25


@dataclass(frozen=True)
class Message:
    """A message as its template, and filled in; ``wrong`` says why it could not be, and is empty where it was."""

    role: str
    template: str
    text: str
    wrong: str

    @property
    def is_filled(self) -> bool:
        """Whether the text differs from the template."""
        return not self.wrong and self.text != self.template


@dataclass(frozen=True)
class ScoreRow:
    """A score of a run, and the weight of its scorer; None where the experiment does not declare it."""

    score: RunScore
    weight: float | None

    @property
    def rater(self) -> str:
        """Who gave it."""
        return f"rater {self.score.rater}" if self.score.is_of_a_person else "Podium"

    @property
    def said(self) -> list[tuple[str, str]]:
        """What it is made of, by name."""
        details = self.score.details
        if not isinstance(details, Mapping):
            return [] if details is None else [("", as_text(details))]
        return [(str(name), as_text(value)) for name, value in details.items() if value not in (None, "", [], {})]


@router.get("/experiments/{name}/runs/{run_id}", response_class=HTMLResponse)
def one_run(request: Request, tables: Tables, name: str, run_id: str) -> Any:
    """One run of an experiment."""
    about = experiment(tables, name)
    found = run(tables, run_id)
    if found.experiment != name:
        raise UnknownRunError(f"run {run_id!r} is not of experiment {name!r} but of {found.experiment!r}")
    before, after = _beside(found)
    has = {one.scorer for one in found.scores if one.is_latest and one.value is not None}
    return show(
        request,
        "experiment_run.html",
        about=about,
        run=found,
        messages=messages_of(found.config),
        variables=variables_of(found.config),
        references=found.reference if isinstance(found.reference, list) else [found.reference],
        has_reference=found.reference is not None,
        scores=_scores(found, about.scorers),
        lacking=[one for one in about.scorers if one.name not in has],
        before=before,
        after=after,
        neighbours=neighbours(tables, found, _MOST_NEIGHBOURS),
    )


def messages_of(config: Mapping[str, Any]) -> list[Message]:
    """What a run asks: the system message, if there is one, and the prompt, each filled in with the input."""
    prompt, variables = config.get("prompt"), variables_in(config.get("input_data"))
    if not isinstance(prompt, Mapping):
        return [_message("prompt", as_text(prompt), variables)]
    named = [("system", prompt.get("system")), ("prompt", prompt.get("template"))]
    return [_message(role, as_text(text), variables) for role, text in named if text]


def variables_of(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a run's prompt is filled with, as texts by name."""
    return [(str(name), as_text(value)) for name, value in variables_in(config.get("input_data")).items()]


def _message(role: str, template: str, variables: Mapping[str, Any]) -> Message:
    try:
        return Message(role, template, filled(template, variables), "")
    except PromptError as error:
        return Message(role, template, template, str(error))


def _scores(found: RunDetail, declared: Sequence[DeclaredScorer]) -> list[ScoreRow]:
    """Scores in the order of the declaration, the newest of each scorer and rater first."""
    weights = {one.name: one.weight for one in declared}
    order = {name: place for place, name in enumerate(weights)}
    listed = sorted(
        found.scores, key=lambda one: (order.get(one.scorer, len(order)), one.scorer, one.rater, -one.number)
    )
    return [ScoreRow(one, weights.get(one.scorer)) for one in listed]


def _beside(found: RunDetail) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
    """The askings of the same before and after a run: id and number."""
    listed = [(run_id, repeat) for run_id, repeat, _ in found.repeats]
    place = next((at for at, (run_id, _) in enumerate(listed) if run_id == found.run_id), None)
    if place is None:
        return None, None
    return (
        listed[place - 1] if place else None,
        listed[place + 1] if place + 1 < len(listed) else None,
    )
