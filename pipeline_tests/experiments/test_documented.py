"""The page of experiments lists everything that may be declared."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from pipeline.declaration import BoardDeclaration
from pipeline.experiments import Experiment
from pipeline.experiments.execution import ExecutionSpec, ModelSpec
from pipeline.experiments.inputs import InputSpec
from pipeline.experiments.parameters import Distribution, Parameters
from pipeline.experiments.parts import BaselineSpec, ComparisonSpec, PromptSpec, ScorerSpec
from pipeline.experiments.scorers import SCORERS
from pipeline.experiments.scorers.formatting import Length
from pipeline.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "pipeline" / "docs" / "experiments.md").read_text(encoding="utf-8")
ROWS = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}
PARTS: dict[str, tuple[type[BaseModel], ...]] = {
    "prompts": (PromptSpec,),
    "models": (ModelSpec,),
    "parameters": (Parameters, Distribution),
    "inputs": (InputSpec,),
    "scorers": (ScorerSpec,),
    "baseline": (BaselineSpec,),
    "comparisons": (ComparisonSpec,),
    "format": (Length,),
}


def options() -> Iterator[tuple[str, str]]:
    """Each scorer with each of its options."""
    for name in SCORERS.available():
        made = SCORERS.get(name)
        assert issubclass(made, BaseModel)
        yield from ((name, one) for one in made.model_fields)


@pytest.mark.parametrize("name", [one for one in Experiment.model_fields if one not in BoardDeclaration.model_fields])
def test_every_field_has_a_row(name: str) -> None:
    assert name in ROWS


@pytest.mark.parametrize(
    ("row", "name"), [(row, name) for row, parts in PARTS.items() for one in parts for name in one.model_fields]
)
def test_every_part_of_a_field_is_in_its_row(row: str, name: str) -> None:
    assert f"`{name}`" in ROWS[row]


@pytest.mark.parametrize(("scorer", "option"), options())
def test_every_option_of_a_scorer_is_in_its_row(scorer: str, option: str) -> None:
    assert f"`{option}`" in ROWS[scorer]


@pytest.mark.parametrize("name", ExecutionSpec.model_fields)
def test_every_part_of_execution_is_in_its_example(name: str) -> None:
    assert f"\n  {name}:" in PAGE
