"""A ranking of language models in the graph: from what publishers answer to its tables, and only what is new again."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipeline.components import LlmRankings, trees
from pipeline.components.automation import automation_definitions
from pipeline.components.llm_checks import of_table
from pipeline.components.llm_rankings import ASSETS
from pipeline.components.llm_sources import freshness_of, schedule_of
from pipeline.components.recompute import Recompute
from pipeline.intake import sources as looking
from pipeline.intake.decisions import decisions_file
from pipeline.landing import inbox
from pipeline.landing.fetching import Fetcher, Patience
from pipeline.rankings import About
from pipeline.rankings.decisions import COLUMNS, DecisionsError
from pipeline.rankings.declaration import Rankings
from pipeline.rankings.finding import kept_as
from pipeline.settings import settings
from pipeline.tables import (
    LLM_ALIASES,
    LLM_BREAKS,
    LLM_FETCH_STATUS,
    LLM_LEADERBOARD,
    LLM_RESULTS,
    LLM_SNAPSHOTS,
    LLM_TABLES,
    LLM_UNMATCHED,
)
from pipeline_tests.landing.publisher import Answer, Publisher
from pipeline_tests.rankings_graph import LISTED, MINE, MODELS, NAME, RankingsGraph, source
from pipeline_tests.toy_graph import failed_checks, metadata, recomputed
from pipeline_tests.toy_sources import JSON, listed

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
TABLES = {"catalog", *(spec.name for spec in LLM_TABLES)}
NOTHING = dict.fromkeys(TABLES, 0)
OF_MINE = {"acme/model-a": 71.0, "acme/model-h": 77.0, "Gamma Chat": 99.0}
PARTIAL = dict(list(MODELS.items())[:3])


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    """A publisher at one address for all tests: it is in the declaration of the sources."""
    with Publisher() as publisher:
        yield publisher


@contextmanager
def graph_in(folder: Path, publisher: Publisher) -> Iterator[RankingsGraph]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PODIUM_DATA_DIR", str(folder))
        patch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "pipeline_tests"]')
        patch.setenv("PODIUM_FETCH", "true")
        patch.setenv("PODIUM_FETCH_TRIES", "1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        settings.cache_clear()
        publisher.answers.clear()
        publisher.asked.clear()
        made = RankingsGraph(folder, publisher)
        made.says("arena", MODELS, ETag='"1"')
        made.says("mine", OF_MINE, ETag='"1"')
        yield made
    settings.cache_clear()


@pytest.fixture
def graph(tmp_path: Path, publisher: Publisher) -> Iterator[RankingsGraph]:
    """A ranking of two sources that are fetched, in an environment of its own; nothing is computed yet."""
    with graph_in(tmp_path, publisher) as made:
        yield made


@pytest.fixture(scope="module")
def updated_folder(tmp_path_factory: pytest.TempPathFactory, publisher: Publisher) -> Path:
    """The folder of ``updated``; do not write there."""
    folder = tmp_path_factory.mktemp("updated")
    with graph_in(folder, publisher) as made:
        made.update()
    return folder


@pytest.fixture
def updated(updated_folder: Path, graph: RankingsGraph) -> RankingsGraph:
    """The same, fetched once, and all that follows computed."""
    shutil.copytree(updated_folder, graph.folder, dirs_exist_ok=True)
    return graph


def test_what_sources_publish_becomes_every_table(graph: RankingsGraph) -> None:
    result = graph.run()

    assert failed_checks(result) == {}
    assert recomputed(result) == dict.fromkeys(TABLES, 1)
    assert graph.ranks() == {model: 8 - place for place, model in enumerate(MODELS)}
    assert graph.said("arena") == graph.said("mine") == ("live", None)
    said = metadata(result)["small/sources/arena"]
    assert (said["dagster/row_count"], said["podium/status"]) == (8, "live")
    assert len(graph.table(LLM_RESULTS)) == 11
    assert graph.table(LLM_UNMATCHED)["raw_name"].tolist() == ["Gamma Chat"]


def test_a_source_that_has_nothing_new_changes_when_it_was_looked_at_and_nothing_else(updated: RankingsGraph) -> None:
    for name in ("arena", "mine"):
        updated.answers(name, Answer(status=304, headers={}))

    changed = updated.update()

    assert {one.headers.get("If-None-Match") for one in updated.publisher.asked} == {'"1"'}
    assert updated.said("arena") == ("unchanged", None)
    assert {table for table, n in changed.items() if n} == {"fetch_status"}


def test_while_fetching_is_off_a_second_run_does_nothing_and_says_so(
    updated: RankingsGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", "false")
    settings.cache_clear()
    updated.update()

    again = updated.run()

    assert updated.publisher.asked == []
    assert recomputed(again) == NOTHING
    status, why = updated.said("arena")
    assert status == "kept"
    assert why is not None
    assert why.startswith("not fetched: fetching is off: set PODIUM_FETCH=true to fetch from publishers; shown is ")
    assert failed_checks(again) == {}, "that nobody is asked is no fault of a source"
    assert updated.ranks()["acme/model-h"] == 1


def test_a_partial_answer_is_refused_and_the_figures_that_were_good_stay(updated: RankingsGraph) -> None:
    before = updated.ranks()
    updated.says("arena", PARTIAL)

    updated.update()

    status, why = updated.said("arena")
    assert status == "kept"
    assert "what came is not used: it has 3 rows, where 8 were: 62% fewer" in str(why)
    assert updated.ranks() == before


def test_what_a_person_accepts_takes_the_place_of_what_the_guards_kept(updated: RankingsGraph) -> None:
    updated.says("arena", PARTIAL, ETag='"2"')
    updated.update()
    looking.accept(updated.declared.source("arena"), updated.archive, "the board was really cut")

    with updated.open() as store:
        for _, update, _ in ASSETS:
            update(store, updated.declared, Recompute())

    assert updated.said("arena") == ("live", "accepted by a person: the board was really cut")
    assert set(updated.ranks()) == set(PARTIAL)
    updated.answers("arena", Answer(status=304, headers={}))
    updated.update()
    assert updated.said("arena") == ("unchanged", None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(status=500), "status 500"),
        (Answer(b"<html></html>", headers={"Content-Type": "text/html"}), "it came as text/html"),
        (Answer(b'{"rows": []}', headers=JSON), "cannot be read: list.json has no list of models"),
        (Answer(listed({"broken": 1.0}), headers=JSON), "cannot be read: ZeroDivisionError: division by zero"),
    ],
)
def test_a_source_that_fails_is_told_of_and_the_others_go_on(graph: RankingsGraph, answer: Answer, told: str) -> None:
    graph.answers("mine", answer)

    graph.update()

    status, why = graph.said("mine")
    assert (status, told in str(why)) == ("missing", True), why
    assert graph.said("arena") == ("live", None)
    assert len(graph.ranks()) == 8


def test_a_source_without_its_key_is_not_asked_and_says_which_setting_has_it(
    graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = graph.redeclared(sources={"arena": source(graph.publisher, "arena", needs="arena_key")})
    locked.update()
    assert graph.publisher.asked == []
    assert "set PODIUM_SECRETS_ARENA_KEY" in str(locked.said("arena")[1])

    monkeypatch.setenv("PODIUM_SECRETS_ARENA_KEY", "s3cret")
    settings.cache_clear()
    locked.update()

    (asked,) = graph.publisher.asked
    assert asked.headers["x-api-key"] == "s3cret"
    assert locked.said("arena") == ("live", None)
    kept = b"".join(path.read_bytes() for path in graph.folder.rglob("*") if path.is_file())
    assert b"s3cret" not in kept


def test_facts_that_come_along_stand_in_for_a_source_that_was_never_fetched(
    graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", "false")
    settings.cache_clear()
    bundled = graph.redeclared(sources={"evalplus": {}})
    bundled.update()

    status, why = bundled.said("evalplus")
    assert (status, "shown are bundled facts of 2024-12-26" in str(why)) == ("bundled", True)
    assert len(bundled.ranks()) >= 30

    without = bundled.redeclared(bundled=False)
    without.update()
    assert without.said("evalplus")[0] == "missing"
    assert without.ranks() == {}


def decide(graph: RankingsGraph, *lines: str) -> None:
    path = decisions_file(graph.declared)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")


def meant(graph: RankingsGraph, raw_name: str) -> tuple[str | None, str]:
    rows = graph.table(LLM_ALIASES)
    (row,) = rows[(rows["source"] == "mine") & (rows["raw_name"] == raw_name)].to_dict("records")
    return (row["model"] if isinstance(row["model"], str) else None), row["status"]


def test_what_a_person_decides_of_a_name_counts_at_the_next_run(updated: RankingsGraph) -> None:
    assert meant(updated, "Gamma Chat") == (None, "unmatched")
    decide(updated, "mine,Gamma Chat,acme/model-b,accepted,the maker says so,2026-01-01T00:00:00Z")

    updated.update()

    assert meant(updated, "Gamma Chat") == ("acme/model-b", "accepted")
    assert updated.table(LLM_UNMATCHED).empty


def test_what_a_person_rejects_stays_rejected_and_a_name_that_moves_is_told_of(updated: RankingsGraph) -> None:
    assert meant(updated, "acme/model-a") == ("acme/model-a", "accepted")
    decide(updated, "mine,acme/model-a,acme/model-a,rejected,another model of that name,2026-01-01T00:00:00Z")

    result = updated.run("aliases")

    told = failed_checks(result)
    assert told == {"aliases.accepted_names_stay": "WARN", "aliases.match_rates_hold": "WARN"}
    (moved,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "accepted_names_stay"]
    assert moved.description == "mine: 'acme/model-a' meant acme/model-a and now means no release"
    assert meant(updated, "acme/model-a") == (None, "rejected")
    updated.says("mine", OF_MINE | {"acme/model-b": 50.0})
    updated.update()
    assert meant(updated, "acme/model-a") == (None, "rejected")
    assert failed_checks(updated.run("aliases")) == {}


def test_a_file_of_decisions_that_cannot_be_read_fails_and_names_the_line(graph: RankingsGraph) -> None:
    decide(graph, "mine,Gamma Chat,acme/model-b,perhaps,because,2026-01-01T00:00:00Z")

    with pytest.raises(DecisionsError, match=r"aliases\.csv, line 2: status 'perhaps'; a decision is accepted or "):
        graph.update()


def test_a_source_that_is_declared_no_more_is_on_the_board_no_more(updated: RankingsGraph) -> None:
    alone = updated.redeclared(sources={"arena": source(updated.publisher, "arena")})

    alone.update()

    assert set(alone.table(LLM_FETCH_STATUS)["source"]) == {"arena"}
    assert set(alone.table(LLM_RESULTS)["source"]) == {"arena"}
    assert (updated.folder / "archive" / "llm" / kept_as(updated.declared.source("mine")) / "fetches.jsonl").exists()


def test_files_in_a_declared_folder_are_read_in_place_of_fetching(graph: RankingsGraph) -> None:
    folder = graph.folder / "mirror"
    folder.mkdir()
    (folder / "list.json").write_bytes(listed(MODELS))
    declared = {"arena": source(graph.publisher, "arena") | {"folder": "mirror"}}
    mirrored = graph.redeclared(sources=declared)
    mirrored.update()
    status, why = mirrored.said("arena")
    assert (status, str(why).startswith("taken from files in mirror; as of ")) == ("files", True)
    assert set(mirrored.update().values()) == {0}

    (folder / "list.json").write_bytes(listed(PARTIAL))
    mirrored.update()
    status, why = mirrored.said("arena")
    assert (status, "files in mirror: it has 3 rows, where 8 were" in str(why)) == ("kept", True)
    assert set(mirrored.update().values()) == {0}
    assert graph.publisher.asked == []


def test_a_new_scale_is_a_break_and_no_reason_to_refuse(graph: RankingsGraph) -> None:
    graph.says("arena", MODELS, version="1")
    graph.update()
    assert graph.table(LLM_BREAKS).empty
    graph.says("arena", {name: score / 2 for name, score in MODELS.items()}, version="2")

    graph.update()

    (row,) = graph.table(LLM_BREAKS).to_dict("records")
    assert row["source"] == "arena"
    assert "its version is 2, where 1 was" in row["sentence"]


def test_days_that_are_over_stay_as_they_were(graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [datetime(2026, 3, 1, 6)]
    fetcher = Fetcher(Patience(tries=1), now=lambda: clock[0])
    monkeypatch.setattr(looking, "fetcher_of_settings", lambda: fetcher)
    graph.update()
    clock[0] += timedelta(days=1)
    graph.says("arena", MODELS | {"acme/model-a": 79.5})

    assert graph.update()["snapshots"] == 1

    rows = graph.table(LLM_SNAPSHOTS).set_index(["day", "model"])["rank"]
    assert rows[datetime(2026, 3, 1), "acme/model-a"] == 8
    assert rows[datetime(2026, 3, 2), "acme/model-a"] == 1
    assert rows.groupby("day").size().tolist() == [8, 8]


# --- by itself


def test_what_follows_a_source_is_asked_for_when_it_was_looked_at(graph: RankingsGraph) -> None:
    for key in graph.definitions.resolve_asset_graph().get_all_asset_keys():
        graph.instance.report_runless_asset_event(dg.AssetMaterialization(key))
    definitions = dg.Definitions.merge(graph.definitions, automation_definitions())
    first = dg.evaluate_automation_conditions(defs=definitions, instance=graph.instance)
    graph.instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(["small", "sources", "arena"])))

    second = dg.evaluate_automation_conditions(defs=definitions, instance=graph.instance, cursor=first.cursor)

    asked = {one.key.path[-1] for one in second.results if second.get_num_requested(one.key)}
    assert asked == TABLES - {"catalog"}


def about(days: int, *, is_frozen: bool = False) -> About:
    return About("one", "One", "https://one.test", days=days, is_frozen=is_frozen)


def test_what_nobody_looked_at_for_thrice_its_usual_time_is_stale_and_what_is_frozen_never() -> None:
    assert freshness_of(about(7)) == dg.FreshnessPolicy.time_window(fail_window=timedelta(days=21))
    assert freshness_of(about(1)) == dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3))
    assert freshness_of(about(7, is_frozen=True)) is None


@pytest.mark.parametrize("is_on", [True, False])
def test_only_what_is_looked_at_by_itself_can_be_stale(
    graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", str(is_on))
    settings.cache_clear()
    sources = {"evalplus": {}, "openrouter": {}, "swebench": {"folder": "x"}}
    specs = graph.redeclared(sources=sources).definitions.resolve_all_asset_specs()
    stale = {one.key.path[-1] for one in specs if one.freshness_policy is not None}
    assert stale == ({"openrouter"} if is_on else set())


def test_a_source_is_looked_at_as_often_as_it_changes(graph: RankingsGraph) -> None:
    sources = {
        "evalplus": {},
        "openrouter": {},
        "livebench": {},
        "aider": {"schedule": "5 4 * * *"},
        "swebench": {"folder": "x"},
    }
    declared = graph.redeclared(sources=sources).declared
    assert {name: schedule_of(declared, name) for name in sources} == {
        "evalplus": None,
        "openrouter": "0 5 * * *",
        "livebench": "0 5 * * 1",
        "aider": "5 4 * * *",
        "swebench": None,
    }


@pytest.mark.parametrize("is_on", [True, False])
def test_a_schedule_is_skipped_while_nothing_would_come_of_it(
    graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", str(is_on))
    settings.cache_clear()
    (schedule,) = [one for one in graph.definitions.schedules or [] if one.name == "small_arena_schedule"]
    assert isinstance(schedule, dg.ScheduleDefinition)
    asked = schedule.evaluate_tick(dg.build_schedule_context(instance=graph.instance))
    assert len(asked.run_requests or ()) == is_on
    assert (asked.skip_message is None) == is_on


# --- checks

DAMAGES = {
    "exactly_accepted_names_mean_a_model": "UPDATE llm.aliases SET model = NULL WHERE raw_name = 'acme/model-a'",
    "figures_that_are_used_are_there": "UPDATE llm.results SET model = NULL WHERE raw_name = 'acme/model-h'",
    "one_figure_of_a_model_is_used": "UPDATE llm.results SET model = 'acme/model-a' WHERE is_used",
    "scores_say_why": "UPDATE llm.scores SET value = 101 WHERE score = 'coding'",
    "abilities_are_at_rest": "UPDATE llm.scores SET is_converged = false WHERE score = 'ability'",
    "ranks_are_well_formed": "UPDATE llm.leaderboard SET rank = 3 WHERE rank = 1",
    "rank_intervals_hold_the_rank": "UPDATE llm.leaderboard SET rank_lo = 7, rank_hi = 8 WHERE rank = 1",
    "no_ranked_model_without_a_figure": "UPDATE llm.leaderboard SET n_sources = 0 WHERE rank = 1",
}


def test_every_check_fails_when_what_it_says_does_not_hold(updated: RankingsGraph) -> None:
    with updated.open() as store:
        for check in (check for spec in LLM_TABLES for check in of_table(spec)):
            assert check.run(store, NAME).passed, check.name
            if check.name in DAMAGES:
                store.connection.begin()
                store.connection.execute(DAMAGES[check.name])
                assert not check.run(store, NAME).passed, check.name
                store.connection.rollback()


# --- the declaration


@contextmanager
def loaded(attributes: Mapping[str, Any]) -> Iterator[tuple[dg.Component, dg.Definitions]]:
    """A ranking declared in a temporary defs folder."""
    declared = {"type": "pipeline.components.LlmRankings", "attributes": dict(attributes)}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=LlmRankings, defs_path="small", defs_yaml_contents=declared)
        with sandbox.load_component_and_build_defs(defs_path=path) as component_and_definitions:
            yield component_and_definitions


DECLARED = {"name": "small", "title": "A ranking", "sources": ["evalplus", "openrouter"]}


def test_a_declared_ranking_becomes_its_assets_its_job_and_its_schedules() -> None:
    with loaded(DECLARED) as (_, definitions):
        keys = {key.to_user_string() for asset in definitions.assets or [] for key in asset.keys}
        assert keys == {f"small/{name}" for name in TABLES} | {"small/sources/evalplus", "small/sources/openrouter"}
        assert [job.name for job in definitions.jobs or []] == ["small"]
        assert [one.name for one in definitions.schedules or []] == ["small_openrouter_schedule"]
        assert [one.name for one in definitions.sensors or []] == ["small_first_run", "small_files"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sources": ["evalpus"]}, "source 'evalpus' is not known; known: aider, artificialanalysis, bigcodebench"),
        (
            {"sources": {"arena": {"source": "pipeline.rankings.sources.evalplus.EvalPlus"}}},
            "source 'arena' (pipeline.rankings.sources.evalplus.EvalPlus) calls itself 'evalplus'",
        ),
        ({"sources": {"evalplus": {"options": {"window": 3}}}}, "cannot be made with {'window': 3}"),
        (
            {"weights": {"coding": {"livebench.codin": 1}}},
            "weights.coding: nobody measures 'livebench.codin'; known: livebench.agentic_coding, livebench.coding",
        ),
        ({"quality": "nobody.index"}, "quality: nobody measures 'nobody.index'; known: "),
        ({"schedule": "daily"}, "schedule 'daily' is no cron line; write one such as '0 22 * * 5'"),
        (
            {"sources": {"evalplus": {"schedule": "61 5 * * *"}}},
            "sources.evalplus.schedule '61 5 * * *' is no cron line; write one such as '0 22 * * 5'",
        ),
        (
            {"leave_out_flags": ["agent_system", "self-reported"]},
            "leave_out_flags: nobody says 'self-reported'; known: agent_system, alias, ",
        ),
        ({"ability": {"leave_out": ["mbp"]}}, "ability.leave_out: no benchmark is called 'mbp'; known: humaneval, "),
    ],
)
def test_a_mistake_shows_at_load(changes: Mapping[str, Any], told: str) -> None:
    with pytest.raises(Exception, match="Error while") as caught, loaded(DECLARED | dict(changes)):
        pass
    messages, error = [], caught.value
    while error is not None:
        messages.append(str(error))
        error = error.__cause__
    assert told in "\n".join(messages)


def test_a_source_of_one_s_own_is_declared_by_its_path(graph: RankingsGraph) -> None:
    own = {"sources": {"arena": {"source": LISTED}}, "leave_out_flags": ["guessed"]}
    with loaded(DECLARED | own) as (component, _):
        assert isinstance(component, LlmRankings)
        assert component.contract.source("arena").about.title == "Arena"


# --- the sensor of files


class Ticks:
    """The sensor of a ranking's files, tick by tick."""

    def __init__(self, graph: RankingsGraph) -> None:
        self.graph = graph
        self.cursor: str | None = None
        (self.sensor,) = (one for one in graph.definitions.sensors or [] if one.name == "small_files")

    def tick(self) -> list[str] | str:
        """The assets that are requested, or why none is."""
        context = dg.build_sensor_context(self.graph.instance, cursor=self.cursor)
        result = self.sensor(context)
        if isinstance(result, dg.SkipReason):
            return str(result.skip_message)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        (request,) = result.run_requests or []
        return ["/".join(key.path[1:]) for key in request.asset_selection or []]


