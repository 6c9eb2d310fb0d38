"""``podium keys``: who may write through the API."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, Column, day, in_print, print_json, print_table
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.reports.access.keys import Key, KeyStore

keys = typer.Typer(help="Keys of players: who may submit through the API.", no_args_is_help=True)


@keys.command()
def add(
    player: Annotated[str, typer.Argument(help="Whose models it may write, as boards show the name.")],
    note: Annotated[str, typer.Option("--note", help="What the key is for.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a key for a player. It is shown once: only a hash of it is kept."""
    try:
        key, text = _store().add(player, note)
    except ValueError as error:
        raise InputError(str(error)) from None
    if as_json:
        print_json({**_record(key), "key": text})
    else:
        print(text)
        typer.echo(
            f"The key of {in_print(key.player)!r}, shown this once; to take it back: podium keys revoke {key.key_id}",
            err=True,
        )


@keys.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the keys: whose they are, and which are revoked."""
    found = _store().listed()
    if as_json:
        print_json([_record(key) for key in found])
        return
    print_table(
        [
            Column("key id", [key.key_id for key in found], is_text=True, rank=0),
            Column("player", [in_print(key.player) for key in found], is_text=True, rank=0),
            Column("note", [in_print(key.note) for key in found], is_text=True),
            Column("created", [day(key.created_at.replace(second=0, microsecond=0)) for key in found]),
            Column("revoked", [_revoked(key) for key in found]),
        ]
    )


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key: its part between podium_ and the secret.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take a key back: the next request with it is refused, without a restart of the server."""
    from pipeline.reports.access.keys import UnknownKeyIdError

    try:
        key = _store().revoke(key_id)
    except UnknownKeyIdError as error:
        raise InputError(str(error)) from None
    if as_json:
        print_json(_record(key))
    else:
        print(f"Revoked: key {key.key_id} of {in_print(key.player)!r}")


def _store() -> "KeyStore":
    from pipeline.reports.access.keys import KeyStore

    return KeyStore(settings().keys_dir)


def _record(key: "Key") -> dict[str, object]:
    """A key as JSON has it; the hash of its secret is nobody's business."""
    return key.model_dump(exclude={"sha256"})


def _revoked(key: "Key") -> str:
    return MISSING if key.revoked_at is None else day(key.revoked_at.replace(second=0, microsecond=0))
