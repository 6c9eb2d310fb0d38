"""A warehouse rebuilt out of what is kept is the one that it was made beside, and every kind of loss is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.components import competition
from pipeline.components.llm_rankings import ASSETS
from pipeline.components.recompute import Recompute
from pipeline.landing import inbox
from pipeline.operation import OperationError, Report
from pipeline.operation.known_differences import COLUMNS, TABLES
from pipeline.settings import settings
from pipeline.tables import ALL_TABLES, FILES, LLM_SNAPSHOTS, TRUTH
from pipeline_tests.competition.hub.toy_hub import COUNTS, put_outcomes, put_submission, submission, write_hub
from pipeline_tests.components.hub_boards import HubOnDisk
from pipeline_tests.components.inbox_contest import InboxContest, predictions, truth
from pipeline_tests.conftest import toy_environment
from pipeline_tests.landing.publisher import Publisher
from pipeline_tests.operation.contest import DAYS, begun, bring, computed, rebuilt
from pipeline_tests.rankings_graph import MODELS, RankingsGraph
from pipeline_tests.toy_contest import ToyContest, contract, week
from pipeline_tests.toy_graph import FILE, ToyGraph, bring_up_to_date
from pipeline_tests.track_graph import TrackGraph, write_run


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(competition, "_PICTURES", {})
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0.0)


def assert_equal(report: Report) -> None:
    assert report.differing == [], report.differing
    assert report.out_of_date == ()
    assert report.tables


def compared(report: Report) -> dict[str, int]:
    return {one.table: one.rows_rebuilt for one in report.tables}


# --- a contest whose files arrive


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The data folder of a contest with files in time, late, again, refused, and waiting; do not write there."""
    folder = tmp_path_factory.mktemp("made")
    with toy_environment(folder, dbt_dir), pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        contest = InboxContest(folder)
        for model in "ab":
            contest.drop("predictions", predictions(model, *DAYS))
        contest.drop("truth", truth(*DAYS))
        bring(contest)
        contest.drop("predictions", predictions("a", DAYS[0], seed=5))
        contest.drop("predictions", "nonsense")
        contest.drop("truth", truth(DAYS[0], seed=9))
        bring(contest)
        contest.drop("predictions", predictions("waiting", *DAYS))
    return folder


@pytest.fixture(scope="module")
def computed_folder(made: Path, tmp_path_factory: pytest.TempPathFactory, dbt_dir: Path) -> Path:
    """The data folder of a rebuild of that contest, computed; do not write there."""
    folder = tmp_path_factory.mktemp("rebuilt")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with toy_environment(folder, dbt_dir), pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "SETTLED_SECONDS", 0.0)
        contest = InboxContest(folder)
        assert_equal(rebuilt(contest))
        return begun(contest.contract).data_dir


def copying(computed_folder: Path) -> Callable[[Path], None]:
    """A rebuild computes nothing: its warehouse is that of one that was computed before, out of the same archive."""

    def copy(folder: Path) -> None:
        shutil.copy(computed_folder / FILE, folder / FILE)

    return copy


def compared_with(contest: InboxContest, computed_folder: Path) -> Report:
    """The contest beside the rebuild of what is in its archive."""
    return computed(begun(contest.contract), copying(computed_folder))


