"""``podium check``: what would be refused of a file, and why, without landing it."""

import json
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.cli.errors import Exit
from pipeline.cli.judging import judge_file
from pipeline.cli.leaderboard import parse_moment
from pipeline.cli.output import console, counted, day, in_print, print_json
from pipeline.clock import utc_now
from pipeline.texts import shortened

if TYPE_CHECKING:
    from pipeline.competition import Contract
    from pipeline.intake import Judgement, Late
    from pipeline.landing import Verdict

_SHOWN = 5
"""Refused rows that a person is shown."""
_LONGEST = 60
_ADDED = ("row_number", "received_at", "is_late")


def check(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSON lines.")],
    board: Annotated[
        str | None, typer.Option("--board", help="For this board; needless if only one takes files.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="For this folder of its inbox; that of predictions or runs without it.")
    ] = None,
    received_at: Annotated[
        str | None, typer.Option("--received-at", help="As if it came then: a date (its end, UTC) or a time.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what would be refused of a file and why, without landing it. Exit code 2 if anything would be."""
    moment = utc_now() if received_at is None else parse_moment(received_at, "--received-at")
    judged = judge_file(file, board, kind, moment)
    if as_json:
        from pipeline.intake import as_record

        print_json(as_record(judged))
    else:
        out = console()
        print_judgement(out, judged)
        how = f"; to land it: {_submission(judged, kind)}" if judged.is_accepted else "."
        out.print(f"Nothing was landed{how}", soft_wrap=True, markup=False, highlight=False)
    if not judged.is_accepted:
        raise typer.Exit(Exit.WRONG_INPUT)


def _submission(judged: "Judgement", kind: str | None) -> str:
    """The command that lands the file."""
    folder = f" --kind {kind}" if kind else ""
    return f"podium submit {judged.contract.name} {in_print(shlex.quote(str(judged.file)))}{folder}"


def print_judgement(out: Console, judged: "Judgement") -> None:
    """Print for a person what would become of a file."""
    _say(out, f"{in_print(str(judged.file))} for board {judged.contract.name}, folder {judged.folder}")
    for verdict in judged.verdicts:
        print_verdict(out, verdict)
    if judged.late is not None:
        _say(out, _late_in_words(judged, cast("Contract", judged.contract), judged.late))
    if judged.unread:
        columns = ", ".join(
            in_print(one.column) + (f" (meant {one.meant}?)" if one.meant else "") for one in judged.unread
        )
        _say(out, f"Columns left unread: {columns}")
    for note in judged.notes:
        _say(out, note)


def print_verdict(out: Console, verdict: "Verdict") -> None:
    """Print for a person what is taken of a file, and why the rest is not."""
    if verdict.unreadable is not None:
        _say(out, f"{verdict.kind}: cannot be read: {in_print(verdict.unreadable)}")
        return
    if not verdict.n_rows:
        _say(out, f"{verdict.kind}: the file has no rows")
        return
    counts = [f"{verdict.n_accepted:,} accepted", f"{verdict.n_rejected:,} rejected"]
    counts += [f"{verdict.n_late:,} late"] if verdict.n_late else []
    _say(out, f"{verdict.kind}: {counted(verdict.n_rows, 'row')}: {', '.join(counts)}")
    if not verdict.n_rejected:
        return
    _print_table(out, ("rows", "why, such as"), [(f"{rows:,}", example) for example, rows in verdict.reasons])
    first = [(f"{row:,}", reason, _in_short(original)) for row, reason, original in verdict.examples[:_SHOWN]]
    _print_table(out, ("row", "why", "what it says"), first)
    if verdict.n_rejected > len(first):
        _say(out, f"These are the first {len(first)} of {verdict.n_rejected:,} refused rows; --json has more.")


def _print_table(out: Console, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table()
    for number, header in enumerate(headers):
        table.add_column(header, justify="left" if number else "right", overflow="fold", no_wrap=not number)
    for row in rows:
        table.add_row(*(Text(in_print(text)) for text in row))
    out.print(table)


def _late_in_words(judged: "Judgement", contract: "Contract", late: "Late") -> str:
    rows = f"{counted(late.n_rows, 'row')} {'is' if late.n_rows == 1 else 'are'}"
    trusted = contract.predictions.trusted
    received = "received_at in the file" if trusted else f"received {_moment(judged.received_at)}"
    if late.first_deadline == late.last_deadline:
        deadline = f"the deadline was {_moment(late.first_deadline)}"
    else:
        deadline = f"deadlines were {_moment(late.first_deadline)} to {_moment(late.last_deadline)}"
    advice = "" if trusted else "; imports of old predictions declare `trusted: true`"
    return f"{rows} late and would not be scored: {received}, {deadline} ({_rule(contract)}){advice}."


def _rule(contract: "Contract") -> str:
    from pipeline.competition.durations import format_duration

    deadline = contract.predictions.deadline
    if not deadline:
        return "the cycle's time"
    return f"the cycle's time {'+' if deadline.total_seconds() > 0 else '-'} {format_duration(abs(deadline))}"


def _moment(value: datetime) -> str:
    return day(value.replace(second=0, microsecond=0))


def _in_short(original: str) -> str:
    """The values of a row, without what landing itself added to them; a text that is no row as it is."""
    try:
        said = json.loads(original)
    except ValueError:
        said = None
    if isinstance(said, dict):
        values = [value for name, value in said.items() if name not in _ADDED]
        original = ", ".join("" if value is None else str(value) for value in values)
    return shortened(original, _LONGEST)


def _say(out: Console, text: str) -> None:
    out.print(Text(text))
