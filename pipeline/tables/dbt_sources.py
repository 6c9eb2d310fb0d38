"""The dbt sources as YAML, generated from the table specifications: ``python -m pipeline.tables.dbt_sources``.

The file is committed, so that plain dbt works without Python; a test holds that it is current.
"""

import sys
from itertools import groupby
from pathlib import Path

from pipeline.settings import settings
from pipeline.tables import ALL_TABLES, TableSpec

HEADER = "# Generated from pipeline/tables by `make generate`; do not edit.\n"


def sources_file() -> Path:
    """Where dbt reads them."""
    return settings().dbt_project_dir / "models" / "staging" / "_sources.yml"


def sources_yaml() -> str:
    """All tables as dbt sources, with the type and comment of every column."""
    lines = [HEADER, "version: 2\n", "\n", "sources:\n"]
    for schema, specs in groupby(
        sorted(ALL_TABLES, key=lambda spec: (spec.schema, spec.name)), lambda spec: spec.schema
    ):
        lines += [f"  - name: {schema}\n", f"    schema: {schema}\n", "    tables:\n"]
        for spec in specs:
            lines += _table(spec)
    return "".join(lines)


def _table(spec: TableSpec) -> list[str]:
    lines = [f"      - name: {spec.name}\n", f"        description: {_quoted(spec.comment)}\n", "        columns:\n"]
    for column in spec.columns:
        lines.append(f"          - name: {column.name}\n")
        lines.append(f"            description: {_quoted(column.comment)}\n")
        lines.append(f"            data_type: {column.type.lower()}\n")
    return lines


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sources_file().write_text(sources_yaml(), encoding="utf-8")
    sys.stdout.write(f"wrote {sources_file()}\n")
