"""Two rankings drawn against each other: on the diagonal they agree."""

import pytest

from pipeline.reports.pages.rank_plot import rank_plot
from pipeline.reports.queries.runs import Place


def test_a_run_stands_at_its_official_rank_and_at_that_of_the_judge() -> None:
    truth = {"a": Place(1, 1, 2), "b": Place(2, 1, 2), "c": Place(3, 3, 3)}
    judge = {"a": Place(2, 1, 3), "b": Place(1, 1, 1), "c": Place(3, None, None)}
    plot = rank_plot(truth, judge)
    assert plot is not None
    at = {rank: (x, y) for rank, x, y in plot.ticks}
    points = {one.name: one for one in plot.points}
    assert (points["a"].x, points["a"].y) == (at[1][0], at[2][1])
    assert points["a"].could_be == (at[1][1], at[3][1])
    assert points["b"].could_be is points["c"].could_be is None
    assert plot.diagonal == (*at[1], *at[3])
    assert points["a"].said == "a: officially rank 1 (could be 1 to 2), here rank 2 (could be 1 to 3)"


def test_runs_without_a_rank_on_both_boards_are_left_out() -> None:
    truth = {"a": Place(1, 1, 1), "b": Place(2, 2, 2), "c": Place(None, None, None), "d": Place(3, 3, 3)}
    judge = {"a": Place(1, 1, 1), "b": Place(2, 2, 2), "c": Place(3, 3, 3)}
    plot = rank_plot(truth, judge)
    assert plot is not None
    assert [one.name for one in plot.points] == ["a", "b"]
    assert rank_plot({"a": Place(1, 1, 1)}, {"a": Place(1, 1, 1)}) is None


@pytest.mark.parametrize(("n", "named", "barred"), [(24, True, True), (60, False, True), (61, False, False)])
def test_many_runs_are_drawn_without_names_and_more_without_bars(n: int, named: bool, barred: bool) -> None:
    places = {f"r{rank}": Place(rank, max(1, rank - 1), rank + 1) for rank in range(1, n + 1)}
    plot = rank_plot(places, places)
    assert plot is not None
    assert {bool(one.name) for one in plot.points} == {named}
    assert {one.could_be is not None for one in plot.points} == {barred}
    assert len(plot.ticks) <= 11
