"""Every asset check passes on what a run stores and fails on the damage that it is there to find."""

import dagster as dg
import pytest

from pipeline.components.checks import Check
from pipeline.components.competition_checks import of_table
from pipeline.tables import (
    COMPETITION_TABLES,
    CYCLE_METRICS,
    ENSEMBLE_TABLES,
    ENSEMBLE_WEIGHTS,
    EVALUATIONS,
    LEADERBOARD,
    PREDICTIONS,
    SCORES,
    SNAPSHOTS,
    TableSpec,
)
from pipeline.warehouse import compose
from pipeline_tests.toy_contest import LATE, week
from pipeline_tests.toy_graph import ToyGraph

NEWEST = "as_of = (SELECT max(as_of) FROM competition.leaderboard)"


def check(spec: TableSpec, name: str) -> Check:
    return next(one for one in of_table(spec) if one.name == name)


def run(graph: ToyGraph, checked: Check, board: str = "toy") -> dg.AssetCheckResult:
    with graph.open() as store:
        return checked.run(store, board)


@pytest.mark.parametrize("spec", COMPETITION_TABLES, ids=lambda spec: spec.name)
def test_good_data_passes(graph: ToyGraph, spec: TableSpec) -> None:
    for checked in of_table(spec):
        result = run(graph, checked)
        assert result.passed
        assert result.metadata["violations"].value == 0


@pytest.mark.parametrize(
    "spec",
    [spec for spec in COMPETITION_TABLES if spec not in (*ENSEMBLE_TABLES, EVALUATIONS)],
    ids=lambda spec: spec.name,
)
def test_a_duplicated_key_fails(graph: ToyGraph, spec: TableSpec) -> None:
    graph.execute(compose("INSERT INTO {table} SELECT * FROM {table} LIMIT 3", table=spec))

    result = run(graph, check(spec, "keys_are_unique"))

    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert result.metadata["violations"].value == 3
    assert "3 violations, the first: " in str(result.description)


def test_a_score_of_a_late_prediction_fails(graph: ToyGraph) -> None:
    model, number = LATE
    graph.execute(
        "INSERT INTO competition.scores SELECT * REPLACE (? AS model_id) FROM competition.scores "
        "WHERE model_id = 'good' AND cycle = ?",
        model,
        week(number),
    )

    late = run(graph, check(SCORES, "no_late_prediction_is_scored"))

    assert not late.passed
    assert late.metadata["violations"].value == 8
    assert "noise" in late.metadata["examples"].md_str


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE {rows} SET is_imputed = true WHERE model_id = 'good' AND cycle = ?", id="of no earlier"),
        pytest.param(
            "INSERT INTO {rows} SELECT * REPLACE (true AS is_imputed, 'S9' AS subject) FROM {rows}"
            " WHERE model_id = 'good' AND cycle = ?",
            id="beside a submission",
        ),
        pytest.param(
            "UPDATE {rows} SET is_imputed = true, is_late = true WHERE model_id = 'constant' AND cycle = ?", id="late"
        ),
    ],
)
def test_an_imputed_prediction_that_nobody_submitted_before_fails(graph: ToyGraph, damage: str) -> None:
    graph.execute(damage.format(rows="competition.predictions"), week(4))

    result = run(graph, check(PREDICTIONS, "what_stands_in_was_submitted"))

    assert not result.passed
    assert result.metadata["violations"].value == 8


@pytest.mark.parametrize(
    ("spec", "metric", "fails"), [(CYCLE_METRICS, "ic", True), (SNAPSHOTS, "ic_sharpe", True), (SNAPSHOTS, "ic", False)]
)
def test_a_metric_that_failed_is_warned_of_where_it_failed(
    graph: ToyGraph, spec: TableSpec, metric: str, fails: bool
) -> None:
    graph.execute(
        f"UPDATE {spec.qualified_name} SET value = NULL, reason = 'error: ZeroDivisionError: by ' || {spec.cycle} "
        f"WHERE metric = '{metric}' AND model_id IN ('good', 'sharp') AND {spec.cycle} >= ? AND {spec.cycle} < ?",
        week(3),
        week(5),
    )

    result = run(graph, check(spec, "no_metric_failed"))

    assert result.passed is not fails
    if fails:
        assert result.severity is dg.AssetCheckSeverity.WARN
        assert f"'metric': '{metric}'" in str(result.description)
        assert "'n_cycles': 2, 'first_error': 'error: ZeroDivisionError: by 2020-01-24 22:00:00'" in str(
            result.description
        )


