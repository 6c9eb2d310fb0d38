"""``podium submit``: a file, checked, into a board's inbox."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline.cli.check import print_judgement
from pipeline.cli.errors import Exit, InputError
from pipeline.cli.judging import judge_file
from pipeline.cli.output import console, in_print, print_json
from pipeline.clock import utc_now
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.intake import Judgement


def submit(
    board: Annotated[str, typer.Argument(help="Name of the board.")],
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSON lines.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Folder of the inbox; that of predictions or runs without it.")
    ] = None,
    name: Annotated[str | None, typer.Option("--as", help="Name in the inbox; the file's own without it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Land the good rows, quarantine the others.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a file and deliver it to a board's inbox. Exit code 2 if anything would be refused."""
    called = _name_in_inbox(file, name)
    judged = judge_file(file, board, kind, utc_now())
    refusal = _refusal(judged, force)
    path = None if refusal else _deliver(judged, called)
    if as_json:
        from pipeline.intake import as_record

        delivered = None if path is None else in_print(str(path))
        print_json({**as_record(judged), "submitted": path is not None, "path": delivered, "refusal": refusal})
    else:
        out = console()
        print_judgement(out, judged)
        if path is None:
            out.print(Text(f"Not submitted: {refusal}"))
        else:
            out.print(Text(f"Delivered: {in_print(str(path))}"), soft_wrap=True)
            out.print(f"It lands by itself while `podium up` or `podium dev` runs; or now: podium run {board}")
    if path is None:
        raise typer.Exit(Exit.WRONG_INPUT)


def _name_in_inbox(file: Path, name: str | None) -> str:
    """The name that the file gets.

    Raises
    ------
    InputError
        If a file of that name would not be landed, or not as what it is.
    """
    called = file.name if name is None else name
    if name is not None and Path(name).suffix.lower() != file.suffix.lower():
        raise InputError(f"--as {name!r} must end in {file.suffix!r} as the file does: the ending tells its format")
    if "/" in called:
        raise InputError(f"--as {called!r} is a path; give a name alone")
    if called.startswith("."):
        raise InputError(
            f"{called!r} begins with a dot, and the inbox leaves such files alone; give another name: --as"
        )
    return called


def _refusal(judged: "Judgement", force: bool) -> str | None:
    """Why a file is not delivered; None when it is."""
    if judged.is_refused:
        return "nothing of it would be taken."
    if not judged.is_accepted and not force:
        return "part of it would be refused. Correct it, or land what is good and quarantine the rest: --force"
    return None


def _deliver(judged: "Judgement", name: str) -> Path:
    """Put a copy into the inbox.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    from pipeline.landing import deliver

    try:
        return deliver(judged.file, settings().inbox_dir, judged.contract.name, judged.folder, name)
    except (OSError, ValueError) as error:
        raise InputError(f"{in_print(name)!r} cannot be delivered to {settings().inbox_dir}: {error}") from error
