"""Ensembles from predictions to metrics of members, against plain loops that do everything anew for each."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.competition import Contract
from pipeline.competition.ensembles import EnsembleConfig, strategy_of
from pipeline.competition.stages import (
    WalkForward,
    compute_cycle_metrics,
    compute_ensemble_predictions,
    compute_member_metrics,
    compute_weights,
    score_predictions,
)
from pipeline_tests.competition.contests import contract, cycle, predictions, random_contest, shuffled, stack, truth
from pipeline_tests.competition.ensembles import custom
from pipeline_tests.competition.ensembles.reference import Plain, Truth

CUSTOM = "pipeline_tests.competition.ensembles.custom"
METRICS = ["ic", "mean_return", "score", "hit_rate", "contribution", "ensemble_correlation"]
SUBJECTS = [f"s{number}" for number in range(6)]
RULES: dict[str, dict[str, Any]] = {
    "ic": {"scoring": {"rule": "rank_product", "primary": "ic"}},
    "mean_return": {"scoring": {"rule": "rank_product", "primary": "mean_return"}},
    "absolute_error": {"scoring": {"rule": "absolute_error", "primary": "score"}},
    "squared_error": {"scoring": {"rule": "squared_error", "primary": "score"}},
}


def short_memory(ensemble: dict[str, Any]) -> dict[str, int]:
    """A short window and history, where the ensemble uses them."""
    used = strategy_of(ensemble.get("strategy", "inverse_variance")).terms
    used |= {"window"} if set(ensemble.get("filter", ())) - {"top_n", "exclude"} else set()
    return {name: cycles for name, cycles in {"window": 6, "min_history": 3}.items() if name in used}


def declared(primary: str = "ic", *ensembles: dict[str, Any], **changes: Any) -> Contract:
    """A contest with ensembles of a short memory; called e0, e1... unless they have names."""
    listed = [{"name": f"e{place}", **short_memory(one), **one} for place, one in enumerate(ensembles or ({},))]
    base = {"metrics": METRICS, "ensembles": listed, "horizon_cycles": 0.5, "min_subjects": 4}
    return contract(**(base | RULES[primary] | changes))


@dataclass
class Played:
    """A contest and all that follows from it."""

    predictions: pd.DataFrame
    truth: pd.DataFrame
    contract: Contract

    @cached_property
    def cycle_metrics(self) -> pd.DataFrame:
        scores = score_predictions(self.predictions, self.truth, self.contract)
        return compute_cycle_metrics(self.predictions, self.truth, scores, self.contract)

    def walk(self) -> WalkForward:
        return WalkForward(self.cycle_metrics, self.contract)

    @cached_property
    def weights(self) -> pd.DataFrame:
        return compute_weights(self.predictions, self.walk(), self.contract)

    @cached_property
    def ensemble_predictions(self) -> pd.DataFrame:
        return compute_ensemble_predictions(self.predictions, self.weights, self.contract)

    @cached_property
    def member_metrics(self) -> pd.DataFrame:
        return compute_member_metrics(self.predictions, self.truth, self.walk(), self.contract)

    def plain(self) -> Plain:
        return Plain(self.predictions, self.cycle_metrics, self.contract)

    def of(self, ensemble: str, cycle: datetime, horizon: int = 1) -> dict[str, float]:
        """The weights in a cross-section."""
        rows = self.weights.query("ensemble == @ensemble and cycle == @cycle and horizon == @horizon")
        return dict(zip(rows["model_id"], rows["weight"], strict=True))


def assert_weights_and_predictions_are_those_of_plain_loops(played: Played) -> None:
    plain, ensembles = played.plain(), played.contract.active_ensembles
    sections = weighed = 0
    for ensemble in ensembles:
        values = played.ensemble_predictions[played.ensemble_predictions["model_id"] == ensemble.model_id]
        for at, horizon in plain.submitted:
            expected, sections = plain.found(at, horizon, ensemble), sections + 1
            weights = played.of(ensemble.name, at, horizon)
            rows = values[(values["cycle"] == at) & (values["horizon"] == horizon)]
            if expected is None:
                assert not weights
                assert rows.empty
                continue
            weighed += 1
            assert weights == pytest.approx(expected.weights, rel=1e-9, abs=1e-12), (ensemble.name, at, horizon)
            assert dict(zip(rows["subject"], rows["value"], strict=True)) == pytest.approx(
                expected.values, rel=1e-9, abs=1e-12
            )
    assert 0 < weighed <= sections


def assert_member_metrics_are_those_of_plain_loops(played: Played, ensemble: EnsembleConfig) -> int:
    """Every row at its own time of knowledge; how many values were compared."""
    plain, truth, rows = played.plain(), Truth(played.truth), played.member_metrics
    rows, compared = rows[rows["ensemble"] == ensemble.name], 0
    for (at, known_at), of_moment in rows.groupby(["cycle", "known_at"]):
        expected = plain.member_metrics(truth, ensemble, known_at, at)
        for row in of_moment.itertuples():
            want = expected[row.metric, row.model_id]
            assert row.value == pytest.approx(want, abs=1e-12, nan_ok=True), (at, row.metric, row.model_id)
            assert math.isnan(row.value) == (not pd.isna(row.reason))
            compared += not math.isnan(want)
    return compared


STRATEGIES: list[tuple[str, dict[str, Any]]] = [
    ("ic", {"strategy": "equal_weight"}),
    ("ic", {"strategy": "inverse_variance"}),
    ("ic", {"strategy": "skill_variance", "normalize": "zscore"}),
    ("ic", {"strategy": "performance", "normalize": "none", "max_weight": 0.35}),
    ("ic", {"strategy": "inverse_variance", "combine": "median"}),
    ("ic", {"strategy": "inverse_variance", "combine": "trimmed", "trim": 0.3}),
    ("ic", {"strategy": "inverse_variance", "filter": {"top_n": 2}}),
    ("ic", {"strategy": "equal_weight", "filter": {"top_n": 1}}),
    ("ic", {"strategy": "performance", "filter": {"top_n": 3, "min_metric": {"ic": -0.1}}}),
    ("ic", {"strategy": "equal_weight", "filter": {"min_metric": {"ic": 0.0, "hit_rate": 0.4}}}),
    ("ic", {"strategy": "inverse_variance", "filter": {"min_coverage": 0.75}}),
    ("ic", {"strategy": "equal_weight", "filter": {"exclude": ["m1"]}}),
    ("ic", {"strategy": "equal_weight", "filter": {"top_n": 2, "exclude": ["m0"]}, "reselect": {"every": 3}}),
    ("ic", {"filter": {"top_n": 2}, "reselect": {"every": 4, "offset": 3, "first": 2}}),
    ("ic", {"filter": {"min_metric": {"ic": 0.0}}, "reselect": {"every": 2, "first": 3}}),
    ("mean_return", {"strategy": "inverse_variance"}),
    ("mean_return", {"strategy": "skill_variance", "normalize": "zscore", "filter": {"top_n": 3}}),
    ("absolute_error", {"strategy": "inverse_variance"}),
    ("absolute_error", {"strategy": "performance", "combine": "median"}),
    ("absolute_error", {"strategy": "equal_weight", "filter": {"min_metric": {"score": 1.1}}}),
    ("squared_error", {"strategy": "inverse_variance", "normalize": "zscore"}),
    ("squared_error", {"strategy": "performance", "filter": {"top_n": 2}, "theta": 3.0}),
]


@pytest.mark.parametrize(("primary", "ensemble"), STRATEGIES, ids=str)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_everything_is_as_in_plain_loops(primary: str, ensemble: dict[str, Any], seed: int) -> None:
    key = "all.ic" if primary in ("ic", "mean_return") else "all.score"
    board = {"rank_by": key, "min_coverage": 0.4}
    played = Played(*random_contest(seed, cycles=9, models=4), declared(primary, ensemble, leaderboard=board))
    assert_weights_and_predictions_are_those_of_plain_loops(played)
    assert assert_member_metrics_are_those_of_plain_loops(played, played.contract.ensembles[0]) >= 10


def section(**models: list[float]) -> pd.DataFrame:
    """One cross-section at the first cycle."""
    return predictions({name: dict(zip(SUBJECTS, values, strict=False)) for name, values in models.items()})


def outcomes(*values: float, **more: Any) -> pd.DataFrame:
    return truth(dict(zip(SUBJECTS, values, strict=False)), **more)


UP, DOWN, ZIGZAG = [1.0, 2, 3, 4, 5, 6], [6.0, 5, 4, 3, 2, 1], [1.0, 6, 2, 5, 3, 4]


def of_members(played: Played, metric: str) -> dict[str, tuple[float, str | None]]:
    """Value and reason by model; values to 12 digits."""
    rows = played.member_metrics[played.member_metrics["metric"] == metric]
    return {
        row.model_id: (round(row.value, 12), None if pd.isna(row.reason) else row.reason) for row in rows.itertuples()
    }


class TestByHand:
    def test_who_helps_contributes_more_than_who_hurts(self) -> None:
        played = Played(section(a=UP, b=UP, c=DOWN), outcomes(*UP), declared("ic", {"strategy": "equal_weight"}))
        # All three rank as the outcome does, without one of the good two all predictions are equal: no IC.
        assert of_members(played, "contribution")["c"] == (0, None)
        assert math.isnan(of_members(played, "contribution")["a"][0])
        assert of_members(played, "contribution")["a"][1] == "constant_input"
        assert of_members(played, "ensemble_correlation")["c"] == (-1, None)

    def test_for_losses_positive_is_better_too(self) -> None:
        played = Played(
            section(good=[1.0, 1, 1], bad=[4.0, 4, 4]),
            outcomes(1, 1, 1),
            declared("absolute_error", {"strategy": "equal_weight"}, min_subjects=2),
        )
        # Together they are 1.5 off; alone good is not, bad is 3 off.
        assert of_members(played, "contribution") == {"good": (1.5, None), "bad": (-1.5, None)}

    def test_a_lone_member_is_told_so(self) -> None:
        played = Played(section(a=UP), outcomes(*UP), declared("ic", {"strategy": "equal_weight"}))
        for metric in ("contribution", "ensemble_correlation"):
            value, reason = of_members(played, metric)["a"]
            assert (math.isnan(value), reason) == (True, "only_member")

    def test_who_is_no_member_adds_nothing_but_resembles_the_whole(self) -> None:
        filtered = {"strategy": "equal_weight", "filter": f"{CUSTOM}.not_the_last"}
        played = Played(section(m1=UP, m2=UP, m3=DOWN), outcomes(*ZIGZAG), self.allowed("ic", filtered))
        value, reason = of_members(played, "contribution")["m3"]
        assert (math.isnan(value), reason) == (True, "not_member")
        assert of_members(played, "ensemble_correlation")["m3"] == (-1, None)

    def test_without_an_ensemble_nobody_is_a_member(self) -> None:
        played = Played(section(a=UP, b=DOWN), outcomes(*UP), declared("ic", {"filter": {"top_n": 3}}))
        assert played.weights.empty
        for metric in ("contribution", "ensemble_correlation"):
            assert {reason for _, reason in of_members(played, metric).values()} == {"not_member"}

    def test_who_was_late_is_no_member_and_has_no_metrics(self) -> None:
        late = predictions(
            {"a": dict(zip(SUBJECTS, UP, strict=True)), "b": dict(zip(SUBJECTS, DOWN, strict=True))}, late=["b"]
        )
        played = Played(late, outcomes(*UP), declared("ic", {"strategy": "equal_weight"}))
        assert played.weights["model_id"].tolist() == ["a"]
        assert set(played.member_metrics["model_id"]) == {"a"}
        assert played.ensemble_predictions["value"].round(9).tolist() == [round((x - 0.5) / 6, 9) for x in UP]

    @pytest.mark.parametrize(
        "ensemble", [{"strategy": "performance"}, {"strategy": "equal_weight", "combine": "median"}], ids=str
    )
    @pytest.mark.parametrize(("size", "reasons"), [(50, {None}), (51, {"not_separable"})])
    def test_more_than_fifty_are_not_left_out_one_by_one(
        self, ensemble: dict[str, Any], size: int, reasons: set[str | None]
    ) -> None:
        random = np.random.default_rng(0)
        many = {f"m{number:02d}": random.normal(size=6).tolist() for number in range(size)}
        played = Played(section(**many), outcomes(*UP), declared("ic", ensemble))
        for metric in ("contribution", "ensemble_correlation"):
            assert {reason for _, reason in of_members(played, metric).values()} == reasons

    def test_fifty_of_more_that_submitted_may_be_left_out_one_by_one(self) -> None:
        random = np.random.default_rng(0)
        many = {f"m{number:02d}": random.normal(size=6).tolist() for number in range(60)}
        first = section(**many)
        second = predictions({name: dict(zip(SUBJECTS, one, strict=True)) for name, one in many.items()}, number=1)
        played = Played(
            stack(first, second),
            stack(outcomes(*UP), outcomes(*ZIGZAG, number=2)),
            declared("ic", {"strategy": "performance", "filter": {"top_n": 50}}),
        )
        rows = played.member_metrics.query("cycle == @cycle(1) and metric == 'contribution'")
        assert rows["reason"].fillna("").value_counts().to_dict() == {"": 50, "not_member": 10}

    @pytest.fixture(autouse=True)
    def _paths(self, dotted_paths_into_tests: None) -> None:
        """Filters of the tests' own."""

    def allowed(self, primary: str, *ensembles: dict[str, Any]) -> Contract:
        return declared(primary, *ensembles)


