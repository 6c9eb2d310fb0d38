"""Checks of a board: each finds what is wrong, all of it, and nothing else."""

from pathlib import Path

import pytest

from pipeline.leaderboard import Check, Leaderboard, LeaderboardBuilder, LeaderboardSpec, MeasureSpec, load, verify
from pipeline_tests.leaderboard.board.boards import graded
from pipeline_tests.leaderboard.formats.test_detection import written

SPEC = LeaderboardSpec((MeasureSpec("P"), MeasureSpec("R")))


def board_of(rows: list[tuple[str, str, float | None, float | None]]) -> Leaderboard:
    builder = LeaderboardBuilder(SPEC)
    for run_id, topic_id, p, r in rows:
        builder.add(run_id=run_id, topic_id=topic_id, P=p, R=r)
    return builder.build(on_missing="fix_aggregate", drop_aggregate=False)


def found(board: Leaderboard, check: Check, **options: object) -> list[tuple[str | None, str | None, str | None]]:
    violations = verify(board, checks=[check], **options)  # type: ignore[arg-type]
    assert {one.check for one in violations} <= {check}
    return [(one.run_id, one.topic_id, one.measure) for one in violations]


COMPLETE = [("a", "1", 0.1, 0.2), ("a", "2", 0.3, 0.4), ("b", "1", 0.5, 0.6), ("b", "2", 0.7, 0.8)]
SUMMED_UP = [*COMPLETE, ("a", "all", 0.2, 0.3), ("b", "all", 0.6, 0.7)]


def test_on_a_board_that_is_right_nothing_is_found() -> None:
    assert verify(board_of(SUMMED_UP)) == ()
    assert verify(board_of(SUMMED_UP), expected_topic_ids=["2", "1"]) == ()
    assert verify(board_of(COMPLETE)) == ()


class TestCompleteGrid:
    def test_every_topic_that_a_run_lacks_is_listed(self) -> None:
        board = board_of([COMPLETE[0], COMPLETE[3]])
        assert found(board, Check.COMPLETE_GRID) == [("a", "2", None), ("b", "1", None)]
        assert found(board, Check.COMPLETE_GRID, expected_topic_ids=["1", "2", "9"]) == [
            ("a", "2", None),
            ("a", "9", None),
            ("b", "1", None),
            ("b", "9", None),
        ]

    def test_every_value_that_a_run_lacks_is_listed(self) -> None:
        board = board_of([("a", "1", 0.1, None), ("a", "2", 0.3, 0.4), ("b", "1", 0.5, 0.6), ("b", "2", None, 0.8)])
        assert found(board, Check.COMPLETE_GRID) == [("b", "2", "P"), ("a", "1", "R")]

    def test_a_measure_that_a_run_does_not_have_at_all_is_listed_once(self) -> None:
        board = board_of([("a", "1", 0.1, None), ("a", "2", 0.3, None), *COMPLETE[2:]])
        assert found(board, Check.COMPLETE_GRID) == [("a", None, "R")]

    def test_a_run_that_has_nothing_is_listed(self) -> None:
        builder = graded({("a", "1"): 0.5})
        builder.expect_runs(["ghost"])
        assert found(builder.build(on_missing="fix_aggregate"), Check.COMPLETE_GRID) == [("ghost", None, None)]


def test_topics_that_others_have_are_listed() -> None:
    board = board_of([COMPLETE[0], COMPLETE[2], COMPLETE[3]])
    assert found(board, Check.SAME_TOPICS) == [("a", "2", None)]
    assert found(board_of(COMPLETE), Check.SAME_TOPICS) == []


def test_topics_that_nobody_expects_are_listed_for_every_run() -> None:
    board = board_of(COMPLETE)
    assert found(board, Check.NO_EXTRA_TOPICS, expected_topic_ids=["1"]) == [("a", "2", None), ("b", "2", None)]
    assert found(board, Check.NO_EXTRA_TOPICS) == []


class TestAggregatesMatch:
    def test_every_aggregate_that_is_not_what_topics_sum_up_to_is_listed(self) -> None:
        board = board_of([*COMPLETE, ("a", "all", 0.2, 0.31), ("b", "all", 0.5, 0.7)])
        assert found(board, Check.AGGREGATES_MATCH) == [("b", "all", "P"), ("a", "all", "R")]

    def test_expected_topics_count_in_aggregates(self) -> None:
        board = board_of([*COMPLETE, ("a", "all", 0.1, 0.15), ("b", "all", 0.3, 0.35)])
        assert len(found(board, Check.AGGREGATES_MATCH)) == 4
        assert found(board, Check.AGGREGATES_MATCH, expected_topic_ids=["1", "2", "3", "4"]) == []

    def test_a_run_without_an_aggregate_is_listed_if_others_have_one(self) -> None:
        assert found(board_of(SUMMED_UP[:-1]), Check.AGGREGATES_MATCH) == [("b", "all", None)]

    def test_the_message_says_what_they_sum_up_to(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, "a P 1 0.10\na P 2 0.20\na P all 0.50\n"), declared=[MeasureSpec("P")]).board
        (one,) = verify(board, checks=["aggregates_match"])
        assert one.message == "P of run 'a' is 0.5, its topics sum up to 0.15 (between 0.145 and 0.155)"


class TestConsistentTypes:
    def test_texts_among_numbers_are_listed(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a GRADE 1 1\na GRADE 2 2\na GRADE 3 n/a\nb GRADE 1 3\nb GRADE 2 error\nb GRADE 3 0\n")
        board = load(path).board
        assert found(board, Check.CONSISTENT_TYPES) == [("a", "3", "GRADE"), ("b", "2", "GRADE")]
        assert verify(board, checks=["consistent_types"])[0].message == (
            "GRADE of run 'a' for topic '3' is 'n/a', no number, unlike 4 others"
        )

    def test_numbers_among_texts_are_listed(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, "a GRADE 1 good\na GRADE 2 2\na GRADE 3 bad\n")).board
        assert found(board, Check.CONSISTENT_TYPES) == [("a", "2", "GRADE")]

    def test_texts_alone_are_right(self, tmp_path: Path) -> None:
        board = load(written(tmp_path, "a GRADE 1 good\na GRADE 2 bad\n")).board
        assert found(board, Check.CONSISTENT_TYPES) == []


def test_an_unknown_check_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown check 'grid'; known: complete_grid, same_topics, no_extra"):
        verify(board_of(COMPLETE), checks=["grid"])
