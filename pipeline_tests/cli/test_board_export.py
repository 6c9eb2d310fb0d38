"""``podium leaderboard --format board``: a competition as a file that every ``podium board`` command reads."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import utc_now
from pipeline.competition import Contract
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.cli.published_board import publish_board
from pipeline_tests.competition.backtest.boards import board_of, factors_of, rows_of
from pipeline_tests.competition.contests import contract, cycle, random_contest

DRAWN, OUTCOMES = random_contest(4, cycles=12, models=5)
PREDICTED = DRAWN[~((DRAWN["model_id"] == "m2") & DRAWN["cycle"].isin([cycle(4), cycle(5)]))]
ENSEMBLE = "__ensemble_main__"
PARTS = [{"by": "horizon", "history": True}, {"by": "subject", "rank_by": "all.score", "history": True}]
MEANS = ("ic", "mean_return")
LOSS: dict[str, Any] = {
    "scoring": {"rule": "absolute_error", "primary": "score"},
    "metrics": ["score", "turnover"],
    "leaderboard": {"rank_by": "all.score"},
}


def publish(folder: Path, **changes: Any) -> tuple[Podium, Contract, Any]:
    """The command on a published board, its declaration, and the values of its newest snapshots."""
    declared = contract(**{"ensembles": [{"name": "main"}]} | changes)
    rows = rows_of(PREDICTED, OUTCOMES, factors_of(PREDICTED), declared)
    publish_board(folder, declared, rows)
    snapshots = board_of(rows, declared)[0]
    values = snapshots[snapshots["category"] == "overall"].set_index(["window_name", "model_id", "metric"])["value"]
    return partial(command.podium, data_dir=folder), declared, values


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Podium, Contract, Any]:
    return publish(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def file(demo: tuple[Podium, Contract, Any], tmp_path: Path) -> str:
    """The whole contest, virtual models too."""
    path = str(tmp_path / "demo.jsonl")
    assert demo[0]("leaderboard", "demo", "--format", "board", "--out", path, "--include-ensembles").code == 0
    return path


def shown(podium: Podium, path: str, *options: str) -> dict[str, dict[str, float | None]]:
    """The aggregates of every run as ``podium board show`` gives them."""
    runs = podium("board", "show", path, *options, "--json").json["runs"]
    return {run["run_id"]: run["aggregates"] for run in runs}


class TestRoundTrip:
    def test_aggregates_are_those_of_the_leaderboards_window_all(
        self, demo: tuple[Podium, Contract, Any], file: str
    ) -> None:
        podium, declared, values = demo
        found = shown(podium, file)
        n_compared = 0
        for run, aggregates in found.items():
            assert set(aggregates) == set(declared.metrics)
            for metric, value in aggregates.items():
                expected = values["all", run, metric]
                assert value == (None if expected != expected else expected)
                n_compared += value is not None
        assert ENSEMBLE in found
        assert n_compared >= 5 * len(found) - 5

    def test_computed_anew_from_topics_means_of_cycles_are_the_same(
        self, demo: tuple[Podium, Contract, Any], file: str
    ) -> None:
        podium, _, values = demo
        for run, aggregates in shown(podium, file, "--recompute").items():
            for metric in MEANS:
                expected = values["all", run, metric]
                assert aggregates[metric] == (None if expected != expected else pytest.approx(expected, abs=1e-12))

    def test_what_is_no_mean_of_cycles_is_left_out_by_name_when_computed_anew(
        self, demo: tuple[Podium, Contract, Any], file: str
    ) -> None:
        record = demo[0]("board", "show", file, "--recompute", "--json").json
        assert {(one["kind"], one["name"]) for one in record["left_out"]} == {
            ("measure", "ic_sharpe"),
            ("aggregate", "hit_rate"),
            ("aggregate", "score"),
        }

    @pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv", "tot"])
    def test_every_format_gives_the_same_aggregates(
        self, demo: tuple[Podium, Contract, Any], file: str, tmp_path: Path, ending: str
    ) -> None:
        podium, *_ = demo
        other = str(tmp_path / f"other.{ending}")
        podium("leaderboard", "demo", "--format", "board", "--out", other, "--include-ensembles")
        assert shown(podium, other) == shown(podium, file)
        assert set(podium("board", "show", other, "--json").json["files"].values()) == {ending}

    def test_all_board_commands_read_it(self, demo: tuple[Podium, Contract, Any], file: str, tmp_path: Path) -> None:
        podium, *_ = demo
        assert "ranked by ic, higher is better" in podium("board", "show", file).out
        compared = podium("board", "compare", file, "--measure", "ic", "--json").json
        assert {row["run_id"] for row in compared["runs"]} == set(shown(podium, file))
        judged = podium("board", "evaluate", file, "--truth", file, "--truth-measure", "ic", "--json").json
        same = [row for row in judged["judges"][0]["correlations"] if row["judge_measure"] == "ic"]
        assert all(row["value"] == pytest.approx(1) for row in same if row["topic_id"] == "all")
        best = str(tmp_path / "best.jsonl")
        assert podium("board", "filter", file, "--top", "2", "--on-missing", "warn", "-o", best).code == 0
        assert len(shown(podium, best)) == 2
        same_again = tmp_path / "again.jsonl"
        assert podium("board", "convert", file, "--to", "jsonl", "-o", str(same_again)).code == 0
        assert same_again.read_bytes() == Path(file).read_bytes()
        checked = podium("board", "verify", file, "--check", "aggregates_match", "--check", "consistent_types")
        assert checked.code == 0


class TestMeanings:
    def test_less_is_better_where_the_contest_says_so(self, tmp_path: Path) -> None:
        podium, _, values = publish(tmp_path, **LOSS)
        path = str(tmp_path / "loss.jsonl")
        podium("leaderboard", "demo", "--format", "board", "--out", path)
        record = podium("board", "show", path, "--json").json
        assert record["ranked_by"] == "score"
        ranked = [run["aggregates"]["score"] for run in record["runs"]]
        assert ranked == sorted(ranked)
        best = min((value, run) for (window, run, name), value in values.items() if (window, name) == ("all", "score"))
        first = next(run for run in record["runs"] if run["run_id"] != ENSEMBLE)
        assert first["aggregates"]["score"] >= best[0]

    def test_a_format_that_cannot_say_so_is_told_with_the_remedy(self, tmp_path: Path) -> None:
        podium, *_ = publish(tmp_path, **LOSS)
        path = str(tmp_path / "loss.tot")
        told = "tot does not say that less is better of score nor that turnover has no better end"
        assert told in podium("leaderboard", "demo", "--format", "board", "--out", path).out
        remedied = podium("board", "show", path, "--by", "score", "--lower-is-better", "score", "--json").json
        exact = str(tmp_path / "loss.jsonl")
        podium("leaderboard", "demo", "--format", "board", "--out", exact)
        runs = podium("board", "show", exact, "--json").json["runs"]
        assert [run["run_id"] for run in remedied["runs"]] == [run["run_id"] for run in runs]

    def test_what_was_said_of_a_measure_is_written_again(self, podium: Podium, tmp_path: Path) -> None:
        given, kept = tmp_path / "given.tot", tmp_path / "kept.jsonl"
        given.write_text("a\tMS\t1\t5\na\tMS\t2\t7\nb\tMS\t1\t9\nb\tMS\t2\t8\n")
        merged = podium(
            *("board", "merge", str(given), "--lower-is-better", "MS", "--to", "jsonl", "-o", str(kept), "--json")
        )
        assert merged.json["left_unsaid"] == []
        assert [run["run_id"] for run in podium("board", "show", str(kept), "--json").json["runs"]] == ["a", "b"]
        lost = podium("board", "convert", str(kept), "--to", "tot", "-o", str(tmp_path / "lost.tot"), "--json")
        assert lost.json["left_unsaid"] == [
            "tot does not say that less is better of MS: read it with --lower-is-better MS, or write jsonl or parquet"
        ]


class TestWhatIsWritten:
    def test_without_a_file_it_is_printed(self, demo: tuple[Podium, Contract, Any], file: str) -> None:
        printed = demo[0]("leaderboard", "demo", "--format", "board", "--include-ensembles")
        assert printed.code == 0
        assert printed.out == Path(file).read_text()

    def test_json_tells_what_was_written(self, demo: tuple[Podium, Contract, Any], tmp_path: Path) -> None:
        path = str(tmp_path / "demo.jsonl")
        told = demo[0]("leaderboard", "demo", "--format", "board", "--out", path, "--json").json
        assert told["written"] == [path]
        assert ENSEMBLE not in told["runs"]
        assert [one["name"] for one in told["measures"]][:2] == ["ic", "ic_sharpe"]

    def test_a_window_has_its_own_cycles_and_values(self, demo: tuple[Podium, Contract, Any], tmp_path: Path) -> None:
        podium, _, values = demo
        path = str(tmp_path / "recent.jsonl")
        told = podium("leaderboard", "demo", "--format", "board", "--window", "recent", "--out", path, "--json").json
        assert len(told["topics"]) == 3
        for run, aggregates in shown(podium, path).items():
            expected = values["recent", run, "ic"]
            assert aggregates["ic"] == (None if expected != expected else expected)

    def test_it_speaks_for_the_moment_of_the_board_by_then(
        self, demo: tuple[Podium, Contract, Any], tmp_path: Path
    ) -> None:
        podium, path = demo[0], str(tmp_path / "board.jsonl")
        newest = podium("leaderboard", "demo", "--json").json["as_of"]
        told = podium("leaderboard", "demo", "--format", "board", "--as-of", newest[:10], "--out", path, "--json")
        assert told.json["as_of"] == newest
        before = podium("leaderboard", "demo", "--format", "board", "--as-of", "2024-01-01")
        assert "has nothing as early as 2024-01-01" in error(before, 2)

    def test_a_format_of_one_run_in_each_file_is_a_folder(
        self, demo: tuple[Podium, Contract, Any], tmp_path: Path
    ) -> None:
        folder = tmp_path / "runs"
        told = demo[0]("leaderboard", "demo", "--format", "board", "--to", "trec_eval", "--out", str(folder))
        assert f"Wrote 6 files in {folder}" in told.out
        assert shown(demo[0], str(folder)).keys() == {"constant", "m0", "m1", "m2", "m3", "m4"}

    def test_cycles_under_embargo_are_not_in_it_and_it_is_said(self, tmp_path: Path) -> None:
        days = (utc_now() - cycle(8)).days + 1
        predictions = {"source": "pipeline.baselines.sp500", "publish_after": f"{days}d"}
        podium, *_ = publish(tmp_path, predictions=predictions)
        path = str(tmp_path / "board.jsonl")
        told = podium("leaderboard", "demo", "--format", "board", "--out", path)
        assert re.search(r"the board counts \d+ scored predictions of cycles that are under embargo", told.out)
        topics = podium("board", "show", path, "--json").json["topics"]
        assert topics == [cycle(number).date().isoformat() for number in range(8)]

    def test_parts_are_topics_where_they_have_boards(self, tmp_path: Path) -> None:
        podium, *_ = publish(tmp_path, categories=PARTS)
        path = str(tmp_path / "parts.jsonl")
        told = podium("leaderboard", "demo", "--format", "board", "--topics", "subject", "--out", path, "--json").json
        assert told["topics"] == [f"s{number}" for number in range(7)]
        assert podium("board", "show", path, "--json").json["ranked_by"] == "ic"
        told = podium("leaderboard", "demo", "--format", "board", "--category", "horizon=2", "--out", path, "--json")
        assert len(told.json["topics"]) > 5

    def test_what_stands_in_for_missing_cycles_is_told(self, tmp_path: Path) -> None:
        podium, *_ = publish(tmp_path, missing={"policy": "carry_forward"})
        told = podium("leaderboard", "demo", "--format", "board", "--out", str(tmp_path / "board.jsonl"))
        assert "values stand in for cycles that models left out (missing: carry_forward), as on the board" in told.out


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--format", "html"], "--format 'html' is unknown; known: board"),
            (["--format", "board", "--limit", "3"], "--format board writes every row, which has no --limit"),
            (["--format", "board", "--json"], "--json tells what was written; name the file with --output"),
            (["--format", "board", "--topics", "city"], "topics 'city' are unknown; known: cycle, horizon, subject"),
            (["--format", "board", "--topics", "subject"], "has no boards of each subject; declare `categories: [su"),
            (["--format", "board", "--window", "year"], "no window 'year'; known: recent, month, all"),
            (["--format", "board", "--category", "horizon=9"], "no category 'horizon=9'; known: overall"),
            (["--format", "board", "--to", "parquet"], "a board in parquet cannot be printed; name the file"),
            (["--format", "board", "--to", "trec_eval"], "a board in trec_eval cannot be printed"),
            (["--format", "board", "--to", "xml"], "unknown format to write: 'xml'; known: trec_eval, "),
            (["--format", "board", "--out", "/no/such/board.csv"], "there is no folder '/no/such'; make it first"),
            (["--window", "all"], "without `--format board` the board is printed, which has no --window; leave it out"),
        ],
    )
    def test_what_cannot_be_is_said_with_the_remedy(
        self, demo: tuple[Podium, Contract, Any], options: list[str], message: str
    ) -> None:
        assert message in error(demo[0]("leaderboard", "demo", *options), 2)

    def test_every_line_is_json(self, file: str) -> None:
        assert all(isinstance(json.loads(line), dict) for line in Path(file).read_text().splitlines())
