"""A player's file taken in: judged as ``podium check`` does, its models claimed, delivered to the inbox."""

import functools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import duckdb
from pydantic import ValidationError

from pipeline.clock import utc_now
from pipeline.competition import Contract
from pipeline.competition.declaration import INBOX
from pipeline.intake import (
    Judgement,
    UnboundedFileError,
    judge,
    judged_unreadable,
    model_ids_in,
    reading_by_published,
)
from pipeline.landing import Delivery, UnreadableFileError, deliver, pending
from pipeline.landing.archive import content_hash
from pipeline.reports.access.keys import Key
from pipeline.reports.queries import contract_json
from pipeline.reports.submissions.claims import Claims
from pipeline.reports.submissions.naming import api_name, read_api_name
from pipeline.reports.submissions.ownership import NotYoursError, Ownership, ownership, refuse_others
from pipeline.reports.submissions.pending import is_repeated
from pipeline.settings import Settings

_NOTHING_TAKEN = "nothing of it would be taken; correct what is listed"
_MOST_NEW = 100
"""Models that one file may add."""


class NotTakenError(PermissionError):
    """A competition that takes no submissions through the API; the message says why, and what its operator can do."""


class UnreadableContractError(RuntimeError):
    """A published declaration that this server cannot read; the message says why."""


class NotDeliveredError(RuntimeError):
    """A file that could not be written to the inbox; nothing was delivered."""


class RefusedError(ValueError):
    """A file that is not delivered, with what would be refused of it."""

    def __init__(self, message: str, judged: Judgement) -> None:
        super().__init__(message)
        self.judged = judged


@dataclass(frozen=True)
class Submission:
    """A file that was delivered.

    Parameters
    ----------
    judged : Judgement
    sha256 : str
        Of its content.
    delivery : Delivery or None
        As it lies in the inbox; None for a content that waits there already, or counts.
    claimed : tuple of str
        Models that are the player's from now on.
    """

    judged: Judgement
    sha256: str
    delivery: Delivery | None
    claimed: tuple[str, ...] = ()


def contract_of(connection: duckdb.DuckDBPyConnection, competition: str) -> Contract:
    """The contract that a published competition was made by.

    Raises
    ------
    UnknownBoardError
        If there is no such competition.
    UnreadableContractError
        If it names what this server does not have, such as a metric of one's own.
    """
    return _read_contract(competition, contract_json(connection, competition))


@functools.lru_cache(maxsize=64)
def _read_contract(competition: str, text: str) -> Contract:
    try:
        return Contract.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableContractError(
            f"the declaration of {competition!r} cannot be read by this server: {error.errors()[0]['msg']}; start "
            f"podium serve where `podium run {competition}` works, with the same PODIUM_DOTTED_PATH_PACKAGES"
        ) from None


def receive(
    connection: duckdb.DuckDBPyConnection, path: Path, competition: str, key: Key, given: Settings, *, force: bool
) -> Submission:
    """Judge a file of predictions and deliver it.

    Nothing is delivered if a row would be refused, unless forced to; never if nothing would be taken. Models that are
    nobody's become the player's before the file is delivered, so that no other key can take them before it has landed.

    Parameters
    ----------
    connection : DuckDB connection
        Of the published file; the working file and its lock are not touched.
    path : Path
        The file, whose ending tells its format.
    competition : str
    key : Key
        Who submits.
    given : Settings
        Where things are, and limits.
    force : bool
        Deliver although rows would be refused.

    Raises
    ------
    UnknownBoardError, UnreadableContractError, NotTakenError
        If there is no such competition, or it takes nothing here.
    TooMuchError
        If the file says more than one may.
    RefusedError
        If it is not delivered for what it says.
    NotYoursError
        If it has models of others.
    KeysError
        If claims cannot be read or written.
    NotDeliveredError
        If the inbox cannot be written.
    """
    contract = contract_of(connection, competition)
    _require_taking(contract)
    folder = contract.predictions.files
    reading = reading_by_published(connection, contract, folder)
    judged_as_of = utc_now()
    try:
        models = model_ids_in(path, reading.intakes[0], given.submission_rows, given.submission_megabytes * 1_000_000)
    except UnboundedFileError as error:  # not even judged: to judge it is to read it
        unread = judged_unreadable(path, contract, folder, judged_as_of, reading, str(error))
        raise RefusedError(_NOTHING_TAKEN, unread) from None
    except UnreadableFileError:
        models = None
    owned = ownership(connection, contract, models or (), key.player, given)
    refuse_others(owned, key.player)
    judged = judge(path, contract, folder, judged_as_of, reading)
    if models is None or judged.is_refused:
        raise RefusedError(_NOTHING_TAKEN, judged)
    if not any(verdict.n_rows for verdict in judged.verdicts):
        raise RefusedError("nothing of it would be taken: it has no rows; send one at least", judged)
    if not judged.is_accepted and not force:
        raise RefusedError(
            "part of it would be refused; correct it, or land what is good and quarantine the rest: ?force=true", judged
        )
    _require_claimable(owned, contract, judged)
    return _deliver(connection, judged, owned, key, given)


