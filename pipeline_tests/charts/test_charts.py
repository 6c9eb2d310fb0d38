"""Charts are specifications that draw; pictures are sound PNG files."""

import base64
import html
import itertools
import json
import re
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import vl_convert

from pipeline.charts import (
    ValueAxis,
    board_chart,
    cumulative_chart,
    has_intervals,
    markdown_picture,
    parts_chart,
    picture,
    png,
)

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
PARTS = [
    {"part": "0", "label": "Ridge", "value": 0.9, "ci_low": 0.7, "ci_high": 1.2},
    {"part": "0", "label": "Random", "value": 1.1, "ci_low": None, "ci_high": None},
    {"part": "1", "label": "Ridge", "value": 0.8, "ci_low": 0.6, "ci_high": 1.0},
]
WEEKS = [row | {"part": f"2024-01-0{5 + number}T00:00:00"} for number, row in enumerate(PARTS)]
SKILL = ValueAxis("relative skill", reference=1.0)
SPECS = {
    "parts": parts_chart(PARTS, ["Ridge", "Random"], SKILL, is_series=False),
    "parts in time": parts_chart(WEEKS, ["Ridge", "Random"], SKILL, is_series=True),
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
    assert [kind for kind, _ in chunks(picture)] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert (depth, color) == (8, 3)
    assert len(raw) == height * (1 + width)


def test_a_packed_picture_looks_the_same_in_a_fraction_of_the_room() -> None:
    drawn = vl_convert.vegalite_to_png(dict(SPECS["board"]), scale=1.25)
    packed = png(SPECS["board"])
    (width, height, *_), raw = pixels(packed)
    palette = np.frombuffer(dict(chunks(packed))[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
    places = np.frombuffer(raw, dtype=np.uint8).reshape(height, 1 + width)[:, 1:]
    differences = np.frombuffer(pixels(drawn)[1], dtype=np.uint8).reshape(height, 1 + 4 * width)[:, 1:]
    original = np.cumsum(differences.reshape(height, width, 4), axis=1, dtype=np.uint8)[..., :3].astype(int)

    error = np.abs(palette[places].astype(int) - original)

    assert len(packed) < len(drawn) / 3
    assert error.mean() < 0.5
    assert (error.max(axis=2) > 0).mean() < 0.03
    white = (original == 255).all(axis=2)
    assert not error[white].any()


def test_a_picture_kept_in_another_way_stays_as_it_is() -> None:
    packed = png(SPECS["board"])
    assert picture._packed(packed) == packed


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
    assert [(row["label"], row["time"]) for row in named] == [("Random", "2024-01-05"), ("Ridge", "2024-01-12")]


@pytest.mark.parametrize("ends", [[1.0, 1.01, 1.02, 1.03], [0.0, 0.5, 0.5, 1.0], [-1.0, -0.99, 3.0, 3.0]])
def test_names_at_the_ends_do_not_cover_one_another(ends: list[float]) -> None:
    rows = [{"time": "2024-01-05", "label": f"Model {number}", "value": end} for number, end in enumerate(ends)]
    shown = vl_convert.vegalite_to_svg(cumulative_chart(rows, "Demo", "leaders", "sum of ic"))
    names = re.findall(r"translate\([\d.]+,(-?[\d.]+)\)[^>]*>Model \d<", shown)
    heights = sorted(map(float, names))
    assert len(heights) == len(ends)
    assert all(lower - upper >= 11 for upper, lower in itertools.pairwise(heights))


def test_both_charts_are_about_equally_wide() -> None:
    names = ["Moving-average crossover", "Random"]
    board = [row | {"label": name} for row, name in zip(BOARD, names, strict=False)]
    times = ["2024-01-05", "2024-12-27"]
    lines = [{"time": time, "label": name, "value": 0.1 * place} for time in times for place, name in enumerate(names)]

    charts = board_chart(board, "Demo", "", "ic"), cumulative_chart(lines, "Demo", "", "ic")

    widths = [pixels(png(chart))[0][0] for chart in charts]
    assert max(widths) < 1.05 * min(widths)


def test_parts_have_intervals_where_they_can_be_told_apart() -> None:
    many = [PARTS[0] | {"part": str(number)} for number in range(13)]
    assert has_intervals(PARTS)
    assert not has_intervals(many)
    assert not has_intervals(PARTS[1:2])
    assert len(parts_chart(many, ["Ridge"], SKILL, is_series=False)["layer"]) == 2
    assert len(parts_chart(PARTS, ["Ridge"], SKILL, is_series=False)["layer"]) == 3
