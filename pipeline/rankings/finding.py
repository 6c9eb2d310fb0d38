"""Sources by name: Podium's own are modules of ``pipeline.rankings.sources``, others dotted paths."""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

from pipeline.rankings import sources
from pipeline.rankings.source import Source
from pipeline.registry import UnknownNameError, resolve_dotted_path

_DOES = ("about", "wanted", "parse")


def known_sources() -> list[str]:
    """The names of Podium's own sources, sorted."""
    found = []
    for module in pkgutil.iter_modules(sources.__path__):
        made = _made_in(importlib.import_module(f"{sources.__name__}.{module.name}"))
        found += [one().about.name for one in made]
    return sorted(found)


def make_source(name: str, path: str | None, options: dict[str, Any]) -> Source:
    """A source, ready to use.

    Parameters
    ----------
    name : str
        What it has to call itself.
    path : str or None
        Dotted path of its class, or of a module with one; None for Podium's own module of that name.
    options : dict
        What it is made with.

    Raises
    ------
    ValueError
        If there is no such source, it cannot be made with its options, or it calls itself by another name.
    """
    where = path or f"{sources.__name__}.{name}"
    try:
        found = resolve_dotted_path(where, "source")
    except UnknownNameError as error:
        if path is not None:
            raise
        raise ValueError(
            f"source {name!r} is not known; known: {', '.join(known_sources())}; for one of your own give `source`, "
            f"the dotted path of its class"
        ) from error
    made = _only_one(found, where) if isinstance(found, ModuleType) else found
    if not _is_source(made):
        raise ValueError(f"source {name!r}: {where} is no source; it needs {', '.join(_DOES)}")
    try:
        source: Source = made(**options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"source {name!r} ({where}) cannot be made with {options}: {error}") from error
    if source.about.name != name:
        raise ValueError(f"source {name!r} ({where}) calls itself {source.about.name!r}; declare it by that name")
    return source


def _only_one(module: ModuleType, where: str) -> Any:
    made = _made_in(module)
    if len(made) != 1:
        raise ValueError(f"{where} has {len(made)} sources; name the class: {where}.<class>")
    return made[0]


def _made_in(module: ModuleType) -> list[Any]:
    """The sources among the classes that a module defines."""
    classes = inspect.getmembers(module, inspect.isclass)
    return [one for _, one in classes if one.__module__ == module.__name__ and _is_source(one)]


def _is_source(made: object) -> bool:
    return inspect.isclass(made) and all(hasattr(made, name) for name in _DOES)
