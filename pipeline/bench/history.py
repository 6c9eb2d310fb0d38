"""What a new cycle costs, by how long the history is that it is added to."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.bench.apart import apart
from pipeline.bench.contest import Size, contract, files, fill
from pipeline.components import competition_tables as tables
from pipeline.components.recompute import Recompute
from pipeline.warehouse import Store

Tell = Callable[[str], None]

STAGES = {
    "scores": tables.update_scores,
    "cycle_metrics": tables.update_cycle_metrics,
    "snapshots": tables.update_snapshots,
    "leaderboard": tables.update_leaderboard,
}
"""What a new cycle goes through, in order."""


@dataclass(frozen=True)
class HistoryCost:
    """What ``podium bench history`` measures.

    Parameters
    ----------
    short, long : int
        Cycles of the two histories.
    milliseconds : dict
        Of one new cycle, by history and stage: the median over the cycles added.
    ratio : float
        All stages after the long history beside the short one.
    ratios : dict
        The same for each stage.
    """

    short: int
    long: int
    models: int
    subjects: int
    milliseconds: dict[str, dict[str, float]]
    ratio: float
    ratios: dict[str, float]


def measure_history(size: Size, short: int, added: int, tell: Tell) -> HistoryCost:
    """Bring two contests up to date, then add cycles to both in turn, each addition in a process of its own.

    Parameters
    ----------
    size : Size
        Of the long history.
    short : int
        Cycles of the short one.
    added : int
        How many cycles to add, one by one.
    tell : function
        Is told what begins.
    """
    sizes = {"short": replace(size, cycles=short), "long": size}
    took: dict[str, list[dict[str, float]]] = {name: [] for name in sizes}
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        for name, history in sizes.items():
            tell(f"computing a history of {history.cycles:,} cycles")
            apart(_compute_history, Path(folder) / name, history)
        tell(f"adding {added} cycles to each")
        for number in range(added):
            for name, history in sizes.items():
                seconds, _ = apart(_add_cycle, Path(folder) / name, replace(history, cycles=history.cycles + number))
                took[name].append(seconds)
    milliseconds = {
        name: {stage: 1e3 * statistics.median(one[stage] for one in all_added) for stage in STAGES}
        for name, all_added in took.items()
    }
    ratios = {stage: milliseconds["long"][stage] / milliseconds["short"][stage] for stage in STAGES}
    total = {name: statistics.median(sum(one.values()) for one in all_added) for name, all_added in took.items()}
    return HistoryCost(
        short, size.cycles, size.models, size.subjects, milliseconds, total["long"] / total["short"], ratios
    )


def _compute_history(folder: Path, size: Size) -> None:
    with files(folder).write("bench") as store:
        fill(store, size)
        _update(store)


def _add_cycle(folder: Path, size: Size) -> dict[str, float]:
    """Seconds of each stage for the cycle after those of ``size``; the stages run once before, with nothing to do."""
    with files(folder).write("bench") as store:
        _update(store)
        fill(store, replace(size, cycles=size.cycles + 1), size.cycles)
        return _update(store)


def _update(store: Store) -> dict[str, float]:
    seconds = {}
    for name, update in STAGES.items():
        began = time.perf_counter()
        update(store, contract(), Recompute())
        seconds[name] = time.perf_counter() - began
    return seconds
