"""The one way in which an asset brings its table up to date: ask the ledger, compute block by block, write, report.

What a table's rows are is not known here; each asset brings a function that computes the rows of some cycles.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import dagster as dg
import pandas as pd
from pydantic import Field

from pipeline.tables import WHOLE, TableSpec
from pipeline.warehouse import Change, Dirty, Store

NOTHING_NEW = "nothing new: 0 cycles recomputed"


class Recompute(dg.Config):
    """Recomputation by hand: which cycles, and whether unchanged ones too. Left alone, only what is new is done."""

    from_cycle: str | None = Field(default=None, description="First cycle: an ISO date or time, UTC.")
    to_cycle: str | None = Field(default=None, description="Last cycle, included; a date means its whole day.")
    force: bool = Field(default=False, description="Recompute cycles in that range even when nothing changed.")

    @property
    def first(self) -> datetime | None:
        """``from_cycle`` as a time."""
        return _moment("from_cycle", self.from_cycle, time.min)

    @property
    def last(self) -> datetime | None:
        """``to_cycle`` as a time."""
        return _moment("to_cycle", self.to_cycle, time.max)

    def wants(self, cycle: datetime) -> bool:
        """Whether a cycle is in the range."""
        return (self.first is None or cycle >= self.first) and (self.last is None or cycle <= self.last)


@dataclass(frozen=True)
class Outcome:
    """What bringing a table up to date did, why, and what else there is to tell of it, by name."""

    changes: tuple[Change, ...]
    why: str
    told: Mapping[str, str] = field(default_factory=dict)


def recompute(
    store: Store,
    spec: TableSpec,
    board: str,
    code: str,
    config: Recompute,
    rows_of: Callable[[list[datetime]], pd.DataFrame],
    *,
    cycles: Mapping[datetime, int] | Sequence[datetime] | None = None,
    also: Sequence[datetime] = (),
    cycles_per_block: int | Callable[[Sequence[datetime]], int] = 10_000,
) -> Outcome:
    """Recompute the cycles of a table that the ledger calls dirty, in blocks.

    Parameters
    ----------
    store : Store
        The open warehouse.
    spec, board, code
        The table, the board, and the hash of what makes its rows.
    config : Recompute
        Which cycles by hand; by default those that are new or whose inputs or code changed.
    rows_of : function
        From cycles to all their rows.
    cycles : sequence of datetime, or mapping to int, optional
        For a table filled from a source: every cycle the source has, with the change it stems from where known.
    also : sequence of datetime
        Cycles whose rows are no longer what they should be for a reason that the ledger does not know.
    cycles_per_block : int, or function
        How many cycles to compute at once, to bound memory; a function is asked once for the cycles to compute.
    """
    dirty = store.dirty(spec, board, code, cycles=cycles, first=config.first, last=config.last, force=config.force)
    dirty = _with(dirty, [cycle for cycle in also if config.wants(cycle)], store)
    size = cycles_per_block
    if not isinstance(size, int):
        size = size([one.cycle for one in dirty]) if dirty else 1
    changes = tuple(
        store.replace(spec, board, block, rows_of([one.cycle for one in block]), code) for block in _blocks(dirty, size)
    )
    return Outcome(changes, _why(dirty, config))


def recompute_whole(
    store: Store, spec: TableSpec, board: str, code: str, config: Recompute, rows: Callable[[], pd.DataFrame]
) -> Outcome:
    """Recompute a table that changes as one: it is in no range of cycles, so only force without a range means it."""
    by_hand = Recompute(force=config.force and config.first is None and config.last is None)
    cycles = None if spec.inputs else [WHOLE]
    return recompute(store, spec, board, code, by_hand, lambda _: rows(), cycles=cycles)


def _with(dirty: list[Dirty], also: Sequence[datetime], store: Store) -> list[Dirty]:
    """Further cycles, which take in nothing new."""
    more = set(also) - {one.cycle for one in dirty}
    if not more:
        return dirty
    newest = store.max_seq()
    return sorted([*dirty, *(Dirty(cycle, newest) for cycle in more)], key=lambda one: one.cycle)


def _blocks(dirty: list[Dirty], size: int) -> Iterator[list[Dirty]]:
    for start in range(0, len(dirty), max(1, size)):
        yield dirty[start : start + max(1, size)]


def _moment(name: str, value: str | None, time_of_day: time) -> datetime | None:
    """A limit of the configuration as a time in UTC; a date alone gets the time of day."""
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        return datetime.combine(date.fromisoformat(value), time_of_day)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name} {value!r} is no ISO date or time; write 2024-05-31 or 2024-05-31T22:00") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _why(dirty: list[Dirty], config: Recompute) -> str:
    if not dirty:
        return NOTHING_NEW
    cause = "asked for by hand" if config.force else "new, or inputs or code changed"
    if dirty[0].cycle == WHOLE:
        return f"the whole table: {cause}"
    span = f"{dirty[0].cycle:%Y-%m-%d}" + (f" to {dirty[-1].cycle:%Y-%m-%d}" if len(dirty) > 1 else "")
    return f"{len(dirty):,} cycle{'s' if len(dirty) > 1 else ''}, {span}: {cause}"
