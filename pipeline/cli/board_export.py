"""``podium leaderboard --format board``: a competition, or a judged track, as a file of runs, topics and measures."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.board_files import Written, board_record, left_out, left_unsaid, say, say_written, wrong_input
from pipeline.cli.errors import InputError
from pipeline.cli.output import day, print_json
from pipeline.cli.published import published, published_contract
from pipeline.tables import OFFICIAL, OVERALL

if TYPE_CHECKING:
    from pipeline.reports.queries import Exported

BOARD = "board"
CYCLE = "cycle"
"""What topics are unless something else is asked for."""
_ENDINGS = {".csv": "csv", ".parquet": "parquet", ".tot": "tot"}


@dataclass(frozen=True)
class Export:
    """Which part of a competition is written, as it was known when; of a judged track, whose board."""

    as_of: datetime | None
    category: str
    include_ensembles: bool
    topics: str
    window: str | None
    judge: str | None


def export_board(name: str, format: str, asked: Export, output: Path | None, to: str | None, as_json: bool) -> None:
    """Write a competition or a judged track as a board, to a file or to standard output.

    Raises
    ------
    InputError
        If it cannot be written that way, or there is nothing to write.
    """
    if format != BOARD:
        raise InputError(f"--format {format!r} is unknown; known: {BOARD}")
    if as_json and output is None:
        raise InputError("--json tells what was written; name the file with --output")
    name_of_format = to or ("jsonl" if output is None else _ENDINGS.get(output.suffix.lower(), "jsonl"))
    found = _exported(name, asked)
    if output is None:
        _print(found, name_of_format)
        return
    written = _write(found, output, name_of_format)
    if as_json:
        about = {"written": written.paths, "left_unsaid": written.notes, "as_of": found.as_of, "notes": found.notes}
        print_json(about | board_record(found.board))
        return
    say_written(found.board, written)
    moment = [] if found.as_of is None else [f"As of {day(found.as_of)}"]
    for line in (*moment, *found.notes, *left_out(found.board)):
        say(line)


def refuse_options(given: Mapping[str, object], board: str) -> None:
    """Refuse options that mean nothing for a board of its kind.

    Raises
    ------
    InputError
        If one is given.
    """
    for option, value in given.items():
        if value:
            raise InputError(f"{board}, which has no {option}; leave it out")


def _exported(name: str, asked: Export) -> "Exported":
    from pipeline.reports.queries import exported, exported_track, is_experiment, is_ranking, is_track

    with published() as connection:
        if is_ranking(connection, name):
            raise InputError(
                f"{name!r} is a ranking of language models: it has no runs and topics to write; its figures are in "
                f"{name}.results: ask podium sql"
            )
        if is_experiment(connection, name):
            raise InputError(
                f"{name!r} is an experiment: write what you need of {name}.runs and {name}.scores with podium sql"
            )
        if is_track(connection, name):
            of_competitions = {
                "--as-of": asked.as_of,
                "--category": asked.category != OVERALL,
                "--include-ensembles": asked.include_ensembles,
                "--topics": asked.topics != CYCLE,
                "--window": asked.window,
            }
            refuse_options(of_competitions, f"{name!r} is a judged track")
            return exported_track(connection, name, asked.judge or OFFICIAL)
        refuse_options({"--judge": asked.judge}, f"{name!r} is a competition")
        contract = published_contract(connection, name)
        with wrong_input():
            return exported(
                connection,
                contract,
                asked.as_of,
                category=asked.category,
                topics=asked.topics,
                window=asked.window,
                include_ensembles=asked.include_ensembles,
            )


def _write(found: "Exported", output: Path, to: str) -> Written:
    from pipeline.leaderboard import write

    with wrong_input():
        paths = write(found.board, output, to, meanings=found.board.measures)
    return Written(paths, left_unsaid(found.board, found.board.measures, to))


def _print(found: "Exported", to: str) -> None:
    """Write a board of one file to standard output, and what a person should know to standard error."""
    with tempfile.TemporaryDirectory() as folder:
        written = _write(found, Path(folder) / "board", to)
        if written.paths[0].parent != Path(folder) or to.startswith("parquet"):
            raise InputError(f"a board in {to} cannot be printed; name the file, or the folder, with --output")
        sys.stdout.write(written.paths[0].read_text(encoding="utf-8"))
    for line in (*written.notes, *found.notes, *left_out(found.board)):
        sys.stderr.write(f"{line}\n")
