"""An experiment that is posted: what it may not say, how large it may be, and which names are taken."""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from pydantic import model_validator

from pipeline.experiments import Experiment
from pipeline.experiments.scorers import SCORERS, Judge
from pipeline.experiments.templates import PromptError, require_simple
from pipeline.reports.experiments.declared import NameTakenError, declaration_of
from pipeline.reports.experiments.overlay import LiveExperiments
from pipeline.settings import PROJECT_ROOT, Settings

MOST: Mapping[str, int] = {
    **{"prompts": 100, "models": 100, "inputs": 10_000, "scorers": 50, "configurations": 1_000, "runs": 10_000},
    "random draws": 1_000,
}
"""How many of each a posted experiment may have."""
_NOT_POSTED = {
    "inputs_file": "list the inputs themselves, as inputs",
    "schedule": "nothing posted runs on a schedule; its operator declares one that does",
    "recurring": "nothing posted runs on a schedule; its operator declares one that does",
}
_EMBEDDERS = (None, "character_ngrams")
_ENDLESS = ("pattern", "patternProperties", "$ref", "$dynamicRef", "uniqueItems")


class PostedExperiment(Experiment):
    """A whole declaration, as in defs.yaml: prompts, models, parameters, inputs, scorers with weights.

    It names no file, no code and no regular expression, and is at most so large as the API's limits say.
    """

    @model_validator(mode="before")
    @classmethod
    def _is_small(cls, said: object) -> object:
        """Counted before anything is made of it: a few letters can ask for more sets than there is memory."""
        if isinstance(said, dict):
            wrong = [*_forbidden(said), *_too_many(said)]
            if wrong:
                raise ValueError("; ".join(wrong))
        return said

    @model_validator(mode="after")
    def _templates_are_simple(self) -> "PostedExperiment":
        judges = (
            (f"scorers.{name}", one.template) for name, one in self.made_scorers.items() if isinstance(one, Judge)
        )
        for where, text in (*_texts(self), *judges):
            try:
                require_simple(text)
            except PromptError as error:
                raise ValueError(f"{where}: {error}") from None
        n = len(self.configurations) * len(self.inputs) * self.repeats
        if n > MOST["runs"]:
            raise ValueError(f"it asks for {n:,} runs; a posted experiment has {MOST['runs']:,} at most: try less")
        return self


def declare(live: LiveExperiments, experiment: Experiment, given: Settings) -> bool:
    """Keep a posted experiment; False for one that is there with the same content.

    Raises
    ------
    NameTakenError
        If another board has its name, or another experiment was posted by it.
    NotStoredError
        If it cannot be written.
    """
    plain = Experiment.model_validate(experiment.model_dump(mode="json", exclude_unset=True))
    name = plain.name
    known = live.posted.all().get(name)
    if known is None:
        with live.tables() as tables:
            published = tables.connection.execute("SELECT board FROM catalog.boards WHERE board = ?", [name]).fetchall()
        if published or name in set(_declared_boards(given)):
            raise NameTakenError(f"{name!r} is the name of a board that its operator declares; give another name")
    elif known.declaration == declaration_of(plain):
        return False
    return live.posted.keep(plain)


def _texts(experiment: Experiment) -> Iterator[tuple[str, str]]:
    for name, one in experiment.prompts.items():
        yield f"prompts.{name}", one.template
        if one.system is not None:
            yield f"prompts.{name}.system", one.system


def _forbidden(said: Mapping[str, Any]) -> Iterator[str]:
    """What only an operator may declare."""
    for name, remedy in _NOT_POSTED.items():
        if said.get(name) is not None:
            yield f"{name} cannot be posted; {remedy}"
    scorers = said.get("scorers")
    listed = {str(name): None for name in scorers} if isinstance(scorers, list) else scorers
    for name, one in listed.items() if isinstance(listed, dict) else ():
        fields = one if isinstance(one, dict) else {}
        scorer, options = fields.get("scorer") or name, fields.get("options")
        if str(scorer) not in SCORERS:
            yield f"scorers.{name}: {scorer!r} is no scorer of Podium's own; known: {', '.join(SCORERS.available())}"
        if isinstance(options, dict):
            if options.get("embedder") not in _EMBEDDERS:
                yield f"scorers.{name}: embedder {options['embedder']!r} cannot be posted; known: character_ngrams"
            found = {"pattern"} if options.get("pattern") is not None else set()
            found |= set(_endless(options.get("json_schema"), 20))
            if found & {"pattern", "patternProperties"}:
                yield f"scorers.{name}: regular expressions cannot be posted, as one can run for ever; leave it out"
            elif found:
                yield (
                    f"scorers.{name}: {min(found)} in json_schema cannot be posted, as it can take for ever; write out "
                    f"what it means, no deeper than 20"
                )


def _too_many(said: Mapping[str, Any]) -> Iterator[str]:
    for name in ("prompts", "models", "inputs", "scorers"):
        n = _size(said.get(name), 0)
        if n > MOST[name]:
            yield f"{n:,} {name}; a posted experiment has {MOST[name]:,} at most"
    parameters = said.get("parameters")
    of = parameters if isinstance(parameters, dict) else {}
    grid, budget = of.get("grid"), of.get("budget")
    draws = budget if isinstance(budget, int) else 1
    if budget is not None and not isinstance(budget, int):
        yield f"a budget of {budget!r}; write a whole number"  # read as one later, it would not have been counted here
    if draws > MOST["random draws"]:
        yield f"a budget of {draws:,}; a posted experiment has {MOST['random draws']:,} random draws at most"
    sets = prod(max(_size(one, 1), 1) for one in grid.values()) if isinstance(grid, dict) else 1
    n = max(_size(said.get("prompts"), 1), 1) * max(_size(said.get("models"), 1), 1) * sets * max(draws, 1)
    if n > MOST["configurations"]:
        yield f"{n:,} configurations; a posted experiment has {MOST['configurations']:,} at most"


def _size(listed: object, otherwise: int) -> int:
    return len(listed) if isinstance(listed, dict | list) else otherwise


def _endless(schema: object, depth: int) -> Iterator[str]:
    """What a JSON Schema has that may take for ever: expressions, references, comparing all with all, endless depth."""
    if depth == 0:
        yield "depth"
    elif isinstance(schema, dict):
        yield from (one for one in _ENDLESS if one in schema)
        for one in schema.values():
            yield from _endless(one, depth - 1)
    elif isinstance(schema, list):
        for one in schema:
            yield from _endless(one, depth - 1)


def _declared_boards(given: Settings) -> Iterator[str]:
    """Names of boards that are declared, published or not: those of their folders."""
    folders: tuple[Path | None, ...] = (PROJECT_ROOT / "pipeline" / "defs", given.defs_dir)
    for folder in folders:
        if folder is not None and folder.is_dir():
            yield from (path.parent.name for path in folder.rglob("defs.yaml"))
