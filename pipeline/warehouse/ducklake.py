"""DuckLake as what keeps the tables: rows in Parquet files on a shared path, the catalog in PostgreSQL.

Several machines write at once, different parts each; transactions take turns. DuckDB's extensions come as Python
packages and are loaded from there: nothing is downloaded.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from pipeline.warehouse.advisory import AdvisoryLock
from pipeline.warehouse.connection import connect_in_memory
from pipeline.warehouse.identifiers import compose, literal

_EXTENSIONS = ("postgres_scanner", "ducklake")
_KEPT = {"expire_older_than": "1 day", "delete_older_than": "2 days"}
_PASSWORD = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)|(://[^:/@]+:)[^@]+@", re.IGNORECASE)
_ABSENT = "creating a new DuckLake is explicitly disabled"


class DuckLake:
    """A warehouse in DuckLake.

    Parameters
    ----------
    catalog : str
        The libpq string of the database that has its catalog.
    files : str
        Where its Parquet files are: a folder, or the address of an object store.
    name : str
        The database's name on a connection, the same as that of an embedded file.
    timeout : float
        Seconds to wait for others.
    config : mapping
        DuckDB settings for every connection.
    """

    has_one_writer = False

    def __init__(self, catalog: str, files: str, name: str, timeout: float, config: Mapping[str, Any]) -> None:
        self.files, self.name, self.config = files, name, config
        self._catalog = catalog
        self.lock: AdvisoryLock = AdvisoryLock(catalog, self.shown, timeout)

    @property
    def shown(self) -> str:
        """The warehouse in messages: no password is in them."""
        return f"DuckLake at {_PASSWORD.sub(_masked, self._catalog)}"

    @property
    def exists(self) -> bool:
        """Whether the database has a catalog of DuckLake."""
        try:
            with self.open(read_only=True):
                return True
        except FileNotFoundError:
            return False

    @property
    def identity(self) -> str:
        """The database of the catalog."""
        return self.shown

    @contextmanager
    def open(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the lake attached; a reader sees one snapshot of it from first to last.

        Raises
        ------
        FileNotFoundError
            If ``read_only`` and there is no lake yet.
        duckdb.Error
            If the catalog cannot be reached, or keeps its files elsewhere than settings say.
        """
        with connect_in_memory(self.config) as connection:
            self.attach(connection, read_only=read_only)
            if read_only:
                connection.begin()
            yield connection

    def attach(self, connection: duckdb.DuckDBPyConnection, *, read_only: bool) -> None:
        """Attach the lake to a connection and make it the current database."""
        load_extensions(connection)
        # Tried again, a transaction would see what another one changed meanwhile only where both changed the same rows:
        # two that read a counter could give the same number. Not tried again, it fails whenever another came before it.
        connection.execute("SET ducklake_max_retry_count = 0")
        if not read_only and "://" not in self.files:
            Path(self.files).mkdir(parents=True, exist_ok=True)
        statement = compose(
            "ATTACH {address} AS {name} (DATA_PATH {files}, READ_ONLY {read_only})",
            address=literal(f"ducklake:postgres:{self._catalog}"),
            name=self.name,
            files=literal(self.files),
            read_only=literal(str(read_only).lower()),
        )
        try:
            connection.execute(statement)
        except duckdb.InvalidInputException as error:
            if _ABSENT not in str(error):
                raise
            raise FileNotFoundError(f"there are no tables in {self.shown} yet; run `podium run` first") from None
        connection.execute(compose("USE {name}", name=self.name))

    def damage_named(self) -> AbstractContextManager[None]:
        """Nothing here is one file that could be removed and computed anew: DuckDB's own words stay."""
        return nullcontext()

    @contextmanager
    def writing(self, purpose: str, part: str | None) -> Iterator[None]:
        """The right to write one part, beside others who write other parts; without one, everything."""
        with self.lock.hold(purpose, part):
            yield

    def turn(self) -> AbstractContextManager[None]:
        """The turn of one transaction, after which the next one sees what it changed."""
        return self.lock.turn()

    def tidy(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Merge small files, and remove those that no snapshot of the last day needs and no reader can still read."""
        for option, kept in _KEPT.items():
            statement = "CALL {name}.set_option({option}, {kept})"
            connection.execute(compose(statement, name=self.name, option=literal(option), kept=literal(kept)))
        connection.execute("CHECKPOINT")

    def copy(self, target: Path) -> None:
        """Copy all tables and views, with their comments, into a new DuckDB file."""
        with self.open(read_only=True) as connection:
            connection.execute(compose("ATTACH {path} AS copied", path=literal(str(target))))
            connection.execute(compose("COPY FROM DATABASE {name} TO copied", name=self.name))
            connection.commit()
            connection.execute("DETACH copied")


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Load what DuckLake needs of DuckDB's extensions, out of their Python packages.

    Raises
    ------
    RuntimeError
        If a package is not installed, or is for another version of DuckDB.
    """
    for name in _EXTENSIONS:
        connection.execute(compose("LOAD {path}", path=literal(str(extension_file(name)))))


def extension_file(name: str) -> Path:
    """The file of a DuckDB extension in its Python package.

    Raises
    ------
    RuntimeError
        If the package is not installed, or is for another version of DuckDB.
    """
    package = f"duckdb_extension_{name}"
    try:
        folder = Path(str(resources.files(importlib.import_module(package))))
    except ImportError as error:
        raise RuntimeError(
            f"PODIUM_WAREHOUSE names DuckLake, which needs the package {package.replace('_', '-')}: "
            f"pip install 'podium[scale]'"
        ) from error
    path = folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise RuntimeError(
            f"{package.replace('_', '-')} has no extension for DuckDB {duckdb.__version__}: install the same version"
        )
    return path


def _masked(found: re.Match[str]) -> str:
    return f"{found[1] or ''}***" if found[1] else f"{found[3]}***@"
