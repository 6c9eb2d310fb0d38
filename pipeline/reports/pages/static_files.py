"""``/static``: our own styles and scripts, and the bundle of Vega that vl-convert carries."""

import functools
import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response

from pipeline.reports.problems import UnknownPageError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
VEGA = "vega.js"
"""Of vl-convert, so that nothing is fetched from elsewhere and nobody's file is kept in the repository."""


@router.get("/static/{name}")
def static_file(request: Request, name: str) -> Response:
    """A style, a script or a picture; asked for again with its ETag, it is not sent again."""
    content = _content(name)
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_MEDIA[Path(name).suffix], headers=headers)


@functools.cache
def _files() -> dict[str, Path]:
    return {path.name: path for path in _FOLDER.iterdir() if path.suffix in _MEDIA}


@functools.cache
def _vega() -> bytes:
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed").encode()


def _content(name: str) -> bytes:
    if name == VEGA:
        return _vega()
    if name not in _files():
        raise UnknownPageError(f"no file {name!r} is served")
    return _files()[name].read_bytes()
