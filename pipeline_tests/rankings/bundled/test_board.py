"""From bundled facts to a leaderboard: no network, no database."""

from datetime import datetime

import pytest

from pipeline.rankings import FetchStatus, Status
from pipeline.rankings.bundled import bundled_facts, bundled_sources
from pipeline.rankings.finding import make_source
from pipeline.rankings.stages import Published
from pipeline_tests.rankings.sources.samples import real
from pipeline_tests.rankings.stages.boards import Board

DECLARED = {"min_benchmarks": 1}


def bundled(source: str) -> Published:
    facts = bundled_facts(source)
    about = make_source(source, None, {}).about
    figures = facts.figures
    status = FetchStatus(
        source, Status.BUNDLED, datetime(2026, 8, 1), figures.fetched_at, None, figures.rows, "not fetched", ""
    )
    return Published(about, facts.parsed, status)


@pytest.fixture(scope="module")
def board() -> Board:
    return Board([bundled(source) for source in bundled_sources()], DECLARED)


def test_every_name_means_a_release(board: Board):
    assert set(board.aliases["status"]) == {"accepted"}
    assert len(board.unmatched) == 0


def test_at_least_thirty_models_are_ranked(board: Board):
    ranked = board.leaderboard[board.leaderboard["rank"].notna()]
    assert len(ranked) >= 60
    assert set(ranked["status"]) == {"ranked"}
    assert ranked["rank"].min() == 1


def test_it_is_headed_by_the_best_of_aider_and_what_was_published_orders_it(board: Board):
    order = board.leaderboard["model"].tolist()
    assert order[:4] == ["openai/gpt-5", "openai/o3-pro", "google/gemini-2.5-pro", "openai/o3"]
    pairs = [
        ("deepseek/deepseek-r1-0528", "deepseek/deepseek-r1"),
        ("openai/gpt-4.1", "openai/gpt-4.1-mini"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-mini"),
        ("anthropic/claude-3-5-sonnet-20241022", "anthropic/claude-3-sonnet-20240229"),
        ("meta-llama/meta-llama-3-70b-instruct", "meta-llama/meta-llama-3-8b-instruct"),
        ("deepseek-ai/deepseek-coder-6.7b-instruct", "deepseek-ai/deepseek-coder-6.7b-base"),
    ]
    for better, worse in pairs:
        assert order.index(better) < order.index(worse)


def test_models_that_both_leaderboards_know_link_the_two(board: Board):
    n_sources = board.leaderboard.set_index("model")["n_sources"]
    linking = {
        "deepseek/deepseek-v3",
        "openai/gpt-4o-2024-08-06",
        "openai/gpt-4o-mini",
        "openai/o1-mini",
        "qwen/qwen2.5-coder-32b-instruct",
    }
    assert set(n_sources[n_sources == 2].index) == linking
    assert board.leaderboard["ability"].notna().all()


def test_intervals_hold_their_abilities_and_rank_ranges_their_ranks(board: Board):
    rows = board.leaderboard
    assert (rows["ability_low"] < rows["ability"]).all()
    assert (rows["ability"] < rows["ability_high"]).all()
    assert (rows["rank_lo"] <= rows["rank"]).all()
    assert (rows["rank"] <= rows["rank_hi"]).all()
    assert (rows["tie_group"] == rows["rank_lo"]).all()


def test_the_same_answers_count_once(board: Board):
    assert board.score("openai/gpt-4o-mini", "ability")["n_benchmarks"] == 3


def test_makers_prices_are_shown_with_their_day(board: Board):
    row = board.standing("openai/gpt-5")
    assert (row["price_input"], row["price_output"]) == (1.25, 10.0)
    assert row["prices_at"] == datetime(2026, 7, 2)
    assert (row["title"], row["organisation"], row["open_weights"]) == ("GPT-5", "OpenAI", False)


def test_of_several_runs_the_best_is_used(board: Board):
    runs = board.results[(board.results["model"] == "openai/gpt-5") & (board.results["measure"] == "pass_rate_2")]
    assert dict(zip(runs["value"], runs["is_used"], strict=True)) == {88.0: True, 86.7: False, 81.3: False}


def test_names_mean_releases_beside_the_real_catalogue_too():
    openrouter = make_source("openrouter", None, {})
    parsed = openrouter.parse(real("openrouter"))
    at = datetime(2026, 8, 1)
    status = FetchStatus("openrouter", Status.LIVE, at, at, None, len(parsed.results), None, "")
    facts = [bundled(source) for source in bundled_sources()]
    beside = Board([Published(openrouter.about, parsed, status, "0" * 64), *facts], DECLARED)
    names = beside.aliases[beside.aliases["source"].isin(bundled_sources())].set_index("raw_name")
    assert set(names["status"]) == {"accepted"}
    assert names.loc["GPT 4o Mini (July 2024)", "model"] == "openai/gpt-4o-mini-2024-07-18"
    assert names.loc["2025-08-23-15-47-21--gpt-5-high", "model"] == "openai/gpt-5-2025-08-07"
