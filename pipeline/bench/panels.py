"""What Podium does, measured: predictions out of DuckDB, through panels, to the metrics of every model and cycle."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from pipeline.bench.contest import BOARD, contract, files
from pipeline.competition import Contract
from pipeline.competition.evaluation import parts, scored_by
from pipeline.competition.metrics import METRICS, Pool
from pipeline.competition.panel import Panel
from pipeline.competition.stages.block import Block
from pipeline.components.blocks import cycles_per_block
from pipeline.components.readings import MetricInputs, inputs_of_metrics
from pipeline.tables import PREDICTIONS
from pipeline.warehouse import Store, compose

_SCAN = (
    "SELECT sum(value), sum(horizon), sum(is_late::INTEGER), sum(epoch_us(cycle)), sum(epoch_us(target_time)),"
    " sum(epoch_us(deadline)), sum(epoch_us(received_at)), sum(strlen(competition)), sum(strlen(model_id)),"
    " sum(strlen(subject)), sum(strlen(output_type)), sum(strlen(output_type_id)) FROM {table}"
)
"""Every column read and added up, text by its length: the least that anything over these rows can cost."""


@dataclass(frozen=True)
class Pass:
    """One pass over all predictions, in seconds: the bare scan, then everything, and what of that was reading.

    The ``cpu`` ones are processor time of all threads, which others on the machine disturb less.
    """

    scan: float
    total: float
    reading: float
    scan_cpu: float
    total_cpu: float


def passes(folder: Path, repeats: int) -> list[Pass]:
    """Scan and compute in turn, so that both meet the same state of the machine; a first pass warms up."""
    declared = contract()
    with files(folder).read() as store:
        cycles = cycles_of_store(store)
        return [_pass(store, declared, cycles) for _ in range(repeats + 1)][1:]


def rows_and_metrics(folder: Path) -> tuple[int, pd.DataFrame]:
    """The number of predictions, and the metrics computed from them."""
    declared = contract()
    with files(folder).read() as store:
        computed = [found.metrics(declared) for found in _inputs(store, declared, cycles_of_store(store))]
        count = store.query(compose("SELECT count(*) AS n FROM {table}", table=PREDICTIONS))["n"].iloc[0]
        return int(count), pd.concat(computed, ignore_index=True)


def _pass(store: Store, declared: Contract, cycles: list[datetime]) -> Pass:
    began, began_cpu = time.perf_counter(), time.process_time()
    store.connection.execute(compose(_SCAN, table=PREDICTIONS)).fetchall()
    scanned, scanned_cpu = time.perf_counter(), time.process_time()
    reading, asked, bases = 0.0, scanned, []
    for found in _inputs(store, declared, cycles):
        reading += time.perf_counter() - asked
        bases.append(_bases(declared, found.metrics(declared)))
        asked = time.perf_counter()
    _series(declared, bases)
    return Pass(
        scan=scanned - began,
        total=time.perf_counter() - scanned,
        reading=reading,
        scan_cpu=scanned_cpu - began_cpu,
        total_cpu=time.process_time() - scanned_cpu,
    )


def _inputs(store: Store, declared: Contract, cycles: list[datetime]) -> Iterator[MetricInputs]:
    at_once = cycles_per_block(store, declared, cycles)
    for start in range(0, len(cycles), at_once):
        yield inputs_of_metrics(store, declared, cycles[start : start + at_once])


def _bases(declared: Contract, computed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What metrics of series are computed from: values by cycle and model, of each metric that is one's base."""
    return {
        str(base): rows.pivot(index="cycle", columns="model_id", values="value")
        for base, rows in computed.groupby("metric")
        if base in {declared.metric(name).series_of for name in declared.metrics}
    }


def _series(declared: Contract, bases: list[dict[str, pd.DataFrame]]) -> None:
    """Metrics of each model's whole series, as a window has them."""
    for metric in map(declared.metric, declared.metrics):
        if metric.of_series is not None and metric.series_of is not None:
            metric.of_series(pd.concat([of_block[metric.series_of] for of_block in bases]).to_numpy())


def cycles_of_store(store: Store) -> list[datetime]:
    """The contest's cycles."""
    return sorted(store.seqs(PREDICTIONS, BOARD))


def shares(folder: Path) -> dict[str, float]:
    """Nanoseconds of a prediction in one thread for each step and metric, metrics without what they share."""
    declared = contract()
    seconds: dict[str, float] = {}
    with files(folder).read() as store:
        found = next(_inputs(store, declared, cycles_of_store(store)))
    began = time.thread_time()
    block = Block.of(found.predictions, found.truth, declared, found.earlier, found.factors)
    seconds["panel"] = time.thread_time() - began
    for state in block.states():
        for part in parts(state.panel):
            _time_part(part, declared, seconds)
    return {name: 1e9 * took / len(found.predictions) for name, took in seconds.items()}


def _time_part(part: Panel, declared: Contract, seconds: dict[str, float]) -> None:
    def timed(name: str, began: float) -> float:
        now = time.thread_time()
        seconds[name] = seconds.get(name, 0.0) + now - began
        return now

    began = time.thread_time()
    _ = part.centred_signal_ranks, part.centred_outcome_ranks, part.too_few
    began = timed("pairs and ranks", began)
    scored = scored_by(declared.rule, part)
    began = timed("scores", began)
    for name in declared.metrics:
        metric = METRICS.get(name)
        if metric.pool is not Pool.SERIES:
            metric.over_panel(scored)
            began = timed(name, began)
