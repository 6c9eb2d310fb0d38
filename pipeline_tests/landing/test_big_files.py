"""A file of 200 MB is checked, and one of 80 MB landed, in bounded memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from pipeline.settings import PROJECT_ROOT

MEGABYTE = 1_000_000
NOT_COUNTED = 750
"""Megabytes beside those that DuckDB may use: 270 of packages, and what DuckDB does not count when it commits."""


def predictions(cycles: int, rows: int) -> pa.Table:
    """Predictions of some cycles by many models for 5000 subjects."""
    number, place = (part.ravel() for part in np.mgrid[:cycles, :rows])

    def named(form: str, numbers: Any) -> pa.Array:
        return pa.array([form.format(one) for one in range(numbers.max() + 1)]).take(pa.array(numbers))

    days = pa.array([str(np.datetime64("2024-01-05") + 7 * one) for one in range(cycles)])
    return pa.table(
        {
            "model_id": named("model_{:04d}", place // 5000),
            "cycle": days.take(pa.array(number)),
            "subject": named("S{:05d}", place % 5000),
            "value": np.random.default_rng(0).standard_normal(cycles * rows),
        }
    )


def write_csv(path: Path) -> int:
    table = predictions(4, 500_000)
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none"))
    return len(table)


def write_parquet(path: Path) -> int:
    table = predictions(9, 500_000)
    pq.write_table(table, path, row_group_size=len(table), compression="none", use_dictionary=False)
    return len(table)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write", "what", "at_least", "allowed"),
    [("big.csv", write_csv, "land", 80, 250), ("big.parquet", write_parquet, "check", 150, 500)],
)
def test_a_large_file_takes_bounded_memory(
    tmp_path: Path, name: str, write: Callable[[Path], int], what: str, at_least: int, allowed: int
) -> None:
    path = tmp_path / "inbox" / "toy" / "predictions" / name
    path.parent.mkdir(parents=True)
    rows = write(path)
    assert path.stat().st_size > at_least * MEGABYTE
    done = subprocess.run(
        [sys.executable, "-m", "pipeline_tests.landing.big_file", str(tmp_path / "inbox"), what],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PODIUM_MEMORY_LIMIT": f"{allowed}MB", "PODIUM_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    print(name, what, said)
    assert (said["rows"], said["accepted"], said["status"]) == (rows, rows, "accepted")
    assert said["megabytes"] < allowed + NOT_COUNTED
    for original in [*(tmp_path / "archive" / "toy").glob("*"), *path.parent.glob(name)]:
        original.unlink()  # pytest keeps the folder
