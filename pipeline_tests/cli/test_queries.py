"""The queries that the command and the README suggest are valid on a published file, under the names they use."""

import re

import pytest

from pipeline.cli.summary import QUERIES
from pipeline.settings import PROJECT_ROOT
from pipeline_tests.cli.command import Podium

NAMES = {"name": "sp500", "schema": "sp500", "model": "momentum_12_1", "metric": "ic", "best_first": "2 DESC"}
SUGGESTED = [query.format(**NAMES) for query in QUERIES]


def readme_queries() -> list[str]:
    """Queries in the README's part on SQL: statements of blocks, and arguments of ``podium sql``.

    Those of its other parts are run by the tests of the boards that they are about.
    """
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Ask in SQL\n")[2]
    text = text.partition("\n## ")[0]
    blocks = "\n".join(re.findall(r"```sql\n(.*?)```", text, re.DOTALL))
    statements = [f"{statement};" for statement in blocks.split(";") if statement.strip()]
    return [*statements, *re.findall(r'^podium sql "([^"]+)"', text, re.MULTILINE)]


def test_the_readme_suggests_queries() -> None:
    assert len(readme_queries()) >= 3


@pytest.mark.parametrize("query", [*SUGGESTED, *readme_queries()])
def test_a_suggested_query_is_valid(boards: Podium, query: str) -> None:
    outcome = boards("sql", "-", "--json", stdin=query)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json == []