def test_horizons_have_weights_of_their_own_and_their_metrics_are_averaged() -> None:
    played = Played(*random_contest(2, cycles=8, models=3), declared("ic", {"strategy": "inverse_variance"}))
    assert set(played.weights["horizon"]) == {1, 2}
    assert played.weights.groupby(["ensemble", "cycle", "horizon"])["weight"].sum().round(12).eq(1).all()


def test_several_ensembles_do_not_disturb_each_other() -> None:
    alone = [{"strategy": "inverse_variance"}, {"strategy": "equal_weight", "filter": {"top_n": 2}}]
    contest = random_contest(3, cycles=8, models=4)
    metrics = [*METRICS, "contribution@e1", "ensemble_correlation@e1"]
    both = Played(*contest, declared("ic", *alone, metrics=metrics))
    for place, ensemble in enumerate(alone):
        one = Played(*contest, declared("ic", ensemble | {"name": f"e{place}"}))
        for name in ("weights", "member_metrics"):
            rows = getattr(both, name).query("ensemble == @one.contract.ensembles[0].name").reset_index(drop=True)
            assert rows.astype(object).fillna("").equals(getattr(one, name).astype(object).fillna(""))


def test_one_that_is_not_enabled_is_not_computed() -> None:
    contest = random_contest(3, cycles=6, models=4)
    played = Played(*contest, declared("ic", {}, {"enabled": False}))
    assert set(played.weights["ensemble"]) == {"e0"}
    assert set(played.ensemble_predictions["model_id"]) == {"__ensemble_e0__"}


