from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from math import isnan

import numpy as np
import pandas as pd
import pytest

from pipeline.rankings import Result, response
from pipeline.rankings.ability import Ability, fit_ability
from pipeline.rankings.stages import scores, snapshot_rows
from pipeline.tables import LLM_LEADERBOARD, LLM_SNAPSHOTS
from pipeline_tests.rankings.stages.boards import Board, columns_of, linked, published

ONE = {"rank_by": "coding", "weights": {"coding": {"humaneval_plus.pass_at_1": 1}}, "min_benchmarks": 1}
TWO = {
    "rank_by": "coding",
    "weights": {"coding": {"humaneval_plus.pass_at_1": 1, "aider_polyglot.pass_rate_2": 1}},
    "min_benchmarks": 1,
    "renormalise": True,
}

BY_ABILITY = {"ability": {"min_models": 2}, "min_benchmarks": 1}
SHARES = {"strong": (95.0, 80.0), "middle": (80.0, 50.0), "weak": (30.0, 10.0), "weaker": (25.0, 8.0)}


def passing(**values: float) -> list[Result]:
    return [Result(name, "humaneval_plus", "pass_at_1", value) for name, value in values.items()]


def solving(**values: float) -> list[Result]:
    return [Result(name, "aider_polyglot", "pass_rate_2", value) for name, value in values.items()]


def ranks(board: Board, column: str = "rank") -> dict[str, int | None]:
    rows = board.leaderboard
    return {
        model.removeprefix("owner/"): None if pd.isna(rank) else int(rank)
        for model, rank in zip(rows["model"], rows[column], strict=True)
    }


def test_equal_scores_share_a_rank_and_the_next_counts_them_all():
    board = Board([published("evalplus", passing(a=50.0, b=70.0, c=70.0, d=70.0 + 1e-12))], ONE)
    assert ranks(board) == {"b": 1, "c": 1, "d": 1, "a": 4}
    assert board.leaderboard["position"].tolist() == [1, 2, 3, 4]
    assert list(board.leaderboard) == columns_of(LLM_LEADERBOARD)


def test_a_model_without_benchmarks_is_unranked_and_last():
    figures = [*passing(z=1.0), Result("a", "price", "input", 1.0)]
    board = Board([published("litellm", figures)], ONE)
    assert ranks(board) == {"z": 1, "a": None}
    assert board.standing("owner/a")["status"] == "unranked: no_benchmarks"


def test_too_few_benchmarks_or_sources_leave_a_model_unranked():
    sources = [published("evalplus", passing(a=50.0, b=90.0)), published("aider", solving(a=50.0))]
    declared = {**TWO, "min_benchmarks": 2}
    assert Board(sources, declared).standing("owner/b")["status"] == "unranked: min_benchmarks"
    declared = {**TWO, "min_sources": 2}
    assert Board(sources, declared).standing("owner/b")["status"] == "unranked: min_sources"
    assert ranks(Board(sources, declared)) == {"a": 1, "b": None}


def test_a_declared_score_that_is_undefined_leaves_a_model_unranked():
    declared = {**TWO, "renormalise": False}
    board = Board([published("evalplus", passing(a=50.0, b=90.0)), published("aider", solving(a=50.0))], declared)
    assert board.standing("owner/b")["status"] == "unranked: no_score"


def test_a_model_of_figures_that_are_all_left_out_is_not_on_the_board():
    flagged = Result("b", "humaneval_plus", "pass_at_1", 90.0, flags=("contaminated",))
    assert ranks(Board([published("evalplus", [*passing(a=50.0), flagged])], ONE)) == {"a": 1}


