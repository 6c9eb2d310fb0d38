"""A hub's target in the warehouse: what is read when, what is kept of files, and what becomes of refused rows."""

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.components import hub_tables
from pipeline.components.recompute import Recompute
from pipeline.tables import FILES, PREDICTIONS, QUARANTINE, SCORES, SUBMISSIONS, TRUTH
from pipeline_tests.competition.hub.toy_hub import (
    COUNTS,
    LEVELS,
    put_outcomes,
    put_submission,
    submission,
    write_hub,
)
from pipeline_tests.components.hub_boards import HubOnDisk, recomputed

FIRST, SECOND = datetime(2024, 12, 14), datetime(2024, 12, 21)
ROWS = 4 * len(LEVELS)


@pytest.fixture
def board(tmp_path: Path) -> HubOnDisk:
    hub = write_hub(tmp_path / "hub")
    put_submission(hub, "team-baseline")
    put_submission(hub, "team-one", crossing())
    put_submission(hub, "team-one", round_id="2024-12-21")
    put_outcomes(hub, COUNTS)
    return HubOnDisk(hub, tmp_path / "data")


def crossing() -> pd.DataFrame:
    """A submission with one forecast, of three rows, that crosses."""
    rows = submission()
    wrong = (rows["location"] == "01") & (rows["horizon"] == "1") & (rows["output_type_id"] == "0.9")
    rows.loc[wrong, "value"] = "0"
    return rows


