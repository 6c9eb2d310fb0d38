"""What a run of a board does, without Dagster: its tables brought up to date, and what their checks say of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.components.board import Update
from pipeline.components.checks import Check
from pipeline.components.keys import asset_key
from pipeline.components.recompute import Outcome, Recompute
from pipeline.declaration import BoardDeclaration
from pipeline.tables import TableSpec
from pipeline.warehouse import Store


@dataclass(frozen=True)
class Brought:
    """What was done, by the last part of an asset's key."""

    outcomes: Mapping[str, Outcome]

    @property
    def recomputed(self) -> dict[str, int]:
        """Cycles that were recomputed, by table."""
        return {name: sum(change.cycles for change in one.changes) for name, one in self.outcomes.items()}

    @property
    def changed(self) -> dict[str, int]:
        """Cycles whose rows changed, by table."""
        return {name: sum(change.changed for change in one.changes) for name, one in self.outcomes.items()}


def bring(
    store: Store,
    declared: BoardDeclaration,
    assets: Iterable[tuple[TableSpec, Update[Any], Sequence[TableSpec]]],
    config: Recompute | None = None,
) -> Brought:
    """Bring the tables of a board up to date, in the order given."""
    done = {_part(declared, spec): update(store, declared, config or Recompute()) for spec, update, _ in assets}
    return Brought(done)


def failing(
    store: Store, declared: BoardDeclaration, tables: Iterable[TableSpec], checks_of: Callable[[TableSpec], list[Check]]
) -> dict[str, str]:
    """Severity of the checks of these tables that do not hold, by ``table.check``."""
    results = [(spec, check.run(store, declared.name)) for spec in tables for check in checks_of(spec)]
    return {f"{_part(declared, spec)}.{one.check_name}": one.severity.value for spec, one in results if not one.passed}


def _part(declared: BoardDeclaration, spec: TableSpec) -> str:
    return asset_key(declared.name, spec).path[-1]
