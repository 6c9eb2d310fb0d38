"""A judged track in the graph: from files that stay where they are to its tables, and only what changed again."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipeline.components import JudgedTrack
from pipeline.judging import TrackError
from pipeline.landing import inbox
from pipeline.settings import settings
from pipeline.tables import (
    COMPARISONS,
    CORRELATIONS,
    JUDGING_TABLES,
    MEASURE_SPECS,
    MEASURES,
    TRACK_FILES,
    TRACK_LEADERBOARD,
)
from pipeline_tests.conftest import SHARED_DATA
from pipeline_tests.toy_graph import failed_checks, metadata, recomputed
from pipeline_tests.track_graph import TrackGraph, track, write_run

ASSETS = ("catalog", "files", "measures", "leaderboard", "correlations", "comparisons")
NOTHING = dict.fromkeys(ASSETS, 0)
EVERYTHING = dict.fromkeys(ASSETS, 1)
RUNS = ("alpha", "beta", "gamma", "delta")
TOPICS = [str(number) for number in range(301, 313)]
pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")


def values_of(run: str, shift: float = 0.0) -> dict[str, list[float]]:
    """What a file says of a run, topic by topic."""
    chance = np.random.default_rng([len(run), RUNS.index(run)])
    level = 0.2 * (1 + RUNS.index(run)) + shift
    return {topic: [round(float(np.clip(level + chance.normal(scale=0.03), 0, 1)), 4)] for topic in TOPICS}


@contextmanager
def graph_in(folder: Path) -> Iterator[TrackGraph]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(folder))
        settings.cache_clear()
        yield TrackGraph(folder)
    settings.cache_clear()


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[TrackGraph]:
    """A track of four runs and one judge, in an environment of its own; nothing is computed yet."""
    with graph_in(tmp_path) as made:
        write_runs(made)
        yield made


def write_runs(track: TrackGraph) -> None:
    for run in RUNS:
        write_run(track.official, run, values_of(run))
        write_run(track.judge(), run, values_of(run, -0.05))


@pytest.fixture(scope="module")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of ``filled``; do not write there."""
    folder = tmp_path_factory.mktemp("filled")
    with graph_in(folder) as made:
        write_runs(made)
        made.bring()
    return folder


@pytest.fixture
def filled(filled_folder: Path, tmp_path: Path) -> Iterator[TrackGraph]:
    """The same with all that follows from the files computed."""
    shutil.copytree(filled_folder, tmp_path, dirs_exist_ok=True)
    with graph_in(tmp_path) as made:
        yield made


def ranks(graph: TrackGraph, judge: str = "official") -> dict[str, Any]:
    rows = graph.table(TRACK_LEADERBOARD)
    return rows[rows["judge"] == judge].set_index("run_id")["rank"].to_dict()


def test_files_become_every_table_and_stay_where_they_are(graph: TrackGraph) -> None:
    before = {path: path.stat().st_mtime_ns for path in graph.folder.rglob("*.eval")}

    result = graph.run()

    assert recomputed(result) == EVERYTHING
    assert failed_checks(result) == {}
    assert {path: path.stat().st_mtime_ns for path in graph.folder.rglob("*.eval")} == before
    assert ranks(graph) == ranks(graph, "umbrela") == {"delta": 1, "gamma": 2, "beta": 3, "alpha": 4}
    files = graph.table(TRACK_FILES)
    assert set(files["name"]) == {
        f"inbox/robust/{folder}/{run}.eval" for folder in ("official", "judges/umbrela") for run in RUNS
    }
    assert files["status"].tolist() == ["accepted"] * 8
    assert len(graph.table(MEASURES)) == 2 * 4 * 13
    assert len(graph.table(COMPARISONS)) == 2 * 6
    correlations = graph.table(CORRELATIONS)
    assert set(correlations["judge"]) == {"umbrela"}
    assert correlations[correlations["topic_id"] == "all"]["value"].tolist() == pytest.approx([1.0] * 3)
    assert graph.table(MEASURE_SPECS)["taken_from"].unique().tolist() == ["known: trec_eval"]


