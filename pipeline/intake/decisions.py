"""The file of people's decisions on names of models: where it is, what it says, and how one is added to it."""

import io
from pathlib import Path

import filelock

from pipeline.landing.archive import write_whole
from pipeline.rankings.decisions import COLUMNS, DecisionsError, decision_line, read_decisions
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.identity import Decision
from pipeline.settings import settings

_LOCK_SECONDS = 10.0


def decisions_file(rankings: Rankings) -> Path:
    """Where the decisions of a ranking are, or will be."""
    named = rankings.aliases or f"rankings/{rankings.name}/aliases.csv"
    return settings().data_dir.resolve() / Path(named).expanduser()


def decisions_of(rankings: Rankings) -> list[Decision]:
    """What people decided; nothing where there is no file.

    Raises
    ------
    DecisionsError
        If the file cannot be read; the message says why.
    """
    path = decisions_file(rankings)
    try:
        return read_decisions(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise DecisionsError(f"{path}: byte {error.start:,} is no UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise DecisionsError(f"{path} cannot be read: {error.strerror or error}") from error


def add_decision(rankings: Rankings, decision: Decision) -> Path:
    """Add a decision to the file, whole or not at all; it is made where there is none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DecisionsError
        If what is there cannot be read, or another process writes it for long.
    OSError
        If it cannot be written.
    """
    path = decisions_file(rankings)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS):
            decisions_of(rankings)  # what cannot be read is not added to
            before = path.read_text(encoding="utf-8") if path.exists() else f"{','.join(COLUMNS)}\n"
            between = "" if before.endswith("\n") else "\n"
            write_whole(path, io.BytesIO(f"{before}{between}{decision_line(decision)}".encode()))
    except filelock.Timeout as error:
        raise DecisionsError(f"{path} is being written by another process; wait until it ends") from error
    return path
