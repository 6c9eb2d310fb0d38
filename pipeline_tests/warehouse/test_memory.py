"""What is kept beside a publication is kept once, bounded, and no error is kept."""

import pytest

from pipeline.warehouse import Memory


def test_a_value_is_made_once() -> None:
    memory, made = Memory(), []
    for _ in range(2):
        assert memory.of("key", lambda: made.append(1) or len(made)) == 1


def test_only_the_values_used_last_are_kept() -> None:
    memory = Memory(most=2)
    memory.of("a", lambda: 1)
    memory.of("b", lambda: 1)
    memory.of("a", lambda: 2)
    memory.of("c", lambda: 1)
    assert [memory.of(key, lambda: "new") for key in ("a", "c", "b")] == [1, 1, "new"]


def test_what_could_not_be_made_is_tried_again() -> None:
    memory = Memory()

    def fail() -> int:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        memory.of("key", fail)
    assert memory.of("key", lambda: 1) == 1
