"""``podium run``: everything new, from predictions to a published board, in this very process."""

import contextlib
import logging
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from pipeline.cli.errors import InputError, RunFailedError
from pipeline.cli.instance import dagster_home
from pipeline.cli.leaderboard import parse_moment, print_board
from pipeline.cli.output import console, print_json
from pipeline.reports.queries import board, board_names
from pipeline.settings import settings
from pipeline.warehouse import current_publication, open_published

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from pipeline.cli.progress import Watch

_QUERIES = (
    "SELECT rank, title, round(rank_key, 4) AS ic, coverage, status FROM marts.leaderboard_current ORDER BY position",
    "SELECT year(cycle) AS year, round(avg(value), 4) AS ic FROM sp500.cycle_metrics "
    "WHERE model_id = 'momentum_12_1' AND metric = 'ic' GROUP BY 1 ORDER BY 1",
    "SELECT subject, round(avg(value), 3) AS score FROM sp500.scores "
    "WHERE model_id = 'momentum_12_1' GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
)


def run(
    name: Annotated[str | None, typer.Argument(help="A declared board; all of them without it.")] = None,
    from_cycle: Annotated[str | None, typer.Option("--from", help="Recompute by hand: first cycle.")] = None,
    to_cycle: Annotated[str | None, typer.Option("--to", help="Recompute by hand: last cycle, included.")] = None,
    force: Annotated[bool, typer.Option(help="Recompute those cycles even when nothing changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Do everything that is new, from predictions to a published board; done twice, the second does nothing."""
    for option, value in (("--from", from_cycle), ("--to", to_cycle)):
        if value is not None:
            parse_moment(value, option)
    home = dagster_home()
    out = None if as_json else console()
    started = time.perf_counter()
    job = _job(name, out)
    watch, run_id = _execute(job, {"from_cycle": from_cycle, "to_cycle": to_cycle, "force": force}, home, out)
    seconds = round(time.perf_counter() - started, 1)
    if out is None:
        _print_result(watch, run_id, seconds)
    if watch.failures:
        raise RunFailedError(f"run {run_id} failed at {'; '.join(watch.failures)} (`podium dev` shows its log)")
    if out is not None:
        _print_summary(out, [name] if name else [], watch, seconds)


def _job(name: str | None, out: "Console | None") -> "dg.JobDefinition":
    """The job of a board, or the one over all assets.

    Raises
    ------
    InputError
        If no such board is declared.
    """
    if out is not None:
        out.print("[dim]loading definitions[/dim]")
    from pipeline.definitions import defs

    definitions = defs()
    if name is None:
        return definitions.resolve_implicit_global_asset_job_def()
    boards = sorted(job.name for job in definitions.jobs or ())
    if name not in boards:
        raise InputError(f"no board {name!r} is declared; known: {', '.join(boards)}")
    return definitions.resolve_job_def(name)


def _execute(
    job: "dg.JobDefinition", recompute: dict[str, Any], home: Path, out: "Console | None"
) -> tuple["Watch", str]:
    """Execute a job in this process, on the persistent instance, so that the UI shows the run too."""
    import dagster as dg

    from pipeline.cli.progress import watching

    run_id = str(uuid.uuid4())
    run_config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": _op_config(job, recompute)}
    with (
        dg.DagsterInstance.get() as instance,
        (home / "podium-run.log").open("w", encoding="utf-8") as log,
        watching(instance, run_id, out) as watch,
        _quiet(log),
    ):
        job.execute_in_process(instance=instance, run_config=run_config, run_id=run_id, raise_on_error=False)
    return watch, run_id


@contextlib.contextmanager
def _quiet(log: TextIO) -> Iterator[None]:
    """What dbt and Dagster print goes to a log file; the run's events are shown by ``watching``."""
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(log):
            yield
    finally:
        root.removeHandler(handler)


def _op_config(job: "dg.JobDefinition", recompute: dict[str, Any]) -> dict[str, Any]:
    """The same recomputation for every asset that takes one; nothing when nothing was asked for."""
    given = {name: value for name, value in recompute.items() if value}
    if not given:
        return {}
    return {
        node.name: {"config": given}
        for node in job.nodes
        if node.definition.config_field is not None
        and "from_cycle" in getattr(node.definition.config_field.config_type, "fields", {})
    }


def _print_summary(out: "Console", boards: list[str], watch: "Watch", seconds: float) -> None:
    publication = current_publication(settings().published_dir)
    if publication is None:
        out.print("Nothing is published yet.")
        return
    with open_published(settings().published_dir) as connection:
        for name in boards or board_names(connection):
            out.print()
            print_board(board(connection, name))
    recomputed = sum(report.cycles_recomputed or 0 for report in watch.assets)
    tables = sum(1 for report in watch.assets if report.cycles_recomputed)
    done = f"{recomputed:,} cycles of {tables} tables recomputed" if recomputed else "Nothing new: 0 cycles recomputed"
    out.print(f"\n{done} in {seconds:.1f} s. Published: {publication.path}", soft_wrap=True, highlight=False)
    out.print("\nThree questions to try (or open that file in any DuckDB client):", highlight=False)
    for query in _QUERIES:
        out.print(f'  podium sql "{query}"', soft_wrap=True, highlight=False, markup=False)
    out.print("\nThe graph, its runs and checks in the Dagster UI:  make dev", highlight=False)


def _print_result(watch: "Watch", run_id: str, seconds: float) -> None:
    publication = current_publication(settings().published_dir)
    print_json(
        {
            "run_id": run_id,
            "success": not watch.failures,
            "seconds": seconds,
            "cycles_recomputed": sum(report.cycles_recomputed or 0 for report in watch.assets),
            "assets": watch.assets,
            "failed_checks": watch.failed_checks,
            "failures": watch.failures,
            "published": None if publication is None else str(publication.path),
        }
    )
