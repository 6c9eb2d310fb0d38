"""A Celery worker: it executes steps of runs, and blocks of cycles of one table."""

import importlib
from collections.abc import Sequence
from typing import Any

from pipeline.cluster.blocks import update_block
from pipeline.components.executor import celery_config

BLOCK = "podium.update_block"
"""The name of the task that brings some cycles of a table up to date."""


def celery_app() -> Any:
    """The Celery application that workers and those who give them work have in common."""
    executors, apps, tasks = (
        importlib.import_module(f"dagster_celery.{name}") for name in ("executor", "make_app", "tasks")
    )
    app = apps.make_app(executors.CeleryExecutor.for_cli(**celery_config()).app_args())
    tasks.create_task(app)
    app.task(name=BLOCK)(update_block)
    return app


def work(name: str, processes: int, arguments: Sequence[str] = ()) -> None:
    """Do what the broker has to do, until told to stop (SIGTERM: after what is being done).

    Parameters
    ----------
    name : str
        The worker's name, one of its own.
    processes : int
        Steps and blocks that it executes at once.
    arguments : sequence of str
        Further ones of ``celery worker``.
    """
    given = ["worker", f"--hostname={name}@%h", f"--concurrency={processes}", "--queues=dagster", "--loglevel=INFO"]
    celery_app().worker_main([*given, "--without-gossip", "--without-mingle", *arguments])
