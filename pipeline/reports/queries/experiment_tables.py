"""Where tables of experiments are read from: what is published, or that with what waits laid over it.

Every query on experiments names its tables by ``{runs}``, ``{scores}`` and so on, so that it need not know which.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

import duckdb
from pydantic import ValidationError

from pipeline.experiments import Experiment
from pipeline.reports.queries.catalog import UnknownBoardError
from pipeline.tables import EXPERIMENT_TABLES, TableSpec
from pipeline.warehouse import Memory, Part, Sql, compose, join, quote

KIND = Experiment.kind
_THERE = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'experiments'"
_DECLARED = "SELECT board, title, contract FROM catalog.boards WHERE kind = ? ORDER BY board"


class UnreadableExperimentError(RuntimeError):
    """A published declaration that this server cannot read; the message says why."""


@dataclass(frozen=True)
class DeclaredExperiment:
    """An experiment as it is declared.

    Parameters
    ----------
    name, title : str
    declaration : str
        The JSON that it was made by.
    is_published : bool
        False for one that was posted and that no run has brought up to date yet.
    """

    name: str
    title: str
    declaration: str
    is_published: bool = True

    @property
    def experiment(self) -> Experiment:
        """The declaration, read.

        Raises
        ------
        UnreadableExperimentError
            If it names what this server does not have, such as a scorer of one's own.
        """
        return _read(self.name, self.declaration)


@dataclass(frozen=True)
class ExperimentTables:
    """The tables of experiments, for one request.

    Parameters
    ----------
    connection : DuckDB connection
        Of a published file.
    memory : Memory
        Of that publication.
    relations : mapping of str to Sql
        What each table is read from, by its name.
    declared : mapping of str to DeclaredExperiment
        Every experiment by name.
    n_waiting : mapping of str to int
        By experiment the runs and scores that the publication lacks.
    n_behind : mapping of str to int
        By experiment the same, where its boards of configurations, models and prompts lack them too.
    unreadable : mapping of str to Exception
        By experiment why it cannot be told what waits of it; others are not touched by that.
    """

    connection: duckdb.DuckDBPyConnection
    memory: Memory
    relations: Mapping[str, Sql]
    declared: Mapping[str, DeclaredExperiment]
    n_waiting: Mapping[str, int] = field(default_factory=dict)
    n_behind: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, Exception] = field(default_factory=dict)

    def sql(self, template: str, **parts: Part) -> Sql:
        """A statement whose ``{runs}`` and other names of tables are filled in."""
        named = {field for _, field, _, _ in Formatter().parse(template) if field} - set(parts)
        return compose(template, **{name: self.relations[name] for name in named}, **parts)

    def rows(self, template: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement whose names of tables are filled in, and whose ``$name`` placeholders have values."""
        return self.connection.execute(self.sql(template), values).fetchall()

    def of(self, name: str) -> DeclaredExperiment:
        """The experiment of a name.

        Raises
        ------
        UnknownBoardError
            If there is none.
        Exception
            That of ``unreadable``, if it is there.
        """
        if name in self.unreadable:
            raise self.unreadable[name]
        found = self.declared.get(name)
        if found is None:
            known = ", ".join(self.declared) or "none"
            raise UnknownBoardError(f"no experiment {name!r} is known; known: {known}")
        return found

    def require_all(self) -> None:
        """Raise the first of ``unreadable``, if there is any: for what is asked of all experiments."""
        for error in self.unreadable.values():
            raise error


def published_tables(connection: duckdb.DuckDBPyConnection, memory: Memory) -> ExperimentTables:
    """The tables as they are published; those that an older Podium did not publish are empty."""
    relations = memory.of("tables of experiments", lambda: _relations(connection))
    declared = memory.of("experiments", lambda: _declared(connection))
    return ExperimentTables(connection, memory, relations, declared)


def with_json(row: Sequence[Any], *places: int) -> list[Any]:
    """A row whose JSON at some places is read; NULL stays None."""
    return [json.loads(value) if at in places and value is not None else value for at, value in enumerate(row)]


def _relations(connection: duckdb.DuckDBPyConnection) -> dict[str, Sql]:
    there = {name for (name,) in connection.execute(_THERE).fetchall()}
    return {
        spec.name: compose("{table}", table=spec) if spec.name in there else _empty(spec) for spec in EXPERIMENT_TABLES
    }


def _empty(spec: TableSpec) -> Sql:
    columns = join([Sql(f"NULL::{one.type} AS {quote(one.name)}") for one in spec.columns])
    return compose("(SELECT {columns} WHERE false)", columns=columns)


def _declared(connection: duckdb.DuckDBPyConnection) -> dict[str, DeclaredExperiment]:
    return {row[0]: DeclaredExperiment(*row) for row in connection.execute(_DECLARED, [KIND]).fetchall()}


@functools.lru_cache(maxsize=64)
def _read(name: str, text: str) -> Experiment:
    try:
        return Experiment.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableExperimentError(
            f"the declaration of {name!r} cannot be read by this server: {error.errors()[0]['msg']}; start podium "
            f"serve where `podium run {name}` works, with the same PODIUM_DOTTED_PATH_PACKAGES"
        ) from None
