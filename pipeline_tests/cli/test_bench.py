"""``podium bench`` runs and says what it measured; how much that is, no test asserts."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from pipeline.bench import History, Load, Season, history, hub, metrics
from pipeline.bench.apart import apart
from pipeline.bench.contest import contract
from pipeline.bench.load import Latency
from pipeline.bench.reports import ReportsSpeed, publish_history, publish_more, questions
from pipeline.bench.season import write_season
from pipeline.cli.bench_told import of_reports, show
from pipeline.reports.queries.boards import newest_moment
from pipeline.warehouse import open_published
from pipeline_tests.cli.command import Podium, error

TINY = ("--models", "12", "--cycles", "6", "--subjects", "12")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure in this process: starting others takes longer than all the rest."""
    for module in (metrics, history, hub):
        monkeypatch.setattr(module, "apart", lambda function, *args: (function(*args), 1.0))


def test_speed_as_json(podium: Podium, here: None) -> None:
    outcome = podium("bench", "metrics", *TINY, "--repeats", "1", "--json")
    assert outcome.code == 0
    found = outcome.json
    assert {"models": 12, "cycles": 6, "subjects": 12}.items() <= found.items()
    assert 12 * 6 * 12 * 0.9 < found["predictions"] < 12 * 6 * 12
    fields = ("predictions_per_second", "ratio_to_scan", "speedup_over_pandas", "speedup_over_rows", "peak_mb")
    assert all(found[name] > 0 for name in fields)
    assert all(found["cpu"][name] > 0 for name in fields[:-1])
    assert found["flatness_in_models"] >= 1
    assert list(found["cost_by_models"]) == ["250", "1000", "4000"]
    assert {"ic", "fnc", "ic_sharpe"} <= set(found["metrics"])
    assert "writing" in outcome.err


def test_speed_as_a_table(podium: Podium, here: None) -> None:
    outcome = podium("bench", "metrics", *TINY, "--repeats", "1", "--no-flatness")
    assert outcome.code == 0
    rows = {row[0]: row[1] for row in outcome.table[1:]}
    assert rows["peak memory"].endswith(" MB")
    assert rows["beside a bare scan"].endswith(" x")
    assert "not computed by plain Python:" in outcome.out


def test_the_cost_of_a_new_cycle(podium: Podium, here: None) -> None:
    arguments = (
        "bench",
        "history",
        "--cycles",
        "6",
        "--short",
        "4",
        "--models",
        "3",
        "--subjects",
        "10",
        "--added",
        "2",
    )
    found = podium(*arguments, "--json").json
    stages = ["scores", "cycle_metrics", "snapshots", "leaderboard"]
    assert list(found["ratios"]) == list(found["milliseconds"]["long"]) == stages
    assert (found["short"], found["long"]) == (4, 6)
    assert podium(*arguments).table[-1][0] == "all"


def test_all_suites_are_one_report_that_names_the_command_of_each(podium: Podium, here: None, tmp_path: Path) -> None:
    report = tmp_path / "bench.md"
    outcome = podium("bench", "--quick", "--to", str(report))
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, f"4 suites: {report}")
    written = report.read_text()
    assert written.startswith("# Measured by `podium bench --quick`\n")
    commands = [f"## `podium bench {name}`" for name in ("metrics", "history", "hub", "reports")]
    assert [line for line in written.splitlines() if line.startswith("## ")] == commands
    assert "| beside a bare scan |" in written
    tables = [line.count("|") for line in written.splitlines() if line.startswith("|")]
    assert len(tables) > 30
    assert min(tables) == 5


def test_a_measurement_in_a_process_of_its_own_tells_its_memory() -> None:
    found, peak = apart(Path, "a", "b")
    assert found == Path("a/b")
    assert peak > 1


