"""``podium up``: a server without the UI, for leaving alone: the daemon, pages and report API, kept running."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.dev import folders
from pipeline.cli.errors import RunFailedError
from pipeline.cli.instance import (
    dagster_home,
    open_instance,
    require_hook,
    require_shared_warehouse,
    while_nothing_is_up,
)
from pipeline.cli.serve import refuse_taken, require_routes
from pipeline.logs import line
from pipeline.settings import PROJECT_ROOT, settings

if TYPE_CHECKING:
    from pipeline.operation import Relay, Service

_PODIUM = "from pipeline.cli import main; main()"
_LOGGER = "podium.up"


def up(
    host: Annotated[str, typer.Option(help="Address of pages and API; this machine only by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8000,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print what the daemon does, too.")] = False,
) -> None:
    """Run the daemon (sensors, schedules), pages and report API until SIGTERM; what ends is started again."""
    from pipeline.operation import Supervisor

    refuse_taken(host, port)
    require_hook()
    require_shared_warehouse()
    require_routes()
    home = dagster_home()
    with while_nothing_is_up(home):
        with open_instance(home):
            pass  # a wrong configuration is one line here, and no run that was killed keeps the queue waiting
        _say(f"Podium reports: http://{host}:{port}/; the data are in {settings().data_dir.resolve()}")
        services = _services(host, port, "info" if verbose else "warning")
        is_clean = Supervisor(services, _say, relay=_relay() if settings().log == "json" else None).run()
    if not is_clean:
        raise RunFailedError("something did not end in time when it was told to, and had to be killed: see above")


def _services(host: str, port: int, level: str) -> "list[Service]":
    from pipeline.operation import Service

    plain = {} if sys.stderr.isatty() else {"DBT_USE_COLORS": "false"}
    environment = {**plain, **os.environ, **folders()}
    daemon = [str(Path(sys.executable).with_name("dagster-daemon")), "run"]
    daemon += ["--log-level", level, "--code-server-log-level", level]
    daemon += ["--log-format", "json" if settings().log == "json" else "colored"]
    serve = [sys.executable, "-c", _PODIUM, "serve", "--host", host, "--port", str(port)]
    return [
        Service("daemon", daemon, environment, PROJECT_ROOT),
        Service("report server", serve, environment, PROJECT_ROOT),
    ]


def _say(event: str) -> None:
    if settings().log == "json":
        _print(line("INFO", _LOGGER, event))
    else:
        _print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} podium up: {event}")


def _relay() -> "Relay":
    """What prints the lines of services as those of one log."""
    from pipeline.operation import AsJson

    of_service: dict[str, AsJson] = {}

    def relay(service: str, text: str) -> None:
        as_json = of_service.setdefault(service, AsJson(service))
        _print(as_json(text))

    return relay


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
