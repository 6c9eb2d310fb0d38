"""The files of a board: those that can be read are taken, the others are refused with the reason and the line."""

import re
from pathlib import Path

import pytest

from pipeline.judging import BoardFiles, Content, TrackError, judged, read_unchanged, topics_in
from pipeline.leaderboard import MeasureSpec
from pipeline.leaderboard.formats import plain
from pipeline.leaderboard.formats.text import Table, read_table
from pipeline_tests.track_graph import write_run

FINE = {"301": [0.5], "302": [0.25]}


def content(path: Path) -> Content:
    return Content.of(path, f"official/{path.name}")


def test_a_file_that_can_be_read_is_told_by_format_rows_and_runs(tmp_path: Path) -> None:
    (verdict,) = judged([content(write_run(tmp_path, "good", FINE))], BoardFiles())

    assert verdict.is_accepted
    assert (verdict.format, verdict.n_rows, verdict.n_runs) == ("trec_eval", 3, 1)
    assert "map" in verdict.measures


def test_a_broken_file_is_refused_with_its_line_and_the_others_are_taken(tmp_path: Path) -> None:
    good = write_run(tmp_path, "good", FINE)
    broken = tmp_path / "broken.eval"
    broken.write_text("map\t301\t0.5\nmap\t302\toops\n")

    found = judged([content(good), content(broken)], BoardFiles())

    assert [one.is_accepted for one in found] == [True, False]
    assert found[1].reason == "official/broken.eval:2: map is 'oops', which is no number"
    assert str(tmp_path) not in str(found[1].reason)
    assert found[1].n_rows == 0


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "stopped.eval"
    empty.touch()
    (verdict,) = judged([content(empty)], BoardFiles())
    assert "nothing in it" in str(verdict.reason)


def test_of_two_files_that_contradict_each_other_one_is_refused_and_the_line_is_named(tmp_path: Path) -> None:
    good = write_run(tmp_path, "good", FINE)
    other = write_run(tmp_path / "more", "good", {"301": [0.5], "302": [0.75]})
    third = write_run(tmp_path, "third", FINE)

    found = judged([content(one) for one in (good, other, third)], BoardFiles())

    assert sum(one.is_accepted for one in found) == 2
    assert found[2].is_accepted
    (refused,) = [one for one in found if not one.is_accepted]
    assert ":3:" in str(refused.reason)
    assert re.search(r" is 0\.[27]5\d*, but 0\.[27]5\d* in official/good\.eval:3; keep one", str(refused.reason))
    assert str(tmp_path) not in str(refused.reason)
    assert refused.n_rows == 0


def test_a_file_with_topics_that_are_not_expected_is_refused(tmp_path: Path) -> None:
    good, more = write_run(tmp_path, "good", FINE), write_run(tmp_path, "more", FINE | {"999": [0.1]})
    found = judged([content(good), content(more)], BoardFiles(), topics=["301", "302", "303"])
    assert found[0].is_accepted
    assert "999" in str(found[1].reason)


def test_printed_aggregates_that_do_not_follow_from_topics_are_counted(tmp_path: Path) -> None:
    path = write_run(tmp_path, "good", FINE)
    path.write_text(path.read_text() + "map\tall\t0.9000\n")
    (verdict,) = judged([content(path)], BoardFiles())
    assert (verdict.is_accepted, verdict.n_differences) == (True, 1)


def test_a_format_that_is_declared_is_the_one_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("28\t301\t0.5\n")
    (unclear,) = judged([content(path)], BoardFiles())
    (clear,) = judged([content(path)], BoardFiles.model_validate({"format": "ir_measures_q"}))
    assert not unclear.is_accepted
    assert (clear.format, clear.measures) == ("ir_measures_q", ("301",))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    (verdict,) = judged([content(tmp_path / "gone.eval")], BoardFiles())
    assert verdict.reason == "it cannot be opened: No such file or directory"
    assert verdict.content.sha256 is None


def test_a_file_that_was_written_to_since_its_verdict_is_not_read(tmp_path: Path) -> None:
    path = write_run(tmp_path, "good", FINE)
    before = content(path)
    write_run(tmp_path, "good", FINE | {"303": [0.1]})
    with pytest.raises(TrackError, match=r"official/good\.eval: written to since its verdict; run again"):
        read_unchanged([before], BoardFiles())


def test_topics_are_those_of_relevance_judgements_or_of_a_list(tmp_path: Path) -> None:
    qrels, listed = tmp_path / "qrels.txt", tmp_path / "topics.txt"
    qrels.write_text("301 0 doc1 1\n301 0 doc2 0\n302 0 doc1 1\n")
    listed.write_text("7\n8\n")
    assert topics_in(content(qrels))[1] == ("301", "302")
    assert topics_in(content(listed))[1] == ("7", "8")


def test_a_file_of_topics_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "qrels.txt"
    wrong.write_text("301 0\n")
    verdict, topics = topics_in(content(wrong))
    assert topics is None
    assert "official/qrels.txt:1: 2 columns" in str(verdict.reason)


def test_each_file_is_read_once_however_often_they_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def counted(path: Path) -> Table:
        opened.append(path)
        return read_table(path)

    monkeypatch.setattr(plain, "read_table", counted)
    good = write_run(tmp_path, "good", FINE)
    other = write_run(tmp_path / "more", "good", {"301": [0.5], "302": [0.75]})
    third = write_run(tmp_path, "third", FINE)

    meanings = [MeasureSpec("map", default=None), MeasureSpec("elsewhere")]
    found = judged([content(one) for one in (good, other, third)], BoardFiles(), meanings)

    assert sum(one.is_accepted for one in found) == 2
    assert sorted(opened) == sorted([good, other, third])
