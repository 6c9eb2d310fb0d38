"""Contests of every output type through the whole graph, their boards recomputed by the definitions of the scores."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from pipeline.components import competition
from pipeline.tables import (
    CYCLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    ENSEMBLE_SCORES,
    ENSEMBLE_WEIGHTS,
    LEADERBOARD,
    MEMBER_METRICS,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
)
from pipeline_tests.distribution_contest import (
    CYCLES,
    HORIZONS,
    IDS,
    RULES,
    SUBJECTS,
    DistributionContest,
    contract,
    declaration,
    week,
)
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import ToyGraph, assert_same_tables

Numbers = Mapping[float | str, float]


def wis(numbers: Numbers, y: float) -> float:
    """Twice the mean pinball loss."""
    return 2 * float(np.mean([(level - (y < q)) * (y - q) for level, q in numbers.items()]))  # type: ignore[operator]


def rps(numbers: Numbers, y: float) -> float:
    return math.fsum((math.fsum(list(numbers.values())[:k]) - (y <= k)) ** 2 for k in range(1, len(numbers) + 1))


def crps_of_samples(numbers: Numbers, y: float) -> float:
    x = list(numbers.values())
    spread = math.fsum(abs(one - other) for one in x for other in x)
    return math.fsum(abs(one - y) for one in x) / len(x) - spread / (2 * len(x) ** 2)


def crps_of_cdf(numbers: Numbers, y: float) -> float:
    """By numerical integration of the squared distance from the step at the outcome."""
    grid, function = list(map(float, numbers)), list(numbers.values())

    def distance(x: float) -> float:
        return float((np.interp(x, grid, function, left=0.0, right=1.0) - (x >= y)) ** 2)

    bends = itertools.pairwise(sorted({*grid, y}))
    return math.fsum(quad(distance, start + 1e-12, end - 1e-12, epsabs=1e-11)[0] for start, end in bends)


def absolute(numbers: Numbers, y: float) -> float:
    return abs(next(iter(numbers.values())) - y)


def squared(numbers: Numbers, y: float) -> float:
    return (next(iter(numbers.values())) - y) ** 2


SCORE: dict[str, Callable[[Numbers, float], float]] = {
    "quantile": wis,
    "pmf": rps,
    "sample": crps_of_samples,
    "cdf": crps_of_cdf,
    "mean": squared,
    "median": absolute,
}


def forecasts(output_type: str) -> Iterator[tuple[int, dict[str, object], Numbers, float]]:
    """Every forecast with an outcome: its cycle, what it is of, its numbers, the outcome as revised."""
    source = DistributionContest(output_type)
    for number in range(CYCLES):
        for task, numbers in source.forecasts(number):
            end = number + int(task["horizon"])
            if end < CYCLES - 1:
                subject = SUBJECTS.index(str(task["subject"]))
                yield number, task, numbers, source.observed(end, subject, revised=subject == 0)


def is_complete(output_type: str, numbers: Numbers) -> bool:
    return len(numbers) == len(IDS.get(output_type, [""]))


def own_scores(output_type: str) -> pd.DataFrame:
    """The score of every complete forecast, by definition."""
    rows = [
        {**task, "number": number, "score": SCORE[output_type](numbers, y)}
        for number, task, numbers, y in forecasts(output_type)
        if is_complete(output_type, numbers)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def environment(toy: ToyContest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of tests, and no pictures, which take long."""
    monkeypatch.setattr(competition, "_PICTURES", {})


