"""Files that commands are given, judged for a declared board: what ``podium check`` and ``podium submit`` ask for."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.errors import InputError

if TYPE_CHECKING:
    from pipeline.intake import Judgement


def judge_file(file: Path, board: str | None, kind: str | None, received_at: datetime) -> "Judgement":
    """Judge a file for a declared board, by the names that a command was given; a terminal shows that it goes on.

    Raises
    ------
    InputError
        If a name is not known, or there is no such file.
    """
    with Console(stderr=True).status("checking"):
        from pipeline.cli.contracts import board_with_inbox, folder_of
        from pipeline.cli.declarations import load_contracts
        from pipeline.experiments import Experiment
        from pipeline.intake import judge, reading_by_files
        from pipeline.intake.experiments import experiment_reading

        # Without a name, a board that cannot be loaded could be the one that is meant.
        contract = board_with_inbox(load_contracts(board, all_must_load=board is None), board)
        folder = folder_of(contract, kind)
        require_file(file)
        if isinstance(contract, Experiment):
            reading = experiment_reading(contract, folder)
        else:
            reading = reading_by_files(contract, folder)
        return judge(file, contract, folder, received_at, reading)


def require_file(path: Path) -> None:
    """Refuse what is no file that can be opened.

    Raises
    ------
    InputError
        Saying what it is instead.
    """
    if not path.exists():
        what = "is a symbolic link to nothing" if path.is_symlink() else "does not exist"
        raise InputError(f"{str(path)!r} {what}; give the path of a file")
    if not path.is_file():
        what = "folder" if path.is_dir() else "device or pipe"
        raise InputError(f"{str(path)!r} is a {what}; give the path of a file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be opened: {error.strerror}") from error
