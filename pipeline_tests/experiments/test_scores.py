"""Which score of a run counts: the newest by time, and the mean over people."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments import latest_scores, numbered, rater_numbers, scorer_values

NAN = float("nan")


def rows(*given: tuple[str, str, int, float, int]) -> pd.DataFrame:
    """Scores: run, scorer, rater, value, day."""
    frame = pd.DataFrame(given, columns=["run_id", "scorer", "rater", "value", "day"])
    return frame.assign(scored_at=pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["day"], unit="D"))


def values(scores: pd.DataFrame, *runs: str) -> dict[str, list[float]]:
    found = scorer_values(scores, pd.Index(runs))
    return {name: [round(one, 6) for one in column.tolist()] for name, column in found.items()}


def test_the_newest_by_time_counts_whatever_the_order_of_rows() -> None:
    scores = rows(("r", "a", 0, 0.9, 3), ("r", "a", 0, 0.1, 1), ("r", "a", 0, 0.5, 2))
    assert values(scores, "r") == {"a": [0.9]}
    assert numbered(scores)["number"].tolist() == [3, 1, 2]
    assert numbered(scores)["is_latest"].tolist() == [True, False, False]


@given(st.permutations(range(5)))
def test_the_order_of_rows_changes_no_value(order: list[int]) -> None:
    scores = rows(
        ("r", "a", 0, 0.9, 3),
        ("r", "a", 0, 0.1, 1),
        ("s", "a", 0, 0.5, 2),
        ("r", "b", 1, 0.2, 1),
        ("r", "b", 2, 0.4, 2),
    )
    found, expected = (scorer_values(some, pd.Index(["r", "s"])) for some in (scores.iloc[order], scores))
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)


def test_of_two_at_the_same_time_the_later_row_is_newer() -> None:
    assert values(rows(("r", "a", 0, 0.2, 1), ("r", "a", 0, 0.7, 1)), "r") == {"a": [0.7]}


def test_a_newest_score_without_a_value_takes_back_what_was_said_before() -> None:
    scores = rows(("r", "a", 0, 0.9, 1), ("r", "a", 0, NAN, 2), ("s", "a", 0, 0.5, 1))
    np.testing.assert_allclose(scorer_values(scores, pd.Index(["r", "s"]))["a"], [NAN, 0.5])
    assert len(latest_scores(scores)) == 2


def test_people_are_averaged_each_by_the_newest() -> None:
    scores = rows(("r", "h", 1, 0.0, 1), ("r", "h", 1, 0.6, 2), ("r", "h", 2, 1.0, 1), ("r", "h", 3, NAN, 1))
    assert values(scores, "r") == {"h": [0.8]}


def test_people_overrule_a_machine_by_the_name_of_its_scorer() -> None:
    scores = rows(("r", "a", 0, 0.1, 5), ("r", "a", 4, 0.9, 1), ("s", "a", 0, 0.1, 5), ("s", "a", 4, NAN, 6))
    assert values(scores, "r", "s") == {"a": [0.9, 0.1]}


def test_scores_of_other_runs_do_not_count() -> None:
    assert values(rows(("other", "b", 0, 0.1, 1), ("r", "a", 0, 0.2, 1)), "s", "r")["a"][1] == 0.2
    assert scorer_values(rows(), pd.Index(["r"])) == {}


def test_equal_ratings_average_to_themselves() -> None:
    scores = rows(*(("r", "h", rater, 1.0, 1) for rater in range(1, 11)))
    assert scorer_values(scores, pd.Index(["r"]))["h"].tolist() == [1.0]


def test_a_score_without_a_time_is_refused() -> None:
    scores = rows(("r", "a", 0, 0.2, 1)).assign(scored_at=pd.NaT)
    with pytest.raises(ValueError, match="a score has no scored_at"):
        numbered(scores)


def test_people_keep_their_numbers() -> None:
    assert rater_numbers(["ann", "bob", "ann"], {}) == {"ann": 1, "bob": 2}
    assert rater_numbers(["cy", "bob"], {"bob": 2}) == {"bob": 2, "cy": 3}
    for wrong in ({"ann": 1, "bob": 1}, {"ann": 0}):
        with pytest.raises(ValueError, match="give each person one of their own, from 1"):
            rater_numbers([], wrong)
