"""What ``podium bench`` measured, as tables: for the terminal, and for a report in Markdown."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.output import Column, print_table

if TYPE_CHECKING:
    from pipeline.bench import HistoryCost, HubSpeed, MetricsSpeed, ReportsSpeed


@dataclass(frozen=True)
class Told:
    """A table, and what else is to be said.

    Parameters
    ----------
    columns : sequence of Column
    notes : tuple of str
        A line each.
    """

    columns: Sequence[Column]
    notes: tuple[str, ...] = ()


def show(told: Told) -> None:
    """Print it."""
    print_table(told.columns)
    for note in told.notes:
        print(note)


def as_markdown(command: str, told: Told) -> str:
    """A section of a report, with the command that made it."""
    marks = [":---" if one.is_text else "---:" for one in told.columns]
    rows = [[one.header for one in told.columns], marks, *zip(*(one.cells for one in told.columns), strict=True)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return "\n\n".join([f"## `{command}`", table, *told.notes]) + "\n"


def preface(command: str) -> str:
    """The head of a report: when, with what, and on which machine."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in ("podium", "duckdb", "pandas", "numpy"))
    return (
        f"# Measured by `{command}`\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores ({_processor()}), "
        f"{memory:.0f} GB; Python {platform.python_version()}, {versions}.\n\n"
        "Ratios are of one machine in one run, and say more about other machines than times do.\n"
    )


def _processor() -> str:
    """Its name, as the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def of_metrics(found: "MetricsSpeed") -> Told:
    """What was measured, as a table."""
    part = "{0.models} models x {0.cycles} cycles, scaled by prediction"
    flat = found.flatness_in_models
    cpu = found.cpu
    rows = [
        (
            "predictions a second",
            f"{found.predictions_per_second:,.0f}",
            f"{cpu['predictions_per_second']:,.0f}",
            f"{len(found.metrics)} metrics, rows to values",
        ),
        _ratio("beside a bare scan", found.ratio_to_scan, cpu["ratio_to_scan"], _spread(found.ratios_to_scan)),
        _ratio("faster than pandas", found.speedup_over_pandas, cpu["speedup_over_pandas"], part.format(found.pandas)),
        _ratio("faster than plain Python", found.speedup_over_rows, cpu["speedup_over_rows"], part.format(found.rows)),
        ("cost by models", "", "–" if flat is None else f"{flat:.2f} x", _costs(found.cost_by_models)),
        ("peak memory", f"{found.peak_mb:,.0f} MB", "", "of the computing process"),
        ("reading", f"{100 * found.reading_share:.0f} %", "", "of the time, out of DuckDB"),
        *((name, "", f"{cost:.1f} ns", "a prediction, one thread") for name, cost in found.nanoseconds.items()),
    ]
    columns = zip(("", "measured", "processor time", ""), zip(*rows, strict=True), strict=True)
    notes = [f"metrics: {', '.join(found.metrics)}"]
    for name, baseline in (("pandas", found.pandas), ("plain Python", found.rows)):
        left_out = [metric for metric in found.metrics if metric not in baseline.metrics]
        if left_out:
            notes.append(f"not computed by {name}: {', '.join(left_out)}")
    return Told(
        [Column(header, cells, is_text=at in (0, 3)) for at, (header, cells) in enumerate(columns)], tuple(notes)
    )


def of_history(found: "HistoryCost") -> Told:
    """What was measured, as a table."""
    stages = [*found.ratios]
    columns = [Column("stage", [*stages, "all"], is_text=True)]
    for name, cycles in (("short", found.short), ("long", found.long)):
        milliseconds = [*found.milliseconds[name].values(), sum(found.milliseconds[name].values())]
        columns.append(Column(f"after {cycles:,} cycles", [f"{one:,.0f} ms" for one in milliseconds]))
    columns.append(Column("ratio", [f"{ratio:.2f}" for ratio in (*found.ratios.values(), found.ratio)]))
    return Told(columns)


def of_hub(found: "HubSpeed") -> Told:
    """What was measured, as a table."""
    rows = [
        ("rows", f"{found.rows:,}", "", f"{found.forecasts:,} forecasts of {found.models} models"),
        ("rows a second", f"{found.rows_per_second:,.0f}", "", "in memory, to every measure of every forecast"),
        (
            "beside a bare query",
            f"{found.ratio_to_bare:.2f} x",
            f"{found.cpu_ratio_to_bare:.2f} x",
            _spread(found.ratios_to_bare),
        ),
        ("largest difference", f"{found.largest_difference:.1e}", "", "of a model's mean WIS from the bare query's"),
        ("Parquet to boards", f"{found.seconds:.1f} s", f"{found.cpu_seconds:.1f} s", f"{found.numbers:,} numbers"),
        ("with Python's start", f"{found.seconds_of_process:.1f} s", "", "and all imports"),
        ("peak memory", f"{found.peak_mb:,.0f} MB", "", "of that process"),
    ]
    columns = zip(("", "measured", "processor time", ""), zip(*rows, strict=True), strict=True)
    return Told([Column(header, cells, is_text=at in (0, 3)) for at, (header, cells) in enumerate(columns)])


def of_reports(found: "ReportsSpeed") -> Told:
    """What was measured, as a table."""
    rows = [
        (
            name,
            *(f"{milliseconds:,.0f} ms" for milliseconds in (one.median, one.p95, one.worst)),
            f"{one.per_second:g}",
            f"{one.n:,}",
            f"{one.errors:,}",
            f"{one.from_memory:.0%}",
        )
        for name, one in found.latency.items()
    ]
    headers = ("asked for", "median", "95 % within", "worst", "a second", "asked", "errors", "from memory")
    columns = zip(headers, zip(*rows, strict=True), strict=True)
    note = (
        f"{found.models:,} models, {found.cycles:,} boards, {found.published_mb:,.0f} MB published; another process"
        f" computed a contest {found.materializations} times meanwhile, and published a board more"
        f" {found.publications} times"
    )
    return Told([Column(header, cells, is_text=not at) for at, (header, cells) in enumerate(columns)], (note,))


def _ratio(name: str, ratio: float, of_cpu: float, note: str) -> tuple[str, str, str, str]:
    return name, f"{ratio:,.0f} x", f"{of_cpu:,.0f} x", note


def _spread(values: tuple[float, ...]) -> str:
    return f"passes: {min(values):.1f} to {max(values):.1f}"


def _costs(costs: dict[int, float]) -> str:
    return ", ".join(f"{models:,}: {cost:.0f} ns" for models, cost in costs.items()) or "not measured"
