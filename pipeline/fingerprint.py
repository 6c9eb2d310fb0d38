"""Hashes of code and declarations: what the ledger compares, so that what changed is computed anew."""

import functools
import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Stage:
    """What a table's rows depend on besides its input rows.

    Parameters
    ----------
    declared : mapping
        Fields of the declaration, as pydantic's ``include`` takes them.
    sources : tuple of str
        Modules, or packages with everything in them.
    """

    declared: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def code(self, declaration: BaseModel, *also: str) -> str:
        """Hash of all that, as it is now, and of anything else, such as the hashes of files."""
        declared = declaration.model_dump_json(include=self.declared)
        return digest(declared, *also, *(source_hash(module) for module in self.sources))


def stage_named(name: str, stages: Mapping[str, Stage]) -> Stage:
    """The stage of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in stages:
        raise ValueError(f"unknown stage {name!r}; known: {', '.join(stages)}")
    return stages[name]


@functools.cache
def source_hash(module: str) -> str:
    """Hash of the source text of a module, or of a package with everything in it; empty where there is none."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    path = Path(spec.origin)
    files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    return digest(*(file.read_text(encoding="utf-8") for file in files))


def digest(*parts: str) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
