"""Hashes of code and declarations: what the ledger compares, so that what changed is computed anew."""

import functools
import hashlib
import importlib.util
from pathlib import Path


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