def test_the_order_of_rows_and_the_cycles_in_a_block_change_nothing() -> None:
    contest = random_contest(4, cycles=8, models=4)
    played = Played(*contest, declared("ic", {"strategy": "inverse_variance"}, {"filter": {"top_n": 2}}))
    mixed = Played(*(shuffled(rows, 1) for rows in contest), played.contract)
    key = ["ensemble", "cycle", "horizon", "model_id"]
    walk = played.walk()
    blocks = [
        compute_weights(played.predictions[played.predictions["cycle"].isin(cycles)], walk, played.contract)
        for cycles in ([cycle(0), cycle(1)], [cycle(2)], [cycle(number) for number in range(3, 8)])
    ]
    expected = played.weights.sort_values(key, ignore_index=True)
    for rows in (mixed.weights, stack(*blocks)):
        pd.testing.assert_frame_equal(rows.sort_values(key, ignore_index=True), expected, rtol=1e-12)


BEST = {"strategy": "equal_weight", "filter": {"top_n": 2}}


class TestReselect:
    """Members that are chosen every few cycles only."""

    def played(self, *ensembles: dict[str, Any], **changes: Any) -> Played:
        contest = random_contest(6, cycles=12, models=6, horizons=changes.pop("horizons", (1,)))
        return Played(*contest, declared("ic", *ensembles, **changes))

    def test_nobody_but_the_chosen_and_their_stand_ins_is_in_until_the_next_choice(self) -> None:
        played = self.played(BEST | {"reselect": {"every": 100, "first": 4}})
        plain = played.plain()
        chosen_at = sorted(plain.cycle_metrics.query("metric == 'coverage'").groupby("cycle")["known_at"].min())[3]
        ranked = plain.ranked(plain.known(chosen_at))
        weighed = 0
        for (at, horizon), section in plain.submitted.items():
            is_chosen = plain.deadlines[at] >= chosen_at
            expected = [model for model in ranked if model in section][:2] if is_chosen else []
            assert sorted(played.of("e0", at, horizon)) == sorted(expected)
            weighed += is_chosen
        assert 5 <= weighed <= len(plain.submitted) - 4

    def test_to_choose_at_every_cycle_is_not_to_declare_it(self) -> None:
        played = self.played(BEST | {"reselect": {"every": 1}}, BEST)
        # Without revisions between a cycle's first outcome and the next deadline nothing else could be known.
        once = played.truth.drop_duplicates(["subject", "target_time", "horizon"])
        played = Played(played.predictions, once[once["known_at"] == once["target_time"]], played.contract)
        own, plain = (played.weights.query("ensemble == @name").drop(columns="ensemble") for name in ("e0", "e1"))
        assert len(own) > 10
        pd.testing.assert_frame_equal(own.reset_index(drop=True), plain.reset_index(drop=True))

    @pytest.mark.parametrize("number", [5, 8, 11])
    def test_a_walk_that_begins_late_chooses_as_one_from_the_start(self, number: int) -> None:
        rules = [{"every": 3}, {"every": 4, "offset": 1, "first": 2}, {"every": 7, "first": 3}]
        played = self.played(*(BEST | {"reselect": rule} for rule in rules), horizons=(1, 2))
        late = played.predictions[played.predictions["cycle"] >= cycle(number)]
        expected = played.weights[played.weights["cycle"] >= cycle(number)]
        key = ["ensemble", "cycle", "horizon", "model_id"]
        pd.testing.assert_frame_equal(
            compute_weights(late, played.walk(), played.contract).sort_values(key, ignore_index=True),
            expected.sort_values(key, ignore_index=True),
        )

    def test_where_horizons_have_boards_of_their_own_each_is_chosen_for_by_its_own(self) -> None:
        rule = BEST | {"reselect": {"every": 4, "offset": 2}}
        both = self.played(rule, horizons=(1, 2), categories=["horizon"])
        for horizon in (1, 2):
            alone = [rows[rows["horizon"].isin([horizon, -1])] for rows in (both.predictions, both.truth)]
            one = Played(*alone, declared("ic", rule))
            found = both.weights.query("horizon == @horizon").reset_index(drop=True)
            assert len(found) > 5
            pd.testing.assert_frame_equal(found, one.weights.reset_index(drop=True))

    @pytest.mark.usefixtures("dotted_paths_into_tests")
    def test_a_function_is_asked_at_choices_only(self) -> None:
        custom.CALLS.clear()
        played = self.played({"strategy": "equal_weight", "filter": f"{CUSTOM}.not_the_last", "reselect": {"every": 5}})
        assert played.weights["cycle"].nunique() > 5
        asked = [model for model, _ in custom.CALLS]
        assert len(asked) == 3 * len(set(asked))  # after 1, 5 and 10 cycles
        assert "m3" not in set(played.weights["model_id"])

    @pytest.mark.usefixtures("dotted_paths_into_tests")
    def test_a_function_that_failed_at_a_choice_lets_everybody_in_until_the_next(self) -> None:
        failing = {"strategy": "equal_weight", "filter": f"{CUSTOM}.mistaken", "reselect": {"every": 5, "first": 2}}
        played = self.played(failing, {"strategy": "equal_weight"})
        failed, everybody = (played.weights.query("ensemble == @name") for name in ("e0", "e1"))
        assert set(failed["fallback"]) == {"error: filter: KeyError: 'no_such'"}
        since = everybody[everybody["cycle"] >= failed["cycle"].min()]
        assert failed["model_id"].tolist() == since["model_id"].tolist()


