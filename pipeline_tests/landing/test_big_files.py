"""A file of 200 MB is checked, and one of 80 MB landed, in bounded memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.settings import PROJECT_ROOT

MEGABYTE = 1_000_000
NOT_COUNTED = 750
"""Megabytes beside those that DuckDB may use: 270 of packages, and what DuckDB does not count when it commits."""


def predictions(number: int, rows: int) -> pd.DataFrame:
    """Predictions of one cycle by many models."""
    place = np.arange(rows)
    return pd.DataFrame(
        {
            "model_id": pd.Series(place // 5000).map("model_{:04d}".format),
            "cycle": str(np.datetime64("2024-01-05") + 7 * number),
            "subject": pd.Series(place % 5000).map("S{:05d}".format),
            "value": np.random.default_rng(number).standard_normal(rows),
        }
    )


def write_csv(path: Path) -> int:
    rows = 0
    with path.open("w") as stream:
        for number in range(1000):
            block = predictions(number, 500_000)
            block.to_csv(stream, index=False, header=number == 0)
            rows += len(block)
            if stream.tell() > 80 * MEGABYTE:
                break
    return rows


def write_parquet(path: Path) -> int:
    blocks = [predictions(number, 500_000) for number in range(9)]
    table = pa.concat_tables([pa.Table.from_pandas(block.astype({"value": float})) for block in blocks])
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
