"""Exit codes, and which errors have one. What is not listed here is a bug and shows its traceback."""

from enum import IntEnum


class Exit(IntEnum):
    """What a script can tell from the exit code."""

    DONE = 0
    RUN_FAILED = 1
    WRONG_INPUT = 2
    BUSY = 3
    NOT_PUBLISHED = 4


class InputError(ValueError):
    """Something the user gave that cannot be used; the message says what would be."""


class RunFailedError(RuntimeError):
    """A run that did not succeed; the message names the step."""


def exit_code(error: BaseException) -> Exit | None:
    """The exit code of a known error; None when it is a bug."""
    import duckdb

    from pipeline.reports.queries import UnknownBoardError
    from pipeline.warehouse import WarehouseBusyError, WarehouseVersionError

    codes: tuple[tuple[type[BaseException], Exit], ...] = (
        (RunFailedError, Exit.RUN_FAILED),
        (WarehouseBusyError, Exit.BUSY),
        (FileNotFoundError, Exit.NOT_PUBLISHED),
        (WarehouseVersionError, Exit.WRONG_INPUT),
        (InputError, Exit.WRONG_INPUT),
        (UnknownBoardError, Exit.WRONG_INPUT),
        (duckdb.Error, Exit.WRONG_INPUT),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), None)
