"""The kernel's examples run, and its surface and imports are what they should be."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import pipeline.leaderboard

MODULES = [
    "pipeline.leaderboard",
    *(module.name for module in pkgutil.walk_packages(pipeline.leaderboard.__path__, "pipeline.leaderboard.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_the_kernel_imports_only_arrays_and_the_ground(name: str) -> None:
    tree = ast.parse(Path(importlib.import_module(name).__file__ or "").read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    ours = {module for module in imported if module.split(".")[0] == "pipeline"}
    assert all(module.startswith(("pipeline.leaderboard", "pipeline.registry", "pipeline.settings")) for module in ours)
    assert not imported & {"pandas", "duckdb", "dagster", "polars"}


def test_everything_public_is_importable_from_the_package() -> None:
    assert sorted(pipeline.leaderboard.__all__) == pipeline.leaderboard.__all__
    assert all(hasattr(pipeline.leaderboard, name) for name in pipeline.leaderboard.__all__)
