"""``podium run``: everything new, from predictions to a published board, in this very process."""

import contextlib
import logging
import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from pydantic import ValidationError

from pipeline.cli.errors import InputError, RunFailedError
from pipeline.cli.instance import dagster_home
from pipeline.cli.leaderboard import parse_moment, print_board
from pipeline.cli.output import console, print_json
from pipeline.reports.queries import Board, UnknownBoardError, board, board_names
from pipeline.settings import settings
from pipeline.warehouse import WarehouseBusyError, current_publication, open_published

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from pipeline.cli.progress import Watch

_LOG = "podium-run.log"
_INTERRUPTS = ("KeyboardInterrupt", "DagsterExecutionInterruptedError")

_QUERIES = (
    "SELECT rank, title, round(rank_key, 4) AS score, coverage, status FROM marts.leaderboard_current "
    "WHERE competition = '{board}' ORDER BY position",
    "SELECT year(cycle) AS year, round(avg(value), 4) AS mean FROM {board}.cycle_metrics "
    "WHERE model_id = '{model}' AND metric = '{metric}' GROUP BY 1 ORDER BY 1",
    "SELECT subject, round(avg(value), 3) AS score FROM {board}.scores "
    "WHERE model_id = '{model}' GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
)
"""Questions to try on a board that was just published."""


@dataclass(frozen=True)
class _Run:
    """A run that ended."""

    id: str
    seconds: float
    watch: "Watch"

    @property
    def cycles_recomputed(self) -> int:
        return sum(report.cycles_recomputed or 0 for report in self.watch.assets)


