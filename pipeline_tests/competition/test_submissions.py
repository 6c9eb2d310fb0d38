"""Which submission counts: the last in time, as a whole, in whatever order files were landed."""

from datetime import timedelta
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition import Contract
from pipeline.competition.declaration import TruthSpec
from pipeline.competition.submissions import SUBMISSION_COLUMNS, choose_submissions, counted_rows
from pipeline.competition.truth import news, stamp, truth_of_arrivals
from pipeline_tests.toy_contest import declaration

CYCLE = pd.Timestamp("2024-01-05")
CONTRACT = Contract.model_validate(
    declaration(
        horizon_length="7d",
        predictions={"source": "inbox", "deadline": "12h"},
        truth={"source": "inbox"},
        factors={"source": "inbox"},
    )
)


def rows(*files: tuple[int, float, str]) -> pd.DataFrame:
    """Landed predictions: (file, hours after the cycle, subjects, one letter each)."""
    return pd.DataFrame(
        [
            {
                "file_number": number,
                "received_at": CYCLE + pd.Timedelta(hours, "h"),
                "model_id": "m",
                "cycle": CYCLE,
                "horizon": 1,
                "subject": subject,
                "target_time": CYCLE + pd.Timedelta(7, "D"),
                "value": float(number),
            }
            for number, hours, subjects in files
            for subject in subjects
        ]
    )


def superseded(found: pd.DataFrame) -> dict[int, Any]:
    chosen = choose_submissions(found, CONTRACT)
    return {
        number: None if pd.isna(by) else by
        for number, by in zip(chosen["file_number"], chosen["superseded_by"], strict=True)
    }


def counted(found: pd.DataFrame) -> dict[str, float]:
    kept = counted_rows(found, choose_submissions(found, CONTRACT))
    return dict(zip(kept["subject"], kept["value"], strict=True))


def test_no_rows_are_no_submissions() -> None:
    assert choose_submissions(rows(), CONTRACT).columns.tolist() == SUBMISSION_COLUMNS


def test_the_last_before_the_deadline_counts_as_a_whole() -> None:
    found = rows((1, 1, "abc"), (2, 2, "ab"), (3, 13, "abcd"))

    assert superseded(found) == {1: 2, 2: None, 3: 2}
    assert counted(found) == {"a": 2.0, "b": 2.0}


def test_the_deadline_itself_is_in_time() -> None:
    chosen = choose_submissions(rows((1, 12, "a"), (2, 12.001, "a")), CONTRACT)

    assert chosen["is_late"].tolist() == [False, True]
    assert chosen["deadline"].tolist() == [CYCLE + pd.Timedelta(12, "h")] * 2


def test_of_late_ones_alone_the_last_stands_there() -> None:
    assert superseded(rows((1, 13, "a"), (2, 14, "a"))) == {1: 2, 2: None}


def test_of_those_received_at_once_the_one_landed_later_counts() -> None:
    assert superseded(rows((1, 1, "a"), (2, 1, "a"))) == {1: 2, 2: None}


def test_a_submission_is_received_when_its_last_row_is() -> None:
    found = pd.concat([rows((1, 1, "a")), rows((1, 13, "b"))], ignore_index=True)
    chosen = choose_submissions(found, CONTRACT)

    assert chosen[["is_late", "n_rows"]].to_numpy().tolist() == [[True, 2]]
    assert counted_rows(found, chosen)["received_at"].tolist() == [CYCLE + pd.Timedelta(13, "h")] * 2


def test_models_and_cycles_do_not_touch_each_other() -> None:
    one = rows((1, 1, "a"), (2, 2, "a"))
    other = one.assign(model_id="n", file_number=one["file_number"] + 2)
    later = one.assign(cycle=one["cycle"] + pd.Timedelta(7, "D"), file_number=one["file_number"] + 4)

    chosen = choose_submissions(pd.concat([one, other, later]), CONTRACT)
    assert chosen.loc[chosen["superseded_by"].isna(), "file_number"].tolist() == [2, 6, 4]


