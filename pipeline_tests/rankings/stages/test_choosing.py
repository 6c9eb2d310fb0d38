from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rankings import ModelName, Result
from pipeline.rankings.identity import Decision
from pipeline.rankings.identity import Status as Decided
from pipeline_tests.rankings.stages.boards import Board, linked, published

PASS = ("humaneval_plus", "pass_at_1")


def test_of_one_benchmark_the_configuration_with_the_best_headline_is_used_with_all_its_measures():
    board = Board(
        [
            published(
                "aider",
                [
                    Result("m (low)", "aider_polyglot", "pass_rate_2", 60.0, config="diff"),
                    Result("m (low)", "aider_polyglot", "pass_rate_1", 55.0, config="diff"),
                    Result("m (high)", "aider_polyglot", "pass_rate_2", 70.0, config="diff"),
                    Result("m (high)", "aider_polyglot", "pass_rate_1", 30.0, config="diff"),
                    Result("m (high)", "aider_polyglot", "total_cost", 12.0, config="diff"),
                ],
            )
        ]
    )
    assert board.used() == [
        ("aider", "m (high)", "pass_rate_1", 30.0),
        ("aider", "m (high)", "pass_rate_2", 70.0),
        ("aider", "m (high)", "total_cost", 12.0),
    ]
    assert set(board.left_out().values()) == {"another configuration: effort=high, diff"}


def test_configurations_that_are_called_alike_are_told_by_their_names():
    results = [Result(f"m run {n}", *PASS, float(n)) for n in (1, 2)]
    board = Board([published("evalplus", results, [linked(f"m run {n}", "m") for n in (1, 2)])])
    assert board.left_out() == {("evalplus", "m run 1", "pass_at_1"): "another configuration: m run 2"}


def test_a_measure_that_the_best_configuration_lacks_is_not_taken_from_another():
    board = Board(
        [
            published(
                "livebench",
                [
                    Result("m", "livebench", "overall", 50.0, config="2025-01-01"),
                    Result("m", "livebench", "coding", 90.0, config="2025-01-01"),
                    Result("m", "livebench", "overall", 60.0, config="2026-01-01"),
                ],
            )
        ]
    )
    assert board.used() == [("livebench", "m", "overall", 60.0)]


def test_lower_is_better_where_the_headline_says_so():
    from pipeline.rankings import Area, Benchmark, Measure, Unit

    errors = Benchmark("Errors", Area.CODING, {"rate": Measure("Rate", Unit.PERCENT, higher_is_better=False)})
    results = [
        Result("m", "mine_errors", "rate", 20.0, config="a"),
        Result("m", "mine_errors", "rate", 10.0, config="b"),
    ]
    board = Board([published("mine", results, benchmarks={"mine_errors": errors})])
    assert board.used() == [("mine", "m", "rate", 10.0)]


def test_a_source_is_taken_before_one_that_repeats_it_though_that_is_declared_first_and_higher():
    repeated = Result("m", "aider_polyglot", "pass_rate_2", 80.0, channel="modelsdev")
    own = Result("m", "aider_polyglot", "pass_rate_2", 70.0, config="diff")
    board = Board([published("modelsdev", [repeated]), published("aider", [own])])
    assert board.used() == [("aider", "m", "pass_rate_2", 70.0)]
    assert board.left_out() == {("modelsdev", "m", "pass_rate_2"): "another source: aider"}


def test_a_run_that_its_own_source_lists_counts_for_no_second_model():
    day = date(2025, 10, 3)
    run = Result("m-exp", "aider_polyglot", "pass_rate_2", 70.2, measured_on=day)
    repeats = [
        Result("m", "aider_polyglot", "pass_rate_2", 70.2, channel="modelsdev", measured_on=day),
        Result("n", "aider_polyglot", "pass_rate_2", 70.2, channel="modelsdev", measured_on=date(2025, 10, 4)),
    ]
    board = Board([published("modelsdev", repeats), published("aider", [run])])
    assert board.left_out() == {("modelsdev", "m", "pass_rate_2"): "a repeat: the run is listed by aider"}
    assert {name for _, name, *_ in board.used()} == {"m-exp", "n"}


def test_what_only_a_repeating_source_has_is_used():
    board = Board([published("modelsdev", [Result("m", "aider_polyglot", "pass_rate_2", 80.0, channel="modelsdev")])])
    assert board.used() == [("modelsdev", "m", "pass_rate_2", 80.0)]


def test_a_sources_own_figures_come_before_those_that_reached_it_another_way_and_these_before_repeats():
    index = ("artificial_analysis", "intelligence_index")
    repeated = published("openrouter", [Result("m", *index, 60.0, channel="openrouter")], [linked("m")])
    dump = Result("m", *index, 50.0, channel="legacy_api")
    board = Board([repeated, published("artificialanalysis", [dump])])
    assert board.used() == [("artificialanalysis", "m", "intelligence_index", 50.0)]
    board = Board([published("artificialanalysis", [dump, Result("m", *index, 40.0)])])
    assert board.used() == [("artificialanalysis", "m", "intelligence_index", 40.0)]
    assert list(board.left_out().values()) == ["another channel: its own"]