def test_a_second_run_does_nothing_and_says_so(filled: TrackGraph) -> None:
    again = filled.run()

    assert recomputed(again) == NOTHING
    assert {said["podium/why"] for said in metadata(again).values()} == {"nothing new: 0 cycles recomputed"}


def test_a_file_that_is_touched_and_not_changed_is_nothing_new(filled: TrackGraph) -> None:
    for path in filled.folder.rglob("*.eval"):
        os.utime(path)
    assert filled.bring().recomputed == NOTHING


def test_a_changed_file_recomputes_all_that_follows(filled: TrackGraph) -> None:
    write_run(filled.official, "alpha", values_of("alpha", 0.7))

    assert filled.bring().recomputed == EVERYTHING | {"catalog": 0}
    assert ranks(filled)["alpha"] == 1
    assert ranks(filled, "umbrela")["alpha"] == 4


def test_a_broken_file_is_refused_with_its_line_and_the_others_make_the_board(graph: TrackGraph) -> None:
    (graph.official / "omega.eval").write_text("map\t301\t0.5\nmap\t302\thalf\n", encoding="utf-8")

    result = graph.run()

    assert failed_checks(result) == {"files.every_file_is_read": "WARN"}
    said = metadata(result)["robust/files"]
    why = "inbox/robust/official/omega.eval:2: map is 'half', which is no number"
    assert said["podium/files"] == "8 accepted, 1 refused"
    assert said["podium/refused"] == f"official: inbox/robust/official/omega.eval: {why}"
    assert set(ranks(graph)) == set(RUNS)
    (row,) = graph.table(TRACK_FILES).query("status != 'accepted'").to_dict("records")
    assert (row["reason"], row["n_rows"]) == (why, 0)
    assert metadata(graph.run("files"))["robust/files"]["podium/files"] == "8 accepted, 1 refused"

    write_run(graph.official, "omega", {topic: [0.99] for topic in TOPICS})
    graph.bring()
    assert graph.failing() == {}
    assert ranks(graph)["omega"] == 1


def test_a_file_that_was_taken_away_is_on_the_board_no_more(filled: TrackGraph) -> None:
    (filled.official / "delta.eval").unlink()

    assert filled.bring().recomputed == EVERYTHING | {"catalog": 0}
    assert ranks(filled) == {"gamma": 1, "beta": 2, "alpha": 3}
    assert ranks(filled, "umbrela")["delta"] == 1
    assert set(filled.table(CORRELATIONS)["n_runs"]) == {3}


def test_a_track_without_files_yet_is_empty_and_fills_when_they_come(graph: TrackGraph) -> None:
    kept = {path: path.read_bytes() for path in graph.folder.rglob("*.eval")}
    for path in kept:
        path.unlink()

    graph.bring()

    assert graph.failing() == {}
    assert [len(graph.table(spec)) for spec in JUDGING_TABLES] == [0] * len(JUDGING_TABLES)
    for path, content in kept.items():
        path.write_bytes(content)
    graph.bring()
    assert len(ranks(graph)) == 4


def test_a_judge_alone_has_a_board_and_is_compared_with_nobody(graph: TrackGraph) -> None:
    for path in graph.official.iterdir():
        path.unlink()
    graph.bring()
    assert graph.failing() == {}
    assert len(ranks(graph, "umbrela")) == 4
    assert graph.table(CORRELATIONS).empty


def test_a_missing_topic_is_a_row_without_value_and_only_warns(graph: TrackGraph) -> None:
    write_run(graph.official, "delta", dict(list(values_of("delta").items())[:-2]))

    graph.bring()

    assert graph.failing() == {"measures.every_run_has_every_topic": "WARN"}
    row = graph.table(TRACK_LEADERBOARD).query("judge == 'official' and run_id == 'delta'").iloc[0]
    assert (row["n_topics"], row["n_missing"], row["missing_topics"]) == (10, 2, "311, 312")
    rows = graph.table(MEASURES).query("judge == 'official' and run_id == 'delta'")
    assert rows["value"].isna().sum() == 2


