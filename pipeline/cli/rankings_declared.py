"""The declared rankings of language models, as commands ask for them, with errors that say which there are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.cli.errors import InputError

if TYPE_CHECKING:
    from pipeline.rankings.declaration import Rankings


def declared_ranking(name: str | None) -> "Rankings":
    """A declared ranking; without a name the only one.

    Raises
    ------
    InputError
        If there is no such ranking, or a name is needed.
    """
    known = declared_rankings()
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    listed = ", ".join(known) or "none"
    if name is None:
        raise InputError(f"{len(known)} rankings of language models are declared: {listed}; name one")
    if name not in known:
        raise InputError(f"no ranking of language models is called {name!r}; known: {listed}")
    return known[name]


def declared_rankings() -> Mapping[str, "Rankings"]:
    """The declared rankings by name."""
    from pipeline.cli.declarations import load_contracts
    from pipeline.rankings.declaration import Rankings

    return {name: one for name, one in load_contracts().items() if isinstance(one, Rankings)}


def ranking_with(source: str, board: str | None = None) -> "Rankings":
    """The declared ranking with a source; the first of several that have the same one, where none is named.

    Raises
    ------
    InputError
        If there is none, or sources of several rankings only share the name.
    """
    from pipeline.rankings.finding import kept_as

    known = declared_rankings() if board is None else {board: declared_ranking(board)}
    found = [one for one in known.values() if source in one.sources]
    if not found:
        sources = sorted({name for one in known.values() for name in one.sources})
        raise InputError(f"no ranking has a source {source!r}; known: {', '.join(sources) or 'none'}")
    if len({kept_as(one.source(source)) for one in found}) > 1:
        boards = ", ".join(one.name for one in found)
        raise InputError(f"rankings {boards} have different sources that are called {source!r}; name one: --board")
    return found[0]
