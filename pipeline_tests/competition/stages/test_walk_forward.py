"""Weights rest on what was known by the deadline and on nothing else."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.competition import Contract
from pipeline.competition.metrics import COVERAGE
from pipeline.competition.stages import WalkForward, compute_weights
from pipeline_tests.competition.contests import cycle, predictions, random_contest, stack
from pipeline_tests.competition.ensembles import custom
from pipeline_tests.competition.stages.test_ensembles import CUSTOM, SUBJECTS, Played, declared

HOUR = timedelta(hours=1)
ENSEMBLES = [
    {"strategy": "inverse_variance"},
    {"strategy": "skill_variance", "filter": {"min_metric": {"ic": -0.2}}},
    {"strategy": "performance", "filter": {"top_n": 2}},
    {"strategy": "equal_weight", "filter": {"top_n": 1, "min_coverage": 0.3}, "combine": "median"},
    {"strategy": "equal_weight", "filter": {"top_n": 2, "exclude": ["m1"]}, "reselect": {"every": 3, "first": 2}},
]
LAST = 8
"""The last cycle of the contests drawn."""


def disturbed(truth: pd.DataFrame, after: pd.Timestamp, random: np.random.Generator) -> pd.DataFrame:
    """What was known by a moment stays; of the rest some is other, gone or later, and there are new revisions."""
    late = truth["known_at"] > after
    kept = truth[~late | (random.random(len(truth)) < 0.8)].copy()
    late = kept["known_at"] > after
    kept.loc[late, "value"] = random.normal(size=late.sum())
    kept.loc[late & (random.random(len(kept)) < 0.3), "value"] = np.nan
    revised = truth[random.random(len(truth)) < 0.5].drop_duplicates(["subject", "target_time", "horizon"])
    known_at = np.maximum(revised["known_at"], after) + timedelta(minutes=7)
    return stack(kept, revised.assign(value=random.normal(size=len(revised)), known_at=known_at))


def of_cycle(played: Played, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    at = cycle(number)
    return tuple(
        rows[rows["cycle"] == at].reset_index(drop=True) for rows in (played.weights, played.ensemble_predictions)
    )


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 100_000), number=st.integers(0, LAST))
def test_what_became_known_after_the_deadline_changes_nothing(seed: int, number: int) -> None:
    drawn, truth = random_contest(seed % 50, cycles=LAST + 1, models=3, subjects=6)
    contest = declared("ic", *ENSEMBLES)
    deadline = pd.Timestamp(cycle(number))
    other = disturbed(truth, deadline, np.random.default_rng(seed))
    assert len(other) != len(truth) or not other.equals(truth)
    before, after = (of_cycle(Played(drawn, known, contest), number) for known in (truth, other))
    for left, right in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(left, right, check_exact=True)


@pytest.mark.parametrize("late_by", [timedelta(0), timedelta(microseconds=1)])
def test_what_is_known_at_the_deadline_counts_and_a_moment_later_does_not(late_by: timedelta) -> None:
    drawn, truth = random_contest(7, cycles=LAST + 1, models=3, subjects=6)
    at = cycle(LAST)
    revised = truth[truth["target_time"] == cycle(LAST - 2)].drop_duplicates("subject")
    revision = revised.assign(value=-5 * revised["value"], known_at=pd.Timestamp(at + late_by), horizon=-1)
    contest = declared("ic", *ENSEMBLES)
    before, after = (of_cycle(Played(drawn, known, contest), LAST)[0] for known in (truth, stack(truth, revision)))
    assert before.equals(after) == bool(late_by)


def test_truth_that_came_late_counts_for_cycles_due_later_only() -> None:
    drawn, truth = random_contest(12, cycles=LAST + 1, models=3, subjects=6, horizons=(1,))
    truth = truth.sort_values("known_at").drop_duplicates(["subject", "target_time", "horizon"])
    is_held_back = truth["target_time"] == cycle(3)
    late = truth.assign(known_at=truth["known_at"].where(~is_held_back, pd.Timestamp(cycle(6))))
    contest = declared("ic", {"strategy": "inverse_variance", "min_history": 2})
    in_time, held_back = Played(drawn, truth, contest), Played(drawn, late, contest)
    same = [of_cycle(in_time, number)[0].equals(of_cycle(held_back, number)[0]) for number in range(LAST + 1)]
    assert same[:3] == [True] * 3
    assert same[3:6] == [False] * 3
    assert same[6:] == [True] * 3


def test_a_deadline_after_the_cycle_lets_later_truth_in() -> None:
    drawn, truth = random_contest(12, cycles=LAST + 1, models=3, subjects=6, horizons=(1,))
    contest = declared("ic", {"strategy": "inverse_variance", "min_history": 2})
    later = drawn.assign(deadline=drawn["deadline"] + timedelta(days=7))
    assert not Played(drawn, truth, contest).weights.equals(Played(later, truth, contest).weights)


def metrics_of(cycles: int, models: int = 3, seed: int = 0) -> pd.DataFrame:
    """Rows of ``cycle_metrics`` of weekly cycles, each known when the next begins."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(cycles):
        for model in range(models):
            common = {"model_id": f"m{model}", "cycle": cycle(number), "category": "overall", "reason": None}
            common |= {"known_at": cycle(number + 1), "n": 6, "is_imputed": False}
            ic = random.normal(0.05 * (model + 1), 0.1)
            rows.append(common | {"metric": "ic", "value": ic, "numerator": np.nan, "denominator": np.nan})
            rows.append(common | {"metric": COVERAGE.name, "value": 1.0, "numerator": 6.0, "denominator": 6.0})
    return pd.DataFrame(rows)