class TestByAbility:
    def board(self, *more: Result) -> Board:
        figures = [
            Result(model, benchmark, measure, shares[place], n=n)
            for place, (benchmark, measure, n) in enumerate(
                (("humaneval_plus", "pass_at_1", 164), ("aider_polyglot", "pass_rate_2", 225))
            )
            for model, shares in SHARES.items()
        ]
        return Board([published("evalplus", [*figures[:4], *more]), published("aider", figures[4:])], BY_ABILITY)

    def test_models_are_ranked_with_intervals_and_tie_groups(self):
        board = self.board()
        assert ranks(board) == {"strong": 1, "middle": 2, "weak": 3, "weaker": 4}
        rows = board.leaderboard
        assert (rows["ability_low"] < rows["ability"]).all()
        assert (rows["rank_lo"] <= rows["rank"]).all()
        assert (rows["rank_hi"] >= rows["rank"]).all()
        assert rows["tie_group"].tolist() == rows["rank_lo"].tolist()
        lows, highs = ranks(board, "rank_lo"), ranks(board, "rank_hi")
        assert lows["weak"] > highs["strong"]
        assert (lows["weak"], highs["weaker"]) == (lows["weaker"], highs["weak"])

    def test_it_is_the_scale_that_scores_state_with_its_ends(self):
        board = self.board()
        score, standing = board.score("owner/weak", "ability"), board.standing("owner/weak")
        assert (score["value"], score["ci_low"], score["ci_high"]) == (
            standing["ability"],
            standing["ability_low"],
            standing["ability_high"],
        )
        assert (score["coverage"], score["n_benchmarks"], score["n_sources"]) == (1.0, 2, 2)

    def test_a_model_that_no_benchmark_links_to_the_others_is_unranked(self):
        apart = [Result(model, "livecodebench", "pass_at_1", 50.0) for model in ("apart", "also")]
        board = self.board(*apart)
        assert board.score("owner/apart", "ability")["reason"] == "not_connected"
        assert board.standing("owner/apart")["status"] == "unranked: no_score"

    def test_a_benchmark_of_few_models_or_of_no_area_that_counts_is_no_part_of_it(self):
        rare = [Result("rare", "livecodebench", "pass_at_1", 50.0)]
        rated = [Result(model, "lmarena_text", "rating", 1200.0) for model in ("rated", "also")]
        board = self.board(*rare, *rated)
        for model in ("rare", "rated"):
            assert board.standing(f"owner/{model}")["status"] == "unranked: no_benchmarks"

    def test_the_same_answers_are_evidence_once(self):
        twice = [Result(model, "humaneval", "pass_at_1", shares[0]) for model, shares in SHARES.items()]
        alone, doubled = self.board(), self.board(*twice)
        assert doubled.score("owner/weak", "ability") == alone.score("owner/weak", "ability")


def test_scores_without_intervals_have_no_rank_intervals():
    row = Board([published("evalplus", passing(a=50.0, b=70.0))], ONE).standing("owner/a")
    assert all(pd.isna(row[name]) for name in ("rank_lo", "rank_hi", "tie_group"))


class TestAFitThatIsStoppedEarly:
    @pytest.fixture
    def board(self, monkeypatch: pytest.MonkeyPatch) -> Board:
        monkeypatch.setattr(response, "_ROUNDS", 2)
        monkeypatch.setattr(scores, "_fit", lru_cache(scores._fit.__wrapped__))
        return TestByAbility().board()

    def test_keeps_its_values_without_intervals_and_says_so(self, board: Board):
        rows = board.scores.set_index("score")
        assert rows.loc["ability", ["value", "is_converged"]].notna().all(axis=None)
        assert not rows.loc["ability", "is_converged"].any()
        assert rows.loc["ability", ["ci_low", "ci_high"]].isna().all(axis=None)
        assert rows.loc[["coding", "performance", "value", "overall"], "is_converged"].isna().all()

    def test_bounds_no_rank(self, board: Board):
        assert ranks(board) == {"strong": 1, "middle": 2, "weak": 3, "weaker": 4}
        bounds = ["rank_lo", "rank_hi", "tie_group", "loo_rank_lo", "loo_rank_hi", "ability_low", "ability_high"]
        assert board.leaderboard[bounds].isna().all(axis=None)

    def test_of_the_rest_when_a_source_is_left_out_leaves_no_range_either(
        self, board: Board, monkeypatch: pytest.MonkeyPatch
    ):
        whole = fit_ability

        def fit(percent: np.ndarray, items: np.ndarray) -> Ability:
            has_both_sources = percent.shape[1] == 2
            return replace(whole(percent, items), is_converged=has_both_sources)

        monkeypatch.setattr(response, "_ROUNDS", 100)
        monkeypatch.setattr(scores, "fit_ability", fit)
        assert board.leaderboard["rank_lo"].notna().all()
        assert board.leaderboard[["loo_rank_lo", "loo_rank_hi"]].isna().all(axis=None)


def test_a_fit_that_comes_to_rest_says_so():
    rows = TestByAbility().board().scores
    assert rows.loc[rows["score"] == "ability", "is_converged"].all()


def test_no_table_of_figures_is_fitted_twice(monkeypatch: pytest.MonkeyPatch):
    tables = []

    def fit(percent: np.ndarray, items: np.ndarray) -> Ability:
        tables.append(percent.tobytes() + items.tobytes())
        return fit_ability(percent, items)

    monkeypatch.setattr(scores, "_fit", lru_cache(scores._fit.__wrapped__))
    monkeypatch.setattr(scores, "fit_ability", fit)
    board = TestByAbility().board()
    assert len(board.scores) == 5 * len(board.leaderboard)
    assert len(tables) == len(set(tables)) > 1