def test_a_strategy_that_failed_is_warned_of(graph: ToyGraph) -> None:
    checked = check(ENSEMBLE_WEIGHTS, "no_strategy_or_filter_failed")
    insert = "INSERT INTO competition.ensemble_weights VALUES ('toy', 'main', ?, 1, 'good', 1.0, 3, ?)"
    graph.execute(insert, week(3), "newcomer")
    assert run(graph, checked).passed

    graph.execute(insert, week(4), "error: KeyError: 'x'")

    result = run(graph, checked)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "{'ensemble': 'main', 'n_weights': 1, 'n_cycles': 1, 'first_error': \"error: KeyError: 'x'\"}" in str(
        result.description
    )


def test_a_missing_score_and_a_score_of_nothing_fail(graph: ToyGraph) -> None:
    matched = check(SCORES, "scores_match_resolved_predictions")
    graph.execute("DELETE FROM competition.scores WHERE model_id = 'sharp' AND cycle = ? AND subject = 'S1'", week(3))
    assert "'problem': 'not scored'" in str(run(graph, matched).description)

    graph.execute("UPDATE competition.scores SET subject = 'S9' WHERE subject = 'S1' AND cycle = ?", week(3))
    examples = run(graph, matched).metadata["examples"].md_str
    assert "not scored" in examples or "not resolved" in examples
    assert run(graph, matched).metadata["violations"].value > 2


def test_a_score_of_an_unresolved_prediction_fails(graph: ToyGraph) -> None:
    graph.execute(
        "INSERT INTO competition.scores SELECT * REPLACE (? AS cycle) FROM competition.scores "
        "WHERE model_id = 'good' AND cycle = ?",
        week(30),
        week(29),
    )

    result = run(graph, check(SCORES, "scores_match_resolved_predictions"))

    assert not result.passed
    assert "'problem': 'not resolved'" in str(result.description)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("SET position = position + 1 WHERE position >= 3", id="gap in positions"),
        pytest.param("SET position = 0 WHERE position = 1", id="positions from 0"),
        pytest.param("SET position = 2 WHERE position = 3", id="a place twice"),
        pytest.param("SET position = 7 - position WHERE position IN (1, 6)", id="swapped places"),
        pytest.param("SET rank = 3 WHERE rank = 2", id="a rank skipped"),
        pytest.param("SET rank = 1 WHERE rank = 2", id="a tie of one kind of rank only"),
        pytest.param("SET rank = 3 - rank WHERE rank <= 2", id="swapped ranks"),
        pytest.param(
            "SET rank = 3 - rank, rank_with_ensembles = 3 - rank WHERE rank <= 2", id="swapped ranks of both kinds"
        ),
        pytest.param("SET rank_with_ensembles = rank + 1 WHERE rank = 1", id="a wrong rank with ensembles"),
        pytest.param("SET rank = NULL WHERE rank = 5", id="ranked without a rank"),
        pytest.param("SET rank_with_ensembles = NULL WHERE rank = 5", id="ranked without a rank among all"),
        pytest.param("SET status = 'unranked: inactive' WHERE rank = 5", id="a rank for an unranked model"),
    ],
)
def test_a_board_that_is_not_well_formed_fails(graph: ToyGraph, damage: str) -> None:
    graph.execute(f"UPDATE competition.leaderboard {damage} AND {NEWEST}")

    result = run(graph, check(LEADERBOARD, "ranks_are_well_formed"))

    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR


def test_ties_are_well_formed(graph: ToyGraph) -> None:
    graph.execute(f"UPDATE competition.leaderboard SET rank = 1, rank_with_ensembles = 1 WHERE rank = 2 AND {NEWEST}")

    assert run(graph, check(LEADERBOARD, "ranks_are_well_formed")).passed


