from datetime import datetime

import pytest

from pipeline.rankings import About, FetchStatus, ModelName, Parsed, Result, Status, Unread
from pipeline.rankings.stages import Break, Published, break_rows, fetch_status_rows, unread_rows
from pipeline.tables import LLM_BREAKS, LLM_FETCH_STATUS, LLM_UNREAD
from pipeline_tests.rankings.stages.boards import columns_of

AT = datetime(2026, 7, 1, 6)
ABOUT = About("evalplus", "EvalPlus", "https://evalplus.test", attribution="Say so", days=365)
PARSED = Parsed(
    (Result("a", "humaneval", "pass_at_1", 1.0), Result("a", "mbpp", "pass_at_1", 2.0)),
    (ModelName("a"), ModelName("b")),
    unread=(Unread("results.json", "row 3", "is text"), Unread("results.json", "row 9", "is none")),
)


def test_a_source_tells_whose_figures_are_used_and_how_old_they_are():
    status = FetchStatus("evalplus", Status.KEPT, datetime(2026, 7, 3), AT, None, 2, "fetching failed", "v2")
    rows = fetch_status_rows([Published(ABOUT, PARSED, status, "f" * 64)])
    assert list(rows) == columns_of(LLM_FETCH_STATUS)
    row = rows.iloc[0]
    assert (row["status"], row["why"], row["version"]) == ("kept", "fetching failed", "v2")
    assert (row["checked_at"], row["fetched_at"]) == (datetime(2026, 7, 3), AT)
    assert (row["n_results"], row["n_models"], row["n_unread"], row["days"]) == (2, 1, 2, 365)
    assert row[["licence", "source_updated_at"]].isna().all()


def test_a_missing_source_has_a_row_without_figures():
    status = FetchStatus("evalplus", Status.MISSING, AT, None, None, 0, "not fetched", "")
    row = fetch_status_rows([Published(ABOUT, Parsed((), ()), status)]).iloc[0]
    assert (row["status"], row["n_results"]) == ("missing", 0)
    assert row[["fetched_at", "sha256", "version"]].isna().all()


def test_figures_of_an_unknown_time_are_refused():
    status = FetchStatus("evalplus", Status.LIVE, AT, None, None, 2, None, "")
    with pytest.raises(ValueError, match="evalplus: figures without the time they were fetched"):
        Published(ABOUT, PARSED, status)


def test_parts_that_could_not_be_read_are_numbered_within_their_source():
    status = FetchStatus("evalplus", Status.LIVE, AT, AT, None, 2, None, "")
    rows = unread_rows([Published(ABOUT, PARSED, status)])
    assert list(rows) == columns_of(LLM_UNREAD)
    assert rows[["number", "place"]].to_numpy().tolist() == [[1, "row 3"], [2, "row 9"]]


def test_breaks_are_told_once_each_in_order():
    later = Break("livebench", datetime(2026, 7, 1), "", "", "its version is 2026-06-25")
    first = Break("artificialanalysis", AT, "artificial_analysis", "coding_index", "moved together")
    rows = break_rows([later, first, later])
    assert list(rows) == columns_of(LLM_BREAKS)
    assert rows["source"].tolist() == ["artificialanalysis", "livebench"]
    assert rows["benchmark"].tolist() == ["artificial_analysis", ""]


@pytest.mark.parametrize("rows", [fetch_status_rows([]), unread_rows([]), break_rows([])])
def test_of_nothing_there_are_no_rows(rows):
    assert len(rows) == 0
    assert len(rows.columns) > 0
