"""Which cycles must be computed again: what :class:`pipeline.tables.Via` means, in SQL over the ledger.

Every way to match cycles is one function that yields ``(cycle, seq)`` pairs: the cycle of the computed table, and a
change of the input that it depends on. A cycle is dirty when one of its pairs is newer than what it took in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from pipeline.tables import CHANGES, ENSEMBLE_PREDICTIONS, LEDGER, PREDICTIONS, WHOLE, Input, TableSpec, Via
from pipeline.warehouse.frames import relation, times
from pipeline.warehouse.identifiers import Sql, compose, join, literal
from pipeline.warehouse.ledger import Dirty, ledger_name, max_seq
from pipeline.warehouse.replacement import WHOLE_CYCLE, cycle_of


@dataclass(frozen=True)
class Selection:
    """Which of the dirty cycles are wanted.

    Parameters
    ----------
    first, last : datetime, optional
        Range of cycles, both ends included.
    force : bool
        Take every cycle in the range, changed or not.
    """

    first: datetime | None = None
    last: datetime | None = None
    force: bool = False


def dirty_cycles(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[TableSpec],
    spec: TableSpec,
    board: str,
    code: str,
    cycles: Mapping[datetime, int] | Sequence[datetime] | None,
    selection: Selection,
) -> list[Dirty]:
    """The cycles of ``spec`` to compute; see :meth:`pipeline.warehouse.store.Store.dirty`."""
    times([moment for moment in (selection.first, selection.last) if moment is not None], "limit")
    if spec.inputs:
        if cycles is not None:
            raise ValueError(f"{spec.qualified_name} is computed from other tables; its cycles are theirs, give none")
        rows = _compare(connection, spec, board, code, _needed_by_inputs(tables, spec), selection)
    else:
        with relation(connection, _needed_by_source(spec, cycles)) as name:
            rows = _compare(connection, spec, board, code, name, selection)
    gone = [cycle for cycle, seq in rows if seq is None]
    gone_with_rows = _with_rows(connection, spec, board, gone)
    newest = max_seq(connection) if gone_with_rows else 0
    return [
        Dirty(cycle, newest if seq is None else seq)
        for cycle, seq in rows
        if seq is not None or cycle in gone_with_rows
    ]


def _compare(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, board: str, code: str, needed: Sql, selection: Selection
) -> list[tuple[datetime, int | None]]:
    """Cycles to compute with the change to take in; None for cycles that no input has any more."""
    statement = compose(
        "SELECT coalesce(needed.cycle, own.cycle) AS moment, needed.seq FROM {needed} AS needed FULL JOIN"
        " (SELECT * FROM {ledger} WHERE competition = $board AND table_name = $table) AS own"
        " ON own.cycle = needed.cycle "
        "WHERE (needed.cycle IS NULL OR own.cycle IS NULL OR $force"
        " OR needed.seq > own.input_seq OR own.code <> $code)"
        " AND moment >= coalesce($first, '-infinity'::TIMESTAMP) AND moment <= coalesce($last, 'infinity'::TIMESTAMP) "
        "ORDER BY moment",
        ledger=LEDGER,
        needed=needed,
    )
    parameters = {
        "board": board,
        "table": ledger_name(spec),
        "code": code,
        "force": selection.force,
        "first": selection.first,
        "last": selection.last,
    }
    return connection.execute(statement, parameters).fetchall()


def _with_rows(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, board: str, cycles: Sequence[datetime]
) -> set[datetime]:
    """Those of ``cycles`` that have rows."""
    if not cycles:
        return set()
    with relation(connection, pa.table({"ledger_cycle": times(cycles, "cycle")})) as name:
        statement = compose(
            "SELECT DISTINCT {cycle} AS cycle FROM {table} SEMI JOIN {name} AS given ON given.ledger_cycle = {cycle} "
            "WHERE {board} = ?",
            cycle=cycle_of(spec),
            table=spec,
            name=name,
            board=spec.board,
        )
        return {row[0] for row in connection.execute(statement, [board]).fetchall()}


def _needed_by_source(spec: TableSpec, cycles: Mapping[datetime, int] | Sequence[datetime] | None) -> pa.Table:
    if spec.cycle is None and not isinstance(cycles, Mapping):
        cycles = [WHOLE]
    elif cycles is None:
        raise ValueError(f"{spec.qualified_name} is filled from a source; give `cycles`, all that the source has")
    changes = cycles if isinstance(cycles, Mapping) else dict.fromkeys(cycles, 0)
    moments = sorted(changes)
    seqs = pa.array([changes[moment] for moment in moments], pa.int64())
    return pa.table({"cycle": times(moments, "cycle"), "seq": seqs})


def _needed_by_inputs(tables: Sequence[TableSpec], spec: TableSpec) -> Sql:
    """A query of the cycles that the inputs say a table has, each with the newest change that it depends on."""
    defining: list[Sql] = []
    further: list[Sql] = []
    for source in spec.inputs:
        input_spec = _input_spec(tables, spec, source)
        if spec.cycle is None:
            defining.append(_any_cycle(input_spec))
        elif source.via in _FURTHER:
            further.append(_FURTHER[source.via](input_spec))
        elif input_spec.cycle is None:
            further.append(_whole_input(input_spec))
        else:
            defining.append(_DEFINING[source.via](input_spec))
    if not defining:
        raise ValueError(f"no input of {spec.qualified_name} says which cycles it has; declare one via same")
    return compose(
        "(WITH candidate AS (SELECT cycle, max(seq) AS seq FROM ({defining}) GROUP BY cycle) "
        "SELECT cycle, max(seq) AS seq FROM ({pairs}) GROUP BY cycle)",
        defining=_union(defining),
        pairs=_union([Sql("SELECT cycle, seq FROM candidate"), *further]),
    )


def _input_spec(tables: Sequence[TableSpec], spec: TableSpec, source: Input) -> TableSpec:
    for table in tables:
        if (table.schema, table.name) == (spec.schema, source.table):
            return table
    known = ", ".join(table.name for table in tables if table.schema == spec.schema)
    raise ValueError(f"unknown input {source.table!r} of {spec.qualified_name}; tables of {spec.schema}: {known}")


def _union(pieces: Sequence[Sql]) -> Sql:
    return join(pieces, " UNION ALL ")


def _entries(spec: TableSpec) -> Sql:
    """The ledger's entries of one table of the board."""
    return compose(
        "(SELECT cycle, seq FROM {ledger} WHERE competition = $board AND table_name = {name})",
        ledger=LEDGER,
        name=literal(ledger_name(spec)),
    )