def weights_of(number: int, metrics: pd.DataFrame, contest: Contract, models: int = 3) -> pd.DataFrame:
    """The weights of one cycle that all predict."""
    drawn = predictions({f"m{model}": dict.fromkeys(SUBJECTS, 1.0) for model in range(models)}, number)
    return compute_weights(drawn, WalkForward(metrics, contest), contest)


@pytest.mark.parametrize("strategy", ["mean_variance", "risk_parity"])
def test_optimised_weights_last_for_thirteen_resolved_cycles(strategy: str) -> None:
    metrics = metrics_of(79)
    contest = declared("ic", {"strategy": strategy, "window": 52})
    found = {number: weights_of(number, metrics, contest) for number in (51, 52, 58, 64, 65, 70, 77, 78)}
    shares = {number: tuple(rows["weight"].round(9)) for number, rows in found.items()}
    assert found[51]["fallback"].tolist() == ["too_few_cycles"] * 3
    assert shares[51] == (round(1 / 3, 9),) * 3
    assert found[52]["fallback"].isna().all()
    assert shares[52] == shares[58] == shares[64] != shares[51]
    assert shares[65] == shares[70] == shares[77] != shares[64]
    assert shares[78] != shares[77]


def test_a_window_is_the_last_resolved_cycles() -> None:
    contest = declared("ic", {"strategy": "inverse_variance", "window": 5, "min_history": 3})
    long, short = metrics_of(20), metrics_of(20).query("cycle >= @cycle(15)")
    pd.testing.assert_frame_equal(weights_of(20, long, contest), weights_of(20, short, contest))
    assert weights_of(20, long, contest)["n_history"].tolist() == [5] * 3
    gone = metrics_of(20).query("not (model_id == 'm1' and cycle >= @cycle(17))")
    assert weights_of(20, gone, contest)["n_history"].tolist() == [5, 2, 5]
    assert weights_of(20, gone, contest)["fallback"].fillna("").tolist() == ["", "newcomer", ""]


def test_moments_are_asked_for_in_the_order_of_time() -> None:
    contest = declared("ic", {"strategy": "inverse_variance"})
    walk = WalkForward(metrics_of(10), contest)
    drawn = [predictions({"m0": dict.fromkeys(SUBJECTS, 1.0)}, number) for number in (9, 5)]
    compute_weights(drawn[0], walk, contest)
    with pytest.raises(ValueError, match="no longer kept"):
        compute_weights(drawn[1], walk, contest)


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_custom_strategy_gets_no_score_from_after_the_deadline() -> None:
    custom.CALLS.clear()
    contest = declared("ic", {"strategy": f"{CUSTOM}.by_scores"})
    weights_of(10, metrics_of(20), contest)
    _, given_predictions, scores = custom.CALLS[0]
    assert max(row["cycle"] for rows in scores.values() for row in rows) == cycle(9)
    assert {row["cycle"] for rows in given_predictions.values() for row in rows} == {cycle(10)}


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_loss_that_is_no_mean_of_squared_errors_is_squared_whatever_the_rule() -> None:
    primary = "pipeline_tests.competition.custom.REVERSED_IC"
    contest = declared(
        "squared_error",
        {"strategy": "inverse_variance", "window": 6},
        scoring={"rule": "squared_error", "primary": primary},
        metrics=[primary, "score", "ic", "contribution"],
    )
    metrics = metrics_of(10)
    metrics["metric"] = metrics["metric"].replace({"ic": primary})
    last = metrics[(metrics["metric"] == primary) & (metrics["cycle"] >= cycle(4))]
    own = 1 / last.assign(square=last["value"] ** 2).groupby("model_id")["square"].mean()
    assert weights_of(10, metrics, contest)["weight"].tolist() == pytest.approx((own / own.sum()).tolist())
