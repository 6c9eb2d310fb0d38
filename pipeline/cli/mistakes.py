"""Mistakes in declarations, told in one line that names the file and says what is wrong, and what would be right."""

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from pipeline.cli.errors import InputError
from pipeline.settings import PROJECT_ROOT, settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_DEFS = PROJECT_ROOT / "pipeline" / "defs"
_EXAMPLE = "type: pipeline.components.Competition"
_BOARDS = "pipeline.components.Competition, pipeline.components.JudgedTrack or pipeline.components.LlmRankings"
_FIELDS = ("type", "attributes", "template_vars_module", "requirements", "post_processing")
"""What Dagster reads of a component's declaration."""
_KEY = "[key]"
"""What pydantic adds to the place of a mapping's key."""
_SHOULD_BE = "Input should be "
"""How pydantic begins to say what it expected."""
_KINDS = {
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}
"""What was expected, by pydantic's name of the error, in words for who writes YAML."""
_TREE = re.compile(r"Error while (?:loading component|building definitions for) ")
_COMPONENT = re.compile(_TREE.pattern + r"(\S+?)\[\d+\]")


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Load declarations; when one is wrong, the error is one line that says which and why.

    Raises
    ------
    InputError
        If a declaration is wrong. Anything else is a bug and passes through.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        told = [problem for folder in _folders() for problem in problems_in(folder)] or _problem_told_by(error)
        if not told:  # no declaration was being read: a bug
            raise
        raise InputError("; ".join(told)) from error


def problems_in(folder: Path) -> list[str]:
    """What keeps the ``defs.yaml`` files in a folder from being read as components, each with its file.

    Dagster's own errors about these name no file.
    """
    return [
        f"{_shown(path)}: {problem}" for path in sorted(folder.rglob("defs.yaml")) for problem in _problems_of(path)
    ]


def told_of(folder: Path, error: Exception) -> str:
    """What an error says that loading a folder, by itself, ended with."""
    return f"{_shown(folder / 'defs.yaml')}: {_in_words(_told(_chain(error)))}"


def _folders() -> list[Path]:
    """The folder of the bundled boards, and the operator's own where there is one."""
    own = settings().defs_dir
    return [_DEFS] if own is None else [_DEFS, own.resolve()]


def _problem_told_by(error: Exception) -> list[str]:
    """What Dagster's error about a component says; nothing for an error that is about none."""
    chain = _chain(error)
    told = next((str(one) for one in chain if type(one).__name__ == "DefsFolderError"), None)
    if told is not None:  # it is about folders, whichever component met it
        return [told]
    if isinstance(error, OSError):
        return [f"the declared boards cannot be loaded: {error}"]
    components = [found[1] for one in chain if (found := _COMPONENT.search(str(one)))]
    return [f"{_shown(_declaration_of(components[-1]))}: {_in_words(_told(chain))}"] if components else []


def _declaration_of(component: str) -> Path:
    """The file of a component, in the folder that has it."""
    files = [folder / component / "defs.yaml" for folder in _folders()]
    return next((file for file in files if file.exists()), files[0])


def _problems_of(path: Path) -> Iterator[str]:
    from pipeline.components.yaml_keys import repeated_keys

    try:
        documents = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        yield f"no YAML{where}: {error.problem}"
        return
    except (yaml.YAMLError, ValueError) as error:  # of characters that YAML or UTF-8 does not have
        yield f"no YAML: {str(error).splitlines()[0]}"
        return
    except RecursionError:
        yield "it is nested too deeply"
        return
    yield from repeated_keys(path)
    if not documents:
        yield f"it is empty; begin with {_EXAMPLE}, or remove the file"
    for document in documents:
        yield from _problems_of_document(document)
    names = [_name(document) for document in documents]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"it declares {name!r} more than once; keep one"


def _problems_of_document(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"it holds no fields but {document!r:.40}; begin with {_EXAMPLE}"
        return
    unknown = [str(field) for field in document if field not in _FIELDS]
    if unknown:
        yield f"unknown field {', '.join(map(repr, unknown))}; known: {', '.join(_FIELDS)}"
    kind = document.get("type")
    if not isinstance(kind, str):
        yield f"it has no type; begin with {_EXAMPLE}"
    elif not _is_component(kind):
        yield f"unknown type {kind!r}; a board's is {_BOARDS}"


def _is_component(kind: str) -> bool:
    """Whether there is a class of that name."""
    module, _, name = kind.rpartition(".")
    if module.startswith("."):
        return False
    try:
        return hasattr(importlib.import_module(module), name)
    except (ImportError, ValueError):
        return False


def _name(document: Any) -> Any:
    attributes = document.get("attributes") if isinstance(document, dict) else None
    return attributes.get("name") if isinstance(attributes, dict) else None


def _shown(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix() if path.is_relative_to(PROJECT_ROOT) else str(path)


def _chain(error: BaseException) -> list[BaseException]:
    """An error and its causes, the innermost last."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    return chain


def _told(chain: list[BaseException]) -> BaseException:
    """The error that speaks of the declaration: below Dagster's own about its tree, above what it was made from."""
    validations = [one for one in chain if isinstance(one, ValidationError)]  # the outer ones repeat the innermost
    return validations[-1] if validations else next((one for one in chain if not _TREE.search(str(one))), chain[-1])


def _in_words(error: BaseException) -> str:
    """The message of an error; of a declaration's, where and what."""
    if not isinstance(error, ValidationError):
        return str(error)
    wrong = [(".".join(str(part) for part in one["loc"] if part != _KEY), _what(one)) for one in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in wrong)


def _what(wrong: "ErrorDetails") -> str:
    """What is wrong with a field: as the contract says it, or what was expected in place of what is given."""
    message = wrong["msg"].removeprefix("Value error, ")
    if wrong["type"] == "missing":
        return "it is missing"
    if not message.startswith(_SHOULD_BE):
        return message
    expected = _KINDS.get(wrong["type"], message.removeprefix(_SHOULD_BE))
    return f"{wrong['input']!r:.40} is given; it should be {expected}"
