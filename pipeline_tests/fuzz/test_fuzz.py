"""Some made-up files for every reader; ``make fuzz`` makes tens of thousands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline_tests.fuzz.feeding import fed, made_up
from pipeline_tests.fuzz.targets import TARGETS, Read, Target

FEW = range(12)
FOUND = {
    "evaluation files": (31, 606),
    "hub submissions": (33, 1520),
    "hub configuration": (448,),
    "declarations": (141, 1372, 1868),
    "source artificialanalysis artificialanalysis_001.json": (734,),
}
"""Files of the seed 0 by their numbers that ``make fuzz`` found to be neither read nor refused with a reason once."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_file_is_read_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    found = fed(name, TARGETS[name], FEW, "a test", tmp_path)
    assert found.failures == []
    assert found.n == len(FEW) == found.n_read + found.n_refused


@pytest.mark.parametrize(("name", "numbers"), FOUND.items())
def test_what_was_found_once_is_read_or_refused_with_a_reason(
    name: str, numbers: tuple[int, ...], tmp_path: Path
) -> None:
    assert fed(name, TARGETS[name], numbers, "0", tmp_path).failures == []


@pytest.mark.parametrize("name", TARGETS)
def test_good_files_are_read(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    with target.opened(tmp_path) as read:
        for file, content in target.files.items():
            read(file, content)


def test_a_file_follows_from_its_number_alone() -> None:
    name, target = next(iter(TARGETS.items()))
    files = [made_up(name, target, number, "0") for number in range(20)]
    assert files == [made_up(name, target, number, "0") for number in range(20)]
    assert len(set(files)) > 15


@pytest.mark.parametrize(
    ("raised", "said"),
    [(KeyError("a cell"), "KeyError: 'a cell'"), (ValueError(""), "refused with ''"), (MemoryError(), "MemoryError: ")],
)
def test_a_reader_that_fails_is_found(raised: Exception, said: str, tmp_path: Path) -> None:
    @contextmanager
    def opened(folder: Path) -> Iterator[Read]:
        def read(name: str, content: bytes) -> None:
            raise raised

        yield read

    found = fed("broken", Target({"a.csv": b"a"}, opened, (ValueError,)), FEW, "0", tmp_path)
    assert {one.why for one in found.failures} == {said}
