"""How fast reports are answered: made-up boards of many models and a long history, asked at a steady rate."""

import itertools
import random
import socket
import subprocess  # nosec B404 # our own commands alone, without a shell
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pandas as pd

from pipeline.bench.contest import Size, contract, files, fill
from pipeline.bench.load import Latency, Load, Questions, ask
from pipeline.components import competition_tables as tables
from pipeline.components.recompute import Recompute
from pipeline.tables import BOARDS, CYCLE_METRICS, LEADERBOARD, LEDGER, METRICS, MODELS, OVERALL, SNAPSHOTS
from pipeline.warehouse import Dirty, Store, WarehouseFiles, compose

Tell = Callable[[str], None]

BOARD = "bench"
FIRST = datetime(2016, 1, 2)
DAY = timedelta(days=1)
"""Of the boards, one a day."""
_ROWS = 100
_MATERIALIZED = Size(200, 50, 50)
"""The contest that is brought up to date again and again meanwhile."""
_PUBLISHED_EVERY = 5.0
"""Seconds from one publication of what is served to the next."""
_HISTORIES = 0.1
"""How many histories of models are asked for each board: one reads a hundred boards."""
_PAGE, _JSON = f"/boards/{BOARD}", "/reports/leaderboard"

_MODELS = """
    INSERT INTO {table}
    SELECT $board, printf('model_%05d', range), printf('Model %d', range), 'bench', 'real', true, '1', NULL, NULL,
           $first
    FROM range($models)
"""

_OF_MODELS = ("board", "first", "models")

_SNAPSHOTS = """
    INSERT INTO {table}
    SELECT $board, $first + to_days(c.range::INTEGER), printf('model_%05d', m.range), $overall, w, x,
           v, 100, 0, 1000, 0, 1.0, 1.0, se, v - 2 * se, v + 2 * se, 'ewc', NULL, true
    FROM range($since, $cycles) AS c, range($models) AS m, unnest($windows) AS a(w), unnest($metrics) AS b(x),
         LATERAL (SELECT hash(c.range, m.range, w, x) / 2e19 AS v, hash(m.range, w, x, c.range) / 2e20 AS se)
    ORDER BY c.range
"""

_CYCLES = """
    INSERT INTO {table}
    SELECT $board, printf('model_%05d', m.range), $first + to_days((c.range - 1)::INTEGER), $overall, x,
           $first + to_days(c.range::INTEGER), hash(c.range, m.range, x) / 2e19 - 0.45, 100, NULL, NULL, NULL, false
    FROM range($since, $cycles) AS c, range($models) AS m, unnest($metrics) AS b(x)
    ORDER BY c.range
"""

_BOARDS = """
    INSERT INTO {table}
    SELECT $board, $first + to_days(c.range::INTEGER), $overall, printf('model_%05d', m.range), place, place, place,
           0, 1, $models, 1, 100, 100.0, 'holm', 0.1, 1.0, 100, false, 'ranked'
    FROM range($since, $cycles) AS c, range($models) AS m,
         LATERAL (SELECT (1 + (m.range + 7 * c.range) % $models)::INTEGER AS place)
    ORDER BY c.range
"""

_LEDGER = """
    INSERT INTO {table} SELECT DISTINCT competition, ?, as_of, ?, 1, 'bench' FROM {board} WHERE as_of >= ?
    ORDER BY as_of
"""


@dataclass(frozen=True)
class History:
    """A made-up history of boards."""

    models: int
    cycles: int

    def day(self, number: int) -> datetime:
        """The moment of a board."""
        return FIRST + number * DAY


@dataclass(frozen=True)
class ReportsSpeed:
    """What ``podium bench reports`` measures.

    Parameters
    ----------
    models, cycles : int
        Of the made-up history.
    latency : mapping
        By what was asked.
    materializations : int
        How often a contest was computed anew meanwhile, in another process.
    publications : int
        How often that process published a board more of what is served, which empties the server's memory.
    published_mb : float
        Size of the file that is read.
    """

    models: int
    cycles: int
    latency: Mapping[str, Latency]
    materializations: int
    publications: int
    published_mb: float


