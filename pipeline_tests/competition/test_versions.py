"""From which cycle on a model is of which version."""

from datetime import datetime, timedelta

import pandas as pd

from pipeline.competition.versions import model_versions
from pipeline_tests.competition.contests import cycle


def registrations(*rows: tuple[str, str, datetime]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["model_id", "version", "received_at"])
    return frame.astype({"model_id": "str", "version": "str", "received_at": "datetime64[us]"})


def played(**numbers: list[int]) -> pd.DataFrame:
    """The cycles that each model predicted; the deadline is an hour after the cycle."""
    rows = [(model, cycle(number)) for model, of_model in numbers.items() for number in of_model]
    frame = pd.DataFrame(rows, columns=["model_id", "cycle"]).astype({"model_id": "str", "cycle": "datetime64[us]"})
    return frame.assign(deadline=frame["cycle"] + timedelta(hours=1))


def versions(registered: pd.DataFrame, cycles: pd.DataFrame) -> list[tuple[str, datetime, str]]:
    return list(model_versions(registered, cycles).itertuples(index=False, name=None))


def test_a_new_version_counts_from_the_first_cycle_it_could_still_be_submitted_to() -> None:
    registered = registrations(("a", "1", cycle(0)), ("a", "2", cycle(2) + timedelta(minutes=59)))
    assert versions(registered, played(a=[0, 1, 2, 3])) == [("a", cycle(0), "1"), ("a", cycle(2), "2")]
    later = registrations(("a", "1", cycle(0)), ("a", "2", cycle(2) + timedelta(minutes=61)))
    assert versions(later, played(a=[0, 1, 2, 3])) == [("a", cycle(0), "1"), ("a", cycle(3), "2")]


def test_the_first_version_is_that_of_every_cycle_before_too() -> None:
    assert versions(registrations(("a", "7", cycle(9))), played(a=[0, 1])) == [("a", cycle(0), "7")]


def test_registering_the_same_version_again_is_no_break_and_going_back_is_one() -> None:
    registered = registrations(("a", "1", cycle(0)), ("a", "1", cycle(1)), ("a", "2", cycle(2)), ("a", "1", cycle(3)))
    assert versions(registered, played(a=[0, 1, 2, 3])) == [
        ("a", cycle(0), "1"),
        ("a", cycle(2), "2"),
        ("a", cycle(3), "1"),
    ]


def test_versions_that_predicted_nothing_are_left_out() -> None:
    registered = registrations(("a", "1", cycle(0)), ("a", "2", cycle(1)), ("a", "3", cycle(2)), ("b", "1", cycle(0)))
    assert versions(registered, played(a=[0, 5])) == [("a", cycle(0), "1"), ("a", cycle(5), "3")]


def test_a_model_without_registration_is_of_version_1() -> None:
    assert versions(registrations(), played(a=[1, 2])) == [("a", cycle(1), "1")]
    assert versions(registrations(("b", "2", cycle(0))), played(a=[1], b=[1])) == [
        ("a", cycle(1), "1"),
        ("b", cycle(1), "2"),
    ]


def test_without_models_or_predictions_there_are_no_versions() -> None:
    nobody = pd.DataFrame({"model_id": [], "version": [], "received_at": []}, dtype=object)
    nothing = pd.DataFrame({"model_id": [], "cycle": [], "deadline": []}, dtype=object)
    assert versions(nobody, nothing) == []
    assert versions(registrations(("a", "1", cycle(0))), nothing) == []
    assert versions(nobody, played(a=[0])) == [("a", cycle(0), "1")]


def test_models_are_told_apart() -> None:
    registered = registrations(("a", "1", cycle(0)), ("b", "1", cycle(0)), ("a", "2", cycle(1)))
    assert versions(registered, played(a=[0, 1], b=[0, 1])) == [
        ("a", cycle(0), "1"),
        ("a", cycle(1), "2"),
        ("b", cycle(0), "1"),
    ]