def test_who_is_excluded_is_no_member_and_adds_nothing_but_resembles_the_whole() -> None:
    played = Played(
        *random_contest(6, cycles=8, models=5), declared("ic", {"filter": {"exclude": ["m2", "no such model"]}})
    )
    assert set(played.weights["model_id"]) == {"m0", "m1", "m3", "m4", "constant"}
    rows = played.member_metrics.query("model_id == 'm2'")
    assert set(rows.query("metric == 'contribution'")["reason"]) == {"not_member"}
    assert rows.query("metric == 'ensemble_correlation'")["value"].notna().any()


@pytest.mark.usefixtures("dotted_paths_into_tests")
class TestCustom:
    def played(self, **ensemble: Any) -> Played:
        return Played(*random_contest(5, cycles=7, models=4, horizons=(1,)), declared("ic", ensemble))

    def test_a_function_weighs(self) -> None:
        played = self.played(strategy=f"{CUSTOM}.by_number")
        weights = list(played.of("e0", cycle(6)).values())
        assert weights == pytest.approx(
            [(place + 1) / sum(range(1, len(weights) + 1)) for place in range(len(weights))]
        )
        assert played.weights["fallback"].isna().all()

    def test_one_that_fails_leaves_equal_weights_and_the_run_goes_on(self) -> None:
        played = self.played(strategy=f"{CUSTOM}.failing")
        assert set(played.weights["fallback"]) == {"error: ZeroDivisionError: of the operator's own"}
        for _, weights in played.weights.groupby("cycle")["weight"]:
            assert weights.nunique() == 1
        assert not played.ensemble_predictions.empty
        assert not played.member_metrics.empty

    def test_a_function_sees_every_metric_of_the_contest_but_those_of_ensembles(self) -> None:
        custom.CALLS.clear()
        self.played(strategy=f"{CUSTOM}.by_scores").weights  # noqa: B018  (computed for what it calls)
        first, last = custom.CALLS[0], custom.CALLS[-1]
        for metrics, _, _ in (first, last):
            assert {tuple(of_model) for of_model in metrics.values()} == {
                ("ic", "mean_return", "score", "hit_rate", "coverage")
            }
        assert all(math.isnan(value) for value in first[0]["m0"].values())
        assert first[2]["m0"] == []
        assert any(not math.isnan(of_model["ic"]) for of_model in last[0].values())

    def test_a_filter_that_fails_lets_everybody_in_and_says_so(self) -> None:
        played = self.played(filter=f"{CUSTOM}.mistaken", strategy="equal_weight")
        assert set(played.weights["fallback"]) == {"error: filter: KeyError: 'no_such'"}
        everybody = self.played(strategy="equal_weight").weights
        who = ["ensemble", "cycle", "horizon", "model_id", "weight"]
        pd.testing.assert_frame_equal(played.weights[who], everybody[who])

    def test_a_function_filters_by_name_and_by_record(self) -> None:
        assert "m3" not in set(self.played(filter=f"{CUSTOM}.not_the_last").weights["model_id"])
        played = self.played(filter=f"{CUSTOM}.skilled", strategy="equal_weight")
        same = self.played(filter={"min_metric": {"ic": 1e-300}}, strategy="equal_weight")
        pd.testing.assert_frame_equal(played.weights, same.weights)
        assert played.weights["cycle"].min() > cycle(0)
