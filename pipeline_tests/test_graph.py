"""The whole graph of a competition on a temporary warehouse, as Dagster runs it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster_dbt import DbtCliResource

from pipeline.components.recompute import NOTHING_NEW
from pipeline.definitions import defs
from pipeline.settings import PROJECT_ROOT, settings
from pipeline.tables import (
    BOARDS,
    BUILDS,
    COMPETITION_TABLES,
    ENSEMBLE_TABLES,
    EVALUATIONS,
    INBOX_TABLES,
    LEADERBOARD,
    METRICS,
    TableSpec,
)
from pipeline.warehouse import WarehouseFiles, current_publication, open_published
from pipeline_tests.conftest import Filled, toy_environment
from pipeline_tests.toy_contest import CYCLES, ToyContest, week
from pipeline_tests.toy_graph import ASSETS, FILE, ToyGraph, assert_same_tables, failed_checks, metadata, recomputed

MARTS = {
    f"marts/{name}"
    for name in (
        *("leaderboard_current", "leaderboard_history", "rank_changes", "model_stats", "model_history"),
        *("coverage", "freshness", "intake"),
    )
}


@pytest.fixture
def dbt_calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of every dbt command that is started."""
    calls: list[list[str]] = []
    cli = DbtCliResource.cli

    def counted(self: DbtCliResource, args: list[str], **options: Any) -> Any:
        calls.append(args)
        return cli(self, args, **options)

    monkeypatch.setattr(DbtCliResource, "cli", counted)
    return calls


WITHOUT_ENSEMBLES = [spec for spec in COMPETITION_TABLES if spec not in (*ENSEMBLE_TABLES, EVALUATIONS)]


@pytest.mark.parametrize("spec", [*WITHOUT_ENSEMBLES, BOARDS, METRICS], ids=lambda spec: spec.name)
def test_a_run_fills_every_table(graph: ToyGraph, spec: TableSpec) -> None:
    assert len(graph.table(spec)) > 0


def test_a_run_materializes_every_asset_and_passes_every_check(filled: Filled) -> None:
    materialized = metadata(filled.result).keys()
    checks = filled.result.get_asset_check_evaluations()

    assert materialized == {f"toy/{name}" for name in ASSETS} | MARTS | {"published"}
    assert failed_checks(filled.result) == {}
    assert {f"toy/{name}" for name in ASSETS} <= {check.asset_key.to_user_string() for check in checks}
    assert {check.asset_key.to_user_string() for check in checks} >= MARTS


def test_every_table_says_how_many_rows_it_has(filled: Filled, graph: ToyGraph) -> None:
    said = {key: values["dagster/row_count"] for key, values in metadata(filled.result).items() if key != "published"}
    tables = {key: key.replace("toy/", "competition.") for key in said if key.startswith("toy/")}
    tables |= {key: key.replace("/", ".") for key in MARTS} | {"toy/catalog": "catalog.boards"}

    stored = {key: graph.execute(f"SELECT count(*) FROM {table}")[0][0] for key, table in tables.items()}

    assert said == stored


def test_a_first_run_says_what_it_computed_and_why(filled: Filled) -> None:
    said = metadata(filled.result)

    assert said["toy/scores"]["podium/cycles_recomputed"] == CYCLES
    assert said["toy/scores"]["podium/why"].startswith(f"{CYCLES} cycles, 2020-01-03 to 2020-10-02: new")
    assert said["toy/models"]["podium/why"].startswith("the whole table: new")
    assert said["toy/snapshots"]["picture"].startswith("![Cumulative ic of the leaders of toy](data:image/png;base64,")
    assert said["toy/leaderboard"]["picture"].startswith("![Top of the toy board](data:image/png;base64,")


def test_a_full_run_logs_few_events(filled: Filled) -> None:
    assert len(filled.result.all_events) < 500


