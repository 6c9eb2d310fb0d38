"""Evaluation sets: values against the kernel and plain means, who is excluded, which tasks count, and how sure."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.competition.evaluations import COLUMNS, EXCLUDED, OVERALL, EvaluationSpec, ScoredTasks, evaluate
from pipeline.competition.evaluations.board import excluded_because
from pipeline.leaderboard import (
    interval,
    pair_totals,
    ratio_influence,
    relative_skill,
    relative_skill_interval,
)
from pipeline_tests.competition.evaluations.drawn import MODELS, drawn


def spec(**declared: Any) -> EvaluationSpec:
    given = {"name": "all", "metrics": ["wis", "interval_coverage_50"], "relative_metrics": "wis", "baseline": "base"}
    return EvaluationSpec.model_validate(given | declared)


def blocks_of(tasks: ScoredTasks, size: int) -> list[ScoredTasks]:
    cycles = np.unique(tasks.cycles)
    return [tasks.part(np.isin(tasks.cycles, cycles[at : at + size])) for at in range(0, len(cycles), size)]


def board(found: pd.DataFrame, metric: str, by: str = OVERALL, part: str = OVERALL) -> pd.DataFrame:
    rows = found[(found["metric"] == metric) & (found["by"] == by) & (found["part"] == part)]
    return rows.set_index("model_id")


def test_values_are_means_over_tasks_and_relative_skill_of_the_kernel() -> None:
    tasks = drawn()
    found = evaluate([spec()], [tasks])
    means = board(found, "wis")
    np.testing.assert_allclose(means["value"], np.nanmean(tasks.measures["wis"], axis=0))
    np.testing.assert_array_equal(means["n"], np.isfinite(tasks.measures["wis"]).sum(axis=0))
    np.testing.assert_array_equal(means["n_submitted"], tasks.submitted.sum(axis=0))
    assert (means["n_tasks"] == len(tasks)).all()
    skill = relative_skill(pair_totals(tasks.measures["wis"]), MODELS.tolist(), "base")
    np.testing.assert_allclose(board(found, "wis_scaled_relative_skill")["value"], skill.value)


def test_intervals_have_cycles_as_their_units() -> None:
    tasks = drawn()
    found = evaluate([spec()], [tasks])
    cycle = np.unique(tasks.cycles, return_inverse=True)[1]
    wis = tasks.measures["wis"]
    total = np.array([np.nansum(wis[cycle == one], axis=0) for one in range(12)])
    n = np.array([np.isfinite(wis[cycle == one]).sum(axis=0) for one in range(12)])
    sure = interval(ratio_influence(total, n))
    np.testing.assert_allclose(board(found, "wis")["ci_low"].astype(float), sure.low)
    relative = relative_skill_interval(wis, cycle, MODELS.tolist(), "base")
    shown = board(found, "wis_scaled_relative_skill")
    np.testing.assert_allclose(shown["ci_high"].astype(float), relative.high)
    np.testing.assert_allclose(shown["se"].astype(float), relative.se)
    assert shown["ci_method"].tolist() == ["ewc", "ewc", "zero_variance", "too_few_cycles"]


@pytest.mark.parametrize("by", ["subject", "cycle", "horizon", "target_time"])
def test_a_part_is_evaluated_as_if_there_were_no_other(by: str) -> None:
    tasks = drawn()
    found = evaluate([spec(by=by)], [tasks])
    parts = {"subject": tasks.subjects, "cycle": tasks.cycles, "horizon": tasks.horizons}.get(by, tasks.target_times)
    for part in np.unique(parts):
        alone = evaluate([spec()], [tasks.part(parts == part)])
        name = str(part)[:10]
        for metric in ("wis", "wis_scaled_relative_skill", "interval_coverage_50"):
            pd.testing.assert_frame_equal(
                board(found, metric, by, name).drop(columns=["by", "part"]),
                board(alone, metric).drop(columns=["by", "part"]),
            )


@given(st.integers(1, 12), st.integers(0, 5))
def test_it_does_not_matter_how_cycles_are_cut_into_blocks_nor_in_which_order_they_come(size: int, seed: int) -> None:
    tasks = drawn(seed)
    specs = [spec(by=["subject", "cycle"]), spec(name="last", cycles={"last": 3})]
    cut = blocks_of(tasks, size)
    np.random.default_rng(seed).shuffle(cut)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(evaluate(specs, cut), evaluate(specs, [tasks]))


def test_who_submitted_too_little_is_out_of_the_field_and_listed_with_the_reason() -> None:
    tasks = drawn(absent=0.1)
    found = evaluate([spec(min_submitted=0.75, by="horizon")], [tasks])
    excluded = found[found["ci_method"] == EXCLUDED]
    assert excluded["model_id"].unique().tolist() == ["late"]
    assert excluded["reason"].unique().tolist() == ["submitted 33.3 % of 72 tasks; 75 % needed"]
    assert excluded["value"].isna().all()
    assert excluded["rank"].isna().all()
    others = tasks.of_models(MODELS[:3])
    without = evaluate([spec(by="horizon")], [others])
    pd.testing.assert_frame_equal(
        found[found["ci_method"] != EXCLUDED].reset_index(drop=True), without, check_dtype=False
    )


@pytest.mark.parametrize(
    ("submitted", "told"),
    [
        (856, "submitted 60.9 % of 1,404 tasks; 75 % needed"),
        (1052, "submitted 74.9 % of 1,404 tasks; 75 % needed"),
        (702, "submitted 50 % of 1,404 tasks; 75 % needed"),
    ],
)
def test_the_share_that_is_too_small_is_never_rounded_up(submitted: int, told: str) -> None:
    assert excluded_because(submitted, 1404, 0.75) == told


def test_the_baseline_is_never_excluded() -> None:
    tasks = drawn()
    found = evaluate([spec(baseline="late", min_submitted=0.9)], [tasks])
    shown = board(found, "wis_scaled_relative_skill")
    assert shown["value"]["late"] == 1
    why = {"a": EXCLUDED, "b": EXCLUDED, "base": "too_few_cycles", "late": "too_few_cycles"}
    assert shown["ci_method"].to_dict() == why


def test_without_the_baseline_there_is_no_scaled_skill_and_it_says_why() -> None:
    found = evaluate([spec(baseline="nobody")], [drawn()])
    shown = board(found, "wis_scaled_relative_skill")
    assert shown["value"].isna().all()
    assert set(shown["reason"]) == {"no_baseline"}
    assert board(found, "wis")["value"].notna().all()


def test_virtual_models_are_compared_with_the_field_and_move_nobody() -> None:
    tasks = drawn()
    virtual = "__ensemble_main__"
    beside = replace(
        tasks,
        models=np.array([*MODELS, virtual], dtype=object),
        submitted=np.column_stack([tasks.submitted, tasks.submitted[:, 2]]),
        measures={name: np.column_stack([one, one[:, 2] / 2]) for name, one in tasks.measures.items()},
    )
    found, without = evaluate([spec()], [beside]), evaluate([spec()], [tasks])
    columns = ["value", "se", "rank", "rank_lo", "rank_hi", "reason"]
    for metric in ("wis", "wis_scaled_relative_skill"):
        shown = board(found, metric)
        pd.testing.assert_frame_equal(shown.loc[MODELS, columns], board(without, metric)[columns], check_dtype=False)
    skill = board(found, "wis_scaled_relative_skill").loc[virtual]
    assert skill["value"] < 1
    assert skill["is_ensemble"]
    assert np.isnan(skill["rank"])
    assert skill["rank_with_ensembles"] == 1


def test_the_last_cycles_are_those_with_predictions_in_the_set_whether_or_not_outcomes_are_known() -> None:
    tasks = drawn(cycles=6)
    unknown = tasks.cycles >= np.datetime64("2025-02-08")
    tasks = replace(
        tasks,
        submitted=tasks.submitted & ~((tasks.subjects == "US") & (tasks.cycles == tasks.cycles.max()))[:, None],
        measures={name: np.where(unknown[:, None], np.nan, one) for name, one in tasks.measures.items()},
    )
    found = evaluate(
        [spec(cycles={"last": 2}, by="cycle"), spec(name="US", subjects="US", cycles={"last": 2}, by="cycle")], [tasks]
    )
    parts = found[found["by"] == "cycle"].groupby("evaluation")["part"].unique()
    assert parts["all"].tolist() == ["2025-02-01", "2025-02-08"]
    assert parts["US"].tolist() == ["2025-01-25", "2025-02-01"]
    assert set(board(found[found["evaluation"] == "all"], "wis", "cycle", "2025-02-08")["reason"]) == {"no_scores"}


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ({"subjects": ["US", "TX"]}, lambda tasks: np.isin(tasks.subjects, ["US", "TX"])),
        ({"horizons": 1}, lambda tasks: tasks.horizons == 1),
        ({"cycles": {"since": "2025-02-01"}}, lambda tasks: tasks.cycles >= np.datetime64("2025-02-01")),
        ({"cycles": {"until": "2025-02-01"}}, lambda tasks: tasks.cycles <= np.datetime64("2025-02-01")),
        ({"cycles": {"only": ["2025-02-01"]}}, lambda tasks: tasks.cycles == np.datetime64("2025-02-01")),
        ({"target_times": ["2025-02-01"]}, lambda tasks: tasks.target_times == np.datetime64("2025-02-01")),
    ],
)
def test_only_the_tasks_that_a_set_names_count(declared: dict[str, Any], kept: Any) -> None:
    tasks = drawn()
    pd.testing.assert_frame_equal(evaluate([spec(**declared)], [tasks]), evaluate([spec()], [tasks.part(kept(tasks))]))


def test_the_order_of_models_changes_nothing_but_the_order_of_rows() -> None:
    tasks = drawn()
    turned = tasks.of_models(MODELS[::-1])
    order = ["by", "part", "model_id", "metric"]
    one, other = (
        evaluate([spec(by="subject")], [given]).sort_values(order, ignore_index=True) for given in (tasks, turned)
    )
    pd.testing.assert_frame_equal(one, other)


def test_ranks_are_of_the_first_column_with_a_better_end_unless_another_is_named() -> None:
    tasks = drawn()
    by_skill = evaluate([spec()], [tasks])
    assert by_skill.dropna(subset=["rank"])["metric"].unique().tolist() == ["wis_scaled_relative_skill"]
    by_mean = evaluate([spec(rank_by="wis")], [tasks])
    shown = board(by_mean, "wis")
    np.testing.assert_array_equal(shown["rank"], shown["value"].rank())
    described = evaluate([EvaluationSpec(name="cover", metrics=("interval_coverage_50",))], [tasks])
    assert described["rank"].isna().all()


def test_a_set_without_tasks_has_no_rows() -> None:
    found = evaluate([spec(subjects=["nowhere"])], [drawn()])
    assert found.empty
    assert list(found) == COLUMNS


def test_relative_skill_without_a_baseline_is_of_the_field() -> None:
    tasks = drawn()
    found = evaluate([EvaluationSpec(name="field", metrics=("wis",), relative_metrics=("wis",))], [tasks])
    skill = relative_skill(pair_totals(tasks.measures["wis"]), MODELS.tolist())
    np.testing.assert_allclose(board(found, "wis_relative_skill")["value"], skill.value)


class Lazy:
    """Many blocks, made anew each time that they are read."""

    def __init__(self, blocks: int) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[ScoredTasks]:
        for number in range(self._blocks):
            one = drawn(number, cycles=2, subjects=4)
            many = one.part(np.repeat(np.arange(len(one)), 100))
            yield replace(many, cycles=many.cycles + number * np.timedelta64(14, "D"))


def test_memory_grows_with_cycles_and_not_with_tasks() -> None:
    def peak(blocks: int) -> int:
        tracemalloc.start()
        try:
            evaluate([spec(by="horizon")], Lazy(blocks))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    assert peak(60) < 2 * peak(10)


def test_blocks_that_do_not_fit_are_refused() -> None:
    tasks = drawn()

    def once() -> Iterator[ScoredTasks]:
        yield tasks

    with pytest.raises(ValueError, match="read more than once"):
        evaluate([spec()], once())
    with pytest.raises(ValueError, match="different models"):
        evaluate([spec()], [tasks, tasks.of_models(MODELS[:2])])
    with pytest.raises(ValueError, match=r"2025-01-04.* is in two blocks"):
        evaluate([spec()], [tasks, tasks])


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"metrics": []}, "names none"),
        ({"metrics": ["wis", "wis"]}, "wis twice"),
        ({"baseline": None, "metrics": ["wis_scaled_relative_skill"]}, "need a baseline"),
        ({"rank_by": "ae_median"}, "rank_by 'ae_median' is no column of it; known: wis_scaled_relative_skill, wis"),
        ({"rank_by": "interval_coverage_50"}, "neither end is better"),
        ({"relative_metrics": ["interval_coverage_50"]}, "relative skill is a ratio of losses"),
        ({"by": ["location"]}, "subject"),
        ({"min_submitted": 75}, "less than or equal to 1"),
        ({"cycles": {"since": "2025-02-01", "until": "2025-01-01"}}, "end before"),
        ({"cycles": {"since": "2025-02-01T00:00:00+01:00"}}, "has a time zone"),
        ({"name": "  "}, "has no name"),
        ({"metric": ["wis"]}, "unknown field 'metric'"),
    ],
)
def test_what_makes_no_evaluation_set_is_refused(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(**declared)