@pytest.fixture
def ticks(graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", -1e12)
    (graph.folder / "mirror").mkdir()
    (graph.folder / "mirror" / "list.json").write_bytes(listed(MODELS))
    sources = {
        "arena": source(graph.publisher, "arena") | {"folder": "mirror"},
        "mine": source(graph.publisher, "mine", MINE, benchmark="mbpp_plus"),
    }
    return Ticks(graph.redeclared(sources=sources))


def test_a_decision_asks_for_what_rests_on_decisions_and_no_publisher(ticks: Ticks) -> None:
    assert ticks.tick() == "the first run is that of small_first_run"
    ticks.graph.run()
    assert ticks.tick() == "1 files, none new, changed or gone"
    n_asked = len(ticks.graph.publisher.asked)
    decide(ticks.graph, "mine,Gamma Chat,acme/model-b,accepted,the maker says so,2026-01-01T00:00:00Z")

    requested = ticks.tick()

    assert requested == ["aliases", "models"]
    assert ticks.tick() == "1 runs did not read the files; the next try waits: see the runs"
    ticks.graph.run(*requested)
    assert ticks.tick() == "2 files, none new, changed or gone"
    assert meant(ticks.graph, "Gamma Chat") == ("acme/model-b", "accepted")
    assert len(ticks.graph.publisher.asked) == n_asked
    decisions_file(ticks.graph.declared).unlink()
    assert ticks.tick() == ["aliases", "models"]


def test_a_file_in_a_declared_folder_asks_for_its_source_alone(ticks: Ticks) -> None:
    ticks.graph.run("catalog", "sources/arena", "aliases", "models")
    (ticks.graph.folder / "mirror" / "list.json").write_bytes(listed(MODELS | {"acme/model-i": 60.0}))

    requested = ticks.tick()

    assert requested == ["sources/arena"]
    ticks.graph.run(*requested)
    assert ticks.tick() == "1 files, none new, changed or gone"
    (ticks.graph.folder / "mirror" / ".hidden").touch()
    assert ticks.tick() == "1 files, none new, changed or gone"


def test_decisions_that_are_still_written_are_waited_for(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks.graph.run("catalog", "sources/arena", "aliases", "models")
    decide(ticks.graph)
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 1e12)
    assert ticks.tick() == "2 of 2 files are being written"


# --- the bundled ranking


def test_the_bundled_ranking_ranks_thirty_models_without_any_network(
    graph: RankingsGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_FETCH", "false")
    settings.cache_clear()
    bundled = graph.of(bundled_board())

    bundled.update()

    rows = bundled.table(LLM_LEADERBOARD)
    assert (rows["status"] == "ranked").sum() >= 30
    assert rows["ability_low"].notna().sum() >= 30
    status = bundled.table(LLM_FETCH_STATUS).set_index("source")
    assert len(status) == 12
    shown = status[status["n_results"] > 0]
    assert set(shown["status"]) == {"bundled"}
    assert shown["fetched_at"].notna().all()
    with bundled.open() as store:
        failed = [
            check.name for spec in LLM_TABLES for check in of_table(spec) if not check.run(store, bundled.name).passed
        ]
    assert failed == []
    assert set(bundled.update().values()) == {0}


def bundled_board() -> Rankings:
    found = trees.declared_contracts()["coding_models"]
    assert isinstance(found, Rankings)
    return found
