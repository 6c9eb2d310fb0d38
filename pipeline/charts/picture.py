"""Pictures of charts for places that show no Vega-Lite, such as the metadata of a Dagster asset.

Metadata is kept in a database for every run, so a picture is packed small: few colours, well compressed.
"""

import base64
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = 32
"""Colours of a picture: the most frequent ones; what else smooths the edges of lines and letters gets the nearest."""
_RGBA, _PALETTE = (8, 6, 0, 0, 0), (8, 3, 0, 0, 0)
"""Bits, colour type, compression, filter method and interlacing of a PNG's header."""
_PLAIN, _DIFFERENCES = 0, 1
"""How a line of a PNG is kept: as it is, or as differences from the pixel to the left."""


def png(spec: Mapping[str, Any], scale: float = 1.25) -> bytes:
    """Draw a Vega-Lite specification, without network and without a browser.

    Parameters
    ----------
    spec : mapping
        The specification, data included.
    scale : float
        Pixels per point.
    """
    import vl_convert

    return _packed(vl_convert.vegalite_to_png(dict(spec), scale=scale))


def svg(spec: Mapping[str, Any]) -> str:
    """The drawing of a Vega-Lite specification as SVG, without network and without a browser."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(dict(spec)))


def markdown_picture(spec: Mapping[str, Any], alt: str) -> str:
    """A Markdown image with the picture inside, as the Dagster UI shows it."""
    return f"![{alt}](data:image/png;base64,{base64.b64encode(png(spec)).decode()})"


def _packed(picture: bytes) -> bytes:
    """The same picture with a palette; as it is if the renderer keeps its pixels in another way than it does now."""
    chunks = list(_chunks(picture))
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[0][1])
    raw = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    lines = np.frombuffer(raw, dtype=np.uint8)
    if tuple(kind) != _RGBA or (lines[:: 1 + 4 * width] != _DIFFERENCES).any():
        return picture
    differences = lines.reshape(height, -1)[:, 1:].reshape(height, width, 4)
    pixels = np.cumsum(differences, axis=1, dtype=np.uint8)
    if (pixels[..., 3] != 255).any():
        return picture
    palette, places = _few_colours(pixels[..., :3])
    body = np.insert(places, 0, _PLAIN, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, *_PALETTE)
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [
            (b"IHDR", header),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(body, 9)),
            (b"IEND", b""),
        ]
    )


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(picture):
        (size,) = struct.unpack(">I", picture[place : place + 4])
        yield picture[place + 4 : place + 8], picture[place + 8 : place + 8 + size]
        place += 12 + size


def _few_colours(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A palette, shape (colours, 3), and the place in it of every pixel's nearest colour, shape (height, width)."""
    as_numbers = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    numbers, which, times = np.unique(as_numbers, return_inverse=True, return_counts=True)
    colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.int32)
    palette = colours[np.argsort(-times, kind="stable")[:_COLOURS]]
    nearest = ((colours[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    return palette.astype(np.uint8), nearest[which].reshape(as_numbers.shape)