def test_a_changed_declaration_recomputes_what_it_touches(filled: TrackGraph) -> None:
    same = {"correlations": {"resamples": 20}}
    assert filled.redeclared(title="Another", **same).bring().recomputed == NOTHING | {"catalog": 1}
    fisher = same | {"comparisons": {"test": "fisher", "resamples": 200}}
    assert filled.redeclared(**fisher).bring().recomputed == NOTHING | {"catalog": 1, "comparisons": 1}
    assert set(filled.table(COMPARISONS)["test"]) == {"fisher"}


def test_a_judge_that_is_declared_no_more_is_in_no_table(filled: TrackGraph) -> None:
    alone = filled.redeclared(judges=[], correlations={"resamples": 20})
    alone.bring()
    for spec in (TRACK_FILES, MEASURE_SPECS, MEASURES, TRACK_LEADERBOARD, COMPARISONS):
        assert set(alone.table(spec)["judge"]) == {"official"}
    assert alone.table(CORRELATIONS).empty


def test_files_may_be_named_wherever_they_are(graph: TrackGraph, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for run in RUNS[:2]:
        write_run(elsewhere, run, values_of(run))
    (elsewhere / "notes.md").write_text("not read")
    named = graph.redeclared(
        official={"files": [str(elsewhere / "*.eval")]}, judges={"umbrela": {"files": "inbox/robust/judges/umbrela"}}
    )

    named.bring()

    assert set(ranks(named)) == {"alpha", "beta"}
    assert set(ranks(named, "umbrela")) == set(RUNS)
    assert set(named.table(TRACK_FILES)["name"]) == {
        *(f"elsewhere/{run}.eval" for run in RUNS[:2]),
        *(f"inbox/robust/judges/umbrela/{run}.eval" for run in RUNS),
    }


def test_a_file_that_is_named_and_not_there_is_told(graph: TrackGraph) -> None:
    named = graph.redeclared(official={"files": ["inbox/robust/official", "gone.eval"]})
    done = named.bring()
    assert named.failing() == {"files.every_file_is_read": "WARN"}
    assert done.outcomes["files"].told["podium/refused"] == "official: gone.eval: there is no such file"
    assert set(ranks(named)) == set(RUNS)


def test_topics_of_relevance_judgements_are_those_that_runs_should_have(graph: TrackGraph) -> None:
    qrels = graph.folder / "qrels.txt"
    qrels.write_text("".join(f"{topic} 0 doc 1\n" for topic in [*TOPICS, "999"]))
    judged = graph.redeclared(official={"qrels": "qrels.txt"})

    judged.bring()

    rows = judged.table(TRACK_LEADERBOARD).query("judge == 'official'")
    assert set(rows["missing_topics"]) == {"999"}
    qrels.write_text("".join(f"{topic} 0 doc 1\n" for topic in TOPICS))
    assert judged.bring().recomputed["leaderboard"] == 1
    assert judged.table(TRACK_LEADERBOARD).query("judge == 'official'")["n_missing"].sum() == 0


def test_a_measure_that_no_board_has_fails_the_run_and_names_those_there_are(graph: TrackGraph) -> None:
    with pytest.raises(TrackError, match="no board has measure 'P_10'; known: runid, map"):
        graph.redeclared(measures=["map", "P_10"]).bring()


def test_a_primary_measure_that_a_board_does_not_have_fails_the_run(graph: TrackGraph) -> None:
    told = "the board 'official' cannot be ranked by 'ndcg'; name one of its measures in `primary`: map"
    with pytest.raises(TrackError, match=told):
        graph.redeclared(primary="ndcg").bring()


def test_more_runs_than_are_compared_are_told(graph: TrackGraph) -> None:
    done = graph.redeclared(comparisons={"runs": 3}).bring()
    said = done.outcomes["comparisons"].told["podium/compared"]
    assert said == "official: the best 3 of 4 runs; umbrela: the best 3 of 4 runs; for more, raise `comparisons.runs`"
    assert len(graph.table(COMPARISONS)) == 2 * 3


DAMAGES = {
    "leaderboard.ranks_are_well_formed": "UPDATE judging.leaderboard SET rank = rank + 1 WHERE rank > 2",
    "leaderboard.rank_intervals_hold_the_rank": "UPDATE judging.leaderboard SET rank_lo = rank + 1",
    "correlations.correlations_are_between_minus_one_and_one": "UPDATE judging.correlations SET value = 1.1",
    "correlations.every_judge_is_compared": "UPDATE judging.correlations SET value = NULL, reason = 'ties'",
    "comparisons.pairs_are_well_formed": "UPDATE judging.comparisons SET wins = wins + 1",
    "measures.keys_are_unique": "INSERT INTO judging.measures FROM judging.measures LIMIT 1",
}


@pytest.mark.parametrize("check", DAMAGES)
def test_a_table_that_is_damaged_fails_its_check(filled: TrackGraph, check: str) -> None:
    with filled.open() as store:
        store.connection.execute(DAMAGES[check])
    assert check in filled.failing()


# --- the declaration


@contextmanager
def loaded(
    attributes: Mapping[str, Any] | None, folder: str = "robust"
) -> Iterator[tuple[dg.Component, dg.Definitions]]:
    """A track declared in a temporary defs folder."""
    declared = {"type": "pipeline.components.JudgedTrack"}
    declared |= {} if attributes is None else {"attributes": dict(attributes)}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=JudgedTrack, defs_path=folder, defs_yaml_contents=declared)
        with sandbox.load_component_and_build_defs(defs_path=path) as component_and_definitions:
            yield component_and_definitions


