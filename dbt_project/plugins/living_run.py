"""A dbt-duckdb plugin: dbt that a run of Podium started ends when the run does, which held the lock for it."""

import os
import threading
import time
from typing import Any, NoReturn

from dbt.adapters.duckdb.plugins import BasePlugin

from pipeline.processes import STARTED_BY, Process

_EVERY_SECONDS = 0.1


class Plugin(BasePlugin):
    """Looks for the run before dbt opens the warehouse, and as long as it works; plain dbt is started by none."""

    def initialize(self, config: dict[str, Any]) -> None:  # noqa: ARG002  (dbt-duckdb's signature)
        """Refuse to go on without the run that started this.

        Raises
        ------
        RuntimeError
            If it has ended, killed perhaps; dbt shows its message as one line.
        """
        run = Process.told(os.environ.get(STARTED_BY, ""))
        if run is None:
            return
        if run.is_gone:
            raise RuntimeError(f"the run that started dbt (process {run.pid}) is gone; the next one builds")
        threading.Thread(target=_end_with, args=(run,), daemon=True).start()


def _end_with(run: Process) -> NoReturn:
    """End at once, as if killed, when the run has; what was written is in transactions."""
    while not run.is_gone:
        time.sleep(_EVERY_SECONDS)
    os._exit(1)
