"""``podium dev``: the Dagster UI on this project."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.instance import dagster_home
from pipeline.settings import PROJECT_ROOT


def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster UI: the graph, its runs and their history, kept in data/dagster_home. Ctrl-C ends it."""
    dagster_home()
    os.chdir(PROJECT_ROOT)
    dagster = Path(sys.executable).with_name("dagster")
    os.execv(str(dagster), [str(dagster), "dev", "--host", host, "--port", str(port)])  # noqa: S606  (our own command)
