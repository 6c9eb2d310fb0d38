"""Every setting of Podium, read from ``PODIUM_*`` environment variables; each has a working local default.

Add a setting here when an operator may need to change it. What a competition decides for itself (metrics,
windows, deadlines) belongs in its ``defs.yaml``, not here.
"""

import difflib
import functools
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent

_PREFIX = "PODIUM_"
_NOT_SETTINGS = (  # read by the profile and the plugins of dbt, and by tests
    *("PODIUM_WAREHOUSE_FILE", "PODIUM_LAKE_CATALOG", "PODIUM_LAKE_FILES", "PODIUM_STARTED_BY"),
    "PODIUM_SHARED_DATA",
)
_SECRET = "secrets_"  # noqa: S105  # nosec B105 # what variables begin with
_DUCKLAKE = "ducklake:postgres:"
_PROVIDER = "providers_"
_UNITS = {unit: 1000**power for power, unit in enumerate("KMGT", start=1)}
_LEAST_MEMORY, _MOST_MEMORY = 64 * _UNITS["M"], 1000 * _UNITS["T"]


class Settings(BaseSettings):
    """Where things are kept and how much of the machine may be used; an empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        env_nested_delimiter="_",  # PODIUM_SECRETS_<NAME>
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
    )

    data_dir: Path = Field(
        default=PROJECT_ROOT / "data", description="Folder of the warehouse, published files and history."
    )
    warehouse: str = Field(
        default="",
        description="Where tables are kept: a DuckDB file in the data folder, or ducklake:postgres:<libpq string> for "
        "DuckLake with its catalog in that database.",
    )
    lake_path: str = Field(
        default="",
        description="Where DuckLake keeps its Parquet files, the same path on every machine; lake in the data folder "
        "by default.",
    )
    executor: Literal["", "celery"] = Field(
        default="", description="Where steps of a run are executed: in its own process, or on Celery workers (celery)."
    )
    broker: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"), description="Where Celery workers get their work: redis://..."
    )
    worker_lost_seconds: int = Field(
        default=3600,
        ge=10,
        description="Seconds after which a step that no Celery worker has finished is given to another one.",
    )
    history: SecretStr | None = Field(
        default=None,
        description="Where Dagster keeps runs and events: postgresql://..., or SQLite in its home by default.",
    )
    dbt_project_dir: Path = Field(default=PROJECT_ROOT / "dbt_project", description="Folder of the dbt project.")
    defs_dir: Path | None = Field(
        default=None, description="A folder of boards of one's own, <name>/defs.yaml each, besides the bundled ones."
    )
    dotted_path_packages: tuple[str, ...] = Field(
        default=("pipeline",), description="Packages that dotted paths in YAML may point into (JSON list)."
    )
    lock_timeout: float = Field(
        default=60.0, ge=0, le=1e9, allow_inf_nan=False, description="Seconds to wait for another writer."
    )
    memory_limit: str = Field(default="4GB", description="Memory that DuckDB may use, such as 512MB or 4GiB.")
    threads: int = Field(
        default=0, ge=0, le=1024, description="Threads that DuckDB may use; 0 means one for each core."
    )
    keep_published: int = Field(default=2, ge=1, description="Published versions kept on disk, the newest included.")
    report_routes: tuple[str, ...] = Field(
        default=(), description="Dotted paths of routers of one's own that podium serve adds (JSON list)."
    )
    reports_private: bool = Field(
        default=False, description="Whether reports and pages need a key, too; without it only submissions and runs do."
    )
    submission_megabytes: int = Field(
        default=100, ge=1, le=10_000, description="Size of one submission through the API, at most."
    )
    submission_rows: int = Field(
        default=5_000_000, ge=1, description="Rows of one submission through the API, at most."
    )
    submissions_per_minute: int = Field(
        default=30, ge=1, description="Requests about submissions that one key may make in a minute."
    )
    runs_per_minute: int = Field(
        default=600, ge=1, description="Requests about runs of experiments that one key may make in a minute."
    )
    failed_keys_per_minute: int = Field(
        default=30, ge=1, description="Requests without a valid key that one address may make in a minute."
    )
    files_per_run: int = Field(default=100, ge=1, description="Files of a board's inbox that one run lands, at most.")
    block_megabytes: int = Field(default=256, ge=1, description="Size of the arrays that one block of cycles may fill.")
    fetch: bool = Field(
        default=False,
        description="Whether sources of rankings are fetched from their publishers; without it the last good snapshots "
        "and bundled facts are used.",
    )
    secrets: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Keys that publishers gave, each in a variable of its own: PODIUM_SECRETS_<NAME>, such as "
        "PODIUM_SECRETS_ARTIFICIALANALYSIS.",
    )
    providers: dict[str, str] = Field(
        default_factory=dict,
        description="Addresses of providers of models, each in a variable of its own: PODIUM_PROVIDERS_<NAME>, such as "
        "PODIUM_PROVIDERS_OPENAI=https://api.openai.com/v1; the key is PODIUM_SECRETS_<NAME>.",
    )
    posted_cost: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="USD that one experiment may cost that was posted to the report API.",
    )
    fetch_connect_seconds: float = Field(
        default=10.0, gt=0, le=3600, allow_inf_nan=False, description="Seconds to wait for a publisher's connection."
    )
    fetch_read_seconds: float = Field(
        default=30.0, gt=0, le=3600, allow_inf_nan=False, description="Seconds to wait for a publisher's next bytes."
    )
    fetch_total_seconds: float = Field(
        default=120.0,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds that one try of a document may take.",
    )
    fetch_tries: int = Field(
        default=4, ge=1, le=20, description="Tries of one document, when what went wrong may pass."
    )
    keep_fetched: int = Field(
        default=10, ge=1, description="Snapshots of what a source published that stay, besides the last good one."
    )
    log: Literal["text", "json"] = Field(
        default="text",
        description="What podium run, serve and up say of their work: lines for people, or a JSON object each.",
    )
    metrics: Literal["local", "open", "off"] = Field(
        default="local",
        description="Who may read /metrics: this machine and who has PODIUM_SECRETS_METRICS, everybody, or nobody.",
    )
    alert: SecretStr | None = Field(
        default=None,
        description="What is told of failures: an address that takes JSON, or the dotted path of a function.",
    )

    @field_validator("data_dir", "dbt_project_dir", "defs_dir")
    @classmethod
    def _with_home(cls, folder: Path | None) -> Path | None:
        try:
            return folder and folder.expanduser()
        except RuntimeError as error:  # ~somebody, who is not known here
            raise ValueError(str(error)) from None

    @field_validator("warehouse")
    @classmethod
    def _is_known(cls, text: str) -> str:
        if text and not text.startswith(_DUCKLAKE):
            raise ValueError(f"leave it empty for a DuckDB file, or write {_DUCKLAKE}<libpq string>")
        return text

    @field_validator("memory_limit")
    @classmethod
    def _is_memory(cls, text: str) -> str:
        # Checked here because DuckDB takes -1 and none for no limit, and 1KB only to fail at its first allocation.
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT])(i?B)?", text.strip(), re.IGNORECASE)
        if not found or not _LEAST_MEMORY <= float(found[1]) * _UNITS[found[2].upper()] <= _MOST_MEMORY:
            raise ValueError("write a number and its unit (MB, GB, TB, MiB, ...), 64MB at least")
        return text.strip()

    @field_validator("alert")
    @classmethod
    def _is_told(cls, given: SecretStr | None) -> SecretStr | None:
        text = given.get_secret_value() if given else ""
        parts = urlsplit(text)
        is_address = parts.scheme in ("https", "http") and bool(parts.hostname)
        if given and not is_address and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", text):
            raise ValueError("write an address such as https://example.org/hook, or a path such as package.module.tell")
        return given

    @field_validator("secrets", mode="before")
    @classmethod
    def _by_lower_name(cls, given: object) -> object:
        if not isinstance(given, dict):
            raise ValueError("give each key in a variable of its own, PODIUM_SECRETS_<NAME>")
        return {str(name).lower(): value for name, value in given.items()}

    @field_validator("providers", mode="before")
    @classmethod
    def _are_addresses(cls, given: object) -> object:
        if not isinstance(given, dict):
            raise ValueError("give each address in a variable of its own, PODIUM_PROVIDERS_<NAME>")
        for name, address in given.items():
            parts = urlsplit(str(address))
            if parts.scheme not in ("https", "http") or not parts.hostname:
                raise ValueError(f"that of {name} is no address; write one such as https://api.openai.com/v1")
            if "@" in parts.netloc or parts.query or parts.fragment:
                raise ValueError(
                    f"that of {name} has more than host and path; give a key as {secret_variable(str(name))}"
                )
        return {str(name).lower(): str(address).rstrip("/") for name, address in given.items()}

    @property
    def warehouse_path(self) -> Path:
        """The working DuckDB file; only Podium opens it."""
        return self.data_dir.resolve() / "warehouse" / "podium.duckdb"

    @property
    def lake_catalog(self) -> str | None:
        """The libpq string of DuckLake's catalog; None when tables are kept in a DuckDB file."""
        return self.warehouse.removeprefix(_DUCKLAKE) if self.warehouse else None

    @property
    def lake_files(self) -> str:
        """Where DuckLake keeps its Parquet files: a folder, or the address of an object store."""
        return self.lake_path or str(self.data_dir.resolve() / "lake")

    @property
    def published_dir(self) -> Path:
        """The folder of published versions; ``current`` in it points to the newest."""
        return self.data_dir.resolve() / "published"

    @property
    def inbox_dir(self) -> Path:
        """The folder where files for boards are dropped: ``<board>/<kind>/``."""
        return self.data_dir.resolve() / "inbox"

    @property
    def archive_dir(self) -> Path:
        """The folder of every file that was ever landed, under its hash."""
        return self.data_dir.resolve() / "archive"

    @property
    def fetched_dir(self) -> Path:
        """The folder of what sources of rankings published, as it was fetched: ``<source>/``."""
        return self.archive_dir / "llm"

    @property
    def experiments_dir(self) -> Path:
        """The folder of the queues of experiments, ``<experiment>.sqlite``, on a disk of this machine."""
        return self.data_dir.resolve() / "experiments"

    @property
    def keys_dir(self) -> Path:
        """The folder of players' keys and of the models that they claimed; its owner alone may read it."""
        return self.data_dir.resolve() / "keys"

    @property
    def health_dir(self) -> Path:
        """The folder of what runs and checks came to last, for those who look after it."""
        return self.data_dir.resolve() / "health"

    @property
    def dagster_home(self) -> Path:
        """The folder of Dagster's own history (runs, events, schedules); absolute, as Dagster demands."""
        return self.data_dir.resolve() / "dagster_home"


@functools.cache
def settings() -> Settings:
    """The settings of this process, read once. Tests call ``settings.cache_clear()`` after changing the environment."""
    return Settings()


def secret_variable(name: str) -> str:
    """The variable that a secret is given in."""
    return _variable(f"{_SECRET}{name}")


def provider_variable(name: str) -> str:
    """The variable that the address of a provider is given in."""
    return _variable(f"{_PROVIDER}{name}")


def unknown_variables() -> list[str]:
    """Variables of the environment that look like settings and are none, each with the setting it may mean."""
    known = list(Settings.model_fields)
    found = []
    for variable in sorted(os.environ):
        name = variable.lower().removeprefix(_PREFIX.lower())
        is_meant = variable.upper().startswith(_PREFIX) and not name.startswith((_SECRET, _PROVIDER))
        if is_meant and name not in known and variable not in _NOT_SETTINGS:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {_variable(nearest[0])}?" if nearest else f"known: {', '.join(map(_variable, known))}"
            found.append(f"{variable} is no setting and changes nothing; {hint}")
    return found


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"
