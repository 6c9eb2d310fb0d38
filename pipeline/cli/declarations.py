"""What is declared, bundled or in a folder of one's own, loaded; if need be, without boards that are broken."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.cli.errors import InputError
from pipeline.cli.mistakes import mistakes_told, problems_in, told_of
from pipeline.cli.output import tell

if TYPE_CHECKING:
    import dagster as dg

    from pipeline.declaration import BoardDeclaration

T = TypeVar("T")


def load_job(name: str | None) -> "dg.JobDefinition":
    """The job of a board, or the one over all assets.

    The job of one board loads although another board of one's own is broken, which is left out with a warning.

    Raises
    ------
    InputError
        If no such board is declared, or a declaration is wrong: which file, and what the innermost error says.
    """
    from pipeline.definitions import defs

    job, _ = _load(lambda: _job(defs(), name), name, all_must_load=name is None)
    return job


class Contracts(dict[str, "BoardDeclaration"]):
    """Contracts by board; ``broken`` are the boards that cannot be loaded."""

    def __init__(self, contracts: "Mapping[str, BoardDeclaration]", broken: Iterable[str] = ()) -> None:
        super().__init__(contracts)
        self.broken = frozenset(broken)


def load_contracts(about: str | None = None, *, all_must_load: bool = False) -> Contracts:
    """The contracts of all boards by name, without building what they declare.

    Boards of one's own that are broken are left out with a warning.

    Parameters
    ----------
    about : str, optional
        The board that is asked about: it must be there.
    all_must_load : bool
        Whether no board may be broken.

    Raises
    ------
    InputError
        If there is no such board, or a declaration that matters is wrong: which file, and what the innermost error
        says.
    """
    from pipeline.cli.contracts import board_of
    from pipeline.components.trees import declared_contracts

    def load() -> "dict[str, BoardDeclaration]":
        contracts = declared_contracts()
        if about is not None:
            board_of(contracts, about)
        return contracts

    return Contracts(*_load(load, about, all_must_load))


def _load(load: Callable[[], T], about: str | None, all_must_load: bool) -> tuple[T, set[str]]:
    """What is loaded, if need be without the boards of one's own that are broken, which are returned, too."""
    from pipeline.components.trees import boards_in

    try:
        with mistakes_told():
            return load(), set()
    except InputError as error:
        broken = {} if all_must_load else _broken_folders()
        boards = {name for folder in broken for name in boards_in(folder)}
        if not broken or about in boards:
            raise
        loaded = _load_without(broken, load, error)
    for folder, problem in broken.items():
        names = ", ".join(map(repr, sorted(boards_in(folder))))
        tell("WARNING", f"{problem}; {names} left out")
    return loaded, boards


def _load_without(broken: Iterable[Path], load: Callable[[], T], whole: InputError) -> T:
    """What is loaded without some folders; ``whole`` is what is wrong with them.

    Raises
    ------
    InputError
        If that does not help: what is looked for may be in one of them, under another name.
    """
    from pipeline.components.trees import leaving_out

    try:
        with mistakes_told(), leaving_out(broken):
            return load()
    except InputError as error:
        raise InputError(f"{error}; not loaded: {whole}") from whole


def _job(definitions: "dg.Definitions", name: str | None) -> "dg.JobDefinition":
    if name is None:
        return definitions.resolve_implicit_global_asset_job_def()
    boards = sorted({job.name for job in definitions.jobs or ()})
    if name not in boards:
        raise InputError(f"no board {name!r} is declared; known: {', '.join(boards) or 'none'}")
    return definitions.resolve_job_def(name)


def _broken_folders() -> dict[Path, str]:
    """The folders of one's own whose declarations are wrong, each with what is wrong; each is loaded by itself."""
    from pipeline.components.trees import bundled_tree, contracts_in, own_folders

    found = {}
    with mistakes_told():
        known = {contract.name for contract in contracts_in([bundled_tree()])}
        for folder in own_folders():
            problems = problems_in(folder) or list(_problems_of(folder, known))
            if problems:
                found[folder] = "; ".join(problems)
    return found


def _problems_of(folder: Path, known: set[str]) -> Iterator[str]:
    """What keeps a folder from being loaded; the boards that it declares become ``known``."""
    from pipeline.components.trees import contracts_in, definitions_in, tree_of

    tree = tree_of(folder)
    try:
        names = {contract.name for contract in contracts_in([tree])}
        definitions_in([tree])
    except Exception as error:
        yield told_of(folder, error)
        return
    if names & known:
        yield f"{folder}: another board is called {', '.join(map(repr, sorted(names & known)))} already; rename this"
    known |= names
