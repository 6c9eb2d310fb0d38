"""Rows in = accepted + rejected, always; the same file twice changes nothing; nothing that a file is stops a run."""

import errno
import os
import random
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.landing import Agreement, FileField, Landed, archived, check_file, land, land_file
from pipeline.landing.archive import content_hash
from pipeline.landing.intake import Intake
from pipeline.tables import FILES, QUARANTINE
from pipeline.warehouse import Store
from pipeline_tests.landing.notes import NOTES, accepted, drop, intake, waiting

HEAD = "subject,day,value\n"
NOW = datetime(2024, 1, 5, 12)


def landed(store: Store, inbox: Path, *intakes: Intake) -> list[Landed | None]:
    """Land everything that waits."""
    return [land_file(store, one, intakes or (intake(),), inbox.parent / "archive") for one in waiting(inbox)]


def rows(store: Store) -> list[tuple[object, ...]]:
    """What was taken: file, row, subject, value."""
    frame = store.read(NOTES, "toy")[["file_number", "row_number", "subject", "value"]]
    return list(frame.itertuples(index=False, name=None))


def refused(store: Store) -> dict[int, str]:
    frame = store.read(QUARANTINE, "toy")
    return dict(zip(frame["row_number"], frame["reason"], strict=True))


def lines(store: Store) -> list[tuple[object, ...]]:
    """What the files' lines say: n_rows, n_accepted, n_rejected, n_late, status."""
    frame = store.read(FILES, "toy")
    return list(frame[["n_rows", "n_accepted", "n_rejected", "n_late", "status"]].itertuples(index=False, name=None))


def assert_it_adds_up(store: Store) -> None:
    """Every line of a file agrees with what was taken and refused of it."""
    for line in store.read(FILES, "toy").itertuples():
        taken = store.read(NOTES, "toy").query("file_number == @line.file_number")
        out = store.read(QUARANTINE, "toy").query("file_number == @line.file_number and row_number > 0")
        assert line.n_rows == line.n_accepted + line.n_rejected
        assert line.n_rejected == len(out) == out["row_number"].nunique()
        assert len(taken) <= line.n_accepted
        assert not set(taken["row_number"]) & set(out["row_number"])


def state(store: Store) -> list[pd.DataFrame]:
    return [store.read(spec, "toy") for spec in (FILES, NOTES, QUARANTINE)] + [store.ledger("toy")]


def test_rows_are_taken_or_refused_and_the_file_is_archived(store: Store, inbox: Path) -> None:
    content = HEAD + "a,2024-01-05,1\n#b,2024-01-05,2\n!c,2024-01-05,3\nd,soon,4\ne,2024-01-05\n"
    path = drop(inbox, content)
    (done,) = landed(store, inbox)

    assert rows(store) == [(1, 1, "a", 1.0), (1, 3, "!c", 3.0)]
    assert refused(store)[2] == "subject '#b' begins with a hash"
    assert refused(store)[4].startswith("day is 'soon', not a date")
    assert refused(store)[5] == "has 2 fields where the first line has 3"
    assert store.read(QUARANTINE, "toy")["original"].tolist() == ["#b,2024-01-05,2", "d,soon,4", "e,2024-01-05"]
    assert lines(store) == [(5, 2, 3, 1, "partly")]
    assert done is not None
    assert done.is_new
    assert not path.exists()
    (line,) = store.read(FILES, "toy").itertuples()
    assert archived(inbox.parent / "archive", "toy", line.sha256, line.name).read_text() == content
    assert line.received_at == done.delivery.received_at
    assert_it_adds_up(store)


def reasons_of(store: Store, path: Path, of: Intake) -> list[tuple[str, int]]:
    return list(check_file(store.connection, path, of, NOW).reasons)


