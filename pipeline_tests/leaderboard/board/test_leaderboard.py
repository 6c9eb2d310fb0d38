"""A board read, ranked, filtered and merged."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from pipeline.leaderboard import (
    Aggregate,
    ContradictionError,
    Direction,
    Leaderboard,
    LeaderboardBuilder,
    LeaderboardSpec,
    MeasureSpec,
    MissingTopicsWarning,
)
from pipeline_tests.leaderboard.board.boards import GRADES, graded, plain, rows_in_order

VALUES = {("a", "1"): 0.2, ("a", "2"): 0.4, ("b", "2"): 0.8, ("b", "1"): 0.6, ("c", "1"): 0.9, ("c", "2"): 0.5}
SPEC = LeaderboardSpec((MeasureSpec("GRADE"),))


@pytest.fixture
def board() -> Leaderboard:
    return graded(VALUES).build()


class TestReading:
    def test_runs_topics_and_measures_are_in_the_order_of_first_appearance(self, board: Leaderboard) -> None:
        assert (board.run_ids, board.topic_ids, board.measures) == (("a", "b", "c"), ("1", "2"), ("GRADE",))
        assert board.all_topic_id == "all"

    def test_values_are_a_matrix_of_runs_and_topics_and_aggregates_a_vector(self, board: Leaderboard) -> None:
        np.testing.assert_array_equal(board.matrix("GRADE"), [[0.2, 0.4], [0.6, 0.8], [0.9, 0.5]])
        np.testing.assert_allclose(board.aggregates("GRADE"), [0.3, 0.7, 0.7])

    def test_what_a_run_lacks_is_nan_in_the_matrix(self) -> None:
        board = graded({("a", "1"): 0.5, ("b", "2"): 0.5}).build(on_missing="fix_aggregate")
        np.testing.assert_array_equal(board.matrix("GRADE"), [[0.5, np.nan], [np.nan, 0.5]])

    def test_text_has_no_matrix_and_an_unknown_measure_neither(self) -> None:
        builder = LeaderboardBuilder(GRADES)
        builder.add(run_id="a", topic_id="1", GRADE=1, CATEGORY="x")
        with pytest.raises(ValueError, match="measure 'CATEGORY' is text; numbers are: GRADE"):
            builder.build().matrix("CATEGORY")
        with pytest.raises(KeyError, match="unknown measure 'MARK'"):
            builder.build().aggregates("MARK")

    def test_entries_are_made_when_they_are_looked_at(self, board: Leaderboard) -> None:
        assert len(board.entries) == 9
        assert (board.entries[-1].run_id, board.entries[-1].topic_id) == ("c", "all")
        assert [entry.topic_id for entry in board.entries[1::4]] == ["2", "2"]
        assert board.entries[0] == next(iter(board.entries))
        assert board.entries[0] is not board.entries[0]
        with pytest.raises(IndexError):
            board.entries[9]

    def test_another_word_may_mark_aggregates(self) -> None:
        spec = LeaderboardSpec((MeasureSpec("GRADE"),), all_topic_id="amean")
        board = graded({("a", "all"): 0.5, ("a", "2"): 1.0}, spec).build()
        assert plain(board)[("a", "amean")] == {"GRADE": 0.75}
        assert board.topic_ids == ("all", "2")

    def test_it_cannot_be_changed(self, board: Leaderboard) -> None:
        with pytest.raises(FrozenInstanceError):
            board.spec = SPEC  # type: ignore[misc]

    def test_a_board_of_nothing_is_a_board(self) -> None:
        board = LeaderboardBuilder(SPEC).build()
        assert (board.run_ids, board.topic_ids, len(board.entries)) == ((), (), 0)
        assert board.get_aggregate_ranking("GRADE").rank.size == 0


class TestRanking:
    def test_runs_are_ranked_by_their_all_rows_and_those_that_tie_share_a_rank(self, board: Leaderboard) -> None:
        assert board.get_aggregate_ranking("GRADE").rank.tolist() == [3, 1, 1]

    def test_of_a_loss_the_lowest_is_first(self) -> None:
        board = graded(VALUES, LeaderboardSpec((MeasureSpec("loss", direction=Direction.ASC),))).build()
        assert board.get_aggregate_ranking("loss").rank.tolist() == [1, 2, 2]

    def test_what_has_no_direction_ranks_nobody(self) -> None:
        board = graded(VALUES, LeaderboardSpec((MeasureSpec("n", direction=Direction.NONE),))).build()
        with pytest.raises(ValueError, match="its direction is none"):
            board.get_aggregate_ranking("n")

    def test_without_a_measure_it_is_the_weighted_sum(self) -> None:
        builder = LeaderboardBuilder(
            LeaderboardSpec((MeasureSpec("P", weight=1.0), MeasureSpec("R", weight=0.5), MeasureSpec("n")))
        )
        builder.add(run_id="a", topic_id="1", P=0.5, R=0.1, n=9)
        builder.add(run_id="b", topic_id="1", P=0.4, R=0.4, n=1)
        assert builder.build().get_aggregate_ranking().rank.tolist() == [2, 1]

    def test_without_a_measure_and_without_weights_the_measures_are_named(self, board: Leaderboard) -> None:
        with pytest.raises(ValueError, match="no measure has a weight; name the one to rank by: GRADE"):
            board.get_aggregate_ranking()


class TestTop:
    def test_all_who_tie_with_the_last_one_stay(self, board: Leaderboard) -> None:
        top = board.top_k(1, "GRADE")
        assert top.run_ids == ("b", "c")
        assert plain(top) == {key: row for key, row in plain(board).items() if key[0] in "bc"}

    def test_aggregates_stay_as_they_were_given(self) -> None:
        board = graded(VALUES | {("a", "all"): 9.0, ("b", "all"): 1.0}).build(drop_aggregate=False)
        assert plain(board.top_k(1, "GRADE"))[("a", "all")] == {"GRADE": 9.0}

    def test_none_of_them_is_nothing_and_fewer_is_refused(self, board: Leaderboard) -> None:
        assert board.top_k(0, "GRADE").run_ids == ()
        assert board.top_k(99, "GRADE").run_ids == ("a", "b", "c")
        with pytest.raises(ValueError, match="k is -1"):
            board.top_k(-1, "GRADE")


class TestFiltering:
    def test_aggregates_are_of_what_is_kept(self, board: Leaderboard) -> None:
        kept = board.filter_and_recompute(run_ids=["c", "a"], topic_ids=["2"])
        assert plain(kept) == {
            ("a", "2"): {"GRADE": 0.4},
            ("c", "2"): {"GRADE": 0.5},
            ("a", "all"): {"GRADE": 0.4},
            ("c", "all"): {"GRADE": 0.5},
        }

    def test_without_a_filter_everything_is_kept(self, board: Leaderboard) -> None:
        assert plain(board.filter_and_recompute()) == plain(board)

    @pytest.mark.parametrize("nothing", [{"run_ids": ()}, {"topic_ids": ()}])
    def test_an_empty_set_keeps_nothing(self, board: Leaderboard, nothing: dict[str, tuple[str, ...]]) -> None:
        kept = board.filter_and_recompute(**nothing)
        assert (kept.run_ids, len(kept.entries)) == ((), 0)

    def test_topics_and_runs_that_nobody_has_are_an_error(self, board: Leaderboard) -> None:
        with pytest.raises(ValueError, match="topics '7', '8' are not on the board, which has 2: 1, 2"):
            board.filter_and_recompute(topic_ids=["1", "7", "8"])
        with pytest.raises(ValueError, match="runs 'z' are not on the board, which has 3: a, b, c"):
            board.filter_and_recompute(run_ids=["z"])

    def test_a_run_that_lacks_a_kept_topic_counts_with_the_default_and_is_named(self) -> None:
        board = graded({("a", "1"): 1.0, ("a", "2"): 1.0, ("a", "3"): 1.0, ("b", "1"): 1.0, ("b", "3"): 1.0})
        kept = board.build(on_missing="fix_aggregate").filter_and_recompute(topic_ids=["1", "2"])
        assert kept.aggregates("GRADE").tolist() == [1.0, 0.5]
        assert kept.coverage.missing == {"b": ("2",)}
        assert kept.coverage.expected_from == "caller"

    def test_a_run_that_has_none_of_the_kept_topics_is_dropped_by_name_and_not_given_a_0(self) -> None:
        board = graded({("a", "1"): 1.0, ("a", "2"): 1.0, ("b", "1"): 1.0}).build(on_missing="fix_aggregate")
        kept = board.filter_and_recompute(topic_ids=["2"])
        assert kept.run_ids == ("a",)
        assert [(one.kind, one.name) for one in kept.dropped] == [("run", "b")]
        assert kept.coverage.missing == {"b": ("2",)}

    def test_who_expected_the_topics_is_remembered(self) -> None:
        board = graded({("a", "1"): 1.0, ("b", "1"): 0.5}).build(["1", "2"], "fix_aggregate", expected_from="qrels.txt")
        kept = board.filter_and_recompute(run_ids=["b"])
        assert kept.aggregates("GRADE").tolist() == [0.25]
        assert kept.coverage.expected_from == "qrels.txt"

    def test_topics_are_expected_even_if_none_of_the_kept_runs_has_them(self) -> None:
        board = graded({("a", "1"): 1.0, ("a", "2"): 1.0, ("b", "1"): 1.0}).build(on_missing="fix_aggregate")
        kept = board.filter_and_recompute(run_ids=["b"])
        assert kept.aggregates("GRADE").tolist() == [0.5]
        assert kept.coverage.missing == {"b": ("2",)}
        assert kept.coverage.expected_from == "union"

    def test_measures_of_all_rows_that_cannot_be_computed_are_dropped_by_name(self) -> None:
        spec = LeaderboardSpec((MeasureSpec("map"), MeasureSpec("num_q", aggregate=Aggregate.NONE, only_in_all=True)))
        builder = graded({("a", "1"): 1.0, ("a", "2"): 0.0}, spec)
        builder.add(run_id="a", topic_id="all", map=0.5, num_q=2)
        kept = builder.build(drop_aggregate=False).filter_and_recompute(topic_ids=["1"])
        assert kept.measures == ("map",)
        assert [(one.kind, one.name) for one in kept.dropped] == [("measure", "num_q")]


class TestMerging:
    def test_runs_topics_and_measures_of_all_are_joined(self) -> None:
        one = graded({("a", "1"): 0.5, ("b", "1"): 0.25}).build()
        other = graded({("b", "2"): 0.75, ("a", "2"): 1.0}).build()
        third = graded({("a", "1"): 7.0, ("a", "2"): 9.0}, LeaderboardSpec((MeasureSpec("n"),))).build()
        merged = one.merge(other, third)
        assert merged.measures == ("GRADE", "n")
        assert plain(merged)[("a", "1")] == {"GRADE": 0.5, "n": 7.0}
        assert plain(merged)[("b", "all")] == {"GRADE": 0.5, "n": None}
        assert rows_in_order(merged)[:4] == [("a", "1"), ("b", "1"), ("b", "2"), ("a", "2")]

    def test_boards_that_contradict_each_other_are_refused(self) -> None:
        with pytest.raises(ContradictionError, match="run 'a' has GRADE"):
            graded({("a", "1"): 0.5}).build().merge(graded({("a", "1"): 0.25}).build())

    def test_boards_that_mean_different_things_by_a_measure_are_refused(self) -> None:
        one = graded({("a", "1"): 0.5}).build()
        other = graded({("b", "1"): 0.5}, LeaderboardSpec((MeasureSpec("GRADE", direction=Direction.ASC),))).build()
        with pytest.raises(ValueError, match="boards mean different things by measure 'GRADE'"):
            one.merge(other)

    def test_topics_that_one_of_them_has_are_missing_from_the_others(self) -> None:
        one, other = graded({("a", "1"): 0.5}).build(), graded({("b", "2"): 0.5}).build()
        with pytest.warns(MissingTopicsWarning, match="a lacks 2; b lacks 1"):
            one.merge(other)
        assert one.merge(other, on_missing="fix_aggregate").aggregates("GRADE").tolist() == [0.25, 0.25]

    def test_topics_that_one_of_them_expects_are_expected_of_all(self) -> None:
        one = graded({("a", "1"): 0.5}).build(["1", "3"], "fix_aggregate")
        other = graded({("b", "2"): 0.5}).build()
        assert one.merge(other, on_missing="fix_aggregate").coverage.expected_topic_ids == ("1", "3", "2")


def test_a_large_board_is_summed_up_without_making_objects_of_its_cells() -> None:
    runs, topics, rng = 200, 50, np.random.default_rng(1)
    names = [f"m{at}" for at in range(20)]
    builder = LeaderboardBuilder(LeaderboardSpec(tuple(MeasureSpec(name) for name in names)))
    values = rng.random((runs * topics, len(names)))
    builder.add_columns(
        run_ids=[f"r{row // topics}" for row in range(runs * topics)],
        topic_ids=[f"t{row % topics}" for row in range(runs * topics)],
        values={name: values[:, at] for at, name in enumerate(names)},
    )
    board = builder.build()
    expected = values.reshape(runs, topics, len(names)).mean(axis=1)
    np.testing.assert_allclose(np.stack([board.aggregates(name) for name in names], axis=1), expected)
    half = board.filter_and_recompute(topic_ids=board.topic_ids[::2])
    np.testing.assert_allclose(half.aggregates("m3"), values.reshape(runs, topics, len(names))[:, ::2, 3].mean(axis=1))
