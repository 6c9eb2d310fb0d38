"""Sources by name: Podium's own are modules of ``pipeline.rankings.sources``, others dotted paths."""

import importlib
import inspect
import pkgutil
from dataclasses import is_dataclass
from types import ModuleType
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from pipeline.fingerprint import digest
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
        source: Source = made(**_as_typed(made, options))
    except (TypeError, ValueError) as error:
        raise ValueError(f"source {name!r} ({where}) cannot be made with {options}: {error}") from error
    if source.about.name != name:
        raise ValueError(f"source {name!r} ({where}) calls itself {source.about.name!r}; declare it by that name")
    return source


def _as_typed(made: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options as the fields of a dataclass are typed: YAML has a date as text, and a tuple as a list.

    Raises
    ------
    ValueError
        If one is nothing of the type of its field; the message says which and why.
    """
    if not is_dataclass(made):
        return options
    kinds = get_type_hints(made)
    return {name: _of_kind(name, value, kinds[name]) if name in kinds else value for name, value in options.items()}


def _of_kind(name: str, value: object, kind: Any) -> object:
    try:
        return TypeAdapter(kind).validate_python(value)
    except PydanticSchemaGenerationError:  # of a class of somebody's own, who has to take what YAML gives
        return value
    except ValidationError as error:
        raise ValueError(f"{name}: {error.errors()[0]['msg']}") from None


def is_own(source: Source) -> bool:
    """Whether a source is Podium's own, and no class of somebody else that has the same name."""
    return type(source).__module__.startswith(f"{sources.__name__}.")


def kept_as(source: Source) -> str:
    """The name of the folder that everything of a source is kept in.

    It is the source's name for Podium's own as they are. A class of somebody else, and another edition of what is
    published, has a folder of its own, whatever it is called: what two fetch is never taken for one another's.
    """
    name, edition = source.about.name, source.about.edition
    if is_own(source) and not edition:
        return name
    made = type(source)
    return f"{name}-{digest(made.__module__, made.__qualname__, edition)[:12]}"


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
