"""Pictures of charts for places that show no Vega-Lite, such as the metadata of a Dagster asset."""

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Any

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(spec: Mapping[str, Any], scale: float = 1.5) -> bytes:
    """Draw a Vega-Lite specification, without network and without a browser.

    Parameters
    ----------
    spec : mapping
        The specification, data included.
    scale : float
        Pixels per point.
    """
    import vl_convert

    return _deflate(vl_convert.vegalite_to_png(dict(spec), scale=scale))


def markdown_picture(spec: Mapping[str, Any], alt: str) -> str:
    """A Markdown image with the picture inside, as the Dagster UI shows it."""
    return f"![{alt}](data:image/png;base64,{base64.b64encode(png(spec)).decode()})"


def _deflate(picture: bytes) -> bytes:
    """The same PNG with its pixels compressed well: the renderer hardly does, and metadata is kept in a database."""
    chunks = []
    place = len(_SIGNATURE)
    while place < len(picture):
        (size,) = struct.unpack(">I", picture[place : place + 4])
        chunks.append((picture[place + 4 : place + 8], picture[place + 8 : place + 8 + size]))
        place += 12 + size
    pixels = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), 9)
    header = [chunk for chunk in chunks if chunk[0] == b"IHDR"]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*header, (b"IDAT", pixels), (b"IEND", b"")]
    )
