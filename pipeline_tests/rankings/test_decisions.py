"""Decisions as lines of a CSV: written, read again, and told of where a line is none."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rankings.decisions import COLUMNS, DecisionsError, decision_line, read_decisions
from pipeline.rankings.identity import Decision, Status

HEADER = ",".join(COLUMNS) + "\n"
MADE = Decision("arena", 'Gamma, "Chat"', "acme/gamma", Status.ACCEPTED, "https://acme.test", datetime(2026, 1, 2, 3))
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)


def test_what_is_written_is_read_again() -> None:
    text = HEADER + decision_line(MADE)
    assert text.splitlines()[1] == 'arena,"Gamma, ""Chat""",acme/gamma,accepted,https://acme.test,2026-01-02T03:00:00Z'
    assert read_decisions(text, "a.csv") == [MADE]


@given(WORDS, WORDS, WORDS)
def test_whatever_names_and_evidence_say_they_are_read_again(source: str, name: str, evidence: str) -> None:
    made = Decision(source, name, "", Status.REJECTED, evidence, datetime(2026, 1, 2))
    assert read_decisions(HEADER + decision_line(made), "a.csv") == [made]


def test_a_byte_order_mark_blank_lines_and_other_zones_are_taken() -> None:
    text = f"\ufeff{HEADER}\narena,Gamma,Acme/Gamma,accepted,x,2026-01-02T05:00:00+02:00\n,,,,,\n"
    (found,) = read_decisions(text, "a.csv")
    assert (found.release_id, found.decided_at) == ("acme/gamma", datetime(2026, 1, 2, 3))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a.csv: its first line should be source,raw_name,model,status,evidence,decided_at; it is empty"),
        ("source,name\n", "it is source,name"),
        (HEADER + "arena,Gamma\n", "a.csv, line 2: 2 cells, where 6 should be"),
        (HEADER + "arena,Gamma,a/b,yes,x,2026-01-02\n", "line 2: status 'yes'; a decision is accepted or rejected"),
        (HEADER + "arena,Gamma,,accepted,x,2026-01-02\n", "line 2: decision on 'Gamma' of arena: accepted without a"),
        (HEADER + ",Gamma,a/b,accepted,x,2026-01-02\n", "line 2: it names no source or no name"),
        (HEADER + "arena,Gamma,a/b,accepted,x,yesterday\n", "line 2: decided_at 'yesterday' is no ISO time; write"),
        (HEADER + 'arena,"Gamma,a/b,accepted,x,2026-01-02\n', "line 2: unexpected end of data; mend the line"),
    ],
)
def test_what_is_no_decision_is_told_by_its_line(text: str, told: str) -> None:
    with pytest.raises(DecisionsError) as caught:
        read_decisions(text, "a.csv")
    assert told in str(caught.value)
