"""Where boards are declared: the folder ``pipeline/defs``, and one of the operator's own that the settings name."""

import functools
import sys
import warnings
from types import ModuleType

import dagster as dg

from pipeline.competition import Contract
from pipeline.components.competition import Competition
from pipeline.settings import PROJECT_ROOT, settings

_OWN = "podium_own_defs"
"""The name under which Dagster knows the operator's folder, which is no package."""

_LOADED = ("defs.yaml", "*.py")
"""The files that Dagster loads."""


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
    named = settings().defs_dir
    if named is None:
        return None
    folder = named.resolve()
    if not folder.is_dir():
        raise DefsFolderError(f"PODIUM_DEFS_DIR={str(named)!r} is no folder; make it, or unset the variable")
    if not any(any(folder.rglob(pattern)) for pattern in _LOADED):  # Dagster fails on a folder without anything to load
        return None
    module = ModuleType(_OWN)
    module.__file__, module.__path__ = None, [str(folder)]
    sys.modules[_OWN] = module
    return dg.ComponentTree.from_module(defs_module=module, project_root=folder)


def own_definitions() -> dg.Definitions:
    """What the operator's folder declares; nothing without one."""
    tree = own_tree()
    if tree is None:
        return dg.Definitions()
    with warnings.catch_warnings():  # as dg.load_from_defs_folder does: Dagster's own use of its previews
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        # Of the folder, not of the whole tree: that would bring the tree itself, of which there can be one.
        return tree.build_defs(tree.defs_module_path)


def declared_contracts(bundled: dg.ComponentTree | None = None) -> dict[str, Contract]:
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        trees = [bundled or dg.ComponentTree.for_project(PROJECT_ROOT), own_tree()]
        contracts = [
            component.contract
            for tree in trees
            if tree is not None
            for component in tree.get_all_components(of_type=Competition)
        ]
    names = sorted(contract.name for contract in contracts)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefsFolderError(f"boards {twice} are bundled, and declared in PODIUM_DEFS_DIR too; rename yours")
    return {contract.name: contract for contract in sorted(contracts, key=lambda one: one.name)}
