"""What is known of the measures that trec_eval and ir_measures print."""

import pytest

from pipeline.leaderboard import Aggregate, Direction
from pipeline.leaderboard.board.known import known_measure


@pytest.mark.parametrize(
    "name",
    [
        "map",
        "Rprec",
        "bpref",
        "recip_rank",
        "infAP",
        "11pt_avg",
        "11pt_avg_.25,.5,.75",
        "binG",
        "G",
        "ndcg",
        "ndcg_1=3,2=9,4=4.5",
        "ndcg_rel",
        "Rndcg",
        "dcg",
        "iprec_at_recall_0.10",
        "iprec_at_recall_1.00",
        "P_5",
        "P_1000",
        "recall_10",
        "ndcg_cut_10",
        "map_cut_1000",
        "relative_P_5",
        "success_1",
        "Rprec_mult_0.20",
        "set_P",
        "set_recall",
        "set_relative_P",
        "set_map",
        "set_F",
        "set_F_0.5",
        "utility",
        "yaap",
        "rbp",
        "prefs_simp",
        "prefs_pair_imp",
        "AP",
        "AP@1000",
        "AP(rel=2)@10",
        "nDCG@10",
        "nDCG(dcg='exp-log2')@10",
        "P@5",
        "R@100",
        "RR",
        "RR@10",
        "RBP(p=0.8)@20",
        "Bpref",
        "ERR@20",
        "IPrec@0.1",
        "Success@1",
        "SetF(beta=2)",
        "alpha_nDCG@10",
        "α_nDCG@20",
        "ERR_IA@10",
        "STREC@5",
        "Compat(p=0.95)",
        "NERR10",
        "Accuracy@10",
    ],
)
def test_most_are_means_of_which_more_is_better_and_a_missing_topic_is_0(name: str) -> None:
    found = known_measure(name)
    assert found is not None
    measure, _ = found
    assert (measure.dtype, measure.direction, measure.aggregate) == (float, Direction.DESC, Aggregate.MEAN)
    assert (measure.default, measure.only_in_all) == (0.0, False)


@pytest.mark.parametrize(
    "name", ["num_ret", "num_rel", "num_rel_ret", "num_nonrel_judged_ret", "NumRet", "NumRel", "NumQ", "NumRet(rel=1)"]
)
def test_counts_are_added_up(name: str) -> None:
    found = known_measure(name)
    assert found is not None
    assert found[0].aggregate is Aggregate.SUM


@pytest.mark.parametrize(("name", "source"), [("gm_map", "map"), ("gm_bpref", "bpref"), ("gm_ap", "map")])
def test_geometric_means_are_of_another_measure_and_only_in_all_rows(name: str, source: str) -> None:
    found = known_measure(name)
    assert found is not None
    measure = found[0]
    assert (measure.aggregate, measure.source, measure.only_in_all) == (Aggregate.GMEAN, source, True)


def test_the_run_and_the_number_of_topics_are_only_in_all_rows_and_not_computed() -> None:
    for name, dtype in (("runid", str), ("num_q", float)):
        found = known_measure(name)
        assert found is not None
        assert (found[0].dtype, found[0].only_in_all, found[0].aggregate) == (dtype, True, Aggregate.NONE)


@pytest.mark.parametrize(
    "name", ["num_rel", "rbp_resid", "unj_10", "Judged@10", "NumRel", "ideal_dcg", "utility_2,-1,0,0"]
)
def test_what_a_missing_topic_would_have_of_these_is_not_known(name: str) -> None:
    found = known_measure(name)
    assert found is not None
    assert found[0].default is None


@pytest.mark.parametrize("name", ["SCORE", "RELEVANCE", "P_", "nDCG@", "Map", "303", "all", "P@x", "ndcg@10", ""])
def test_others_are_not_known(name: str) -> None:
    assert known_measure(name) is None


def test_the_tool_is_named() -> None:
    assert [known_measure(name)[1] for name in ("map", "AP")] == ["trec_eval", "ir_measures"]  # type: ignore[index]
