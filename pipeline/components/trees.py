"""Where boards are declared: the folder ``pipeline/defs``, and one of the operator's own that the settings name."""

import functools
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

import dagster as dg

from pipeline.components.board import Board
from pipeline.declaration import BoardDeclaration
from pipeline.settings import PROJECT_ROOT, settings

_OWN = "podium_own_defs"
"""The name under which Dagster knows the operator's folder, which is no package."""

_DECLARATION = "defs.yaml"
_LOADED = (_DECLARATION, "*.py")
"""The files that Dagster loads."""

_LEFT_OUT: ContextVar[frozenset[Path]] = ContextVar("left_out", default=frozenset())
"""Folders of one's own that are not loaded, because what they declare is wrong."""


class DefsFolderError(ValueError):
    """The folder of one's own boards cannot be used; the message says why."""


@functools.cache
def own_tree() -> dg.ComponentTree | None:
    """The tree of components in the folder that ``PODIUM_DEFS_DIR`` names; None without it, or with nothing in it yet.

    Raises
    ------
    DefsFolderError
        If there is no such folder.
    """
    folder = own_folder()
    # Dagster fails on a folder without anything to load.
    if folder is None or not any(any(folder.rglob(pattern)) for pattern in _LOADED):
        return None
    return _tree(folder, _OWN)


def own_folder() -> Path | None:
    """The folder that ``PODIUM_DEFS_DIR`` names; None without it.

    Raises
    ------
    DefsFolderError
        If there is no such folder.
    """
    named = settings().defs_dir
    if named is None:
        return None
    folder = named.resolve()
    if not folder.is_dir():
        raise DefsFolderError(f"PODIUM_DEFS_DIR={str(named)!r} is no folder; make it, or unset the variable")
    return folder


def own_folders() -> list[Path]:
    """The folders in one's own that have a declaration, each with all that is below it; sorted."""
    own = own_folder()
    return [] if own is None else list(_declaring(own))


def boards_in(folder: Path) -> set[str]:
    """The boards that a folder with a declaration is about: a board's name is its folder's."""
    return {path.parent.name for path in folder.rglob(_DECLARATION)}


def tree_of(folder: Path) -> dg.ComponentTree:
    """The tree of one of :func:`own_folders` alone, so that what is wrong in others does not matter."""
    return _tree(folder, f"{_OWN}.{folder.name}")


@contextmanager
def leaving_out(folders: Iterable[Path]) -> Iterator[None]:
    """Load one's own boards without these folders while the block runs.

    Python files that lie beside the folders with declarations are not loaded then.
    """
    token = _LEFT_OUT.set(frozenset(folders))
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)


def boards_left_out() -> set[str]:
    """The boards that are declared, but not loaded now."""
    return {name for folder in _LEFT_OUT.get() for name in boards_in(folder)}


def own_definitions() -> dg.Definitions:
    """What the operator's folder declares; nothing without one."""
    return definitions_in(_own_trees())


def definitions_in(trees: Iterable[dg.ComponentTree]) -> dg.Definitions:
    """What some trees declare, built."""
    with _previews_allowed():
        # Of the folder, not of the whole tree: that would bring the tree itself, of which there can be one.
        return dg.Definitions.merge(*(tree.build_defs(tree.defs_module_path) for tree in trees))


def contracts_in(trees: Iterable[dg.ComponentTree]) -> list[BoardDeclaration]:
    """The contracts of all boards that some trees declare, without building their assets."""
    with _previews_allowed():
        components = (tree.get_all_components(of_type=Board) for tree in trees)  # type: ignore[type-abstract]  # of any
        return [component.contract for found in components for component in found]


def bundled_tree() -> dg.ComponentTree:
    """The tree of the bundled boards."""
    with _previews_allowed():
        return dg.ComponentTree.for_project(PROJECT_ROOT)


def declared_contracts(bundled: dg.ComponentTree | None = None) -> dict[str, BoardDeclaration]:
    """The contracts of all boards by name, sorted; read from the declarations, without building any assets.

    Parameters
    ----------
    bundled : ComponentTree, optional
        The tree of the bundled boards, where it is being loaded already.

    Raises
    ------
    DefsFolderError
        If two folders declare one board.
    """
    contracts = contracts_in([bundled or bundled_tree(), *_own_trees()])
    names = sorted(contract.name for contract in contracts)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefsFolderError(f"boards {twice} are bundled, and declared in PODIUM_DEFS_DIR too; rename yours")
    return {contract.name: contract for contract in sorted(contracts, key=lambda one: one.name)}


def _own_trees() -> list[dg.ComponentTree]:
    """One tree of all that is one's own; where something is left out, one for each of the other folders."""
    left_out = _LEFT_OUT.get()
    if left_out:
        return [tree_of(folder) for folder in own_folders() if folder not in left_out]
    tree = own_tree()
    return [] if tree is None else [tree]


def _tree(folder: Path, name: str) -> dg.ComponentTree:
    module = ModuleType(name)
    module.__file__, module.__path__ = None, [str(folder)]
    sys.modules[name] = module
    return dg.ComponentTree.from_module(defs_module=module, project_root=folder)


def _declaring(folder: Path) -> Iterator[Path]:
    if (folder / _DECLARATION).exists():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith(".") and path.name != "__pycache__":  # as Dagster does
            yield from _declaring(path)


@contextmanager
def _previews_allowed() -> Iterator[None]:
    """As ``dg.load_from_defs_folder`` does: Dagster's own use of its previews."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
