"""Windows are cycles of the competition, counted back from the last resolved one."""

import numpy as np
import pytest

from pipeline.competition.declaration import WindowSpec
from pipeline.competition.stages.windows import span_of

WEEKS = np.arange("2024-01-05", "2024-03-15", 7, dtype="datetime64[D]").astype("datetime64[us]")
RESOLVED = np.array([0, 1, 3, 4, 6])
"""Places of the cycles with an outcome, of ten."""


@pytest.mark.parametrize(
    ("window", "span"),
    [
        ({}, slice(0, 7)),
        ({"cycles": 1}, slice(6, 7)),
        ({"cycles": 3}, slice(3, 7)),
        ({"cycles": 9}, slice(0, 7)),
        ({"duration": "14d"}, slice(5, 7)),
        ({"duration": "15d"}, slice(4, 7)),
        ({"duration": "365d"}, slice(0, 7)),
    ],
)
def test_a_window_ends_with_the_last_resolved_cycle_and_counts_resolved_ones(
    window: dict[str, object], span: slice
) -> None:
    assert len(WEEKS) == 10
    assert span_of(WindowSpec.model_validate(window), WEEKS, RESOLVED) == span
