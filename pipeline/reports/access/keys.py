"""Keys of players: who may write, kept in one file outside what is published.

A key is ``podium_<id>_<secret>``. Of the secret, 256 random bits, only the SHA-256 is kept: nobody guesses such a
secret, so that a slow hash, which protects what people think up, would protect nothing more. The id is no secret.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import filelock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.clock import utc_now

LONGEST_PLAYER = 200
"""Characters of a player's name, at most."""
_PREFIX = "podium"
_SECRET_BYTES = 32
_NOBODY = "0" * 64
"""What the secret of an unknown key is compared with, so that its refusal takes as long as another's."""
_PATIENCE = 30.0
"""Seconds to wait for another process that changes keys."""


class KeysError(RuntimeError):
    """Keys that cannot be read or written; the message says where they are, and what to do."""


class UnknownKeyIdError(LookupError):
    """No key has this id; the message says how to see which there are."""


class Key(BaseModel):
    """A key as it is kept: whose it is, and the hash of its secret; times are UTC, without a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key_id: str = Field(pattern=r"^[0-9a-f]+$")
    player: str = Field(min_length=1)
    note: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: datetime
    revoked_at: datetime | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: tuple[Key, ...]


@dataclass(frozen=True)
class _Read:
    """The keys by id, as they were when the file looked so."""

    signature: tuple[int, ...]
    keys: dict[str, Key]


class KeyStore:
    """The keys of a data folder, which any number of processes may read and change at once.

    Parameters
    ----------
    folder : Path
        Where ``keys.json`` is; made with the first key, for its owner alone (mode 0700, files 0600).
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"
        self._read = _Read((), {})

    def add(self, player: str, note: str = "") -> tuple[Key, str]:
        """Make a key; it is returned with its text, which is kept nowhere.

        Parameters
        ----------
        player : str
            Whose models it may write: the player that boards show.
        note : str
            What it is for.

        Raises
        ------
        ValueError
            If the player's name cannot stand on a board.
        KeysError
            If keys cannot be read or written.
        """
        _check_player(player)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self._changing() as keys:
            key_id = next(one for one in iter(_new_id, "") if one not in keys)
            key = Key(key_id=key_id, player=player, note=note, sha256=_hash(secret), created_at=utc_now())
            keys[key_id] = key
        return key, f"{_PREFIX}_{key_id}_{secret}"

    def revoke(self, key_id: str) -> Key:
        """Take a key back, at once and for good; one that was revoked before keeps its time.

        Raises
        ------
        UnknownKeyIdError
            If there is none.
        KeysError
            If keys cannot be read or written.
        """
        with self._changing() as keys:
            if key_id not in keys:
                raise UnknownKeyIdError(f"no key has the id {key_id[:20]!r}; `podium keys list` shows which there are")
            if keys[key_id].revoked_at is None:
                keys[key_id] = keys[key_id].model_copy(update={"revoked_at": utc_now()})
            return keys[key_id]

    def listed(self) -> list[Key]:
        """All keys, revoked ones too, in the order in which they were made.

        Raises
        ------
        KeysError
            If they cannot be read.
        """
        return list(self._newest().values())

    def find(self, text: str) -> Key | None:
        """The key with this text; None when there is none, or it was revoked.

        Raises
        ------
        KeysError
            If keys cannot be read.
        """
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._newest().get(key_id)
        is_right = hmac.compare_digest(_hash(secret), _NOBODY if key is None else key.sha256)
        is_valid = is_right and prefix == _PREFIX and key is not None and key.revoked_at is None
        return key if is_valid else None

    def _newest(self) -> dict[str, Key]:
        """The keys by id, read again when the file is another than last time."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeysError(f"{self.path} cannot be read: {error.strerror}; see to its rights") from error
        signature = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        if self._read.signature != signature:
            self._read = _Read(signature, self._load())
        return self._read.keys

    def _load(self) -> dict[str, Key]:
        try:
            kept = _File.model_validate_json(self.path.read_bytes()).keys
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeysError(f"{self.path} cannot be read: {error.strerror}; see to its rights") from error
        except ValidationError as error:
            raise self._damaged(f"{error.error_count()} errors, such as: {error.errors()[0]['msg']}") from None
        keys = {key.key_id: key for key in kept}
        if len(keys) < len(kept):
            raise self._damaged("two keys have the same id")
        return keys

    def _damaged(self, what: str) -> KeysError:
        return KeysError(
            f"{self.path} is damaged ({what}), so no key can be checked; restore it, or move it away and make the keys "
            f"anew: podium keys add PLAYER"
        )

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """The keys, to be changed by nobody else meanwhile; written whole, and only when nothing goes wrong."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.parent.chmod(0o700)
            with filelock.FileLock(self.path.with_name(".lock"), timeout=_PATIENCE, mode=0o600):
                keys = self._load()
                yield keys
                write_private(self.path, _File(keys=tuple(keys.values())).model_dump_json(indent=1))
        except filelock.Timeout:
            raise KeysError(
                f"another process has been changing {self.path} for {_PATIENCE:.0f} seconds; try again"
            ) from None
        except OSError as error:
            raise KeysError(f"{self.path} cannot be written: {error.strerror or error}; see to its rights") from error


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """See to it that what was renamed or linked in a folder outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_id() -> str:
    return secrets.token_hex(5)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _check_player(player: str) -> None:
    if not player.isprintable() or player != player.strip() or not 0 < len(player) <= LONGEST_PLAYER:
        raise ValueError(
            f"{player[:LONGEST_PLAYER]!r} is no name of a player; give printable text of 1 to {LONGEST_PLAYER} "
            f"characters without blanks around it, as boards shall show it"
        )
