"""Dagster's own home under ``data/dagster_home``: made on first use, telemetry off, one writing run at a time."""

import os
from pathlib import Path

from pipeline.settings import settings

_DAGSTER_YAML = """\
# Written by `podium` because there was none; change it as you like.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1  # the warehouse has one writer; further runs wait in the queue
"""


def dagster_home() -> Path:
    """The folder of runs and events, set as ``DAGSTER_HOME``; one that is set already is respected, made absolute."""
    home = Path(os.environ.get("DAGSTER_HOME") or settings().dagster_home).expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(_DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