def test_a_second_run_recomputes_nothing_starts_no_dbt_and_publishes_nothing(
    published_graph: ToyGraph, dbt_calls: list[list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    built, tables = published_graph.table(BUILDS, "marts"), published_graph.tables()
    published = sorted(path.name for path in (published_graph.folder / "published").iterdir())

    result = published_graph.run()

    assert recomputed(result) == dict.fromkeys(ASSETS, 0)
    assert {values["podium/why"] for values in metadata(result).values()} == {NOTHING_NEW}
    assert dbt_calls == []
    assert [one.getMessage() for one in caplog.records if "emitted no result" in one.getMessage()] == []
    pd.testing.assert_frame_equal(published_graph.table(BUILDS, "marts"), built)
    assert sorted(path.name for path in (published_graph.folder / "published").iterdir()) == published
    assert_same_tables(published_graph.tables(), tables)


@pytest.mark.slow
def test_a_new_cycle_is_built_and_published_and_the_publication_before_is_kept(
    toy: ToyContest, published_graph: ToyGraph, dbt_calls: list[list[str]]
) -> None:
    folder = published_graph.folder / "published"
    before = current_publication(folder)
    toy.add_cycle()

    result = published_graph.run()

    after = current_publication(folder)
    assert before is not None
    assert after is not None
    assert after.seq > before.seq
    assert before.path.exists()
    assert len(dbt_calls) == 1
    assert metadata(result)["published"]["podium/seq"] == after.seq
    with open_published(folder) as connection:
        newest = connection.execute("SELECT max(as_of) FROM marts.leaderboard_current").fetchall()
    assert newest == published_graph.execute("SELECT max(as_of) FROM competition.leaderboard")


def test_the_published_file_has_a_schema_for_the_board_and_the_marts(filled: Filled) -> None:
    with open_published(filled.folder / "published") as connection:
        board = connection.execute("SELECT * FROM toy.leaderboard").df()
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'toy'").fetchall()
        marts = {key: connection.execute(f"SELECT count(*) FROM {key.replace('/', '.')}").fetchall() for key in MARTS}

    assert len(board) > 0
    assert "competition" not in board.columns
    assert {name for (name,) in views} == {spec.name for spec in (*COMPETITION_TABLES, *INBOX_TABLES)}
    assert {name for name, rows in marts.items() if rows[0][0] == 0} == {"marts/intake"}  # nothing arrived as a file


def test_the_board_knows_the_good_models_from_the_bad_and_lists_the_constant_one_unranked(graph: ToyGraph) -> None:
    board = graph.table(LEADERBOARD)
    newest = board[board["as_of"] == board["as_of"].max()].sort_values("position")

    assert newest["model_id"].tolist() == ["sharp", "latecomer", "good", "noise", "contrarian", "constant"]
    assert newest["status"].iloc[-1] == "unranked: constant_input"
    assert newest["rank"].isna().tolist() == [False] * 5 + [True]


def test_an_exception_in_an_asset_leaves_the_warehouse_open_to_others_and_a_rerun_converges(
    toy: ToyContest, graph: ToyGraph, tmp_path_factory: pytest.TempPathFactory
) -> None:
    toy.add_cycle()
    toy.broken.add("truth")

    failed = graph.run(raise_on_error=False)

    assert not failed.success
    assert not failed.asset_materializations_for_node("toy__scores")
    assert not graph.warehouse.files.lock.held
    with WarehouseFiles(graph.folder / FILE, lock_timeout=0).write("another") as store:
        assert store.max_seq() > 0
    toy.broken.clear()
    graph.run()
    scratch = ToyGraph(tmp_path_factory.mktemp("scratch"))
    scratch.run()
    assert_same_tables(graph.tables(), scratch.tables())


@pytest.mark.parametrize("broken", ["models", "subjects", "predictions", "factors", "cycles", "fingerprint"])
def test_whatever_fails_in_the_source_fails_the_run_and_frees_the_lock(
    toy: ToyContest, graph: ToyGraph, broken: str
) -> None:
    toy.add_cycle()
    toy.broken.add(broken)

    with pytest.raises(OSError, match=f"cannot give its {broken}"):
        graph.run("predictions", "factors", "models", "subjects")

    assert not graph.warehouse.files.lock.held


def test_a_blocking_check_that_fails_stops_what_follows(toy: ToyContest, graph: ToyGraph) -> None:
    toy.add_cycle()
    graph.execute("DELETE FROM competition.scores WHERE model_id = 'good' AND subject = 'S3'")

    result = graph.run(raise_on_error=False)

    assert not result.success
    assert failed_checks(result) == {"scores.scores_match_resolved_predictions": "ERROR"}
    assert "toy/scores" in metadata(result)
    assert not {"toy/cycle_metrics", "toy/snapshots", "toy/leaderboard"} & metadata(result).keys()


def test_a_check_that_only_warns_stops_nothing(toy: ToyContest, graph: ToyGraph) -> None:
    toy.add_cycle()
    graph.execute("UPDATE competition.cycle_metrics SET numerator = 1 WHERE metric = 'coverage' AND cycle = ?", week(3))

    result = graph.run(raise_on_error=False)

    assert result.success
    assert failed_checks(result) == {"cycle_metrics.coverage_per_cycle": "WARN"}
    assert "toy/leaderboard" in metadata(result)


@pytest.mark.slow
def test_a_failing_dbt_test_fails_the_run_keeps_the_publication_and_shows_which(
    toy: ToyContest, published_graph: ToyGraph
) -> None:
    before = current_publication(published_graph.folder / "published")
    ledger = published_graph.table(BUILDS, "marts")
    toy.add_cycle()
    ToyGraph(published_graph.folder).run()
    published_graph.execute("UPDATE competition.leaderboard SET coverage = 2 WHERE model_id = 'good'")

    result = published_graph.run_marts(raise_on_error=False)

    assert not result.success
    assert failed_checks(result) == {"leaderboard_current.between_leaderboard_current_coverage__1__0": "ERROR"}
    assert current_publication(published_graph.folder / "published") == before
    pd.testing.assert_frame_equal(published_graph.table(BUILDS, "marts"), ledger)


@pytest.fixture(scope="module")
def sp500(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Iterator[list[dg.ExecuteInProcessResult]]:
    """Two runs of the bundled competition, one after the other, by the definitions that Dagster loads."""
    with toy_environment(tmp_path_factory.mktemp("sp500"), dbt_dir, all_threads=True):
        definitions, instance = defs(), dg.DagsterInstance.ephemeral()
        job = definitions.resolve_job_def("sp500")
        yield [job.execute_in_process(instance=instance) for _ in range(2)]


@pytest.mark.slow
def test_the_readme_shows_the_numbers_of_the_bundled_competition(sp500: list[dg.ExecuteInProcessResult]) -> None:
    table = re.findall(
        r"^\| \**([^|*]+?)\** \| ([+-]0\.\d{3}|NULL) \| (-?\d\.\d)? ?\|",
        (PROJECT_ROOT / "README.md").read_text(),
        re.MULTILINE,
    )
    with open_published(settings().published_dir) as connection:
        rows = connection.execute(
            "SELECT title, value, value / se FROM marts.model_stats WHERE competition = 'sp500' "
            "AND window_name = 'all' AND metric = 'ic' AND model_id NOT LIKE '__ensemble%' "
            "ORDER BY value DESC NULLS LAST"
        ).fetchall()
    assert table == [
        (title, f"{ic:+.3f}", f"{t:.1f}") if ic is not None else (title, "NULL", "") for title, ic, t in rows
    ]


@pytest.mark.slow
def test_a_full_run_of_the_bundled_competition_logs_few_events(sp500: list[dg.ExecuteInProcessResult]) -> None:
    assert sp500[0].success
    assert failed_checks(sp500[0]) == {}
    assert recomputed(sp500[0])["scores"] > 1600
    assert len(sp500[0].all_events) < 500


@pytest.mark.slow
def test_a_second_run_of_the_bundled_competition_recomputes_nothing(sp500: list[dg.ExecuteInProcessResult]) -> None:
    assert sp500[1].success
    assert set(recomputed(sp500[1]).values()) == {0}
    assert not MARTS & metadata(sp500[1]).keys()
    assert len(sp500[1].all_events) < 200
