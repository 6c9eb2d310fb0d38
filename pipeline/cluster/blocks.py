"""One competition computed by many: its tables in order, each in blocks of cycles that are computed side by side.

What a block is computed from, and that it is computed at all, is in the ledger, as for any run: blocks that are
computed twice, at once or never end in the same tables once a run over all cycles has found nothing more to do.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.competition import Contract
from pipeline.components.competition import assets_of
from pipeline.components.competition_tables import predictions_source
from pipeline.components.recompute import Recompute
from pipeline.components.trees import declared_contracts
from pipeline.components.updating import in_order
from pipeline.tables import CYCLE_METRICS, FACTORS, PREDICTIONS, SCORES, SNAPSHOTS, TableSpec
from pipeline.warehouse import WarehouseFiles

DIVISIBLE = (PREDICTIONS, FACTORS, SCORES, CYCLE_METRICS, SNAPSHOTS)
"""Tables of which some cycles need no other cycle of the same table."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Block:
    """Cycles of a table from ``first`` to ``last``, both included; None where they are not bounded."""

    board: str
    table: str
    first: str | None = None
    last: str | None = None


class Answer(Protocol):
    """What a block that was given away becomes: cycles recomputed, or its error raised."""

    def get(self) -> int:
        """Wait for it."""


@dataclass(frozen=True)
class Done:
    """A table that was brought up to date in blocks."""

    table: str
    blocks: int
    cycles: int
    seconds: float


def update_block(board: str, table: str, first: str | None, last: str | None) -> int:
    """What a worker does: bring some cycles of a declared competition's table up to date.

    Raises
    ------
    ValueError
        If no such competition is declared, or it has no such table.
    """
    contract = declared_contracts().get(board)
    if not isinstance(contract, Contract):
        raise ValueError(f"no competition {board!r} is declared here; a worker needs the boards of whom it works for")
    return update(contract, Block(board, table, first, last))


def update(contract: Contract, block: Block) -> int:
    """Bring some cycles of a table up to date; how many were recomputed.

    Raises
    ------
    ValueError
        If the competition has no such table.
    """
    known = {spec.name: update for spec, update, _ in assets_of(contract)}
    if block.table not in known:
        raise ValueError(f"{block.board} has no table {block.table!r}; known: {', '.join(known)}")
    part, first = f"{block.board}/{block.table}", block.first or ""
    with WarehouseFiles().write(f"{part} from {first or 'its beginning'}", f"{part}/{first}") as store:
        outcome = known[block.table](store, contract, Recompute(from_cycle=block.first, to_cycle=block.last))
    return sum(change.cycles for change in outcome.changes)


def spread(contract: Contract, parts: int, give: Callable[[Block], Answer]) -> Iterator[Done]:
    """Bring every table of a competition up to date, those that can be divided in blocks that are given away at once.

    Parameters
    ----------
    contract : Contract
    parts : int
        Blocks of each table.
    give : function
        Gives a block to a worker.

    Raises
    ------
    ValueError
        If its predictions come from files: what waits in an inbox is landed by a run.
    """
    bounds = _bounds(sorted(predictions_source(contract).cycles()), parts)
    for spec, _, _ in in_order(assets_of(contract)):
        started = time.perf_counter()
        answers = [give(block) for block in _blocks(contract.name, spec, bounds)]
        cycles = sum(answer.get() for answer in answers)
        yield Done(spec.name, len(answers), cycles, time.perf_counter() - started)


def _blocks(board: str, spec: TableSpec, bounds: Sequence[datetime]) -> list[Block]:
    if spec not in DIVISIBLE or not bounds:
        return [Block(board, spec.name)]
    firsts = [None, *(bound.isoformat() for bound in bounds)]
    lasts = [*((bound - _MOMENT).isoformat() for bound in bounds), None]
    return [Block(board, spec.name, first, last) for first, last in zip(firsts, lasts, strict=True)]


def _bounds(cycles: Sequence[datetime], parts: int) -> list[datetime]:
    """The first cycles of all parts but the first one: as many cycles in each."""
    wanted = {cycles[len(cycles) * part // parts] for part in range(1, parts)} if cycles else set()
    return sorted(wanted - set(cycles[:1]))
