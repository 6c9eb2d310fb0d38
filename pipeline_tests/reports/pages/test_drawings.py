"""Small drawings: every place is where its value is."""

import pytest

from pipeline.reports.pages.drawings import Axis, axis, interval, polyline


def test_an_axis_reaches_every_value_and_zero_where_it_is_near() -> None:
    near = axis([0.3, 0.9, None])
    assert near is not None
    assert (near.low, near.high, near.zero) == (0.0, 0.9, near.place(0.0))
    far = axis([10.0, 11.0])
    assert far is not None
    assert (far.low, far.zero) == (10.0, None)
    below = axis([-0.05, -0.3])
    assert below is not None
    assert below.high == 0.0
    assert axis([None, float("nan")]) is None


def test_places_are_in_the_order_of_values_and_inside() -> None:
    on = Axis(-1.0, 1.0, 100.0)
    places = [on.place(value) for value in (-5.0, -1.0, 0.0, 1.0, 5.0)]
    assert places == sorted(places)
    assert (places[0], places[2], places[-1]) == (4.0, 50.0, 96.0)
    assert Axis(1.0, 1.0, 100.0).place(1.0) == 50.0


def test_an_interval_without_ends_is_a_point() -> None:
    on = Axis(0.0, 1.0, 100.0)
    drawn = interval(on, 0.5, None, None)
    assert drawn is not None
    assert (drawn.at, drawn.low, drawn.high) == (50.0, None, None)
    assert interval(on, None, None, None) is None
    assert interval(None, 0.5, 0.4, 0.6) is None


@pytest.mark.parametrize("n", [2, 59, 60, 61, 5_000])
def test_a_line_keeps_its_ends_whatever_its_length(n: int) -> None:
    points = polyline([float(value) for value in range(n)]).split()
    assert len(points) == min(n, 60)
    assert (points[0], points[-1]) == ("10,220", "950,20")


def test_lines_of_one_value_are_not_drawn_and_level_ones_are_in_the_middle() -> None:
    assert polyline([1.0]) == ""
    assert polyline([3.0, 3.0]) == "10,120 950,120"
