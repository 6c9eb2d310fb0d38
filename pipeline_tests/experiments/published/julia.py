"""Runs of a public benchmark of Julia code, as an experiment; and the tables that it published of them.

Published: README of svilupp/Julia-LLM-Leaderboard as of spring 2024, whose paid models rest on the newest 10 repeats of
each task and prompt and whose local ones on the newest 5; and one row of August 2024, from the shared data's README.
"""

from typing import Any

import pandas as pd
import pytest

from pipeline.experiments import Experiment, ScoredRuns, configuration_id, run_id, sha256_of
from pipeline_tests.conftest import SHARED_DATA

PROMPTS = ("InJulia", "JuliaExpertAsk", "JuliaExpertCoTTask", "JuliaRecapTask", "JuliaRecapCoTTask")
CRITERIA = ("parsed", "executed", "examples", "unit_tests")

Figures = tuple[float, float, float, int, int, float]

PAID: dict[str, Figures] = {
    # elapsed (s), score, standard deviation, zero scores, full scores, cost (US cents; 0 is unknown)
    "claude-3-opus-20240229": (20.3, 83.2, 19.6, 2, 329, 3.9),
    "claude-3-sonnet-20240229": (8.7, 78.8, 26.2, 22, 308, 0.73),
    "gpt-4-turbo-2024-04-09": (10.8, 75.3, 29.6, 38, 290, 1.38),
    "claude-3-haiku-20240307": (4.0, 74.9, 27.2, 9, 261, 0.05),
    "gpt-4-0125-preview": (30.3, 74.4, 30.3, 39, 284, 1.29),
    "gpt-4-1106-preview": (22.4, 74.4, 29.9, 19, 142, 1.21),
    "mistral-large-2402": (8.5, 71.6, 27.2, 13, 223, 0.0),
    "claude-2.1": (10.1, 67.9, 30.8, 47, 229, 0.8),
    "gpt-3.5-turbo-0125": (1.2, 61.7, 36.6, 125, 192, 0.03),
    "mistral-medium": (18.1, 60.8, 33.2, 22, 90, 0.41),
    "mistral-small": (5.9, 60.1, 30.2, 27, 76, 0.09),
    "mistral-small-2402": (5.3, 59.9, 29.4, 31, 169, 0.0),
    "gpt-3.5-turbo-1106": (2.1, 58.4, 39.2, 82, 97, 0.04),
    "mistral-tiny": (4.6, 46.9, 32.0, 75, 42, 0.02),
    "gpt-3.5-turbo": (3.6, 42.3, 38.2, 132, 54, 0.04),
    "gemini-1.0-pro-latest": (4.2, 34.8, 27.4, 181, 25, 0.0),
}
LOCAL: dict[str, tuple[float, float, float, float, float, int, int]] = {
    # elapsed (s), its median, score, its median, standard deviation, zero scores, full scores
    "phind-codellama:34b-v2": (37.1, 36.4, 61.8, 62.5, 33.5, 36, 58),
    "magicoder:7b-s-cl-q6_K": (15.6, 15.8, 59.9, 60.0, 29.9, 18, 35),
    "codellama:13b-instruct-q4_K_M": (3.2, 3.0, 56.4, 54.6, 33.0, 56, 61),
    "deepseek-coder:33b-instruct-q4_K_M": (46.7, 44.6, 55.0, 50.0, 36.8, 62, 68),
    "magicoder": (12.8, 10.7, 53.7, 50.0, 33.2, 49, 52),
    "nous-hermes2:34b-yi-q4_K_M": (56.8, 52.8, 50.7, 50.0, 34.7, 78, 56),
    "codellama:13b-instruct": (18.1, 16.7, 50.0, 50.0, 34.4, 65, 44),
    "openchat:7b-v3.5-1210-q4_K_M": (14.4, 13.7, 49.4, 50.0, 30.3, 48, 23),
    "openhermes2.5-mistral": (12.9, 12.2, 48.9, 50.0, 31.3, 55, 27),
    "starling-lm:latest": (13.7, 12.5, 48.4, 50.0, 30.2, 58, 26),
    "codellama:7b-instruct-q4_K_M": (2.1, 2.0, 47.8, 50.0, 35.3, 95, 38),
    "yi:34b-chat": (43.9, 41.3, 45.6, 50.0, 30.5, 45, 34),
    "mistral:7b-instruct-v0.2-q6_K": (21.7, 20.9, 45.4, 50.0, 31.3, 44, 23),
    "mistral:7b-instruct-v0.2-q4_0": (12.4, 12.3, 44.3, 50.0, 30.6, 75, 32),
    "mistral:7b-instruct-v0.2-q4_K_M": (15.6, 15.1, 42.6, 50.0, 28.6, 71, 23),
    "codellama:34b-instruct-q4_K_M": (7.5, 6.8, 39.7, 50.0, 36.1, 127, 35),
    "codellama:70b-instruct-q4_K_M": (16.3, 13.8, 36.4, 0.0, 41.2, 179, 58),
    "solar:10.7b-instruct-v1-q4_K_M": (18.8, 17.7, 35.2, 50.0, 31.1, 107, 10),
    "mistral:7b-instruct-q4_K_M": (13.9, 13.0, 34.8, 50.0, 26.5, 80, 0),
    "codellama:70b-instruct-q2_K": (11.2, 9.4, 29.8, 0.0, 37.7, 198, 29),
    "llama2": (17.1, 16.3, 26.5, 25.0, 26.5, 131, 0),
    "gemma:7b-instruct-q6_K": (20.9, 22.1, 25.9, 25.0, 25.2, 147, 2),
    "orca2:13b": (20.1, 18.3, 23.1, 0.0, 30.6, 166, 11),
    "stablelm-zephyr": (9.9, 7.7, 15.4, 0.0, 23.5, 192, 1),
    "dolphin-phi:2.7b-v2.6-q6_K": (8.9, 8.4, 14.9, 0.0, 22.9, 188, 0),
    "codellama:13b-python": (12.5, 10.7, 12.8, 0.0, 22.1, 155, 0),
    "phi:2.7b-chat-v2-q6_K": (13.0, 11.6, 8.9, 0.0, 19.4, 222, 0),
}
LATER = (85.8, 21.1, 13, 355, 0.73)
"""The same without the time, of claude-3-5-sonnet-20240620 with all its repeats."""


