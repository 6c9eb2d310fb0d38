"""What ``podium up`` starts its services with; ``pipeline_tests/test_up.py`` starts them for real."""

import pytest

from pipeline.cli.up import _services


def test_where_no_terminal_is_dbt_writes_no_colours_unless_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBT_USE_COLORS", raising=False)
    assert {one.environment["DBT_USE_COLORS"] for one in _services("127.0.0.1", 8000, "warning")} == {"false"}
    monkeypatch.setenv("DBT_USE_COLORS", "true")
    assert {one.environment["DBT_USE_COLORS"] for one in _services("127.0.0.1", 8000, "warning")} == {"true"}
