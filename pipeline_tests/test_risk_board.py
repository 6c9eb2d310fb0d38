"""The second bundled competition run as Dagster runs it, and what the README says of it."""

import re
from collections.abc import Iterator

import dagster as dg
import duckdb
import pytest

from pipeline.baselines import RISK_BASELINES
from pipeline.definitions import defs
from pipeline.settings import PROJECT_ROOT, settings
from pipeline.warehouse import open_published
from pipeline_tests.conftest import toy_environment
from pipeline_tests.toy_graph import failed_checks, recomputed

pytestmark = pytest.mark.slow

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("<!-- risk -->")[2].partition("\n## ")[0]
ROW = re.compile(
    r"^\| \**([^|*]+?)\** \| ([\d.]+) \| ([\d.]*)-?([\d.]*) ?\| ([\d.]+) % \| ([+-][\d.]+|NULL) \|", re.MULTILINE
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, dbt_dir: object) -> Iterator[list[dg.ExecuteInProcessResult]]:
    """Two runs, one after the other."""
    with toy_environment(tmp_path_factory.mktemp("sp500_risk"), dbt_dir, all_threads=True):
        definitions, instance = defs(), dg.DagsterInstance.ephemeral()
        job = definitions.resolve_job_def("sp500_risk")
        yield [job.execute_in_process(instance=instance) for _ in range(2)]


@pytest.fixture(scope="module")
def published(runs: list[dg.ExecuteInProcessResult]) -> Iterator[duckdb.DuckDBPyConnection]:
    assert runs[0].success
    with open_published(settings().published_dir) as connection:
        yield connection


def stats(published: duckdb.DuckDBPyConnection, metric: str) -> dict[str, float]:
    """A metric of all cycles by model."""
    rows = published.execute(
        "SELECT model_id, value FROM marts.model_stats "
        "WHERE competition = 'sp500_risk' AND window_name = 'all' AND metric = ? AND value IS NOT NULL",
        [metric],
    ).fetchall()
    return dict(rows)


def test_the_readme_shows_the_numbers_of_the_board(published: duckdb.DuckDBPyConnection) -> None:
    titles = {baseline.model_id: baseline.title for baseline in RISK_BASELINES}
    skills = published.execute(
        "SELECT model_id, value, ci_low, ci_high FROM sp500_risk.evaluations "
        "WHERE metric = 'wis_scaled_relative_skill' AND part = 'overall' AND NOT is_ensemble ORDER BY value"
    ).fetchall()
    held, ic = stats(published, "interval_coverage_95"), stats(published, "ic")
    expected = [
        (
            titles[model],
            "1" if model == "constant" else f"{skill:.3f}",
            *(("", "") if model == "constant" else (f"{low:.3f}", f"{high:.3f}")),
            f"{100 * held[model]:.1f}",
            f"{ic[model]:+.3f}" if model in ic else "NULL",
        )
        for model, skill, low, high in skills
    ]
    assert len(expected) == len(RISK_BASELINES)
    assert ROW.findall(SECTION) == expected


def test_what_the_readme_says_of_direction_and_of_2008_is_so(published: duckdb.DuckDBPyConnection) -> None:
    hit_rate = {model: value for model, value in stats(published, "hit_rate").items() if not model.startswith("__")}
    assert max(hit_rate, key=lambda model: hit_rate[model]) == "constant"
    assert [f"{100 * value:.1f}" for value in (min(hit_rate.values()), max(hit_rate.values()))] == ["50.9", "53.8"]
    (query,) = re.findall(r"```sql\n(.*?)```", SECTION, re.DOTALL)
    held = dict(published.execute(query).fetchall())
    assert [f"{held[model]:.2f}" for model in ("constant", "historical_750", "ewma_t5")] == ["0.90", "0.78", "0.93"]


def test_eight_are_surely_better_than_the_constant_over_all_weeks(published: duckdb.DuckDBPyConnection) -> None:
    places = published.execute(
        "SELECT model_id, rank_hi FROM sp500_risk.evaluations WHERE rank IS NOT NULL AND part = 'overall' ORDER BY rank"
    ).fetchall()
    assert [highest for _, highest in places[:8]] == [8, 8, 8, 7, 8, 8, 8, 8]
    assert [model for model, _ in places[8:]] == ["historical_60", "constant", "last_move"]


def test_the_last_is_told_from_all_others_and_the_best_two_from_the_constant(
    published: duckdb.DuckDBPyConnection,
) -> None:
    board = published.execute(
        "SELECT model_id, rank_lo, rank_hi FROM marts.leaderboard_current "
        "WHERE competition = 'sp500_risk' AND category = 'overall' AND rank IS NOT NULL ORDER BY rank"
    ).fetchall()
    places = {model: (low, high) for model, low, high in board}
    assert places["last_move"] == (11, 11)
    assert places["constant"] == (3, 10)
    assert {model for model, (_, high) in places.items() if high < 9} == {"garch", "long_run_blend"}


def test_ensembles_of_quantiles_are_distributions_and_stand_above_the_best_model(
    published: duckdb.DuckDBPyConnection,
) -> None:
    first = published.execute(
        "SELECT model_id FROM marts.leaderboard_current "
        "WHERE competition = 'sp500_risk' AND category = 'overall' ORDER BY rank_with_ensembles LIMIT 3"
    ).fetchall()
    assert {model for (model,) in first} == {f"__ensemble_{name}__" for name in ("mean", "median", "skilled")}
    crossing = published.execute(
        "SELECT count(*) FROM (SELECT value - lag(value) OVER (PARTITION BY model_id, cycle, subject "
        "ORDER BY CAST(output_type_id AS DOUBLE)) AS rise FROM sp500_risk.ensemble_predictions) WHERE rise < 0"
    ).fetchone()
    assert crossing == (0,)


def test_a_full_run_scores_everything_and_a_second_recomputes_nothing(runs: list[dg.ExecuteInProcessResult]) -> None:
    first, second = runs
    assert first.success
    assert failed_checks(first) == {}
    assert recomputed(first)["scores"] > 1600
    assert len(first.all_events) < 500
    assert second.success
    assert set(recomputed(second).values()) == {0}