def all_runs() -> pd.DataFrame:
    """The 69,005 runs as they are shared."""
    path = SHARED_DATA / "prompt_runs" / "julia_llm_leaderboard_runs.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return pd.read_parquet(path)


def published_runs() -> pd.DataFrame:
    """Those that its tables are about."""
    runs = all_runs()
    return runs[(runs["split"] == "code_generation") & runs["prompt_label"].isin(PROMPTS)].reset_index(drop=True)


def experiment(**changes: Any) -> Experiment:
    """An experiment of the four criteria, 25 points each."""
    scorers = {name: {"scorer": "imported", "weight": 25} for name in CRITERIA}
    return Experiment.model_validate({"name": "julia", "title": "Julia code", "scorers": scorers} | changes)


def scored(declared: Experiment, runs: pd.DataFrame, *varied: str) -> ScoredRuns:
    """Its runs with the values of the four criteria; a cost of 0 is an unknown one.

    A configuration is a prompt and a model, as in the published tables, and further columns where they are named.
    """
    rows, configurations = run_rows(runs, varied)
    values = {
        "parsed": runs["parsed"].astype(float),
        "executed": (runs["executed"] | (runs["examples_executed"] > 0)).astype(float),
        "examples": runs["examples_executed"] / runs["examples_count"],
        "unit_tests": runs["unit_tests_passed"] / runs["unit_tests_count"],
    }
    scores = [
        pd.DataFrame(
            {"run_id": rows["run_id"], "scorer": name, "rater": 0, "value": value, "scored_at": rows["created_at"]}
        )
        for name, value in values.items()
    ]
    return ScoredRuns.of(declared, rows, pd.concat(scores, ignore_index=True), configurations)


def run_rows(runs: pd.DataFrame, varied: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of runs and of their configurations."""
    named = runs[["prompt_label", "model", *varied]].fillna("")
    configurations = named.drop_duplicates().reset_index(drop=True)
    parameters = configurations[list(varied)].to_dict("records")
    prompts, models = configurations["prompt_label"], configurations["model"]
    configurations = configurations.assign(
        configuration=[configuration_id(*one) for one in zip(prompts, models, parameters, strict=True)],
        title=prompts + " · " + models,
        prompt=prompts,
        prompt_version="1",
        is_baseline=False,
    )
    whole = named.merge(configurations, how="left", validate="many_to_one")
    asked = list(zip(whole["configuration"], runs["task"], strict=True))
    hashes = {one: sha256_of(one) for one in set(asked)}
    rows = pd.DataFrame(
        {
            "configuration": whole["configuration"],
            "input_id": runs["task"],
            "status": "completed",
            "created_at": pd.to_datetime(runs["timestamp"].str[:15], format="%Y%m%d_%H%M%S"),
            "duration_ms": 1000 * runs["elapsed_seconds"],
            "tokens_in": runs["tokens_in"],
            "tokens_out": runs["tokens_out"],
            "cost": runs["cost"].where(runs["cost"] > 0),
        }
    )
    rows["repeat"] = rows.groupby(["configuration", "input_id"]).cumcount() + 1
    rows["run_id"] = [run_id("julia", hashes[one], again) for one, again in zip(asked, rows["repeat"], strict=True)]
    return rows, configurations
