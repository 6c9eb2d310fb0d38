"""The contract: what a declaration may say, and how a mistake in it is named."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import pipeline
from pipeline.competition import Contract
from pipeline.competition.metrics import METRICS, Need
from pipeline.competition.outputs import Output
from pipeline.leaderboard import Direction, RankBy, RankingKey, WeightedKey
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.competition.contests import DECLARED, contract

SQUARED = {"rule": "squared_error", "primary": "score"}
CUSTOM = "pipeline_tests.competition.custom"
DECLARATIONS = sorted((Path(pipeline.__file__).parent / "defs").glob("*/defs.yaml"))


def refused(message: str, **changes: Any) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        contract(**changes)


def test_defaults_are_filled_in() -> None:
    declared = contract()
    assert declared.predictions.deadline == timedelta(0)
    assert declared.truth.known_at == "target_time"
    assert declared.leaderboard.min_coverage == 0
    assert declared.schedule is None
    assert declared.windows["month"].duration == timedelta(days=28)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"leaderboard": {"rank_by": {"all.ic": 0.5, "recent.ic": 0.25}, "tie_breakers": ["all.hit_rate"]}},
        {"predictions": {"source": "s", "deadline": "-1.5h"}, "truth": {"source": "s", "delay": "1234567s"}},
        {"schedule": "0 22 * * 5", "min_subjects": 2, "center": 0.5, "horizon_cycles": 1 / 7},
    ],
)
def test_a_contract_survives_json(changes: dict[str, Any]) -> None:
    declared = contract(**changes)
    again = Contract.model_validate_json(declared.model_dump_json())
    assert again == declared
    assert again.model_dump_json() == declared.model_dump_json()


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: path.parent.name)
def test_the_bundled_declarations_are_valid(path: Path) -> None:
    declared = yaml.safe_load(path.read_text())
    if declared["type"] == "pipeline.components.Competition":
        assert Contract.model_validate(declared["attributes"]).name == path.parent.name
    assert path.is_relative_to(PROJECT_ROOT)


def test_a_contract_does_not_change_after_reading() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        contract().title = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "Demo", "1st", "de mo", "de-mo", "a.b", "_x", "x" * 64, "démo"])
def test_a_name_that_is_no_folder_and_schema_is_refused(name: str) -> None:
    refused(f"{name!r} is no name; use lower-case letters, digits and _, a letter first", name=name)


@pytest.mark.parametrize(
    "name", ["competition", "catalog", "meta", "marts", "llm", "main", "podium", "information_schema"]
)
def test_a_name_of_a_schema_is_refused(name: str) -> None:
    refused(f"{name!r} is the name of a schema, so no board can have it: catalog, competition", name=name)


@pytest.mark.parametrize("name", ["last.year", 2024, True, None, 1.5])
def test_a_window_is_named_as_a_board(name: object) -> None:
    refused(f"{name!r} is no name; use lower-case letters, digits and _, a letter first", windows={name: {}, "all": {}})


def test_one_subject_is_enough_for_what_looks_at_single_predictions() -> None:
    single = {"scoring": {"rule": "absolute_error", "primary": "score"}, "leaderboard": {"rank_by": "all.score"}}
    assert contract(min_subjects=1, metrics=["score", "hit_rate"], **single).min_subjects == 1
    refused(
        "min_subjects is 1, but ic, ic_sharpe, mean_return compare subjects with each other, 2 at least: give 2 or "
        "more, or take what looks at single predictions, such as rule absolute_error with metrics score and hit_rate",
        min_subjects=1,
        metrics=["score", "ic", "ic_sharpe", "mean_return"],
        **single,
    )
    refused(
        "min_subjects is 1, but rank_product compare",
        min_subjects=1,
        metrics=["score"],
        scoring={"rule": "rank_product", "primary": "score"},
        leaderboard={"rank_by": "all.score"},
    )


FILES: dict[str, Any] = {"source": "inbox"}


@pytest.mark.parametrize(
    "changes",
    [
        {"horizon_length": "7d"},
        {"predictions": FILES | {"trusted": True}},
        {"models": {"registration": "closed"}},
        {"predictions": {"source": "pipeline.baselines.sp500"}},
    ],
)
def test_nobodys_file_decides_when_outcomes_are_for_all_others(changes: dict[str, Any]) -> None:
    files = {"predictions": FILES, "truth": FILES}
    refused("horizon_length is missing: without it the first file that arrives would decide the target_time", **files)
    assert contract(**files | changes)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"colour": "red"}, "Contract\n  Value error, unknown field 'colour'; known: name, title, description"),
        (
            {"predictions": {"source": "s", "colour": 1}},
            "predictions\n  Value error, unknown field 'colour'; known: source",
        ),
        (
            {"truth": {"source": "s", "colour": 1}},
            "truth\n  Value error, unknown field 'colour'; known: source",
        ),
        (
            {"scoring": DECLARED["scoring"] | {"colour": 1}},
            "scoring\n  Value error, unknown field 'colour'; known: rule",
        ),
        ({"windows": {"all": {"colour": 1}}}, "windows.all\n  Value error, unknown field 'colour'; known: cycles"),
        (
            {"leaderboard": {"rank_by": "all.ic", "colour": 1}},
            "leaderboard\n  Value error, unknown field 'colour'; known: ",
        ),
    ],
)
def test_an_unknown_field_is_refused_at_every_level(changes: dict[str, Any], where: str) -> None:
    refused(where, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "title"),
        ({"metrics": []}, "metrics\n  Value error, [] names none; give one at least, such as [ic, hit_rate]"),
        ({"windows": {}}, "windows\n  Value error, {} names none; give one at least, such as {all: {}}"),
        ({"windows": None}, "windows\n  Value error, None names none; give one at least, such as {all: {}}"),
        ({"windows": {"all": None}}, "None is no mapping of fields; write {field: value, ...} or {}; known: cycles, "),
        ({"truth": "inbox"}, "'inbox' is no mapping of fields; write {field: value, ...} or {}; known: source, files"),
        ({"predictions": {"source": "s", "output_type": "vibes"}}, "Input should be 'value'"),
        ({"predictions": {"source": "s", "deadline": "soon"}}, "'soon' is no duration; write a number and a unit"),
        ({"predictions": {"source": "s", "deadline": 24}}, "24 is no duration"),
        ({"truth": {"source": "s", "known_at": "soon"}}, "'target_time', 'column' or 'arrival'"),
        ({"truth": {"source": "s", "delay": "1y"}}, "'1y' is no duration"),
        ({"windows": {"all": {"cycles": 0}}}, "greater than or equal to 1"),
        ({"windows": {"all": {"duration": "0d"}}}, "a window's duration is 0s; give one above 0, such as 90d"),
        ({"windows": {"all": {"duration": "-7d"}}}, "a window's duration is -1w; give one above 0, such as 90d"),
        ({"windows": {"all": {"cycles": 3, "duration": "7d"}}}, "a window has cycles or duration, not both"),
        ({"min_subjects": 0}, "greater than or equal to 1"),
        ({"horizon_cycles": 0}, "greater than 0"),
        ({"horizon_cycles": float("inf")}, "finite number"),
        ({"center": float("nan")}, "finite number"),
        ({"leaderboard": {"rank_by": "all.ic", "min_coverage": 1.5}}, "less than or equal to 1"),
        ({"leaderboard": {"rank_by": "all.ic", "min_predictions": -1}}, "greater than or equal to 0"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], message: str) -> None:
    refused(message, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"scoring": {"rule": "vibes", "primary": "ic"}},
            "unknown scoring rule 'vibes'; known: absolute_error, brier, crps, directional, fair_crps, log_score, "
            "mean_rps, rank_product, rps, squared_error, wis",
        ),
        (
            {"scoring": {"rule": "wis", "primary": "ic"}},
            "scoring.rule 'wis' scores quantile, not 'value' predictions",
        ),
        (
            {"metrics": ["ic", "icc"]},
            "unknown metric 'icc'; known: contribution, coverage, ensemble_correlation, fnc, hit_rate, ic, ",
        ),
        ({"metrics": ["ic", "os.path.join"]}, "metric 'os.path.join' is outside the packages"),
        ({"metrics": ["ic", "pipeline.nothing.here"]}, "metric 'pipeline.nothing.here' cannot be imported"),
        (
            {"metrics": ["ic", "pipeline.competition.metrics.sharpe"]},
            "metric 'pipeline.competition.metrics.sharpe' is a function (series); give a Metric, a function (panel), "
            "or one (predictions, scores, context); known without a path: contribution, ",
        ),
        ({"metrics": ["ic", "ic"]}, "metrics names one twice (ic, ic); list each once"),
        ({"metrics": ["hit_rate"]}, "scoring.primary 'ic' is not among metrics (hit_rate); add it"),
        (
            {"metrics": ["score", "ic_sharpe"], "scoring": SQUARED, "leaderboard": {"rank_by": "all.score"}},
            "metric 'ic_sharpe' is computed from 'ic'; add 'ic' to metrics",
        ),
        (
            {"leaderboard": {"rank_by": "ever.ic"}},
            "leaderboard key 'ever.ic': unknown window 'ever'; known: recent, month, all",
        ),
        (
            {"leaderboard": {"rank_by": "all.coverage"}},
            "leaderboard key 'all.coverage': metric 'coverage' is not among: ic, ic_sharpe, mean_return, hit_rate",
        ),
        ({"leaderboard": {"rank_by": "ic"}}, "leaderboard key 'ic': unknown window 'ic'; known: recent, month, all"),
        ({"leaderboard": {"rank_by": "all.ic", "tie_breakers": ["all.luck"]}}, "leaderboard key 'all.luck': metric"),
        ({"leaderboard": {"rank_by": {"all.ic": 1, "some.ic": 1}}}, "leaderboard key 'some.ic': unknown window"),
        ({"leaderboard": {"rank_by": {}}}, "leaderboard: a weighted ranking key has no parts"),
        ({"leaderboard": {"rank_by": {"all.ic": 0}}}, "leaderboard: weight of 'all.ic' is 0.0"),
        ({"leaderboard": {"rank_by": "all.ic", "tie_breakers": ["all.ic"]}}, "ranking key 'all.ic' occurs more than"),
    ],
)
def test_a_wrong_name_is_refused_with_the_known_ones(changes: dict[str, Any], message: str) -> None:
    refused(message, **changes)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ValidationError) as error:
        contract(metrics=["icc"], scoring={"rule": "vibes", "primary": "ic"})
    assert "unknown scoring rule 'vibes'" in str(error.value)
    assert "unknown metric 'icc'" in str(error.value)


def test_weights_of_both_directions_are_refused() -> None:
    refused(
        "leaderboard: a weighted ranking key mixes directions (all.ic desc, all.score asc)",
        scoring={"rule": "squared_error", "primary": "score"},
        leaderboard={"rank_by": {"all.ic": 0.5, "all.score": 0.5}},
    )


def test_a_metric_without_its_own_direction_has_that_of_the_rule() -> None:
    assert contract().direction("score") is Direction.DESC
    assert contract(scoring=SQUARED).direction("score") is Direction.ASC
    assert contract(scoring=SQUARED).direction("ic") is Direction.DESC


def test_one_key_becomes_a_key_for_the_kernel() -> None:
    board = {"rank_by": "all.score", "tie_breakers": ["recent.ic", "all.ic"]}
    assert contract(scoring=SQUARED, leaderboard=board).rank_by() == RankBy(
        RankingKey("all.score", Direction.ASC), (RankingKey("recent.ic"), RankingKey("all.ic"))
    )


def test_weights_become_a_weighted_key_in_their_order() -> None:
    board = {"rank_by": {"recent.ic": 0.2, "all.ic": 0.8}, "tie_breakers": ["all.ic"]}
    parts = (RankingKey("recent.ic"), RankingKey("all.ic"))
    assert contract(leaderboard=board).rank_by() == RankBy(WeightedKey(parts, (0.2, 0.8)), (parts[1],))


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_metric_by_dotted_path_is_called_by_its_path() -> None:
    name = f"{CUSTOM}.REVERSED_IC"
    declared = contract(metrics=["ic", name], leaderboard={"rank_by": f"all.{name}"})
    assert declared.metric(name).name == name
    assert declared.metric("ic") == METRICS.get("ic")
    assert declared.rank_by().primary == RankingKey(f"all.{name}", Direction.ASC)


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_what_only_describes_cannot_be_ranked_by() -> None:
    name = f"{CUSTOM}.DESCRIBES"
    refused(
        f"leaderboard: cannot rank by 'all.{name}': its direction is none",
        metrics=["ic", name],
        leaderboard={"rank_by": f"all.{name}"},
    )


def test_what_leaps_cannot_be_ranked_by() -> None:
    refused(
        "leaderboard key 'all.sortino_ratio': 'sortino_ratio' leaps where there is little of what it divides by, so no "
        "board is ranked by it; rank by one of: mean_return, ic, max_drawdown",
        metrics=["mean_return", "ic", "sortino_ratio", "max_drawdown"],
        leaderboard={"rank_by": "all.ic", "tie_breakers": ["all.sortino_ratio"]},
    )


def test_what_metrics_need_besides_predictions_and_truth() -> None:
    assert contract().needs == frozenset()
    assert contract(metrics=["ic", "turnover"]).needs == {Need.PREVIOUS}
    assert contract(metrics=["ic", "fnc", "rank_turnover"]).needs == {Need.PREVIOUS, Need.FACTORS}


def test_metrics_of_factors_need_factors_to_be_declared() -> None:
    files = {"predictions": FILES, "truth": FILES, "horizon_length": "7d", "metrics": ["ic", "fnc"]}
    refused(
        "metrics fnc need factors, and none are declared: say where they come from, such as factors: {source: inbox}",
        **files,
    )
    assert contract(**files, factors=FILES).needs == {Need.FACTORS}
    assert contract(metrics=["ic", "fnc"]).factors is None, "code that computes predictions may give factors too"


QUANTILES: dict[str, Any] = {
    "predictions": {"source": "s", "output_type": "quantile", "output_type_ids": [0.9, 0.1, 0.500]},
    "scoring": {"rule": "wis", "primary": "wis"},
    "metrics": ["wis", "ic"],
    "leaderboard": {"rank_by": "all.wis"},
}
PMF: dict[str, Any] = {
    "predictions": {"source": "s", "output_type": "pmf", "output_type_ids": ["low", "high"]},
    "scoring": {"rule": "rps", "primary": "rps"},
    "metrics": ["rps", "ece"],
    "leaderboard": {"rank_by": "all.rps"},
}


def test_ids_are_kept_as_tables_hold_them() -> None:
    quantiles, pmf = contract(**QUANTILES), contract(**PMF)
    assert quantiles.output == Output("quantile", ("0.1", "0.5", "0.9"))
    assert pmf.output == Output("pmf", ("low", "high"))
    assert contract().output == Output("value", ())
    assert Contract.model_validate_json(quantiles.model_dump_json()) == quantiles


def test_the_rule_is_that_of_the_scale() -> None:
    logged = contract(**QUANTILES | {"scoring": {"rule": "wis", "primary": "wis", "scale": "log1p"}})
    assert (contract(**QUANTILES).rule.name, logged.rule.name) == ("wis", "wis_log1p")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"output_type": "quantile"}, "output_type 'quantile' needs output_type_ids: the quantile levels, such as"),
        ({"output_type": "pmf"}, "output_type 'pmf' needs output_type_ids: the categories in their order"),
        ({"output_type": "cdf"}, "output_type 'cdf' needs output_type_ids: the thresholds, such as [0, 10, 20]"),
        ({"output_type_ids": [0.5]}, "output_type 'value' takes no output_type_ids, quantile, pmf, cdf do"),
        ({"output_type": "sample", "output_type_ids": [1]}, "output_type 'sample' takes no output_type_ids"),
        ({"output_type": "quantile", "output_type_ids": 0.5}, "0.5 is no list; write the levels, thresholds or"),
        ({"output_type": "pmf", "output_type_ids": [True, False]}, "True, False is neither text nor a number"),
        ({"output_type": "quantile", "output_type_ids": ["low", 1]}, "'low', '1' cannot be among quantile levels"),
        ({"output_type": "cdf", "output_type_ids": ["inf", 1]}, "'inf' cannot be among thresholds"),
        ({"output_type": "quantile", "output_type_ids": [0.5, "0.50"]}, "output_type_ids names '0.5' twice"),
        ({"output_type": "pmf", "output_type_ids": ["up"]}, "names 'up' alone; probabilities need 2 categories"),
    ],
)
def test_ids_are_those_of_the_output_type(output: dict[str, Any], message: str) -> None:
    refused(message, predictions={"source": "s", **output})


@pytest.mark.parametrize(
    ("of", "changes", "message"),
    [
        (
            QUANTILES,
            {"scoring": {"rule": "rps", "primary": "wis"}},
            "scoring.rule 'rps' scores pmf, not 'quantile' predictions; these are scored by wis",
        ),
        (
            {},
            {"scoring": {"rule": "wis", "primary": "ic"}},
            "scores quantile, not 'value' predictions; these are scored by rank_product, absolute_error, squared_error",
        ),
        (
            QUANTILES,
            {"predictions": QUANTILES["predictions"] | {"output_type_ids": [0.1, 0.5]}},
            "quantile level 0.1 has no counterpart",
        ),
        (
            QUANTILES,
            {"scoring": {"rule": "wis", "primary": "wis", "scale": "log"}},
            "unknown scale 'log'; known: log1p",
        ),
        (
            PMF,
            {"scoring": {"rule": "rps", "primary": "rps", "scale": "sqrt"}},
            "'pmf' predictions cannot be scored on the scale 'sqrt'",
        ),
        (
            QUANTILES,
            {"metrics": ["wis", "rps", "interval_coverage_50"]},
            "metrics rps, interval_coverage_50 are not of 'quantile' predictions with these output_type_ids; of these "
            "alone there are: wis, dispersion, underprediction, overprediction, ae_median, interval_coverage_80; "
            "besides, those of any prediction",
        ),
        (PMF, {"metrics": ["rps", "wis"]}, "of these alone there are: rps, mean_rps, brier, log_score, accuracy, ece"),
        ({}, {"metrics": ["ic", "wis"]}, "metrics wis are not of 'value' predictions; of these alone there are: none"),
    ],
)
def test_rules_scales_and_metrics_must_be_of_the_output_type(
    of: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    refused(message, **of | changes)


def test_the_energy_score_is_of_the_natural_scale() -> None:
    samples = {
        "predictions": {"source": "s", "output_type": "sample"},
        "metrics": ["crps", "energy_score"],
        "leaderboard": {"rank_by": "all.crps"},
    }
    assert contract(**samples, scoring={"rule": "crps", "primary": "crps"}).measures == ("crps", "energy_score")
    refused(
        "'energy_score' is of the natural scale alone",
        **samples,
        scoring={"rule": "crps", "primary": "crps", "scale": "sqrt"},
    )


SAMPLES: dict[str, Any] = {
    "predictions": {"source": "s", "output_type": "sample"},
    "scoring": {"rule": "crps", "primary": "crps"},
    "metrics": ["crps"],
    "leaderboard": {"rank_by": "all.crps"},
}


def ensemble(**fields: Any) -> dict[str, Any]:
    return {"ensembles": [{"name": "e", "strategy": "equal_weight", **fields}]}


@pytest.mark.parametrize(
    ("of", "changes", "message"),
    [
        ({}, ensemble(combine="linear_pool"), "combine is linear_pool, which is of distributions, not of 'value'"),
        (
            SAMPLES,
            ensemble(),
            "combine is 'mean', but sample 1 of one member has nothing to do with sample 1 of another",
        ),
        (QUANTILES, ensemble(normalize="rank"), "normalize is 'rank', which makes no distributions of distributions"),
        (
            QUANTILES,
            ensemble(combine="linear_pool") | {"metrics": ["wis", "ic", "contribution"]},
            "metrics contribution need it without each of its members, which is not computed of a linear_pool of quant",
        ),
        (
            {},
            ensemble(strategy="relative_skill"),
            "strategy 'relative_skill' needs a primary metric that is a loss; more of 'ic' is better",
        ),
    ],
)
def test_ensembles_must_suit_the_output_type(of: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    refused(message, **of | changes)


def test_ensembles_of_distributions_are_of_them_as_they_are() -> None:
    declared = contract(**PMF | ensemble(combine="linear_pool") | {"metrics": ["rps", "contribution"]})
    assert declared.normalization(declared.ensembles[0]) == "none"
    others = [*ensemble()["ensembles"], {"name": "pool", "strategy": "equal_weight", "combine": "linear_pool"}]
    assert contract(**QUANTILES | {"ensembles": others, "metrics": ["wis", "contribution"]}).active_ensembles


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_rule_must_score_the_output_type() -> None:
    name = f"{CUSTOM}.QUANTILES_ONLY"
    refused(
        f"scoring.rule {name!r} scores quantile, sample, not 'value' predictions",
        scoring={"rule": name, "primary": "ic"},
    )


@pytest.mark.usefixtures("dotted_paths_into_tests")
def test_a_dotted_path_must_name_a_metric() -> None:
    refused(f"metric '{CUSTOM}.NOT_A_METRIC' is a float", metrics=["ic", f"{CUSTOM}.NOT_A_METRIC"])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"team": "model_id"}, "columns: unknown 'team'; known: model_id, cycle, horizon"),
        ({"model_id": "day", "cycle": "day"}, "columns: 'day' cannot be two columns at once"),
    ],
)
def test_columns_of_files_are_podiums_and_each_is_one(columns: dict[str, str], message: str) -> None:
    refused(message, predictions={"source": "inbox", "columns": columns})
