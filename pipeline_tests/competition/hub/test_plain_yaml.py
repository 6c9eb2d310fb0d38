"""YAML of strangers: plain values, in no more memory than they were written in."""

import pytest
import yaml

from pipeline.competition.hub.plain_yaml import load_plain

LISTS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


def test_plain_values_are_read() -> None:
    assert load_plain('a: "5 * 3"\nb: [1, {c: 2024-01-01}]')["a"] == "5 * 3"


@pytest.mark.parametrize("text", [LISTS, MERGED])
def test_a_few_lines_do_not_stand_for_gigabytes(text: str) -> None:
    with pytest.raises(ValueError, match="it has aliases"):
        load_plain(text)


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']", "a: !!python/name:os.system"])
def test_no_tag_makes_anything_of_a_value(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_plain(text)


@pytest.mark.parametrize("text", ["a: " + "9" * 5000, "x" * 1_000_001, "a: 2024-99-99"])
def test_what_is_no_value_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"limit|characters|month|range|day"):
        load_plain(text)
