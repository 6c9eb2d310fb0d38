"""How fast reports are answered: made-up boards of many models and a long history, asked at a steady rate."""

import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pandas as pd

from pipeline.bench.contest import Size, contract, files, fill
from pipeline.components import competition_tables as tables
from pipeline.components.recompute import Recompute
from pipeline.tables import BOARDS, LEADERBOARD, LEDGER, METRICS, MODELS, OVERALL, SNAPSHOTS
from pipeline.warehouse import Dirty, Store, WarehouseFiles, compose

Tell = Callable[[str], None]

BOARD = "bench"
FIRST = datetime(2016, 1, 2)
DAY = timedelta(days=1)
"""Of the boards, one a day."""
_ROWS = 100
_MATERIALIZED = Size(200, 50, 50)
"""The contest that is brought up to date again and again meanwhile."""


_MODELS = """
    INSERT INTO {table}
    SELECT $board, printf('model_%05d', range), printf('Model %d', range), 'bench', 'real', true, '1', NULL, NULL,
           $first
    FROM range($models)
"""

_SNAPSHOTS = """
    INSERT INTO {table}
    SELECT $board, $first + to_days(c.range::INTEGER), printf('model_%05d', m.range), $overall, w, x,
           hash(c.range, m.range, w, x) / 2e19, 100, 0, 1000, 0, 1.0, 1.0, 0.01, -0.1, 0.1, 'ewc', NULL, true
    FROM range($cycles) AS c, range($models) AS m, unnest($windows) AS a(w), unnest($metrics) AS b(x)
    ORDER BY c.range
"""

_BOARDS = """
    INSERT INTO {table}
    SELECT $board, $first + to_days(c.range::INTEGER), $overall, printf('model_%05d', m.range), place, place, place,
           0, 1, $models, 1, 100, 100.0, 'holm', 0.1, 1.0, 100, false, 'ranked'
    FROM range($cycles) AS c, range($models) AS m,
         LATERAL (SELECT (1 + (m.range + 7 * c.range) % $models)::INTEGER AS place)
    ORDER BY c.range
"""

