"""A file dropped in the inbox becomes a board; what came late, twice or wrongly changes nothing that it may not."""

import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from scipy.stats import spearmanr

from pipeline.components import competition
from pipeline.components import inbox as inbox_component
from pipeline.components.competition_checks import of_table
from pipeline.landing import inbox, land
from pipeline.settings import settings
from pipeline.tables import (
    FACTORS,
    FILES,
    LEADERBOARD,
    MODELS,
    PREDICTIONS,
    QUARANTINE,
    SCORES,
    SNAPSHOTS,
    SUBJECTS,
    SUBMISSIONS,
    TRUTH,
)
from pipeline_tests.components.inbox_contest import SUBJECTS as NAMES
from pipeline_tests.components.inbox_contest import InboxContest, cycle, predictions, truth
from pipeline_tests.toy_contest import ToyContest
from pipeline_tests.toy_graph import FILE, assert_same_tables, failed_checks, metadata, recomputed

DAYS = (9, 8, 7)
Make = Callable[..., InboxContest]


@pytest.fixture
def make(toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A contest with changes to its declaration, in an environment of its own."""
    monkeypatch.setattr(competition, "_PICTURES", {})
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    return lambda **changes: InboxContest(tmp_path, changes)


@pytest.fixture
def contest(make: Make) -> InboxContest:
    """Two models and the outcomes of three cycles, landed."""
    contest = make()
    done = contest.run(*(("predictions", predictions(model, *DAYS)) for model in "ab"), ("truth", truth(*DAYS)))
    assert failed_checks(done) == {}
    return contest


def ic(contest: InboxContest) -> dict[str, float]:
    """The board's mean IC of each model at its newest moment."""
    board = contest.table(LEADERBOARD)
    newest = board[board["as_of"] == board["as_of"].max()]
    return dict(zip(newest["model_id"], newest["rank_key"], strict=True))


def by_hand(predicted: pd.DataFrame, outcomes: pd.DataFrame) -> float:
    """The mean over cycles of scipy's Spearman correlation."""
    both = predicted.merge(outcomes, on=["cycle", "subject"])
    return float(both.groupby("cycle").apply(lambda rows: spearmanr(rows["value_x"], rows["value_y"])[0]).mean())


def test_dropped_files_become_a_board(contest: InboxContest) -> None:
    assert ic(contest) == pytest.approx(
        {model: by_hand(predictions(model, *DAYS), truth(*DAYS)) for model in "ab"}, abs=1e-12
    )
    assert contest.table(MODELS)[["model_id", "title", "player", "designated"]].to_numpy().tolist() == [
        ["a", "a", "", True],
        ["b", "b", "", True],
    ]
    assert contest.table(SUBJECTS)["subject"].tolist() == NAMES
    assert contest.table(FILES)["status"].tolist() == ["accepted"] * 3
    assert not list((contest.folder / "inbox" / "toy" / "predictions").iterdir())


def test_nothing_new_recomputes_nothing_and_the_same_files_change_nothing(contest: InboxContest) -> None:
    before = contest.tables()
    with contest.graph.open() as store:
        ledger = store.ledger("toy")
    again = [("predictions", predictions("a", *DAYS)), ("truth", truth(*DAYS))]
    for dropped in ([], again):
        done = contest.run(*dropped)
        assert set(recomputed(done).values()) == {0}
        assert metadata(done)["toy/files"]["podium/files_landed"] == 0

    assert_same_tables(contest.tables(), before)
    with contest.graph.open() as store:
        pd.testing.assert_frame_equal(store.ledger("toy"), ledger)


def test_a_lost_warehouse_takes_everything_again_from_the_archive_as_it_arrived(contest: InboxContest) -> None:
    late = predictions("a", DAYS[0], seed=5)
    contest.bring(("predictions", late))
    before = contest.tables()
    files = before.pop("files")
    shutil.rmtree(contest.folder / FILE.parent)

    done = contest.run()

    assert failed_checks(done) == {}
    assert metadata(done)["toy/files"]["podium/files_landed"] == 4
    assert_same_tables({name: rows for name, rows in contest.tables().items() if name in before}, before)
    pd.testing.assert_frame_equal(contest.table(FILES).drop(columns="landed_at"), files.drop(columns="landed_at"))
    assert set(contest.bring().values()) == {0}


def test_an_older_copy_of_the_warehouse_takes_again_what_it_lacks_and_what_was_tampered_with_is_left(
    contest: InboxContest,
) -> None:
    shutil.copy(contest.folder / FILE, contest.folder / "copy")
    contest.bring(("predictions", predictions("c", *DAYS)), ("predictions", predictions("d", *DAYS)))
    logged = contest.folder / "archive" / "toy.arrivals.jsonl"
    lines = [json.loads(line) for line in logged.read_text().splitlines()]
    (logged.parent / "toy" / lines[-1]["file"]).write_text("model_id\nsomething else\n")
    shutil.copy(contest.folder / "copy", contest.folder / FILE)
    with logged.open("a") as log:
        log.write('{"sha256": "cut off by a ki')

    contest.bring()

    assert contest.table(MODELS)["model_id"].tolist() == ["a", "b", "c"]


def lose(contest: InboxContest) -> None:
    """Lose the warehouse, and take again what is in the archive."""
    shutil.rmtree(contest.folder / FILE.parent)
    contest.bring()


def files_of(contest: InboxContest) -> pd.DataFrame:
    return contest.table(FILES).drop(columns="landed_at")


def test_what_was_no_file_keeps_its_line_and_all_files_their_numbers_when_they_are_taken_again(
    contest: InboxContest,
) -> None:
    place = contest.folder / "inbox" / "toy" / "predictions"
    (place / "link.csv").symlink_to(contest.folder / "secret.csv")
    contest.bring()
    time.sleep(0.01)
    os.mkfifo(place / "pipe.csv")
    contest.bring(("predictions", predictions("c", *DAYS)), ("predictions", "nonsense"))
    contest.bring(("predictions", predictions("c", *DAYS)))
    files = files_of(contest)
    assert files["status"].str.startswith("unreadable").tolist() == [False] * 3 + [True, True, False, True]

    for _ in range(2):
        lose(contest)
        pd.testing.assert_frame_equal(files_of(contest), files)
        assert set(contest.bring().values()) == {0}
        pd.testing.assert_frame_equal(files_of(contest), files)


def test_a_link_that_was_recorded_before_a_kill_is_not_recorded_twice(
    contest: InboxContest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    (contest.folder / "inbox" / "toy" / "predictions" / "link.csv").symlink_to("nothing")
    with monkeypatch.context() as patch:
        patch.setattr(land, "note_arrival", killed)
        with pytest.raises(KeyboardInterrupt):
            contest.bring()
    contest.bring()
    files = files_of(contest)
    assert len(files) == 4
    lose(contest)
    pd.testing.assert_frame_equal(files_of(contest), files)


def test_lines_stay_as_they_were_numbered_though_the_declaration_takes_more_now(make: Make, tmp_path: Path) -> None:
    """Two of the files gave a line only because registration was closed when they came first."""
    contest = make(models={"registration": "closed"})
    rows = pd.concat([predictions("a", 9), predictions("b", 9)])
    for model in "ab":
        contest.bring(("models", f"model_id\n{model}\n"), ("predictions", rows))
    contest.bring(("truth", truth(9)))
    assert contest.table(FILES)["status"].tolist() == ["accepted", "partly", "accepted", "accepted", "accepted"]

    contest = InboxContest(tmp_path)
    lose(contest)
    lines = contest.table(FILES)[["file_number", "kind", "status"]]
    assert lines["kind"].tolist() == ["models", "predictions", "models", "predictions", "truth"]
    assert lines["file_number"].tolist() == [1, 2, 3, 4, 5]
    assert set(lines["status"]) == {"accepted"}


def test_a_number_that_another_file_got_meanwhile_is_not_given_twice(contest: InboxContest) -> None:
    contest.bring(("predictions", predictions("c", *DAYS)))
    logged = contest.folder / "archive" / "toy.arrivals.jsonl"
    last = contest.folder / "archive" / "toy" / json.loads(logged.read_text().splitlines()[-1])["file"]
    last.rename(contest.folder / "away")
    lose(contest)
    contest.bring(("predictions", predictions("d", *DAYS)))
    (contest.folder / "away").rename(last)

    for _ in range(2):
        contest.bring()
        assert contest.table(FILES)["file_number"].tolist() == [1, 2, 3, 4, 5]
    assert contest.table(MODELS)["model_id"].tolist() == ["a", "b", "c", "d"]


def test_a_log_that_does_not_say_the_numbers_is_followed_in_its_order(contest: InboxContest) -> None:
    contest.bring(("predictions", predictions("a", DAYS[0], seed=5)))
    files = files_of(contest)
    logged = contest.folder / "archive" / "toy.arrivals.jsonl"
    older = [json.loads(line) for line in logged.read_text().splitlines()]
    for line in older:
        del line["numbers"], line["size_bytes"]
    logged.write_text("".join(json.dumps(line) + "\n" for line in older))

    lose(contest)
    pd.testing.assert_frame_equal(files_of(contest), files)


def test_a_resubmission_in_time_counts_as_a_whole_and_the_first_is_kept(contest: InboxContest) -> None:
    better = predictions("a", DAYS[0], seed=5).iloc[:-1]
    done = contest.run(("predictions", better))

    assert recomputed(done)["predictions"] == recomputed(done)["scores"] == 1
    taken = contest.table(PREDICTIONS).query("model_id == 'a' and cycle == @cycle(@DAYS[0])")
    assert taken["value"].tolist() == better["value"].tolist()
    of_cycle = contest.table(SUBMISSIONS).query("model_id == 'a' and cycle == @cycle(@DAYS[0])")
    assert of_cycle["n_rows"].tolist() == [8, 7]
    assert of_cycle["superseded_by"].fillna(0).tolist() == [of_cycle["file_number"].iloc[1], 0]


def test_going_back_to_an_earlier_submission_counts_and_sending_it_once_more_changes_nothing(
    contest: InboxContest,
) -> None:
    first, second = predictions("a", DAYS[0], seed=5), predictions("a", DAYS[0], seed=6)
    for content in (first, second, first):
        contest.bring(("predictions", content))
        taken = contest.table(PREDICTIONS).query("model_id == 'a' and cycle == @cycle(@DAYS[0])")
        assert taken["value"].tolist() == content["value"].tolist()
    landed = len(contest.table(FILES))
    assert set(contest.bring(("predictions", first)).values()) == {0}
    assert len(contest.table(FILES)) == landed == 6

    shutil.rmtree(contest.folder / FILE.parent)
    contest.bring()
    taken = contest.table(PREDICTIONS).query("model_id == 'a' and cycle == @cycle(@DAYS[0])")
    assert taken["value"].tolist() == first["value"].tolist()
    assert len(contest.table(FILES)) == landed


def test_a_late_submission_is_kept_flagged_and_not_scored_whatever_its_times_say(contest: InboxContest) -> None:
    rows = pd.concat([predictions("c", 30), predictions("a", 30, received_at=cycle(31))])
    os.utime(contest.drop("predictions", rows), (0, 0))
    done = contest.run(("truth", truth(30)))

    assert failed_checks(done) == {}
    assert metadata(done)["toy/files"]["podium/rows_late"] == 16
    late = contest.table(PREDICTIONS).query("cycle == @cycle(30)")
    assert late["is_late"].tolist() == [True] * 16
    assert contest.table(SUBMISSIONS).query("cycle == @cycle(30)")["is_late"].tolist() == [True, True]
    assert cycle(30) not in set(contest.table(SCORES)["cycle"])


def test_a_late_submission_does_not_replace_one_in_time(make: Make) -> None:
    contest = make(predictions={"source": "inbox", "deadline": "20d", "trusted": True})
    on_time = predictions("a", 9, received_at=cycle(8))
    contest.bring(("predictions", on_time), ("truth", truth(9)))
    before = contest.table(PREDICTIONS)
    contest.bring(("predictions", predictions("a", 9, seed=5, received_at=cycle(9) + timedelta(days=21))))

    pd.testing.assert_frame_equal(contest.table(PREDICTIONS), before)
    assert contest.table(SUBMISSIONS)["superseded_by"].fillna(0).tolist() == [0, 1]


def test_a_trusted_import_is_judged_by_its_own_times(make: Make) -> None:
    contest = make(predictions={"source": "inbox", "deadline": "0h", "trusted": True})
    rows = pd.concat([predictions("a", 90, received_at=cycle(90)), predictions("b", 90, received_at=cycle(89))])
    contest.bring(("predictions", rows), ("predictions", predictions("c", 90)), ("truth", truth(90)))

    assert contest.table(SCORES)["model_id"].unique().tolist() == ["a", "c"]
    assert contest.table(PREDICTIONS).groupby("model_id")["is_late"].all().to_dict() == {
        "a": False,
        "b": True,
        "c": False,
    }


def test_closed_registration_refuses_others_until_they_are_registered(make: Make) -> None:
    contest = make(models={"registration": "closed"}, subjects={"registration": "closed"})
    rows = pd.concat([predictions("a", 9), predictions("b", 9)])
    subjects = pd.DataFrame({"subject": NAMES[1:], "title": NAMES[1:]})
    contest.bring(("models", "model_id,player\na,Ann\n"), ("subjects", subjects), ("predictions", rows))
    assert contest.table(PREDICTIONS)["model_id"].unique().tolist() == ["a"]
    assert contest.table(QUARANTINE)["reason"].nunique() == 2

    contest.bring(("models", "model_id,designated\nb,no\n"), ("predictions", rows), ("truth", truth(9)))
    board = contest.table(MODELS)[["model_id", "player", "designated"]]
    assert board.to_numpy().tolist() == [["a", "Ann", True], ["b", "", False]]
    assert contest.table(PREDICTIONS).groupby("model_id").size().to_dict() == {"a": 7, "b": 7}
    of_kind = contest.table(FILES).query("kind == 'predictions'")
    assert of_kind[["n_rows", "n_accepted", "n_rejected"]].to_numpy().tolist() == [[16, 7, 9], [16, 14, 2]]
    assert of_kind["sha256"].nunique() == 1
    assert contest.table(SUBMISSIONS).query("model_id == 'a'")["superseded_by"].notna().tolist() == [True, False]


def test_a_later_registration_replaces_the_earlier(contest: InboxContest) -> None:
    contest.bring(("models", "model_id,title,player\na,First,Ann\nz,Last,Zoe\n"))
    contest.bring(("models", "model_id,title,version\na,Second,2\n"))

    found = contest.table(MODELS)[["model_id", "title", "player", "version"]]
    assert found.to_numpy().tolist() == [["a", "Second", "", "2"], ["b", "b", "", "1"], ["z", "Last", "Zoe", "1"]]


@pytest.mark.parametrize("wide", [True, False])
def test_factors_come_wide_or_long(make: Make, wide: bool) -> None:
    contest = make(factors={"source": "inbox", **({"values": ["beta", "size"]} if wide else {})})
    table = truth(9).rename(columns={"value": "beta"}).assign(size=range(8))
    long = table.melt(["cycle", "subject"], var_name="factor", value_name="value")
    contest.bring(("factors", table if wide else long), ("predictions", predictions("a", 9)))
    later = table.iloc[:1].assign(size=99.0)
    contest.bring(("factors", later if wide else later.melt(["cycle", "subject"], var_name="factor")))

    found = contest.table(FACTORS)
    assert len(found) == 16
    assert found.query("factor == 'size'")["value"].tolist() == [99.0, *range(1, 8)]


@pytest.mark.parametrize("min_subjects", [1, None])
def test_a_contest_of_one_subject_is_ranked_by_what_looks_at_single_predictions(
    make: Make, min_subjects: int | None
) -> None:
    contest = make(
        min_subjects=min_subjects,
        scoring={"rule": "absolute_error", "primary": "score"},
        metrics=["score", "hit_rate"],
        leaderboard={"rank_by": "all.score", "tie_breakers": ["all.hit_rate"]},
    )
    one = [rows[rows["subject"] == NAMES[0]] for rows in (predictions("a", *DAYS), predictions("b", *DAYS))]
    outcomes = truth(*DAYS).query("subject == @NAMES[0]")
    done = contest.run(*(("predictions", rows) for rows in one), ("truth", outcomes))

    assert failed_checks(done) == {}
    errors = {
        model: (rows["value"].to_numpy() - outcomes["value"].to_numpy()).__abs__().mean()
        for model, rows in zip("ab", one, strict=True)
    }
    assert ic(contest) == pytest.approx(errors)
    board = contest.table(LEADERBOARD)
    newest = board[board["as_of"] == board["as_of"].max()].set_index("model_id")
    assert newest.loc[min(errors, key=errors.__getitem__), "rank"] == 1
    assert set(newest["status"]) == {"ranked"}


def test_one_folder_may_feed_predictions_and_truth(make: Make) -> None:
    contest = make(
        predictions={"source": "inbox", "deadline": "20d", "files": "both", "columns": {"value": "signal"}},
        truth={"source": "inbox", "files": "both", "columns": {"value": "realized"}},
    )
    outcomes = truth(*DAYS).rename(columns={"value": "realized"})
    both = [
        predictions(model, *DAYS).rename(columns={"value": "signal"}).merge(outcomes, on=["cycle", "subject"])
        for model in "ab"
    ]
    contest.bring(("both", pd.concat(both)))

    assert contest.table(FILES)[["kind", "n_accepted"]].to_numpy().tolist() == [["predictions", 48], ["truth", 48]]
    assert len(contest.table(TRUTH)) == 24
    assert ic(contest) == pytest.approx(
        {model: by_hand(predictions(model, *DAYS), truth(*DAYS)) for model in "ab"}, abs=1e-12
    )


def test_a_new_cycle_computes_itself_only(contest: InboxContest) -> None:
    before = contest.tables()
    done = contest.bring(("predictions", predictions("a", 6)), ("truth", truth(6)))

    assert {name: done[name] for name in ("submissions", "predictions", "truth", "scores", "cycle_metrics")} == {
        "submissions": 1,
        "predictions": 1,
        "truth": 1,
        "scores": 1,
        "cycle_metrics": 1,
    }
    assert_boards_until(contest, before, cycle(6))


def test_late_truth_of_an_old_cycle_computes_that_cycle_and_boards_before_stay(make: Make) -> None:
    contest = make(truth={"source": "inbox", "known_at": "arrival"})
    contest.bring(*(("predictions", predictions(model, 10, *DAYS)) for model in "ab"), ("truth", truth(*DAYS)))
    before = contest.tables()
    done = contest.bring(("truth", truth(10)))

    assert (done["truth"], done["scores"], done["cycle_metrics"]) == (1, 1, 1)
    assert done["predictions"] == done["submissions"] == 0
    boards = contest.table(LEADERBOARD)["as_of"]
    assert boards.nunique() == 2
    assert_boards_until(contest, before, boards.max())
    assert ic(contest)["a"] == pytest.approx(by_hand(predictions("a", 10, *DAYS), truth(10, *DAYS)), abs=1e-12)


def test_corrected_truth_makes_a_new_board_and_taking_it_back_another(contest: InboxContest) -> None:
    first = ic(contest)
    before = contest.tables()
    contest.bring(("truth", truth(DAYS[0], seed=7)))
    assert ic(contest) != first
    assert_boards_until(contest, before, cycle(0))

    contest.bring(("truth", truth(DAYS[0]).assign(more=1)))
    assert ic(contest) == first
    assert len(contest.table(TRUTH).query("target_time == @cycle(@DAYS[0] - 1)")) == 3 * len(NAMES)


def assert_boards_until(contest: InboxContest, before: dict[str, pd.DataFrame], as_of: Any) -> None:
    for spec in (SNAPSHOTS, LEADERBOARD):
        old, new = (
            rows[rows["as_of"] < as_of].reset_index(drop=True) for rows in (before[spec.name], contest.table(spec))
        )
        assert len(old)
        pd.testing.assert_frame_equal(new, old, check_exact=True)


def test_one_run_lands_so_many_files_and_the_next_goes_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = make()
    for number in range(5):
        contest.drop("predictions", predictions(f"m{number}", 9), f"{number}.csv")
        time.sleep(0.01)
    contest.run(max_files=2)
    assert contest.table(FILES)["name"].tolist() == ["0.csv", "1.csv"]

    monkeypatch.setenv("PODIUM_FILES_PER_RUN", "2")
    settings.cache_clear()
    contest.bring()
    contest.bring()
    assert contest.table(FILES)["name"].tolist() == [f"{number}.csv" for number in range(5)]


def test_files_that_may_not_be_read_wait_and_keep_none_from_landing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = make()
    locked = contest.drop("predictions", predictions("a", 9), "locked.csv")
    time.sleep(0.01)
    contest.drop("predictions", predictions("b", 9), "open.csv")
    land_file = inbox_component.land_file

    def refusing(store: Any, delivery: Any, *more: Any) -> Any:
        if delivery.path == locked:
            raise PermissionError(13, "Permission denied")
        return land_file(store, delivery, *more)

    monkeypatch.setattr(inbox_component, "land_file", refusing)
    contest.run(max_files=1)

    assert contest.table(FILES)["name"].tolist() == ["open.csv"]
    assert locked.exists()


def test_a_file_that_is_still_written_waits(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = make()
    path = contest.drop("predictions", predictions("a", 9))
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 3600.0)
    monkeypatch.setattr(inbox_component, "_LONGEST_WAIT", 0.2)
    contest.bring()
    assert path.exists()

    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)
    contest.bring()
    assert not path.exists()


@pytest.mark.parametrize(
    ("spec", "name", "damage"),
    [
        (FILES, "rows_of_files_add_up", "UPDATE competition.files SET n_rows = n_rows + 1 WHERE file_number = 1"),
        (FILES, "rows_of_files_add_up", "DELETE FROM quarantine.rows"),
        (FILES, "rows_of_files_add_up", "DELETE FROM landing.prediction_rows WHERE row_number = 1"),
        (SUBMISSIONS, "one_submission_counts", "UPDATE competition.submissions SET superseded_by = NULL"),
        (SUBMISSIONS, "one_submission_counts", "UPDATE competition.submissions SET superseded_by = 99"),
        (
            SUBMISSIONS,
            "one_submission_counts",
            "UPDATE competition.submissions SET superseded_by = 99 WHERE superseded_by IS NOT NULL",
        ),
        (
            SUBMISSIONS,
            "one_submission_counts",
            "UPDATE competition.submissions SET is_late = superseded_by IS NULL",
        ),
    ],
)
def test_checks_find_what_does_not_add_up(contest: InboxContest, spec: Any, name: str, damage: str) -> None:
    wrong = predictions("a", DAYS[0], seed=5).assign(value=["x"] + [1.0] * 7)
    assert failed_checks(contest.run(("predictions", wrong))) == {}
    checked = next(one for one in of_table(spec) if one.name == name)
    contest.graph.execute(damage)

    with contest.graph.open() as store:
        result = checked.run(store, contest.contract.name)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
