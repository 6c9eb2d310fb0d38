"""The one-way imports of the design, as declared in pyproject.toml for import-linter."""

import subprocess
import sys
from pathlib import Path

from pipeline.settings import PROJECT_ROOT


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