def test_of_two_sources_of_one_benchmark_the_first_declared_is_used():
    first, second = (published(name, [Result("m", *PASS, value)]) for name, value in (("one", 50.0), ("two", 60.0)))
    assert Board([first, second]).used() == [("one", "m", "pass_at_1", 50.0)]
    assert Board([second, first]).used() == [("two", "m", "pass_at_1", 60.0)]


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (Result("m", *PASS, 50.0, flags=("contaminated",)), "flag: contaminated"),
        (Result("m", *PASS, 50.0, flags=("third_party", "self_reported")), "flag: self_reported"),
        (Result("m", *PASS, None, reason="zero_means_missing"), "no value: zero_means_missing"),
        (Result("m", *PASS, 101.0), "no such value: 101"),
        (Result("m", "price", "input", -1.0), "no such value: -1"),
        (Result("m", "price", "input", 0.0, flags=("free_offer",)), "flag: free_offer"),
        (Result("a + b", *PASS, 50.0), "a system, not one model"),
        (Result("nobody", *PASS, 50.0), "no model: unmatched"),
    ],
)
def test_what_is_unfit_is_left_out_and_says_why(result: Result, why: str):
    board = Board([published("litellm", [result], [ModelName("a + b"), ModelName("nobody")])])
    assert [one for one in board.results["left_out"]] == [why]
    assert not board.results["is_used"].any()


def test_flags_that_are_not_declared_leave_nothing_out():
    contaminated = Result("m", *PASS, 50.0, flags=("contaminated",))
    board = Board([published("evalplus", [contaminated])], {"leave_out_flags": []})
    assert board.results["is_used"].all()


def test_what_is_unfit_in_the_first_source_is_taken_from_the_next():
    flagged = published("one", [Result("m", *PASS, 50.0, flags=("estimated",))])
    assert Board([flagged, published("two", [Result("m", *PASS, 40.0)])]).used() == [("two", "m", "pass_at_1", 40.0)]


def test_speeds_are_of_the_name_whose_quality_is_used():
    index = ("artificial_analysis", "intelligence_index")
    board = Board(
        [
            published(
                "artificialanalysis",
                [
                    Result("m (low)", *index, 40.0),
                    Result("m (low)", "speed", "ttft_median", 0.5),
                    Result("m (high)", *index, 60.0),
                    Result("m (high)", "speed", "ttft_median", 30.0),
                ],
            )
        ]
    )
    assert board.used() == [
        ("artificialanalysis", "m (high)", "intelligence_index", 60.0),
        ("artificialanalysis", "m (high)", "ttft_median", 30.0),
    ]


def test_speeds_of_another_configuration_than_the_quality_are_not_used_where_its_own_has_none():
    index = ("artificial_analysis", "intelligence_index")
    figures = [Result("m (high)", *index, 60.0), Result("m", "speed", "ttft_median", 0.5)]
    board = Board([published("artificialanalysis", figures)])
    assert board.used() == [("artificialanalysis", "m (high)", "intelligence_index", 60.0)]
    assert list(board.left_out().values()) == ["another configuration: m (high)"]


def test_without_a_quality_speeds_are_of_the_plainest_name():
    speeds = [Result(name, "speed", "ttft_median", value) for name, value in (("m (high)", 9.0), ("m", 1.0))]
    assert Board([published("artificialanalysis", speeds)]).used() == [("artificialanalysis", "m", "ttft_median", 1.0)]


