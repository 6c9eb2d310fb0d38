"""``podium dev``: the Dagster UI on this project."""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.errors import InputError
from pipeline.cli.instance import dagster_home, open_instance, require_hook, require_shared_warehouse
from pipeline.settings import PROJECT_ROOT, settings

_IGNORED = "ignore:Function `dev_command` is superseded"
"""Dagster's advice to start ``dg dev`` instead; the user started neither."""


def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print what Dagster's services do, too.")] = False,
) -> None:
    """Open the Dagster UI: the graph, its runs and their history, kept in data/dagster_home. Ctrl-C ends it."""
    _require_port(host, port)
    require_hook()
    require_shared_warehouse()
    with open_instance(dagster_home()):
        pass  # a wrong configuration is one line here, and no run that was killed keeps the queue waiting
    os.environ |= folders()
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _IGNORED]))
    os.chdir(PROJECT_ROOT)
    dagster = Path(sys.executable).with_name("dagster")
    print(f"Dagster UI: http://{host}:{port}", flush=True)
    if not is_loopback(host):
        print(
            f"podium: the Dagster UI has no login: whoever reaches {host} can start, change and delete all runs; put a "
            f"proxy with a login before it, or leave out --host (pipeline/docs/security.md)",
            file=sys.stderr,
            flush=True,
        )
    level = "info" if verbose else "warning"
    arguments = ["dev", "--host", host, "--port", str(port), "--log-level", level]
    os.execv(str(dagster), [str(dagster), *arguments])  # noqa: S606  # nosec B606 # our own command


def folders() -> dict[str, str]:
    """The variables that name folders, absolute: Dagster must start in the project, relative ones mean the caller's."""
    own = settings().defs_dir
    named = {"PODIUM_DATA_DIR": settings().data_dir, "PODIUM_DBT_PROJECT_DIR": settings().dbt_project_dir}
    if own is not None:
        named["PODIUM_DEFS_DIR"] = own
    return {variable: str(folder.resolve()) for variable, folder in named.items()}


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine's own users reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_port(host: str, port: int) -> None:
    """Refuse a port that is taken: Dagster would go on without its UI.

    Raises
    ------
    InputError
        If nothing can listen there.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise InputError(
            f"nothing can listen on {host}:{port}: {error.strerror or error}; name another --port"
        ) from error
