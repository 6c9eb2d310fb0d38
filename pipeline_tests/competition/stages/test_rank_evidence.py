"""Boards know between which ranks a model could be, from the metrics of cycles that were known by then."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.metrics import METRICS
from pipeline.competition.stages import RankEvidence, compute_leaderboard, compute_snapshots, key_metrics
from pipeline.leaderboard import Direction, RankIntervals, mean_influence, rank_intervals, sharpe_influence
from pipeline_tests.competition.contests import NAN, contract, cycle, stack

CYCLES = 60
NOW = cycle(CYCLES)
MODELS = ["a", "b", "c", "d"]
WINDOWS = {"recent": {"cycles": 13}, "half": {"cycles": 30}, "all": {}}
INTERVAL = ["rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective", "rank_method"]


def series(step: float = 0.5, seed: int = 4) -> np.ndarray:
    """An IC of every cycle and model, each model better than the one before."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((CYCLES, len(MODELS))) + step * np.arange(len(MODELS))


def metrics(ic: np.ndarray, known_after: timedelta = timedelta(days=7), models: list[str] = MODELS) -> pd.DataFrame:
    """Rows of cycle_metrics: IC and coverage, complete where the IC is not NaN."""
    number, place = np.nonzero(~np.isnan(ic))
    shared = {
        "model_id": np.array(models, dtype=object)[place],
        "cycle": [cycle(int(one)) for one in number],
        "category": "overall",
        "known_at": [cycle(int(one)) + known_after for one in number],
        "is_imputed": False,
        "n": 10,
        "reason": None,
    }
    of_ic = pd.DataFrame(shared | {"metric": "ic", "value": ic[number, place], "numerator": NAN, "denominator": NAN})
    covered = {"metric": "coverage", "value": 1.0, "numerator": 10.0, "denominator": 10.0}
    hits = {"metric": "hit_rate", "value": NAN, "numerator": np.round(5 + ic[number, place]), "denominator": 10.0}
    return stack(of_ic, pd.DataFrame(shared | covered), pd.DataFrame(shared | hits))


def declared(rank_by: Any = "all.ic", **changes: Any) -> Contract:
    board = {"rank_by": rank_by} | changes.pop("leaderboard", {})
    return contract(metrics=["ic", "ic_sharpe", "hit_rate"], windows=WINDOWS, leaderboard=board, **changes)


def board(rows: pd.DataFrame, of: Contract, as_of: datetime = NOW, only: list[str] = MODELS) -> pd.DataFrame:
    """The board of a moment, by model."""
    snapshots = compute_snapshots(rows, [as_of], of)
    return compute_leaderboard(snapshots, [as_of], [as_of], of, RankEvidence(rows, of)).set_index("model_id").loc[only]


def assert_intervals(found: pd.DataFrame, expected: RankIntervals) -> None:
    for name in ("rank_lo", "rank_hi", "tie_group", "n_cycles"):
        np.testing.assert_array_equal(found[name], getattr(expected, name), err_msg=name)
    np.testing.assert_allclose(found["n_effective"].astype(float), expected.n_effective)
    np.testing.assert_array_equal(found["rank_method"], expected.method)


def test_a_board_has_the_kernels_intervals_of_its_key() -> None:
    x = series()
    influence = mean_influence(x)
    found = board(metrics(x), declared())
    assert_intervals(found, rank_intervals(influence.value, [influence], Direction.DESC))
    assert found["rank_lo"].nunique() > 1


def test_a_key_of_a_series_or_of_tasks_is_compared_by_its_own_influence() -> None:
    x = series()
    sharpe = sharpe_influence(x)
    found = board(metrics(x), declared("all.ic_sharpe"))
    assert_intervals(found, rank_intervals(sharpe.value, [sharpe], Direction.DESC))
    hits = mean_influence(np.round(5 + x) / 10)
    found = board(metrics(x), declared("all.hit_rate"))
    assert_intervals(found, rank_intervals(hits.value, [hits], Direction.DESC))


