"""What an ensemble may declare, and how mistakes are named when the contract is read."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.competition import Contract
from pipeline.competition.ensembles import (
    EnsembleConfig,
    FilterSpec,
    equal_weight,
    inverse_variance,
    min_metric,
    skill_variance,
    top_n,
)
from pipeline_tests.competition.contests import contract
from pipeline_tests.competition.ensembles import custom

CUSTOM = "pipeline_tests.competition.ensembles.custom"
MAIN = {"name": "main"}
METRICS = ["ic", "ic_sharpe", "mean_return", "score", "turnover", "contribution", "ensemble_correlation"]
LOSS = {"scoring": {"rule": "absolute_error", "primary": "score"}}


def refused(*messages: str, **changes: Any) -> None:
    with pytest.raises(ValidationError) as error:
        contract(**({"metrics": METRICS, "ensembles": [MAIN]} | changes))
    for message in messages:
        assert message in str(error.value)


def declared(**changes: Any) -> EnsembleConfig:
    return contract(ensembles=[MAIN | changes]).ensembles[0]


def test_an_ensemble_needs_no_more_than_a_name() -> None:
    ensemble = declared()
    assert ensemble.model_id == "__ensemble_main__"
    assert (ensemble.strategy, ensemble.combine, ensemble.filter) == ("inverse_variance", "mean", None)
    assert (ensemble.window, ensemble.min_history, ensemble.enabled) == (52, 13, True)


def test_a_contest_has_none_by_default() -> None:
    assert contract().ensembles == ()
    assert contract().active_ensembles == ()


def test_one_that_is_not_enabled_is_not_active() -> None:
    both = contract(ensembles=[MAIN | {"enabled": False}, {"name": "other"}])
    assert [one.name for one in both.active_ensembles] == ["other"]


@pytest.mark.parametrize(
    ("rule", "how"), [("rank_product", "rank"), ("directional", "rank"), ("absolute_error", "none")]
)
def test_predictions_are_ranked_where_their_unit_does_not_matter(rule: str, how: str) -> None:
    contest = contract(scoring={"rule": rule, "primary": "ic"}, ensembles=[MAIN, {"name": "z", "normalize": "zscore"}])
    assert [contest.normalization(one) for one in contest.ensembles] == [how, "zscore"]


class TestFromPython:
    @pytest.mark.parametrize("strategy", [equal_weight, inverse_variance, skill_variance])
    def test_a_strategy_is_stored_by_its_name(self, strategy: Any) -> None:
        assert EnsembleConfig(name="main", strategy=strategy).strategy == strategy.name

    def test_filters_are_those_of_the_declaration(self) -> None:
        assert EnsembleConfig(name="main", filter=top_n(5)) == EnsembleConfig.model_validate(
            {"name": "main", "filter": {"top_n": 5}}
        )
        assert min_metric("ic", 0.01) == FilterSpec(min_metric={"ic": 0.01})

    @pytest.mark.usefixtures("dotted_paths_into_tests")
    def test_functions_are_stored_by_their_path(self) -> None:
        ensemble = EnsembleConfig(name="main", strategy=custom.by_number, filter=custom.skilled)
        assert ensemble.strategy == f"{CUSTOM}.by_number"
        assert ensemble.filter == f"{CUSTOM}.skilled"
        contest = contract(ensembles=[ensemble])
        assert Contract.model_validate_json(contest.model_dump_json()) == contest

    def test_a_function_without_a_path_is_refused(self) -> None:
        refused("<lambda>", ensembles=[EnsembleConfig(name="main", strategy=lambda metrics, predictions: {})])


def test_a_filter_that_is_no_condition_says_what_one_is() -> None:
    refused("filter 'top5' is no condition; write {top_n: 5}", ensembles=[{"name": "a", "filter": "top5"}])
    refused("filter names no condition; give one, such as {top_n: 5}", ensembles=[{"name": "a", "filter": {}}])


@pytest.mark.parametrize(
    ("rule", "choices"),
    [
        ({"every": 3}, [None, 1, 1, 3, 3, 3, 6, 6, 6, 9]),
        ({"every": 3, "offset": 2}, [None, 1, 2, 2, 2, 5, 5, 5, 8, 8]),
        ({"every": 3, "offset": 2, "first": 4}, [None, None, None, None, 4, 5, 5, 5, 8, 8]),
        ({"every": 1}, [None, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"every": 100, "first": 2}, [None, None, 2, 2, 2, 2, 2, 2, 2, 2]),
    ],
)
def test_the_last_choice_by_the_number_of_resolved_cycles(rule: dict[str, int], choices: list[int | None]) -> None:
    ensemble = EnsembleConfig(name="main", filter={"top_n": 3}, reselect=rule)
    assert ensemble.reselect is not None
    assert [ensemble.reselect.last_choice(resolved) for resolved in range(10)] == choices


def test_it_survives_json() -> None:
    contest = contract(
        metrics=METRICS,
        ensembles=[
            {"name": "a", "strategy": "performance", "theta": 2.5, "max_weight": 0.2, "title": "A"},
            {"name": "b", "filter": {"top_n": 3, "min_metric": {"ic": 0.01}, "min_coverage": 0.5}, "combine": "median"},
            {"name": "c", "strategy": "equal_weight", "filter": {"exclude": ["naive"]}},
            {"name": "d", "filter": {"top_n": 2}, "reselect": {"every": 6, "offset": 5, "first": 12}},
        ],
    )
    assert Contract.model_validate_json(contest.model_dump_json()) == contest


@pytest.mark.parametrize(
    ("ensemble", "messages"),
    [
        ({"name": "Main"}, ["'Main' is no name"]),
        ({"name": "a__b", "colour": 1}, ["unknown field 'colour'; known: name, title, strategy"]),
        ({"strategy": "equal"}, ["unknown ensemble strategy 'equal'; known: equal_weight, inverse_variance, mean_var"]),
        ({"strategy": "pipeline.nobody"}, ["ensemble strategy 'pipeline.nobody' cannot be imported", "equal_weight"]),
        ({"strategy": "os.path.join"}, ["'os.path.join' is outside the packages", "PODIUM_DOTTED_PATH_PACKAGES"]),
        ({"strategy": "pipeline.settings.PROJECT_ROOT"}, ["is a PosixPath; name a function (model_metrics, predicti"]),
        ({"filter": "pipeline.nobody"}, ["ensemble filter 'pipeline.nobody' cannot be imported"]),
        ({"filter": "top_5"}, ["ensemble filter 'top_5'"]),
        ({"filter": "pipeline.settings.PROJECT_ROOT"}, ["is a PosixPath; name a function (model_id, metrics) -> bool"]),
        (
            {"filter": {"best": 5}},
            ["ensembles.main.filter\n  Value error, unknown field 'best'; known: top_n, min_metr"],
        ),
        ({"filter": {"top_n": 0}}, ["greater than or equal to 1"]),
        ({"filter": {"min_coverage": 1.5}}, ["less than or equal to 1"]),
        ({"filter": {"min_metric": {"icc": 0.0}}}, ["ensemble 'main': filter: metric 'icc' is not among: ic, ic_sh"]),
        (
            {"filter": {"min_metric": {"contribution": 0.0}}},
            ["ensemble 'main': filter: metric 'contribution' is computed from an ensemble, so it cannot say who is in"],
        ),
        (
            {"filter": {"min_metric": {"turnover": 0.5}}},
            ["ensemble 'main': filter: metric 'turnover' is better neither high nor low"],
        ),
        (
            {"min_history": 20, "window": 10},
            ["ensemble 'main': min_history 20 is more than its window of 10 cycles", "lower min_history or widen"],
        ),
        ({"window": 5}, ["min_history 13 is more than its window of 5 cycles"]),
        (
            {"trim": 0.2},
            ["ensemble 'main': trim is given, but combine is 'mean'; leave trim out, or give combine: trimmed"],
        ),
        ({"trim": 0.1, "combine": "median"}, ["ensemble 'main': trim is given, but combine is 'median'"]),
        (
            {"theta": 2.0},
            [
                "ensemble 'main': theta is given, but strategy 'inverse_variance' does not use it; leave it out, or "
                "take performance"
            ],
        ),
        ({"max_weight": 0.5}, ["ensemble 'main': max_weight is given, but strategy 'inverse_variance' does not use"]),
        (
            {"strategy": "equal_weight", "min_history": 5},
            [
                "ensemble 'main': min_history is given, but strategy 'equal_weight' does not use it; leave it out, or "
                "take inverse_variance or skill_variance or performance or mean_variance or risk_parity"
            ],
        ),
        ({"strategy": "equal_weight", "window": 60}, ["'main': window is given, but strategy 'equal_weight' does"]),
        (
            {"strategy": "equal_weight", "window": 60, "filter": {"top_n": 3}},
            ["'main': window is given, but strategy 'equal_weight' does not use it"],
        ),
        ({"filter": {"exclude": "naive"}}, ["ensembles.main.filter.exclude", "Input should be a valid tuple"]),
        (
            {"reselect": {"every": 6}},
            ["ensemble 'main': reselect is given, but no filter chooses members by their record; leave it out, or add"],
        ),
        ({"reselect": {"every": 6}, "filter": {"exclude": ["naive"]}}, ["no filter chooses members by their record"]),
        (
            {"reselect": {"every": 6, "offset": 17}, "filter": {"top_n": 4}},
            ["offset 17 is not below every, 6; give 5, which falls on the same cycles"],
        ),
        ({"reselect": {"every": 0}, "filter": {"top_n": 4}}, ["greater than or equal to 1"]),
        ({"reselect": {"first": 3}, "filter": {"top_n": 4}}, ["ensembles.main.reselect.every", "Field required"]),
        ({"reselect": {"each": 3}}, ["unknown field 'each'; known: every, offset, first"]),
        ({"min_history": 1}, ["greater than or equal to 2"]),
        ({"combine": "mode"}, ["'mean', 'median' or 'trimmed'"]),
        ({"normalize": "log"}, ["'rank', 'zscore' or 'none'"]),
        ({"trim": 0.5}, ["less than 0.5"]),
        ({"theta": 0}, ["greater than 0"]),
        ({"max_weight": 1.1}, ["less than or equal to 1"]),
    ],
)
def test_a_mistake_is_named_at_load(ensemble: dict[str, Any], messages: list[str]) -> None:
    refused(*messages, ensembles=[MAIN | ensemble])


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"ensembles": [MAIN, MAIN]}, ["ensembles names one twice (main, main); give each its own name"]),
        (
            {"ensembles": []},
            [
                "metric 'contribution' needs an ensemble to be computed against; declared and enabled: none",
                "metric 'ensemble_correlation' needs an ensemble",
            ],
        ),
        ({"ensembles": [MAIN | {"enabled": False}]}, ["'contribution' needs an ensemble", "enabled: none"]),
        (
            {"metrics": ["ic", "contribution@nobody"], "ensembles": [MAIN, {"name": "top5"}]},
            ["metric 'contribution@nobody' needs an ensemble to be computed against; declared and enabled: main, top5"],
        ),
        (
            {"metrics": ["ic", "contribution@off"], "ensembles": [MAIN, {"name": "off", "enabled": False}]},
            ["metric 'contribution@off' needs an ensemble to be computed against; declared and enabled: main"],
        ),
        (
            {"metrics": ["ic", "contribution@main", "contribution"]},
            [
                "metrics 'contribution@main' and 'contribution' are the same: without an @ it is computed against the "
                "first ensemble, 'main'; leave one out"
            ],
        ),
        ({"metrics": ["ic", "ic@main"]}, ["metric 'ic@main': only metrics of members have an @; leave it out"]),
        ({"metrics": ["ic", "nobody@main"]}, ["unknown metric 'nobody'; known: ", "contribution"]),
        ({"metrics": ["ic", "contribution@"]}, ["'contribution@'", "main"]),
        (
            LOSS | {"ensembles": [MAIN | {"strategy": "skill_variance"}]},
            ["ensemble 'main': strategy 'skill_variance' needs a primary metric where more is better; 'score' is"],
        ),
        (
            LOSS | {"ensembles": [MAIN | {"strategy": "mean_variance"}]},
            ["strategy 'mean_variance' needs a primary metric where more is better"],
        ),
        (
            {"scoring": {"rule": "rank_product", "primary": "ic_sharpe"}},
            ["ensemble 'main': scoring.primary 'ic_sharpe' is no metric of single cycles"],
        ),
        (
            {"scoring": {"rule": "rank_product", "primary": "contribution"}},
            ["ensemble 'main': scoring.primary 'contribution' is no metric of single cycles"],
        ),
        ({"scoring": {"rule": "rank_product", "primary": "nobody"}}, ["scoring.primary 'nobody' is not among metrics"]),
        ({"scoring": {"rule": "nobody", "primary": "ic"}}, ["unknown scoring rule 'nobody'; known: "]),
        (
            {"leaderboard": {"rank_by": "all.contribution"}, "ensembles": [MAIN | {"filter": {"top_n": 3}}]},
            ["ensemble 'main': filter: metric 'contribution' is computed from an ensemble"],
        ),
        (
            {
                "leaderboard": {"rank_by": "all.ic", "tie_breakers": ["all.contribution"]},
                "ensembles": [MAIN | {"filter": {"top_n": 3}}],
            },
            ["ensemble 'main': filter: metric 'contribution' is computed from an ensemble"],
        ),
        ({"leaderboard": {"rank_by": "all.ensemble_correlation"}}, ["ensemble_correlation"]),
    ],
)
def test_what_does_not_fit_together_is_named_at_load(changes: dict[str, Any], messages: list[str]) -> None:
    refused(*messages, **changes)


@pytest.mark.parametrize(
    "used",
    [
        {"combine": "trimmed", "trim": 0.2},
        {"reselect": {"every": 6}, "filter": {"top_n": 4, "exclude": ["naive"]}},
        {"reselect": {"every": 6}, "filter": f"{CUSTOM}.skilled"},
        {"strategy": "performance", "theta": 2.0, "max_weight": 0.3, "window": 60, "min_history": 5},
        {"strategy": "risk_parity", "window": 60, "min_history": 5},
        {"strategy": "equal_weight", "window": 5, "filter": {"min_metric": {"ic": 0.0}}},
        {"strategy": "equal_weight", "window": 5, "filter": {"min_coverage": 0.0}},
        {"strategy": "equal_weight", "window": 5, "filter": f"{CUSTOM}.skilled"},
        {"strategy": f"{CUSTOM}.by_number", "window": 5},
    ],
)
@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_what_is_used_may_be_given(used: dict[str, Any]) -> None:
    contest = contract(ensembles=[MAIN | used])
    assert contest.ensembles[0].model_fields_set == {"name", *used}
    assert Contract.model_validate_json(contest.model_dump_json()) == contest


@pytest.mark.parametrize("given", [{"min_history": 5}, {"theta": 2.0}])
@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_function_of_ones_own_gets_a_window_and_nothing_else(given: dict[str, Any]) -> None:
    refused(
        f"{next(iter(given))} is given, but strategy '{CUSTOM}.by_number' does not use it",
        ensembles=[MAIN | given | {"strategy": f"{CUSTOM}.by_number"}],
    )


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"main": {}}, "it is a mapping of main, no list; write [{name: main, strategy: equal_weight}, ...]"),
        (None, "it is None, no list"),
        ([MAIN, {"name": "b", "combine": "mode"}], "ensembles.b.combine\n"),
        ([MAIN, "b"], "ensembles.1\n  Value error, 'b' is no mapping of fields"),
    ],
)
def test_a_mistake_in_a_list_is_told_by_the_name_of_the_ensemble(declared: Any, message: str) -> None:
    refused(message, ensembles=declared)


@pytest.mark.parametrize(
    ("field", "function", "message"),
    [
        ("strategy", "of_one", "is a function (model_metrics); name a function (model_metrics, predictions) or "),
        ("strategy", "of_four", "is a function (model_metrics, predictions, scores, more); name a function (model_me"),
        ("strategy", "scores_first", "is a function (scores, model_metrics, predictions); name a function (model_met"),
        ("strategy", "scores_by_name", "is a function (model_metrics, predictions, *, scores); name a function (mode"),
        ("strategy", "Weigher", "is a class; name a function (model_metrics, predictions) or (model_metrics, predict"),
        ("filter", "of_one", "is a function (model_metrics); name a function (model_id, metrics) -> bool"),
        ("filter", "Weigher", "is a class; name a function (model_id, metrics) -> bool"),
        ("filter", "NOT_A_STRATEGY", "is a float; name a function (model_id, metrics) -> bool"),
    ],
)
@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_function_that_takes_something_else_is_refused_at_load(field: str, function: str, message: str) -> None:
    path = f"{CUSTOM}.{function}"
    refused(f"ensemble 'main': ensemble {field} {path!r} {message}", ensembles=[MAIN | {field: path}])


@pytest.mark.parametrize("function", ["with_a_default", "WEIGHER"])
@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_function_may_have_defaults_or_be_an_object(function: str) -> None:
    assert declared(strategy=f"{CUSTOM}.{function}").strategy == f"{CUSTOM}.{function}"


def test_all_that_is_wrong_is_named_at_once() -> None:
    refused(
        "unknown ensemble strategy 'equal'",
        "unknown metric 'icc'",
        ensembles=[MAIN | {"strategy": "equal"}],
        metrics=["ic", "icc"],
    )


def test_a_board_may_be_ranked_by_contribution() -> None:
    contest = contract(metrics=METRICS, ensembles=[MAIN], leaderboard={"rank_by": "all.contribution"})
    assert contest.metric("contribution").of_members is not None


def test_a_metric_of_members_is_beside_the_first_ensemble_or_the_one_it_names() -> None:
    contest = contract(
        metrics=["ic", "contribution", "contribution@top5"],
        ensembles=[MAIN | {"enabled": False}, {"name": "first"}, {"name": "top5", "filter": {"top_n": 5}}],
    )
    assert contest.ensemble_beside("contribution").name == "first"
    assert contest.ensemble_beside("contribution@top5").name == "top5"
    assert contest.metric("contribution@top5").name == "contribution@top5"


def test_every_message_fits_a_line_of_a_terminal_without_code() -> None:
    with pytest.raises(ValidationError) as error:
        contract(metrics=["ic", "contribution@nobody"], ensembles=[MAIN])
    assert re.search(r"Traceback|<function|object at", str(error.value)) is None
