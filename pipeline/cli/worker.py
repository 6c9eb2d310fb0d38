"""``podium worker``: a Celery worker, for runs of ``PODIUM_EXECUTOR=celery``."""

import os
import socket
from typing import Annotated

import typer

from pipeline.cli.errors import InputError
from pipeline.cli.instance import dagster_home, require_shared_warehouse
from pipeline.settings import settings


def worker(
    name: Annotated[str, typer.Option(help="The worker's name, one of its own.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="Steps that it executes at once.")] = 1,
) -> None:
    """Execute steps of runs, as the broker gives them, until stopped: Ctrl-C lets it finish what it is at."""
    if settings().executor != "celery":
        raise InputError("workers execute runs of PODIUM_EXECUTOR=celery; set it, and PODIUM_BROKER, for both")
    require_shared_warehouse()
    from pipeline.cluster.worker import work

    dagster_home()
    work(name or f"{socket.gethostname()}-{os.getpid()}", processes)
