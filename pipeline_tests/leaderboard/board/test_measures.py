"""What a measure is, and what is refused of one."""

import numpy as np
import pytest

from pipeline.leaderboard import Aggregate, Direction, LeaderboardSpec, MeasureSpec


def test_a_number_is_by_default_better_when_higher_averaged_and_0_where_missing() -> None:
    measure = MeasureSpec("GRADE")
    assert (measure.dtype, measure.direction, measure.aggregate) == (float, Direction.DESC, Aggregate.MEAN)
    assert measure.get_default() == 0.0
    assert measure.get_aggregate()([0.25, 0.75]) == 0.5
    assert measure.get_cast()("0.5") == 0.5


def test_a_text_is_by_default_not_ranked_taken_from_the_first_topic_and_empty_where_missing() -> None:
    measure = MeasureSpec("CATEGORY", str)
    assert (measure.direction, measure.aggregate) == (Direction.NONE, Aggregate.FIRST)
    assert measure.get_default() == ""
    assert measure.get_aggregate()(["b", "a"]) == "b"
    assert measure.get_cast()(3) == "3"


@pytest.mark.parametrize("direction", [Direction.ASC, Direction.NONE])
def test_what_is_not_better_when_higher_has_no_default_because_0_could_be_the_best(direction: Direction) -> None:
    assert MeasureSpec("loss", direction=direction).default is None
    assert MeasureSpec("loss", direction=direction, default=9).default == 9.0


@pytest.mark.parametrize(
    ("given", "cast"),
    [
        (True, 1.0),
        (False, 0.0),
        (3, 3.0),
        (np.float32(0.5), 0.5),
        (np.int64(2), 2.0),
        ("0.1000", 0.1),
        ("-1e-3", -0.001),
        (".5", 0.5),
        ("5.", 5.0),
        (None, None),
        (float("nan"), None),
        ("nan", None),
        ("NaN", None),
        ("-nan", None),
    ],
)
def test_numbers_are_cast(given: object, cast: float | None) -> None:
    assert MeasureSpec("m").cast(given) == cast


@pytest.mark.parametrize("given", ["1_000", "0x1", "", " 1", "one", "1,5", "٣", [], {}])
def test_what_is_no_number_is_refused_by_name(given: object) -> None:
    with pytest.raises(ValueError, match="of measure 'm' is no number"):
        MeasureSpec("m").cast(given)


@pytest.mark.parametrize("given", [float("inf"), -np.inf, "1e999"])
def test_an_infinite_number_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="of measure 'm' is infinite"):
        MeasureSpec("m").cast(given)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dtype": int}, "dtype int; only float and str survive"),
        ({"dtype": bool}, "dtype bool; only float and str survive"),
        ({"name": ""}, "files could not hold it"),
        ({"name": "two\twords"}, "files could not hold it"),
        ({"name": " space"}, "files could not hold it"),
        ({"dtype": str, "direction": "desc"}, "is text and has direction desc"),
        ({"dtype": str, "aggregate": "mean"}, "is text, which has no mean"),
        ({"dtype": str, "weight": 1.0}, "weights are positive, of numbers only"),
        ({"weight": 0.0}, "weights are positive"),
        ({"weight": float("nan")}, "weights are positive"),
        ({"default": "none"}, "is no number"),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MeasureSpec(**({"name": "m"} | arguments))  # type: ignore[arg-type]


def test_a_board_lists_a_measure_once() -> None:
    with pytest.raises(ValueError, match="measure 'a' occurs more than once"):
        LeaderboardSpec((MeasureSpec("a"), MeasureSpec("a")))


def test_a_spec_knows_its_names_and_names_them_when_asked_for_another() -> None:
    spec = LeaderboardSpec((MeasureSpec("map"), MeasureSpec("gm_map", only_in_all=True, of="map")))
    assert spec.names == ("map", "gm_map")
    assert spec.name_set == {"map", "gm_map"}
    assert spec.topic_names == ("map",)
    assert spec["gm_map"].source == "map"
    with pytest.raises(KeyError, match="unknown measure 'ndcg'; the board has: map, gm_map"):
        spec["ndcg"]


def test_values_are_cast_together_in_the_order_of_the_spec() -> None:
    spec = LeaderboardSpec((MeasureSpec("a"), MeasureSpec("b", str)))
    assert list(spec.cast_values({"b": 1, "a": "2"}).items()) == [("a", 2.0), ("b", "1")]