def test_reasons_of_one_kind_are_counted_together_by_the_first_example_whatever_they_quote(
    store: Store, inbox: Path
) -> None:
    texts = ["high", "it's", 'so "high"', "x" * 99, "-0.5.1", "2024-01-05"]
    rows = [f'a{number},2024-01-05,"{text.replace(chr(34), chr(34) * 2)}"\n' for number, text in enumerate(texts)]
    rows += [f"{subject},2024-01-05,1\n" for subject in ("#x", "#it's", '"#""y"""', "#it's 5")]
    rows += ["a\n", "a,b,c,d,e\n", "#a,then,1\n"]
    assert reasons_of(store, drop(inbox, HEAD + "".join(rows)), intake()) == [
        ("value is 'high', not a finite number such as 1.5", 6),
        ("subject '#x' begins with a hash", 4),
        ("has 1 fields where the first line has 3", 2),
        ("day is 'then', not a date or time such as 2024-05-31 or 2024-05-31T22:00Z, of the years 1700 to 2199", 1),
    ]


def test_reasons_that_begin_alike_are_not_of_one_kind(store: Store, inbox: Path) -> None:
    """Columns that differ in a digit, rows repeated or contradicted, and several mistakes in one row."""
    numbers = tuple(FileField(f"x{number}", "DOUBLE", f"{number} days") for number in (5, 20))
    wide = replace(intake(), fields=(*intake().fields[:2], *numbers))
    rows = ["a,2024-01-05,no,1\n", "a,2024-01-05,1,no\n", "a,2024-01-05,,1\n", "a,2024-01-05,no,no\n"]
    found = reasons_of(store, drop(inbox, "subject,day,5 days,20 days\n" + "".join(rows)), wide)
    assert sorted(example.replace("not a finite number such as 1.5", "…") for example, _ in found) == [
        "20 days is 'no', …",
        "5 days is 'no', …",
        "5 days is 'no', …; 20 days is 'no', …",
        "5 days is missing",
    ]
    repeats = ["a,2024-01-05,1\n"] * 3 + ["b,2024-01-05,1\n", "b,2024-01-05,2\n"]
    assert [rows for _, rows in reasons_of(store, drop(inbox, HEAD + "".join(repeats)), intake())] == [2, 2]


def test_mistakes_in_json_are_counted_by_what_they_are_not_where(store: Store, inbox: Path) -> None:
    good = '{"subject": "a", "day": "2024-01-05", "value": 1}'
    bad = ["{", '{"subject": ', '{"a" 1}', "[1]", '{"a": 1, "a": 2}']
    found = reasons_of(store, drop(inbox, "\n".join([good, *bad]), "file.jsonl"), intake())
    assert sum(rows for _, rows in found) == 5
    assert len({example for example, _ in found}) == len(found) == 5
    assert reasons_of(store, drop(inbox, "\n".join([good, '{"a" 1}', ' {"abc" 1}']), "file.jsonl"), intake()) == [
        ("is no JSON object (Expecting ':' delimiter: line 1 column 6 (char 5))", 2)
    ]


def test_the_same_file_twice_changes_nothing(store: Store, inbox: Path) -> None:
    for name in ("first.csv", "second.csv", "third.CSV"):
        drop(inbox, HEAD + "a,2024-01-05,1\n#b,2024-01-05,2\n", name)
    landed(store, inbox)
    before = state(store)
    drop(inbox, HEAD + "a,2024-01-05,1\n#b,2024-01-05,2\n", "fourth.csv")
    (done,) = landed(store, inbox)

    assert done is not None
    assert not done.is_new
    for old, new in zip(before, state(store), strict=True):
        pd.testing.assert_frame_equal(old, new)
    assert len(lines(store)) == 1
    assert waiting(inbox) == []
    assert len(list((inbox.parent / "archive" / "toy").iterdir())) == 1


def test_content_of_which_more_is_taken_now_is_a_file_of_its_own(store: Store, inbox: Path) -> None:
    content = HEAD + "a,2024-01-05,1\n#b,2024-01-05,2\n"
    drop(inbox, content)
    landed(store, inbox)

    def lenient(found: pd.DataFrame, received_at: datetime) -> tuple[pd.DataFrame, "pd.Series[str]"]:
        return accepted(found.assign(subject=found["subject"].str.strip("#")), received_at)

    drop(inbox, content)
    landed(store, inbox, intake(rules=lenient))
    drop(inbox, content)
    landed(store, inbox)

    assert lines(store) == [(2, 1, 1, 0, "partly"), (2, 2, 0, 0, "accepted")]
    assert rows(store) == [(1, 1, "a", 1.0), (2, 1, "a", 1.0), (2, 2, "b", 2.0)]
    received = store.read(FILES, "toy")["received_at"]
    assert received[0] < received[1]
    assert_it_adds_up(store)


