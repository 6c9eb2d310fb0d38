"""``podium run``: everything new, from predictions to a published board, in this very process."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.declarations import load_job
from pipeline.cli.errors import InputError, RunFailedError, StoppedError
from pipeline.cli.instance import (
    dagster_home,
    open_instance,
    require_folder,
    require_hook,
    require_shared_warehouse,
    run_tags,
)
from pipeline.cli.leaderboard import parse_moment
from pipeline.cli.log import log_path, logged
from pipeline.cli.output import console, print_json, tell
from pipeline.cli.summary import print_summary
from pipeline.settings import settings
from pipeline.warehouse import WarehouseBusyError, WarehouseDamagedError, WarehouseVersionError, current_publication

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from pipeline.cli.progress import Watch


_ASKING = ("sources", "execution")


@dataclass(frozen=True)
class _Run:
    """A run that ended."""

    id: str
    seconds: float
    watch: "Watch"
    log: Path


def run(
    name: Annotated[str | None, typer.Argument(help="A declared board; all of them without it.")] = None,
    from_cycle: Annotated[str | None, typer.Option("--from", help="Recompute by hand: first cycle.")] = None,
    to_cycle: Annotated[str | None, typer.Option("--to", help="Recompute by hand: last cycle, included.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Recompute those cycles even when nothing changed.")] = False,
    no_look: Annotated[
        bool, typer.Option("--no-look", help="Ask nobody outside, such as sources of rankings: use what is kept.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Do everything that is new, from predictions to a published board; done twice, the second does nothing."""
    _check_range(from_cycle, to_cycle)
    out = None if as_json else console()
    try:
        given = {"from_cycle": from_cycle, "to_cycle": to_cycle, "force": force}
        done = _run(name, given, out, is_no_look=no_look)
    except KeyboardInterrupt:
        raise _stopped() from None
    if out is None:
        _print_json(done)
    _raise_failures(done)
    if out is not None:
        print_summary(out, name, done.watch, done.seconds)
    _tell_of_waiting(done.watch.waits_for)


def run_tables(name: str, out: "Console | None") -> None:
    """Bring a board up to date and publish it, asking nobody outside and running nothing that waits.

    Parameters
    ----------
    name : str
        The board.
    out : Console or None
        Where to print how it goes.

    Raises
    ------
    RunFailedError, StoppedError, WarehouseBusyError
        As of :func:`run`.
    """
    try:
        done = _run(name, {}, out, is_no_look=True)
    except KeyboardInterrupt:
        raise _stopped() from None
    _raise_failures(done)
    _tell_of_waiting(done.watch.waits_for)


def _asks(key: "dg.AssetKey") -> bool:
    """Whether an asset asks somebody outside, and writes no table: ``<board>/sources/...``, ``<board>/execution``."""
    return len(key.path) > 1 and key.path[1] in _ASKING


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


def _run(
    name: str | None,
    recompute: dict[str, Any],
    out: "Console | None",
    *,
    is_no_look: bool,
) -> _Run:
    """Load the definitions and execute the job, on the persistent instance, so that the UI shows the run too."""
    started = time.perf_counter()
    require_hook()
    require_shared_warehouse()
    home, run_id = dagster_home(), str(uuid.uuid4())
    _require_folders()
    if settings().log == "json":
        out = None  # what it would print is logged
    with logged(log := log_path(home, run_id)):
        if out is not None:
            out.print("[dim]loading definitions[/dim]")
        job = load_job(name)
        keys = sorted(key for key in job.asset_layer.executable_asset_keys if is_no_look and not _asks(key))
        config = _op_config(job, recompute, {"only_land": is_no_look})
        watch = _execute(job, run_id, home, config, out, keys or None)
    return _Run(run_id, round(time.perf_counter() - started, 1), watch, log)


def _require_folders() -> None:
    """Refuse folders that a run could not write in, before it begins.

    Raises
    ------
    InputError
        If there is one.
    """
    for folder in (settings().warehouse_path.parent, settings().published_dir):
        require_folder(folder, "PODIUM_DATA_DIR")
    dbt = settings().dbt_project_dir
    if not (dbt / "dbt_project.yml").exists():
        raise InputError(f"there is no dbt_project.yml in {dbt}; set PODIUM_DBT_PROJECT_DIR to the dbt project")
    require_folder(dbt / "target", "PODIUM_DBT_PROJECT_DIR")


def _execute(
    job: "dg.JobDefinition",
    run_id: str,
    home: Path,
    op_config: dict[str, Any],
    out: "Console | None",
    keys: Sequence["dg.AssetKey"] | None,
) -> "Watch":
    """Execute a job, or some assets of it, in this process or from it on workers."""
    from pipeline.cli.progress import watching
    from pipeline.components.observing import observe

    run_config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": op_config}
    with open_instance(home) as instance, watching(instance, run_id, out) as watch:
        if settings().executor:
            from pipeline.cluster.runs import execute_on_workers

            execute_on_workers(job, instance, run_id, run_config, run_tags(), keys)
        else:
            job.execute_in_process(
                instance=instance,
                run_config=run_config,
                asset_selection=keys,
                run_id=run_id,
                tags=run_tags(),
                raise_on_error=False,
            )
        observe(instance, run_id)
    return watch


def _op_config(job: "dg.JobDefinition", *asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, of every asset that takes all that belongs to it; nothing when nothing was."""
    configured = {}
    for node in job.nodes:
        field = node.definition.config_field
        known = {} if field is None else getattr(field.config_type, "fields", {})
        taken = [(name, value) for one in asked if one.keys() <= known.keys() for name, value in one.items() if value]
        if taken:
            configured[node.name] = {"config": dict(taken)}
    return configured


def _raise_failures(done: _Run) -> None:
    """Raise what made a run fail.

    Raises
    ------
    StoppedError
        If it was Ctrl-C.
    WarehouseBusyError
        If a step could not get the warehouse.
    WarehouseVersionError
        If another version of Podium wrote the warehouse.
    WarehouseDamagedError
        If its file cannot be read.
    RunFailedError
        If a step failed for another reason.
    """
    failures = done.watch.failures
    if done.watch.is_stopped:
        raise _stopped()
    for failure in failures:
        for known in (WarehouseBusyError, WarehouseVersionError, WarehouseDamagedError):
            if failure.error == known.__name__:
                raise known(failure.message)
    if failures:
        causes = "; ".join(f"{one.step}: {one.error or 'error'}: {one.message}" for one in failures)
        raise RunFailedError(f"run {done.id} failed at {causes} (log: {done.log}; `podium dev` shows its events)")


def _tell_of_waiting(boards: str) -> None:
    """Say that readers do not see what was computed: the run did what it could, so that it is no failure."""
    if boards:
        tell(
            "WARNING",
            f"nothing was published: the warehouse does not have {boards} (was it lost?), so readers keep what was "
            f"published before; `podium run` without a name computes all boards again",
        )


def _stopped() -> StoppedError:
    return StoppedError("stopped; what is finished is kept, run again to go on")


def _print_json(done: _Run) -> None:
    publication = current_publication(settings().published_dir)
    print_json(
        {
            "run_id": done.id,
            "success": not done.watch.failures,
            "seconds": done.seconds,
            "cycles_recomputed": done.watch.cycles_recomputed,
            "whole_tables_recomputed": done.watch.whole_tables_recomputed,
            "assets": done.watch.assets,
            "failed_checks": done.watch.failed_checks,
            "failures": done.watch.failures,
            "published": None if publication is None else str(publication.path),
            "log": str(done.log),
        }
    )
