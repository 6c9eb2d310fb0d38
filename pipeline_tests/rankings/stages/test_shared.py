"""All sources together, where the shared data is: from what they really published to the board."""

from datetime import datetime

import pytest

from pipeline.rankings import FetchStatus, Parsed, Status
from pipeline.rankings.finding import known_sources, make_source
from pipeline.rankings.stages import Published
from pipeline_tests.rankings.sources.samples import real
from pipeline_tests.rankings.stages.boards import Board

SAMPLES = sorted(set(known_sources()) - {"litellm"})
AT = datetime(2026, 8, 1)


def sample(name: str) -> Published:
    source = make_source(name, None, {})
    parsed = source.parse(real(name))
    status = FetchStatus(name, Status.LIVE, AT, AT, parsed.updated_at, len(parsed.results), None, parsed.version)
    return Published(source.about, parsed, status, "0" * 64)


@pytest.fixture(scope="module")
def board() -> Board:
    missing = FetchStatus("litellm", Status.MISSING, AT, None, None, 0, "not fetched", "")
    litellm = Published(make_source("litellm", None, {}).about, Parsed((), ()), missing)
    return Board([*map(sample, SAMPLES), litellm], {"min_benchmarks": 1})


def test_no_figure_gets_lost(board: Board):
    assert len(board.results) == sum(len(one.parsed.results) for one in board.published) > 20_000
    assert (board.results["is_used"] == board.results["left_out"].isna()).all()


def test_of_a_model_one_figure_of_a_measure_is_used(board: Board):
    used = board.results[board.results["is_used"]]
    assert not used.duplicated(["model", "benchmark", "measure"]).any()
    kinds = used.groupby(["model", "benchmark"])[["source", "raw_name", "config", "channel"]].nunique()
    assert (kinds == 1).all(axis=None)


def test_prices_and_context_of_a_model_are_of_one_offer(board: Board):
    used = board.results[board.results["is_used"] & board.results["benchmark"].isin(["price", "context"])]
    assert (used.groupby("model")[["source", "raw_name"]].nunique() == 1).all(axis=None)
    assert "free_offer" not in set(used.loc[used["benchmark"] == "price", "flags"])


def test_speeds_are_of_the_name_whose_index_is_used(board: Board):
    used = board.results[board.results["is_used"]].set_index("model")
    speeds = used.loc[used["benchmark"] == "speed"]
    quality = used.loc[(used["measure"] == "intelligence_index") & (used["source"] == "artificialanalysis"), "raw_name"]
    both = speeds["raw_name"].to_frame("speed").join(quality.rename("quality"), how="inner")
    assert len(both) > 200
    assert (both["speed"] == both["quality"]).all()


def test_hundreds_of_models_are_ranked_and_no_agent_system_or_router_is(board: Board):
    ranked = board.leaderboard[board.leaderboard["rank"].notna()]
    assert len(ranked) > 250
    assert not ranked["model"].str.startswith("openrouter/").any()
    systems = board.aliases.loc[board.aliases["is_system"], "model"]
    assert systems.isna().all()


def test_known_models_stand_as_everybody_knows(board: Board):
    place = {model: n for n, model in enumerate(board.leaderboard["model"])}
    pairs = [
        ("openai/gpt-5-2025-08-07", "openai/gpt-5-mini-2025-08-07"),
        ("openai/gpt-5-mini-2025-08-07", "openai/gpt-5-nano-2025-08-07"),
        ("openai/o3-2025-04-16", "openai/o1-2024-12-17"),
        ("anthropic/claude-4.5-sonnet-20250929", "anthropic/claude-4-sonnet-20250522"),
        ("anthropic/claude-4-sonnet-20250522", "anthropic/claude-3-5-sonnet-20241022"),
        ("deepseek/deepseek-r1-0528", "deepseek/deepseek-r1"),
        ("deepseek/deepseek-r1", "deepseek/deepseek-chat-v3"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-mini-2024-07-18"),
    ]
    for better, worse in pairs:
        assert place[better] < place[worse], (better, worse)


def test_one_model_is_one_release_however_sources_date_it(board: Board):
    means = board.aliases.set_index(["source", "raw_name"])["model"]
    sonnet = {
        means["aider", "2025-05-24-22-10-36--sonnet4-diff-exuser-think32k"],
        means["epoch", "claude-sonnet-4-20250514_32K"],
        means["swebench", "20250726_mini-v1.0.0_claude-sonnet-4-20250514"],
        means["openrouter", "anthropic/claude-sonnet-4"],
    }
    assert sonnet == {"anthropic/claude-4-sonnet-20250522"}
