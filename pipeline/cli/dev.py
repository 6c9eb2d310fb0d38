"""``podium dev``: the Dagster UI on this project."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.instance import dagster_home, open_instance
from pipeline.settings import PROJECT_ROOT, settings


def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster UI: the graph, its runs and their history, kept in data/dagster_home. Ctrl-C ends it."""
    with open_instance(dagster_home()):
        pass  # a wrong configuration is one line here, and no run that was killed keeps the queue waiting
    # Dagster must start in the project; relative folders in the settings mean those of the caller's folder.
    os.environ["PODIUM_DATA_DIR"] = str(settings().data_dir.resolve())
    os.environ["PODIUM_DBT_PROJECT_DIR"] = str(settings().dbt_project_dir.resolve())
    if (own := settings().defs_dir) is not None:
        os.environ["PODIUM_DEFS_DIR"] = str(own.resolve())
    os.chdir(PROJECT_ROOT)
    dagster = Path(sys.executable).with_name("dagster")
    os.execv(str(dagster), [str(dagster), "dev", "--host", host, "--port", str(port)])  # noqa: S606  (our own command)
