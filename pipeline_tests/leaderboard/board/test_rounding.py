"""Printed aggregates beside those of printed topics: rounding explains some differences, and only those."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.leaderboard import Aggregate, Leaderboard, LeaderboardBuilder, LeaderboardSpec, MeasureSpec
from pipeline.leaderboard.board.rounding import aggregate_differences


def printed(measure: MeasureSpec, topics: list[str | None], total: str | None, *, more: bool = False) -> Leaderboard:
    spec = LeaderboardSpec((measure, MeasureSpec("gm", aggregate="gmean", only_in_all=True, of="m")))
    builder = LeaderboardBuilder(spec)
    rows = [(f"{at}", text, None) for at, text in enumerate(topics)] + [("all", total, None)]
    builder.add_columns(
        run_ids=["r"] * len(rows),
        topic_ids=[row[0] for row in rows],
        values={"m": [row[1] for row in rows]},
    )
    return builder.build(drop_aggregate=False)


@pytest.mark.parametrize(
    ("topics", "total"),
    [
        (["0.1000", "0.2001"], "0.1501"),  # 0.15005 as printed; 0.15 to 0.1501 in truth
        (["0.1000", "0.2001"], "0.1500"),
        (["1.0", "0.0", "0.0"], "0.3333333333333333"),
        (["1.0", "0.0", "0.0"], "0.333"),
        (["0.1", "0.25"], "0.175"),
        (["1", "2"], "1.5"),
        (["0.85", "0.90", None], "0.875"),
    ],
)
def test_a_mean_within_rounding_agrees(topics: list[str | None], total: str) -> None:
    assert aggregate_differences(printed(MeasureSpec("m"), topics, total)) == ()


@pytest.mark.parametrize(
    ("topics", "total"),
    [
        (["0.1000", "0.2001"], "0.1503"),
        (["1.0", "0.0", "0.0"], "0.334"),
        (["0.1", "0.25"], "0.1751"),
        (["1", "2"], "1.4"),
        (["1", "2"], "1"),
    ],
)
def test_a_mean_beyond_rounding_does_not(topics: list[str | None], total: str) -> None:
    (found,) = aggregate_differences(printed(MeasureSpec("m"), topics, total))
    assert (found.run_id, found.measure, found.printed) == ("r", "m", float(total))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.recomputed <= found.high  # type: ignore[operator]


def test_counts_are_exact() -> None:
    measure = MeasureSpec("m", aggregate=Aggregate.SUM)
    assert aggregate_differences(printed(measure, ["10", "3"], "13")) == ()
    assert len(aggregate_differences(printed(measure, ["10", "3"], "14"))) == 1


def test_texts_are_compared_with_the_first() -> None:
    spec = LeaderboardSpec((MeasureSpec("c", str),))
    builder = LeaderboardBuilder(spec)
    builder.add_columns(run_ids=["r", "r"], topic_ids=["1", "all"], values={"c": ["x", "y"]})
    (found,) = aggregate_differences(builder.build(drop_aggregate=False))
    assert (found.printed, found.recomputed, found.low, found.high) == ("y", "x", None, None)


def test_what_cannot_be_compared_is_not() -> None:
    only_all = printed(MeasureSpec("m"), [], "0.5")
    assert aggregate_differences(only_all) == ()
    assert aggregate_differences(printed(MeasureSpec("m", aggregate=Aggregate.NONE), ["1"], "2")) == ()
    assert aggregate_differences(printed(MeasureSpec("m"), ["1"], None)) == ()


def test_an_aggregate_over_more_topics_than_the_run_has_agrees_once_they_are_expected() -> None:
    board = printed(MeasureSpec("m"), ["0.2000", "0.4000"], "0.2000")
    assert len(aggregate_differences(board)) == 1
    assert aggregate_differences(board, n_expected=3) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(2, 6), st.sampled_from(["mean", "sum", "gmean"]))
def test_what_was_computed_before_it_was_rounded_always_agrees(values: list[float], places: int, how: str) -> None:
    measure = MeasureSpec("m", aggregate=Aggregate(how))
    total = measure.get_aggregate()(values)
    board = printed(measure, [f"{value:.{places}f}" for value in values], f"{total:.{places}f}")
    assert aggregate_differences(board) == ()
