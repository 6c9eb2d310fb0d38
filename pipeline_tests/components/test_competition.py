"""A competition as it is declared in a defs folder: what it becomes, and how mistakes in it show."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from pipeline.competition import Contract
from pipeline.components import Competition
from pipeline.components.competition import competition_definitions
from pipeline.components.keys import asset_key
from pipeline.tables import BOARDS
from pipeline_tests import own_boards
from pipeline_tests.toy_contest import ToyContest, contract, declaration
from pipeline_tests.toy_graph import ASSETS

TYPE = "pipeline.components.Competition"
pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")


@contextmanager
def loaded(attributes: Mapping[str, Any] | None, folder: str = "toy") -> Iterator[tuple[dg.Component, dg.Definitions]]:
    """A competition declared in a temporary defs folder."""
    declared = {"type": TYPE} | ({} if attributes is None else {"attributes": dict(attributes)})
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=Competition, defs_path=folder, defs_yaml_contents=declared)
        with sandbox.load_component_and_build_defs(defs_path=path) as component_and_definitions:
            yield component_and_definitions


def mistake(attributes: Mapping[str, Any] | None, folder: str = "toy") -> str:
    """What loading says: the messages of the error and of all that caused it."""
    with pytest.raises(Exception, match="Error while") as caught, loaded(attributes, folder):
        pass
    messages, error = [], caught.value
    while error is not None:
        messages.append(str(error))
        error = error.__cause__
    return "\n".join(messages)


def test_a_declared_contest_becomes_its_assets_its_job_and_its_schedule(toy: ToyContest) -> None:
    with loaded(declaration()) as (component, definitions):
        assert isinstance(component, Competition)
        assert component.contract == contract()
        keys = {key for asset in definitions.assets or [] for key in asset.keys}
        assert {key.to_user_string() for key in keys} == {f"toy/{name}" for name in ASSETS}
        assert [(one.name, one.cron_schedule) for one in definitions.schedules or []] == [
            ("toy_schedule", "30 6 * * 1")
        ]


TRUTH_FROM_FILES = {"truth": {"source": "inbox"}, "horizon_length": "7d"}
DECLARED = {
    "from a source": contract,
    "from files": lambda: Contract.model_validate(own_boards.declaration()),
    "truth from files": lambda: contract(**TRUTH_FROM_FILES),
    "with ensembles": lambda: contract(ensembles=[{"name": "main", "strategy": "equal_weight"}]),
}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=list(DECLARED))
def test_the_tables_that_a_contract_says_it_fills_are_its_assets(
    toy: ToyContest, declared: Callable[[], Contract]
) -> None:
    board = declared()
    keys = {key for asset in competition_definitions(board).assets or [] for key in asset.keys}
    assert keys == {asset_key(board.name, table) for table in (BOARDS, *board.tables)}


def test_without_a_schedule_there_is_none(toy: ToyContest) -> None:
    assert not competition_definitions(contract(schedule=None)).schedules


def test_a_board_is_named_as_its_folder(toy: ToyContest) -> None:
    message = mistake(declaration(), folder="contest")

    assert "competition 'toy' is declared in the folder 'contest'" in message
    assert "rename one of them" in message


def test_an_unknown_metric_is_named_with_the_known_ones(toy: ToyContest) -> None:
    assert "unknown metric 'icc'; known: contribution, coverage" in mistake(declaration(metrics=["ic", "icc"]))


def test_an_unknown_rule_is_named_with_the_known_ones(toy: ToyContest) -> None:
    message = mistake(declaration(scoring={"rule": "ranks", "primary": "ic"}))

    assert "'ranks'; known: " in message
    assert "rank_product" in message


def test_an_unknown_field_is_named_with_its_place_and_the_known_ones(toy: ToyContest) -> None:
    assert "unknown field 'metricss'; known: name, title" in mistake(declaration(metricss=["ic"]))
    message = mistake(declaration(truth={"source": "pipeline.baselines.sp500", "at": "column"}))
    assert "attributes.truth" in message
    assert "unknown field 'at'; known: source, files, known_at, delay" in message


def test_a_missing_field_is_named(toy: ToyContest) -> None:
    attributes = declaration()
    del attributes["truth"]

    assert "truth" in mistake(attributes)
    assert "Field required" in mistake(attributes)


def test_missing_attributes_say_which_there_must_be(toy: ToyContest) -> None:
    message = mistake(None)

    given = message.partition("attributes are missing; give ")[2].split(", ")
    assert given == [name for name, field in Contract.model_fields.items() if field.is_required()]


@pytest.mark.parametrize("part", ["predictions", "truth"])
def test_a_source_that_is_not_there_shows_at_load(toy: ToyContest, part: str) -> None:
    message = mistake(declaration(**{part: {"source": "pipeline.baselines.sp600"}}))

    assert "source 'pipeline.baselines.sp600' cannot be imported" in message


def test_a_source_outside_the_allowed_packages_shows_at_load(toy: ToyContest) -> None:
    message = mistake(declaration(predictions={"source": "os.path"}))

    assert "PODIUM_DOTTED_PATH_PACKAGES" in message


def test_a_schedule_that_is_no_cron_line_is_named(toy: ToyContest) -> None:
    message = mistake(declaration(schedule="fridays"))

    assert "schedule 'fridays' is no cron line; write one such as '0 22 * * 5': minute, hour, day, " in message


def test_every_attribute_is_documented() -> None:
    schema = Competition.get_model_cls().model_json_schema()
    parts = {"Contract": schema, **schema["$defs"]}

    undocumented = [
        f"{part}.{name}"
        for part, content in parts.items()
        for name, field in content.get("properties", {}).items()
        if not field.get("description") and "$ref" not in json.dumps(field)
    ]

    assert undocumented == []
    assert all(content.get("description") for content in parts.values())