def _same(spec: TableSpec) -> Sql:
    """Cycle by cycle."""
    return compose("SELECT cycle, seq FROM {entries}", entries=_entries(spec))


def _target_time(spec: TableSpec) -> Sql:
    """A cycle needs the outcomes of the target times that its predictions name; without outcomes yet, nothing."""
    return compose(
        "SELECT named.cycle, coalesce(entry.seq, 0) AS seq FROM"
        " (SELECT DISTINCT cycle, target_time FROM {predictions} WHERE {board} = $board) AS named"
        " LEFT JOIN {entries} AS entry ON entry.cycle = named.target_time",
        predictions=PREDICTIONS,
        board=PREDICTIONS.board,
        entries=_entries(spec),
    )


def _known_by(spec: TableSpec) -> Sql:
    """Every time at which a fact became known, with the newest change that touched what was known by then."""
    return compose(
        "SELECT moment.cycle, coalesce(newest.seq, 0) AS seq FROM"
        " (SELECT DISTINCT {known_at} AS cycle FROM {table} WHERE {board} = $board) AS moment"
        " ASOF LEFT JOIN {newest} AS newest ON moment.cycle >= newest.known_from",
        known_at=_known_at(spec),
        table=spec,
        board=spec.board,
        newest=_newest_known_by(spec),
    )


def _known_by_deadline(spec: TableSpec) -> Sql:
    """Every cycle predicted, with the newest change that touched what was known by its deadline."""
    _known_at(spec)
    return compose(
        "SELECT due.cycle, newest.seq FROM"
        " (SELECT cycle, max(deadline) AS deadline FROM {predictions} WHERE {board} = $board GROUP BY cycle) AS due"
        " ASOF JOIN {newest} AS newest ON due.deadline >= newest.known_from",
        predictions=PREDICTIONS,
        board=PREDICTIONS.board,
        newest=_newest_known_by(spec),
    )


