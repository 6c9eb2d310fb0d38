"""All tables of one competition brought up to date in order, in this process: for a look without Dagster's runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pipeline.competition import Contract
from pipeline.components.competition import Asset, assets_of, checks_of
from pipeline.components.metadata import row_count
from pipeline.components.recompute import Outcome, Recompute
from pipeline.tables import TableSpec
from pipeline.warehouse import WarehouseFiles


class CheckFailedError(RuntimeError):
    """A table that is not what it must be; the message names the check and the first rows that break it."""


@dataclass(frozen=True)
class Updated:
    """A table that was brought up to date."""

    spec: TableSpec
    outcome: Outcome
    rows: int
    seconds: float

    @property
    def cycles_recomputed(self) -> int:
        """How many cycles, or whole tables, were computed anew."""
        return sum(change.cycles for change in self.outcome.changes)


def update_all(files: WarehouseFiles, contract: Contract, told: Callable[[Updated], None]) -> list[Updated]:
    """Bring every table of a competition up to date.

    Parameters
    ----------
    files : WarehouseFiles
    contract : Contract
    told : function
        Called with each table as it is done.

    Raises
    ------
    CheckFailedError
        If something that must hold of a table does not; what follows from it is not computed.
    """
    done = []
    for spec, update, _ in in_order(assets_of(contract)):
        started = time.perf_counter()
        with files.write(f"{contract.name}/{spec.name}") as store:
            outcome = update(store, contract, Recompute())
            failed = [check for check in checks_of(contract, spec) if check.blocking]
            results = [check.run(store, contract.name) for check in failed] if outcome.changes else []
            rows = row_count(store, spec, contract.name)
        done.append(Updated(spec, outcome, rows, time.perf_counter() - started))
        told(done[-1])
        broken = [f"{result.check_name}: {result.description}" for result in results if not result.passed]
        if broken:
            raise CheckFailedError(f"{contract.name}/{spec.name}: {'; '.join(broken)}")
    return done


def in_order(assets: tuple[Asset, ...]) -> list[Asset]:
    """Every table after those that it reads."""
    by_table = {asset[0]: asset for asset in assets}
    sorter = TopologicalSorter({spec: [one for one in read if one in by_table] for spec, _, read in assets})
    return [by_table[spec] for spec in sorter.static_order()]
