"""``/static``: our own styles and scripts, and those of Vega and Swagger UI out of the packages that carry them.

So nothing is fetched from elsewhere, and nobody's file is kept in the repository.
"""

import functools
import hashlib
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from pipeline.reports.wrong import UnknownPageError

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parent / "static"
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_VEGA = "vega.js"
_SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css")


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
def _content(name: str) -> bytes:
    if name == _VEGA:
        import vl_convert

        return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed").encode()
    if name in _SWAGGER:
        return (files("fastapi_swagger") / "resources" / name).read_bytes()
    own = {path.name: path for path in _FOLDER.iterdir() if path.suffix in _MEDIA}
    if name not in own:
        raise UnknownPageError(f"no file {name!r} is served")
    return own[name].read_bytes()
