"""Evaluation of real boards: runs of TREC 2003 Robust, scored by trec_eval and by ir_measures."""

import pytest
from scipy import stats

from pipeline.leaderboard import BoardEvaluation, Leaderboard, LeaderboardEvaluator
from pipeline.leaderboard.formats import load
from pipeline_tests.conftest import SHARED_DATA


def board(folder: str) -> Leaderboard:
    path = SHARED_DATA / "trec" / folder
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return load(sorted(one for one in path.iterdir() if one.suffix in (".eval", ".tsv"))).board


def value(found: BoardEvaluation, method: str, truth: str, judge: str) -> float:
    at = [str(one) for one in found.methods].index(method)
    return float(found.overall.value[at, found.truth_measures.index(truth), found.judge_measures.index(judge)])


def test_two_tools_that_score_the_same_runs_agree_and_another_measure_agrees_less() -> None:
    truth, judge = board("robust03_trec_eval_q"), board("robust03_ir_measures")
    found = LeaderboardEvaluator(truth, truth_measures=["map", "P_10", "Rprec"], resamples=200).evaluate(judge)
    assert (len(found.run_ids), len(found.topic_ids)) == (8, 100)
    assert found.left_out.truth_runs == found.left_out.judge_runs == found.left_out.truth_topics == ()
    for method in ("kendall", "spearman", "tau_ap_b", "rbo"):
        assert value(found, method, "map", "AP") == pytest.approx(1.0)
        assert value(found, method, "P_10", "P@10") == pytest.approx(1.0)
    of_map, of_p = truth.matrix("map").mean(axis=1), judge.matrix("P@10").mean(axis=1)
    assert value(found, "kendall", "map", "P@10") == pytest.approx(stats.kendalltau(of_map, of_p).statistic)
    place = found.judge_measures.index("P@10")
    assert found.intervals.low[0, 0, place] < value(found, "kendall", "map", "P@10") < found.intervals.high[0, 0, place]


def test_every_topic_has_its_own_correlation() -> None:
    truth, judge = board("robust03_trec_eval_q"), board("robust03_ir_measures")
    options = {"truth_measures": ["map"], "judge_measures": ["P@10"], "methods": ["kendall"], "resamples": 0}
    found = LeaderboardEvaluator(truth, **options).evaluate(judge)  # type: ignore[arg-type]
    of_topics = found.per_topic.value[0, :, 0, 0]
    order = [judge.run_ids.index(run_id) for run_id in truth.run_ids]
    for place, topic_id in enumerate(found.topic_ids):
        x = truth.matrix("map")[:, truth.topic_ids.index(topic_id)]
        y = judge.matrix("P@10")[order, judge.topic_ids.index(topic_id)]
        assert of_topics[place] == pytest.approx(stats.kendalltau(x, y).statistic)
    assert (of_topics < 0).any()
    assert (of_topics > 0.9).any()
