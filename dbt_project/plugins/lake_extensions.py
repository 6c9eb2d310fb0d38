"""A dbt-duckdb plugin: the extensions of DuckDB that DuckLake needs, out of their Python packages."""

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from pipeline.warehouse.ducklake import load_extensions


class Plugin(BasePlugin):
    """Loads them before dbt attaches the lake; changes nothing else."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Load the extensions.

        Raises
        ------
        RuntimeError
            If a package is not installed; dbt shows its message as one line.
        """
        load_extensions(conn)
