import math

import pytest

from pipeline.rankings import Result
from pipeline.tables import LLM_SCORES
from pipeline_tests.rankings.stages.boards import Board, columns_of, published

CODING = (
    ("humaneval_plus", "pass_at_1"),
    ("mbpp_plus", "pass_at_1"),
    ("swebench_bash_only", "resolved"),
    ("bigcodebench_hard", "pass_at_1"),
    ("livebench", "coding"),
)
WITHOUT_MINIMUM = {"min_benchmarks": 1}


def coding(model: str, value: float) -> list[Result]:
    return [Result(model, *figure, value) for figure in CODING]


def example(model: str = "m") -> list[Result]:
    """The model of the specification."""
    return [
        *coding(model, 85.0),
        Result(model, "speed", "ttft_median", 0.4),
        Result(model, "speed", "throughput_median", 120.0),
        Result(model, "artificial_analysis", "intelligence_index", 88.0),
        Result(model, "price", "input", 5.0),
        Result(model, "context", "context_length", 128_000.0),
    ]


def test_the_example_of_the_specification_comes_out_of_the_stages():
    figures = example()
    sources = [
        published("evalplus", figures[:2]),
        published("swebench", figures[2:3]),
        published("bigcodebench", figures[3:4]),
        published("livebench", figures[4:5]),
        published("artificialanalysis", figures[5:8]),
        published("litellm", figures[8:]),
    ]
    board = Board(sources, {"rank_by": "overall"})
    standing = board.standing("owner/m")
    assert standing["coding"] == pytest.approx(85.0)
    assert standing["performance"] == pytest.approx(83.6)
    assert standing["value"] == pytest.approx(52.4)
    assert standing["overall"] == pytest.approx(78.06)
    assert (standing["rank"], standing["status"], standing["is_partial"]) == (1, "ranked", False)
    assert (standing["coverage"], standing["n_benchmarks"], standing["n_sources"]) == (1.0, 9, 6)
    assert (standing["ttft"], standing["throughput"], standing["quality"]) == (0.4, 120.0, 88.0)
    assert (standing["price_input"], standing["context"]) == (5.0, 128_000)


def test_every_model_that_has_a_figure_has_a_row_of_every_score():
    board = Board([published("litellm", [*coding("m", 50.0), Result("k", "price", "input", 1.0)])])
    assert list(board.scores) == columns_of(LLM_SCORES)
    assert board.scores["model"].tolist() == ["owner/k"] * 5 + ["owner/m"] * 5
    assert board.scores["score"].tolist() == ["ability", "coding", "performance", "value", "overall"] * 2


def test_a_score_that_lacks_a_part_is_undefined_and_says_which():
    board = Board([published("evalplus", coding("m", 50.0)[:-1])])
    score = board.score("owner/m", "coding")
    assert math.isnan(score["value"])
    assert (score["missing"], score["reason"]) == ("livebench.coding", "parts_missing")
    assert score["coverage"] == pytest.approx(0.85)
    assert (score["n_benchmarks"], score["n_sources"]) == (4, 1)


def test_renormalised_it_is_partial_down_to_the_least_coverage():
    figures = [*coding("m", 50.0)[:-1], Result("k", *CODING[0], 50.0)]
    board = Board([published("evalplus", figures)], {"renormalise": True})
    score = board.score("owner/m", "coding")
    assert (score["value"], score["is_partial"], score["missing"]) == (pytest.approx(50.0), True, "livebench.coding")
    little = board.score("owner/k", "coding")
    assert (math.isnan(little["value"]), little["reason"]) == (True, "low_coverage")


def test_of_a_score_without_any_part_it_is_told_so():
    board = Board([published("litellm", [Result("m", "price", "input", 1.0)])])
    score = board.score("owner/m", "coding")
    assert (score["reason"], score["coverage"], score["n_benchmarks"]) == ("no_parts", 0.0, 0)


def test_declared_weights_and_scales_are_used():
    declared = {"weights": {"coding": {"livebench.coding": 1.0}}, "scales": {"efficiency": 1.0}}
    figures = [*example(), Result("m", "livebench", "overall", 10.0)]
    board = Board([published("litellm", figures)], declared)
    assert board.score("owner/m", "coding")["n_benchmarks"] == 1
    assert board.score("owner/m", "value")["value"] == pytest.approx(0.6 * 17 + 0.4 * 80)


def test_a_declared_quality_takes_the_place_of_the_index():
    figures = [*example(), Result("m", "livebench", "overall", 38.0)]
    board = Board([published("litellm", figures)], {"quality": "livebench.overall"})
    assert board.standing("owner/m")["quality"] == 38.0
    assert board.score("owner/m", "performance")["value"] == pytest.approx(83.6 - 0.2 * 50)