def age(path: Path, seconds: int = 100) -> None:
    """Let a file have been written at another time."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def path_of(board: HubOnDisk, model: str, round_id: str = "2024-12-14") -> Path:
    return board.hub / "model-output" / model / f"{round_id}-{model}.csv"


def test_predictions_are_what_files_say_without_what_is_refused(board: HubOnDisk) -> None:
    board.update()
    rows = board.table(PREDICTIONS)
    counts = rows.groupby(["model_id", "cycle"]).size().to_dict()
    assert counts == {
        ("team-baseline", pd.Timestamp(FIRST)): ROWS,
        ("team-one", pd.Timestamp(FIRST)): ROWS - 3,
        ("team-one", pd.Timestamp(SECOND)): ROWS,
    }
    assert set(rows["output_type"]) == {"quantile"}
    assert not rows["is_late"].any()
    assert set(rows.loc[rows["cycle"] == FIRST, "deadline"]) == {pd.Timestamp("2024-12-12 05:00")}


def test_every_file_has_a_line_and_every_refused_row_its_rule(board: HubOnDisk) -> None:
    (board.hub / "model-output" / "team-one" / "notes.csv").write_text("a\n1\n")
    board.update()
    lines = board.table(FILES).set_index("name")
    assert set(lines["kind"]) == {"model-output"}
    said = lines[["n_rows", "n_accepted", "n_rejected", "status"]].apply(tuple, axis=1).to_dict()
    assert said == {
        "model-output/team-baseline/2024-12-14-team-baseline.csv": (ROWS, ROWS, 0, "accepted"),
        "model-output/team-one/2024-12-14-team-one.csv": (ROWS, ROWS - 3, 3, "partly"),
        "model-output/team-one/2024-12-21-team-one.csv": (ROWS, ROWS, 0, "accepted"),
        "model-output/team-one/notes.csv": (
            *(0, 0, 0),
            "unreadable: file: its name is not <round>-<team>-<model>.csv",
        ),
    }
    refused = board.table(QUARANTINE)
    of_rows = refused[refused["row_number"] > 0]
    assert set(of_rows["file_number"]) == {lines.loc["model-output/team-one/2024-12-14-team-one.csv", "file_number"]}
    assert of_rows["reason"].str.startswith("crossing_quantiles: ").all()
    assert of_rows["original"].str.contains('"location": "01"').all()
    assert len(of_rows) == 3


def test_scores_are_those_of_the_forecasts_and_a_second_time_nothing_is_computed(board: HubOnDisk) -> None:
    board.update_all()
    scores = board.table(SCORES)
    one = scores[(scores["model_id"] == "team-baseline") & (scores["subject"] == "US") & (scores["horizon"] == 0)]
    # Quantiles 1, 5 and 9 at levels .1, .5 and .9; 5 came true: 2/3 of the pinball losses 0.4, 0 and 0.4.
    assert one["value"].tolist() == pytest.approx([2 * (0.1 * 4 + 0 + 0.1 * 4) / 3])
    assert recomputed(board.update_all()) == {}


def test_a_second_time_nothing_is_read(board: HubOnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    board.update()
    monkeypatch.setattr("pipeline.competition.hub.source.judge", lambda *_: pytest.fail("a file was read"))
    assert recomputed(board.update()) == {}


def test_only_the_rounds_of_new_or_changed_files_are_read_again(board: HubOnDisk) -> None:
    board.update()
    age(put_submission(board.hub, "team-two", round_id="2024-12-21"))
    assert recomputed(board.update())["predictions"] == 1
    assert set(board.table(PREDICTIONS).query("cycle == @SECOND")["model_id"]) == {"team-one", "team-two"}
    changed = submission()
    changed["value"] = (changed["value"].astype(float) / 10).astype(str)
    path = put_submission(board.hub, "team-baseline", changed[changed["output_type"] == "quantile"])
    age(path)
    assert recomputed(board.update())["predictions"] == 1
    rows = board.table(PREDICTIONS).query("model_id == 'team-baseline'")
    assert rows["value"].max() == pytest.approx(0.9)


def test_a_changed_file_gets_another_line_and_its_submission_replaces_the_first(board: HubOnDisk) -> None:
    board.update()
    age(put_submission(board.hub, "team-one"))
    board.update()
    lines = board.table(FILES)
    of_file = lines[lines["name"] == "model-output/team-one/2024-12-14-team-one.csv"].sort_values("file_number")
    assert of_file["n_rejected"].tolist() == [3, 0]
    submissions = board.table(SUBMISSIONS).query("model_id == 'team-one' and cycle == @FIRST")
    replaced = dict(zip(submissions["file_number"], submissions["superseded_by"], strict=True))
    first, second = of_file["file_number"].tolist()
    assert replaced[first] == second
    assert pd.isna(replaced[second])


def test_a_clone_made_anew_is_read_once_and_changes_nothing(board: HubOnDisk) -> None:
    board.update()
    before = {spec.name: board.table(spec) for spec in (PREDICTIONS, QUARANTINE, SUBMISSIONS)}
    lines = board.table(FILES)
    for path in (board.hub / "model-output").rglob("*.csv"):
        age(path)
    outcomes = board.update()
    assert sum(change.changed for change in outcomes["predictions"].changes) == 0
    for spec in (PREDICTIONS, QUARANTINE, SUBMISSIONS):
        pd.testing.assert_frame_equal(board.table(spec), before[spec.name])
    pd.testing.assert_frame_equal(board.table(FILES).drop(columns="received_at"), lines.drop(columns="received_at"))
    assert recomputed(board.update()) == {}


def test_what_is_gone_from_the_hub_is_gone_from_the_board_but_not_forgotten(board: HubOnDisk) -> None:
    board.update()
    path_of(board, "team-baseline").unlink()
    path_of(board, "team-one", "2024-12-21").unlink()
    board.update()
    assert set(board.table(PREDICTIONS)[["model_id", "cycle"]].itertuples(index=False, name=None)) == {
        ("team-one", pd.Timestamp(FIRST))
    }
    lines = board.table(FILES).set_index("name")["status"].to_dict()
    assert lines["model-output/team-baseline/2024-12-14-team-baseline.csv"] == "gone"
    assert lines["model-output/team-one/2024-12-21-team-one.csv"] == "gone"
    assert recomputed(board.update()) == {}
    put_submission(board.hub, "team-baseline")
    board.update()
    assert "team-baseline" in set(board.table(PREDICTIONS)["model_id"])


def test_a_run_that_is_killed_after_the_predictions_reads_their_round_again(
    board: HubOnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(hub_tables._Files, "finish", lambda self: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            board.update()
    assert len(board.table(PREDICTIONS)) == 3 * ROWS - 3
    board.update()
    assert len(board.table(FILES)) == 3
    assert len(board.table(QUARANTINE)) == 3


def test_outcomes_count_from_when_they_are_seen_and_only_changes_are_kept(board: HubOnDisk) -> None:
    board.update()
    first = board.table(TRUTH)
    assert len(first) == 3
    put_outcomes(board.hub, COUNTS.replace("US,2024-12-14,count,quantile,NA,5", "US,2024-12-14,count,quantile,NA,7"))
    board.update()
    rows = board.table(TRUTH).query("subject == 'US' and target_time == @FIRST").sort_values("known_at")
    assert rows["value"].tolist() == [5.0, 7.0]
    assert len(board.table(TRUTH)) == 4


def test_outcomes_that_are_dated_count_from_their_dates(board: HubOnDisk) -> None:
    put_outcomes(
        board.hub,
        "target,date,location,observation,as_of\n"
        "count,2024-12-14,US,4,2024-12-18\ncount,2024-12-14,US,4,2024-12-25\ncount,2024-12-14,US,5,2025-01-01\n",
        "time-series.csv",
    )
    assert board.contract.truth.known_at == "column"
    board.update()
    rows = board.table(TRUTH).query("subject == 'US' and target_time == @FIRST").sort_values("known_at")
    assert list(zip(rows["known_at"], rows["value"], strict=True)) == [
        (pd.Timestamp("2024-12-18"), 4.0),
        (pd.Timestamp("2025-01-01"), 5.0),
    ]


def test_categories_are_scored_by_the_place_of_the_one_that_came_true(board: HubOnDisk) -> None:
    other = HubOnDisk(board.hub, board.folder, "change")
    other.update_all()
    scores = other.table(SCORES).query("model_id == 'team-baseline' and horizon == 0")
    # Probabilities .2, .5 and .3; the third came true: squares of .2 and .7.
    assert scores["value"].tolist() == pytest.approx([0.2**2 + 0.7**2])


def test_rounds_in_small_blocks_give_the_same_tables(board: HubOnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_tables, "_rounds_per_block", lambda _: 1)
    one_by_one = HubOnDisk(board.hub, board.folder.with_name("other"))
    one_by_one.update()
    monkeypatch.undo()
    board.update()
    for spec in (PREDICTIONS, QUARANTINE, SUBMISSIONS):
        pd.testing.assert_frame_equal(one_by_one.table(spec), board.table(spec))


def test_a_change_of_the_rules_reads_everything_again(board: HubOnDisk) -> None:
    board.update()
    config = board.hub / "hub-config" / "tasks.json"
    config.write_text(config.read_text().replace('"minimum": 0}', '"minimum": 2}'))
    assert recomputed(board.update())["predictions"] == 2
    rows = board.table(PREDICTIONS)
    assert rows["value"].min() >= 2 or rows.empty
    newest = board.table(FILES).sort_values("file_number").drop_duplicates("name", keep="last")
    assert (newest["n_rejected"] > 0).all()


def test_forced_by_hand_changes_nothing(board: HubOnDisk) -> None:
    board.update()
    before = board.table(FILES)
    with board.files.write("a test") as store:
        outcome = hub_tables.update_predictions(store, board.contract, Recompute(force=True))
        hub_tables.update_truth(store, board.contract, Recompute(force=True))
    assert sum(change.cycles for change in outcome.changes) == 2
    assert sum(change.changed for change in outcome.changes) == 0
    pd.testing.assert_frame_equal(board.table(FILES), before)
    assert np.isfinite(board.table(PREDICTIONS)["value"]).all()
