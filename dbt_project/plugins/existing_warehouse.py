"""A dbt-duckdb plugin: without a warehouse dbt says what to do, instead of a traceback or an empty file."""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Looks for the file before dbt opens it; reads and changes nothing."""

    def initialize(self, config: dict[str, Any]) -> None:  # noqa: ARG002  (dbt-duckdb's signature)
        """Refuse to go on without a file.

        Raises
        ------
        RuntimeError
            If there is none; dbt shows its message as one line.
        """
        path = Path(self.creds.path).resolve() if self.creds else None
        if path is not None and not path.exists():
            raise RuntimeError(f"there is no warehouse {path} yet; run `podium run` first, or set PODIUM_DATA_DIR")
