"""Scores that people or files give: shares of a scale, and nothing outside of it."""

import pytest

from pipeline.experiments.scorers import Human, Imported


@pytest.mark.parametrize(("given", "expected"), [(1, 0.0), (2, 0.25), (5, 1.0)])
def test_a_rating_is_a_share_of_its_scale(given: float, expected: float) -> None:
    scoring = Human(scale=(1, 5), step=1).rating(given)
    assert scoring.value == expected
    assert scoring.details == {"rating": given, "scale": [1, 5]}


@pytest.mark.parametrize("given", [0, 5.5, float("nan"), float("inf")])
def test_a_rating_off_the_scale_is_refused(given: float) -> None:
    with pytest.raises(ValueError, match="is not on the scale; give a number from 1 to 5"):
        Human(scale=(1, 5)).rating(given)


def test_a_rating_between_two_steps_is_refused() -> None:
    assert Human(scale=(0, 1), step=0.1).rating(0.3).value == pytest.approx(0.3)
    with pytest.raises(ValueError, match=r"rating 2\.5 is between two steps of 1 from 1"):
        Human(scale=(1, 5), step=1).rating(2.5)


def test_files_may_count_downwards() -> None:
    assert Imported(scale=(100, 0)).scaled(25).value == 0.75
    assert Imported(scale=(0, 100)).scaled(25).value == 0.25
    for wrong in (-1, 101, float("nan")):
        with pytest.raises(ValueError, match="is not on the scale from 100 to 0; declare the right scale"):
            Imported(scale=(100, 0)).scaled(wrong)


def test_scales_need_two_ends() -> None:
    with pytest.raises(ValueError, match="does not rise"):
        Human(scale=(1, 1))
    with pytest.raises(ValueError, match="has one end"):
        Imported(scale=(1, 1))
    with pytest.raises(ValueError, match=r"steps of 0\.3 do not lead from 0 to 1"):
        Human(step=0.3)
