"""Outcomes in time: stamps, news, which outcome a cross-section has, and what was known when."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition.declaration import TruthSpec
from pipeline.competition.truth import news, outcomes_of, stamp, versions
from pipeline_tests.competition.contests import NAN, cycle, predictions, shuffled, stack, truth

NOW = datetime(2025, 6, 1)
LATER = datetime(2025, 7, 1)
DAY = timedelta(days=1)
COLUMNS = ["subject", "target_time", "horizon", "known_at", "value"]
T1, T2, T3 = (cycle(1) + days * DAY for days in (0, 10, 20))
NOTHING = truth({"x": 1.0}).iloc[:0]


def vintages(*values: tuple[datetime, float | None], subject: str = "x") -> pd.DataFrame:
    """Versions of one outcome: (known_at, value) each."""
    return stack(*(truth({subject: value}, known_at=known_at) for known_at, value in values))


def pairs(rows: pd.DataFrame) -> list[tuple[pd.Timestamp, float]]:
    return list(zip(rows["known_at"], rows["value"], strict=True))


# --- stamp


def test_target_time_counts_as_known_after_the_delay() -> None:
    rows = stamp(truth({"x": 1.0}).drop(columns="known_at"), TruthSpec(source="s", delay=2 * DAY), NOW)
    assert rows["known_at"].tolist() == [cycle(1) + 2 * DAY]


def test_arrival_counts_from_now() -> None:
    rows = stamp(truth({"x": 1.0}).drop(columns="known_at"), TruthSpec(source="s", known_at="arrival"), NOW)
    assert rows["known_at"].tolist() == [NOW]


def test_column_keeps_what_the_source_says() -> None:
    rows = vintages((T1, 1.0), (T2, 2.0))
    pd.testing.assert_frame_equal(stamp(rows, TruthSpec(source="s", known_at="column"), NOW), rows)


def test_column_without_the_column_is_refused() -> None:
    with pytest.raises(ValueError, match="gives no column known_at; use target_time or arrival"):
        stamp(truth({"x": 1.0}).drop(columns="known_at"), TruthSpec(source="s", known_at="column"), NOW)


@pytest.mark.parametrize("rule", ["target_time", "arrival"])
def test_without_vintages_the_newest_value_is_taken(rule: str) -> None:
    spec = TruthSpec.model_validate({"source": "s", "known_at": rule})
    rows = stamp(vintages((T2, 2.0), (T3, 3.0), (T1, 1.0)), spec, NOW)
    assert rows["value"].tolist() == [3.0]


def test_on_arrival_each_change_of_a_source_that_knows_no_dates_is_known_when_it_arrives() -> None:
    spec = TruthSpec(source="s", known_at="arrival")
    stored = NOTHING
    for day, value in enumerate([1.0, 1.0, 2.0, None, None, 1.0]):
        arrived = NOW + day * DAY
        stored = stack(stored, news(stored, stamp(truth({"x": value}), spec, arrived), arrived))
    assert stored["known_at"].tolist() == [NOW, NOW + 2 * DAY, NOW + 3 * DAY, NOW + 5 * DAY]
    np.testing.assert_array_equal(stored["value"], [1.0, 2.0, NAN, 1.0])


# --- news


def test_the_first_values_are_news() -> None:
    incoming = vintages((T1, 1.0), (T2, 2.0))
    pd.testing.assert_frame_equal(news(NOTHING, incoming, NOW), incoming)


def test_a_frame_without_types_stands_for_nothing_stored() -> None:
    assert pairs(news(pd.DataFrame(columns=COLUMNS), vintages((T1, 1.0)), NOW)) == [(T1, 1.0)]


def test_no_rows_are_no_news() -> None:
    assert news(vintages((T1, 1.0)), NOTHING, NOW).empty
    assert news(NOTHING, NOTHING, NOW).columns.tolist() == COLUMNS


def test_a_source_that_knows_nothing_yet_may_give_columns_without_types() -> None:
    untyped = pd.DataFrame({name: [] for name in COLUMNS}, dtype=object)
    for stored in (NOTHING, vintages((T1, 1.0))):
        found = news(stored, untyped, NOW)
        assert found.empty
        assert found["known_at"].dtype.kind == "M"


def test_the_same_again_is_no_news() -> None:
    stored = vintages((T1, 1.0), (T2, 2.0))
    assert news(stored, stored, NOW).empty


def test_a_dated_revision_is_news_and_an_unchanged_vintage_is_not() -> None:
    assert pairs(news(vintages((T1, 1.0)), vintages((T1, 1.0), (T2, 1.0), (T3, 3.0)), NOW)) == [(T3, 3.0)]


def test_a_revision_back_is_news() -> None:
    assert pairs(news(vintages((T1, 1.0)), vintages((T1, 1.0), (T2, 2.0), (T3, 1.0)), NOW)) == [(T2, 2.0), (T3, 1.0)]


def test_a_vintage_between_two_stored_ones_keeps_its_own_time() -> None:
    stored = vintages((T1, 1.0), (T3, 3.0))
    assert pairs(news(stored, vintages((T1, 1.0), (T2, 2.0), (T3, 3.0)), NOW)) == [(T2, 2.0)]
    assert pairs(news(stored, vintages((T2, 2.0)), NOW, partial=True)) == [(T2, 2.0)]


def test_a_withdrawn_value_is_news_once() -> None:
    stored, incoming = vintages((T1, 1.0)), vintages((T1, 1.0), (T2, None))
    found = news(stored, incoming, NOW)
    assert found["known_at"].tolist() == [T2]
    assert found["value"].isna().all()
    assert news(stack(stored, found), incoming, LATER).empty


def test_to_withdraw_what_was_never_given_is_no_news() -> None:
    assert news(NOTHING, vintages((T1, None)), NOW).empty
    assert pairs(news(NOTHING, vintages((T1, None), (T2, 2.0)), NOW)) == [(T2, 2.0)]


def test_an_outcome_that_fills_a_gap_is_known_at_its_own_time() -> None:
    before = news(NOTHING, vintages((T1, None)), NOW)
    assert pairs(news(before, vintages((T1, 2.0)), LATER)) == [(T1, 2.0)]


@pytest.mark.parametrize("partial", [False, True])
def test_a_silent_contradiction_is_known_now_and_once(partial: bool) -> None:
    stored, incoming = vintages((T1, 1.0)), vintages((T1, 2.0))
    found = news(stored, incoming, NOW, partial=partial)
    assert pairs(found) == [(NOW, 2.0)]
    assert news(stack(stored, found), incoming, LATER, partial=partial).empty


@pytest.mark.parametrize("partial", [False, True])
def test_a_second_silent_contradiction_is_known_when_it_comes(partial: bool) -> None:
    stored = vintages((T1, 1.0), (NOW, 2.0))
    assert pairs(news(stored, vintages((T1, 3.0)), LATER, partial=partial)) == [(LATER, 3.0)]


def test_a_source_that_returns_to_its_first_value_has_revised_it() -> None:
    stored = vintages((T1, 1.0), (NOW, 2.0))
    assert pairs(news(stored, vintages((T1, 1.0)), LATER)) == [(LATER, 1.0)]


def test_an_old_file_that_comes_again_is_no_revision() -> None:
    assert news(vintages((T1, 1.0), (T2, 2.0)), vintages((T1, 1.0)), NOW, partial=True).empty


def test_a_silent_withdrawal_is_known_now() -> None:
    found = news(vintages((T1, 1.0)), vintages((T1, None)), NOW)
    assert found["known_at"].tolist() == [NOW]
    assert found["value"].isna().all()


def test_a_contradiction_of_the_past_does_not_change_the_present() -> None:
    assert news(vintages((T1, 1.0), (T2, 2.0)), vintages((T1, 9.0), (T2, 2.0)), NOW).empty


def test_a_revision_of_a_value_that_counts_only_later_counts_just_after_it() -> None:
    embargoed = LATER + DAY
    stored = vintages((embargoed, 1.0))
    found = news(stored, vintages((embargoed, 2.0)), LATER)
    assert pairs(found) == [(embargoed + timedelta(microseconds=1), 2.0)]
    assert news(stack(stored, found), vintages((embargoed, 2.0)), LATER + 2 * DAY).empty


def test_horizons_and_subjects_are_facts_of_their_own() -> None:
    stored = stack(truth({"x": 1.0}), truth({"y": 1.0}))
    incoming = stack(stored, truth({"x": 2.0}, horizon=2, known_at=T2))
    assert news(stored, incoming, NOW)["horizon"].tolist() == [2]


def test_two_values_at_the_same_time_are_refused() -> None:
    with pytest.raises(ValueError, match="one outcome several values at the same time"):
        news(NOTHING, vintages((T1, 1.0), (T1, 2.0)), NOW)


def test_a_repeated_row_counts_once() -> None:
    assert pairs(news(NOTHING, vintages((T1, 1.0), (T1, 1.0)), NOW)) == [(T1, 1.0)]


HISTORIES = st.dictionaries(
    st.tuples(st.sampled_from("xyz"), st.integers(0, 4)), st.sampled_from([NAN, 1.0, 2.0, 3.0]), max_size=12
)


def history(drawn: dict[tuple[str, int], float]) -> pd.DataFrame:
    return stack(NOTHING, *(vintages((T1 + day * DAY, value), subject=s) for (s, day), value in drawn.items()))


@given(HISTORIES, HISTORIES, st.integers(0, 9), st.booleans())
@settings(max_examples=60, deadline=None)
def test_order_of_rows_is_without_effect_and_twice_is_as_once(
    first: dict[tuple[str, int], float], second: dict[tuple[str, int], float], seed: int, partial: bool
) -> None:
    stored = news(NOTHING, history(first), NOW)
    incoming = history(second)
    found = news(stored, incoming, NOW, partial=partial)
    pd.testing.assert_frame_equal(found, news(shuffled(stored, seed), shuffled(incoming, seed), NOW, partial=partial))
    after = stack(stored, found)
    assert not after.duplicated(["subject", "target_time", "horizon", "known_at"]).any()
    assert news(after, incoming, LATER, partial=partial).empty


@given(HISTORIES, HISTORIES)
@settings(max_examples=60, deadline=None)
def test_what_the_source_says_last_is_what_counts_in_the_end(
    first: dict[tuple[str, int], float], second: dict[tuple[str, int], float]
) -> None:
    stored = news(NOTHING, history(first), NOW)
    incoming = history(second)
    after = stack(stored, news(stored, incoming, NOW)).sort_values("known_at").groupby("subject")["value"]
    said = incoming.sort_values("known_at").groupby("subject")["value"]
    for subject, values in said:
        known = after.get_group(subject).iloc[-1] if subject in after.groups else NAN
        np.testing.assert_equal(known, values.iloc[-1])


# --- outcomes_of


def test_truth_for_any_horizon_serves_every_horizon() -> None:
    sections = stack(predictions({"m": {"x": 0.0}}, 0, 2), predictions({"m": {"x": 0.0}}, 1, 1))
    found = outcomes_of(sections, truth({"x": 1.0, "y": 2.0}, 2))
    assert sorted(zip(found["cycle"], found["horizon"], found["subject"], found["value"], strict=True)) == [
        (cycle(0), 2, "x", 1.0),
        (cycle(0), 2, "y", 2.0),
        (cycle(1), 1, "x", 1.0),
        (cycle(1), 1, "y", 2.0),
    ]


def test_truth_of_another_horizon_or_time_serves_nothing() -> None:
    assert outcomes_of(predictions({"m": {"x": 0.0}}), truth({"x": 1.0}, horizon=2)).empty
    assert outcomes_of(predictions({"m": {"x": 0.0}}), truth({"x": 1.0}, number=3)).empty


def test_truth_made_for_the_horizon_replaces_the_general_from_then_on() -> None:
    rows = stack(
        truth({"x": 1.0}, known_at=T1),
        truth({"x": 2.0}, horizon=1, known_at=T2),
        truth({"x": 3.0}, known_at=T2),
        truth({"x": 4.0}, known_at=T3),
    )
    found = outcomes_of(predictions({"m": {"x": 0.0}}), shuffled(rows, 1)).sort_values("known_at")
    assert pairs(found) == [(T1, 1.0), (T2, 2.0)]


def test_a_section_with_two_target_times_is_refused() -> None:
    rows = predictions({"m": {"x": 0.0, "y": 0.0}})
    rows.loc[0, "target_time"] = cycle(5)
    with pytest.raises(ValueError, match=r"horizon 1, name several target times .*correct or reject the others"):
        outcomes_of(rows, truth({"x": 1.0}))


@pytest.mark.parametrize("empty", [NOTHING, pd.DataFrame(columns=COLUMNS)])
def test_without_truth_there_are_no_outcomes(empty: pd.DataFrame) -> None:
    found = outcomes_of(predictions({"m": {"x": 0.0}}), empty)
    assert found.columns.tolist() == ["cycle", "horizon", "subject", "known_at", "value"]
    assert found.empty


# --- versions


def test_versions_walk_each_cycle_through_its_own_states() -> None:
    sections = stack(predictions({"m": {"x": 0.0, "y": 0.0}}, 0), predictions({"m": {"x": 0.0}}, 1))
    rows = stack(
        truth({"x": 1.0, "y": 2.0}, 1),
        truth({"x": 3.0}, 1, known_at=T2),
        truth({"y": None}, 1, known_at=T3),
        truth({"x": 7.0}, 2),
    )
    found = list(versions(shuffled(outcomes_of(sections, rows), 3)))
    assert [version.known_at.to_dict() for version in found] == [
        {cycle(0): T1, cycle(1): cycle(2)},
        {cycle(0): T2},
        {cycle(0): T3},
    ]
    last = found[2].outcomes.set_index("subject")["value"]
    assert last["x"] == 3.0
    assert np.isnan(last["y"])
    assert sorted(found[0].outcomes["value"]) == [1.0, 2.0, 7.0]


def test_nothing_known_is_no_version() -> None:
    assert list(versions(outcomes_of(predictions({"m": {"x": 0.0}}), NOTHING))) == []
