"""What files that came through the API are called in the inbox: whose each is, by which key, and what is in it."""

import hashlib
import re
import secrets
from dataclasses import dataclass

_NAME = re.compile(
    r"api_[a-z0-9-]*_(?P<player>[0-9a-f]{16})_(?P<key_id>[0-9a-f]+)_(?P<sha256>[0-9a-f]{64})_[0-9a-f]{8}\.[a-z]+"
)
_LONGEST_SLUG = 40


@dataclass(frozen=True)
class ApiFile:
    """What the name of a file says: the digest of its player, the key's id, the hash of its content."""

    player: str
    key_id: str
    sha256: str


def api_name(player: str, key_id: str, sha256: str, ending: str) -> str:
    """A name that no other file has, of plain letters whatever the player is called."""
    slug = re.sub(r"[^a-z0-9]+", "-", player.lower()).strip("-")[:_LONGEST_SLUG]
    return f"api_{slug}_{player_digest(player)}_{key_id}_{sha256}_{secrets.token_hex(4)}{ending}"


def read_api_name(name: str) -> ApiFile | None:
    """What a name says; None for a file that came another way."""
    found = _NAME.fullmatch(name)
    return None if found is None else ApiFile(**found.groupdict())


def is_of_api(name: str) -> bool:
    """Whether a file of this name came through the API."""
    return read_api_name(name) is not None


def player_digest(player: str) -> str:
    """What stands for a player in names: 64 bits of a hash, so that no two names of players are taken for one."""
    return hashlib.sha256(player.encode(errors="surrogatepass")).hexdigest()[:16]
