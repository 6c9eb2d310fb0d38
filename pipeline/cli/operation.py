"""What commands that operate a Podium have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.cli.errors import InputError


@contextmanager
def mistakes_named() -> Iterator[None]:
    """Work whose known errors are one line for whoever gave the command.

    Raises
    ------
    InputError
        If it cannot be done as things are.
    """
    from pipeline.operation import OperationError

    try:
        yield
    except OperationError as error:
        raise InputError(str(error)) from error
