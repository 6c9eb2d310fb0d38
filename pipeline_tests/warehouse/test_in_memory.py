"""A database in memory: with the settings' limits, and a folder to spill to that goes with it."""

from pathlib import Path

import duckdb
import pytest

from pipeline.settings import settings
from pipeline.warehouse import connect_in_memory


def test_it_spills_beyond_the_memory_limit_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PODIUM_MEMORY_LIMIT", "64MB")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings.cache_clear()
    with connect_in_memory() as connection:
        connection.execute("CREATE TABLE big AS SELECT i, hash(i) AS h, hash(i + 1) AS g FROM range(10000000) AS t(i)")
        assert any(tmp_path.rglob("duckdb_temp*"))
        assert connection.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
    settings.cache_clear()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")
