"""Facts that only the warehouse keeps: a rebuild takes them over, since nothing else could tell it.

A table belongs here when its rows say what was once observed and is written down nowhere else. All that follows from
files of the archive, sources, snapshots and declarations does not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.competition import Contract
from pipeline.competition.declaration import HUB, INBOX
from pipeline.declaration import BoardDeclaration
from pipeline.tables import FILES, LLM_SNAPSHOTS, QUARANTINE, TRUTH, TableSpec
from pipeline.warehouse import Dirty, Store, relation
from pipeline.warehouse.frames import to_arrow

_CODE = "taken over"


@dataclass(frozen=True)
class OnlyHere:
    """One such table.

    Parameters
    ----------
    spec : TableSpec
    is_so : function
        For which boards.
    why : str
    """

    spec: TableSpec
    is_so: Callable[[BoardDeclaration], bool]
    why: str


def _reads_truth(board: BoardDeclaration) -> bool:
    return isinstance(board, Contract) and board.truth.source != INBOX


def _reads_hub(board: BoardDeclaration) -> bool:
    return isinstance(board, Contract) and board.predictions.source == HUB


ONLY_HERE = (
    OnlyHere(TRUTH, _reads_truth, "a source shows its outcomes as they are now; what it said before is kept here only"),
    OnlyHere(
        FILES, _reads_hub, "a hub shows its files as they are now; what was read of them before is kept here only"
    ),
    OnlyHere(QUARANTINE, _reads_hub, "as the lines of a hub's files, which its rows belong to"),
    OnlyHere(
        LLM_SNAPSHOTS, lambda board: board.kind == "llm", "a ranking's days that are over stay as they were written"
    ),
)


def only_here(board: BoardDeclaration) -> Iterator[OnlyHere]:
    """The tables of a board that are taken over."""
    return (one for one in ONLY_HERE if one.is_so(board))


def take_over(present: Store, rebuilt: Store, board: BoardDeclaration) -> list[OnlyHere]:
    """Write the facts that only the present warehouse has of a board into a new one; the tables that had any."""
    return [one for one in only_here(board) if _copied(present, rebuilt, one.spec, board.name)]


def _copied(present: Store, rebuilt: Store, spec: TableSpec, board: str) -> bool:
    rows = present.read(spec, board)
    if rows.empty:
        return False
    if spec.cycle is not None:
        cycles = [Dirty(cycle, 0) for cycle in sorted(rows[spec.cycle].dt.to_pydatetime())]
        rebuilt.replace(spec, board, list(dict.fromkeys(cycles)), rows, _CODE)
        return True
    with rebuilt.transaction(), relation(rebuilt.connection, to_arrow(spec, board, rows)) as incoming:
        rebuilt.add(spec, board, incoming)
    return True
