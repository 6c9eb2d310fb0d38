"""Every setting of Podium, read from ``PODIUM_*`` environment variables; each has a working local default.

Add a setting here when an operator may need to change it. What a competition decides for itself (metrics,
windows, deadlines) belongs in its ``defs.yaml``, not here.
"""

import functools
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are kept and how much of the machine may be used."""

    model_config = SettingsConfigDict(env_prefix="PODIUM_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default=PROJECT_ROOT / "data", description="Folder of the warehouse, published files and history."
    )
    dbt_project_dir: Path = Field(default=PROJECT_ROOT / "dbt_project", description="Folder of the dbt project.")
    defs_dir: Path | None = Field(
        default=None, description="A folder of boards of one's own, <name>/defs.yaml each, besides the bundled ones."
    )
    dotted_path_packages: tuple[str, ...] = Field(
        default=("pipeline",), description="Packages that dotted paths in YAML may point into (JSON list)."
    )
    lock_timeout: float = Field(default=60.0, ge=0, description="Seconds to wait for another writer of the warehouse.")
    memory_limit: str = Field(default="4GB", description="Memory that DuckDB may use, as DuckDB writes it.")
    threads: int = Field(default=0, ge=0, description="Threads that DuckDB may use; 0 means one for each core.")
    keep_published: int = Field(default=2, ge=1, description="Published versions kept on disk, the newest included.")
    files_per_run: int = Field(default=100, ge=1, description="Files of a board's inbox that one run lands, at most.")
    block_megabytes: int = Field(default=256, ge=1, description="Size of the arrays that one block of cycles may fill.")

    @property
    def warehouse_path(self) -> Path:
        """The working DuckDB file; only Podium opens it."""
        return self.data_dir.resolve() / "warehouse" / "podium.duckdb"

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
    def dagster_home(self) -> Path:
        """The folder of Dagster's own history (runs, events, schedules); absolute, as Dagster demands."""
        return self.data_dir.resolve() / "dagster_home"


@functools.cache
def settings() -> Settings:
    """The settings of this process, read once. Tests call ``settings.cache_clear()`` after changing the environment."""
    return Settings()
