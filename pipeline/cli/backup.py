"""``podium backup`` and ``podium restore``: everything that cannot be made again, in a folder, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.declarations import load_contracts
from pipeline.cli.errors import InputError
from pipeline.cli.instance import named_home, while_nothing_is_up
from pipeline.cli.operation import mistakes_named
from pipeline.cli.output import console, counted, print_json
from pipeline.settings import settings
from pipeline.warehouse import WarehouseFiles

if TYPE_CHECKING:
    from pipeline.operation import Manifest


def backup(
    target: Annotated[Path, typer.Argument(help="A folder that is new or empty, outside the data folder.")],
    history: Annotated[bool, typer.Option("--history", help="Dagster's history of runs, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Copy the warehouse, the inbox, the archive, keys, decisions, declarations and what is published to a folder."""
    from pipeline.operation import Backup

    with mistakes_named(), _files_named(target):
        manifest = Backup(settings(), load_contracts(), WarehouseFiles(), history).write(target)
    _show(manifest, f"backed up to {target}", as_json)


def restore(
    source: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Do so although there is data; it is moved to a folder beside.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring a backup back into PODIUM_DATA_DIR, once every file in it is found to be what it was."""
    from pipeline.operation import Restore

    aside = f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}" if replace else None
    with mistakes_named(), _files_named(settings().data_dir), while_nothing_is_up(named_home()):
        manifest = Restore(settings(), source, WarehouseFiles()).run(aside)
    _show(manifest, f"restored to {settings().data_dir}", as_json)
    if not as_json:
        _tell_of_declarations(source)


def _files_named(folder: Path) -> "_FilesNamed":
    return _FilesNamed(folder)


class _FilesNamed:
    """Work on files whose errors name the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            where = error.filename or self.folder
            raise InputError(f"{where} cannot be read or written: {error.strerror or error}; see to it") from error


def _show(manifest: "Manifest", done: str, as_json: bool) -> None:
    found: dict[str, Any] = {
        "podium": manifest.podium,
        "tables": manifest.tables,
        "made_at": manifest.made_at.isoformat(),
        "files": manifest.n_files,
        "bytes": manifest.n_bytes,
        "waiting": len(manifest.waiting),
    }
    if as_json:
        print_json(found)
        return
    console().print(
        f"{done}: {counted(manifest.n_files, 'file')}, {manifest.n_bytes / 1e6:,.1f} MB, of Podium {manifest.podium}, "
        f"{manifest.made_at:%Y-%m-%d %H:%M} UTC; {counted(len(manifest.waiting), 'file')} waited in the inbox",
        markup=False,
    )


def _tell_of_declarations(source: Path) -> None:
    from pipeline.operation.backing_up import DECLARATIONS

    if (source / DECLARATIONS).is_dir():
        console().print(
            f"declarations of your own are in {source / DECLARATIONS}; let PODIUM_DEFS_DIR name a copy of it",
            markup=False,
        )