def test_a_weighted_key_is_compared_over_all_its_windows() -> None:
    x = series(step=1.0)
    weights = {"recent.ic": 0.2, "half.ic_sharpe": 0.3, "half.ic": 0.5}
    mean, sharpe = mean_influence(x[-30:]), sharpe_influence(x[-30:])
    key = 0.2 * x[-13:].mean(axis=0) + 0.3 * sharpe.value + 0.5 * mean.value
    expected = rank_intervals(
        key, [mean, sharpe, mean], Direction.DESC, weights=list(weights.values()), windows=[13, 30, 30]
    )
    found = board(metrics(x), declared(weights))
    assert_intervals(found, expected)
    assert found["rank_lo"].nunique() > 1


def test_only_what_was_known_by_then_counts() -> None:
    x = series()
    revised = metrics(x[:, ::-1], known_after=timedelta(days=1000))
    late = board(stack(metrics(x), revised), declared(), as_of=cycle(30))
    assert_intervals(late, rank_intervals(x[:30].mean(axis=0), [mean_influence(x[:30])], Direction.DESC))
    after = board(stack(metrics(x), revised), declared(), as_of=NOW + timedelta(days=2000))
    assert after["rank_lo"].tolist() == board(metrics(x), declared())["rank_lo"].tolist()[::-1]


def test_a_cycle_without_an_outcome_by_then_leaves_no_trace() -> None:
    x = series(seed=9)
    late = metrics(x)
    late.loc[late["cycle"] == cycle(20), "known_at"] = NOW
    never = late[late["cycle"] != cycle(20)]
    then = NOW - timedelta(hours=1)
    for key in ("all.ic", "half.ic", {"all.ic": 0.5, "half.hit_rate": 0.5}):
        of = declared(key)
        pd.testing.assert_frame_equal(board(late, of, then), board(never, of, then), check_exact=True)


def test_fewer_than_eight_cycles_leave_every_rank_open() -> None:
    found = board(metrics(series(step=100.0)[:7]), declared())
    assert found["rank"].tolist() == [4, 3, 2, 1]
    assert found["rank_lo"].tolist() == [1] * 4
    assert found["rank_hi"].tolist() == [4] * 4
    assert found["rank_method"].tolist() == ["holm"] * 4


def test_who_is_not_ranked_or_is_virtual_takes_no_part() -> None:
    x = series()
    names = ["a", "b", "__ensemble_main__", "d"]
    gone = x.copy()
    gone[20:, 0] = np.nan
    of = declared(leaderboard={"min_coverage": 0.5})
    found = board(metrics(gone, models=names), of, only=names)
    assert found["rank_method"].tolist() == ["unranked", "holm", "virtual", "holm"]
    assert found[["rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective"]].isna().all(axis=1).tolist() == [
        *(True, False),
        *(True, False),
    ]
    without = board(metrics(x[:, [1, 3]], models=["b", "d"]), of, only=["b", "d"])
    pd.testing.assert_frame_equal(found.loc[["b", "d"], INTERVAL], without[INTERVAL])
    assert found.loc["__ensemble_main__", "rank_with_ensembles"] == 2


def test_a_model_without_any_metric_of_its_cycles_is_compared_with_nobody() -> None:
    x = series(step=5.0)
    rows = metrics(x)
    of = declared()
    snapshots = compute_snapshots(rows, [NOW], of)
    of_three = RankEvidence(rows[rows["model_id"] != "b"], of)
    found = compute_leaderboard(snapshots, [NOW], [NOW], of, of_three).set_index("model_id")
    assert found.loc["b", ["rank_lo", "rank_hi", "n_cycles"]].tolist() == [1, 4, 0]
    assert found.loc["d", ["rank_lo", "rank_hi"]].tolist() == [1, 2]


def test_what_stands_in_for_missing_cycles_counts_in_comparisons_too() -> None:
    x = series()
    x[30:, 3] = np.nan
    of = declared(missing={"policy": "worst"})
    filled = x.copy()
    filled[30:, 3] = np.nanmin(x[30:], axis=1)
    found = board(metrics(x), of)
    assert_intervals(found, rank_intervals(filled.mean(axis=0), [mean_influence(filled)], Direction.DESC))
    assert found.loc["d", ["n", "n_cycles"]].tolist() == [30, CYCLES], "the model's own, and those of the value"


