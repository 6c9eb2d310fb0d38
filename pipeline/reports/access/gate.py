"""Who may ask: requests that need a key are let in with one, before anything else sees them."""

import base64
import logging
import math
from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.reports.access.keys import Key, KeysError, KeyStore
from pipeline.reports.access.limits import Buckets

SUBMISSIONS = "/submissions"
"""The path of what players submit."""
RUNS, EXPERIMENTS = "/runs", "/experiments"
"""The paths of runs of experiments, and of experiments: their pages, and their API below ``/experiments/api``."""
METRICS = "/metrics"
"""The path of what is measured, which has a gate of its own."""
KEY = "podium.key"
"""Where the scope of a request has its key."""
_READING = frozenset({"GET", "HEAD"})
_OPEN = ("/reports/healthz", METRICS)
_REMEDY = "send `Authorization: Bearer podium_...`; the operator makes keys: podium keys add PLAYER"
_FOR_PEOPLE = 'Basic realm="Podium: the password is your key", charset="UTF-8"'
"""What makes a browser ask the person before it."""
_log = logging.getLogger(__name__)


class KeyGate:
    """Lets a request in that needs no key or has a valid one; all others are answered here.

    It is around everything that answers: pages, documentation and answers kept in memory are behind it. Valid keys pass
    whatever their address did wrong before: addresses are shared, and no number of attempts guesses a key, so that what
    is limited is only the work and the noise that wrong ones make.

    Parameters
    ----------
    app : ASGI application
    keys : KeyStore
    is_private : bool
        Whether every path needs a key but those of health and metrics; otherwise only what players write, and runs of
        experiments.
    per_key : mapping of str to Buckets
        How often a key may ask, by the path that always needs one: ``SUBMISSIONS``, and ``RUNS`` with all that is
        about experiments.
    per_address : Buckets
        How often an address may come without a valid key.
    """

    def __init__(
        self, app: ASGIApp, keys: KeyStore, is_private: bool, per_key: Mapping[str, Buckets], per_address: Buckets
    ) -> None:
        self._app, self._keys, self._is_private = app, keys, is_private
        self._per_key, self._per_address = per_key, per_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        answer = self._refusal(scope) if self._needs_key(scope) else None
        await (answer or self._app)(scope, receive, send)

    def _needs_key(self, scope: Scope) -> bool:
        if scope["type"] == "lifespan":
            return False
        return scope["path"] not in _OPEN if self._is_private else keyed_as(scope) is not None

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        """What is answered without a valid key, or to one that comes too often; None lets the request in."""
        text = _key_text(scope)
        try:
            key = self._keys.find(text) if text else None
        except KeysError as error:
            _log.error("%s", error)
            detail = "keys cannot be checked now; tell the operator: the server's log says why"
            return _told(503, detail, {"Retry-After": "60"})
        if key is None:
            return self._unknown(scope, bool(text))
        scope[KEY] = key
        keyed = keyed_as(scope)
        wait = 0.0 if keyed is None else self._per_key[keyed].take(key.key_id)
        return _too_often(wait, "this key asks too often") if wait else None

    def _unknown(self, scope: Scope, is_given: bool) -> JSONResponse:
        address = (scope.get("client") or ("",))[0]
        wait = self._per_address.take(address)
        if wait:
            return _too_often(wait, "too many requests without a valid key from this address")
        if is_given:
            detail, error = "the key is not known, or it was revoked", ', error="invalid_token"'
        else:
            detail, error = "a key is needed", ""
        challenge = _FOR_PEOPLE if _is_read_by_a_person(scope) else f'Bearer realm="podium"{error}'
        return _told(401, f"{detail}; {_REMEDY}", {"WWW-Authenticate": challenge})


def key_of(scope: Scope) -> Key | None:
    """The key that a request was let in with."""
    found: Key | None = scope.get(KEY)
    return found


def _key_text(scope: Scope) -> str:
    """The key that a request came with; empty when it came with none.

    A browser sends it as the password that it asked a person for. It sends that by itself, also when another site makes
    it ask, so that it counts where nothing is written.
    """
    scheme, _, text = Headers(scope=scope).get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return text.strip()
    if scheme.lower() == "basic" and _is_read(scope):
        try:
            return base64.b64decode(text, validate=True).decode().partition(":")[2]
        except ValueError:
            return text
    return ""


def _is_read(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in _READING and keyed_as(scope) is None


def _is_read_by_a_person(scope: Scope) -> bool:
    return _is_read(scope) and "text/html" in Headers(scope=scope).get("accept", "")


def keyed_as(scope: Scope) -> str | None:
    """What a request is about that always needs a key: submissions, or runs of experiments; None for all others.

    Pages of experiments are as open as other pages; whatever is sent to their paths needs a key.
    """
    path: str = scope["path"]
    if _is_below(path, SUBMISSIONS):
        return SUBMISSIONS
    is_read = scope["type"] == "http" and scope["method"] in _READING
    is_of_api = _is_below(path, RUNS) or _is_below(path, f"{EXPERIMENTS}/api")
    return RUNS if is_of_api or (_is_below(path, EXPERIMENTS) and not is_read) else None


def _is_below(path: str, of: str) -> bool:
    return path == of or path.startswith(f"{of}/")


def _too_often(wait: float, what: str) -> JSONResponse:
    seconds = math.ceil(wait)
    return _told(429, f"{what}; wait {seconds} s", {"Retry-After": str(seconds)})


def _told(status: int, detail: str, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, dict(headers))
