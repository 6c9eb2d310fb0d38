"""Published rows of one experiment's tables, read before anything is laid over them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.tables import TableSpec
from pipeline.warehouse import Sql, compose, relation, to_pandas


def published_rows(
    tables: ExperimentTables, spec: TableSpec, name: str, column: str = "", ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Rows of an experiment without its name, in the order of the key.

    Parameters
    ----------
    tables : ExperimentTables
    spec : TableSpec
    name : str
        Of the experiment.
    column : str
        The column of ``ids``.
    ids : sequence of str, optional
        Only these.
    """
    parts = {
        "columns": [one for one in spec.column_names if one != spec.board],
        "of": tables.relations[spec.name],
        "key": spec.key,
    }
    template = "SELECT {columns} FROM {of} {only} WHERE experiment = $name ORDER BY {key}"
    with ExitStack() as stack:
        only = Sql("")
        if ids is not None:
            wanted = stack.enter_context(_relation_of(tables, ids))
            only = compose("SEMI JOIN {wanted} ON id = {column}", wanted=wanted, column=column)
        statement = compose(template, only=only, **parts)
        return to_pandas(spec, tables.connection.execute(statement, {"name": name}).df())


def rows_among(tables: ExperimentTables, template: str, name: str, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows of a statement that asks for some ids only: those of the column ``id`` of ``{wanted}``."""
    with _relation_of(tables, ids) as wanted:
        return tables.connection.execute(tables.sql(template, wanted=wanted), {"name": name}).fetchall()


def _relation_of(tables: ExperimentTables, ids: Sequence[str]) -> AbstractContextManager[Sql]:
    return relation(tables.connection, pa.table({"id": pa.array(list(ids), pa.string())}))