@pytest.fixture
def contest(toy: ToyContest, tmp_path: Path, made: Path) -> InboxContest:
    """The contest in a folder of the test's own."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return InboxContest(tmp_path)


def test_a_file_of_no_known_format_is_refused_for_the_ending_that_it_came_with(contest: InboxContest) -> None:
    contest.drop("predictions", "a letter", "letter.docx")
    bring(contest)
    (status,) = contest.table(FILES).query("name == 'letter.docx'")["status"]
    assert status.startswith("unreadable: .docx is no format")
    assert_equal(rebuilt(contest))


def test_what_arrived_is_rebuilt_and_what_waits_is_left_alone(contest: InboxContest) -> None:
    report = rebuilt(contest)
    assert_equal(report)
    assert compared(report)["competition.files"] == 6
    assert compared(report)["quarantine.rows"] > 0
    assert len(list((contest.folder / "inbox" / "toy" / "predictions").iterdir())) == 1
    assert report.taken_over == ()


def test_the_present_warehouse_and_all_that_is_kept_stay_as_they_are_to_the_last_byte(contest: InboxContest) -> None:
    def kept() -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for folder in ("warehouse", "archive", "inbox")
            for path in (contest.folder / folder).rglob("*")
            if path.is_file() and path.suffix != ".lock"
        }

    before = kept()
    rebuilt(contest)
    assert kept() == before


@pytest.mark.parametrize(
    ("harm", "table", "counts"),
    [
        ("UPDATE competition.leaderboard SET rank_key = rank_key + 0.01", "competition.leaderboard", (0, 0, None)),
        ("DELETE FROM landing.truth_rows WHERE row_number = 3", "landing.truth_rows", (0, None, 0)),
        ("INSERT INTO competition.models FROM competition.models LIMIT 1", "competition.models", (1, 0, 0)),
        ("UPDATE competition.files SET name = 'x' WHERE file_number = 2", "competition.files", (0, 0, 1)),
    ],
)
def test_harm_to_the_warehouse_is_found(
    contest: InboxContest, computed_folder: Path, harm: str, table: str, counts: tuple[int | None, ...]
) -> None:
    with contest.graph.open() as store:
        store.connection.execute(harm)
    (found,) = compared_with(contest, computed_folder).differing
    assert found.table == table
    for given, expected in zip((found.missing, found.extra, found.changed), counts, strict=True):
        assert given == expected or (expected is None and given > 0)
    assert found.example is not None


def test_a_file_of_the_archive_that_was_lost_is_found(contest: InboxContest) -> None:
    line = json.loads((contest.folder / "archive" / "toy.arrivals.jsonl").read_text().splitlines()[1])
    (contest.folder / "archive" / "toy" / line["file"]).unlink()
    lost = {one.table: one for one in rebuilt(contest).differing}
    assert lost["competition.files"].missing == 1
    assert lost["competition.files"].example.key["file_number"] == str(line["numbers"]["predictions"])


def test_a_warehouse_that_an_older_declaration_made_is_out_of_date(contest: InboxContest) -> None:
    report = rebuilt(contest, metrics=["ic", "ic_sharpe", "hit_rate"])
    assert "toy/cycle_metrics" in report.out_of_date
    assert "competition.cycle_metrics" in {one.table for one in report.differing}


def test_a_rebuilt_warehouse_can_take_the_place_of_the_present_one(
    contest: InboxContest, computed_folder: Path
) -> None:
    with contest.graph.open() as store:
        store.connection.execute("DELETE FROM competition.scores")
    harmed = (contest.folder / FILE).read_bytes()
    one = begun(contest.contract)
    assert computed(one, copying(computed_folder)).differing
    rows = {name: len(table) for name, table in InboxContest(one.data_dir).tables().items()}

    aside = one.replace("old")

    assert aside.read_bytes() == harmed
    assert {name: len(table) for name, table in contest.tables().items()} == rows
    assert not one.rebuilt.exists()
    bring(contest)  # what waited lands, and what is declared is compared again
    assert_equal(rebuilt(contest))


def test_what_landed_while_a_rebuild_was_made_lands_again_after_it_took_the_place(
    contest: InboxContest, computed_folder: Path
) -> None:
    one = begun(contest.contract)
    computed(one, copying(computed_folder))
    contest.land(("predictions", predictions("meanwhile", *DAYS)))
    before = contest.table(FILES).drop(columns="landed_at")
    one.replace("old")
    contest.land()
    assert contest.table(FILES).drop(columns="landed_at").equals(before)


def test_a_part_of_the_boards_cannot_take_the_place_of_all(contest: InboxContest) -> None:
    second = contract("other")
    one = begun(contest.contract, declared={"toy": contest.contract, "other": second})
    with pytest.raises(OperationError, match="only toy were rebuilt, so other would be gone"):
        one.replace("old")


def test_what_is_known_of_runs_is_not_what_a_rebuild_writes(contest: InboxContest) -> None:
    (contest.folder / "health").mkdir()
    (contest.folder / "health" / "health.json").write_text("what the present runs came to")
    one = begun(contest.contract)
    one.prepare()
    assert not (one.data_dir / "health").exists()
    one.clear()
    assert (contest.folder / "health" / "health.json").read_text() == "what the present runs came to"


def test_two_rebuilds_at_once_are_refused(contest: InboxContest) -> None:
    first, second = begun(contest.contract), begun(contest.contract)
    with first.alone(), pytest.raises(OperationError, match="another rebuild is being made"), second.alone():
        pass
    with begun(contest.contract).alone():
        pass


def test_a_board_that_nothing_declares_is_named(contest: InboxContest, computed_folder: Path) -> None:
    with contest.graph.open() as store:
        store.connection.execute(
            "INSERT INTO catalog.boards SELECT 'gone', kind, title, contract, 0 FROM catalog.boards"
        )
    report = compared_with(contest, computed_folder)
    assert report.not_declared == ("gone",)
    assert_equal(report)


# --- other kinds of boards


def test_a_contest_with_a_source_is_rebuilt_and_earlier_outcomes_are_taken_over(
    toy: ToyContest, tmp_path: Path
) -> None:
    toy.n_cycles, toy.vintages = 12, [one for one in toy.vintages if one.cycle < 11]
    graph = ToyGraph(tmp_path)
    with graph.open() as store:
        bring_up_to_date(store, contract())
    toy.revise(3, "S1", 0.5, known_at=week(5))
    toy.add_cycle()
    with graph.open() as store:
        bring_up_to_date(store, contract())
    toy.vintages = [one for one in toy.vintages if (one.cycle, one.subject) != (3, "S1") or one.value == 0.5]

    def compute(folder: Path) -> None:
        with ToyGraph(folder).open() as store:
            bring_up_to_date(store, contract())

    with graph.open() as store:
        bring_up_to_date(store, contract())
    report = computed(begun(contract()), compute)
    assert_equal(report)
    assert [(one.board, one.table) for one in report.taken_over] == [("toy", TRUTH.qualified_name)]
    assert compared(report)["competition.leaderboard"] > 0


def test_a_hub_is_rebuilt_with_the_numbers_that_its_files_had(toy: ToyContest, tmp_path: Path) -> None:
    hub = write_hub(tmp_path / "hub")
    put_submission(hub, "team-baseline")
    put_submission(hub, "team-one")
    put_outcomes(hub, COUNTS)
    board = HubOnDisk(hub, tmp_path)
    board.update_all()
    put_submission(hub, "team-baseline", submission().iloc[::2])  # read again, under another number
    board.update_all()
    put_outcomes(hub, COUNTS.replace("NA,5", "NA,7"))
    board.update_all()
    report = computed(begun(board.contract), lambda folder: _update(HubOnDisk(hub, folder)))
    assert_equal(report)
    assert "competition.truth" in {one.table for one in report.taken_over}
    assert compared(report)["competition.files"] == 3
    assert compared(report)["competition.scores"] > 0


def _update(board: HubOnDisk) -> None:
    board.update_all()


def test_a_judged_track_is_rebuilt_from_the_files_that_lie_in_the_inbox(toy: ToyContest, tmp_path: Path) -> None:
    track = TrackGraph(tmp_path)
    for place in (track.official, track.judge()):
        for number, run in enumerate("abc"):
            write_run(place, run, {f"t{topic}": [0.1 * number + 0.01 * topic] for topic in range(5)})
    track.bring()
    report = computed(begun(track.declared), lambda folder: _run_track(TrackGraph(folder)))
    assert_equal(report)
    assert compared(report)["judging.measures"] > 0
    assert report.taken_over == ()


def _run_track(track: TrackGraph) -> None:
    track.bring()


def test_a_ranking_is_rebuilt_from_its_snapshots_without_asking_anybody(
    toy: ToyContest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.cache_clear()
    with Publisher() as publisher:
        graph = RankingsGraph(tmp_path, publisher)
        graph.says("arena", MODELS)
        graph.says("mine", MODELS)
        graph.update()
        with graph.open() as store:
            yesterday = "SELECT * REPLACE (day - INTERVAL 1 DAY AS day) FROM llm.snapshots"
            store.connection.execute(f"INSERT INTO llm.snapshots {yesterday}")
        asked = len(publisher.asked)
        report = computed(begun(graph.declared), lambda folder: _update_ranking(RankingsGraph(folder, publisher)))
        assert len(publisher.asked) == asked
    assert_equal(report)
    assert [one.table for one in report.taken_over] == [LLM_SNAPSHOTS.qualified_name]
    assert compared(report)["llm.leaderboard"] == len(MODELS)
    assert compared(report)["llm.snapshots"] == 2 * len(MODELS)


def _update_ranking(graph: RankingsGraph) -> None:
    with graph.open() as store:
        for _, update, _ in ASSETS:
            update(store, graph.declared, Recompute())


def test_every_table_is_compared_or_excused_for_a_reason(contest: InboxContest) -> None:
    assert all(len(why) > 20 for why in (*TABLES.values(), *COLUMNS.values()))
    assert {name for name in TABLES if not name.startswith("meta.")} == {"marts.freshness"}
    assert {name for name in COLUMNS if not any(name in spec.column_names for spec in ALL_TABLES)} == set()
