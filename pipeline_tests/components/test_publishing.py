"""The marts and the publication: what they depend on, with any number of boards."""

import dagster as dg
import pandas as pd
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipeline.components import Competition, Publishing
from pipeline.components.dbt import dbt_cli, dbt_project
from pipeline.components.publishing import publishing_definitions
from pipeline.tables import BOARDS, LEADERBOARD, WHOLE
from pipeline.warehouse import Dirty, current_publication, open_published
from pipeline.warehouse.resource import Warehouse
from pipeline_tests.toy_contest import ToyContest, contract, declaration
from pipeline_tests.toy_graph import ASSETS, ToyGraph, metadata
from pipeline_tests.track_graph import track

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
RESOURCES = """
import dagster as dg

from pipeline.components.dbt import dbt_cli, dbt_project
from pipeline.warehouse.resource import Warehouse

defs = dg.Definitions(resources={"warehouse": Warehouse(), "dbt": dbt_cli(dbt_project())})
"""

POSTED = "posted_experiments"
"""The asset of experiments that were posted, which may be there whatever is declared."""


def parents(definitions: dg.Definitions) -> dict[str, set[str]]:
    """What every mart depends on."""
    return {
        node.key.to_user_string(): {key.to_user_string() for key in node.parent_keys}
        for node in definitions.resolve_asset_graph().asset_nodes
        if node.key.path[0] == "marts"
    }


def load(*boards: str) -> dict[str, set[str]]:
    """Dependencies of the marts in a defs folder with these boards."""
    with create_defs_folder_sandbox() as sandbox:
        for board in boards:
            contents = {"type": "pipeline.components.Competition", "attributes": declaration(board)}
            sandbox.scaffold_component(component_cls=Competition, defs_path=board, defs_yaml_contents=contents)
        contents = {"type": "pipeline.components.Publishing"}
        sandbox.scaffold_component(component_cls=Publishing, defs_path="publishing", defs_yaml_contents=contents)
        (sandbox.defs_folder_path / "resources.py").write_text(RESOURCES)
        with sandbox.build_all_defs() as definitions:
            dg.Definitions.validate_loadable(definitions)
            return parents(definitions)


def test_without_boards_the_marts_depend_on_nothing_but_what_was_posted(toy: ToyContest) -> None:
    found = load()

    assert len(found) == 8
    assert found.pop("marts/freshness") == {POSTED}
    assert set().union(*found.values()) == set()


def test_with_two_boards_the_marts_depend_on_both(toy: ToyContest) -> None:
    found = load("toy", "other")

    assert found["marts/leaderboard_current"] == {
        *("toy/leaderboard", "toy/models", "other/leaderboard", "other/models")
    }
    assert found["marts/model_stats"] == {
        f"{board}/{table}"
        for board in ("toy", "other")
        for table in ("snapshots", "models", "model_versions", "catalog")
    }
    assert found["marts/intake"] == {"toy/catalog", "other/catalog"}
    assert found["marts/coverage"] == {"toy/cycle_metrics", "other/cycle_metrics"}


def test_what_is_about_the_whole_warehouse_follows_every_table_of_every_board(toy: ToyContest) -> None:
    assert load("toy", "other")["marts/freshness"] == {
        POSTED,
        *(f"{board}/{table}" for board in ("toy", "other") for table in ASSETS),
    }


def test_a_judged_track_beside_a_competition_adds_its_own_assets_only(toy: ToyContest) -> None:
    resources = dg.Definitions(resources={"warehouse": Warehouse(), "dbt": dbt_cli(dbt_project())})
    found, alone = (
        parents(dg.Definitions.merge(publishing_definitions(boards), resources))
        for boards in ([contract(), track()], [contract()])
    )

    tables = {f"robust/{table}" for table in ("files", "measures", "leaderboard", "correlations", "comparisons")}
    assert found["marts/leaderboard_current"] == alone["marts/leaderboard_current"]
    assert found["marts/model_stats"] == alone["marts/model_stats"] | {"robust/catalog"}
    assert found["marts/freshness"] == alone["marts/freshness"] | tables | {"robust/catalog"}


def test_publishing_takes_no_attributes(toy: ToyContest) -> None:
    with create_defs_folder_sandbox() as sandbox:
        contents = {"type": "pipeline.components.Publishing", "attributes": {"every": "day"}}
        path = sandbox.scaffold_component(component_cls=Publishing, defs_path="x", defs_yaml_contents=contents)
        with pytest.raises(Exception, match="Error while loading"), sandbox.load_component_and_build_defs(path):
            pass


def test_one_board_does_not_touch_the_other(graph: ToyGraph) -> None:
    both = ToyGraph(graph.folder, [contract(), contract("other")])
    before = graph.tables()

    both.run(board="other")

    assert len(both.table(LEADERBOARD, "other")) > 0
    for name, rows in graph.tables().items():
        assert rows.equals(before[name])


def test_the_publication_follows_every_mart(toy: ToyContest) -> None:
    marts, published = publishing_definitions([contract()]).assets or []

    assert marts.keys == set(published.asset_deps[dg.AssetKey("published")])


def test_the_publication_says_what_it_holds_and_which_boards_it_cannot(graph: ToyGraph) -> None:
    with graph.open() as store:
        row = pd.DataFrame({"kind": ["competition"], "title": ["Bad"], "contract": ["{}"], "embargo_seconds": [None]})
        store.replace(BOARDS, "Meta", [Dirty(WHOLE, 0)], row, "v1")
    _, published = publishing_definitions([contract()], ["Meta", "never_ran"]).assets or []

    result = dg.materialize([published], resources={"warehouse": graph.warehouse})

    said = metadata(result)["published"]
    assert said["boards"] == "toy"
    assert said["left_out"].startswith("board 'Meta' cannot have its own schema")
    assert said["left_out"] in said["podium/why"]
    assert "podium/waits_for" not in said


def test_a_publication_that_waits_for_boards_that_were_lost_names_them(graph: ToyGraph) -> None:
    _, published = publishing_definitions([contract()]).assets or []
    dg.materialize([published], resources={"warehouse": graph.warehouse})
    graph.warehouse.files.path.unlink()

    said = metadata(dg.materialize([published], resources={"warehouse": graph.warehouse}))["published"]

    assert said["podium/waits_for"] == "toy"
    assert said["podium/why"].startswith("not published again; board 'toy' is published and declared")


@pytest.mark.slow
def test_a_board_taken_out_of_the_declarations_is_published_no_more_though_nothing_else_changed(
    published_graph: ToyGraph,
) -> None:
    both = ToyGraph(published_graph.folder, [contract(), contract("other")], with_marts=True)
    both.run(board="other")
    before = current_publication(published_graph.folder / "published")

    result = published_graph.run()

    assert before is not None
    assert before.boards == ("other", "toy")
    assert metadata(result)["published"]["boards"] == "toy"
    with open_published(published_graph.folder / "published") as connection:
        marts = connection.execute("SELECT DISTINCT competition FROM marts.model_history").fetchall()
        fresh = connection.execute("SELECT DISTINCT board FROM marts.freshness").fetchall()
    assert marts == fresh == [("toy",)]
    assert len(published_graph.table(LEADERBOARD, "other")) > 0
    assert "published" not in metadata(published_graph.run())
    assert metadata(both.run(board="other"))["published"]["boards"] == "other, toy"
