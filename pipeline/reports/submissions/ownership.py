"""Whose a model is: by its registration, published or on its way, or by the first submission through the API."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.clock import utc_now
from pipeline.competition import Contract
from pipeline.competition.peers import is_virtual
from pipeline.intake import NothingKnown, folders
from pipeline.landing import Delivery, arrivals, check_file, pending
from pipeline.landing.staging import STAGED
from pipeline.reports.queries.players import landed_numbers, players
from pipeline.reports.submissions.claims import Claims
from pipeline.reports.submissions.naming import is_of_api
from pipeline.settings import Settings
from pipeline.warehouse import compose, connect_in_memory

_KIND = "models"


class NotYoursError(PermissionError):
    """Models that a key may not write; the message names them and the remedy."""


@dataclass(frozen=True)
class Ownership:
    """Whose the models of a file are, as its player sees it.

    Parameters
    ----------
    unnamed : frozenset of str
        The player's own, but no registration says so: by a claim.
    new : frozenset of str
        Nobody's so far.
    others : mapping of str to str
        Those of others, with why they are.
    """

    unnamed: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    others: dict[str, str] = field(default_factory=dict)


def ownership(
    connection: duckdb.DuckDBPyConnection, contract: Contract, model_ids: Collection[str], player: str, given: Settings
) -> Ownership:
    """Whose models are, in this order: as registered since the last publication, as published, as claimed.

    Ids are compared exactly; those of virtual models are nobody's, and left out: no file may have rows of them.

    Parameters
    ----------
    connection : DuckDB connection
        Of the published file.
    contract : Contract
    model_ids : collection of str
    player : str
        Who asks.
    given : Settings
        Where the inbox, the archive and the claims are.
    """
    real = {one for one in model_ids if not is_virtual(one)}
    registered = players(connection, contract.name, real) | _unpublished(connection, contract, given)
    claims = Claims(given.keys_dir)
    unnamed, new, others = set(), set(), {}
    for model_id in sorted(real):
        who = registered.get(model_id) or None
        claimed = claims.player(contract.name, model_id) if who is None else None
        if player in (who, claimed):
            unnamed |= {model_id} if who is None else set()
        elif who is not None or claimed is not None:
            others[model_id] = "is another player's"
        elif model_id in registered:
            others[model_id] = "has no player"
        else:
            new.add(model_id)
    return Ownership(frozenset(unnamed), frozenset(new), others)


def refuse_others(owned: Ownership, player: str) -> None:
    """Refuse a file that has models of others.

    Raises
    ------
    NotYoursError
        Naming them, and what the operator can do.
    """
    if owned.others:
        told = "; ".join(f"model {one[:100]!r} {why}" for one, why in sorted(owned.others.items())[:5])
        more = f" (and {len(owned.others) - 5} more)" if len(owned.others) > 5 else ""
        raise NotYoursError(
            f"{told}{more}: this key writes the models of {player!r} alone. If it is yours, ask the operator to "
            f"register it with you as its player; otherwise choose another model_id"
        )


def _unpublished(connection: duckdb.DuckDBPyConnection, contract: Contract, given: Settings) -> dict[str, str]:
    """The players of models that the operator registered since the last publication; empty for one without.

    Registrations through the API are left out: for each there is a claim.
    """
    found: dict[str, str] = {}
    paths = _unpublished_files(connection, contract, given)
    if not paths:
        return found
    (intake_of,) = folders(contract)[contract.models.files]  # registrations have a folder of their own
    intake = intake_of(contract, NothingKnown())
    statement = compose("SELECT model_id, player FROM {rows} ORDER BY row_number", rows=STAGED)
    with connect_in_memory() as scratch:
        for path in paths:
            if check_file(scratch, path, intake, utc_now()).unreadable is None:
                found |= {one: who or "" for one, who in scratch.execute(statement).fetchall()}
    return found


def _unpublished_files(connection: duckdb.DuckDBPyConnection, contract: Contract, given: Settings) -> list[Path]:
    """Files of registrations that are not published, in the order of their arrival."""
    folder = contract.models.files
    # The inbox first, then the archive: a file that is landed in between is in either.
    waiting = [one.path for one in pending(given.inbox_dir, contract.name, (folder,)) if _is_of_operator(one)]
    arrived = [
        (arrival.delivery.path, arrival.numbers.get(_KIND, 0))
        for arrival in arrivals(given.archive_dir, contract.name, folder)
        if arrival.delivery.folder == folder and _is_of_operator(arrival.delivery)
    ]
    published = landed_numbers(connection, contract.name, {number for _, number in arrived})
    return [*(path for path, number in arrived if number not in published), *waiting]


def _is_of_operator(delivery: Delivery) -> bool:
    return delivery.is_file and not is_of_api(delivery.name)