def measure_reports(history: History, load: Load, tell: Tell) -> ReportsSpeed:
    """Publish a made-up history, serve it from a process of its own, and ask while another computes and publishes.

    Parameters
    ----------
    history : History
    load : Load
        For each kind of question about boards.
    tell : function
        Is told what begins.
    """
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        tell(f"publishing boards of {history.models:,} models at {history.cycles:,} moments")
        served, computed = Path(folder) / "served", Path(folder) / "computed"
        path = publish_history(served, history)
        size = path.stat().st_size / 1e6
        with _serving(path.parents[1]) as port, _materializing(computed, served, history) as counted:
            latency = {}
            for name, asked in questions(history, load, has_pages=_is_there(port, _PAGE)).items():
                tell(f"asking {asked.load.n:,} times for {name}, {asked.load.per_second:g} times a second")
                latency[name] = ask(port, asked)
            counts = counted("computed"), counted("published")
        return ReportsSpeed(history.models, history.cycles, latency, *counts, size)


def questions(history: History, load: Load, *, has_pages: bool) -> dict[str, Questions]:
    """Questions of each kind: about boards as readers ask, then all different, and about the histories of models.

    Those that readers do not ask come last: they overload the server, and would be felt by what is asked next.
    """
    paths = {"board as JSON": _JSON, "board as a page": _PAGE} if has_pages else {"board as JSON": _JSON}
    readers = {f"{name}, as readers ask": _as_readers_ask(path, history, load.n) for name, path in paths.items()}
    different = {f"{name}, none twice": _all_different(path, history, load.n) for name, path in paths.items()}
    asked = {name: Questions(urls, load) for name, urls in (readers | different).items()}
    rarely = Load(load.per_second * _HISTORIES, load.seconds)
    asked["history of a model, none twice"] = Questions(_histories(history, rarely.n), rarely)
    return asked


