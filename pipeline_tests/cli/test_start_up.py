"""Reading commands start fast: they import neither Dagster nor dbt nor what makes the bundled competition."""

import json
import os
import subprocess
import sys
from pathlib import Path

HEAVY = ("dagster", "dagster_dbt", "dagster_duckdb", "dbt", "skfolio", "sklearn", "scipy", "vl_convert")

SCRIPT = """
import contextlib, io, json, sys
from pipeline.cli import main

found = {}
for arguments in (["--help"], ["leaderboard", "weekly"], ["sql", "SELECT 1"], ["board", "--help"]):
    sys.argv = ["podium", *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        main()
    assert out.getvalue(), arguments
    found[arguments[0]] = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps(found))
"""


def test_help_leaderboard_and_sql_import_nothing_heavy(boards_dir: Path) -> None:
    environment = os.environ | {"PODIUM_DATA_DIR": str(boards_dir)}
    ended = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    for command, modules in json.loads(ended.stdout).items():
        assert not set(HEAVY) & set(modules), command
