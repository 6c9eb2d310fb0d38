"""A key that is written twice in a YAML file is told with its lines; what may occur twice is not."""

from pathlib import Path

import pytest

from pipeline.components.yaml_keys import repeated_keys


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\n", []),
        ("", []),
        ("a: 1\nb: 2\na: 1\n", ["'a' is written 2 times, in lines 1 and 3; keep one"]),
        ("a: {b: 1, c: 2,\n b: 3}\n", ["'b' is written 2 times, in lines 1 and 2; keep one"]),
        ("a:\n- b: 1\n  b: 2\n  b: 3\n", ["'b' is written 3 times, in lines 2, 3 and 4; keep one"]),
        ("a: 1\n'a': 2\n", ["'a' is written 2 times, in lines 1 and 2; keep one"]),
        ("a: {b: 1}\nc: {b: 1}\n", []),
        ("a: 1\n---\na: 1\n", []),
        ("1: x\n'1': x\n", []),
        ("a: &x {b: 1, b: 2}\nc: *x\n", ["'b' is written 2 times, in lines 1 and 1; keep one"]),
        ("a: &x [*x]\n", []),
    ],
)
def test_keys_are_repeated_within_one_mapping(tmp_path: Path, text: str, told: list[str]) -> None:
    path = tmp_path / "defs.yaml"
    path.write_text(text, encoding="utf-8")
    assert repeated_keys(path) == told
