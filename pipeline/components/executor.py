"""Where the steps of a run are executed: in the run's own process, or on Celery workers where settings say so.

Celery is imported only then.
"""

import importlib
from typing import Any

import dagster as dg

from pipeline.settings import settings

_LOST_SECONDS = "visibility_timeout"


def executor() -> dg.ExecutorDefinition:
    """The executor that settings name.

    Raises
    ------
    RuntimeError
        If its packages are not installed.
    """
    if not settings().executor:
        return dg.in_process_executor
    try:
        celery_executor: dg.ExecutorDefinition = importlib.import_module("dagster_celery").celery_executor
    except ImportError as error:
        raise RuntimeError(
            "PODIUM_EXECUTOR=celery needs packages that are not installed: pip install 'podium[scale]'"
        ) from error
    return celery_executor.configured(celery_config(), name="celery")


def celery_config() -> dict[str, Any]:
    """What the executor and its workers must agree on.

    A message is acknowledged when its step is done: what a worker was at when it was killed is given to another one,
    at once where only its process ended, else as soon as the broker has waited long enough for the worker. A step that
    is done twice finds nothing to do the second time.
    """
    broker = settings().broker.get_secret_value()
    return {
        "broker": broker,
        "backend": broker,
        "config_source": {
            "task_acks_late": True,
            "task_reject_on_worker_lost": True,
            "worker_prefetch_multiplier": 1,
            "broker_transport_options": {_LOST_SECONDS: settings().worker_lost_seconds},
            "broker_connection_retry_on_startup": True,
            "task_default_queue": "dagster",
        },
    }
