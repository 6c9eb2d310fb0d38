"""``podium backtest``: where a model would stand, out of a submission file or a function, before submitting."""

import re
import shlex
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.baselines.sp500 import source
from pipeline.competition import Contract
from pipeline.competition.backtest import backtest, needed_since
from pipeline.competition.stages import stamp_deadline
from pipeline.components.trees import bundled_tree, contracts_in
from pipeline.reports.queries import board_rows, first_cycle, rows
from pipeline.settings import PROJECT_ROOT
from pipeline.warehouse import open_published
from pipeline_tests.cli import command
from pipeline_tests.cli.command import Podium, error
from pipeline_tests.cli.published_board import publish_board
from pipeline_tests.competition.backtest.boards import GIVEN, declared, factors_of, rows_of
from pipeline_tests.competition.contests import DECLARED, contract, cycle, random_contest, shuffled

PREDICTED, OUTCOMES = random_contest(4, cycles=12, models=5)
OWN = PREDICTED.loc[PREDICTED["model_id"] == "m2", GIVEN].assign(model_id="mine")
FILED = {"predictions": {"source": "inbox"}, "truth": {"source": "inbox"}, "horizon_length": "7d"}
REVERSAL = """
def predict(cycle, subjects, known):
    print("asked")
    last = known.truth.groupby("subject")["value"].last()
    return -last.reindex(subjects)


def broken(cycle, subjects, known):
    return {subjects[0]: 1 / len(known.truth)}


number = 1
"""

Publish = Callable[..., Podium]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """The command on a board of random models, declared with changes."""

    def published(**changes: Any) -> Podium:
        declared = contract(**{"ensembles": [{"name": "main", "title": "All"}]} | changes)
        publish_board(tmp_path / "data", declared, rows_of(PREDICTED, OUTCOMES, factors_of(PREDICTED), declared))
        return partial(command.podium, data_dir=tmp_path / "data")

    return published


@pytest.fixture(scope="module")
def demo_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published board whose predictions come from a source, ``demo``."""
    folder = tmp_path_factory.mktemp("demo")
    declared = contract(ensembles=[{"name": "main"}])
    publish_board(folder, declared, rows_of(PREDICTED, OUTCOMES, factors_of(PREDICTED), declared))
    return folder


@pytest.fixture
def demo(demo_dir: Path) -> Podium:
    return partial(command.podium, data_dir=demo_dir)


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A submission of one model, with target times."""
    return write(tmp_path / "own.csv", OWN)


def write(path: Path, rows: pd.DataFrame) -> str:
    rows.to_csv(path, index=False)
    return str(path)


def model_file(tmp_path: Path, text: str = REVERSAL) -> Path:
    path = tmp_path / "my_model.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_told_its_metrics_standing_neighbours_and_limits(demo: Podium, own: str) -> None:
    outcome = demo("backtest", "demo", own)
    assert (outcome.code, outcome.err) == (0, "")
    assert re.match(r"mine would rank \d of 6 \(could be \d-\d\) by all\.ic, as of 2024-", outcome.out)
    assert "\nmine on board demo: 11 cycles, 2024-01-05 to 2024-03-15" in outcome.out
    header = outcome.table.index(["metric", "recent", "month", "all"])
    assert [row[0] for row in outcome.table[header + 1 :] if row[0]] == [*DECLARED["metrics"], "coverage"]
    assert [row[2] for row in outcome.table[:header] if "mine" in row[2]] == ["→ mine"]
    assert "of 12 cycles" in outcome.out
    assert outcome.out.rstrip().endswith("A chart of cumulative ic beside the board's first: --chart FILE.svg")


def test_a_listed_coverage_is_shown_once(publish: Publish, own: str) -> None:
    outcome = publish(metrics=["coverage", "ic"])("backtest", "demo", own)
    header = outcome.table.index(["metric", "recent", "month", "all"])
    shown = outcome.table[header + 1 :]
    assert [row[0] for row in shown if row[0]] == ["ic", "coverage"]
    assert re.fullmatch(r"n = \d+", shown[-1][-1])


def test_json_has_all_of_it(demo: Podium, own: str) -> None:
    found = demo("backtest", "demo", own, "--json").json
    assert (found["board"], found["model_id"], found["replaces"], found["chart"]) == ("demo", "mine", False, None)
    assert found["cycles"]["n"] == 12
    assert found["file"]["accepted"] == len(OWN)
    standing = found["standing"]
    assert standing["of"] == 6
    assert isinstance(standing["rank"], int)
    assert standing["rank_lo"] <= standing["rank"] <= standing["rank_hi"]
    (mine,) = (row for row in found["neighbours"] if row["model_id"] == "mine")
    assert {**mine, "of": 6} == {**standing, "model_id": "mine", "title": "mine"}
    (ic,) = (row for row in found["windows"] if (row["window_name"], row["metric"]) == ("all", "ic"))
    assert ic["value"] == standing["rank_key"]
    cycles = [row["value"] for row in found["cycle_metrics"] if row["metric"] == "ic" and row["value"] is not None]
    assert sum(cycles) / len(cycles) == pytest.approx(ic["value"], abs=1e-12)


