"""The tables of experiments as they are at this moment: what is published, and what waits laid over it."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipeline.experiments.running import QueuedRun
from pipeline.reports.experiments.declared import PostedExperiments
from pipeline.reports.experiments.laid_tables import LaidTables
from pipeline.reports.experiments.laying import Laid
from pipeline.reports.experiments.queues import Queues, Snapshot
from pipeline.reports.experiments.raters import Raters
from pipeline.reports.experiments.waiting import Waiting
from pipeline.reports.experiments.waiting_scores import Scored
from pipeline.reports.queries.experiment_tables import (
    DeclaredExperiment,
    ExperimentTables,
    UnreadableExperimentError,
    published_tables,
)
from pipeline.settings import Settings
from pipeline.tables import EXPERIMENT_TABLES, TableSpec
from pipeline.warehouse import PublishedReader, Reading, Sql, compose, join, quote, relation, to_arrow

_SPECS = {spec.name: spec for spec in EXPERIMENT_TABLES}
_MOST_SCORED = 20_000
_OVERLAID = """
    (SELECT {columns} FROM {published} ANTI JOIN {replaced} USING ({key}) UNION ALL SELECT {typed} FROM {rows})
"""
_log = logging.getLogger(__name__)


class LiveExperiments:
    """The experiments of a server: its publication, the queues, and what was posted.

    Parameters
    ----------
    reader : PublishedReader
    given : Settings
        Where queues, posted declarations and keys are.
    """

    def __init__(self, reader: PublishedReader, given: Settings) -> None:
        self._reader = reader
        self.queues = Queues(given.experiments_dir)
        self.posted = PostedExperiments(given)
        self.raters = Raters(given.keys_dir)
        self._scored = _Kept(_MOST_SCORED)

    @contextmanager
    def tables(self) -> Iterator[ExperimentTables]:
        """The tables for one request, with every write that came before it.

        Queues are read before the publication: what they forgot since then is in it. Of an experiment whose queue
        cannot be read nothing is told: then the tables raise QueueUnusableError.

        Raises
        ------
        NotPublishedError, WarehouseBusyError
            If nothing is published, or it cannot be read now.
        """
        posted = self.posted.all()
        held, unusable = self.queues.snapshots()
        with ExitStack() as stack:
            reading = self._newest(stack)
            tables = self._overlaid(stack, reading, posted, held)
            yield replace(tables, unreadable={name: unusable[name] for name in tables.declared if name in unusable})

    def close(self) -> None:
        """Close the queues."""
        self.queues.close()

    def _newest(self, stack: ExitStack) -> Reading:
        """The newest publication, also while an older one is held for others."""
        if not self._reader.is_behind:
            return stack.enter_context(self._reader.reading())
        with self._reader.ahead():
            return stack.enter_context(self._reader.reading())

    def _overlaid(
        self,
        stack: ExitStack,
        reading: Reading,
        posted: Mapping[str, DeclaredExperiment],
        held: Mapping[str, Snapshot],
    ) -> ExperimentTables:
        published = published_tables(reading.connection, reading.memory)
        declared = {**posted, **published.declared}
        laid: dict[str, LaidTables] = {}
        for name, one in declared.items():
            found = self._laid(published, one, held.get(name, Snapshot()))
            if found is not None and (found.waiting.n or not one.is_published):
                laid[name] = found
        n_waiting = {name: one.waiting.n for name, one in laid.items()}
        return replace(
            published,
            relations=_Relations(published, laid, stack) if laid else published.relations,
            declared=dict(sorted(declared.items())),
            n_waiting=n_waiting,
            n_behind={name: n for name, n in n_waiting.items() if n and not laid[name].is_grouped(published)},
        )

    def _laid(self, published: ExperimentTables, one: DeclaredExperiment, held: Snapshot) -> LaidTables | None:
        if not held.key and one.is_published:
            return None

        def make() -> LaidTables:
            return LaidTables(Waiting.of(published, one, held), self.raters, self._scored.of(one))

        try:
            _ = one.experiment
        except UnreadableExperimentError as error:
            _log.warning("what waits of it is not shown: %s", error)
            return None
        return published.memory.of(("waiting", one, held.key), make)


class _Relations(Mapping[str, Sql]):
    """What each table is read from; made when it is first asked for, and gone with the request."""

    def __init__(self, published: ExperimentTables, laid: Mapping[str, LaidTables], stack: ExitStack) -> None:
        self._published, self._laid, self._stack = published, laid, stack
        self._made: dict[str, Sql] = {}

    def __getitem__(self, table: str) -> Sql:
        if table not in self._made:
            self._made[table] = self._make(_SPECS[table])
        return self._made[table]

    def __iter__(self) -> Iterator[str]:
        return iter(_SPECS)

    def __len__(self) -> int:
        return len(_SPECS)

    def _make(self, spec: TableSpec) -> Sql:
        found = [one for name in self._laid if (one := self._arrow(spec, name)) is not None]
        published = self._published.relations[spec.name]
        if not found:
            return published
        key = found[0].key
        rows = pa.concat_tables([one.rows for one in found])
        replaced = pa.concat_tables([one.replaced for one in found])
        typed = join([compose("CAST({column} AS {type})", column=one.name, type=Sql(one.type)) for one in spec.columns])
        names = [self._stack.enter_context(relation(self._published.connection, one)) for one in (replaced, rows)]
        return compose(
            _OVERLAID,
            columns=spec.column_names,
            published=published,
            replaced=names[0],
            key=join([quote(one) for one in key]),
            typed=typed,
            rows=names[1],
        )

    def _arrow(self, spec: TableSpec, name: str) -> "_Waiting | None":
        """What is laid over a table of an experiment; where that fails, it is nothing to the others."""
        try:
            laid = self._laid[name].laid(spec.name, self._published)
            return None if laid is None else _Waiting(laid.key, to_arrow(spec, name, laid.rows), _replaced(name, laid))
        except Exception:
            _log.exception("what waits of experiment %r is not shown in its %s", name, spec.name)
            return None


@dataclass(frozen=True, eq=False)
class _Waiting:
    """What waits of a table of an experiment: its rows, and those that they replace, by the columns of the key."""

    key: Sequence[str]
    rows: pa.Table
    replaced: pa.Table


def _replaced(name: str, laid: Laid) -> pa.Table:
    columns = [one for one in laid.key if one != "experiment"]
    n = len(laid.in_place_of) if columns else 1
    arrays = [pa.array([name] * n, pa.string())]
    arrays += [pa.array(laid.in_place_of[one].tolist(), pa.string()) for one in columns]
    return pa.table(arrays, names=["experiment", *columns])


class _Kept:
    """What scorers said of runs, the newest ones: scored once for as long as the run stays as it is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._rows: OrderedDict[object, list[dict[str, Any]]] = OrderedDict()

    def of(self, declared: DeclaredExperiment) -> Scored:
        """For the runs of an experiment as it is declared."""

        def scored(run: QueuedRun, make: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
            key = (declared.name, declared.declaration, run.run_id, run.change, run.completed_at)
            with self._guard:
                rows = self._rows.get(key)
            if rows is None:
                rows = make()
                with self._guard:
                    self._rows[key] = rows
                    if len(self._rows) > self._most:
                        self._rows.popitem(last=False)
            return rows

        return scored
