"""``podium status``: how every declared board is doing."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import duckdb
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.cli.output import MISSING, Column, console, counted, day, print_json, print_table
from pipeline.clock import utc_now
from pipeline.health import Failure, Health, Journal
from pipeline.rankings.origin import is_unasked
from pipeline.settings import settings
from pipeline.warehouse import (
    NotPublishedError,
    PublishedDamagedError,
    WarehouseFiles,
    current_publication,
    open_published,
)

if TYPE_CHECKING:
    from pipeline.cli.declarations import Contracts
    from pipeline.cli.states import BoardState, SourceState
    from pipeline.declaration import BoardDeclaration
    from pipeline.reports.runs import LastRun
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

    contract: "BoardDeclaration"
    board: "BoardState"
    last_run: "LastRun | None"
    next_tick: datetime | None
    health: Health

    @property
    def troubles(self) -> list[Failure]:
        """What fails of it."""
        return [one for one in self.health.failures.values() if _is_of(one, self.contract.name)]


def status(
    board: Annotated[str | None, typer.Argument(help="A declared board; all of them without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show whether boards are up to date, which files wait or were refused, and the last and next run."""
    from pipeline.cli.contracts import board_of
    from pipeline.cli.declarations import load_contracts

    contracts = load_contracts(board)
    chosen = list(contracts.values()) if board is None else [board_of(contracts, board)]
    moment = utc_now()
    found, damage = _statuses(chosen, moment)
    notes = [*damage, *_strays(contracts), *(note for one in found for note in one.board.notes)]
    notes += _troubles(found, is_all=board is None, moment=moment)
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
    for one in found:
        if one.board.sources:
            _print_sources(one.contract.name, one.board.sources)
    said = "nothing is published yet" if published_at is None else f"published {_moment(published_at)}"
    writes = "nobody writes the warehouse now" if writer is None else f"written by {writer}"
    out.print(Text(f"{day(moment.replace(second=0, microsecond=0))}: {said}; {writes}."))
    for note in notes:
        out.print(Text(note, style="red"), soft_wrap=True)


def _strays(contracts: "Contracts") -> list[str]:
    """What lies in the inbox where no board looks."""
    from pipeline.landing import strays

    inbox = settings().inbox_dir
    known = {name: tuple(contract.folders) for name, contract in contracts.items()}
    lost = [path for path in strays(inbox, known) if path.relative_to(inbox).parts[0] not in contracts.broken]
    if not lost:
        return []
    shown = ", ".join(str(path.relative_to(inbox)) for path in lost[:3])
    return [
        f"{counted(len(lost), 'file')} in the inbox where no board looks, such as {shown}; move to <board>/<folder>"
    ]


def _troubles(found: Sequence[_Status], *, is_all: bool, moment: datetime) -> list[str]:
    """What fails, a sentence each; of all boards also what is of none, such as the marts."""
    known = found[0].health if found else Health()
    failing = sorted(known.failures.items()) if is_all else [(one.key, one) for of in found for one in of.troubles]
    return [_told(one, moment) for _, one in failing if one.recovered_at is None]


def _told(one: Failure, moment: datetime) -> str:
    what = {"check": f"check {one.cause} fails", "run": f"a run failed: {one.cause}"}.get(
        one.what, f"failed: {one.cause}"
    )
    return f"{one.asset}: {what}, since {_moment(one.at)} ({_ago(moment - one.at)}): {one.message or 'no message'}"


def _is_of(one: Failure, board: str) -> bool:
    return one.recovered_at is None and one.asset.partition("/")[0] == board


def _statuses(chosen: Sequence["BoardDeclaration"], moment: datetime) -> tuple[list[_Status], list[str]]:
    """The status of each board, and what is wrong with the published file."""
    from pipeline.cli.history import last_runs
    from pipeline.cli.states import state_of
    from pipeline.components.cron import next_tick

    damage: list[str] = []
    with _published(damage) as connection:
        states = {contract.name: state_of(connection, contract, moment) for contract in chosen}
    runs = last_runs(list(states), moment)
    health = Journal(settings().health_dir).read()
    found = [
        _Status(
            contract,
            states[contract.name],
            runs.get(contract.name),
            None if contract.schedule is None else next_tick(contract.schedule, moment),
            health,
        )
        for contract in chosen
    ]
    return found, damage


@contextmanager
def _published(damage: list[str]) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The published file, None without one; what is wrong with it is added to ``damage``."""
    with ExitStack() as stack:
        connection = None
        try:
            connection = stack.enter_context(open_published(settings().published_dir))
        except NotPublishedError as error:
            damage += [str(error)] if isinstance(error, PublishedDamagedError) else []
        yield connection


def _writer() -> "Holder | None":
    """Who writes the warehouse now; a note whose writer is gone says nothing."""
    holder = WarehouseFiles().lock.holder()
    return None if holder is None or holder.is_gone else holder


def _record(one: _Status) -> dict[str, Any]:
    """The status of one board as JSON has it."""
    return {
        "board": one.contract.name,
        "kind": one.contract.kind,
        "title": one.contract.title,
        **one.board.record,
        "last_run": one.last_run,
        "schedule": one.contract.schedule,
        "next_run": one.next_tick,
        "failing": [_failing(trouble) for trouble in one.troubles],
    }


def _failing(one: Failure) -> dict[str, Any]:
    """Something that fails, as JSON has it."""
    named = ("asset", "what", "cause", "severity", "run_id", "message")
    return {**{name: getattr(one, name) for name in named}, "since": one.at}


def _table(found: Sequence[_Status], moment: datetime) -> Table:
    table = Table(box=box.HORIZONTALS, show_lines=len(found) > 1)
    for header in ("board", "state", "newest", "files", "runs"):
        table.add_column(header, overflow="fold")
    for one in found:
        table.add_row(
            Text(one.contract.name),
            Text(one.board.state, style=_STYLES[one.board.state]),
            *(Text("\n".join(lines) or MISSING) for lines in (one.board.newest, one.board.files, _runs(one, moment))),
        )
    return table


def _print_sources(board: str, sources: Sequence["SourceState"]) -> None:
    """Print how the sources of a ranking are doing, and when each is looked at next."""
    looked = [MISSING if one.checked_at is None else _moment(one.checked_at) for one in sources]
    following = [one.why_not if one.next_look is None else _moment(one.next_look) for one in sources]
    columns = [
        Column("source", [one.source for one in sources], is_text=True, rank=0),
        Column("state", [one.state for one in sources], is_text=True, rank=0),
        Column("figures", [one.figures for one in sources], is_text=True, rank=0),
        Column("as of", [one.as_of for one in sources], rank=0),
        Column("tried", looked, rank=1),
        Column("next look", following, is_text=True, rank=0),
        Column("why", ["" if is_unasked(one.why) else one.why for one in sources], is_text=True, rank=2),
    ]
    print_table(columns, Text(f"Sources of {board}"), dim=[one.state == "missing" for one in sources])


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


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M}"