def newest(rows: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    return rows.sort_values("known_at", kind="stable").drop_duplicates(list(key), keep="last")


@pytest.mark.parametrize("output_type", RULES)
def test_every_output_type_runs_from_source_to_board(output_type: str, tmp_path: Path) -> None:
    graph = ToyGraph(tmp_path, [contract(output_type)])
    graph.bring()
    assert graph.failing() == {}
    metrics = RULES[output_type][1]

    predictions = graph.table(PREDICTIONS)
    assert set(predictions["output_type"]) == {output_type}
    assert set(predictions["output_type_id"]) == {str(one) for one in IDS.get(output_type, [""])}
    assert set(predictions["horizon"]) == set(HORIZONS)

    key = ["model_id", "cycle", "horizon", "subject"]
    scores = newest(graph.table(SCORES), key)
    every = pd.DataFrame([task for _, task, _, _ in forecasts(output_type)])
    assert len(scores) == len(every)
    own = own_scores(output_type)
    both = own.merge(scores, on=key, how="left", validate="one_to_one")
    np.testing.assert_allclose(both["value"], both["score"], rtol=1e-9, atol=1e-12)
    without = scores.merge(own[key], on=key, how="left", indicator=True).query("_merge == 'left_only'")
    assert set(without["failed_reason"]) <= {"incomplete"}
    assert (without["value"].isna() & ~without["success"].astype(bool)).all()
    assert without["prediction"].notna().all()

    snapshots = graph.table(SNAPSHOTS)
    board = snapshots[(snapshots["as_of"] == snapshots["as_of"].max()) & (snapshots["window_name"] == "all")]
    assert set(board["metric"]) == set(contract(output_type).metrics)
    value = board[board["metric"] == metrics[0]].set_index("model_id")["value"]
    expected = own.groupby("model_id")["score"].mean()
    np.testing.assert_allclose(value[expected.index], expected, rtol=1e-9)
    assert value.notna().all()
    assert board.loc[~board["metric"].str.contains("energy"), "value"].notna().all()

    ranks = graph.table(LEADERBOARD)
    ranks = ranks[ranks["as_of"] == ranks["as_of"].max()].set_index("model_id")["rank"]
    assert ranks[expected.index].tolist() == expected.rank().astype(int).tolist()
    before = graph.tables()
    graph.bring(force=True)
    assert_same_tables(graph.tables(), before)


@pytest.mark.parametrize("output_type", ["quantile", "sample"])
def test_blocks_of_cycles_change_nothing(output_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few cycles are computed at once: what stands in, what was before, who is compared with whom."""
    small = ToyGraph(tmp_path / "small", [contract(output_type)])
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.components.blocks.ARRAYS_OF_AN_ID", 1_000_000)
        small.bring()
    whole = ToyGraph(tmp_path / "whole", [contract(output_type)])
    whole.bring()
    for table in (SCORES, CYCLE_METRICS, LEADERBOARD):
        pd.testing.assert_frame_equal(small.table(table), whole.table(table), check_exact=True)


ENSEMBLES = {
    "quantile": [
        {"name": "mean", "strategy": "relative_skill", "theta": 2.0, "min_history": 2, "max_weight": 1.0},
        {"name": "median", "strategy": "equal_weight", "combine": "median"},
        {"name": "pool", "strategy": "equal_weight", "combine": "linear_pool"},
    ],
    "pmf": [
        {"name": "mean", "strategy": "equal_weight", "filter": {"top_n": 2}},
        {"name": "pool", "strategy": "equal_weight", "combine": "linear_pool"},
    ],
    "sample": [{"name": "pool", "strategy": "equal_weight", "combine": "linear_pool"}],
}
OF_MEMBERS = {
    "quantile": ["contribution", "ensemble_correlation", "mmc@pool"],
    "pmf": ["contribution", "ensemble_correlation", "contribution@pool"],
    "sample": ["mmc"],
}


def wide(rows: pd.DataFrame, output_type: str) -> pd.DataFrame:
    """One row for each forecast, a column for each number in the order of the ids."""
    order = [str(one) for one in IDS[output_type]]
    key = ["cycle", "horizon", "subject", "model_id"]
    found = rows.pivot(index=key, columns="output_type_id", values="value")
    return found if output_type == "sample" else found[order]


@pytest.mark.parametrize("output_type", ENSEMBLES)
def test_ensembles_of_distributions_run_from_members_to_board(output_type: str, tmp_path: Path) -> None:
    declared = declaration(output_type)
    board = contract(
        output_type,
        ensembles=ENSEMBLES[output_type],
        metrics=[*declared["metrics"], *OF_MEMBERS[output_type]],
    )
    graph = ToyGraph(tmp_path, [board])
    graph.bring()
    assert graph.failing() == {}

    members = wide(graph.table(PREDICTIONS), output_type)
    whole = members.dropna() if output_type != "sample" else members
    combined = wide(graph.table(ENSEMBLE_PREDICTIONS), output_type)
    weights = graph.table(ENSEMBLE_WEIGHTS)
    for ensemble in board.active_ensembles:
        shares = weights[weights["ensemble"] == ensemble.name].set_index(["cycle", "horizon", "model_id"])["weight"]
        own = combined.xs(ensemble.model_id, level="model_id")
        assert len(own) == CYCLES * len(HORIZONS) * len(SUBJECTS)
        for (cycle, horizon, subject), numbers in own.iterrows():
            of_members = whole.loc[(cycle, horizon, subject)]
            of_members = of_members[of_members.index.isin(shares.loc[(cycle, horizon)].index)]
            share = shares.loc[(cycle, horizon)].reindex(of_members.index).to_numpy()
            if output_type == "sample":
                expected = np.sort(of_members.to_numpy().ravel())
                np.testing.assert_allclose(np.sort(numbers.dropna()), expected)
            elif ensemble.combine == "median":
                np.testing.assert_allclose(numbers, of_members.median(), atol=1e-8)
            elif ensemble.combine == "mean" or output_type == "pmf":
                np.testing.assert_allclose(numbers, np.average(of_members, axis=0, weights=share), atol=1e-8)

    scores = graph.table(ENSEMBLE_SCORES)
    assert scores["success"].all()
    assert set(scores["model_id"]) == {ensemble.model_id for ensemble in board.active_ensembles}
    listed = graph.table(LEADERBOARD)
    assert listed.loc[listed["is_ensemble"], "status"].iloc[-1] == "ranked"
    if output_type == "quantile":
        assert weights[weights["ensemble"] == "mean"].groupby("cycle")["weight"].max().iloc[-1] > 0.3
        assert set(weights.loc[weights["ensemble"] == "mean", "fallback"].dropna()) <= {"newcomer", "no_history"}
    if output_type != "sample":
        _contributions_are_differences(graph, output_type, weights, whole)


def _contributions_are_differences(
    graph: ToyGraph, output_type: str, weights: pd.DataFrame, whole: pd.DataFrame
) -> None:
    """Of a member of equal weight: the score of the mean of the others minus that of all, in each cycle."""
    name = "pool" if output_type == "pmf" else "mean"
    found = graph.table(MEMBER_METRICS)
    found = found[(found["ensemble"] == name) & (found["metric"] == "contribution") & (found["category"] == "overall")]
    assert found["value"].notna().any()
    if output_type != "pmf":
        return
    found = newest(found, ["model_id", "cycle"]).set_index(["model_id", "cycle"])["value"].dropna()
    outcomes = {(task["cycle"], task["horizon"], task["subject"]): y for _, task, _, y in forecasts(output_type)}
    columns = [str(one) for one in IDS[output_type]]

    def score(cycle: object, horizon: int, without: str | None) -> list[float]:
        values = []
        for subject in SUBJECTS:
            of_members = whole.loc[(cycle, horizon, subject)].drop(index=without or [], errors="ignore")
            mean = dict(zip(columns, of_members.mean(), strict=True))
            values.append(rps(mean, outcomes[cycle, horizon, subject]))
        return values

    for model, cycle in list(found.index)[::5]:
        horizons = [horizon for horizon in HORIZONS if (cycle, horizon, SUBJECTS[0]) in outcomes]
        parts = [np.mean(score(cycle, one, model)) - np.mean(score(cycle, one, None)) for one in horizons]
        np.testing.assert_allclose(found[model, cycle], np.mean(parts), atol=1e-9)


def test_what_is_scored_on_another_scale_is_scored_there(tmp_path: Path) -> None:
    scoring = {"rule": "squared_error", "primary": "score"}
    graph = ToyGraph(tmp_path, [contract("median", scoring=scoring | {"scale": "log1p"}, metrics=["score"])])
    graph.bring()
    scores = newest(graph.table(SCORES), ["model_id", "cycle", "horizon", "subject"])
    outside = (scores["prediction"] <= -1) | (scores["outcome"] <= -1)
    assert set(scores.loc[outside, "failed_reason"]) == {"outside_domain"}
    inside = scores[~outside]
    expected = (np.log1p(inside["prediction"]) - np.log1p(inside["outcome"])) ** 2
    np.testing.assert_allclose(inside["value"], expected, rtol=1e-9, atol=1e-15)


def test_a_submission_that_is_carried_forward_is_carried_whole(tmp_path: Path) -> None:
    graph = ToyGraph(tmp_path, [contract("quantile", missing={"policy": "carry_forward"})])
    graph.bring()
    assert graph.failing() == {}
    rows = graph.table(PREDICTIONS)
    sizes = rows.groupby(["model_id", "cycle", "horizon", "subject"]).size()
    assert sizes.max() == len(IDS["quantile"])
    assert week(0) in set(rows["cycle"])


def test_a_source_without_ids_is_told_to_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = DistributionContest.predictions
    without = lambda self, cycles: whole(self, cycles).drop(columns="output_type_id")  # noqa: E731
    monkeypatch.setattr(DistributionContest, "predictions", without)
    with pytest.raises(ValueError, match="predictions have no column output_type_id, which says of each number of a"):
        ToyGraph(tmp_path, [contract("quantile")]).bring()
