"""Exit codes, and which errors have one. What is not listed here is a bug and shows its traceback."""

from enum import IntEnum

from pydantic import ValidationError
from pydantic_settings import SettingsError
from typer.exceptions import TyperException

from pipeline.settings import Settings

_BY_NAME = ("secrets", "providers")
"""Settings that have a variable for each name."""
_SECRET = (*_BY_NAME, "alert")
"""Settings whose values are not printed."""


class Exit(IntEnum):
    """What a script can tell from the exit code."""

    DONE = 0
    RUN_FAILED = 1
    WRONG_INPUT = 2
    BUSY = 3
    NOT_PUBLISHED = 4
    DIFFERENT = 5
    STOPPED = 130


class InputError(ValueError):
    """Something the user gave that cannot be used; the message says what would be."""


class RunFailedError(RuntimeError):
    """A run that did not succeed; the message names the step and the cause."""


class DifferentError(RuntimeError):
    """A rebuilt warehouse that is not the present one; the message names the tables."""


class StoppedError(RuntimeError):
    """A run that Ctrl-C ended."""


def exit_code(error: Exception) -> Exit | None:
    """The exit code of a known error; None when it is a bug."""
    from pipeline.experiments import InputsError, PlanError
    from pipeline.experiments.running import QueueBusyError, QueueError
    from pipeline.reports.access.keys import KeysError
    from pipeline.reports.queries import UnknownBoardError
    from pipeline.warehouse import (
        NotAFileError,
        NotPublishedError,
        WarehouseBusyError,
        WarehouseDamagedError,
        WarehouseVersionError,
    )

    codes: tuple[tuple[type[Exception], Exit], ...] = (
        (RunFailedError, Exit.RUN_FAILED),
        (StoppedError, Exit.STOPPED),
        (DifferentError, Exit.DIFFERENT),
        (WarehouseBusyError, Exit.BUSY),
        (NotPublishedError, Exit.NOT_PUBLISHED),
        (WarehouseVersionError, Exit.WRONG_INPUT),
        (WarehouseDamagedError, Exit.WRONG_INPUT),
        (NotAFileError, Exit.WRONG_INPUT),
        (InputError, Exit.WRONG_INPUT),
        (QueueBusyError, Exit.BUSY),
        (QueueError, Exit.WRONG_INPUT),
        (InputsError, Exit.WRONG_INPUT),
        (PlanError, Exit.WRONG_INPUT),
        (KeysError, Exit.WRONG_INPUT),
        (UnknownBoardError, Exit.WRONG_INPUT),
        (SettingsError, Exit.WRONG_INPUT),
        (TyperException, Exit.WRONG_INPUT),
    )
    if _is_wrong_setting(error):
        return Exit.WRONG_INPUT
    return next((code for kind, code in codes if isinstance(error, kind)), None)


def one_line(error: Exception) -> str:
    """The message of a known error, on one line; a wrong setting is named by its environment variable."""
    if isinstance(error, ValidationError) and _is_wrong_setting(error):
        return "; ".join(
            f"PODIUM_{name.upper()}{_shown(name, wrong['input'])} cannot be used: "
            f"{wrong['msg'].removeprefix('Value error, ')} ({_meaning(name)})"
            for wrong in error.errors()
            if (name := str(wrong["loc"][0]))
        )
    if isinstance(error, TyperException):
        return _usage(error)
    text = " ".join(str(error).split())
    by_name = next((one for one in _BY_NAME if f'"{one}"' in text), None)
    if isinstance(error, SettingsError) and by_name is not None:
        return f"PODIUM_{by_name.upper()} cannot be used: {_meaning(by_name)}"
    if isinstance(error, SettingsError):
        return f"{text}; a setting of several values is a JSON list: PODIUM_DOTTED_PATH_PACKAGES='[\"pipeline\"]'"
    return text


def _usage(error: TyperException) -> str:
    """What is wrong with the command line, and which help says how it is right."""
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)  # an error of one command knows which
    return f"{text[:1].lower()}{text[1:]}; see {context.command_path if context else 'podium'} --help"


def _shown(name: str, value: object) -> str:
    """The value that is wrong; nothing of a secret, nor of an address that may hold one."""
    return "" if name in _SECRET else f"={value!r}"


def _meaning(name: str) -> str:
    field = Settings.model_fields[name]
    default = field.get_default(call_default_factory=True)
    return f"{(field.description or '').removesuffix('.')}; {default} by default"


def _is_wrong_setting(error: Exception) -> bool:
    return isinstance(error, ValidationError) and error.title == Settings.__name__
