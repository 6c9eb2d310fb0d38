"""Metadata that every asset shows: row count, columns, what was recomputed and why, and how long that took."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from pipeline.components.recompute import Outcome
from pipeline.landing import Landed
from pipeline.tables import TableSpec
from pipeline.warehouse import Store, compose

SECONDS = "podium/seconds"
"""How long an asset took, without waiting for the warehouse."""


class Stopwatch:
    """Measures how long an asset takes, from when it is made."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()

    def result(
        self, metadata: Mapping[str, Any], check_results: Sequence[dg.AssetCheckResult] = ()
    ) -> dg.MaterializeResult[Any]:
        """What an asset gives when it is done: its metadata with :data:`SECONDS`, and what its checks said."""
        seconds = dg.MetadataValue.float(round(time.perf_counter() - self._begun, 3))
        return dg.MaterializeResult(metadata={**metadata, SECONDS: seconds}, check_results=list(check_results))


def table_schema(spec: TableSpec) -> dg.TableSchema:
    """The columns with their comments, as the Dagster UI shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in spec.columns
        ]
    )


def definition_metadata(spec: TableSpec) -> dict[str, object]:
    """What is known of a table before anything is computed."""
    return {"dagster/column_schema": table_schema(spec), "dagster/table_name": f"podium.{spec.qualified_name}"}


def row_count(store: Store, spec: TableSpec, board: str) -> int:
    """Rows of the board in a table."""
    counted = store.query(
        compose("SELECT count(*) AS n FROM {table} WHERE {board} = ?", table=spec, board=spec.board), [board]
    )
    return int(counted["n"].iloc[0])


def run_metadata(outcome: Outcome, spec: TableSpec, row_count: int) -> dict[str, dg.MetadataValue]:
    """What one materialization did.

    Parameters
    ----------
    outcome : Outcome
        What was written, block by block, and why.
    spec : TableSpec
        The table.
    row_count : int
        Rows of the board in it now.
    """
    changes = outcome.changes
    return {
        "dagster/row_count": dg.MetadataValue.int(row_count),
        "podium/cycles_recomputed": dg.MetadataValue.int(sum(change.cycles for change in changes)),
        "podium/cycles_changed": dg.MetadataValue.int(sum(change.changed for change in changes)),
        "podium/rows_written": dg.MetadataValue.int(sum(change.rows for change in changes)),
        "podium/has_cycles": dg.MetadataValue.bool(spec.cycle is not None),
        "podium/why": dg.MetadataValue.text(outcome.why),
        **{name: dg.MetadataValue.text(told) for name, told in outcome.told.items()},
    }


def landing_metadata(landed: Sequence[Landed], row_count: int) -> dict[str, dg.MetadataValue]:
    """What landing some files did; rows in = accepted + rejected.

    Parameters
    ----------
    landed : sequence of Landed
        One for each file that was taken out of the inbox.
    row_count : int
        Files of the board that were ever landed.
    """
    new = [one for one in landed if one.is_new]
    verdicts = [verdict for one in new for verdict in one.verdicts]
    known = f", {len(landed) - len(new)} landed before" if len(new) < len(landed) else ""
    return {
        "dagster/row_count": dg.MetadataValue.int(row_count),
        "podium/files_landed": dg.MetadataValue.int(len(new)),
        "podium/rows_in": dg.MetadataValue.int(sum(verdict.n_rows for verdict in verdicts)),
        "podium/rows_accepted": dg.MetadataValue.int(sum(verdict.n_accepted for verdict in verdicts)),
        "podium/rows_rejected": dg.MetadataValue.int(sum(verdict.n_rejected for verdict in verdicts)),
        "podium/rows_late": dg.MetadataValue.int(sum(verdict.n_late for verdict in verdicts)),
        "podium/why": dg.MetadataValue.text(f"{len(new)} files{known}" if landed else "nothing in the inbox"),
    }
