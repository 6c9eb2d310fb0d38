"""``podium experiments run``: run what waits, land it, make the board; ``retry`` lets failed runs wait again."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.cli.errors import InputError, StoppedError
from pipeline.cli.experiments_declared import declared_experiment
from pipeline.cli.output import console, counted, print_json
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.experiments import Experiment
    from pipeline.experiments.running import Tally
    from pipeline.intake.executing import Execution


def run(
    name: Annotated[str | None, typer.Argument(help="An experiment; the only one without it.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many runs at most.")] = None,
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", min=0, help="USD that the whole experiment may cost, in place of its ceiling."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run what waits, ask judges, land the results and bring the board up to date; Ctrl-C loses nothing."""
    from pipeline.cli.run import run_tables

    declared = declared_experiment(name)
    out = None if as_json else console()
    started = time.perf_counter()
    try:
        with _terminated_as_interrupted():
            done = _executed(declared, limit, max_cost, out)
    except KeyboardInterrupt:
        raise StoppedError(
            f"stopped; what ended is in the inbox, what waits goes on with `podium experiments run {declared.name}`"
        ) from None
    if out is not None:
        _print_done(declared, done, time.perf_counter() - started, out)
    run_tables(_job_of(declared), out)
    if as_json:
        print_json(_record(declared, done))


def retry(
    name: Annotated[str, typer.Argument(help="The experiment.")],
    cancelled: Annotated[bool, typer.Option("--cancelled", help="Those that were cancelled, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let runs that failed wait again, to be run anew."""
    from pipeline.intake.queueing import retry_runs

    declared = declared_experiment(name)
    n_again = retry_runs(declared, settings(), ("failed", "cancelled") if cancelled else ("failed",))
    if as_json:
        print_json({"experiment": name, "waiting_again": n_again})
    else:
        print(f"{counted(n_again, 'run')} of {name} wait again; podium experiments run {name} runs them")


def _executed(experiment: "Experiment", limit: int | None, max_cost: float | None, out: Console | None) -> "Execution":
    """Execute, showing how it stands on a terminal."""
    from pipeline.intake.executing import execute_pending
    from pipeline.intake.posted import is_posted

    if max_cost is not None and is_posted(experiment.name, settings()):
        raise InputError(
            f"experiment {experiment.name!r} was posted; PODIUM_POSTED_COST says what it may cost, not --max-cost"
        )
    if out is None:
        return execute_pending(experiment, settings(), limit=limit, max_cost=max_cost)
    with Console(stderr=True).status(f"running {experiment.name}") as status:

        def told(tally: "Tally") -> None:
            status.update(f"running {experiment.name}: {_counts(tally)}")

        return execute_pending(experiment, settings(), limit=limit, max_cost=max_cost, progress=told)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that what runs ends or waits again."""

    def interrupt(*_: int | FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _job_of(experiment: "Experiment") -> str:
    """The job that lands what an experiment ran: its own, or that of all that were posted."""
    from pipeline.components.posted_experiments import JOB
    from pipeline.intake.posted import is_posted

    return JOB if is_posted(experiment.name, settings()) else experiment.name


def _counts(tally: "Tally") -> str:
    said = f"{tally.n_completed:,} completed"
    said += f", {tally.n_failed:,} failed" if tally.n_failed else ""
    said += f", {tally.n_cancelled:,} cancelled" if tally.n_cancelled else ""
    return said + (f", {counted(tally.n_scores, 'score')}" if tally.n_scores else "")


def _print_done(experiment: "Experiment", done: "Execution", seconds: float, out: Console) -> None:
    asset = f"{experiment.name}/execution"
    money = f"${done.money.spent:.4g}" + ("" if done.ceiling is None else f" of {done.ceiling:g}") + " spent"
    waiting = f"; {done.n_waiting:,} wait" if done.n_waiting else ""
    line = f"{asset:32} {counted(done.tally.n_ended, 'run'):>15}  {seconds:5.1f} s  {_counts(done.tally)}{waiting}"
    out.print(f"[green]✓[/green] {line}; {money}", highlight=False, soft_wrap=True)
    for why in done.tally.why:
        out.print(f"  {why}", highlight=False, markup=False, soft_wrap=True)


def _record(experiment: "Experiment", done: "Execution") -> dict[str, object]:
    tally = done.tally
    return {
        "experiment": experiment.name,
        "completed": tally.n_completed,
        "failed": tally.n_failed,
        "cancelled": tally.n_cancelled,
        "scores": tally.n_scores,
        "waiting": done.n_waiting,
        "spent": done.money.spent,
        "presumed": done.money.presumed,
        "ceiling": done.ceiling,
        "why": list(tally.why),
        "files": [str(path) for path in done.files],
    }
