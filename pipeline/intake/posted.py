"""Experiments that were posted to the report API: where their declarations are, and what they say.

Each is one file beside the queues, ``declared/<name>.json``, written whole or not at all, and never changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.experiments import Experiment
from pipeline.settings import Settings

_FOLDER = "declared"


class PostedError(ValueError):
    """A posted declaration that cannot be read; the message names its file and says why."""


@dataclass(frozen=True)
class PostedDeclaration:
    """A posted experiment as it was kept; what it declares may be beyond this Podium.

    Parameters
    ----------
    name, title : str
    text : str
        Canonical JSON.
    """

    name: str
    title: str
    text: str


def posted_path(name: str, given: Settings) -> Path:
    """Where the declaration of a posted experiment is, or would be."""
    return given.experiments_dir / _FOLDER / f"{name}.json"


def is_posted(name: str, given: Settings) -> bool:
    """Whether an experiment was posted to the report API: who did may not spend more than the settings allow."""
    return posted_path(name, given).exists()


def posted_names(given: Settings) -> list[str]:
    """The names of posted experiments, sorted."""
    paths = (given.experiments_dir / _FOLDER).glob("*.json")
    return sorted(path.stem for path in paths if not path.name.startswith("."))


def posted_declarations(given: Settings) -> tuple[Mapping[str, PostedDeclaration], Mapping[str, str]]:
    """Every posted declaration by name, and why others cannot be read, by name."""
    found: dict[str, PostedDeclaration] = {}
    wrong: dict[str, str] = {}
    for name in posted_names(given):
        try:
            found[name] = _declaration(name, given)
        except PostedError as error:
            wrong[name] = str(error)
    return found, wrong


def posted_experiments(given: Settings) -> tuple[Mapping[str, Experiment], Mapping[str, str]]:
    """Every posted experiment by name, and why others cannot be read, by name."""
    declarations, unread = posted_declarations(given)
    found: dict[str, Experiment] = {}
    wrong = dict(unread)
    for name, one in declarations.items():
        try:
            found[name] = _experiment(one, given)
        except PostedError as error:
            wrong[name] = str(error)
    return found, wrong


def _declaration(name: str, given: Settings) -> PostedDeclaration:
    path = posted_path(name, given)
    try:
        text = path.read_text(encoding="utf-8")
        said = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise PostedError(f"{path}: it cannot be read: {error}") from error
    if not isinstance(said, dict) or "title" not in said:
        raise PostedError(f"{path}: it is no declaration of an experiment; remove it, and post the experiment again")
    return PostedDeclaration(name, str(said["title"]), text)


def _experiment(declaration: PostedDeclaration, given: Settings) -> Experiment:
    path = posted_path(declaration.name, given)
    try:
        found = Experiment.model_validate(json.loads(declaration.text))
    except ValidationError as error:
        raise PostedError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from error
    if found.name != declaration.name:
        raise PostedError(f"{path}: it declares {found.name!r}; name the file after its experiment")
    return found
