"""What tests of reports share."""

from pathlib import Path

import pytest

from pipeline_tests.reports.writing import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A contest that takes submissions, published."""
    made = Desk(tmp_path)
    made.publish()
    return made