def _known_at(spec: TableSpec) -> str:
    if spec.known_at is None:
        raise ValueError(f"{spec.qualified_name} has no known_at column, so nothing can depend on it via known_by")
    return spec.known_at


def _newest_known_by(spec: TableSpec) -> Sql:
    """For each time from which a change counts, the newest change that counts by then."""
    return compose(
        "(SELECT known_from, max(max(seq)) OVER (ORDER BY known_from) AS seq FROM ("
        "  SELECT coalesce(known_from, '-infinity'::TIMESTAMP) AS known_from, seq FROM {changes}"
        "  WHERE competition = $board AND table_name = {name})"
        " GROUP BY known_from)",
        changes=CHANGES,
        name=literal(ledger_name(spec)),
    )


def _day_before(spec: TableSpec) -> Sql:
    """The newest cycle at least 24 hours earlier that has rows, and the emptied ones after it, whose loss counts."""
    return _before(spec, counts=Sql("TRUE"), earlier=Sql("candidate.cycle - INTERVAL 24 HOUR >= before.cycle"))


def _previous(spec: TableSpec) -> Sql:
    """The newest earlier cycle with a prediction in time, and those after it that have none any more."""
    if spec not in (PREDICTIONS, ENSEMBLE_PREDICTIONS):
        raise ValueError(f"{spec.qualified_name} does not say which cycles were played; only predictions do")
    return _before(spec, counts=Sql("NOT is_late"), earlier=Sql("candidate.cycle > before.cycle"))


def _before(spec: TableSpec, counts: Sql, earlier: Sql) -> Sql:
    """The newest cycle that is ``earlier`` and has rows that ``counts``, with the changes of those after it."""
    return compose(
        "SELECT candidate.cycle, before.seq FROM candidate ASOF JOIN ("
        "  SELECT cycle, max(seq) OVER (PARTITION BY stretch ORDER BY cycle) AS seq FROM ("
        "   SELECT entry.cycle, entry.seq, count(filled.cycle) OVER (ORDER BY entry.cycle) AS stretch"
        "   FROM {entries} AS entry LEFT JOIN"
        "   (SELECT DISTINCT {cycle} AS cycle FROM {table} WHERE {board} = $board AND {counts}) AS filled"
        "   ON filled.cycle = entry.cycle)) AS before"
        " ON {earlier}",
        entries=_entries(spec),
        cycle=cycle_of(spec),
        table=spec,
        board=spec.board,
        counts=counts,
        earlier=earlier,
    )


def _alongside(spec: TableSpec) -> Sql:
    """Cycle by cycle, where there is a cycle."""
    return compose(
        "SELECT candidate.cycle, entry.seq FROM candidate JOIN {entries} AS entry USING (cycle)", entries=_entries(spec)
    )


def _whole_input(spec: TableSpec) -> Sql:
    """An input that changes as one concerns every cycle."""
    return compose(
        "SELECT candidate.cycle, entry.seq FROM candidate CROSS JOIN {entries} AS entry", entries=_entries(spec)
    )


def _any_cycle(spec: TableSpec) -> Sql:
    """A table that changes as one needs every cycle of its input."""
    return compose(
        "SELECT {whole} AS cycle, coalesce(max(entry.seq), 0) AS seq FROM {entries} AS entry",
        whole=WHOLE_CYCLE,
        entries=_entries(spec),
    )


_DEFINING: dict[Via, Callable[[TableSpec], Sql]] = {
    Via.SAME: _same,
    Via.TARGET_TIME: _target_time,
    Via.KNOWN_BY: _known_by,
}

_FURTHER: dict[Via, Callable[[TableSpec], Sql]] = {
    Via.DAY_BEFORE: _day_before,
    Via.KNOWN_BY_DEADLINE: _known_by_deadline,
    Via.PREVIOUS: _previous,
    Via.ALONGSIDE: _alongside,
}
"""These make no cycles of the table, they say what else concerns those it has."""
