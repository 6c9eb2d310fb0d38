"""Where published results are."""

from pathlib import Path

import pytest

from pipeline_tests.conftest import SHARED_DATA


def shared(*parts: str) -> Path:
    """A file of the shared data; the test is skipped where it is not there."""
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return path
