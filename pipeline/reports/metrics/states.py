"""The state of boards, queues, assets and checks as gauges, read when they are scraped; rows once for a publication."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import duckdb
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline.clock import utc_now
from pipeline.health import Health
from pipeline.reports.experiments.queues import Queues
from pipeline.reports.queries import board_names
from pipeline.reports.queries.overview import overview
from pipeline.tables import BOARD_TABLES, TableSpec
from pipeline.warehouse import NotPublishedError, PublishedReader, Reading, Sql, WarehouseBusyError, compose

_QUARANTINE = "quarantine"
_NOT_OURS = frozenset({_QUARANTINE, "landing", "meta"})
"""Schemas whose rows are not of what a board shows."""
_VERSIONS = "SELECT competition, max(seq), max(changed_at) FROM meta.changes GROUP BY competition ORDER BY competition"
_WAITING, _RUNNING = "waiting", "running"
_OF_QUEUE = {"pending": _WAITING, "running": _RUNNING}
"""Statuses of runs that have not ended."""
_SEVERITIES = ("ERROR", "WARN")


class States(Collector):
    """What a server knows of boards and runs.

    Parameters
    ----------
    reader : PublishedReader
    queues : Queues
        Of experiments.
    health : function
        What runs and checks came to last.
    """

    def __init__(self, reader: PublishedReader, queues: Queues, health: Callable[[], Health]) -> None:
        self._reader, self._queues, self._health = reader, queues, health

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing ahead of time: names would be read from what may not be there yet."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges; where nothing is published, or it cannot be read now, ``podium_published`` is 0."""
        moment = utc_now()
        try:
            with self._reader.reading() as reading:
                found = [*_published(reading, moment), *_boards(reading, moment)]
        except (NotPublishedError, WarehouseBusyError):
            found = []
        yield _gauge("podium_published", "Whether a publication can be read.", (), [((), float(bool(found)))])
        yield from found
        yield from _queued(self._queues)
        yield from _of_health(self._health())


def _published(reading: Reading, moment: datetime) -> Iterator[GaugeMetricFamily]:
    publication = reading.publication
    age = (moment - publication.published_at).total_seconds()
    yield _gauge("podium_publication_age_seconds", "Seconds since the publication was made.", (), [((), age)])
    yield _gauge("podium_publication_version", "Number of the newest change in it.", (), [((), publication.seq)])


def _boards(reading: Reading, moment: datetime) -> Iterator[GaugeMetricFamily]:
    connection, memory = reading.connection, reading.memory
    versions = memory.of(("metrics", "versions"), lambda: connection.execute(_VERSIONS).fetchall())
    names = set(memory.of(("metrics", "boards"), lambda: board_names(connection)))
    known = [row for row in versions if row[0] in names]
    yield _gauge("podium_board_version", "Number of the newest change.", ("board",), [((b,), n) for b, n, _ in known])
    ages = [((board,), (moment - changed).total_seconds()) for board, _, changed in known]
    yield _gauge("podium_board_age_seconds", "Seconds since anything of it changed.", ("board",), ages)
    late_from = memory.of(("metrics", "late"), lambda: _late_from(connection, sorted(names), moment))
    late = [((board,), float(moment > since)) for board, since in late_from]
    yield _gauge("podium_board_late", "Whether its newest cycle is older than it should be.", ("board",), late)
    rows = memory.of(("metrics", "rows"), lambda: _rows(connection))
    yield _gauge("podium_board_rows", "Published rows.", ("board", "table"), rows)
    refused = memory.of(("metrics", "refused"), lambda: _refused(connection, sorted(names)))
    yield _gauge("podium_quarantined_rows", "Rows that were refused.", ("board",), [((b,), n) for b, n, _ in refused])
    files = [((board,), n) for board, _, n in refused]
    yield _gauge("podium_quarantined_files", "Files of which rows were refused.", ("board",), files)


def _late_from(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], moment: datetime
) -> list[tuple[str, datetime]]:
    """From when on each board is late, of those that can be."""
    found = ((name, overview(connection, name, moment).late_from) for name in names)
    return [(name, since) for name, since in found if since is not None]


def _rows(connection: duckdb.DuckDBPyConnection) -> list[tuple[tuple[str, str], float]]:
    shown = [spec for spec in BOARD_TABLES if spec.schema not in _NOT_OURS and not spec.private]
    return [((board, spec.qualified_name), n) for spec in shown for board, n, _ in _counted(connection, spec)]


def _refused(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Of each board, how many rows of how many files."""
    rows, files = Counter(dict.fromkeys(names, 0)), Counter[str]()
    for spec in BOARD_TABLES:
        if spec.schema == _QUARANTINE:
            for board, n_rows, n_files in _counted(connection, spec, "count(DISTINCT file_number)"):
                rows[board] += n_rows
                files[board] += n_files
    return [(board, n, files[board]) for board, n in sorted(rows.items())]


def _counted(connection: duckdb.DuckDBPyConnection, spec: TableSpec, also: str = "0") -> list[tuple[str, int, int]]:
    statement = compose(
        "SELECT {board}, count(*), {also} FROM {table} GROUP BY 1", board=spec.board, also=Sql(also), table=spec
    )
    try:
        return connection.execute(statement).fetchall()
    except duckdb.CatalogException:  # an older Podium published the file
        return []


def _queued(queues: Queues) -> Iterator[GaugeMetricFamily]:
    held, _ = queues.snapshots()
    found = []
    for name, snapshot in held.items():
        counts = Counter(_OF_QUEUE.get(one.status) for one in snapshot.runs.values())
        found += [((name, status), counts[status]) for status in (_WAITING, _RUNNING)]
    yield _gauge("podium_experiment_runs", "Runs that wait or run.", ("experiment", "status"), found)


def _of_health(health: Health) -> Iterator[GaugeMetricFamily]:
    assets = health.assets.values()
    at = [((one.asset,), _timestamp(one.at)) for one in assets]
    yield _gauge("podium_asset_last_success_timestamp_seconds", "When an asset was computed last.", ("asset",), at)
    took = [((one.asset,), one.seconds) for one in assets if one.seconds is not None]
    yield _gauge("podium_asset_last_duration_seconds", "Seconds that it took.", ("asset",), took)
    failed = Counter(one.asset for one in health.failed if one.what == "asset")
    states = [((name,), float(name in failed)) for name in sorted({*health.assets, *failed})]
    yield _gauge("podium_asset_failed", "Whether it failed and was not computed since.", ("asset",), states)
    jobs = health.jobs.values()
    yield _gauge(
        "podium_job_last_success",
        "Whether its last run succeeded.",
        ("job_name",),
        [((o.job,), float(o.ok)) for o in jobs],
    )
    ended = [((one.job,), _timestamp(one.at)) for one in jobs]
    yield _gauge("podium_job_last_end_timestamp_seconds", "When its last run ended.", ("job_name",), ended)
    seconds = [((one.job,), one.seconds) for one in jobs if one.seconds is not None]
    yield _gauge("podium_job_last_duration_seconds", "Seconds that its last run took.", ("job_name",), seconds)
    failing = Counter((one.asset.partition("/")[0], one.severity) for one in health.failing_checks)
    boards = sorted({asset.partition("/")[0] for asset, _ in health.checks})
    counts = [((board, severity), failing[board, severity]) for board in boards for severity in _SEVERITIES]
    yield _gauge(
        "podium_checks_failing", "Checks that failed when they were asked last.", ("board", "severity"), counts
    )


def _gauge(
    name: str, documentation: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _timestamp(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
