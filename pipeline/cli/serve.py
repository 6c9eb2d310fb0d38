"""``podium serve``: pages and report API on the published file."""

import logging
from datetime import datetime
from typing import Annotated

import typer

from pipeline.cli.errors import InputError
from pipeline.logs import logged_as_json
from pipeline.settings import settings

_log = logging.getLogger(__name__)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; this machine only by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8000,
) -> None:
    """Serve pages and report API on the published file; a newer publication is picked up without a restart."""
    import uvicorn

    from pipeline.cli.history import last_runs
    from pipeline.reports.access.connections import bounds
    from pipeline.reports.app import create_app

    refuse_taken(host, port)
    require_routes()
    app = create_app(settings().published_dir, settings().report_routes, last_runs, next_tick=_due)
    if settings().log == "text":
        typer.echo(f"Podium reports: http://{host}:{port}/ (Ctrl-C stops it)", err=True)
        uvicorn.run(app, host=host, port=port, log_level="warning", **bounds())
        return
    with logged_as_json():
        _log.info("Podium reports: http://%s:%s/", host, port)
        uvicorn.run(app, host=host, port=port, log_level="warning", log_config=None, **bounds())


def _due(cron: str, now: datetime) -> datetime:
    """When the schedule of a source is due."""
    from pipeline.components.cron import next_tick

    return next_tick(cron, now)


def require_routes() -> None:
    """Refuse routes of one's own that are not there.

    Raises
    ------
    InputError
        If ``PODIUM_REPORT_ROUTES`` names what is no router.
    """
    if not settings().report_routes:
        return
    from pipeline.registry import UnknownNameError
    from pipeline.reports.app import own_routers

    try:
        own_routers(settings().report_routes)
    except (UnknownNameError, ImportError) as error:
        raise InputError(f"PODIUM_REPORT_ROUTES cannot be used: {error}") from None


def refuse_taken(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on.

    Raises
    ------
    InputError
        If it is taken, or not of this machine.
    """
    import socket

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror or error}; give another --port") from None
