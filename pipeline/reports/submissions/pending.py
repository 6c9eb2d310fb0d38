"""What a player submitted: files that wait in the inbox, so that a write is visible at once, and those that landed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipeline.competition import Contract
from pipeline.landing import Delivery, arrivals, pending
from pipeline.reports.queries.players import landed_files
from pipeline.reports.submissions.naming import ApiFile, player_digest, read_api_name
from pipeline.settings import Settings

_KIND = "predictions"


@dataclass(frozen=True)
class OwnFile:
    """A file of predictions that a player submitted.

    Parameters
    ----------
    sha256, key_id : str
        Hash of its content, and the key that it came by.
    received_at : datetime
        UTC, without a zone.
    size_bytes : int
    file_number : int or None
        Its number among the competition's files; None while it waits.
    """

    sha256: str
    key_id: str
    received_at: datetime
    size_bytes: int
    file_number: int | None


def own_files(contract: Contract, player: str, given: Settings) -> list[OwnFile]:
    """What a player submitted to a competition, the newest first.

    Parameters
    ----------
    contract : Contract
    player : str
    given : Settings
        Where the inbox and the archive are.
    """
    digest, folder = player_digest(player), contract.predictions.files
    # The inbox first: a file that is landed in between is found in the archive.
    waiting = [_own(one, digest, None) for one in pending(given.inbox_dir, contract.name, (folder,))]
    landed = [
        _own(one.delivery, digest, one.numbers.get(_KIND))
        for one in arrivals(given.archive_dir, contract.name, f"_{digest}_")
        if one.delivery.folder == folder
    ]
    found = {(one.sha256, one.received_at): one for one in (*waiting, *landed) if one is not None}
    return sorted(found.values(), key=lambda one: one.received_at, reverse=True)


def is_repeated(
    connection: duckdb.DuckDBPyConnection, contract: Contract, player: str, sha256: str, given: Settings
) -> bool:
    """Whether the newest file of a player has this content, and still waits or was taken whole.

    One that was taken in part may be sent again, for more of it may be taken now; so may one that a later file
    replaced, which is news. A file that the operator dropped since may have done that; landing knows.
    """
    newest = next(iter(own_files(contract, player, given)), None)
    if newest is None or newest.sha256 != sha256 or _is_followed(newest, contract, given):
        return False
    if newest.file_number is None:
        return True
    landed = landed_files(connection, contract.name, [newest.file_number])
    return any(one["status"] == "accepted" and not one["n_superseded"] for one in landed.values())


def _is_followed(own: OwnFile, contract: Contract, given: Settings) -> bool:
    """Whether a file of predictions arrived another way than through the API, and later than this."""
    folder = contract.predictions.files
    waiting = pending(given.inbox_dir, contract.name, (folder,))
    arrived = (one.delivery for one in arrivals(given.archive_dir, contract.name, folder))
    return any(
        one.folder == folder and one.received_at >= own.received_at and read_api_name(one.name) is None
        for one in (*waiting, *arrived)
    )


def submissions(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    player: str,
    given: Settings,
    limit: int | None,
    offset: int,
) -> tuple[list[dict[str, Any]], int]:
    """Some of a player's submissions, the newest first, with what became of each, and how many there are."""
    own = own_files(contract, player, given)
    shown = own[offset:] if limit is None else own[offset : offset + limit]
    numbers = [one.file_number for one in shown if one.file_number is not None]
    landed = landed_files(connection, contract.name, numbers)
    return [_row(one, landed.get(one.file_number or 0)) for one in shown], len(own)


def _row(one: OwnFile, landed: dict[str, Any] | None) -> dict[str, Any]:
    state = "waiting" if one.file_number is None else "landing" if landed is None else "landed"
    row = {"sha256": one.sha256, "key_id": one.key_id, "received_at": one.received_at, "size_bytes": one.size_bytes}
    return row | {"state": state} | (landed or {})


def _own(delivery: Delivery, digest: str, file_number: int | None) -> OwnFile | None:
    """A file as its player's; None for a file of others."""
    named: ApiFile | None = read_api_name(delivery.name)
    if named is None or named.player != digest or not delivery.is_file:
        return None
    return OwnFile(named.sha256, named.key_id, delivery.received_at, delivery.size_bytes, file_number)
