"""Exit codes, and which errors have one. What is not listed here is a bug and shows its traceback."""

from enum import IntEnum

from pydantic import ValidationError
from pydantic_settings import SettingsError

from pipeline.settings import Settings


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
    """A run that did not succeed; the message names the step and the cause."""


def exit_code(error: Exception) -> Exit | None:
    """The exit code of a known error; None when it is a bug."""
    from pipeline.reports.queries import UnknownBoardError
    from pipeline.warehouse import NotPublishedError, WarehouseBusyError, WarehouseVersionError

    codes: tuple[tuple[type[Exception], Exit], ...] = (
        (RunFailedError, Exit.RUN_FAILED),
        (WarehouseBusyError, Exit.BUSY),
        (NotPublishedError, Exit.NOT_PUBLISHED),
        (WarehouseVersionError, Exit.WRONG_INPUT),
        (InputError, Exit.WRONG_INPUT),
        (UnknownBoardError, Exit.WRONG_INPUT),
        (SettingsError, Exit.WRONG_INPUT),
    )
    if _is_wrong_setting(error):
        return Exit.WRONG_INPUT
    return next((code for kind, code in codes if isinstance(error, kind)), None)


def one_line(error: Exception) -> str:
    """The message of a known error, on one line; a wrong setting is named by its environment variable."""
    if isinstance(error, ValidationError) and _is_wrong_setting(error):
        return "; ".join(
            f"PODIUM_{str(wrong['loc'][0]).upper()}={wrong['input']!r} cannot be used: {wrong['msg']}"
            for wrong in error.errors()
        )
    text = " ".join(str(error).split())
    if isinstance(error, SettingsError):
        return f"{text}; a setting of several values is a JSON list: PODIUM_DOTTED_PATH_PACKAGES='[\"pipeline\"]'"
    return text


def _is_wrong_setting(error: Exception) -> bool:
    return isinstance(error, ValidationError) and error.title == Settings.__name__
