"""Charts are specifications that draw; pictures are sound PNG files."""

import base64
import html
import json
import re
import struct
import zlib
from typing import Any

import pytest
import vl_convert

from pipeline.charts import board_chart, cumulative_chart, markdown_picture, png

BOARD = [
    {"position": 1, "label": "Ridge", "value": 0.04, "ci_low": 0.01, "ci_high": 0.07},
    {"position": 2, "label": 'odd: "a.b[0]" <ü>', "value": -0.02, "ci_low": None, "ci_high": None},
    {"position": 3, "label": "Random", "value": None, "ci_low": None, "ci_high": None},
]
LINES = [
    {"time": "2024-01-05", "label": "Ridge", "value": 0.1},
    {"time": "2024-01-05", "label": "Random", "value": -0.1},
    {"time": "2024-01-12", "label": "Ridge", "value": 0.3},
]
SPECS = {
    "board": board_chart(BOARD, "Demo", "ic, all", "correlation"),
    "board of nobody": board_chart([], "Demo", "ic, all", "correlation"),
    "lines": cumulative_chart(LINES, "Demo", "leaders", "sum of ic"),
    "no lines": cumulative_chart([], "Demo", "leaders", "sum of ic"),
}


def chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and data of every chunk, with the signature and each checksum verified."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = [], 8
    while place < len(picture):
        size, kind = struct.unpack(">I4s", picture[place : place + 8])
        data = picture[place + 8 : place + 8 + size]
        (checksum,) = struct.unpack(">I", picture[place + 8 + size : place + 12 + size])
        assert checksum == zlib.crc32(kind + data)
        found.append((kind, data))
        place += 12 + size
    assert place == len(picture)
    return found


def pixels(picture: bytes) -> tuple[tuple[int, ...], bytes]:
    """The header, and the filtered pixels."""
    found = chunks(picture)
    return struct.unpack(">IIBBBBB", found[0][1]), zlib.decompress(b"".join(d for kind, d in found if kind == b"IDAT"))


@pytest.mark.parametrize("name", SPECS)
def test_a_chart_is_plain_json_and_draws_as_a_sound_png(name: str) -> None:
    spec: dict[str, Any] = SPECS[name]
    assert json.loads(json.dumps(spec)) == spec
    picture = png(spec)
    (width, height, depth, color, *_), raw = pixels(picture)
    assert [kind for kind, _ in chunks(picture)] == [b"IHDR", b"IDAT", b"IEND"]
    assert depth == 8
    assert len(raw) == height * (1 + width * {2: 3, 6: 4}[color])


def test_compression_changes_no_pixel_and_saves_room() -> None:
    spec = SPECS["board"]
    drawn = vl_convert.vegalite_to_png(dict(spec), scale=1.5)
    assert pixels(png(spec)) == pixels(drawn)
    assert len(png(spec)) < len(drawn)


def test_scale_is_in_pixels_per_point() -> None:
    small, large = (pixels(png(SPECS["board"], scale=scale))[0] for scale in (1.0, 2.0))
    assert abs(large[0] - 2 * small[0]) <= 2


def test_a_markdown_picture_holds_the_whole_picture() -> None:
    text = markdown_picture(SPECS["board"], "Top of the demo board")
    start = "![Top of the demo board](data:image/png;base64,"
    assert text.startswith(start)
    assert base64.b64decode(text.removeprefix(start).removesuffix(")")) == png(SPECS["board"])


def test_an_unknown_interval_is_kept_as_null() -> None:
    values = SPECS["board"]["data"]["values"]
    assert values[1]["ci_low"] is None
    assert vl_convert.vegalite_to_svg(SPECS["board"]).count("<path") > 0


def test_models_are_drawn_in_the_order_of_the_board() -> None:
    shown = vl_convert.vegalite_to_svg(board_chart(BOARD[::-1], "Demo", "ic", "correlation"))
    labels = re.findall(r"translate\(-7,([\d.]+)\)[^>]*>([^<]+)<", shown)
    from_the_top = [html.unescape(label) for _, label in sorted(labels, key=lambda found: float(found[0]))]
    assert from_the_top == [row["label"] for row in BOARD]


def test_each_line_is_named_once_at_its_end() -> None:
    named = SPECS["lines"]["layer"][1]["data"]["values"]
    assert [(row["label"], row["time"]) for row in named] == [("Ridge", "2024-01-12"), ("Random", "2024-01-05")]
