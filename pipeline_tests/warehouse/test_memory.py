"""What is kept beside a publication is kept once, bounded, and no error is kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.warehouse import Memory
from pipeline_tests.patience import PATIENCE


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


def test_several_that_ask_at_once_wait_for_one_that_makes_it() -> None:
    memory, made, begun, may_end = Memory(), [], threading.Event(), threading.Event()

    def make() -> int:
        made.append(1)
        begun.set()
        may_end.wait(PATIENCE)
        return len(made)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(memory.of, "key", make)
        begun.wait(PATIENCE)
        others = [threads.submit(memory.of, "key", make) for _ in range(3)]
        may_end.set()
        assert [one.result() for one in (first, *others)] == [1] * 4
    assert made == [1]
