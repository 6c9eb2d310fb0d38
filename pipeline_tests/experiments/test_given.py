"""Scores that come in files: what is stated again is there once, and nothing else is left out."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.experiments.given import scores_of_files

NOON = datetime(2026, 3, 4, 12)
FIRST = {
    **{"score_id": "s1", "run_id": "r1", "scorer": "stars", "rater_name": "Ann", "value": 0.5},
    **{"reason": None, "scored_at": NOON},
}


def taken(*rows: dict[str, Any]) -> list[int]:
    """The places of those that are there."""
    return scores_of_files(pd.DataFrame(rows)).index.tolist()


def test_what_comes_again_under_its_name_counts_once_whenever_it_comes() -> None:
    assert taken(FIRST, FIRST, FIRST | {"scored_at": NOON + timedelta(days=1)}) == [0]


@pytest.mark.parametrize(
    "other",
    [
        {"run_id": "r2"},
        {"scorer": "speed"},
        {"rater_name": "Bert"},
        {"rater_name": None},
        {"value": 0.75, "scored_at": NOON + timedelta(hours=1)},
        {"value": None, "reason": "unclear"},
    ],
)
def test_a_name_that_is_used_twice_loses_no_score(other: dict[str, Any]) -> None:
    assert taken(FIRST, FIRST | other) == [0, 1]


def test_without_a_name_the_same_at_another_time_is_another() -> None:
    unnamed = FIRST | {"score_id": None}
    assert taken(unnamed, unnamed, unnamed | {"scored_at": NOON + timedelta(hours=1)}) == [0, 2]