def _as_readers_ask(path: str, history: History, n: int) -> list[str]:
    """Half the newest board, as it comes; the others its windows and pages, searches, and a few days in the past."""
    chance = random.Random(0)  # noqa: S311  # nosec B311 # nothing secret
    last_pages = min(5, history.models // _ROWS)
    others = [
        *(f"&window={name}" for name in contract().windows),
        *(f"&offset={page * _ROWS}" for page in range(1, last_pages)),
        *(f"&search=model+{number}" for number in range(10)),
        *(f"&as_of={history.day(history.cycles - back).date()}" for back in (1, 2, 7, 30) if back < history.cycles),
        "&include_ensembles=true",
    ]
    return [f"{path}?limit={_ROWS}{chance.choice(others) if chance.random() < 0.5 else ''}" for _ in range(n)]


def _all_different(path: str, history: History, n: int) -> list[str]:
    """Pages of boards of any day, over any window; no two the same as long as there are so many."""
    chance = random.Random(1)  # noqa: S311  # nosec B311 # nothing secret
    days, offsets = range(history.cycles), range(max(1, history.models - _ROWS))
    windows = [*contract().windows]
    every = len(days) * len(offsets) * len(windows)
    chosen = chance.sample(range(every), n) if n <= every else chance.choices(range(every), k=n)
    return [
        f"{path}?limit={_ROWS}&as_of={history.day(at // len(windows) // len(offsets)).date()}"
        f"&offset={at // len(windows) % len(offsets)}&window={windows[at % len(windows)]}"
        for at in chosen
    ]


def _histories(history: History, n: int) -> list[str]:
    """A hundred rows of the history of one model after another."""
    paths = (f"/reports/models/model_{at % history.models:05d}/history" for at in range(n))
    return [f"{path}?limit={_ROWS}&offset={at // history.models}" for at, path in enumerate(paths)]


def publish_history(folder: Path, history: History) -> Path:
    """Publish a made-up history of boards; the path of the published file."""
    made = _files(folder)
    declared = contract().model_copy(update={"name": BOARD})
    with made.write("bench") as store:
        for spec, rows in (
            (BOARDS, [{"kind": "competition", "title": BOARD, "contract": declared.model_dump_json()}]),
            (
                METRICS,
                [_described(declared.metric(name).name, str(declared.direction(name))) for name in declared.metrics],
            ),
        ):
            frame = pd.DataFrame(rows).reindex(
                columns=[name for name in spec.column_names if name != spec.columns[0].name]
            )
            store.replace(spec, BOARD, [Dirty(datetime(1970, 1, 1), 0)], frame, "bench")
        _add_boards(store, history, 0)
    return made.publish().path


def publish_more(folder: Path, history: History) -> None:
    """Publish a board more than there is: the history of so many."""
    made = _files(folder)
    with made.write("bench") as store:
        _add_boards(store, history, history.cycles - 1)
    made.publish()


def _files(folder: Path) -> WarehouseFiles:
    return WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published")


def _described(metric: str, direction: str) -> dict[str, str]:
    return {"metric": metric, "direction": direction, "pool": "cycles", "unit": "", "description": ""}


def _add_boards(store: Store, history: History, since: int) -> None:
    """Rows of models, snapshots and boards from a board on, made where they are kept: there are too many to carry."""
    values = {
        "board": BOARD,
        "models": history.models,
        "since": since,
        "cycles": history.cycles,
        "first": FIRST,
        "overall": OVERALL,
    }
    if not since:
        store.connection.execute(compose(_MODELS, table=MODELS), {name: values[name] for name in _OF_MODELS})
    listed = {"windows": [*contract().windows], "metrics": [*contract().metrics]}
    store.connection.execute(compose(_SNAPSHOTS, table=SNAPSHOTS), values | listed)
    of_cycles = {name: value for name, value in (values | listed).items() if name != "windows"}
    store.connection.execute(compose(_CYCLES, table=CYCLE_METRICS), of_cycles)
    store.connection.execute(compose(_BOARDS, table=LEADERBOARD), values)
    ledger = compose(_LEDGER, table=LEDGER, board=LEADERBOARD)
    store.connection.execute(ledger, [LEADERBOARD.name, store.max_seq() + 1, history.day(since)])


@contextmanager
def _serving(published_dir: Path) -> Iterator[int]:
    """A server in a process of its own; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = "import sys, uvicorn; from pathlib import Path; from pipeline.reports.app import create_app; " \
        "uvicorn.run(create_app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level='error')"  # fmt: skip
    with _process([sys.executable, "-c", command, str(published_dir), str(port)]):
        _await(port)
        yield port


@contextmanager
def _materializing(folder: Path, served: Path, history: History) -> Iterator[Callable[[str], int]]:
    """Another process that computes a contest again and again, and publishes more boards; how often it did which."""
    folder.mkdir(parents=True)
    command = "import sys; from pathlib import Path; from pipeline.bench.reports import History, materialize; " \
        "materialize(Path(sys.argv[1]), Path(sys.argv[2]), History(*map(int, sys.argv[3:])))"  # fmt: skip
    numbers = (str(history.models), str(history.cycles))
    with _process([sys.executable, "-c", command, str(folder), str(served), *numbers]):
        yield lambda done: len(list(folder.glob(f"*.{done}")))


def materialize(folder: Path, served: Path, history: History) -> None:
    """Compute a contest anew until the process is stopped, and publish a board more of what is served now and then.

    It leaves a file each time, ``*.computed`` and ``*.published``.
    """
    with files(folder).write("bench") as store:
        fill(store, _MATERIALIZED)
        published_at = time.monotonic()
        for number in itertools.count():
            for update in (tables.update_scores, tables.update_cycle_metrics, tables.update_snapshots):
                update(store, contract(), Recompute(force=True))
            (folder / f"{number}.computed").touch()
            if time.monotonic() - published_at >= _PUBLISHED_EVERY:
                history = replace(history, cycles=history.cycles + 1)
                publish_more(served, history)
                (folder / f"{number}.published").touch()
                published_at = time.monotonic()


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command)  # noqa: S603  # nosec B603 # our own code in this interpreter
    try:
        yield
    finally:
        process.kill()  # it keeps nothing, and whoever ignores SIGTERM passes that on to it
        process.wait()


def _await(port: int) -> None:
    """Wait until a server answers.

    Raises
    ------
    TimeoutError
        If it does not within a minute.
    """
    for _ in range(600):
        with suppress(OSError):
            _status(port, "/reports/healthz")
            return
        time.sleep(0.1)
    raise TimeoutError(f"the server on port {port} does not answer")


def _is_there(port: int, path: str) -> bool:
    """Whether the server has something at a path."""
    return _status(port, path) == 200


def _status(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
