"""What routes that need a key have in common: whose the key is, and what is answered without one."""

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from pipeline.reports.access import key_of
from pipeline.reports.access.keys import Key
from pipeline.reports.answers import Problem

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key of a player, podium_..., which the operator makes."
)


def key_given(request: Request, _: Annotated[Any, Depends(_bearer)]) -> Key:
    """The key of a request; the gate let it in with one."""
    key = key_of(request.scope)
    if key is None:
        raise HTTPException(401, "a key is needed", {"WWW-Authenticate": "Bearer"})
    return key


Player = Annotated[Key, Depends(key_given)]

REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {
        "model": Problem,
        "description": "No key, or one that is unknown or revoked.",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    },
    429: {
        "model": Problem,
        "description": "Too many requests with this key, or without a valid one from this address.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    },
}
"""What OpenAPI says of every route that needs a key."""
