"""Boards of one's own: only a YAML file each, checked when it is loaded; files in the inbox become their boards."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import yaml
from scipy.stats import spearmanr

from pipeline.cli.declarations import load_job
from pipeline.cli.errors import InputError
from pipeline.clock import utc_now
from pipeline.components import Competition
from pipeline.components.dbt import dbt_project
from pipeline.components.trees import DefsFolderError, own_definitions
from pipeline.definitions import defs
from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse import current_publication, open_published
from pipeline_tests.cli import command
from pipeline_tests.conftest import SHARED_DATA
from pipeline_tests.own_boards import declaration, drop, forget, own_folder, predictions_of, truth_of, write_board

M6 = """
name: m6
title: Relative performance of 100 assets over four weeks
horizon_length: 25d
predictions: {source: inbox, columns: {subject: asset, value: signal}, trusted: true}
truth: {source: inbox, columns: {subject: asset, value: realized_return, target_time: end_date}}
factors: {source: inbox, columns: {subject: asset}, values: [momentum_12_1, reversal_20d, vol_60d, beta_252d]}
scoring: {rule: rank_product, primary: ic}
metrics: [ic, ic_sharpe, mean_return, hit_rate]
windows: {year: {cycles: 12}, all: {}}
leaderboard: {rank_by: all.ic, tie_breakers: [all.ic_sharpe], min_coverage: 0.75}
"""
FLUSIGHT = """
name: flusight
title: Change of flu admissions one week ahead
horizon_length: 7d
predictions: {source: inbox, files: signals, columns: {subject: asset, value: signal}, trusted: true}
truth: {source: inbox, files: signals, columns: {subject: asset, value: realized}}
scoring: {rule: rank_product, primary: ic}
metrics: [ic, ic_sharpe, hit_rate]
windows: {all: {}}
leaderboard: {rank_by: all.ic, min_coverage: 0.5}
"""
Podium = Callable[..., command.Outcome]


@pytest.fixture
def own(tmp_path: Path, dbt_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of boards of one's own, empty at first; data are kept elsewhere in the test's folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PODIUM_DBT_PROJECT_DIR", str(dbt_dir))
    with own_folder(folder):
        dbt_project.cache_clear()
        yield folder
    dbt_project.cache_clear()


@pytest.fixture
def podium(own: Path, tmp_path: Path) -> Podium:
    return partial(command.podium, data_dir=tmp_path / "data")


# --- what a declaration may say


def told(own: Path) -> str:
    """What is wrong, in the one line that ``podium`` says."""
    with pytest.raises(InputError) as raised:
        load_job(None)
    return str(raised.value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"metrics": ["ic", "icc"]}, "unknown metric 'icc'; known: "),
        ({"scoring": {"rule": "rank", "primary": "ic"}}, "unknown scoring rule 'rank'; known: "),
        (
            {"leaderboard": {"rank_by": "year.ic"}},
            "leaderboard key 'year.ic': unknown window 'year'; known: recent, all",
        ),
        (
            {"leaderboard": {"rank_by": "all.ic_sharpe"}},
            "leaderboard key 'all.ic_sharpe': metric 'ic_sharpe' is not among: ic, hit_rate",
        ),
        ({"titel": "Box"}, "unknown field 'titel'; known: name, title, description, schedule, predictions, "),
        (
            {"predictions": {"source": "inbox", "dead_line": "1h"}},
            "predictions: unknown field 'dead_line'; known: source, files, output_type, deadline, trusted, ",
        ),
        (
            {"predictions": {"source": "inbox", "columns": {"signal": "value"}}},
            "predictions: columns: unknown 'signal'; known: model_id, cycle, horizon, subject, target_time, value, ",
        ),
        (
            {"truth": {"source": "inbox", "columns": {"model_id": "m"}}},
            "truth: columns: unknown 'model_id'; known: subject, target_time, cycle, horizon, known_at, value",
        ),
        (
            {"predictions": {"source": "pipeline.nothing"}},
            "predictions.source 'pipeline.nothing' cannot be imported",
        ),
        ({"truth": {"source": "somebody.elses"}}, "truth.source 'somebody.elses'"),
        (
            {"predictions": {"source": "inbocks"}},
            "predictions.source: unknown source 'inbocks' (did you mean inbox?); known: inbox, hub, or a dotted path "
            "such as pipeline.baselines.sp500",
        ),
        ({"truth": {"source": "Inbox"}}, "truth.source: unknown source 'Inbox' (did you mean inbox?); known: inbox, "),
        ({"factors": {"source": "files"}}, "factors.source: unknown source 'files'; known: inbox, or a dotted path"),
        ({"windows": {}}, "windows: {} names none; give one at least, such as {all: {}}"),
        ({"windows": {2024: {}, "all": {}}}, "windows.2024: 2024 is no name; use lower-case letters, digits and _, a "),
        ({"predictions": {"source": "inbox"}, "horizon_length": None}, "horizon_length is missing: without it the "),
        (
            {"models": {"registration": "half-open"}},
            "models.registration: 'half-open' is given; it should be 'open' or 'closed'",
        ),
        ({"subjects": {"registration": True}}, "subjects.registration: True is given; it should be 'open' or 'closed'"),
        (
            {"truth": {"source": "inbox", "known_at": "later"}},
            "truth.known_at: 'later' is given; it should be 'target_time', ",
        ),
        ({"windows": {"all": {"weeks": 3}}}, "windows.all: unknown field 'weeks'; known: cycles, duration"),
        ({"horizon_length": "seven days"}, "horizon_length: "),
        ({"metrics": {"ic": {}}}, "metrics: {'ic': {}} is given; it should be a list"),
        ({"min_subjects": "few"}, "min_subjects: 'few' is given; it should be a whole number"),
        (
            {"ensembles": {"main": {"strategy": "equal_weight"}}},
            "ensembles: it is a mapping of main, no list; write [{name: main, strategy: equal_weight}, ...]",
        ),
        ({"ensembles": "main"}, "ensembles: it is 'main', no list; write [{name: main, strategy: equal_weight}, ...]"),
        ({"ensembles": [{"strategy": "equal_weight"}]}, "ensembles.0.name: it is missing"),
        (
            {"ensembles": [{"name": "first"}, {"name": "second", "combine": "mode"}]},
            "ensembles.second.combine: 'mode' is given; it should be 'linear_pool', 'mean', 'median' or 'trimmed'",
        ),
        (
            {"ensembles": [{"name": "a", "window": 1}, {"name": "b", "filter": {"top_n": 0}}]},
            "ensembles.a.window: 1 is given; it should be greater than or equal to 2; "
            "ensembles.b.filter.top_n: 0 is given; it should be greater than or equal to 1",
        ),
        (
            {"ensembles": [{"name": "b", "filter": {"best": 5}}]},
            "ensembles.b.filter: unknown field 'best'; known: top_n, min_metric, min_coverage",
        ),
        (
            {"ensembles": [{"name": "b", "filter": {"min_metric": {"ic": "high"}}}]},
            "ensembles.b.filter.min_metric.ic: 'high' is given; it should be a number",
        ),
        ({"ensembles": [{"name": "b", "filter": 5}]}, "ensembles.b.filter: 5 is no mapping of fields; write {field: "),
        (
            {"ensembles": [{"name": "b", "strategy": "equal"}]},
            "ensemble 'b': unknown ensemble strategy 'equal'; known: equal_weight, ",
        ),
        ({"name": "competition"}, "name: 'competition' is the name of a schema"),
        ({"schedule": "every day"}, "schedule"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_mistake_in_a_declaration_fails_at_load_and_names_its_file_and_what_is_known(
    own: Path, changes: dict[str, Any], problem: str
) -> None:
    attributes = declaration(**changes)
    path = write_board(own, attributes)
    message = told(own)
    assert message.startswith(f"{path}: ")
    assert problem in message
    assert "\n" not in message


def test_a_key_that_is_written_twice_is_named_with_its_lines_by_podium_and_by_dagster(own: Path) -> None:
    path = write_board(own, declaration())
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "  title: Another\n", encoding="utf-8")
    first, second = text.splitlines().index(f"  title: {declaration()['title']}") + 1, len(text.splitlines()) + 1
    problem = f"{path}: 'title' is written 2 times, in lines {first} and {second}; keep one"
    with pytest.raises(Exception, match="Error while loading component box") as raised:
        own_definitions()
    causes = f"{raised.value.__cause__} {raised.value.__cause__ and raised.value.__cause__.__cause__}"
    assert problem in causes
    forget()
    assert told(own) == problem


def test_a_required_part_that_is_missing_is_named(own: Path) -> None:
    attributes = declaration()
    del attributes["truth"]
    path = write_board(own, attributes)
    assert told(own) == f"{path}: truth: it is missing"


def test_dagsters_own_error_names_the_file_too(own: Path) -> None:
    path = write_board(own, declaration(metrics=["icc"]))
    with pytest.raises(Exception, match="Error while loading component box") as raised:
        own_definitions()
    causes = [raised.value.__cause__, raised.value.__cause__ and raised.value.__cause__.__cause__]
    assert f"{path}:2" in str(causes)
    assert "unknown metric 'icc'; known: " in str(causes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "it is empty"), ("type: [", "no YAML in line 1"), ("type: pipeline.components.Contest\n", "unknown type")],
)
def test_a_file_that_is_no_declaration_is_named(own: Path, text: str, problem: str) -> None:
    (own / "box").mkdir()
    path = own / "box" / "defs.yaml"
    path.write_text(text, encoding="utf-8")
    assert told(own).startswith(f"{path}: {problem}")


def test_a_board_is_called_like_its_folder(own: Path) -> None:
    path = write_board(own, declaration(), name="crate")
    assert told(own) == (
        f"{path}: competition 'box' is declared in the folder 'crate'; a board's name is its folder's: rename one of "
        f"them"
    )


def test_a_board_that_is_bundled_cannot_be_declared_again(own: Path) -> None:
    write_board(own, declaration(name="sp500"))
    assert told(own) == "boards ['sp500'] are bundled, and declared in PODIUM_DEFS_DIR too; rename yours"


def test_a_folder_that_does_not_exist_is_named(own: Path) -> None:
    own.rmdir()
    expected = f"PODIUM_DEFS_DIR={str(own)!r} is no folder; make it, or unset the variable"
    with pytest.raises(DefsFolderError) as raised:
        own_definitions()
    assert str(raised.value) == expected
    assert told(own) == expected


def test_podium_says_it_in_one_line(own: Path, podium: Podium) -> None:
    path = write_board(own, declaration(metrics=["icc"]))
    message = command.error(podium("run", "box", "--json"), 2)
    assert message.startswith(f"{path}: unknown metric 'icc'; known: ")


def test_an_empty_folder_changes_nothing(own: Path) -> None:
    assert load_job("sp500").name == "sp500"


def test_two_own_boards_are_declared_beside_the_bundled_ones_and_the_marts_follow_all(own: Path) -> None:
    write_board(own, declaration())
    write_board(own, declaration(name="crate"))
    definitions = defs()
    dg.Definitions.validate_loadable(definitions)
    assert {job.name for job in definitions.jobs or ()} == {
        *("box", "coding_models", "crate", "posted", "reading", "sp500", "sp500_risk")
    }
    graph = definitions.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(["marts", "leaderboard_current"])).parent_keys
    assert {key.path[0] for key in parents} == {"box", "crate", "sp500", "sp500_risk"}


# --- as Dagster's own tools see them


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """One of the environment's commands in the project."""
    program, *rest = map(str, arguments)
    return subprocess.run(
        [str(Path(sys.executable).with_name(program)), *rest],
        cwd=PROJECT_ROOT,
        env=os.environ | {"DAGSTER_DISABLE_TELEMETRY": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_dagster_finds_the_own_boards(own: Path, tmp_path: Path) -> None:
    write_board(own, declaration())
    home = str(tmp_path)
    listed = run("dg", "list", "defs", "--json", DAGSTER_HOME=home)
    assert listed.returncode == 0, listed
    found = json.loads(listed.stdout)
    assert "box" in {job["name"] for job in found["jobs"]}
    assert {"box_inbox", "box_first_run"} <= {sensor["name"] for sensor in found["sensors"]}
    assert '"box/leaderboard"' in listed.stdout


@pytest.mark.slow
def test_dagster_refuses_a_wrong_board_and_says_why(own: Path, tmp_path: Path) -> None:
    write_board(own, declaration(metrics=["icc"]))
    refused = run("dagster", "definitions", "validate", DAGSTER_HOME=str(tmp_path))
    assert refused.returncode != 0
    assert "unknown metric 'icc'; known: " in refused.stdout + refused.stderr


def fields(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a JSON schema and of the parts that it defines."""
    for name, field in schema.get("properties", {}).items():
        yield f"{where}{name}", field
    for name, part in schema.get("$defs", {}).items():
        yield from fields(part, f"{name}.")


def test_every_field_of_the_schema_says_what_it_means() -> None:
    schema = Competition.get_model_cls().model_json_schema()
    found = dict(fields(schema))
    assert {"title", "PredictionsSpec.deadline", "WindowSpec.cycles", "ModelsSpec.registration"} <= set(found)
    parts = {f"#/$defs/{name}": part for name, part in schema["$defs"].items()}
    assert [name for name, part in parts.items() if not part.get("description")] == []
    # A field that is described as its part is has no description of its own in the schema.
    assert [name for name, field in found.items() if not (field.get("description") or field.get("$ref") in parts)] == []


# --- from files to boards


def snapshots(data_dir: Path, board: str, metric: str = "ic", window: str = "all") -> pd.Series:
    """The newest values of a metric by model, from the published file."""
    sql = (
        f"SELECT model_id, value FROM {board}.snapshots WHERE metric = ? AND window_name = ? AND category = 'overall' "
        f"QUALIFY as_of = max(as_of) OVER ()"
    )
    with open_published(data_dir / "published") as connection:
        return connection.execute(sql, [metric, window]).df().set_index("model_id")["value"].dropna().sort_index()


def mean_rank_correlations(rows: pd.DataFrame, outcomes: pd.DataFrame) -> pd.Series:
    """The mean over cycles of the rank correlation of signal and outcome, by model.

    A cycle counts for a model with at least 5 pairs, and half of the subjects with an outcome.
    """
    pairs = rows.merge(outcomes, on=["cycle", "asset"]).dropna(subset=["signal", "outcome"])
    least = (outcomes.dropna(subset=["outcome"]).groupby("cycle").size() / 2).clip(lower=5)
    found = {}
    for (model, cycle), part in pairs.groupby(["model_id", "cycle"]):
        constant = part["signal"].nunique() == 1 or part["outcome"].nunique() == 1
        if len(part) >= least[cycle] and not constant:
            found[model, cycle] = spearmanr(part["signal"], part["outcome"]).statistic
    return pd.Series(found).groupby(level=0).mean().sort_index()


def shared(name: str) -> Path:
    """A file of the shared data; the test is skipped where it is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_SHARED_DATA names the folder of shared data")
    return path


def assert_same_means(found: pd.Series, expected: pd.Series) -> None:
    pd.testing.assert_series_equal(found, expected, check_exact=False, rtol=0, atol=1e-12, check_names=False)


@pytest.mark.slow
def test_the_m6_competition_is_a_yaml_file_and_three_files_in_the_inbox(
    own: Path, podium: Podium, tmp_path: Path
) -> None:
    data = {kind: shared(f"m6/{name}.parquet") for kind, name in M6_FILES.items()}
    write_board(own, yaml.safe_load(M6))
    for kind, path in data.items():
        drop(tmp_path / "data", path, kind, board="m6")

    outcome = podium("run", "m6")

    assert (outcome.code, outcome.err) == (0, "")
    rows = pd.read_parquet(data["predictions"])
    truth = pd.read_parquet(data["truth"]).rename(columns={"realized_return": "outcome"})
    found = snapshots(tmp_path / "data", "m6")
    assert len(found) == rows["model_id"].nunique() == 18
    assert_same_means(found, mean_rank_correlations(rows, truth[["cycle", "asset", "outcome"]]))
    with open_published(tmp_path / "data" / "published") as connection:
        counted = "SELECT (SELECT count(*) FROM quarantine.rows), (SELECT count(DISTINCT cycle) FROM m6.cycle_metrics)"
        assert connection.execute(counted).fetchone() == (0, rows["cycle"].nunique())
        years = connection.execute("SELECT max(n) FROM m6.snapshots WHERE window_name = 'year' AND metric = 'ic'")
        assert years.fetchone() == (12,)  # cycles of the contest, whatever lies between them
        factors = connection.execute("SELECT count(*) FROM m6.factors").fetchone()
    given = pd.read_parquet(data["factors"])[["momentum_12_1", "reversal_20d", "vol_60d", "beta_252d"]]
    assert factors == (given.notna().sum().sum(),)
    assert podium("leaderboard", "m6").code == 0


M6_FILES = {"predictions": "predictions", "truth": "outcomes", "factors": "factors"}


@pytest.mark.slow
def test_flusight_signals_are_one_file_that_feeds_predictions_and_truth(
    own: Path, podium: Podium, tmp_path: Path
) -> None:
    path = shared("flusight/small/signals_2024-25_h1.parquet")
    write_board(own, yaml.safe_load(FLUSIGHT))
    drop(tmp_path / "data", path, "signals", board="flusight")

    outcome = podium("run", "flusight")

    assert (outcome.code, outcome.err) == (0, "")
    rows = pd.read_parquet(path)
    truth = rows.groupby(["cycle", "asset"], as_index=False).agg(outcome=("realized", "first"))
    expected = mean_rank_correlations(rows, truth)
    found = snapshots(tmp_path / "data", "flusight")
    assert len(found) > 40
    assert_same_means(found, expected)


@pytest.mark.slow
def test_files_become_a_board_and_what_may_not_be_read_yet_cannot_be_read(
    own: Path, podium: Podium, tmp_path: Path
) -> None:
    """The deadline of the last cycle is tomorrow: its predictions landed, and nobody can read them."""
    data, secret = tmp_path / "data", f"x{secrets.token_hex(48)}"
    tomorrow = datetime.combine(utc_now().date(), datetime.min.time()) + timedelta(days=1, hours=1)
    write_board(own, declaration(models={"registration": "open"}))
    coming = predictions_of(0).assign(cycle=tomorrow, value=0.123456789)
    refused = coming.head(1).assign(value="not a number", comment=secret)
    drop(data, predictions_of(*range(6)), "predictions")
    drop(data, pd.concat([coming.assign(value="0.123456789", comment=""), refused]), "predictions", name="coming.csv")
    drop(data, truth_of(*range(5)), "truth")

    outcome = podium("run", "box")

    assert (outcome.code, outcome.err) == (0, "")
    publication = current_publication(data / "published")
    assert publication is not None
    assert publication.withheld_until == tomorrow
    everything = podium("sql", "SELECT count(*) AS n, max(cycle) AS last FROM box.predictions", "--json", data_dir=data)
    assert everything.json[0]["n"] == len(predictions_of(*range(6)))
    for relation in ("box.predictions", "competition.predictions", "box.scores", "competition.scores"):
        hidden = podium("sql", f"SELECT count(*) AS n FROM {relation} WHERE cycle > now()", "--json", data_dir=data)
        assert hidden.json == [{"n": 0}]
    landed = podium("sql", "SELECT * FROM landing.prediction_rows", data_dir=data)
    assert landed.code == 2
    reasons = podium("sql", "SELECT reason, original FROM quarantine.rows", "--json", data_dir=data).json
    assert [(bool(one["reason"]), one["original"]) for one in reasons] == [(True, None)]
    assert not [path for path in (data / "published").rglob("*.*") if secret.encode() in path.read_bytes()]
    assert secret.encode() in (data / "warehouse" / "podium.duckdb").read_bytes()
    ranked = podium("sql", "SELECT model_id FROM box.leaderboard QUALIFY as_of = max(as_of) OVER () ORDER BY rank")
    assert "sharp" in ranked.out