class TestOffers:
    def test_prices_and_context_are_of_the_first_source_of_prices_whatever_the_order_of_sources(self):
        cheap = published("litellm", [Result("m", "price", "input", 1.0), Result("m", "context", "max_output", 8e3)])
        listed = published("openrouter", [Result("m", "price", "input", 2.0)])
        board = Board([cheap, listed])
        assert board.used() == [("openrouter", "m", "input", 2.0)]
        assert set(board.left_out().values()) == {"another source: openrouter"}

    def test_an_offer_with_a_price_comes_before_one_without(self):
        without = published("openrouter", [Result("m", "context", "context_length", 8e3)])
        priced = [Result("m", "price", "input", 1.0), Result("m", "context", "context_length", 4e3)]
        board = Board([without, published("litellm", priced)])
        assert board.used() == [("litellm", "m", "context_length", 4e3), ("litellm", "m", "input", 1.0)]

    def test_a_paid_offer_comes_before_a_free_one_whose_price_is_none(self):
        rows = [
            Result("m:free", "price", "input", 0.0, flags=("free_offer",)),
            Result("m:free", "context", "context_length", 9e3, flags=("free_offer",)),
        ]
        free = published("openrouter", rows, [linked("m:free", "m"), linked("m")])
        assert Board([free]).used() == [("openrouter", "m:free", "context_length", 9e3)]
        paid = [Result("m", "price", "input", 3.0), Result("m", "context", "context_length", 8e3)]
        both = published("openrouter", [*rows, *paid], [linked("m:free", "m"), linked("m")])
        assert {row[1] for row in Board([both]).used()} == {"m"}

    def test_a_withdrawn_offer_comes_after_others(self):
        rows = [Result("a m", "price", "input", 1.0, flags=("deprecated",)), Result("b m", "price", "input", 2.0)]
        board = Board([published("litellm", rows, [linked("a m", "m"), linked("b m", "m")])])
        assert board.used() == [("litellm", "b m", "input", 2.0)]
        assert list(board.left_out().values()) == ["another offer: b m"]

    def test_the_makers_own_offer_comes_before_cheaper_resellers(self):
        rows = [Result("reseller:m", "price", "input", 1.0), Result("owner:m", "price", "input", 2.0)]
        board = Board([published("modelsdev", rows, [linked(one.raw_name, "m") for one in rows])])
        assert board.used() == [("modelsdev", "owner:m", "input", 2.0)]

    @pytest.mark.parametrize(("prices", "taken"), [((1.0, 2.0, 90.0), 2.0), ((4.0, 1.0), 1.0), ((7.0,), 7.0)])
    def test_of_resellers_the_one_of_median_price_is_taken(self, prices: tuple[float, ...], taken: float):
        rows = [Result(f"seller{n}:m", "price", "input", price) for n, price in enumerate(prices)]
        board = Board([published("modelsdev", rows, [linked(one.raw_name, "m") for one in rows])])
        assert [row[3] for row in board.used()] == [taken]

    def test_of_one_offer_the_default_configuration_is_used(self):
        rows = [
            Result("m", "context", "context_length", 9e3, config="top_provider"),
            Result("m", "context", "context_length", 8e3),
        ]
        board = Board([published("openrouter", rows)])
        assert board.used() == [("openrouter", "m", "context_length", 8e3)]
        assert list(board.left_out().values()) == ["another configuration: m"]

    def test_prices_of_a_source_that_is_none_of_prices_are_left_out(self):
        board = Board([published("evalplus", [Result("m", "price", "input", 1.0)])])
        assert list(board.left_out().values()) == ["no source of prices: evalplus"]


def test_a_decision_makes_a_figure_count():
    nobody = published("evalplus", [Result("nobody", *PASS, 50.0)], [ModelName("nobody")])
    decided = Decision("evalplus", "nobody", "owner/m", Decided.ACCEPTED, "looked", datetime(2026, 7, 1))
    assert Board([nobody], decisions=[decided]).used() == [("evalplus", "nobody", "pass_at_1", 50.0)]


MEASURES = (
    ("aider_polyglot", "pass_rate_2"),
    ("aider_polyglot", "pass_rate_1"),
    ("livebench", "coding"),
    ("artificial_analysis", "intelligence_index"),
    ("speed", "ttft_median"),
    ("price", "input"),
    ("context", "context_length"),
)
FIGURES = st.lists(
    st.builds(
        lambda name, figure, value, config, channel, flags: Result(
            name,
            *figure,
            value,
            None if value is not None else "not_published",
            None,
            None,
            config,
            channel,
            flags=flags,
        ),
        st.sampled_from(["m", "m (high)", "m (low)", "k", "k (high)"]),
        st.sampled_from(MEASURES),
        st.sampled_from([None, 0.0, 10.0, 20.0, 30.0]),
        st.sampled_from(["", "diff", "whole"]),
        st.sampled_from(["", "litellm", "elsewhere"]),
        st.sampled_from([(), ("contaminated",), ("deprecated",), ("free_offer",)]),
    ),
    unique_by=lambda one: (one.raw_name, one.benchmark, one.measure, one.config, one.channel),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(first=FIGURES, second=FIGURES)
def test_whatever_is_published_one_figure_of_a_measure_of_a_model_is_used_of_one_configuration(first, second):
    rows = Board([published("litellm", first), published("artificialanalysis", second)]).results
    assert (rows["is_used"] == rows["left_out"].isna()).all()
    used = rows[rows["is_used"]]
    assert not used.duplicated(["model", "benchmark", "measure"]).any()
    assert (used.groupby(["model", "benchmark"])[["source", "raw_name"]].nunique() == 1).all(axis=None)
    fit = rows[~rows["left_out"].fillna("").str.startswith(("flag", "no value", "no such", "no model"))]
    measured = fit[fit["benchmark"].isin(["aider_polyglot", "livebench", "price"])]
    assert set(zip(measured["model"], measured["benchmark"], strict=True)) <= set(
        zip(used["model"], used["benchmark"], strict=True)
    )


@settings(max_examples=30, deadline=None)
@given(figures=FIGURES, data=st.data())
def test_the_order_in_which_figures_are_published_decides_nothing(figures, data):
    shuffled = data.draw(st.permutations(figures))
    assert Board([published("litellm", figures)]).used() == Board([published("litellm", shuffled)]).used()
