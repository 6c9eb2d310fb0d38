"""Parts of a contest: a horizon is a contest of that horizon alone, a subject has what single predictions add up to."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.categories import OVERALL, By
from pipeline.competition.stages import (
    RankEvidence,
    RollingWindows,
    WalkForward,
    compute_cycle_metrics,
    compute_leaderboard,
    compute_member_metrics,
    compute_snapshots,
    compute_weights,
    score_predictions,
)
from pipeline_tests.competition.contests import contract, random_contest

METRICS = ["ic", "ic_sharpe", "mean_return", "hit_rate", "score", "model_correlation", "turnover"]
BY_SUBJECT = {"by": "subject", "rank_by": "all.score", "tie_breakers": ["recent.hit_rate"]}
ROW = ["known_at", "cycle", "model_id", "metric"]


def declared(*categories: object, **changes: object) -> Contract:
    return contract(metrics=METRICS, categories=categories, **changes)


def metrics_of(rows: pd.DataFrame, outcomes: pd.DataFrame, of: Contract) -> pd.DataFrame:
    return compute_cycle_metrics(rows, outcomes, None, of)


def sorted_rows(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return rows.sort_values(by, ignore_index=True)


def moments(metrics: pd.DataFrame) -> list[datetime]:
    return [moment.to_pydatetime() for moment in sorted(metrics["known_at"].unique())]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", ["rank_product", "squared_error"])
def test_a_horizon_is_the_contest_of_that_horizon_alone(seed: int, rule: str) -> None:
    of = declared("horizon", scoring={"rule": rule, "primary": "score"})
    rows, outcomes = random_contest(seed)
    found = metrics_of(rows, outcomes, of)
    assert set(found["category"]) == {OVERALL, "horizon=1", "horizon=2"}
    for horizon in (1, 2):
        alone = metrics_of(rows[rows["horizon"] == horizon], outcomes, declared(scoring=of.scoring))
        part = found[found["category"] == By.HORIZON.category(horizon)].assign(category=OVERALL)
        pd.testing.assert_frame_equal(
            sorted_rows(part, ROW), sorted_rows(alone, ROW), check_exact=True, check_dtype=False
        )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", ["rank_product", "squared_error"])
def test_a_subject_has_the_sums_of_its_scores_as_known_at_each_time(seed: int, rule: str) -> None:
    of = declared(BY_SUBJECT, scoring={"rule": rule, "primary": "score"})
    rows, outcomes = random_contest(seed)
    found = metrics_of(rows, outcomes, of)
    scores = score_predictions(rows, outcomes, of)
    of_subjects = found[found["category"] != OVERALL]
    assert set(of_subjects["metric"]) == {"hit_rate", "score", "coverage", "resolved"}
    assert set(of_subjects["category"]) == {f"subject={name}" for name in scores["subject"].unique()}
    mean_scores = of_subjects[(of_subjects["metric"] == "score") & of_subjects["value"].notna()]
    assert len(mean_scores) > 200
    for row in mean_scores.sample(200, random_state=seed).itertuples():
        known = scores[
            (scores["model_id"] == row.model_id)
            & (scores["cycle"] == row.cycle)
            & (scores["subject"] == row.category.partition("=")[2])
            & (scores["known_at"] <= row.known_at)
        ]
        latest = known.sort_values("known_at").drop_duplicates("horizon", keep="last")["value"].dropna()
        assert row.value == pytest.approx(latest.mean(), abs=1e-12)
        assert (row.n, row.denominator) == (len(latest), len(latest))


def test_the_subjects_of_a_cycle_add_up_to_the_whole() -> None:
    rows, outcomes = random_contest(5)
    found = metrics_of(rows, outcomes, declared(BY_SUBJECT))
    newest = found.sort_values("known_at").drop_duplicates(["category", *ROW[1:]], keep="last")
    added = newest[newest["metric"].isin(["score", "hit_rate", "coverage"])]
    key = ["cycle", "model_id", "metric"]
    numbers = ["numerator", "denominator"]
    whole = added[added["category"] == OVERALL].set_index(key)[numbers].sort_index()
    parts = added[added["category"] != OVERALL].groupby(key)[numbers].sum().reindex(whole.index)
    # What counts for coverage as an outcome is one for who predicted the subject in its own category only.
    of_scores = whole.index.get_level_values("metric") != "coverage"
    np.testing.assert_allclose(parts[of_scores], whole[of_scores], atol=1e-9)
    np.testing.assert_allclose(parts["numerator"], whole["numerator"], atol=1e-9)


def test_a_part_without_an_outcome_yet_has_no_cycle_and_one_whose_outcomes_are_withdrawn_has() -> None:
    of = declared("horizon", BY_SUBJECT)
    rows, outcomes = random_contest(6)
    found = metrics_of(rows, outcomes, of)
    first = found.sort_values("known_at").drop_duplicates(["category", "cycle", "model_id", "metric"])
    known = first[(first["category"] != OVERALL) & (first["metric"] == "coverage")]
    assert (known["denominator"] > 0).all()
    gone = outcomes.drop_duplicates(["subject", "target_time", "horizon"]).assign(
        known_at=outcomes["known_at"].max() + pd.Timedelta(days=1), value=np.nan
    )
    after = metrics_of(rows, pd.concat([outcomes, gone], ignore_index=True), of)
    taken_back = after[(after["known_at"] == gone["known_at"].iloc[0]) & (after["metric"] == "score")]
    assert set(taken_back["category"]) == set(found["category"])
    assert taken_back["value"].isna().all()


def test_only_the_newest_moment_has_parts_unless_their_history_is_kept() -> None:
    of = declared("horizon", BY_SUBJECT | {"history": True})
    rows, outcomes = random_contest(7)
    metrics = metrics_of(rows, outcomes, of)
    as_ofs = moments(metrics)
    found = compute_snapshots(metrics, as_ofs, of)
    per_category = found.groupby("category")["as_of"].unique()
    assert list(per_category["horizon=1"]) == list(per_category["horizon=2"]) == [max(as_ofs)]
    assert set(per_category[OVERALL]) == set(as_ofs)
    assert len(per_category["subject=s0"]) > 3
    alone = compute_snapshots(metrics_of(rows[rows["horizon"] == 2], outcomes, declared()), [max(as_ofs)], declared())
    row = ["model_id", "window_name", "metric"]
    part = found[(found["category"] == "horizon=2")].assign(category=OVERALL)
    pd.testing.assert_frame_equal(sorted_rows(part, row), sorted_rows(alone, row), check_exact=True, check_dtype=False)


def test_every_part_has_a_board_of_its_own_by_its_own_keys() -> None:
    of = declared("horizon", BY_SUBJECT)
    rows, outcomes = random_contest(8)
    metrics = metrics_of(rows, outcomes, of)
    as_of = max(moments(metrics))
    snapshots = compute_snapshots(metrics, [as_of], of)
    boards = compute_leaderboard(snapshots, [as_of], [as_of], of, RankEvidence(metrics, of))
    assert set(boards["category"]) == set(metrics["category"])
    for category, key in ((OVERALL, "ic"), ("horizon=2", "ic"), ("subject=s3", "score")):
        board = boards[(boards["category"] == category) & boards["rank"].notna()]
        of_key = snapshots[
            (snapshots["category"] == category) & (snapshots["window_name"] == "all") & (snapshots["metric"] == key)
        ].set_index("model_id")["value"]
        assert len(board) > 1
        assert board["rank_key"].tolist() == of_key[board["model_id"]].tolist()
        assert board["rank"].tolist() == of_key[board["model_id"]].rank(ascending=False, method="min").tolist()
        assert board["rank_lo"].le(board["rank"]).all()
        assert board["rank_hi"].ge(board["rank"]).all()


def test_metrics_of_members_are_there_by_horizon_and_weights_are_of_the_horizon() -> None:
    ensembles = [{"name": "main", "strategy": "skill_variance", "min_history": 2, "window": 5}]
    listed = [*METRICS, "contribution"]
    of = contract(metrics=listed, categories=["horizon", BY_SUBJECT], ensembles=ensembles)
    rows, outcomes = random_contest(9)
    metrics = metrics_of(rows, outcomes, of)
    found = compute_member_metrics(rows, outcomes, WalkForward(metrics, of), of)
    assert set(found["category"]) == {OVERALL, "horizon=1", "horizon=2"}
    of_one = contract(metrics=listed, categories=["horizon"], ensembles=ensembles)
    one = rows[rows["horizon"] == 1]
    alone = compute_member_metrics(one, outcomes, WalkForward(metrics_of(one, outcomes, of_one), of_one), of_one)
    by = ["ensemble", *ROW]
    part = found[found["category"] == "horizon=1"]
    expected = alone[alone["category"] == "horizon=1"]
    pd.testing.assert_frame_equal(sorted_rows(part, by), sorted_rows(expected, by), check_exact=True, check_dtype=False)


@pytest.mark.parametrize(
    ("categories", "said"),
    [
        (["horizon", "horizon"], "categories names one twice (horizon, horizon); list each once"),
        (
            ["subject"],
            "categories: subject is ranked by all.ic, which compares subjects with each other; give its own rank_by of "
            "a metric of single predictions, among metrics: hit_rate, score",
        ),
        ([{"by": "subject", "rank_by": "all.nothing"}], "categories: subject key 'all.nothing': metric 'nothing' is"),
        ([{"by": "horizon", "rank_by": "never.ic"}], "categories: horizon key 'never.ic': unknown window 'never'"),
        (["place"], "Input should be 'horizon' or 'subject'"),
        ([{"rank_by": "all.ic"}], "by"),
        ([7], "7 is no mapping of fields"),
    ],
)
def test_a_wrong_part_is_told_at_load(categories: list[object], said: str) -> None:
    with pytest.raises(ValueError, match=r"categories") as caught:
        declared(*categories)
    assert said in str(caught.value)


@pytest.mark.parametrize("given", ["horizon", {"by": "horizon"}, None])
def test_parts_are_a_list(given: object) -> None:
    with pytest.raises(ValueError, match=r"is no list; write \[horizon\] or \[\{by: subject, rank_by: all\.score\}\]"):
        contract(categories=given)


def test_top_n_counts_places_on_the_board_of_the_horizon() -> None:
    ensembles = [{"name": "best", "strategy": "equal_weight", "filter": {"top_n": 2}}]
    of = contract(metrics=METRICS, categories=["horizon"], ensembles=ensembles)
    rows, outcomes = random_contest(10)
    metrics = metrics_of(rows, outcomes, of)
    found = compute_weights(rows, WalkForward(metrics, of), of)
    for horizon in (1, 2):
        one = rows[rows["horizon"] == horizon]
        alone = compute_weights(one, WalkForward(metrics_of(one, outcomes, of), of), of)
        part = found[found["horizon"] == horizon].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone, check_exact=True, check_dtype=False)


def test_a_tie_breaker_that_compares_subjects_is_named_as_one() -> None:
    with pytest.raises(ValueError, match=r"is ranked by all\.ic, which compares subjects .* give its own tie_breakers"):
        declared({"by": "subject", "rank_by": "all.score", "tie_breakers": ["all.ic"]})


def test_moments_of_many_parts_make_small_blocks() -> None:
    of = declared("horizon", BY_SUBJECT | {"history": True})
    rows, outcomes = random_contest(7)
    metrics = metrics_of(rows, outcomes, of)
    as_of = max(moments(metrics))
    windows = RollingWindows(metrics, of)
    # Of categories whose history is not kept, nothing is there at most moments.
    assert len(windows.at([as_of])) <= windows.rows_per_moment
    assert windows.rows_per_moment > RollingWindows(metrics, declared("horizon", BY_SUBJECT)).rows_per_moment