def test_a_baseline_that_stands_in_counts_in_comparisons_as_no_difference() -> None:
    x = series(step=0.0)
    x[:, 3] = x[:, 0] + 1.0  # surely better than a, in every cycle
    of = declared(missing={"policy": "baseline", "baseline": "a"})
    assert board(metrics(x), of).loc["a", "rank_lo"] == 2
    x[3:, 3] = np.nan
    filled = x.copy()
    filled[3:, 3] = x[3:, 0]
    found = board(metrics(x), of)
    assert_intervals(found, rank_intervals(filled.mean(axis=0), [mean_influence(filled)], Direction.DESC))
    assert found.loc["d", ["n", "n_cycles"]].tolist() == [3, CYCLES]
    assert found.loc["a", "rank_lo"] == 1, "three cycles of it are no evidence, however many stand-ins follow"


def test_a_metric_without_influence_gives_no_intervals_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    smooth = METRICS.get("ic_sharpe")

    def without_influence(x: np.ndarray) -> Any:
        found = smooth.of_series(x)  # type: ignore[misc]
        return replace(found, influence=replace(found.influence, is_smooth=False))

    of = declared("all.ic_sharpe")
    rows = metrics(series())
    snapshots = compute_snapshots(rows, [NOW], of)
    monkeypatch.setitem(METRICS._things, "ic_sharpe", replace(smooth, of_series=without_influence))
    found = compute_leaderboard(snapshots, [NOW], [NOW], of, RankEvidence(rows, of))
    assert found["rank_method"].tolist() == ["not_smooth"] * 4
    assert found[["rank_lo", "rank_hi", "tie_group"]].isna().all(axis=None)


def test_evidence_rests_on_the_metrics_of_the_key_and_coverage_only() -> None:
    names = [metric.name for metric in key_metrics(declared({"all.ic_sharpe": 0.5, "half.ic": 0.5}))]
    assert names == ["ic", "coverage"]
    of = declared(leaderboard={"tie_breakers": ["recent.hit_rate"]})
    assert [metric.name for metric in key_metrics(of)] == ["ic", "coverage"]
    rows = metrics(series())
    pd.testing.assert_frame_equal(
        board(rows, of)[INTERVAL],
        compute_leaderboard(
            compute_snapshots(rows, [NOW], of), [NOW], [NOW], of, RankEvidence(rows[rows["metric"] != "hit_rate"], of)
        ).set_index("model_id")[INTERVAL],
    )


def test_an_earlier_moment_than_before_is_refused() -> None:
    rows, of = metrics(series()), declared()
    snapshots = compute_snapshots(rows, [cycle(30), NOW], of)
    evidence = RankEvidence(rows, of)
    compute_leaderboard(snapshots, [NOW], [NOW], of, evidence)
    with pytest.raises(ValueError, match="ask in the order of time"):
        compute_leaderboard(snapshots, [cycle(30)], [cycle(30)], of, evidence)


@pytest.mark.parametrize("key", ["half.ic", "all.ic_sharpe", "all.hit_rate"])
def test_who_is_better_than_whom_is_what_the_rank_intervals_of_that_key_count(key: str) -> None:
    rows = metrics(series(step=0.8))
    found = board(rows, declared(key))
    of = declared("recent.ic")  # another key may be asked about, where its metrics are given
    evidence = RankEvidence(rows, of, [of.metric(name) for name in ("ic", "hit_rate", "coverage")])
    better = evidence.better(np.datetime64(NOW, "us"), "overall", np.array(MODELS, dtype=object), key)
    assert better is not None
    assert better.any()
    np.testing.assert_array_equal(found["rank_lo"], 1 + better.sum(axis=0))
    np.testing.assert_array_equal(found["rank_hi"], len(MODELS) - better.sum(axis=1))


def test_nobody_is_better_by_what_single_cycles_have_no_influence_on() -> None:
    of = contract(metrics=["ic", "mean_return", "max_drawdown"], windows=WINDOWS, leaderboard={"rank_by": "all.ic"})
    rows = metrics(series())
    rows = stack(rows, rows[rows["metric"] == "ic"].assign(metric="mean_return"))
    evidence = RankEvidence(rows, of, [of.metric(name) for name in ("mean_return", "coverage")])
    assert (
        evidence.better(np.datetime64(NOW, "us"), "overall", np.array(MODELS, dtype=object), "all.max_drawdown") is None
    )
