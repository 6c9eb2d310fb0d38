"""When Python looks for cycles among its objects."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_looked_for() -> Iterator[None]:
    """Make objects that stay, without Python looking again and again which of them nobody needs.

    While a million are made, that takes as long as a third of the rest.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