def test_a_model_that_the_board_has_scores_as_it_does_there_and_takes_its_place(demo: Podium, tmp_path: Path) -> None:
    in_time = PREDICTED[~PREDICTED["is_late"]]
    again = write(tmp_path / "again.csv", shuffled(in_time.loc[in_time["model_id"] == "m2", GIVEN], 1))
    board = demo("leaderboard", "demo", "--json").json["rows"]
    (row,) = (row for row in board if row["model_id"] == "m2")
    found = demo("backtest", "demo", again, "--json").json
    assert found["replaces"]
    assert found["notes"][0].startswith(
        "The board has a model 'm2': these predictions take the place of all of its own"
    )
    assert {name: found["standing"][name] for name in ("rank", "rank_lo", "rank_hi", "n", "status")} == {
        name: row[name] for name in ("rank", "rank_lo", "rank_hi", "n", "status")
    }
    assert found["standing"]["rank_key"] == pytest.approx(row["rank_key"], abs=1e-12)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_file_may_be_of_any_format_that_submissions_have(demo: Podium, own: str, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"own{suffix}"
    if suffix == ".parquet":
        OWN.to_parquet(path, index=False)
    else:
        OWN.to_json(path, orient="records", lines=True, date_format="iso")
    assert (
        demo("backtest", "demo", str(path), "--json").json["standing"]
        == (demo("backtest", "demo", own, "--json").json["standing"])
    )


def test_a_source_board_knows_the_target_times_that_a_file_leaves_out(demo: Podium, own: str, tmp_path: Path) -> None:
    path = write(tmp_path / "short.csv", OWN.drop(columns="target_time"))
    assert (
        demo("backtest", "demo", path, "--json").json["standing"]
        == (demo("backtest", "demo", own, "--json").json["standing"])
    )


def test_refused_rows_are_told_as_check_tells_them_and_left_out(demo: Podium, tmp_path: Path) -> None:
    rows = OWN.astype({"value": object})
    rows.iloc[0, rows.columns.get_loc("value")] = "high"
    outcome = demo("backtest", "demo", write(tmp_path / "bad.csv", rows))
    assert outcome.code == 0
    assert f"predictions: {len(rows)} rows: {len(rows) - 1} accepted, 1 rejected" in outcome.out
    assert "value is 'high', not a finite number such as 1.5" in outcome.out


def test_of_a_file_of_several_models_one_is_named(demo: Podium, tmp_path: Path) -> None:
    path = write(tmp_path / "two.csv", pd.concat([OWN, OWN.assign(model_id="other")]))
    assert error(demo("backtest", "demo", path), 2).endswith("has rows of 2 models: mine, other; name one: --model")
    assert "has no rows of model 'x'; it has: mine, other" in error(demo("backtest", "demo", path, "--model", "x"), 2)
    assert demo("backtest", "demo", path, "--model", "other", "--json").json["model_id"] == "other"


def test_a_range_of_cycles(demo: Podium, own: str) -> None:
    found = demo("backtest", "demo", own, "--from", "2024-02-02", "--to", "2024-02-16", "--json").json
    assert found["cycles"] == {
        "n": 3,
        "first": "2024-02-02T00:00:00Z",
        "last": "2024-02-16T00:00:00Z",
        "resolved": 3,
    }
    one = demo("backtest", "demo", own, "--from", "2024-02-02", "--to", "2024-02-02")
    assert "mine on board demo: 1 cycle, 2024-02-02 to 2024-02-02" in one.out
    assert "too_few_cycles" in one.out
    assert "it has 2024-01-05 to 2024-03-22" in error(demo("backtest", "demo", own, "--from", "2030-01-01"), 2)
    assert "is later than" in error(demo("backtest", "demo", own, "--from", "2024-02-02", "--to", "2024-01-01"), 2)


def test_an_unranked_model_is_told_why(publish: Publish, own: str) -> None:
    podium = publish(leaderboard={"rank_by": "all.ic", "min_coverage": 0.9})
    outcome = podium("backtest", "demo", own, "--from", "2024-03-01")
    assert re.search(
        r"^mine would not be ranked by all\.ic, as of [-0-9]+.*: low_coverage \(coverage \d+ %\)\.", outcome.out
    )
    assert "→ mine (unranked: low_coverage)" in outcome.out


def test_predictions_of_a_board_of_files_count_as_if_they_had_come_in_time(publish: Publish, own: str) -> None:
    outcome = publish(**FILED)("backtest", "demo", own)
    assert outcome.code == 0
    assert "late" not in outcome.out


def test_rows_that_say_themselves_that_they_are_late_are_left_out(publish: Publish, tmp_path: Path) -> None:
    podium = publish(**{**FILED, "predictions": {"source": "inbox", "trusted": True}})
    first = OWN["cycle"] == OWN["cycle"].min()
    half = OWN.assign(received_at=OWN["cycle"] + first.astype(int) * pd.Timedelta(hours=1))
    notes = podium("backtest", "demo", write(tmp_path / "half.csv", half), "--json").json["notes"]
    assert f"{first.sum()} of {len(OWN)} rows are late by their received_at and left out." in notes
    late = OWN.assign(received_at=OWN["cycle"] + pd.Timedelta(hours=1))
    message = error(podium("backtest", "demo", write(tmp_path / "late.csv", late)), 2)
    assert message.endswith("came after its deadline by its received_at; none would count")


def test_who_is_not_registered_yet_is_tested_and_told(publish: Publish, own: str) -> None:
    podium = publish(**FILED, models={"registration": "closed"})
    notes = podium("backtest", "demo", own, "--json").json["notes"]
    assert "Model 'mine' is not registered: the board would refuse its predictions until it is." in notes


def test_a_function_is_asked_for_every_cycle(demo: Podium, tmp_path: Path) -> None:
    outcome = demo("backtest", "demo", f"{model_file(tmp_path)}:predict")
    assert outcome.code == 0
    assert outcome.out.startswith("my_model would rank ")
    assert "\nmy_model on board demo: " in outcome.out
    assert outcome.err == "asked\n" * 24
    named = demo("backtest", "demo", f"{model_file(tmp_path)}:predict", "--model", "Reversal", "--json")
    assert named.json["model_id"] == "Reversal"
    assert named.json["file"] is None


def test_a_function_may_be_in_a_module_of_the_folder(
    demo: Podium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "walked.py").write_text(REVERSAL, encoding="utf-8")
    assert demo("backtest", "demo", "walked:predict", "--json").json["model_id"] == "walked"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("my_model.py", "is Python; name the function in it that predicts: "),
        ("my_model.py:gone", "has no function 'gone'; it has: predict, broken"),
        ("my_model.py:number", "has something that is no function, called 'number'; it has: predict, broken"),
        ("gone.py:predict", "gone.py' does not exist; give the path of a file"),
        ("no_such.module:predict", "cannot be imported: ModuleNotFoundError: No module named 'no_such'"),
        ("gone.csv", "gone.csv' does not exist; give the path of a file"),
        (
            "my_model.py:broken",
            "the model fails in cycle 2024-01-05 00:00, horizon 1: ZeroDivisionError: division by zero (line 9, in b",
        ),
    ],
)
def test_a_function_that_is_not_there_or_fails_is_one_line(
    demo: Podium, tmp_path: Path, what: str, message: str
) -> None:
    model_file(tmp_path)
    assert message in error(demo("backtest", "demo", what if "module" in what else str(tmp_path / what)), 2)