@given(st.lists(st.integers(0, 24 * 60), min_size=1, max_size=6, unique=True), st.randoms())
def test_the_order_of_landing_does_not_matter(minutes: list[int], random: Any) -> None:
    shuffled = random.sample(minutes, len(minutes))
    in_time = [minute for minute in minutes if minute <= 12 * 60]
    expected = max(in_time or minutes)

    for order in (minutes, shuffled):
        found = rows(*((number, minute / 60, "ab") for number, minute in enumerate(order, 1)))
        chosen = choose_submissions(found.sample(frac=1, random_state=1), CONTRACT)
        counts = chosen[chosen["superseded_by"].isna()]
        assert len(chosen) == len(minutes)
        assert counts["file_number"].tolist() == [order.index(expected) + 1]
        assert set(chosen["superseded_by"].dropna()) <= {order.index(expected) + 1}


def test_a_value_that_files_return_to_is_a_revision_unless_they_date_what_they_say() -> None:
    arrivals = pd.DataFrame(
        {
            "file_number": [1, 2, 3],
            "received_at": [CYCLE + pd.Timedelta(hours, "h") for hours in (1, 2, 3)],
            "subject": "a",
            "target_time": CYCLE,
            "horizon": 1,
            "known_at": CYCLE,
            "value": [1.0, 2.0, 1.0],
        }
    )
    values = {
        known_at: truth_of_arrivals(arrivals, TruthSpec.model_validate({"source": "inbox", "known_at": known_at}))
        for known_at in ("target_time", "arrival", "column")
    }
    assert {name: found["value"].tolist() for name, found in values.items()} == {
        "target_time": [1.0, 2.0, 1.0],
        "arrival": [1.0, 2.0, 1.0],
        "column": [1.0, 2.0],
    }
    assert values["target_time"]["known_at"].tolist() == [CYCLE, *arrivals["received_at"][1:]]


FACTS = st.tuples(st.sampled_from("ab"), st.sampled_from([None, 1.0, 2.0]))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(FACTS, max_size=2, unique_by=lambda fact: fact[0]), max_size=5),
    st.sampled_from(["arrival", "target_time"]),
)
def test_truth_is_folded_arrival_by_arrival(files: list[list[tuple[str, float | None]]], known_at: Any) -> None:
    spec = TruthSpec(source="inbox", known_at=known_at)
    arrivals = [
        pd.DataFrame(
            {
                "file_number": number,
                "received_at": CYCLE + number * timedelta(hours=1),
                "subject": [subject for subject, _ in facts],
                "target_time": CYCLE,
                "horizon": 1,
                "known_at": pd.Series([pd.NaT] * len(facts), dtype="datetime64[us]"),
                "value": pd.Series([value for _, value in facts], dtype="float64"),
            }
        )
        for number, facts in enumerate(files, 1)
        if facts
    ]
    if not arrivals:
        return
    by_hand = arrivals[0].iloc[:0][["subject", "target_time", "horizon", "known_at", "value"]]
    for arrival in arrivals:
        now = arrival["received_at"].iloc[0].to_pydatetime()
        new = news(by_hand, stamp(arrival[by_hand.columns.tolist()], spec, now), now)
        by_hand = pd.concat([by_hand, new], ignore_index=True)

    shuffled = pd.concat(arrivals).sample(frac=1, random_state=2)
    found = truth_of_arrivals(shuffled, spec)
    order = ["subject", "known_at"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True), by_hand.sort_values(order, ignore_index=True)
    )
    for subject in "ab":
        said = [value for facts in files for name, value in facts if name == subject]
        known = found[found["subject"] == subject].sort_values("known_at")["value"]
        if said and not known.empty:
            assert (pd.isna(known.iloc[-1]) and said[-1] is None) or known.iloc[-1] == said[-1]
