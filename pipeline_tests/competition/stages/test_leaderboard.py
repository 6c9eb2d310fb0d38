"""Snapshots in, ranked boards out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.stages import (
    RankEvidence,
    compute_cycle_metrics,
    compute_leaderboard,
    compute_snapshots,
    earlier_board,
    score_predictions,
)
from pipeline.tables import LEADERBOARD
from pipeline_tests.competition.contests import HOUR, NAN, contract, cycle, random_contest, shuffled, stack

NOW = cycle(5)
DAY = timedelta(days=1)


def snapshots(
    values: Mapping[str, float],
    key: str = "all.ic",
    as_of: datetime = NOW,
    reasons: Mapping[str, str] | None = None,
    **columns: Mapping[str, float],
) -> pd.DataFrame:
    """Rows of snapshots of one key: model -> value; coverage, n_scored and cycles_absent by model (1, 100 and 0)."""
    window, _, metric = key.partition(".")
    undefined = reasons or {}
    rows = [
        {
            "as_of": as_of,
            "category": "overall",
            "model_id": model,
            "window_name": window,
            "metric": metric,
            "value": value,
            "n": 10,
            "n_scored": columns.get("n_scored", {}).get(model, 100),
            "cycles_absent": columns.get("cycles_absent", {}).get(model, 0),
            "coverage": columns.get("coverage", {}).get(model, 1.0),
            "reason": undefined.get(model),
        }
        for model, value in values.items()
    ]
    return pd.DataFrame(rows)


def no_evidence(declared: Contract | None = None) -> RankEvidence:
    """Of a contest without metrics of its cycles: it separates nobody."""
    columns = ["category", "metric", "model_id", "reason", "cycle", "known_at", "value", "numerator", "denominator"]
    return RankEvidence(pd.DataFrame(columns=columns), declared or contract())


def board(rows: pd.DataFrame, declared: Contract | None = None, as_of: datetime = NOW, **known: Any) -> pd.DataFrame:
    """The board of one moment, from the top, by model."""
    moments = known.get("known_as_ofs", [as_of])
    found = compute_leaderboard(rows, [as_of], moments, declared or contract(), no_evidence(declared))
    return found.sort_values("position").set_index("model_id")


def ranked_by(rank_by: Any, **more: Any) -> Contract:
    return contract(leaderboard={"rank_by": rank_by, **more})


def test_models_are_listed_from_the_best_with_ties_sharing_a_rank() -> None:
    found = board(snapshots({"d": 0.1, "b": 0.3, "c": 0.3, "a": 0.2}))
    assert found.index.tolist() == ["b", "c", "a", "d"]
    assert found["rank"].tolist() == [1, 1, 3, 4]
    assert found["rank_with_ensembles"].tolist() == [1, 1, 3, 4]
    assert found["position"].tolist() == [1, 2, 3, 4]
    assert found["rank_key"].tolist() == [0.3, 0.3, 0.2, 0.1]
    assert set(found["status"]) == {"ranked"}
    assert found["n"].tolist() == [10] * 4


def test_a_loss_is_ranked_from_the_lowest() -> None:
    declared = contract(scoring={"rule": "squared_error", "primary": "score"}, leaderboard={"rank_by": "all.score"})
    found = board(snapshots({"a": 2.0, "b": 0.5, "c": 1.0}, "all.score"), declared)
    assert found.index.tolist() == ["b", "c", "a"]
    assert found["rank"].tolist() == [1, 2, 3]


def test_tie_breakers_decide_in_turn_and_the_undefined_come_last() -> None:
    declared = ranked_by("all.ic", tie_breakers=["recent.ic", "all.hit_rate"])
    rows = stack(
        snapshots({"a": 0.1, "b": 0.1, "c": 0.1, "d": 0.1}),
        snapshots({"a": NAN, "b": 0.2, "c": 0.2, "d": 0.3}, "recent.ic"),
        snapshots({"a": 0.9, "b": 0.5, "c": 0.6, "d": 0.1}, "all.hit_rate"),
    )
    found = board(rows, declared)
    assert found.index.tolist() == ["d", "c", "b", "a"]
    assert found["rank"].tolist() == [1, 2, 3, 4]


def test_weights_add_up_and_need_every_part() -> None:
    declared = ranked_by({"all.ic": 0.5, "recent.ic": 0.25})
    rows = stack(
        snapshots({"a": 0.2, "b": 0.4, "c": 0.9}, coverage={"a": 0.5}),
        snapshots({"a": 0.8, "b": 0.2, "c": NAN}, "recent.ic", reasons={"c": "too_few_pairs"}, coverage={"a": 0.1}),
    )
    found = board(rows, declared)
    assert found["rank_key"].tolist()[:2] == pytest.approx([0.3, 0.25])
    assert found.index.tolist() == ["a", "b", "c"]
    assert found.loc["c", "status"] == "unranked: too_few_pairs"
    assert found.loc["a", "coverage"] == 0.5


def test_an_undefined_value_is_listed_last_with_its_reason_and_not_as_low_coverage() -> None:
    rows = snapshots(
        {"flat": NAN, "thin": 0.9, "good": 0.1},
        reasons={"flat": "constant_input"},
        coverage={"flat": 0.0, "thin": 0.4},
    )
    found = board(rows, ranked_by("all.ic", min_coverage=0.5))
    assert found["status"].to_dict() == {
        "good": "ranked",
        "flat": "unranked: constant_input",
        "thin": "unranked: low_coverage",
    }
    assert found["rank"].isna().tolist() == [False, True, True]
    assert found.loc["thin", "rank_key"] == 0.9


def test_an_undefined_value_without_a_reason_is_named_so() -> None:
    assert board(snapshots({"a": NAN, "b": 1.0})).loc["a", "status"] == "unranked: undefined_key"


def test_fewest_predictions_are_counted_in_scored_predictions() -> None:
    rows = snapshots({"a": 0.1, "b": 0.2, "c": 0.3}, n_scored={"a": 20, "b": 19, "c": 5}, coverage={"c": 0.1})
    found = board(rows, ranked_by("all.ic", min_predictions=20, min_coverage=0.5))
    assert found["status"].to_dict() == {
        "a": "ranked",
        "b": "unranked: too_few_predictions",
        "c": "unranked: too_few_predictions",
    }


def test_coverage_equal_to_the_minimum_is_enough_and_unknown_coverage_is_not() -> None:
    rows = snapshots({"a": 0.1, "b": 0.2}, coverage={"a": 0.75, "b": NAN})
    found = board(rows, ranked_by("all.ic", min_coverage=0.75))
    assert found["status"].to_dict() == {"a": "ranked", "b": "unranked: low_coverage"}


def test_ensembles_are_listed_but_take_no_real_rank() -> None:
    found = board(snapshots({"a": 0.1, "__ensemble_main__": 0.3, "b": 0.2, "__ensemble_x__": 0.1, "ensemble": 0.0}))
    assert found.index.tolist() == ["__ensemble_main__", "b", "__ensemble_x__", "a", "ensemble"]
    assert found["is_ensemble"].tolist() == [True, False, True, False, False]
    np.testing.assert_array_equal(found["rank"], [NAN, 1, NAN, 2, 3])
    assert found["rank_with_ensembles"].tolist() == [1, 2, 3, 3, 5]


# --- rank_change


MOMENTS = [NOW - 3 * DAY, NOW - DAY - HOUR, NOW - 23 * HOUR, NOW]


@pytest.mark.parametrize(
    ("as_of", "moments", "expected"),
    [
        (NOW, MOMENTS, NOW - DAY - HOUR),
        (NOW, [NOW - DAY, NOW], NOW - DAY),
        (NOW, [NOW - 23 * HOUR, NOW], None),
        (NOW, [NOW], None),
        (NOW, [], None),
        (MOMENTS[1], MOMENTS, MOMENTS[0]),
    ],
)
def test_the_earlier_board_is_the_newest_at_least_a_day_older(
    as_of: datetime, moments: list[datetime], expected: datetime | None
) -> None:
    assert earlier_board(as_of, moments) == expected


def test_rank_change_is_places_gained_since_the_earlier_board() -> None:
    rows = stack(
        snapshots({"a": 0.3, "b": 0.2, "c": 0.1, "__ensemble_x__": 0.0}, as_of=MOMENTS[1]),
        snapshots({"a": 0.1, "b": 0.2, "c": 0.3}, as_of=MOMENTS[2]),
        snapshots({"a": 0.1, "b": 0.2, "c": 0.3, "new": 0.25, "__ensemble_x__": 0.5}),
    )
    found = board(rows, known_as_ofs=MOMENTS[1:])
    assert found["rank"].drop("__ensemble_x__").to_dict() == {"c": 1, "new": 2, "b": 3, "a": 4}
    assert found["rank_change"].dropna().to_dict() == {"c": 2, "b": -1, "a": -3}


def test_who_was_or_is_unranked_has_no_change() -> None:
    rows = stack(
        snapshots({"a": 0.3, "b": NAN, "c": 0.1}, as_of=MOMENTS[0]),
        snapshots({"a": NAN, "b": 0.2, "c": 0.1}),
    )
    found = board(rows, known_as_ofs=[MOMENTS[0], NOW])
    np.testing.assert_array_equal(found["rank_change"].loc[["a", "b", "c"]], [NAN, NAN, 0])


def test_the_first_board_has_no_changes() -> None:
    assert board(snapshots({"a": 0.3, "b": 0.2}))["rank_change"].isna().all()


def test_a_category_is_compared_with_itself() -> None:
    part = snapshots({"a": 0.1, "b": 0.3}).assign(category="horizon=1")
    rows = stack(snapshots({"a": 0.3, "b": 0.2}, as_of=MOMENTS[0]), snapshots({"a": 0.3, "b": 0.2}), part)
    found = compute_leaderboard(rows, [NOW], [MOMENTS[0], NOW], contract(), no_evidence()).set_index(
        ["category", "model_id"]
    )
    assert found["rank"].to_dict() == {
        ("overall", "a"): 1,
        ("overall", "b"): 2,
        ("horizon=1", "b"): 1,
        ("horizon=1", "a"): 2,
    }
    assert found.loc["horizon=1", "rank_change"].isna().all()
    assert found.loc["overall", "rank_change"].tolist() == [0, 0]


# --- shape


def test_without_snapshots_there_is_no_board() -> None:
    columns = list(LEADERBOARD.column_names[1:])
    one = snapshots({"a": 1.0})
    for rows, as_ofs in ((one.iloc[:0], [NOW]), (one, []), (one, [NOW + DAY])):
        found = compute_leaderboard(rows, as_ofs, [NOW], contract(), no_evidence())
        assert found.empty
        assert found.columns.tolist() == columns


def test_one_model_is_first() -> None:
    assert board(snapshots({"a.b c/ü": -1.0}))[["rank", "position"]].to_numpy().tolist() == [[1, 1]]


@pytest.mark.parametrize("seed", range(3))
def test_a_contests_boards_are_in_shape_and_order_of_rows_is_without_effect(seed: int) -> None:
    declared = contract(leaderboard={"rank_by": "month.ic", "tie_breakers": ["all.ic_sharpe"], "min_coverage": 0.5})
    rows, outcomes = random_contest(seed)
    metrics = compute_cycle_metrics(rows, outcomes, score_predictions(rows, outcomes, declared), declared)
    as_ofs = sorted(metrics["known_at"].unique())
    found = compute_snapshots(metrics, as_ofs, declared)

    def boards_of(snapshots: pd.DataFrame, as_ofs: list[datetime], metrics: pd.DataFrame = metrics) -> pd.DataFrame:
        return compute_leaderboard(snapshots, as_ofs, known, declared, RankEvidence(metrics, declared))

    known = as_ofs
    boards = boards_of(found, as_ofs)
    pd.testing.assert_frame_equal(boards, boards_of(shuffled(found, seed), as_ofs[::-1], shuffled(metrics, seed)))
    assert [LEADERBOARD.board, *boards.columns] == list(LEADERBOARD.column_names)
    assert not boards.duplicated([name for name in LEADERBOARD.key if name != "competition"]).any()
    for _, one in boards.groupby("as_of"):
        assert sorted(one["position"]) == list(range(1, len(one) + 1))
        is_ranked = one["status"] == "ranked"
        np.testing.assert_array_equal(is_ranked, one["rank"].notna())
        expected = one.loc[is_ranked, "rank_key"].rank(method="min", ascending=False)
        assert (one.loc[is_ranked, "rank"] >= expected).all()
        assert one.loc[is_ranked, "rank"].between(one.loc[is_ranked, "rank_lo"], one.loc[is_ranked, "rank_hi"]).all()
        assert (one.loc[is_ranked, "rank_hi"] <= is_ranked.sum()).all()
        np.testing.assert_array_equal(one["rank_method"], np.where(is_ranked, "holm", "unranked"))
        np.testing.assert_array_equal(is_ranked, one["rank_lo"].notna())
    constant = boards[(boards["model_id"] == "constant") & boards["rank_key"].isna()]
    assert set(constant["status"]) <= {"unranked: constant_input", "unranked: too_few_pairs"}
    assert (constant["status"] == "unranked: constant_input").any()
    for as_of in as_ofs[::4]:
        alone = boards_of(found, [as_of])
        pd.testing.assert_frame_equal(alone, boards[boards["as_of"] == as_of].reset_index(drop=True))


def test_a_model_that_left_out_too_many_cycles_in_a_row_is_listed_as_inactive() -> None:
    rows = snapshots({"a": 0.1, "b": 0.2, "c": 0.3}, cycles_absent={"a": 2, "b": 3, "c": 4})
    found = board(rows, contract(leaderboard={"rank_by": "all.ic", "inactive_after": 3}))
    assert found["status"].to_dict() == {"a": "ranked", "b": "unranked: inactive", "c": "unranked: inactive"}
    assert board(rows)["status"].eq("ranked").all()
