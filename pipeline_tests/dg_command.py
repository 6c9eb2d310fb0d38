"""Dagster's ``dg`` run in this process, which has imported everything that it loads."""

import pytest
from click.testing import CliRunner, Result
from dagster_dg_cli.cli import create_dg_cli

from pipeline.settings import PROJECT_ROOT


def dg(*arguments: str, **environment: str) -> Result:
    """Run a command in the project; the environment, in which it leaves marks, is put back afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT_ROOT)
        for mark in ("DAGSTER_IS_DEV_CLI", "DAGSTER_IS_DEFS_VALIDATION_CLI", "KMP_DUPLICATE_LIB_OK"):
            patch.setenv(mark, "")
            patch.delenv(mark)
        for name, value in {"DAGSTER_DISABLE_TELEMETRY": "1", **environment}.items():
            patch.setenv(name, value)
        return CliRunner().invoke(create_dg_cli(), arguments)
