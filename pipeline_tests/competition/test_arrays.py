"""Centring, with absences."""

import numpy as np
import pytest

from pipeline.competition.arrays import centred
from pipeline_tests.competition.contests import NAN


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0, 6.0], [-2, -1, 3]),
        ([1.0, NAN, 3.0], [-1, 0, 1]),
        ([NAN, NAN], [0, 0]),
        ([4.0], [0]),
    ],
)
def test_centring_by_hand(values: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(centred(np.array(values)), expected)