def test_answers_of_reports_are_asked_at_a_rate_and_none_fails(podium: Podium) -> None:
    tiny = ("--models", "12", "--cycles", "5", "--per-second", "20", "--seconds", "0.5")
    found = podium("bench", "reports", *tiny, "--json").json
    boards = {"board as JSON, as readers ask", "board as JSON, none twice"}
    assert boards | {"history of a model, none twice"} <= set(found["latency"])
    for name, one in found["latency"].items():
        rate = 2 if name.startswith("history") else 20
        assert (one["per_second"], one["n"], one["errors"]) == (rate, rate // 2, 0)
        assert 0 < one["median"] <= one["p95"] <= one["worst"]
        if name.endswith("none twice"):
            assert one["from_memory"] == 0
    assert found["published_mb"] > 0


def test_answers_of_reports_as_a_table() -> None:
    latency = {"board as JSON": Latency(21.4, 60.2, 99.0, 500, 0, 0.25, 50.0)}
    with redirect_stdout(io.StringIO()) as printed:
        show(of_reports(ReportsSpeed(2000, 500, latency, 7, 3, 473.2)))
    assert "21 ms" in printed.getvalue()
    assert "25%" in printed.getvalue()
    assert "2,000 models, 500 boards, 473 MB published;" in printed.getvalue()
    assert "a contest 7 times meanwhile, and published a board more 3 times" in printed.getvalue()


@pytest.mark.parametrize(("cycles", "n"), [(5, 40), (1, 3)])
def test_questions_are_of_boards_that_there_are(cycles: int, n: int) -> None:
    asked = questions(History(models=12, cycles=cycles), Load(n, 1), has_pages=True)
    assert len(asked) == 5
    for name, one in asked.items():
        assert len(one.urls) == one.load.n == max(1, n // 10 if name.startswith("history") else n)
    different = asked["board as a page, none twice"].urls
    assert all(url.startswith("/boards/bench?") for url in different)
    assert len(set(different)) == min(n, cycles * len(contract().windows))


def test_a_board_more_is_published_with_all_there_were(tmp_path: Path) -> None:
    publish_history(tmp_path, History(models=3, cycles=2))
    publish_more(tmp_path, History(models=3, cycles=3))
    with open_published(tmp_path / "published") as connection:
        boards = "SELECT as_of, count(*) FROM competition.leaderboard GROUP BY as_of ORDER BY as_of"
        assert connection.execute(boards).fetchall() == [(History(3, 3).day(day), 3) for day in range(3)]
        assert newest_moment(connection, "bench") == History(3, 3).day(2)


HUB = ("bench", "hub", "--models", "4", "--cycles", "9", "--subjects", "3", "--repeats", "2")


def test_a_hubs_season_as_json(podium: Podium, here: None) -> None:
    outcome = podium(*HUB, "--json")
    assert outcome.code == 0
    found = outcome.json
    assert (found["models"], found["rows"]) == (4, 23 * found["forecasts"])
    assert 0.5 * 4 * 9 * 3 * 5 < found["forecasts"] < 4 * 9 * 3 * 5
    assert len(found["ratios_to_bare"]) == 2
    assert 0 <= found["largest_difference"] < 1e-12
    assert all(found[name] > 0 for name in ("rows_per_second", "cpu_ratio_to_bare", "seconds", "numbers", "peak_mb"))


def test_a_hubs_season_as_a_table_from_files(podium: Podium, here: None, tmp_path: Path) -> None:
    files = write_season(tmp_path, Season(models=3, cycles=2, subjects=2))
    given = ("--file", str(files.forecasts), "--outcomes", str(files.outcomes))
    rows = {row[0]: row[1] for row in podium("bench", "hub", *given, "--repeats", "1").table[1:]}
    assert rows["beside a bare query"].endswith(" x")
    assert rows["peak memory"] == "1 MB"


def test_files_of_a_season_go_together_and_are_there(podium: Podium, tmp_path: Path) -> None:
    assert "go together" in error(podium("bench", "hub", "--file", "x.parquet"), 2)
    missing = ("--file", str(tmp_path / "x.parquet"), "--outcomes", str(tmp_path / "y.parquet"))
    assert "x.parquet' is no file" in error(podium("bench", "hub", *missing), 2)
