"""Everything that becomes a board goes through the builder: what it checks, casts, fills in and sums up."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.leaderboard import (
    Aggregate,
    Coded,
    ContradictionError,
    Direction,
    LeaderboardBuilder,
    LeaderboardEntry,
    LeaderboardSpec,
    MeasureSpec,
    MissingTopicsError,
    MissingTopicsWarning,
)
from pipeline_tests.leaderboard.board.boards import GRADES, graded, plain, rows_in_order

HOLES = {("a", "1"): 0.2, ("a", "2"): 0.4, ("b", "1"): 0.8}
"""Run b lacks topic 2."""


class TestAdding:
    def test_a_judge_adds_rows_and_gets_a_board_with_all_rows(self) -> None:
        builder = LeaderboardBuilder(GRADES)
        builder.add(run_id="first", topic_id="28", GRADE="0.5", CATEGORY="A")
        builder.add(run_id="first", topic_id="29", values={"CATEGORY": "B", "GRADE": True})
        assert plain(builder.build()) == {
            ("first", "28"): {"GRADE": 0.5, "CATEGORY": "A"},
            ("first", "29"): {"GRADE": 1.0, "CATEGORY": "B"},
            ("first", "all"): {"GRADE": 0.75, "CATEGORY": "A"},
        }

    def test_unknown_and_missing_measures_are_named_together_with_the_spec(self) -> None:
        with pytest.raises(KeyError, match=r"unknown measures: GRAED, X; missing measures: GRADE, CATEGORY .* has: GR"):
            LeaderboardBuilder(GRADES).add(run_id="r", topic_id="1", GRAED=1, X=2)

    def test_a_value_may_be_absent_only_in_so_many_words(self) -> None:
        builder = LeaderboardBuilder(GRADES)
        builder.add(run_id="r", topic_id="1", GRADE=None, CATEGORY="A")
        assert plain(builder.build())[("r", "1")] == {"GRADE": None, "CATEGORY": "A"}
        with pytest.raises(KeyError, match="missing measures: GRADE"):
            builder.add(run_id="r", topic_id="2", CATEGORY="A")

    def test_what_cannot_be_cast_fails_where_it_is_added(self) -> None:
        with pytest.raises(ValueError, match="value 'high' of measure 'GRADE' is no number"):
            LeaderboardBuilder(GRADES).add(run_id="r", topic_id="1", GRADE="high", CATEGORY="A")

    def test_values_come_in_one_way(self) -> None:
        with pytest.raises(TypeError, match="not both"):
            LeaderboardBuilder(GRADES).add(run_id="r", topic_id="1", values={"GRADE": 1}, CATEGORY="A")

    @pytest.mark.parametrize("wrong", [{"run_id": 1}, {"topic_id": 28}, {"run_id": ""}, {"topic_id": "a\tb"}])
    def test_ids_are_texts_that_files_can_hold(self, wrong: dict[str, object]) -> None:
        with pytest.raises((TypeError, ValueError), match=r"is no text|files could not hold it"):
            LeaderboardBuilder(GRADES).add(**{"run_id": "r", "topic_id": "1", "GRADE": 1, "CATEGORY": "A"} | wrong)

    def test_rows_are_made_from_any_objects(self) -> None:
        builder = LeaderboardBuilder(GRADES)
        builder.add_records(
            [("r", 7, 0.5), ("s", 7, 0.25)],
            run_id=lambda one: one[0],
            topic_id=lambda one: str(one[1]),
            get_values=lambda one: {"GRADE": one[2], "CATEGORY": "x"},
        )
        assert rows_in_order(builder.build()) == [("r", "7"), ("s", "7"), ("r", "all"), ("s", "all")]

    def test_entries_are_added_with_or_without_their_all_rows(self) -> None:
        entries = [LeaderboardEntry("r", "1", {"GRADE": 1.0}), LeaderboardEntry("r", "all", {"GRADE": 9.0})]
        spec = LeaderboardSpec((MeasureSpec("GRADE"),))
        kept, skipped = LeaderboardBuilder(spec), LeaderboardBuilder(spec)
        kept.add_entries(entries)
        skipped.add_entries(entries, skip_all_rows=True)
        assert plain(kept.build(drop_aggregate=False))[("r", "all")] == {"GRADE": 9.0}
        assert rows_in_order(skipped.build(drop_aggregate=False)) == [("r", "1")]

    def test_entries_of_a_board_are_added_like_any_others(self) -> None:
        board = graded(HOLES).build(on_missing="fix_aggregate")
        by_view, one_by_one = LeaderboardBuilder(board.spec), LeaderboardBuilder(board.spec)
        by_view.add_entries(board.entries)
        one_by_one.add_entries(list(board.entries))
        built = [plain(builder.build(None, "fix_aggregate", False)) for builder in (by_view, one_by_one)]
        assert built == [plain(board), plain(board)]

    def test_boards_are_added_to_one_and_what_one_has_not_is_absent(self) -> None:
        one = graded({("a", "1"): 0.5}, LeaderboardSpec((MeasureSpec("P"),))).build()
        other = graded({("a", "1"): 0.1, ("b", "1"): 0.2}, LeaderboardSpec((MeasureSpec("R"),))).build()
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("P"), MeasureSpec("R"))))
        builder.add_from_all([one, other])
        assert plain(builder.build()) == {
            ("a", "1"): {"P": 0.5, "R": 0.1},
            ("b", "1"): {"P": None, "R": 0.2},
            ("a", "all"): {"P": 0.5, "R": 0.1},
            ("b", "all"): {"P": None, "R": 0.2},
        }

    def test_a_board_with_another_measure_is_not_added(self) -> None:
        with pytest.raises(KeyError, match="unknown measures: GRADE"):
            LeaderboardBuilder(LeaderboardSpec((MeasureSpec("P"),))).add_from_all([graded({("a", "1"): 1}).build()])


class TestColumns:
    def test_columns_are_checked_and_cast_like_single_rows(self) -> None:
        one_by_one, at_once = LeaderboardBuilder(GRADES), LeaderboardBuilder(GRADES)
        rows = [("a", "1", "0.50", "x"), ("a", "all", "7", "y"), ("b", "1", None, "z"), ("b", "2", "nan", None)]
        for run_id, topic_id, grade, category in rows:
            one_by_one.add(run_id=run_id, topic_id=topic_id, GRADE=grade, CATEGORY=category)
        runs, topics, grades, categories = zip(*rows, strict=True)
        at_once.add_columns(run_ids=runs, topic_ids=topics, values={"GRADE": grades, "CATEGORY": categories})
        built = at_once.build(["1", "2"], "fix_aggregate", False)
        assert plain(built) == plain(one_by_one.build(["1", "2"], "fix_aggregate", False))
        assert plain(built)[("b", "2")] == {"GRADE": None, "CATEGORY": None}

    def test_numbers_keep_how_they_were_written(self) -> None:
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("GRADE"),)))
        builder.add_columns(run_ids=["a", "a"], topic_ids=["1", "2"], values={"GRADE": ["0.50", "0.5"]})
        board = builder.build()
        assert board.rows.columns["GRADE"].texts().tolist() == ["0.50", "0.5", "0.5"]

    @pytest.mark.parametrize(
        ("values", "error", "said"),
        [
            ({"GRADE": [1.0]}, KeyError, "missing measures: CATEGORY"),
            ({"GRADE": [1.0], "CATEGORY": ["x"], "Z": [0]}, KeyError, "unknown measures: Z"),
            ({"GRADE": ["x"], "CATEGORY": ["x"]}, ValueError, "is no number"),
            ({"GRADE": [np.inf], "CATEGORY": ["x"]}, ValueError, "is infinite"),
            ({"GRADE": [1.0, 2.0], "CATEGORY": ["x"]}, ValueError, "run_ids has 1 rows, but GRADE has 2"),
        ],
    )
    def test_wrong_columns_are_refused(
        self, values: dict[str, list[object]], error: type[Exception], said: str
    ) -> None:
        with pytest.raises(error, match=said):
            LeaderboardBuilder(GRADES).add_columns(run_ids=["a"], topic_ids=["1"], values=values)

    def test_ids_of_columns_are_texts(self) -> None:
        with pytest.raises(TypeError, match="id 1 is no text"):
            LeaderboardBuilder(GRADES).add_columns(
                run_ids=[1],
                topic_ids=["1"],
                values={"GRADE": [1.0], "CATEGORY": ["x"]},  # type: ignore[list-item]
            )

    def test_a_topic_has_no_value_of_a_measure_that_only_all_rows_have(self) -> None:
        spec = LeaderboardSpec((MeasureSpec("map"), MeasureSpec("num_q", aggregate=Aggregate.NONE, only_in_all=True)))
        builder = LeaderboardBuilder(spec)
        builder.add_columns(run_ids=["a", "a"], topic_ids=["1", "all"], values={"map": [0, 0], "num_q": [None, 1]})
        assert plain(builder.build(drop_aggregate=False)) == {
            ("a", "1"): {"map": 0.0},
            ("a", "all"): {"map": 0.0, "num_q": 1.0},
        }
        with pytest.raises(ValueError, match="run 'a' has a value of 'num_q' for the topic '1'; only all rows have"):
            builder.add_columns(run_ids=["a"], topic_ids=["1"], values={"map": [0.0], "num_q": [1.0]})
        with pytest.raises(KeyError, match="unknown measures: num_q"):
            builder.add(run_id="a", topic_id="1", map=0.1, num_q=1)

    @given(st.lists(st.sampled_from(["0.1000", "0.1", "1", "-2.5e3", "nan", ".5"]), max_size=8))
    def test_coded_texts_are_cast_as_each_would_be(self, texts: list[str]) -> None:
        spec = LeaderboardSpec((MeasureSpec("m"),))
        builder = LeaderboardBuilder(spec)
        topics = [f"{at}" for at in range(len(texts))]
        builder.add_columns(run_ids=["r"] * len(texts), topic_ids=topics, values={"m": Coded.of(texts)})
        column = builder.build(drop_aggregate=False).rows.columns["m"]
        assert [column.value(row) for row in range(len(texts))] == [spec["m"].cast(text) for text in texts]
        assert column.texts().tolist() == texts


class TestMissing:
    def test_without_a_word_about_topics_those_that_any_run_has_are_expected(self) -> None:
        with pytest.warns(MissingTopicsWarning, match="of 2 topics that any run has, b lacks 2"):
            board = graded(HOLES).build()
        assert board.coverage.expected_from == "union"
        assert board.coverage.expected_topic_ids == ("1", "2")
        assert board.coverage.missing == {"b": ("2",)}
        assert board.aggregates("GRADE").tolist() == pytest.approx([0.3, 0.8])

    def test_an_error_names_every_run_and_what_it_lacks(self) -> None:
        with pytest.raises(MissingTopicsError, match="of 3 topics expected, a lacks 3; b lacks 2, 3; add them, or"):
            graded(HOLES).build(["1", "2", "3"], "error")

    def test_with_fix_aggregate_missing_topics_count_with_the_default_and_no_row_is_added(self) -> None:
        board = graded(HOLES).build(["1", "2", "3"], "fix_aggregate")
        assert board.aggregates("GRADE").tolist() == pytest.approx([0.2, 0.8 / 3])
        assert rows_in_order(board) == [("a", "1"), ("a", "2"), ("b", "1"), ("a", "all"), ("b", "all")]
        assert board.coverage.missing == {"a": ("3",), "b": ("2", "3")}
        assert board.coverage.n_missing == 3

    def test_with_default_missing_topics_have_rows_and_the_board_still_says_who_lacked_them(self) -> None:
        board = graded(HOLES).build(["1", "2", "3"], "default")
        assert board.aggregates("GRADE").tolist() == pytest.approx([0.2, 0.8 / 3])
        assert plain(board)[("b", "3")] == {"GRADE": 0.0}
        assert board.topic_ids == ("1", "2", "3")
        assert board.coverage.missing == {"a": ("3",), "b": ("2", "3")}

    def test_a_warning_leaves_what_is_there(self) -> None:
        with pytest.warns(MissingTopicsWarning, match="b lacks 2; aggregates of these runs"):
            board = graded(HOLES).build(["1", "2"], "warn")
        assert board.aggregates("GRADE").tolist() == pytest.approx([0.3, 0.8])

    def test_a_complete_board_says_nothing(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            board = graded({("a", "1"): 1.0}).build(["1"], "error")
        assert board.coverage.missing == {}
        assert board.coverage.described() == "of 1 topics expected, none is missing"

    @pytest.mark.parametrize("on_missing", ["default", "fix_aggregate"])
    def test_a_loss_has_no_default_so_a_run_that_lacks_topics_has_no_aggregate(self, on_missing: str) -> None:
        spec = LeaderboardSpec((MeasureSpec("loss", direction=Direction.ASC),))
        board = graded(HOLES, spec).build(["1", "2"], on_missing)
        np.testing.assert_allclose(board.aggregates("loss"), [0.3, np.nan])
        ranking = board.get_aggregate_ranking("loss")
        assert ranking.status.tolist() == ["ranked", "unranked: missing_topics"]

    @pytest.mark.parametrize("on_missing", ["default", "fix_aggregate"])
    def test_nothing_is_filled_in_for_a_measure_that_a_run_does_not_have_at_all(self, on_missing: str) -> None:
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("P"), MeasureSpec("R"))))
        builder.add(run_id="a", topic_id="1", P=0.5, R=0.5)
        builder.add(run_id="b", topic_id="1", P=0.5, R=None)
        board = builder.build(["1", "2"], on_missing)
        np.testing.assert_array_equal(board.aggregates("R"), [0.25, np.nan])
        assert board.get_aggregate_ranking("R").status.tolist() == ["ranked", "unranked: no_values"]
        assert plain(board).get(("b", "2"), {"R": None})["R"] is None

    def test_a_single_absent_value_counts_as_a_missing_topic_does(self) -> None:
        builder = LeaderboardBuilder(LeaderboardSpec((MeasureSpec("P"), MeasureSpec("R"))))
        builder.add(run_id="a", topic_id="1", P=0.5, R=0.5)
        builder.add(run_id="a", topic_id="2", P=0.5, R=None)
        assert builder.build(["1", "2"], "fix_aggregate").aggregates("R").tolist() == [0.25]
        assert plain(builder.build(["1", "2"], "default"))[("a", "2")] == {"P": 0.5, "R": 0.0}

    def test_topics_that_nobody_expects_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="topics 2 are not among the 1 expected ones; filter them out first"):
            graded(HOLES).build(["1"])

    def test_of_many_that_are_not_expected_the_first_are_named(self) -> None:
        builder = graded({("a", str(topic)): 0.5 for topic in range(30)})
        with pytest.raises(
            ValueError, match=r"topics 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 20 more are not among the 1 exp"
        ):
            builder.build(["x"])

    def test_runs_that_should_be_there_are_named_when_they_have_nothing(self) -> None:
        builder = graded({("a", "1"): 1.0})
        builder.expect_runs(["a", "ghost"])
        board = builder.build(on_missing="fix_aggregate")
        assert board.run_ids == ("a",)
        assert [(one.kind, one.name) for one in board.dropped] == [("run", "ghost")]
        assert board.coverage.missing == {"ghost": ("1",)}


class TestAggregates:
    SPEC = LeaderboardSpec(
        (
            MeasureSpec("runid", str, aggregate=Aggregate.NONE, only_in_all=True),
            MeasureSpec("num_ret", direction=Direction.NONE, aggregate=Aggregate.SUM, default=0),
            MeasureSpec("map"),
            MeasureSpec("gm_map", aggregate=Aggregate.GMEAN, only_in_all=True, of="map"),
            MeasureSpec("relstring", str, aggregate=Aggregate.NONE),
        )
    )

    def builder(self, spec: LeaderboardSpec) -> LeaderboardBuilder:
        builder = LeaderboardBuilder(spec)
        builder.add(run_id="a", topic_id="1", num_ret=10, map=0.25, relstring="01")
        builder.add(run_id="a", topic_id="2", num_ret=30, map=1, relstring="11")
        return builder

    def test_every_measure_is_summed_up_in_its_own_way(self) -> None:
        board = self.builder(self.SPEC).build()
        assert plain(board)[("a", "all")] == {
            "runid": None,
            "num_ret": 40.0,
            "map": 0.625,
            "gm_map": pytest.approx(0.5),
            "relstring": None,
        }

    def test_all_rows_are_kept_as_they_are_if_so_wished(self) -> None:
        builder = self.builder(self.SPEC)
        builder.add(run_id="a", topic_id="all", runid="A", num_ret=7, map=0.7, gm_map=0.6)
        board = builder.build(drop_aggregate=False)
        assert plain(board)[("a", "all")] == {
            "runid": "A",
            "num_ret": 7.0,
            "map": 0.7,
            "gm_map": 0.6,
            "relstring": None,
        }
        assert plain(builder.build())[("a", "all")]["map"] == 0.625

    def test_a_builder_for_a_board_leaves_out_what_cannot_be_computed_and_names_it(self) -> None:
        builder = self.builder(self.SPEC)
        builder.add(run_id="a", topic_id="all", runid="A", num_ret=7, map=0.7, gm_map=0.6)
        board = builder.build(drop_aggregate=False)
        anew = LeaderboardBuilder.for_leaderboard(board)
        assert anew.spec.names == ("num_ret", "map", "gm_map", "relstring")
        anew.add_entries(board.entries)
        built = anew.build()
        assert [(one.kind, one.name) for one in built.dropped] == [("measure", "runid")]
        assert plain(built)[("a", "all")]["gm_map"] == pytest.approx(0.5)
        assert LeaderboardBuilder.for_leaderboard(board, drop_aggregate=False).spec == board.spec

    def test_a_geometric_mean_without_the_measure_it_is_of_is_left_out(self) -> None:
        spec = LeaderboardSpec((MeasureSpec("P"), MeasureSpec("gm_map", aggregate="gmean", only_in_all=True, of="map")))
        builder = LeaderboardBuilder.for_spec(spec)
        builder.add(run_id="a", topic_id="1", P=1)
        board = builder.build()
        assert board.measures == ("P",)
        assert [one.name for one in board.dropped] == ["gm_map"]

    def test_a_run_with_nothing_but_an_all_row_is_dropped_and_named_when_aggregates_are_computed(self) -> None:
        builder = graded({("a", "1"): 1.0, ("b", "all"): 0.5})
        assert rows_in_order(builder.build(on_missing="fix_aggregate")) == [("a", "1"), ("a", "all")]
        assert [one.name for one in builder.build(on_missing="fix_aggregate").dropped] == ["b"]
        kept = builder.build(on_missing="fix_aggregate", drop_aggregate=False)
        assert kept.dropped == ()
        assert kept.coverage.missing == {"b": ("1",)}


class TestRepeats:
    def test_rows_that_agree_are_one(self) -> None:
        builder = graded({("a", "1"): 0.5})
        builder.add(run_id="a", topic_id="1", GRADE=0.5)
        assert rows_in_order(builder.build()) == [("a", "1"), ("a", "all")]

    def test_rows_that_contradict_are_refused_with_both_values(self) -> None:
        builder = graded({("a", "1"): 0.5, ("a", "2"): 0.1})
        builder.add(run_id="a", topic_id="1", GRADE=0.6)
        with pytest.raises(ContradictionError, match=r"run 'a' has GRADE 0\.5 and 0\.6 for topic '1'; keep one"):
            builder.build()

    def test_all_rows_that_contradict_matter_only_if_they_are_kept(self) -> None:
        builder = graded({("a", "1"): 0.5, ("a", "all"): 0.1})
        builder.add(run_id="a", topic_id="all", GRADE=0.6)
        assert plain(builder.build())[("a", "all")] == {"GRADE": 0.5}
        with pytest.raises(ContradictionError, match="for topic 'all'"):
            builder.build(drop_aggregate=False)

    def test_texts_contradict_too_and_what_is_absent_contradicts_nothing(self) -> None:
        builder = LeaderboardBuilder(GRADES)
        builder.add(run_id="a", topic_id="1", GRADE=None, CATEGORY="x")
        builder.add(run_id="a", topic_id="1", GRADE=1, CATEGORY=None)
        assert plain(builder.build())[("a", "1")] == {"GRADE": 1.0, "CATEGORY": "x"}
        builder.add(run_id="a", topic_id="1", GRADE=1, CATEGORY="y")
        with pytest.raises(ContradictionError, match="CATEGORY 'x' and 'y'"):
            builder.build()


@given(
    st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("12345")), st.floats(-5, 5), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_no_aggregate(values: dict[tuple[str, str], float], random: object) -> None:
    shuffled = list(values.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = graded(values).build(list("12345"), "fix_aggregate")
    other = graded(dict(shuffled)).build(list("12345"), "fix_aggregate")
    found = dict(zip(other.run_ids, other.aggregates("GRADE").tolist(), strict=True))
    for run_id, value in zip(one.run_ids, one.aggregates("GRADE").tolist(), strict=True):
        by_hand = math.fsum(v for (run, _), v in values.items() if run == run_id) / 5
        assert value == pytest.approx(by_hand, abs=1e-12)
        assert found[run_id] == pytest.approx(value, abs=1e-12)