def run(
    name: Annotated[str | None, typer.Argument(help="A declared board; all of them without it.")] = None,
    from_cycle: Annotated[str | None, typer.Option("--from", help="Recompute by hand: first cycle.")] = None,
    to_cycle: Annotated[str | None, typer.Option("--to", help="Recompute by hand: last cycle, included.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Recompute those cycles even when nothing changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Do everything that is new, from predictions to a published board; done twice, the second does nothing."""
    _check_range(from_cycle, to_cycle)
    started = time.perf_counter()
    home = dagster_home()
    out = None if as_json else console()
    with (home / _LOG).open("w", encoding="utf-8") as log, _quiet(log):
        job = _job(name, out)
        run_id, watch = _execute(job, {"from_cycle": from_cycle, "to_cycle": to_cycle, "force": force}, out)
    done = _Run(run_id, round(time.perf_counter() - started, 1), watch)
    if out is None:
        _print_json(done)
    _raise_failures(done)
    if out is not None:
        _print_summary(out, name, done)


def _check_range(from_cycle: str | None, to_cycle: str | None) -> None:
    """Refuse what a run would only find out after a while.

    Raises
    ------
    InputError
        If one is no date or time, or the first is later than the last.
    """
    first = None if from_cycle is None else parse_moment(from_cycle, "--from", time_of_day.min)
    last = None if to_cycle is None else parse_moment(to_cycle, "--to")
    if first is not None and last is not None and first > last:
        raise InputError(f"--from {from_cycle} is later than --to {to_cycle}; no cycle lies between them")


def _job(name: str | None, out: "Console | None") -> "dg.JobDefinition":
    """The job of a board, or the one over all assets.

    Raises
    ------
    InputError
        If no such board is declared, or a declaration is wrong.
    """
    if out is not None:
        out.print("[dim]loading definitions[/dim]")
    definitions = _definitions()
    if name is None:
        return definitions.resolve_implicit_global_asset_job_def()
    boards = sorted(job.name for job in definitions.jobs or ())
    if name not in boards:
        raise InputError(f"no board {name!r} is declared; known: {', '.join(boards) or 'none'}")
    return definitions.resolve_job_def(name)


def _definitions() -> "dg.Definitions":
    """What is declared under ``pipeline/defs``.

    Raises
    ------
    InputError
        If a declaration is wrong: which, and what the innermost error says.
    """
    from pipeline.definitions import defs

    try:
        return defs()
    except Exception as error:
        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
            chain.append(cause)
        if len(chain) == 1:  # no declaration was being read: a bug
            raise
        where = str(error).strip().splitlines()[0]
        raise InputError(f"{where} {_in_words(chain[-1])} (files: pipeline/defs/*/defs.yaml)") from error


def _in_words(error: BaseException) -> str:
    """The message of an error; of a declaration's, where and what, without the values."""
    if not isinstance(error, ValidationError):
        return str(error)
    wrong = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in wrong)


def _execute(job: "dg.JobDefinition", recompute: dict[str, Any], out: "Console | None") -> tuple[str, "Watch"]:
    """Execute a job in this process, on the persistent instance, so that the UI shows the run too."""
    import dagster as dg

    from pipeline.cli.progress import watching

    run_id = str(uuid.uuid4())
    run_config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": _op_config(job, recompute)}
    with dg.DagsterInstance.get() as instance, watching(instance, run_id, out) as watch:
        job.execute_in_process(instance=instance, run_config=run_config, run_id=run_id, raise_on_error=False)
    return run_id, watch


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


def _raise_failures(done: _Run) -> None:
    """Raise what made a run fail.

    Raises
    ------
    KeyboardInterrupt
        If it was Ctrl-C.
    WarehouseBusyError
        If a step could not get the warehouse.
    RunFailedError
        If a step failed for another reason.
    """
    failures = done.watch.failures
    if any(failure.error in _INTERRUPTS for failure in failures):
        raise KeyboardInterrupt
    busy = [failure.message for failure in failures if failure.error == WarehouseBusyError.__name__]
    if busy:
        raise WarehouseBusyError(busy[0])
    if failures:
        causes = "; ".join(f"{one.step}: {one.error or 'error'}: {one.message}" for one in failures)
        raise RunFailedError(f"run {done.id} failed at {causes} (`podium dev` shows its log)")


def _print_summary(out: "Console", name: str | None, done: _Run) -> None:
    """The boards, what was done, where the published file is, and what to do next."""
    publication = current_publication(settings().published_dir)
    if publication is None:
        out.print("Nothing is published yet.")
        return
    found = _print_boards(out, name)
    tables = sum(1 for report in done.watch.assets if report.cycles_recomputed)
    cycles = done.cycles_recomputed
    what = f"{cycles:,} cycles of {tables} tables recomputed" if cycles else "Nothing new: 0 cycles recomputed"
    out.print(f"\n{what} in {done.seconds:.1f} s. Published: {publication.path}", soft_wrap=True, markup=False)
    queries = [query for one in found[:1] for query in _queries(one)]
    if queries:
        out.print("\nThree questions to try (or open that file in any DuckDB client):")
    for query in queries:
        out.print(f'  {_podium()} sql "{query}"', soft_wrap=True, highlight=False, markup=False)
    out.print("\nThe graph, its runs and checks in the Dagster UI:  make dev", highlight=False)


def _podium() -> str:
    """How to call the command from here: by its name, or by its path when its environment is not activated."""
    return "podium" if shutil.which("podium") else os.path.relpath(Path(sys.executable).with_name("podium"))


def _print_boards(out: "Console", name: str | None) -> list[Board]:
    """Print the board of that name, or all; those without rows yet are named only."""
    found = []
    with open_published(settings().published_dir) as connection:
        for each in [name] if name else board_names(connection):
            out.print()
            try:
                found.append(board(connection, each))
            except UnknownBoardError as error:
                out.print(str(error), soft_wrap=True, markup=False)
            else:
                print_board(found[-1])
    return found


def _queries(found: Board) -> list[str]:
    """The questions to try, about the first model of a board."""
    if not found.rows:
        return []
    model, metric = (text.replace("'", "''") for text in (found.rows[0].model_id, found.keys[0].partition(".")[2]))
    return [query.format(board=found.name, model=model, metric=metric) for query in _QUERIES]


def _print_json(done: _Run) -> None:
    publication = current_publication(settings().published_dir)
    print_json(
        {
            "run_id": done.id,
            "success": not done.watch.failures,
            "seconds": done.seconds,
            "cycles_recomputed": done.cycles_recomputed,
            "assets": done.watch.assets,
            "failed_checks": done.watch.failed_checks,
            "failures": done.watch.failures,
            "published": None if publication is None else str(publication.path),
        }
    )
