"""Settings: local defaults that work, and what the environment may change."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from pipeline.cli.errors import one_line
from pipeline.settings import PROJECT_ROOT, Settings, provider_variable, secret_variable, settings, unknown_variables


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PODIUM_{name.upper()}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_every_setting_has_a_default_and_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name


def test_defaults_keep_everything_inside_the_project() -> None:
    found = settings()
    assert found.warehouse_path == PROJECT_ROOT / "data" / "warehouse" / "podium.duckdb"
    assert found.published_dir == PROJECT_ROOT / "data" / "published"
    assert found.dagster_home == PROJECT_ROOT / "data" / "dagster_home"
    assert found.fetched_dir == PROJECT_ROOT / "data" / "archive" / "llm"
    assert found.dbt_project_dir == PROJECT_ROOT / "dbt_project"
    assert found.dotted_path_packages == ("pipeline",)


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PODIUM_DOTTED_PATH_PACKAGES", '["pipeline", "mine.metrics"]')
    monkeypatch.setenv("PODIUM_THREADS", "3")
    found = settings()
    assert found.warehouse_path == tmp_path / "warehouse" / "podium.duckdb"
    assert found.dotted_path_packages == ("pipeline", "mine.metrics")
    assert found.threads == 3


def test_paths_are_absolute_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PODIUM_DATA_DIR", "here")
    assert settings().dagster_home == tmp_path / "here" / "dagster_home"
    assert settings().published_dir.is_absolute()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PODIUM_LOCK_TIMEOUT", "-1"),
        ("PODIUM_LOCK_TIMEOUT", "inf"),
        ("PODIUM_LOCK_TIMEOUT", "nan"),
        ("PODIUM_THREADS", "-1"),
        ("PODIUM_THREADS", "100000"),
        ("PODIUM_MEMORY_LIMIT", "lots"),
        ("PODIUM_MEMORY_LIMIT", "-1"),
        ("PODIUM_MEMORY_LIMIT", "4"),
        ("PODIUM_MEMORY_LIMIT", "1KB"),
        ("PODIUM_MEMORY_LIMIT", "80%"),
        ("PODIUM_MEMORY_LIMIT", "99999999TB"),
        ("PODIUM_DATA_DIR", "~nobody_of_that_name/data"),
        ("PODIUM_KEEP_PUBLISHED", "0"),
        ("PODIUM_BLOCK_MEGABYTES", "0"),
        ("PODIUM_FETCH_CONNECT_SECONDS", "0"),
        ("PODIUM_FETCH_READ_SECONDS", "nan"),
        ("PODIUM_FETCH_TOTAL_SECONDS", "inf"),
        ("PODIUM_FETCH_TRIES", "0"),
        ("PODIUM_KEEP_FETCHED", "0"),
    ],
)
def test_a_senseless_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("PODIUM_").lower()):
        settings()


def test_settings_are_read_once_and_do_not_change() -> None:
    assert settings() is settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings().threads = 2  # type: ignore[misc]


@pytest.mark.parametrize("value", ["64MB", "512MiB", "4GB", "4 gb", "1.5G", "2TiB", " 4GB "])
def test_a_memory_limit_that_is_taken_is_one_that_duckdb_takes(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PODIUM_MEMORY_LIMIT", value)
    with duckdb.connect(config={"memory_limit": settings().memory_limit}) as connection:
        connection.execute("SELECT count(*) FROM range(10)")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_DATA_DIR", "")
    monkeypatch.setenv("PODIUM_MEMORY_LIMIT", "")
    assert settings() == Settings.model_construct()


def test_a_tilde_means_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PODIUM_DATA_DIR", "~/data")
    assert settings().published_dir == tmp_path / "data" / "published"


def test_a_variable_that_is_no_setting_is_told_with_the_one_it_may_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_WAREHOUSE_FILE", "of the profile of dbt")
    monkeypatch.setenv("PODIUM_DATADIR", "data")
    monkeypatch.setenv("PODIUM_COLOUR", "red")
    colour, data_dir = unknown_variables()
    assert colour.startswith("PODIUM_COLOUR is no setting and changes nothing; known: PODIUM_DATA_DIR, ")
    assert data_dir == "PODIUM_DATADIR is no setting and changes nothing; did you mean PODIUM_DATA_DIR?"


def test_a_secret_has_a_variable_of_its_own_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_SECRETS_MY_BOARD", "s3cret")
    found = settings()
    assert {name: value.get_secret_value() for name, value in found.secrets.items()} == {"my_board": "s3cret"}
    assert "s3cret" not in repr(found)
    assert unknown_variables() == []
    assert secret_variable("my_board") == "PODIUM_SECRETS_MY_BOARD"


@pytest.mark.parametrize("value", ['["s3cret"]', '"s3cret"', "s3cret"])
def test_secrets_in_one_variable_are_refused_without_showing_them(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PODIUM_SECRETS", value)
    with pytest.raises((ValidationError, SettingsError)) as caught:
        settings()
    told = one_line(caught.value)
    assert "secrets" in told.lower()
    assert "s3cret" not in told


def test_each_provider_has_an_address_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(provider_variable("my_host"), "http://localhost:8000/v1/")
    monkeypatch.setenv("PODIUM_PROVIDERS_OPENAI", "https://api.openai.com/v1")
    assert settings().providers == {"my_host": "http://localhost:8000/v1", "openai": "https://api.openai.com/v1"}
    assert unknown_variables() == []


@pytest.mark.parametrize(
    "value", ["nowhere", "ftp://host", "https://", "https://s3cret@host/v1", "https://h/?k=s3cret"]
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PODIUM_PROVIDERS_OPENAI", value)
    with pytest.raises(ValidationError) as raised:
        settings()
    told = one_line(raised.value)
    assert told.startswith("PODIUM_PROVIDERS cannot be used: that of openai")
    assert "s3cret" not in told


def test_addresses_in_one_variable_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_PROVIDERS", "https://host")
    with pytest.raises(SettingsError) as raised:
        settings()
    assert "PODIUM_PROVIDERS_<NAME>" in one_line(raised.value)
