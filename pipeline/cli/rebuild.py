"""``podium rebuild``: the warehouse made from scratch out of what is kept, and compared with the present one."""

import os
import subprocess  # nosec B404 # our own commands alone, without a shell
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.declarations import load_contracts
from pipeline.cli.errors import DifferentError, InputError, RunFailedError
from pipeline.cli.operation import mistakes_named
from pipeline.cli.output import Column, console, counted, print_json, print_table
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles

if TYPE_CHECKING:
    from pipeline.declaration import BoardDeclaration
    from pipeline.operation import Rebuild, Report
    from pipeline.warehouse import Difference

_PODIUM = "from pipeline.cli import main; main()"


def rebuild(
    boards: Annotated[list[str] | None, typer.Argument(help="Declared boards; all of them without any.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the rebuilt warehouse in place; the old one is kept aside.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build a warehouse from scratch out of what is kept, beside the present one, and compare every table."""
    from pipeline.operation import Rebuild

    started = time.perf_counter()
    declared = load_contracts(all_must_load=True)
    chosen = _chosen(boards or [], declared)
    if replace and boards:
        raise InputError("--replace is for all boards: the others would be gone; name none")
    one = Rebuild(settings(), chosen, declared, WarehouseFiles())
    with mistakes_named(), one.alone():
        _make(one, boards or [])
        report = one.compare()
        aside = one.replace(f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}") if replace else None
        if replace or not report.differing:
            one.clear()
    seconds = round(time.perf_counter() - started, 1)
    if as_json:
        print_json(_record(report, aside, seconds))
    else:
        _show(report, aside, seconds)
    if report.differing and not replace:
        raise DifferentError(_told(report))


def _chosen(names: Sequence[str], declared: "Mapping[str, BoardDeclaration]") -> "Mapping[str, BoardDeclaration]":
    from pipeline.cli.contracts import board_of

    for name in names:
        board_of(declared, name)
    return {name: board for name, board in declared.items() if not names or name in names}


def _make(one: "Rebuild", boards: Sequence[str]) -> None:
    """Lay out the folder and compute the boards there, as ``podium run`` does.

    Raises
    ------
    InputError
        If there is no warehouse.
    RunFailedError
        If a board could not be computed.
    """
    try:
        one.prepare()
    except FileNotFoundError:
        raise InputError(f"there is no warehouse {one.files.path} to compare with; `podium run` makes it") from None
    for arguments in [[name] for name in boards] or [[]]:
        _run(one.data_dir, arguments)


def _run(data_dir: Path, arguments: Sequence[str]) -> None:
    own = settings().defs_dir
    environment = {
        "PODIUM_DATA_DIR": str(data_dir),
        "PODIUM_DBT_PROJECT_DIR": str(settings().dbt_project_dir.resolve()),
        "PODIUM_DEFS_DIR": "" if own is None else str(own.resolve()),
        "PODIUM_FETCH": "false",
        "PODIUM_ALERT": "",  # what fails there is told by this command
        "PODIUM_LOG": "text",  # so is the last line of what it prints
        "DAGSTER_HOME": "",
    }
    command = [sys.executable, "-c", _PODIUM, "run", *arguments, "--no-look", "--json"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603 # our own command
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise RunFailedError(
            f"the boards cannot be rebuilt: {said[-1].removeprefix('podium: ') if said else 'no word of it'}; "
            f"what there is of it is in {data_dir}"
        )


def _record(report: "Report", aside: Path | None, seconds: float) -> dict[str, Any]:
    kept = aside is None and bool(report.differing)
    return {
        "boards": report.boards,
        "equal": not report.differing,
        "tables": [asdict(one) | {"equal": one.is_equal} for one in report.tables],
        "not_compared": _excused(),
        "taken_over": [asdict(one) for one in report.taken_over],
        "not_declared": report.not_declared,
        "out_of_date": report.out_of_date,
        "rebuilt": str(report.path) if kept else None,
        "replaced": aside is not None,
        "old": None if aside is None else str(aside),
        "seconds": seconds,
    }


def _excused() -> list[dict[str, str]]:
    from pipeline.operation import known_differences

    tables = [{"table": name, "why": why} for name, why in known_differences.TABLES.items()]
    return [*tables, *({"column": name, "why": why} for name, why in known_differences.COLUMNS.items())]


def _show(report: "Report", aside: Path | None, seconds: float) -> None:
    out = console()
    rows = sum(one.rows_rebuilt for one in report.tables)
    if report.differing:
        _show_differences(report.differing)
    out.print(
        f"{', '.join(report.boards)}: {counted(len(report.tables), 'table')} with {rows:,} rows rebuilt in "
        f"{seconds:,.1f} s; {len(report.differing) or 'none'} differ{'s' if len(report.differing) == 1 else ''}",
        markup=False,
    )
    for taken in report.taken_over:
        out.print(f"taken over, not rebuilt: {taken.table} of {taken.board} ({taken.why})", style="dim", markup=False)
    if report.not_declared:
        out.print(f"not declared, so not rebuilt: {', '.join(report.not_declared)}", style="dim", markup=False)
    if aside is not None:
        out.print(f"the rebuilt warehouse is in place and published; the old one is {aside}", markup=False)


def _show_differences(differing: "Sequence[Difference]") -> None:
    columns = [
        Column("table", [one.table for one in differing], is_text=True, rank=0),
        Column("rows", [f"{one.rows_present:,}" for one in differing]),
        Column("rebuilt", [f"{one.rows_rebuilt:,}" for one in differing]),
        Column("missing", [f"{one.missing:,}" for one in differing], rank=0),
        Column("extra", [f"{one.extra:,}" for one in differing], rank=0),
        Column("changed", [f"{one.changed:,}" for one in differing], rank=0),
        Column("for example", [_example(one) for one in differing], is_text=True),
    ]
    print_table(columns, fold=True)


def _example(one: "Difference") -> str:
    if one.example is None:
        return ""
    example = one.example
    key = ", ".join(f"{name}={value}" for name, value in example.key.items())
    if example.present is None or example.rebuilt is None:
        return f"{key}: {'only here' if example.rebuilt is None else 'only in the rebuilt one'}"
    both = [f"{name} {value}, rebuilt {example.rebuilt[name]}" for name, value in example.present.items()]
    return f"{key}: {'; '.join(both)}"


def _told(report: "Report") -> str:
    tables = ", ".join(one.table for one in report.differing)
    why = ""
    if report.out_of_date:
        why = f"{', '.join(report.out_of_date)} were made by other code or declarations: `podium run` first; "
    return (
        f"the rebuilt warehouse differs in {tables}; {why}it is {report.path}, and --replace puts such a one in place"
    )