_LEDGER = """
    INSERT INTO {table} SELECT DISTINCT competition, ?, as_of, 1, 1, 'bench' FROM {board} ORDER BY as_of
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
class Load:
    """Questions at a steady rate, bounded in number."""

    per_second: float
    seconds: float

    @property
    def n(self) -> int:
        """How many questions."""
        return max(1, round(self.per_second * self.seconds))


@dataclass(frozen=True)
class Latency:
    """Milliseconds from when an answer was due to be asked for until it was there whole."""

    median: float
    p95: float
    worst: float
    n: int
    errors: int


@dataclass(frozen=True)
class ReportsSpeed:
    """What ``podium bench reports`` measures.

    Parameters
    ----------
    models, cycles : int
        Of the made-up history.
    per_second : float
        Questions asked.
    latency : mapping
        By what was asked; no question is asked twice, so that nothing comes from memory.
    materializations : int
        How often a contest was computed anew meanwhile, in another process.
    published_mb : float
        Size of the file that is read.
    """

    models: int
    cycles: int
    per_second: float
    latency: Mapping[str, Latency]
    materializations: int
    published_mb: float


def measure_reports(history: History, load: Load, tell: Tell) -> ReportsSpeed:
    """Publish a made-up history, serve it from a process of its own, and ask while another process computes.

    Parameters
    ----------
    history : History
    load : Load
        For each kind of question.
    tell : function
        Is told what begins.
    """
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        tell(f"publishing boards of {history.models:,} models at {history.cycles:,} moments")
        path = publish_history(Path(folder) / "served", history)
        with _serving(path.parents[1]) as port, _materializing(Path(folder) / "computed") as counted:
            latency = {}
            for name, urls in questions(history, load.n).items():
                tell(f"asking {load.n:,} times for {name}, {load.per_second:g} times a second")
                latency[name] = ask(port, urls, load)
            count = counted()
        return ReportsSpeed(history.models, history.cycles, load.per_second, latency, count, path.stat().st_size / 1e6)


def questions(history: History, n: int) -> dict[str, list[str]]:
    """Questions of each kind, all different as far as there are so many."""
    chance = random.Random(0)  # noqa: S311  (nothing secret)
    days = [history.day(chance.randrange(history.cycles)).date().isoformat() for _ in range(n)]
    offsets = [chance.randrange(max(1, history.models - _ROWS)) for _ in range(n)]
    board = [
        f"/reports/leaderboard?limit={_ROWS}&as_of={day}&offset={at}" for day, at in zip(days, offsets, strict=True)
    ]
    model = [f"/reports/models/model_{at:05d}/history?limit={_ROWS}&offset={at % 97}" for at in offsets]
    return {"the board as JSON": board, "the history of a model": model}


def publish_history(folder: Path, history: History) -> Path:
    """Publish a made-up history of boards; the path of the published file."""
    made = WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published")
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
        _fill_history(store, history, [*declared.windows], [*declared.metrics])
    return made.publish().path


def _described(metric: str, direction: str) -> dict[str, str]:
    return {"metric": metric, "direction": direction, "pool": "cycles", "unit": "", "description": ""}


def _fill_history(store: Store, history: History, windows: list[str], metrics: list[str]) -> None:
    """Rows of models, snapshots and boards, made where they are kept: there are too many to carry."""
    values = {"board": BOARD, "models": history.models, "cycles": history.cycles, "first": FIRST, "overall": OVERALL}
    of_model = {name: values[name] for name in ("board", "first", "models")}
    store.connection.execute(compose(_MODELS, table=MODELS), of_model)
    listed = {"windows": windows, "metrics": metrics}
    store.connection.execute(compose(_SNAPSHOTS, table=SNAPSHOTS), values | listed)
    store.connection.execute(compose(_BOARDS, table=LEADERBOARD), values)
    store.connection.execute(compose(_LEDGER, table=LEDGER, board=LEADERBOARD), [LEADERBOARD.name])


def ask(port: int, urls: list[str], load: Load) -> Latency:
    """Ask one question after another at a steady rate, each when it is due, however long the answers before take."""
    own = threading.local()
    began = time.perf_counter()

    def one(number: int) -> float | None:
        due = began + number / load.per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        try:
            if not hasattr(own, "connection"):
                own.connection = HTTPConnection("127.0.0.1", port, timeout=30)
            own.connection.request("GET", urls[number])
            answer = own.connection.getresponse()
            body = answer.read()
        except OSError:
            own.connection.close()
            return None
        return 1e3 * (time.perf_counter() - due) if answer.status == 200 and body else None

    with ThreadPoolExecutor(max_workers=32) as threads:
        took = list(threads.map(one, range(len(urls))))
    good = sorted(one for one in took if one is not None)
    if not good:
        return Latency(float("nan"), float("nan"), float("nan"), len(took), len(took))
    p95 = good[min(len(good) - 1, int(0.95 * len(good)))]
    return Latency(statistics.median(good), p95, good[-1], len(took), len(took) - len(good))


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
def _materializing(folder: Path) -> Iterator[Callable[[], int]]:
    """A contest that another process computes again and again; how often it did."""
    folder.mkdir(parents=True)
    command = "import sys; from pathlib import Path; from pipeline.bench.reports import materialize; " \
        "materialize(Path(sys.argv[1]))"  # fmt: skip
    with _process([sys.executable, "-c", command, str(folder)]):
        yield lambda: len(list(folder.glob("*.done")))


def materialize(folder: Path) -> None:
    """Compute a contest anew until the process is stopped, leaving a file each time."""
    with files(folder).write("bench") as store:
        fill(store, _MATERIALIZED)
        number = 0
        while True:
            for update in (tables.update_scores, tables.update_cycle_metrics, tables.update_snapshots):
                update(store, contract(), Recompute(force=True))
            number += 1
            (folder / f"{number}.done").write_text(json.dumps(number))


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command)  # noqa: S603  (our own code in this interpreter)
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
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/reports/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the server on port {port} does not answer")