DECLARED = {"name": "robust", "title": "A track", "primary": "map", "schedule": "0 3 * * *"}


def test_a_declared_track_becomes_its_assets_its_job_its_schedule_and_its_sensors() -> None:
    with loaded(DECLARED | {"judges": ["umbrela"]}) as (component, definitions):
        assert isinstance(component, JudgedTrack)
        assert component.contract == track(schedule="0 3 * * *", correlations={})
        keys = {key.to_user_string() for asset in definitions.assets or [] for key in asset.keys}
        assert keys == {f"robust/{name}" for name in ASSETS}
        assert [one.name for one in definitions.schedules or []] == ["robust_schedule"]
        assert [one.name for one in definitions.sensors or []] == ["robust_first_run", "robust_files"]


@pytest.mark.parametrize(
    ("attributes", "folder", "told"),
    [
        (None, "robust", "judged track in the folder 'robust': attributes are missing; give name, title, primary"),
        (DECLARED, "other", "judged track 'robust' is declared in the folder 'other'; a board's name is its folder's"),
        (
            DECLARED | {"judge": []},
            "robust",
            "unknown field 'judge'; known: name, title, description, schedule, official",
        ),
    ],
)
def test_a_mistake_shows_at_load(attributes: Mapping[str, Any] | None, folder: str, told: str) -> None:
    with pytest.raises(Exception, match="Error while") as caught, loaded(attributes, folder):
        pass
    messages, error = [], caught.value
    while error is not None:
        messages.append(str(error))
        error = error.__cause__
    assert told in "\n".join(messages)


# --- the sensor


class Ticks:
    """The sensor of a track's files, tick by tick."""

    def __init__(self, graph: TrackGraph) -> None:
        self.graph = graph
        self.cursor: str | None = None
        (self.sensor,) = (one for one in graph.definitions.sensors or [] if one.name == "robust_files")

    def tick(self) -> dg.RunRequest | str:
        """The run that is requested, or why none is."""
        context = dg.build_sensor_context(self.graph.instance, cursor=self.cursor)
        result = self.sensor(context)
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        (request,) = result.run_requests or []
        return request


