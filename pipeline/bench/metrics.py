"""How fast the metrics are beside a bare scan, pandas and plain Python, and how cost grows with the models."""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.bench import baselines, panels
from pipeline.bench.apart import apart
from pipeline.bench.contest import Size, contract, files, fill

FLAT_MODELS = (250, 1000, 4000)
"""The numbers of models over which the cost of a prediction should be the same."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class MetricsSpeed:
    """What ``podium bench metrics`` measures; times are medians of passes in one run.

    Parameters
    ----------
    predictions, models, cycles, subjects : int
        Size of the contest.
    metrics : tuple of str
        What was computed.
    predictions_per_second : float
        From rows in DuckDB to the metrics of every model and cycle.
    ratio_to_scan : float
        Time beside that of adding up every column in DuckDB.
    ratios_to_scan : tuple of float
        Of every pass: how noisy the machine was.
    speedup_over_pandas, speedup_over_rows : float
        Of a prediction, which the others took on a part of the same rows.
    cpu : dict
        The same four in processor time of all threads: what they would be on a machine that has nothing else to do, but
        for how well the threads share the work.
    pandas, rows : Baseline
        That part, and the metrics that they computed.
    flatness_in_models : float or None
        The dearest prediction beside the cheapest among contests of so many models; None when left out.
    cost_by_models : dict
        Nanoseconds of processor time of a prediction, by number of models.
    peak_mb : float
        Peak memory of the process that computed.
    reading_share : float
        Of the time, spent on reading.
    nanoseconds : dict
        Of a prediction, by step and metric, in one thread's time over one block; metrics without what they share.
    """

    predictions: int
    models: int
    cycles: int
    subjects: int
    metrics: tuple[str, ...]
    predictions_per_second: float
    ratio_to_scan: float
    ratios_to_scan: tuple[float, ...]
    speedup_over_pandas: float
    speedup_over_rows: float
    cpu: dict[str, float]
    pandas: baselines.Baseline
    rows: baselines.Baseline
    flatness_in_models: float | None
    cost_by_models: dict[int, float]
    peak_mb: float
    reading_share: float
    nanoseconds: dict[str, float]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    size : Size
        Of the contest.
    repeats : int
        Passes over it.
    frames, rows : (int, int)
        Models and cycles of the part that pandas and plain Python compute.
    flat_models : tuple of int
        Contests of a fifth of the predictions, by number of models; none leaves the flatness out.
    """

    size: Size
    repeats: int = 5
    frames: tuple[int, int] = (100, 5)
    rows: tuple[int, int] = (80, 2)
    flat_models: tuple[int, ...] = FLAT_MODELS


def measure(plan: Plan, tell: Tell) -> MetricsSpeed:
    """Fill warehouses in a temporary folder and measure, each step in a process of its own.

    Parameters
    ----------
    plan : Plan
    tell : function
        Is told what begins.
    """
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as name:
        folder = Path(name)
        tell(f"writing {plan.size.cells:,} predictions")
        predictions, _ = apart(_fill, folder, plan.size)
        tell(f"computing {len(contract().metrics)} metrics, {plan.repeats + 1} times")
        passes, peak = apart(panels.passes, folder, plan.repeats)
        shares, _ = apart(panels.shares, folder)
        tell("the same by pandas and scipy, on a part")
        by_frames, _ = apart(baselines.over_frames, folder, *_within(plan.frames, plan.size))
        tell("the same by plain Python, on a part")
        by_rows, _ = apart(baselines.over_rows, folder, *_within(plan.rows, plan.size))
        costs = _costs(plan, folder, tell)
    seconds, cpu = (statistics.median(getattr(one, name) for one in passes) for name in ("total", "total_cpu"))
    ratios = tuple(one.total / one.scan for one in passes)
    return MetricsSpeed(
        predictions=predictions,
        models=plan.size.models,
        cycles=plan.size.cycles,
        subjects=plan.size.subjects,
        metrics=contract().metrics,
        predictions_per_second=predictions / seconds,
        ratio_to_scan=statistics.median(ratios),
        ratios_to_scan=ratios,
        speedup_over_pandas=by_frames.per_prediction * predictions / seconds,
        speedup_over_rows=by_rows.per_prediction * predictions / seconds,
        cpu={
            "predictions_per_second": predictions / cpu,
            "ratio_to_scan": statistics.median(one.total_cpu / one.scan_cpu for one in passes),
            "speedup_over_pandas": by_frames.cpu_per_prediction * predictions / cpu,
            "speedup_over_rows": by_rows.cpu_per_prediction * predictions / cpu,
        },
        pandas=by_frames,
        rows=by_rows,
        flatness_in_models=max(costs.values()) / min(costs.values()) if costs else None,
        cost_by_models=costs,
        peak_mb=peak,
        reading_share=statistics.median(one.reading / one.total for one in passes),
        nanoseconds=shares,
    )


def _costs(plan: Plan, folder: Path, tell: Tell) -> dict[int, float]:
    """Nanoseconds of processor time of a prediction by number of models, in contests of as many predictions."""
    sizes = [_of_models(plan.size, models) for models in plan.flat_models]
    counts = {}
    for size in sizes:
        tell(f"writing a contest of {size.models:,} models")
        counts[size.models], _ = apart(_fill, folder / str(size.models), size)
    seconds: dict[int, list[float]] = {size.models: [] for size in sizes}
    tell("computing these in turn")
    for _ in range(plan.repeats if sizes else 0):
        for size in sizes:
            (one,), _ = apart(panels.passes, folder / str(size.models), 1)
            seconds[size.models].append(one.total_cpu)
    return {models: 1e9 * statistics.median(took) / counts[models] for models, took in seconds.items()}


def _of_models(size: Size, models: int) -> Size:
    """A contest of so many models with about a fifth of the predictions."""
    return replace(size, models=models, cycles=max(1, size.cells // (5 * models * size.subjects)))


def _within(part: tuple[int, int], size: Size) -> tuple[int, int]:
    models, cycles = part
    return min(models, size.models), min(cycles, size.cycles)


def _fill(folder: Path, size: Size) -> int:
    with files(folder).write("bench") as store:
        return fill(store, size)
