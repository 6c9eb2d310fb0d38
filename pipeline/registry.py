"""Named things: metrics, scoring rules, sources. A name is a built-in or a dotted path into an allowed package.

Add nothing about particular things here; a package keeps its own :class:`Registry` beside the things it names.
"""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from pipeline.settings import settings

T = TypeVar("T")


class UnknownNameError(ValueError):
    """A name that is neither registered nor an importable dotted path; the message lists what is known."""


class Registry(Generic[T]):
    """A mapping from names to things of one kind, which also resolves dotted paths.

    Parameters
    ----------
    kind : str
        What is registered, in the singular, for error messages: ``"metric"``.
    of : type
        What a thing of this kind is; a dotted path to anything else is refused.
    """

    def __init__(self, kind: str, of: type[T]) -> None:
        self.kind = kind
        self._of = of
        self._things: dict[str, T] = {}

    def register(self, name: str, thing: T) -> T:
        """Register ``thing`` under ``name`` and return it.

        Raises
        ------
        ValueError
            If the name is taken or contains a dot (dots mark dotted paths).
        """
        if "." in name:
            raise ValueError(f"{self.kind} name {name!r} has a dot; dots are kept for dotted paths")
        if name in self._things:
            raise ValueError(f"{self.kind} {name!r} is already registered; choose another name")
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing registered under ``name``, or the one a dotted path names.

        Raises
        ------
        UnknownNameError
            If there is none, or the path names a thing of another kind; the message lists every known name.
        """
        if name in self._things:
            return self._things[name]
        known = ", ".join(self.available())
        if "." not in name:
            raise UnknownNameError(f"unknown {self.kind} {name!r}; known: {known}")
        try:
            thing = resolve_dotted_path(name, self.kind)
        except UnknownNameError as error:
            raise UnknownNameError(f"{error}; known without a path: {known}") from error
        return self._of_kind(name, thing)

    def _of_kind(self, name: str, thing: object) -> T:
        """What a dotted path names, as a thing of this kind; a registry may make one of something else."""
        if not isinstance(thing, self._of):
            raise UnknownNameError(
                f"{self.kind} {name!r} is a {type(thing).__name__}; a dotted path must name a {self._of.__name__}; "
                f"known without a path: {', '.join(self.available())}"
            )
        return thing

    def available(self) -> list[str]:
        """The registered names, sorted."""
        return sorted(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __contains__(self, name: str) -> bool:
        return name in self._things


def resolve_dotted_path(path: str, kind: str) -> Any:
    """Import what ``path`` names: a module, or an attribute of one.

    Only packages listed in the setting ``PODIUM_DOTTED_PATH_PACKAGES`` are allowed, so that a YAML file cannot
    run arbitrary installed code: not what a module of theirs imports from elsewhere either.

    Raises
    ------
    UnknownNameError
        If the package is not allowed or nothing importable has that path. An import that fails inside an allowed
        module is raised as it is.
    """
    allowed = settings().dotted_path_packages
    if not any(path.startswith(package + ".") for package in allowed):
        raise UnknownNameError(
            f"{kind} {path!r} is outside the packages that dotted paths may use ({', '.join(allowed)}); "
            f"add its package to PODIUM_DOTTED_PATH_PACKAGES"
        )
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not (path == error.name or path.startswith(error.name + ".")):
            raise
    module_name, _, attribute = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UnknownNameError(f"{kind} {path!r} cannot be imported: {error}") from error
    home = _home_of(found)
    if home is not None and not any(f"{home}.".startswith(f"{package}.") for package in allowed):
        raise UnknownNameError(
            f"{kind} {path!r} is of {home}, which that module only imports, and outside the packages that dotted paths "
            f"may use ({', '.join(allowed)}); write a function of your own around it"
        )
    return found


def _home_of(thing: object) -> str | None:
    """The module that a module, class or function is of; None for all that runs nothing by itself."""
    if inspect.ismodule(thing):
        return thing.__name__
    if inspect.isclass(thing) or inspect.isroutine(thing):
        return str(getattr(thing, "__module__", None) or "builtins")
    return None


def takes(function: object, arguments: int) -> bool:
    """Whether something can be called with so many arguments, by position; a class is no function."""
    if not callable(function) or isinstance(function, type):
        return False
    try:
        inspect.signature(function).bind(*range(arguments))
    except (TypeError, ValueError):  # ValueError: not written in Python, so that nobody can tell
        return False
    return True


def described(thing: object) -> str:
    """What a dotted path names, in an error: ``float``, ``class``, ``function (model_id, metrics=None)``."""
    if isinstance(thing, type):
        return "class"
    if not callable(thing):
        return type(thing).__name__
    try:
        signature = inspect.signature(thing)
    except ValueError:
        return "function whose parameters cannot be told"
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return f"function {signature.replace(parameters=bare, return_annotation=signature.empty)}"
