"""Words that only one of two texts has are marked, and both texts stay what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reports.pages.word_differences import Piece, differences


def marked(pieces: tuple[Piece, ...]) -> list[str]:
    return [one.text for one in pieces if one.is_own]


@pytest.mark.parametrize(
    ("first", "second", "of_first", "of_second"),
    [
        ("It is Oslo", "It is Rome", ["Oslo"], ["Rome"]),
        ("Oslo", "It is Oslo, I think", [], ["It is ", ", I think"]),
        ("same", "same", [], []),
        ("", "new", [], ["new"]),
        ("3.14", "3.15", ["14"], ["15"]),
        ("a  b", "a b", [], []),
    ],
)
def test_what_only_one_has_is_marked(first: str, second: str, of_first: list[str], of_second: list[str]) -> None:
    found = differences(first, second)
    assert (marked(found.first), marked(found.second)) == (of_first, of_second)


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_the_texts(first: str, second: str) -> None:
    found = differences(first, second)
    assert "".join(one.text for one in found.first) == first
    assert "".join(one.text for one in found.second) == second


def test_texts_that_are_too_long_are_not_compared() -> None:
    found = differences("a " * 3_000, "b " * 3_000)
    assert not found.is_whole
    assert marked(found.first) == marked(found.second) == []
    assert "".join(one.text for one in found.first) == "a " * 3_000
