"""What is a source, and that the public surface of the package is importable."""

import importlib

import pytest

from pipeline.baselines import sp500
from pipeline.competition import Source


def test_the_bundled_competition_is_a_source_and_an_object_is_not() -> None:
    assert isinstance(sp500.source(), Source)
    assert not isinstance(object(), Source)


@pytest.mark.parametrize("package", ["", ".ensembles", ".metrics", ".scoring", ".stages"])
def test_everything_public_is_importable_from_its_package(package: str) -> None:
    module = importlib.import_module(f"pipeline.competition{package}")
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
