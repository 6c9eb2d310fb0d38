"""``podium status``: how every declared board is doing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.cli.failures import told_of
from pipeline.cli.output import MISSING, console, counted, day, print_json
from pipeline.reports.queries import Contents, Freshness, contents, freshness
from pipeline.settings import settings
from pipeline.warehouse import (
    NotPublishedError,
    PublishedDamagedError,
    WriteLock,
    current_publication,
    now,
    open_published,
)

if TYPE_CHECKING:
    from pipeline.cli.declarations import Contracts
    from pipeline.cli.history import LastRun
    from pipeline.competition import Contract
    from pipeline.landing import Delivery
    from pipeline.warehouse.lock import Holder

_STYLES = {"late": "bold red", "fresh": "green", "frozen": "cyan", "empty": "dim"}
_RUNS = {
    "not_started": "not started yet, asked for",
    "queued": "waits for its turn, asked for",
    "starting": "starts, asked for",
    "success": "done, begun",
    "failure": "failed, begun",
    "canceling": "is being stopped, begun",
    "canceled": "stopped, begun",
}
"""How a run is doing, by Dagster's name of it, before how long ago."""


@dataclass(frozen=True)
class _Status:
    """All that is known of one board."""

    contract: "Contract"
    published: Contents
    freshness: Freshness
    waiting: tuple["Delivery", ...]
    last_run: "LastRun | None"
    next_tick: datetime | None


def status(
    board: Annotated[str | None, typer.Argument(help="A declared board; all of them without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show whether boards are up to date, which files wait or were refused, and the last and next run."""
    from pipeline.cli.contracts import contract_of
    from pipeline.cli.declarations import load_contracts

    contracts = load_contracts(board)
    chosen = list(contracts.values()) if board is None else [contract_of(contracts, board)]
    moment = now()
    found, damage = _statuses(chosen, moment)
    failed = [line for one in found for line in told_of(one.contract.name, one.published.failed)]
    notes = [*damage, *_strays(contracts), *failed]
    writer = _writer()
    publication = current_publication(settings().published_dir)
    published_at = None if publication is None else publication.published_at
    if as_json:
        print_json(
            {
                "now": moment,
                "boards": [_record(one) for one in found],
                "published_at": published_at,
                "writer": None if writer is None else asdict(writer),
                "notes": notes,
            }
        )
        return
    out = console()
    out.print(_table(found, moment))
    said = "nothing is published yet" if published_at is None else f"published {_moment(published_at)}"
    writes = "nobody writes the warehouse now" if writer is None else f"written by {writer}"
    out.print(Text(f"{day(moment.replace(second=0, microsecond=0))}: {said}; {writes}."))
    for note in notes:
        out.print(Text(note, style="red"), soft_wrap=True)


def _strays(contracts: "Contracts") -> list[str]:
    """What lies in the inbox where no board looks."""
    from pipeline.components.inbox import folders
    from pipeline.landing import strays

    inbox = settings().inbox_dir
    known = {name: tuple(folders(contract)) for name, contract in contracts.items()}
    lost = [path for path in strays(inbox, known) if path.relative_to(inbox).parts[0] not in contracts.broken]
    if not lost:
        return []
    shown = ", ".join(str(path.relative_to(inbox)) for path in lost[:3])
    return [
        f"{counted(len(lost), 'file')} in the inbox where no board looks, such as {shown}; move to <board>/<folder>"
    ]


def _statuses(chosen: Sequence["Contract"], moment: datetime) -> tuple[list[_Status], list[str]]:
    from pipeline.cli.history import last_runs, next_tick
    from pipeline.components.inbox import folders
    from pipeline.landing import pending

    names = [contract.name for contract in chosen]
    published, damage = _published(names)
    runs = last_runs(names, moment)
    found = [
        _Status(
            contract,
            published[contract.name],
            freshness(published[contract.name].cycles, moment, frozen=contract.frozen, late_after=contract.late_after),
            tuple(pending(settings().inbox_dir, contract.name, tuple(folders(contract)))),
            runs.get(contract.name),
            None if contract.schedule is None else next_tick(contract.schedule, contract.name, moment),
        )
        for contract in chosen
    ]
    return found, damage


def _published(names: Sequence[str]) -> tuple[dict[str, Contents], list[str]]:
    """What is published of each board, and what is wrong with the file."""
    try:
        with open_published(settings().published_dir) as connection:
            return {name: contents(connection, name) for name in names}, []
    except NotPublishedError as error:
        damage = [str(error)] if isinstance(error, PublishedDamagedError) else []
        return {name: Contents() for name in names}, damage


def _writer() -> "Holder | None":
    """Who writes the warehouse now; a note whose writer is gone says nothing."""
    path = settings().warehouse_path
    holder = WriteLock(path.with_name(path.name + ".lock"), 0).holder()
    return None if holder is None or holder.is_gone else holder


def _record(one: _Status) -> dict[str, Any]:
    """The status of one board as JSON has it."""
    return {
        "board": one.contract.name,
        "title": one.contract.title,
        "state": one.freshness.state,
        "newest_cycle": one.published.newest_cycle,
        "late_from": one.freshness.late_from,
        "newest_board": one.published.newest_board,
        "inbox": {
            "waiting": len(one.waiting),
            "oldest_received_at": min((file.received_at for file in one.waiting), default=None),
        },
        "files": one.published.files,
        "failed_functions": one.published.failed,
        "last_run": one.last_run,
        "schedule": one.contract.schedule,
        "next_run": one.next_tick,
    }


def _table(found: Sequence[_Status], moment: datetime) -> Table:
    table = Table(box=box.HORIZONTALS, show_lines=len(found) > 1)
    for header in ("board", "state", "newest", "files", "runs"):
        table.add_column(header, overflow="fold")
    for one in found:
        table.add_row(
            Text(one.contract.name),
            Text(one.freshness.state, style=_STYLES[one.freshness.state]),
            *(Text("\n".join(lines) or MISSING) for lines in (_newest(one), _files(one), _runs(one, moment))),
        )
    return table


def _newest(one: _Status) -> list[str]:
    due = one.freshness.late_from
    dates = {"cycle": one.published.newest_cycle, "board": one.published.newest_board}
    lines = [f"{what} {_date(when)}" for what, when in dates.items() if when is not None]
    if due is not None:
        lines.append(f"{'late since' if one.freshness.state == 'late' else 'late from'} {_date(due)}")
    return lines


def _files(one: _Status) -> list[str]:
    if not one.contract.has_inbox:
        return []
    counts = one.published.files
    landed = f"{counts.landed:,} landed" if one.published.is_published else "nothing published yet"
    lines = [f"{len(one.waiting):,} waiting", landed]
    if counts.unreadable:
        lines.append(f"{counts.unreadable:,} unreadable")
    if counts.rows_rejected:
        lines.append(f"{counted(counts.rows_rejected, 'row')} refused")
    if counts.rows_late:
        lines.append(f"{counted(counts.rows_late, 'row')} late")
    return lines


def _runs(one: _Status, moment: datetime) -> list[str]:
    lines = []
    run = one.last_run
    if run is not None:
        took = "" if run.seconds is None else f", {run.seconds:,.0f} s"
        lines.append(f"{_RUNS.get(run.status, run.status)} {_ago(moment - run.started_at)}{took}")
    if one.next_tick is not None:
        lines.append(f"next {_moment(one.next_tick)}")
    return lines


def _ago(elapsed: timedelta) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, round(elapsed.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _date(value: datetime) -> str:
    return f"{value:%Y-%m-%d}"


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M}"
