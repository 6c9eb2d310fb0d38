"""Declared experiments as commands ask for them: those of defs folders, and those that were posted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.cli.errors import InputError
from pipeline.cli.output import tell
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.experiments import Experiment


def declared_experiments(about: str | None = None) -> "dict[str, Experiment]":
    """Every experiment by name.

    Parameters
    ----------
    about : str, optional
        The experiment that is asked about: its declaration may not be broken.
    """
    from pipeline.cli.declarations import load_contracts
    from pipeline.experiments import Experiment

    posted = _posted(about)
    contracts = load_contracts(all_must_load=about is not None and about not in posted)
    declared = {name: one for name, one in contracts.items() if isinstance(one, Experiment)}
    return dict(sorted({**posted, **declared}.items()))


def declared_experiment(name: str | None) -> "Experiment":
    """An experiment; without a name the only one.

    Raises
    ------
    InputError
        If there is none of that name, or a name is needed.
    """
    found = declared_experiments(name)
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is None:
        raise InputError(f"{len(found)} experiments are declared: {', '.join(found) or 'none'}; name one")
    if name not in found:
        raise InputError(f"no experiment {name!r} is declared; known: {', '.join(found) or 'none'}")
    return found[name]


def _posted(about: str | None) -> "Mapping[str, Experiment]":
    """Those that were posted; one that cannot be read is left out with a warning, unless it is asked about."""
    from pipeline.intake.posted import posted_experiments

    found, wrong = posted_experiments(settings())
    if about is not None and about in wrong:
        raise InputError(wrong[about])
    for name, why in wrong.items():
        tell("WARNING", f"{why}; {name!r} left out")
    return found
