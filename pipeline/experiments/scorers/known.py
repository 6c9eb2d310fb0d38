"""Scorers by name; a scorer of one's own by the dotted path of its class."""

import inspect
from typing import Any

from pydantic import ValidationError

from pipeline.experiments.scorers.formatting import Format
from pipeline.experiments.scorers.human import Human
from pipeline.experiments.scorers.imported import Imported
from pipeline.experiments.scorers.judge import Judge
from pipeline.experiments.scorers.keyword import Keywords
from pipeline.experiments.scorers.matching import EmbeddingSimilarity, ExactMatch, FuzzyMatch
from pipeline.experiments.scorers.scorer import Scorer
from pipeline.registry import Registry

SCORERS: Registry[type] = Registry("scorer", type)
"""Every scorer's class by name."""

for _scorer in (EmbeddingSimilarity, ExactMatch, Format, FuzzyMatch, Human, Imported, Judge, Keywords):
    SCORERS.register(_scorer.name, _scorer)


def make_scorer(name: str, options: dict[str, Any] | None = None) -> Scorer:
    """A scorer, ready to use.

    Parameters
    ----------
    name : str
        A name, or the dotted path of a class.
    options : dict, optional
        Its fields.

    Raises
    ------
    ValueError
        If there is none of that name, or an option is unknown or wrong; the message says which.
    """
    made = SCORERS.get(name)
    if not (inspect.isclass(made) and issubclass(made, Scorer)):
        raise ValueError(f"scorer {name!r} is no class of scorers; derive it from pipeline.experiments.scorers.Scorer")
    lacking = [one for one in ("name", "version") if not isinstance(getattr(made, one, None), str)]
    if lacking:
        raise ValueError(f"scorer {name!r} has no {' and no '.join(lacking)}; give the class both, as texts")
    try:
        return made.model_validate(options or {})
    except ValidationError as error:
        raise ValueError(f"scorer {name!r}: {_told(error)}") from error


def _told(error: ValidationError) -> str:
    """What is wrong, field by field."""
    said = []
    for one in error.errors(include_url=False):
        where = ".".join(str(part) for part in one["loc"])
        said.append(f"{where}: {one['msg']}" if where else one["msg"])
    return "; ".join(said).replace("Value error, ", "")