class TestWithoutOneSource:
    def test_a_range_tells_what_a_rank_owes_to_single_sources(self):
        sources = [
            published("evalplus", passing(a=90.0, b=50.0, c=40.0)),
            published("aider", solving(a=10.0, b=60.0, c=30.0)),
        ]
        board = Board(sources, TWO)
        assert ranks(board) == {"b": 1, "a": 2, "c": 3}
        assert ranks(board, "loo_rank_lo") == {"b": 1, "a": 1, "c": 2}
        assert ranks(board, "loo_rank_hi") == {"b": 2, "a": 3, "c": 3}

    def test_of_a_single_source_there_is_no_range(self):
        board = Board([published("evalplus", passing(a=90.0, b=50.0))], ONE)
        assert ranks(board, "loo_rank_lo") == {"a": None, "b": None}

    def test_sources_that_the_score_does_not_rest_on_make_no_range(self):
        prices = published("litellm", [Result("a", "price", "input", 1.0)])
        board = Board([published("evalplus", passing(a=90.0, b=50.0)), prices], ONE)
        assert ranks(board, "loo_rank_lo") == {"a": None, "b": None}

    def test_another_sources_figure_takes_the_place_of_one_that_is_left_out(self):
        sources = [published("one", passing(a=90.0, b=50.0)), published("two", passing(a=10.0, b=60.0))]
        board = Board(sources, ONE)
        assert ranks(board) == {"a": 1, "b": 2}
        assert ranks(board, "loo_rank_hi") == {"a": 2, "b": 2}

    def test_a_figure_that_was_unfit_stays_so(self):
        flagged = [
            Result(one.raw_name, one.benchmark, one.measure, one.value, flags=("estimated",)) for one in passing(a=1.0)
        ]
        sources = [published("one", passing(a=90.0, b=50.0)), published("two", [*flagged, *passing(b=60.0)])]
        board = Board(sources, ONE)
        assert ranks(board, "loo_rank_lo") == ranks(board, "loo_rank_hi") == {"a": None, "b": 2}

    def test_a_model_that_one_source_alone_tells_of_has_no_range(self):
        sources = [published("one", passing(a=90.0, b=50.0)), published("two", passing(b=60.0))]
        assert ranks(Board(sources, ONE), "loo_rank_lo") == {"a": None, "b": 2}


def test_facts_are_those_that_are_used_with_the_time_they_were_fetched():
    benchmarks = published("evalplus", passing(a=50.0), fetched_at=datetime(2026, 1, 1))
    offers = [
        Result("a", "price", "input", 1.5),
        Result("a", "price", "output", 6.0),
        Result("a", "context", "context_length", 1e5),
    ]
    prices = published("litellm", offers, fetched_at=datetime(2026, 7, 1))
    names = [linked("a")]
    speeds = published("artificialanalysis", [Result("a", "speed", "ttft_median", 0.5)], names, datetime(2026, 6, 1))
    row = Board([benchmarks, prices, speeds], ONE).standing("owner/a")
    assert (row["price_input"], row["price_output"], row["context"], row["ttft"]) == (1.5, 6.0, 100_000, 0.5)
    assert (row["benchmarks_at"], row["prices_at"]) == (datetime(2026, 1, 1), datetime(2026, 7, 1))
    assert row["performance_at"] == datetime(2026, 6, 1)
    assert not row["is_free"]
    assert isnan(row["throughput"])


def test_free_is_what_costs_nothing_for_input_and_output_and_unknown_without_both():
    offers = [
        *(Result("free", "price", measure, 0.0) for measure in ("input", "output")),
        Result("half", "price", "input", 0.0),
        Result("half", "price", "output", 1.0),
        Result("unknown", "price", "input", 0.0),
    ]
    board = Board([published("litellm", offers)], ONE).leaderboard.set_index("model")["is_free"]
    assert board["owner/free"]
    assert not board["owner/half"]
    assert pd.isna(board["owner/unknown"])


def test_what_is_offered_for_trying_is_free_too_and_keeps_its_price():
    rows = [
        Result("m:free", "price", "input", 0.0, flags=("free_offer",)),
        Result("m", "price", "input", 2.0),
        Result("m", "price", "output", 4.0),
    ]
    offers = published("openrouter", rows, [linked("m:free", "m"), linked("m")])
    (row,) = Board([offers], ONE).leaderboard.to_dict("records")
    assert row["is_free"]
    assert (row["price_input"], row["price_output"]) == (2.0, 4.0)


def test_a_snapshot_is_where_every_model_stood_on_a_day():
    board = Board([published("evalplus", passing(a=50.0, b=70.0))], ONE).leaderboard
    rows = snapshot_rows(board, datetime(2026, 7, 2))
    assert list(rows) == columns_of(LLM_SNAPSHOTS)
    assert rows["rank"].tolist() == [1, 2]
    assert set(rows["day"]) == {datetime(2026, 7, 2)}
