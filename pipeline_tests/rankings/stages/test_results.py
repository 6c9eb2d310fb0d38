import re
from datetime import date, datetime

import pytest

from pipeline.rankings import Area, Benchmark, Measure, ModelName, Result, Unit
from pipeline.rankings.stages import result_rows
from pipeline.rankings.stages.results import without_source
from pipeline.rankings.vocabulary import SAME_ANSWERS, vocabulary
from pipeline.tables import LLM_BENCHMARKS, LLM_RESULTS
from pipeline_tests.rankings.stages.boards import Board, columns_of, linked, published

MINE = Benchmark("Mine", Area.CODING, {"share": Measure("Share", Unit.PERCENT)})


def test_every_figure_has_a_row_with_all_that_is_said_of_it():
    full = Result(
        "m",
        "aider_polyglot",
        "pass_rate_2",
        70.0,
        n=225,
        se=3.0,
        config="diff",
        measured_on=date(2026, 5, 1),
        url="https://run.test",
        flags=("warned", "not_checked"),
    )
    empty = Result("m", "aider_polyglot", "total_cost", None, reason="zero_means_missing")
    board = Board([published("aider", [full, empty])])
    assert list(board.results) == columns_of(LLM_RESULTS)
    row, none = (board.results.iloc[place] for place in (0, 1))
    assert (row["value"], row["unit"], row["n"], row["se"]) == (70.0, "percent", 225, 3.0)
    assert (row["model"], row["config"], row["channel"]) == ("owner/m", "diff", "")
    assert (row["measured_on"], row["fetched_at"]) == (datetime(2026, 5, 1), datetime(2026, 7, 1, 6))
    assert (row["url"], row["flags"]) == ("https://run.test", "warned,not_checked")
    assert row["is_used"]
    assert (none["reason"], none["unit"], none["left_out"]) == (
        "zero_means_missing",
        "USD",
        "no value: zero_means_missing",
    )
    assert none[["value", "n", "se", "measured_on"]].isna().all()


def test_a_figure_without_a_page_has_that_of_the_model_else_that_of_the_source():
    results = [Result("m", "humaneval", "pass_at_1", 1.0), Result("k", "humaneval", "pass_at_1", 1.0)]
    board = Board([published("evalplus", results, [linked("m", url="https://m.test")])])
    assert board.results["url"].tolist() == ["https://m.test", "https://evalplus.test"]


def test_a_figure_of_what_nobody_defines_is_refused_with_the_remedy():
    board = Board([published("mine", [Result("m", "mine_tasks", "share", 1.0)])])
    with pytest.raises(ValueError, match=re.escape("mine: a figure of mine_tasks.share, which nobody defines")):
        board.results  # noqa: B018


def test_a_source_may_bring_benchmarks_of_its_own():
    board = Board([published("mine", [Result("m", "mine_tasks", "share", 1.0)], benchmarks={"mine_tasks": MINE})])
    assert board.results["is_used"].all()
    assert board.measures.iloc[0]["title"] == "Mine"


def test_a_figure_of_a_name_that_was_not_identified_is_refused():
    board = Board([published("evalplus", [Result("m", "humaneval", "pass_at_1", 1.0)])])
    with pytest.raises(ValueError, match="evalplus: 1 figures of names without an alias, such as 'm'"):
        result_rows(board.published, board.aliases[:0], board.declaration)


def test_measures_tell_how_many_models_have_a_figure_that_is_used():
    results = [
        Result("m (high)", "aider_polyglot", "pass_rate_2", 70.0),
        Result("m (low)", "aider_polyglot", "pass_rate_2", 60.0),
        Result("k", "aider_polyglot", "pass_rate_2", 60.0),
        Result("k", "aider_polyglot", "total_cost", None, reason="zero_means_missing"),
    ]
    board = Board([published("aider", results)])
    assert list(board.measures) == columns_of(LLM_BENCHMARKS)
    rows = board.measures.set_index("measure")
    assert rows["n_models"].to_dict() == {"pass_rate_2": 2, "total_cost": 0}
    assert rows["direction"].to_dict() == {"pass_rate_2": "desc", "total_cost": "asc"}
    assert rows["is_headline"].to_dict() == {"pass_rate_2": True, "total_cost": False}


def test_of_nothing_there_are_no_rows():
    board = Board([published("evalplus", [], [ModelName("m")])])
    for rows, spec in ((board.results, LLM_RESULTS), (board.measures, LLM_BENCHMARKS)):
        assert len(rows) == 0
        assert list(rows) == columns_of(spec)
    assert len(board.scores) == len(board.leaderboard) == 0


def test_the_order_of_figures_and_names_changes_nothing_but_the_order_of_rows():
    figures = [
        Result(name, "humaneval", "pass_at_1", value) for name, value in (("m (low)", 1.0), ("m", 2.0), ("k", 2.0))
    ]
    rows = [
        Board([published("evalplus", one)]).results.sort_values("raw_name", ignore_index=True)
        for one in (figures, figures[::-1])
    ]
    assert rows[0].equals(rows[1])


def speeds(**values: float) -> list[Result]:
    return [Result(name.replace("_high", " (high)"), "speed", "ttft_median", value) for name, value in values.items()]


class TestWithoutASource:
    QUALITY = Result("m", "artificial_analysis", "intelligence_index", 50.0)
    FIRST = published("first", [QUALITY, *speeds(m=0.5), Result("m", "humaneval", "pass_at_1", 70.0)])

    def check(self, *others) -> list[str]:
        """That what is used without the first source is what would be if there were only the others; their names."""
        every, rest = Board([self.FIRST, *others]), Board(others)
        left = without_source(every.results, "first", every.declaration, every.benchmarks)
        told = ["source", "raw_name", "benchmark", "measure", "is_used"]
        found, expected = (rows[told].sort_values(told, ignore_index=True) for rows in (left, rest.results))
        assert found.equals(expected)
        return found.loc[found["is_used"], "raw_name"].tolist()

    def test_speeds_are_of_the_plain_name_rather_than_of_one_that_states_a_configuration(self):
        names = [linked("a (high)", "m"), linked("z", "m")]
        assert self.check(published("second", speeds(a_high=1.0, z=2.0), names)) == ["z"]

    def test_of_equal_figures_that_of_the_plain_name_is_used(self):
        results = [Result(name, "humaneval", "pass_at_1", 60.0) for name in ("a (high)", "z")]
        assert self.check(published("second", results, [linked("a (high)", "m"), linked("z", "m")])) == ["z"]

    def test_of_other_sources_the_one_declared_first_follows(self):
        others = [published(name, [Result("m", "humaneval", "pass_at_1", 60.0)]) for name in ("third", "second")]
        assert self.check(*others) == ["m"]

    def test_figures_of_other_models_stay_as_they_were(self):
        assert (
            self.check(published("second", [Result("k", "humaneval", "pass_at_1", 1.0), *speeds(k=1.0)])) == ["k"] * 2
        )


class TestVocabulary:
    def test_it_has_what_sources_collect(self):
        known = vocabulary()
        assert {"humaneval_plus", "modelsdev_scicode", "epoch_gpqa_diamond", "speed"} <= known.keys()
        assert known.keys() >= {*SAME_ANSWERS, *SAME_ANSWERS.values()}

    def test_a_key_that_means_something_else_is_refused(self):
        with pytest.raises(ValueError, match=r"benchmarks \['mbpp'\] are defined twice"):
            vocabulary([{"mbpp": MINE}])

    def test_the_same_said_twice_is_fine(self):
        assert vocabulary([{"mine_tasks": MINE}, {"mine_tasks": MINE}])["mine_tasks"] is MINE