@pytest.fixture
def ticks(graph: TrackGraph, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", -1e12)
    return Ticks(graph)


def test_the_first_run_is_not_the_sensors(ticks: Ticks) -> None:
    assert ticks.tick() == "the first run is that of robust_first_run"


def test_what_a_run_has_read_is_nothing_new_whoever_asked_for_it(ticks: Ticks, graph: TrackGraph) -> None:
    graph.run("catalog", "files")
    assert ticks.tick() == "8 files, none new, changed or gone"


def _add(graph: TrackGraph) -> None:
    write_run(graph.judge(), "omega", values_of("alpha"))


def _change(graph: TrackGraph) -> None:
    write_run(graph.official, "alpha", values_of("alpha", 0.1))


def _remove(graph: TrackGraph) -> None:
    (graph.official / "alpha.eval").unlink()


def _break(graph: TrackGraph) -> None:
    (graph.official / "alpha.eval").write_text("?")


@pytest.mark.parametrize("change", [_add, _change, _remove, _break])
def test_a_file_that_is_new_changed_or_gone_asks_for_one_run(ticks: Ticks, graph: TrackGraph, change: Any) -> None:
    graph.run("catalog", "files")
    change(graph)

    request = ticks.tick()

    assert isinstance(request, dg.RunRequest)
    assert str(request.run_key).startswith("robust:")
    assert ticks.tick() == "1 runs did not read the files; the next try waits: see the runs"
    graph.run("catalog", "files")
    assert str(ticks.tick()).endswith("none new, changed or gone")


def test_a_state_that_comes_back_is_read_again(ticks: Ticks, graph: TrackGraph) -> None:
    graph.run("catalog", "files")
    _remove(graph)
    first = ticks.tick()
    graph.run("catalog", "files")
    write_run(graph.official, "alpha", values_of("alpha"))
    second = ticks.tick()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.run_key != second.run_key


def test_a_file_that_is_still_written_to_is_waited_for(
    ticks: Ticks, graph: TrackGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.run("catalog", "files")
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 1e12)
    assert ticks.tick() == "8 of 8 files are being written"


def test_names_that_the_inbox_leaves_alone_are_no_files_of_the_track(ticks: Ticks, graph: TrackGraph) -> None:
    graph.run("catalog", "files")
    (graph.official / ".hidden").touch()
    (graph.official / "half.eval.part").touch()
    assert ticks.tick() == "8 files, none new, changed or gone"


# --- real boards


@pytest.mark.skipif(not (SHARED_DATA / "trec").is_dir(), reason="needs the shared data")
def test_two_tools_on_the_same_real_runs_agree(graph: TrackGraph) -> None:
    trec = SHARED_DATA / "trec"
    real = graph.redeclared(
        official={"files": str(trec / "robust03_trec_eval_q")},
        judges={"other_tool": {"files": str(trec / "robust03_ir_measures" / "*.tsv"), "primary": "AP"}},
        measures=["map", "AP", "P_10", "P@10"],
        correlations={"methods": ["kendall"], "resamples": 0},
    )

    real.bring()

    assert real.failing() == {}
    assert ranks(real) == ranks(real, "other_tool")
    board = real.table(TRACK_LEADERBOARD).set_index(["judge", "run_id"])
    assert board.loc[("official", "THUIRr0301"), "rank"] == 1
    assert board["n_topics"].unique().tolist() == [100]
    correlations = real.table(CORRELATIONS).query("topic_id == 'all'").set_index(["truth_measure", "judge_measure"])
    assert correlations["value"][("map", "AP")] == correlations["value"][("P_10", "P@10")] == 1.0
    assert set(correlations["n_topics"]) == {100}