def test_one_file_may_give_two_kinds_of_rows(store: Store, inbox: Path) -> None:
    drop(inbox, HEAD + "a,2024-01-05,1\n")
    landed(store, inbox, intake(), intake(kind="predictions"))

    assert store.read(FILES, "toy")["kind"].tolist() == ["truth", "predictions"]
    assert rows(store) == [(1, 1, "a", 1.0), (2, 1, "a", 1.0)]


def test_two_boards_get_the_same_file(store: Store, inbox: Path) -> None:
    for board in ("toy", "other"):
        drop(inbox, HEAD + "a,2024-01-05,1\n", board=board)
        for one in waiting(inbox, board=board):
            land_file(store, one, [intake()], inbox.parent / "archive")

    assert [len(store.read(NOTES, board)) for board in ("toy", "other")] == [1, 1]


REPEATS = HEAD + "a,2024-01-05,1\nb,2024-01-05,1\na,2024-01-05,1\nb,2024-01-05,2\nc,2024-01-05,\nc,2024-01-05,\n"


def test_of_identical_rows_the_first_is_taken_and_of_different_ones_none(store: Store, inbox: Path) -> None:
    drop(inbox, REPEATS)
    landed(store, inbox)

    differ = "one of 2 rows of the file that have the same subject, target_time, horizon, known_at and differ"
    assert [row[1] for row in rows(store)] == [1, 5]
    assert refused(store)[3] == "repeats row 1 of the file; remove one of them"
    assert refused(store)[2].startswith(differ)
    assert refused(store)[4].startswith(differ)
    assert_it_adds_up(store)


def test_identical_rows_are_one_statement_where_that_is_no_mistake(store: Store, inbox: Path) -> None:
    drop(inbox, REPEATS)
    landed(store, inbox, intake(once=True))

    assert [row[1] for row in rows(store)] == [1, 5]
    assert sorted(refused(store)) == [2, 4]
    assert lines(store) == [(6, 4, 2, 0, "partly")]
    assert_it_adds_up(store)


