"""Experiments that were posted to the report API: the declarations that it keeps, read as experiments."""

import json
from collections.abc import Mapping

from pydantic import ValidationError

from pipeline.experiments import Experiment
from pipeline.intake.executing import POSTED
from pipeline.settings import Settings


class PostedError(ValueError):
    """A posted declaration that cannot be read; the message names its file and says why."""


def posted_names(given: Settings) -> list[str]:
    """The names of posted experiments, sorted."""
    return sorted(path.stem for path in (given.experiments_dir / POSTED).glob("*.json") if path.name[0] != ".")


def posted_experiment(name: str, given: Settings) -> Experiment:
    """A posted experiment.

    Raises
    ------
    PostedError
        If its file is no declaration, or one of another name.
    """
    path = given.experiments_dir / POSTED / f"{name}.json"
    try:
        found = Experiment.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise PostedError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from error
    except (OSError, ValueError) as error:
        raise PostedError(f"{path}: it cannot be read: {error}") from error
    if found.name != name:
        raise PostedError(f"{path}: it declares {found.name!r}; name the file after its experiment")
    return found


def posted_experiments(given: Settings) -> tuple[Mapping[str, Experiment], Mapping[str, str]]:
    """Every posted experiment by name, and why others cannot be read, by name."""
    found: dict[str, Experiment] = {}
    wrong: dict[str, str] = {}
    for name in posted_names(given):
        try:
            found[name] = posted_experiment(name, given)
        except PostedError as error:
            wrong[name] = str(error)
    return found, wrong