def test_ensembles_take_no_place_among_real_models(graph: ToyGraph) -> None:
    graph.execute(
        "UPDATE competition.leaderboard SET is_ensemble = position = 2, "
        "rank = CASE WHEN position = 2 THEN NULL WHEN position > 2 THEN rank - 1 ELSE rank END "
        f"WHERE {NEWEST}"
    )

    assert run(graph, check(LEADERBOARD, "ranks_are_well_formed")).passed


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("SET rank_lo = rank + 1, tie_group = rank + 1 WHERE rank = 2", id="a best rank below the rank"),
        pytest.param("SET rank_hi = rank - 1 WHERE rank = 2", id="a worst rank above the rank"),
        pytest.param("SET rank_hi = 6 WHERE rank = 5", id="a rank that there is not"),
        pytest.param("SET rank_lo = 0, tie_group = 0 WHERE rank = 2", id="better than first"),
        pytest.param("SET tie_group = 9 WHERE rank = 2", id="another tie group"),
        pytest.param("SET rank_lo = NULL WHERE rank = 2", id="half an interval"),
        pytest.param("SET rank_lo = NULL, rank_hi = NULL WHERE rank = 2", id="no interval and no reason"),
        pytest.param("SET rank_lo = 1, rank_hi = 6 WHERE rank IS NULL", id="an interval of an unranked model"),
        pytest.param(
            "SET rank_method = 'unranked', rank_lo = NULL, rank_hi = NULL WHERE rank = 2", id="a wrong reason"
        ),
        pytest.param("SET is_ensemble = true WHERE rank = 2", id="an interval of a virtual model"),
    ],
)
def test_an_interval_that_cannot_hold_the_rank_fails(graph: ToyGraph, damage: str) -> None:
    held = check(LEADERBOARD, "rank_intervals_hold_the_rank")
    graph.execute(f"UPDATE competition.leaderboard {damage} AND {NEWEST}")

    result = run(graph, held)

    assert held.blocking
    assert not result.passed


def test_ranks_without_intervals_pass_when_they_say_why(graph: ToyGraph) -> None:
    nothing = "rank_lo = NULL, rank_hi = NULL, tie_group = NULL"
    graph.execute(f"UPDATE competition.leaderboard SET rank_method = 'not_smooth', {nothing} WHERE rank IS NOT NULL")

    assert run(graph, check(LEADERBOARD, "rank_intervals_hold_the_rank")).passed


def test_low_coverage_of_a_cycle_only_warns(graph: ToyGraph) -> None:
    covered = check(CYCLE_METRICS, "coverage_per_cycle")
    graph.execute(
        "UPDATE competition.cycle_metrics SET numerator = 2 WHERE metric = 'coverage' AND cycle IN (?, ?)",
        week(4),
        week(5),
    )

    result = run(graph, covered)

    assert not covered.blocking
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert result.metadata["violations"].value == 2
    assert "2020-01-31" in result.metadata["examples"].md_str


def test_a_check_looks_at_its_own_board_only(graph: ToyGraph) -> None:
    graph.execute("UPDATE competition.leaderboard SET position = 0")

    assert run(graph, check(LEADERBOARD, "ranks_are_well_formed"), board="other").passed


def test_only_what_operators_are_to_judge_does_not_block() -> None:
    lenient = {one.name for spec in COMPETITION_TABLES for one in of_table(spec) if not one.blocking}

    assert lenient == {"coverage_per_cycle", "no_metric_failed", "no_strategy_or_filter_failed"}


EVALUATED = """
    INSERT INTO competition.evaluations VALUES
    ('toy', 'all', 'overall', 'overall', 'a', 'wis', 1.0, 9, 9, 10, 0.1, 0.8, 1.2, 'ewc', NULL, false, 1, 1, 1, 2, 1),
    ('toy', 'all', 'overall', 'overall', 'b', 'wis', 2.0, 9, 9, 10, NULL, NULL, NULL, 'too_few_cycles', NULL,
     false, 2, 2, 1, 2, 1),
    ('toy', 'all', 'overall', 'overall', 'c', 'wis', NULL, 0, 3, 10, NULL, NULL, NULL, 'excluded', 'submitted 30 %',
     false, NULL, NULL, NULL, NULL, NULL)
"""


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("evaluations_say_why", "reason = 'but why' WHERE model_id = 'a'"),
        ("evaluations_say_why", "reason = NULL WHERE model_id = 'c'"),
        ("evaluations_say_why", "ci_high = 0.9 WHERE model_id = 'a'"),
        ("evaluations_say_why", "ci_method = 'ewc' WHERE model_id = 'b'"),
        ("evaluations_say_why", "n = 11 WHERE model_id = 'a'"),
        ("evaluation_ranks_are_well_formed", "rank = 3 WHERE model_id = 'b'"),
        ("evaluation_ranks_are_well_formed", "rank_lo = 2, tie_group = 2 WHERE model_id = 'a'"),
        ("evaluation_ranks_are_well_formed", "tie_group = 2 WHERE model_id = 'a'"),
        ("evaluation_ranks_are_well_formed", "rank_with_ensembles = 3 WHERE model_id = 'c'"),
    ],
)
def test_evaluations_that_are_not_well_formed_fail(graph: ToyGraph, name: str, damage: str) -> None:
    graph.execute(EVALUATED)
    assert run(graph, check(EVALUATIONS, name)).passed
    graph.execute(f"UPDATE competition.evaluations SET {damage}")
    assert not run(graph, check(EVALUATIONS, name)).passed
