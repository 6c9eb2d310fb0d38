"""``podium bench``: how fast this machine computes, in ratios that other machines share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.errors import InputError
from pipeline.cli.output import Column, print_json, print_table

if TYPE_CHECKING:
    from pipeline.bench import HistoryCost, HubSpeed, MetricsSpeed, ReportsSpeed

bench = typer.Typer(help="Measure speed, beside other ways to the same numbers.", no_args_is_help=True)


@bench.callback()
def group() -> None:
    """Measure speed, beside other ways to the same numbers."""


@bench.command("metrics")
def metrics(
    models: Annotated[int, typer.Option(min=2, help="Models of the made-up contest.")] = 1000,
    cycles: Annotated[int, typer.Option(min=2, help="Its cycles.")] = 100,
    subjects: Annotated[int, typer.Option(min=10, help="Its subjects; 5 % of predictions are missing.")] = 100,
    repeats: Annotated[int, typer.Option(min=1, help="Passes; medians are shown.")] = 5,
    flatness: Annotated[
        bool, typer.Option(help="Measure also how the cost of a prediction grows from 250 to 4,000 models.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time every metric from rows in DuckDB to values, beside a bare scan, pandas with scipy, and plain Python."""
    from pipeline.bench import Plan, Size, measure

    plan = Plan(Size(models, cycles, subjects), repeats)
    if not flatness:
        plan = Plan(plan.size, repeats, flat_models=())
    found = measure(plan, tell)
    if as_json:
        print_json(found)
    else:
        print_speed(found)


@bench.command("history")
def history(
    cycles: Annotated[int, typer.Option(min=2, help="Cycles of the long history.")] = 2000,
    short: Annotated[int, typer.Option(min=2, help="Cycles of the short one.")] = 20,
    models: Annotated[int, typer.Option(min=2, help="Models of both.")] = 50,
    subjects: Annotated[int, typer.Option(min=10, help="Subjects of both.")] = 20,
    added: Annotated[int, typer.Option(min=1, help="Cycles to add to each; medians are shown.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time what one new cycle costs, from scores to the leaderboard, after a long and after a short history."""
    from pipeline.bench import Size, measure_history

    found = measure_history(Size(models, cycles, subjects), short, added, tell)
    if as_json:
        print_json(found)
    else:
        print_history(found)


@bench.command("reports")
def reports(
    models: Annotated[int, typer.Option(min=2, help="Models of the made-up boards.")] = 2000,
    cycles: Annotated[int, typer.Option(min=2, help="How many boards there are.")] = 500,
    per_second: Annotated[float, typer.Option(min=0.1, max=1000, help="Questions about boards a second.")] = 50,
    seconds: Annotated[float, typer.Option(min=0.1, max=120, help="How long each kind is asked.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time answers of reports over a long history, asked at a steady rate while others compute and publish."""
    from pipeline.bench import History, Load, measure_reports

    found = measure_reports(History(models, cycles), Load(per_second, seconds), tell)
    if as_json:
        print_json(found)
    else:
        print_reports(found)


def print_reports(found: "ReportsSpeed") -> None:
    """Print what was measured as a table."""
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
    print_table([Column(header, cells, is_text=not at) for at, (header, cells) in enumerate(columns)])
    print(
        f"{found.models:,} models, {found.cycles:,} boards, {found.published_mb:,.0f} MB published; another process"
        f" computed a contest {found.materializations} times meanwhile, and published a board more"
        f" {found.publications} times"
    )


@bench.command("hub")
def hub(
    file: Annotated[
        Path | None, typer.Option("--file", help="Parquet of a season's quantile forecasts; by default one is made up.")
    ] = None,
    outcomes: Annotated[Path | None, typer.Option("--outcomes", help="With --file: Parquet of the outcomes.")] = None,
    models: Annotated[int, typer.Option(min=2, help="Models of the season that is made up.")] = 48,
    cycles: Annotated[int, typer.Option(min=2, help="Its weeks.")] = 27,
    subjects: Annotated[int, typer.Option(min=2, help="Its places; 30 % of forecasts are missing.")] = 53,
    repeats: Annotated[int, typer.Option(min=1, help="Passes; medians are shown.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time a forecast hub's season: scoring beside a bare DuckDB query of the WIS, and Parquet to all boards."""
    from pipeline.bench import Season, SeasonFiles, measure_hub

    if (file is None) != (outcomes is None):
        raise InputError("--file and --outcomes go together: forecasts without outcomes have no scores")
    for path in (file, outcomes):
        if path is not None and not path.is_file():
            raise InputError(f"{str(path)!r} is no file")
    given = None if file is None or outcomes is None else SeasonFiles(file, outcomes)
    found = measure_hub(given, Season(models, cycles, subjects), repeats, tell)
    if as_json:
        print_json(found)
    else:
        print_hub(found)


def print_hub(found: "HubSpeed") -> None:
    """Print what was measured as a table."""
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
    print_table([Column(header, cells, is_text=at in (0, 3)) for at, (header, cells) in enumerate(columns)])


def print_history(found: "HistoryCost") -> None:
    """Print what was measured as a table."""
    stages = [*found.ratios]
    columns = [Column("stage", [*stages, "all"], is_text=True)]
    for name, cycles in (("short", found.short), ("long", found.long)):
        milliseconds = [*found.milliseconds[name].values(), sum(found.milliseconds[name].values())]
        columns.append(Column(f"after {cycles:,} cycles", [f"{one:,.0f} ms" for one in milliseconds]))
    columns.append(Column("ratio", [f"{ratio:.2f}" for ratio in (*found.ratios.values(), found.ratio)]))
    print_table(columns)


def tell(what: str) -> None:
    """Say what begins, on standard error."""
    print(f"{what} ...", file=sys.stderr, flush=True)


def print_speed(found: "MetricsSpeed") -> None:
    """Print what was measured as a table."""
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
    print_table([Column(header, cells, is_text=at in (0, 3)) for at, (header, cells) in enumerate(columns)])
    print(f"metrics: {', '.join(found.metrics)}")
    for name, baseline in (("pandas", found.pandas), ("plain Python", found.rows)):
        left_out = [metric for metric in found.metrics if metric not in baseline.metrics]
        if left_out:
            print(f"not computed by {name}: {', '.join(left_out)}")


def _ratio(name: str, ratio: float, of_cpu: float, note: str) -> tuple[str, str, str, str]:
    return name, f"{ratio:,.0f} x", f"{of_cpu:,.0f} x", note


def _spread(values: tuple[float, ...]) -> str:
    return f"passes: {min(values):.1f} to {max(values):.1f}"


def _costs(costs: dict[int, float]) -> str:
    return ", ".join(f"{models:,}: {cost:.0f} ns" for models, cost in costs.items()) or "not measured"