def test_a_module_that_fails_is_one_line(demo: Podium, tmp_path: Path) -> None:
    path = model_file(tmp_path, "def predict(:")
    assert "cannot be imported: SyntaxError" in error(demo("backtest", "demo", f"{path}:predict"), 2)


@pytest.mark.parametrize("content", ["", "model,value\na,1\n", "model_id,cycle,subject,value\na,2024-01-05,s0,NaN\n"])
def test_a_file_of_which_nothing_can_be_taken_is_one_line(demo: Podium, tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    message = error(demo("backtest", "demo", str(path)), 2)
    assert "cannot be read" in message or "no row of" in message


def test_a_board_that_is_not_there_or_empty_is_one_line(publish: Publish, tmp_path: Path, own: str) -> None:
    nowhere = partial(command.podium, data_dir=tmp_path / "nothing")
    assert error(nowhere("backtest", "demo", own), 4).startswith("nothing is published in ")
    declared = contract(name="empty")
    empty = rows_of(PREDICTED.iloc[:0], OUTCOMES.iloc[:0], factors_of(PREDICTED).iloc[:0], declared)
    publish_board(tmp_path / "data", declared, empty)
    podium = partial(command.podium, data_dir=tmp_path / "data")
    assert error(podium("backtest", "cup", own), 2) == "no board 'cup' is published; known: empty"
    assert error(podium("backtest", "empty", own), 2).endswith("the board has no outcome at all yet")
    function = f"{model_file(tmp_path)}:predict"
    assert error(podium("backtest", "empty", function), 2).startswith("board 'empty': the board has no cycle yet")


@pytest.mark.parametrize(("suffix", "begin"), [(".svg", b"<svg"), (".png", b"\x89PNG")])
def test_a_chart_shows_the_model_beside_the_first_ones_and_an_ensemble(
    demo: Podium, own: str, tmp_path: Path, suffix: str, begin: bytes
) -> None:
    chart = tmp_path / f"chart{suffix}"
    outcome = demo("backtest", "demo", own, "--chart", str(chart))
    assert outcome.out.rstrip().endswith(f"Chart: {chart}")
    assert chart.read_bytes().startswith(begin)
    if suffix == ".svg":
        shown = chart.read_text(encoding="utf-8")
        assert all(f">{name}<" in shown for name in ("mine", "M0", "__ENSEMBLE_MAIN__"))
        assert ">mine on Demo: cumulative ic<" in shown


def test_a_chart_that_cannot_be_written_is_one_line(demo: Podium, own: str, tmp_path: Path) -> None:
    assert "must end in .svg or .png" in error(demo("backtest", "demo", own, "--chart", "chart.pdf"), 2)
    message = error(demo("backtest", "demo", own, "--chart", str(tmp_path / "no" / "chart.svg")), 2)
    assert message.endswith("chart.svg' cannot be written: No such file or directory")


def sp500() -> Contract:
    (declared,) = (one for one in contracts_in([bundled_tree()]) if one.name == "sp500")
    return declared


def test_the_readmes_model_is_tested_on_the_bundled_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    ((code, line),) = re.findall(r"<!-- backtest -->\n```python\n(.*?)```\n\n```sh\n(.*?)\n```", readme, re.DOTALL)
    declared, prices = sp500(), source()
    cycles = prices.cycles()[-40:]
    outcomes = prices.truth().assign(known_at=lambda rows: rows["target_time"])
    rows = stamp_deadline(prices.predictions(cycles), declared)
    publish_board(
        tmp_path / "data",
        declared,
        rows_of(rows, outcomes[outcomes["target_time"].isin(rows["target_time"])], prices.factors(cycles), declared),
    )
    monkeypatch.chdir(tmp_path)
    model_file(tmp_path, code)

    outcome = command.podium(*shlex.split(line)[1:], data_dir=tmp_path / "data")

    assert (outcome.code, outcome.err) == (0, "")
    assert " would rank " in outcome.out.splitlines()[0]
    assert "contribution" in outcome.out
    assert (tmp_path / "my_model.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("changes", "model", "first"),
    [
        ({}, "mine", 7),
        ({"predictions": {"source": "s", "deadline": "9d"}}, "mine", 6),
        ({"ensembles": [], "metrics": ["ic", "turnover"], "leaderboard": {"rank_by": "all.ic"}}, "mine", 7),
        ({}, "m3", 0),
    ],
    ids=["a newcomer", "deadlines after the next cycle", "without ensembles", "another's place"],
)
def test_of_predictions_only_the_cycles_that_a_file_can_move_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], model: str, first: int
) -> None:
    monkeypatch.setattr(rows, "_ROWS_AT_ONCE", 30)  # fewer than a cycle or two have
    declaration = declared(**changes)
    publish_board(tmp_path, declaration, rows_of(PREDICTED, OUTCOMES, factors_of(PREDICTED), declaration))
    candidate = OWN[OWN["cycle"] >= cycle(8)].assign(model_id=model)
    with open_published(tmp_path / "published") as connection:
        since = needed_since(candidate, first_cycle(connection, "demo", model), declaration)
        some = board_rows(connection, "demo", datetime(2100, 1, 1), since)
        whole = board_rows(connection, "demo", datetime(2100, 1, 1))
    assert len(whole.predictions) == len(PREDICTED)
    assert (some.predictions["cycle"].min(), whole.predictions["cycle"].min()) == (cycle(first), cycle(0))
    found, expected = (backtest(candidate, of, declaration) for of in (some, whole))
    pd.testing.assert_frame_equal(found.snapshots, expected.snapshots)
    pd.testing.assert_frame_equal(found.board, expected.board)
    assert (found.notes, found.replaces) == (expected.notes, expected.replaces)


def test_where_submissions_are_carried_forward_all_are_read() -> None:
    assert needed_since(OWN, None, contract(missing={"policy": "carry_forward"})) is None
