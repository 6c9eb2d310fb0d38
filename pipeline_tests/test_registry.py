"""The registry: names, dotted paths, and errors that list what is known."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.registry import Registry, UnknownNameError, resolve_dotted_path
from pipeline.settings import settings


@pytest.fixture
def numbers() -> Registry[int]:
    registry = Registry("number", int)
    registry.register("two", 2)
    registry.register("one", 1)
    return registry


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An allowed package ``podium_test_own.allowed`` with modules that are sound, broken and unmeasured."""
    package = tmp_path / "podium_test_own"
    (package / "allowed").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "private.py").write_text("SECRET = 1\n")
    (package / "allowed" / "__init__.py").touch()
    (package / "allowed" / "sound.py").write_text("TEN = 10\nTEXT = 'ten'\n")
    (package / "allowed" / "lacks_a_package.py").write_text("import podium_test_missing\n")
    (package / "allowed" / "lacks_a_sibling.py").write_text("import podium_test_own.allowed.missing\n")
    (package / "allowed" / "fails.py").write_text("None.attribute\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "podium_test_own.allowed"]')
    settings.cache_clear()
    yield package
    settings.cache_clear()
    for name in [name for name in sys.modules if name.startswith("podium_test_own")]:
        del sys.modules[name]


def test_a_thing_is_found_under_its_name(numbers: Registry[int]) -> None:
    assert numbers.get("two") == 2
    assert "two" in numbers
    assert "three" not in numbers
    assert numbers.available() == ["one", "two"]
    assert list(numbers) == [2, 1]


def test_register_returns_the_thing(numbers: Registry[int]) -> None:
    assert numbers.register("three", 3) == 3


def test_a_name_is_taken_once(numbers: Registry[int]) -> None:
    with pytest.raises(ValueError, match="number 'two' is already registered; choose another name"):
        numbers.register("two", 22)
    assert numbers.get("two") == 2


def test_dots_are_kept_for_paths(numbers: Registry[int]) -> None:
    with pytest.raises(ValueError, match=r"number name 'a\.b' has a dot; dots are kept for dotted paths"):
        numbers.register("a.b", 3)


@pytest.mark.parametrize("name", ["three", "", "Two"])
def test_an_unknown_name_is_refused_with_the_known_ones(numbers: Registry[int], name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown number {name!r}; known: one, two"):
        numbers.get(name)


@pytest.mark.parametrize("path", ["pipeline.nothing", "pipeline.settings.NOTHING", "pipeline.", "pipeline..x", ".x"])
def test_a_path_to_nothing_is_refused_with_the_known_names(numbers: Registry[int], path: str) -> None:
    with pytest.raises(UnknownNameError, match="known without a path: one, two"):
        numbers.get(path)


@pytest.mark.usefixtures("own_package")
def test_a_path_names_an_attribute_of_an_allowed_module(numbers: Registry[int]) -> None:
    assert numbers.get("podium_test_own.allowed.sound.TEN") == 10


@pytest.mark.usefixtures("own_package")
def test_a_path_to_another_kind_of_thing_is_refused(numbers: Registry[int]) -> None:
    with pytest.raises(UnknownNameError, match=r"sound.TEXT' is a str; a dotted path must name a int; known without"):
        numbers.get("podium_test_own.allowed.sound.TEXT")


def test_a_path_may_name_a_module() -> None:
    assert resolve_dotted_path("pipeline.registry", "module") is sys.modules["pipeline.registry"]


@pytest.mark.usefixtures("own_package")
@pytest.mark.parametrize("path", ["os.system", "podium_test_own.private.SECRET", "pipelines.x", "pipeline"])
def test_a_path_outside_the_allowed_packages_is_refused(path: str) -> None:
    with pytest.raises(
        UnknownNameError, match=r"outside the packages .*\(pipeline, podium_test_own.allowed\); add its"
    ):
        resolve_dotted_path(path, "source")


@pytest.mark.usefixtures("own_package")
@pytest.mark.parametrize("tail", ["", ".thing"])
@pytest.mark.parametrize(
    ("module", "missing"),
    [("lacks_a_package", "podium_test_missing"), ("lacks_a_sibling", "podium_test_own.allowed.missing")],
)
def test_an_import_that_fails_inside_an_allowed_module_is_not_swallowed(module: str, missing: str, tail: str) -> None:
    with pytest.raises(ModuleNotFoundError) as error:
        resolve_dotted_path(f"podium_test_own.allowed.{module}{tail}", "source")
    assert error.value.name == missing


@pytest.mark.usefixtures("own_package")
@pytest.mark.parametrize("tail", ["", ".thing"])
def test_an_error_inside_an_allowed_module_is_not_swallowed(tail: str) -> None:
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'attribute'"):
        resolve_dotted_path(f"podium_test_own.allowed.fails{tail}", "source")


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("pipeline.registry.importlib", "importlib"),
        ("pipeline.cli.rebuild.subprocess", "subprocess"),
        ("pipeline.landing.archive.os", "os"),
        ("pipeline.reports.app.version", r"importlib\.metadata"),
        ("pipeline.reports.caching.Headers", r"starlette\.datastructures"),
    ],
)
def test_what_an_allowed_module_imports_from_elsewhere_is_not_its_own(path: str, home: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"is of {home}, which that module only imports"):
        resolve_dotted_path(path, "source")
