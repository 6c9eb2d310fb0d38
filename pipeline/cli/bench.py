"""``podium bench``: how fast this machine computes, in ratios that other machines share."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.bench_told import Told, as_markdown, of_history, of_hub, of_metrics, of_reports, preface, show
from pipeline.cli.default_command import showing
from pipeline.cli.errors import InputError
from pipeline.cli.output import print_json

_CONTEST = 1000, 100, 100
"""Models, cycles and subjects of the usual contest of ``metrics``."""
_HISTORY, _SHORT, _ADDED = (50, 2000, 20), 20, 5
"""Models, cycles and subjects of the usual long history of ``history``, cycles of the short one, and those added."""
_BOARDS, _LOAD = (2000, 500), (50, 20)
"""Models and boards that ``reports`` asks of as usual; questions a second, and seconds."""
_SEASON = 48, 27, 53
"""Models, weeks and places of the usual season of ``hub``: FluSight's."""
_REPEATS = 5

bench = typer.Typer(cls=showing("all"), help="Measure speed, beside other ways to the same numbers.")


@bench.callback()
def group() -> None:
    """Measure speed, beside other ways to the same numbers; without a name all suites, into one report."""


@bench.command("all")
def everything(
    to: Annotated[Path, typer.Option("--to", help="The report, Markdown; written anew after each suite.")] = Path(
        "bench.md"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="Tiny sizes, to see that it works: the figures say nothing.")
    ] = False,
) -> None:
    """Run every suite at its usual size, and write one report of what they say: ratios, and the machine they are of."""
    suites = _suites(quick=quick)
    written = [preface("podium bench --quick" if quick else "podium bench")]
    for command, measured in suites.items():
        told = measured()
        show(told)
        written.append(as_markdown(command, told))
        to.write_text("\n".join(written), encoding="utf-8")
    print(f"{len(suites)} suites: {to}")


def _suites(*, quick: bool) -> "dict[str, Callable[[], Told]]":
    """What each command measures, by the command that measures it alone."""
    from pipeline.bench import (
        History,
        Load,
        Plan,
        Season,
        Size,
        measure,
        measure_history,
        measure_hub,
        measure_reports,
    )

    plan = Plan(Size(12, 6, 12), 1, flat_models=()) if quick else Plan(Size(*_CONTEST), _REPEATS)
    size, short, added = (Size(3, 6, 10), 4, 1) if quick else (Size(*_HISTORY), _SHORT, _ADDED)
    season, passes = (Season(4, 3, 4), 1) if quick else (Season(*_SEASON), _REPEATS)
    asked = (History(12, 5), Load(20, 0.5)) if quick else (History(*_BOARDS), Load(*_LOAD))
    return {
        "podium bench metrics": lambda: of_metrics(measure(plan, tell)),
        "podium bench history": lambda: of_history(measure_history(size, short, added, tell)),
        "podium bench hub": lambda: of_hub(measure_hub(None, season, passes, tell)),
        "podium bench reports": lambda: of_reports(measure_reports(*asked, tell)),
    }


@bench.command("metrics")
def metrics(
    models: Annotated[int, typer.Option(min=2, help="Models of the made-up contest.")] = _CONTEST[0],
    cycles: Annotated[int, typer.Option(min=2, help="Its cycles.")] = _CONTEST[1],
    subjects: Annotated[int, typer.Option(min=10, help="Its subjects; 5 % of predictions are missing.")] = _CONTEST[2],
    repeats: Annotated[int, typer.Option(min=1, help="Passes; medians are shown.")] = _REPEATS,
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
        show(of_metrics(found))


@bench.command("history")
def history(
    cycles: Annotated[int, typer.Option(min=2, help="Cycles of the long history.")] = _HISTORY[1],
    short: Annotated[int, typer.Option(min=2, help="Cycles of the short one.")] = _SHORT,
    models: Annotated[int, typer.Option(min=2, help="Models of both.")] = _HISTORY[0],
    subjects: Annotated[int, typer.Option(min=10, help="Subjects of both.")] = _HISTORY[2],
    added: Annotated[int, typer.Option(min=1, help="Cycles to add to each; medians are shown.")] = _ADDED,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time what one new cycle costs, from scores to the leaderboard, after a long and after a short history."""
    from pipeline.bench import Size, measure_history

    found = measure_history(Size(models, cycles, subjects), short, added, tell)
    if as_json:
        print_json(found)
    else:
        show(of_history(found))


@bench.command("reports")
def reports(
    models: Annotated[int, typer.Option(min=2, help="Models of the made-up boards.")] = _BOARDS[0],
    cycles: Annotated[int, typer.Option(min=2, help="How many boards there are.")] = _BOARDS[1],
    per_second: Annotated[float, typer.Option(min=0.1, max=1000, help="Questions about boards a second.")] = _LOAD[0],
    seconds: Annotated[float, typer.Option(min=0.1, max=120, help="How long each kind is asked.")] = _LOAD[1],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time answers of reports over a long history, asked at a steady rate while others compute and publish."""
    from pipeline.bench import History, Load, measure_reports

    found = measure_reports(History(models, cycles), Load(per_second, seconds), tell)
    if as_json:
        print_json(found)
    else:
        show(of_reports(found))


@bench.command("hub")
def hub(
    file: Annotated[
        Path | None, typer.Option("--file", help="Parquet of a season's quantile forecasts; by default one is made up.")
    ] = None,
    outcomes: Annotated[Path | None, typer.Option("--outcomes", help="With --file: Parquet of the outcomes.")] = None,
    models: Annotated[int, typer.Option(min=2, help="Models of the season that is made up.")] = _SEASON[0],
    cycles: Annotated[int, typer.Option(min=2, help="Its weeks.")] = _SEASON[1],
    subjects: Annotated[int, typer.Option(min=2, help="Its places; 30 % of forecasts are missing.")] = _SEASON[2],
    repeats: Annotated[int, typer.Option(min=1, help="Passes; medians are shown.")] = _REPEATS,
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
        show(of_hub(found))


def tell(what: str) -> None:
    """Say what begins, on standard error."""
    print(f"{what} ...", file=sys.stderr, flush=True)
