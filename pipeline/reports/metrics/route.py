"""``/metrics``: what Prometheus scrapes, for whom settings let it."""

import hmac
import ipaddress

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from pipeline.reports.access.gate import METRICS
from pipeline.settings import Settings

TOKEN = "metrics"  # noqa: S105  # nosec B105 # the name of a secret
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
_REFUSED = (
    "/metrics is for this machine; send `Authorization: Bearer` with the value of PODIUM_SECRETS_METRICS, or let the "
    "operator set PODIUM_METRICS=open"
)

router = APIRouter(include_in_schema=False)


@router.get(METRICS)
def metrics(request: Request) -> Response:
    """All metrics in the text format of Prometheus, 0.0.4."""
    if not _is_let_in(request, request.app.state.settings):
        return JSONResponse({"detail": _REFUSED}, 403)
    body = generate_latest(request.app.state.metrics)
    return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


def _is_let_in(request: Request, given: Settings) -> bool:
    if given.metrics == "open":
        return True
    secret = given.secrets.get(TOKEN)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if secret and scheme.lower() == "bearer" and _same(token.strip(), secret.get_secret_value()):
        return True
    # What a proxy on this machine passes on comes from anywhere.
    is_passed_on = any(name in request.headers for name in _FORWARDED)
    return not is_passed_on and _is_of_this_machine(request.client.host if request.client else "")


def _same(token: str, secret: str) -> bool:
    return hmac.compare_digest(token.encode(), secret.encode())


def _is_of_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