def _require_taking(contract: Contract) -> None:
    """Refuse a competition whose files are its operator's alone.

    Raises
    ------
    NotTakenError
        Saying why.
    """
    name, part = contract.name, contract.predictions
    if part.source != INBOX:
        raise NotTakenError(f"competition {name!r} takes no submissions: its predictions come from {part.source}")
    if part.trusted:
        raise NotTakenError(
            f"competition {name!r} takes imports alone (trusted: true), which say themselves when they were received; "
            f"to take submissions its operator declares `predictions: {{trusted: false}}`"
        )
    if contract.folders[part.files] != ("predictions",):
        others = ", ".join(kind for kind in contract.folders[part.files] if kind != "predictions")
        raise NotTakenError(
            f"competition {name!r} reads {others} from the same files as predictions; to take submissions its operator "
            f"gives predictions a folder of their own (`predictions: {{files: ...}}`)"
        )


def _require_claimable(owned: Ownership, contract: Contract, judged: Judgement) -> None:
    """Refuse models that nobody may claim, or too many at once.

    A file is judged once more when it lands: what is unregistered now may be another player's by then.

    Raises
    ------
    NotYoursError, RefusedError
        Naming the remedy.
    """
    if contract.models.registration == "closed" and owned.new:
        raise NotYoursError(
            f"model {min(owned.new)[:100]!r} is not registered, so nobody may force its rows in; leave them out, or "
            f"ask the operator to register it"
        )
    if len(owned.new) > _MOST_NEW:
        raise RefusedError(f"it has {len(owned.new):,} new models; add {_MOST_NEW} at a time at most", judged)


def _deliver(
    connection: duckdb.DuckDBPyConnection, judged: Judgement, owned: Ownership, key: Key, given: Settings
) -> Submission:
    contract, sha256 = cast(Contract, judged.contract), content_hash(judged.file)
    if is_repeated(connection, contract, key.player, sha256, given):
        return Submission(judged, sha256, None)
    claimed = _claim(owned, contract, key, given)
    try:
        _register(sorted({*claimed, *owned.unnamed}), contract, key, given)
        name = api_name(key.player, key.key_id, sha256, judged.file.suffix.lower())
        path = deliver(judged.file, given.inbox_dir, contract.name, judged.folder, name)
        delivery = Delivery.of(path, contract.name, judged.folder)
    except OSError as error:
        raise NotDeliveredError(
            f"the inbox cannot be written ({error.strerror or error}), so nothing was delivered; tell the operator, "
            f"and send it again"
        ) from error
    return Submission(judged, sha256, delivery, tuple(claimed))


def _claim(owned: Ownership, contract: Contract, key: Key, given: Settings) -> list[str]:
    """Claim what is nobody's.

    Raises
    ------
    NotYoursError
        If another player was faster.
    """
    claims = Claims(given.keys_dir)
    others = {}
    for model_id in sorted(owned.new):
        if claims.claim(contract.name, model_id, key.player, key.key_id) != key.player:
            others[model_id] = "is another player's"
    refuse_others(Ownership(others=others), key.player)
    return sorted(owned.new)


def _register(models: list[str], contract: Contract, key: Key, given: Settings) -> None:
    """Let the board know whose models are, by a file of registrations.

    Landing the same content again changes nothing, so this may be done again.
    """
    if not models:
        return
    folder, columns = contract.models.files, contract.models.columns
    named = (columns.get("model_id", "model_id"), columns.get("player", "player"))
    text = "".join(f"{json.dumps(dict(zip(named, (one, key.player), strict=True)))}\n" for one in models)
    with _written(text) as path:
        sha256 = content_hash(path)
        waiting = (read_api_name(one.name) for one in pending(given.inbox_dir, contract.name, (folder,)))
        if not any(one is not None and one.sha256 == sha256 for one in waiting):
            deliver(path, given.inbox_dir, contract.name, folder, api_name(key.player, key.key_id, sha256, path.suffix))


@contextmanager
def _written(text: str) -> Iterator[Path]:
    """Lines of JSON as a file, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text(text, encoding="ascii")
        yield path