def spread(found: pd.DataFrame, received_at: datetime) -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Two rows of the table for one of the file: its value, and its horizon as a value of subject h."""
    stored, reasons = accepted(found, received_at)
    second = stored.assign(subject="h", value=stored["horizon"].astype(float), horizon=1)
    return pd.concat([stored.assign(horizon=1), second]).dropna(subset=["value"]), reasons


def test_a_repeated_part_of_a_row_leaves_the_other_parts(store: Store, inbox: Path) -> None:
    drop(inbox, "subject,day,horizon,value\na,2024-01-05,3,1\nb,2024-01-05,3,2\n")
    landed(store, inbox, intake(once=True, rules=spread))

    assert sorted(row[1:] for row in rows(store)) == [(1, "a", 1.0), (1, "h", 3.0), (2, "b", 2.0)]


def test_a_part_that_differs_refuses_the_whole_rows(store: Store, inbox: Path) -> None:
    drop(inbox, "subject,day,horizon,value\na,2024-01-05,3,1\nb,2024-01-05,4,2\nc,2024-01-06,4,2\n")
    landed(store, inbox, intake(once=True, rules=spread))

    assert {row[1] for row in rows(store)} == {3}
    assert sorted(refused(store)) == [1, 2]


def test_rows_must_agree_with_each_other_and_with_what_is_known(store: Store, inbox: Path) -> None:
    known = pd.DataFrame({"subject": ["a"], "value": [1.0]})
    drop(inbox, HEAD + "a,2024-01-05,2\na,2024-01-06,1\nb,2024-01-05,3\nb,2024-01-06,4\nb,2024-01-07,3\n")
    landed(store, inbox, intake(agreement=Agreement(("subject",), "value", known)))

    assert [row[1] for row in rows(store)] == [2, 3, 5]
    assert refused(store) == {
        1: "value is 2.0, but 1.0 in other rows with the same subject",
        4: "value is 4.0, but 3.0 in other rows with the same subject",
    }
    assert_it_adds_up(store)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "file.csv", "the file is empty"),
        (b"PAR1", "file.parquet", "it is no whole Parquet file"),
        (b"x,y\n", "file.csv", "it has no column 'subject', 'day' (for target_time), 'value'; its columns are x, y"),
        (b"subject,d\0ay\n", "file.csv", "its columns are subject, d\\0ay"),
        (b'{"subject": 1, "\\ud800": 2}\n', "file.jsonl", "\\ud800"),
        (HEAD.encode(), "file." + "x" * 250, "is no format"),
    ],
)
def test_a_file_that_cannot_be_read_is_recorded_and_archived(
    store: Store, inbox: Path, content: bytes, name: str, says: str
) -> None:
    for _ in range(2):
        drop(inbox, content, name)
        landed(store, inbox)

    ((n_rows, n_accepted, n_rejected, _, status),) = lines(store)
    assert (n_rows, n_accepted, n_rejected) == (0, 0, 0)
    assert str(status).startswith("unreadable: ")
    assert says in str(status)
    assert list(refused(store)) == [0]
    assert waiting(inbox) == []
    assert [path.read_bytes() for path in (inbox.parent / "archive" / "toy").iterdir()] == [content]


def test_a_file_damaged_in_its_middle_gives_no_row(store: Store, inbox: Path, tmp_path: Path) -> None:
    table = pa.table({"subject": [f"s{n}" for n in range(120_000)], "day": ["2024-01-05"] * 120_000})
    table = table.append_column("value", pa.array([random.Random(n).random() for n in range(120_000)]))
    pq.write_table(table, tmp_path / "whole.parquet", row_group_size=50_000)
    content = bytearray((tmp_path / "whole.parquet").read_bytes())
    middle = len(content) * 2 // 3
    content[middle : middle + 100_000] = b"\xff" * 100_000
    drop(inbox, bytes(content), "file.parquet")
    landed(store, inbox)

    assert rows(store) == []
    assert str(lines(store)[0][4]).startswith("unreadable: it is no whole Parquet file")


def test_a_link_is_recorded_and_removed_and_what_it_points_to_stays(store: Store, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(HEAD + "a,2024-01-05,1\n")
    folder = drop(inbox, "x").parent
    (folder / "file.csv").unlink()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "dangling.csv").symlink_to("nothing")
    os.mkfifo(folder / "pipe.csv")
    landed(store, inbox)

    assert rows(store) == []
    assert len(lines(store)) == 3
    assert all("symbolic link" in str(line[4]) for line in lines(store))
    assert list(folder.iterdir()) == []
    assert (tmp_path / "secret.csv").exists()


def test_a_file_that_becomes_a_link_is_not_followed(store: Store, inbox: Path, tmp_path: Path) -> None:
    path = drop(inbox, HEAD + "a,2024-01-05,1\n")
    (found,) = waiting(inbox)
    path.rename(tmp_path / "secret.csv")
    path.symlink_to(tmp_path / "secret.csv")

    with pytest.raises(OSError, match="symbolic") as caught:
        content_hash(path)
    assert caught.value.errno == errno.ELOOP
    assert land_file(store, found, [intake()], tmp_path / "archive") is None
    assert lines(store) == []


def test_a_file_that_goes_away_is_no_error(store: Store, inbox: Path) -> None:
    path = drop(inbox, HEAD + "a,2024-01-05,1\n")
    (found,) = waiting(inbox)
    path.unlink()

    assert land_file(store, found, [intake()], inbox.parent / "archive") is None


@pytest.mark.parametrize("name", ["file.csv", "file.parquet", "file.jsonl"])
def test_a_file_that_goes_away_or_changes_while_it_is_read_waits(
    store: Store, inbox: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(inbox, HEAD + "a,2024-01-05,1\n", name)
    (found,) = waiting(inbox)
    content_hash_of = land.content_hash

    def then_remove(path: Path) -> str:
        sha256 = content_hash_of(path)
        path.unlink()
        return sha256

    monkeypatch.setattr(land, "content_hash", then_remove)
    assert land_file(store, found, [intake()], inbox.parent / "archive") is None
    monkeypatch.undo()

    def changing(rows: pd.DataFrame, received_at: datetime) -> tuple[pd.DataFrame, "pd.Series[str]"]:
        path.write_text("something else")
        return accepted(rows, received_at)

    drop(inbox, HEAD + "a,2024-01-05,1\n", "file.csv")
    path = inbox / "toy" / "truth" / "file.csv"
    time.sleep(0.02)
    (found,) = waiting(inbox)
    assert land_file(store, found, [intake(rules=changing)], inbox.parent / "archive") is None
    assert lines(store) == []
    assert path.exists()


def test_killed_between_commit_and_archive_the_next_run_only_archives(
    store: Store, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(inbox, HEAD + "a,2024-01-05,1\n#b,2024-01-05,1\n")

    def killed(path: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(land, "archive", killed)
    with pytest.raises(KeyboardInterrupt):
        landed(store, inbox)
    before = state(store)
    monkeypatch.undo()
    (done,) = landed(store, inbox)

    assert done is not None
    assert not done.is_new
    for old, new in zip(before, state(store), strict=True):
        pd.testing.assert_frame_equal(old, new)
    assert waiting(inbox) == []
    assert len(list((inbox.parent / "archive" / "toy").iterdir())) == 1


def test_an_error_while_landing_leaves_nothing_of_the_file(store: Store, inbox: Path) -> None:
    def failing(rows: pd.DataFrame, received_at: datetime) -> tuple[pd.DataFrame, "pd.Series[str]"]:
        raise RuntimeError("no")

    drop(inbox, HEAD + "a,2024-01-05,1\n")
    with pytest.raises(RuntimeError, match="no"):
        landed(store, inbox, intake(), intake(rules=failing, kind="predictions"))

    assert rows(store) == lines(store) == []
    assert len(waiting(inbox)) == 1


def test_an_archive_on_another_disk_gets_a_copy(store: Store, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(inbox, HEAD + "a,2024-01-05,1\n")
    replace = Path.replace

    def across(self: Path, target: Path) -> Path:
        if self == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", across)
    landed(store, inbox)

    assert not path.exists()
    (original,) = (inbox.parent / "archive" / "toy").iterdir()
    assert original.read_text() == HEAD + "a,2024-01-05,1\n"


def test_checking_says_the_same_and_writes_nothing(store: Store, inbox: Path, tmp_path: Path) -> None:
    path = drop(inbox, REPEATS.replace("value", "value,more").replace("\n", ",1\n").replace("more,1", "more"))
    with duckdb.connect(":memory:") as connection:
        verdict = check_file(connection, path, intake(), NOW)
    assert lines(store) == []
    (done,) = landed(store, inbox)

    assert done is not None
    assert done.verdicts == (verdict,)
    assert verdict.unread == ("more",)
    assert (verdict.n_rows, verdict.n_accepted, verdict.n_rejected, verdict.status) == (6, 2, 4, "partly")
    assert sum(count for _, count in verdict.reasons) == 4
    assert [number for number, _, _ in verdict.examples] == [2, 3, 4, 6]


def test_landing_touches_only_the_cycles_of_its_rows(store: Store, inbox: Path) -> None:
    drop(inbox, HEAD + "a,2024-01-05,1\n#b,2024-01-06,1\n", "one.csv")
    landed(store, inbox)
    first = store.seqs(NOTES, "toy")
    drop(inbox, HEAD + "a,2024-01-07,1\n", "two.csv")
    landed(store, inbox)

    assert list(first) == [datetime(2024, 1, 5)]
    after = store.seqs(NOTES, "toy")
    assert sorted(after) == [datetime(2024, 1, 5), datetime(2024, 1, 7)]
    assert after[datetime(2024, 1, 5)] == first[datetime(2024, 1, 5)]


CELLS = st.one_of(
    st.sampled_from(["a", "b", "#c", "!d", "1", "2", "2024-01-05", "2024-01-06", "", '"', ",", "\n", "x\0"]),
    st.text(max_size=5),
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=20, deadline=None
)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8), st.booleans())
def test_whatever_a_file_says_its_rows_add_up(
    tmp_path_factory: pytest.TempPathFactory, store: Store, found: list[list[str]], once: bool
) -> None:
    inbox = tmp_path_factory.mktemp("inbox") / "inbox"
    content = HEAD + "\n".join(",".join(cells) for cells in found)
    drop(inbox, content.encode(errors="surrogatepass"))
    landed(store, inbox, intake(once=once))

    assert_it_adds_up(store)
    assert waiting(inbox) == []
