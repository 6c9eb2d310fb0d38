"""What no line of Podium does: build SQL from values, load what can run, start a shell."""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import PROJECT_ROOT

_SQL = re.compile(
    r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER|ATTACH|COPY|WITH|PRAGMA|SET|FROM|DESCRIBE)\s"
)
_RUNS_SQL = {"execute", "executemany", "executescript", "query", "sql"}
COMPOSED_ELSEWHERE = {
    "pipeline/cluster/servers.py": 1,
    "pipeline/experiments/running/queue.py": 3,
    "pipeline/experiments/running/queue_file.py": 2,
    "pipeline/experiments/running/given.py": 2,
    "pipeline/landing/staging.py": 2,
    "pipeline/warehouse/advisory.py": 1,
    "pipeline/warehouse/contents.py": 1,
}
"""Texts of SQL with something put in. Those of experiments are for SQLite, which that package knows alone: what is put
in are constants, and names of columns that are fields of its own classes. Staging puts two templates together before
they are composed; contents makes stored views anew out of their own text. For PostgreSQL there are the name of a
database of the cluster on loopback, and a comment before statements that says whose session it is."""
TEMPLATES_JOINED = {"pipeline/bench/baselines.py"}
"""Where a template for compose is put together, of constants."""
QUESTIONS_PRINTED = {"pipeline/cli/summary.py"}
"""Where values are quoted in questions that a command proposes, and does not ask."""
_RUNS_ANYTHING = {"eval", "exec", "compile", "__import__"}
_UNSAFE_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "xml", "telnetlib"}
_SAFE_YAML = {"safe_load", "safe_load_all", "safe_dump", "compose_all", "parse"}
_SAFE_LOADERS = {"SafeLoader", "BaseLoader", "CSafeLoader"}


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package by its path."""
    paths = sorted((PROJECT_ROOT / "pipeline").rglob("*.py"))
    assert len(paths) > 400
    return {str(path.relative_to(PROJECT_ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def by_kind() -> dict[type[ast.AST], list[tuple[str, Any]]]:
    """Every node of every module, with the module's path."""
    found: dict[type[ast.AST], list[tuple[str, Any]]] = defaultdict(list)
    for path, tree in trees().items():
        for node in ast.walk(tree):
            found[type(node)].append((path, node))
    return found


def nodes(kind: type[ast.AST]) -> list[tuple[str, Any]]:
    return by_kind()[kind]


def built(node: ast.AST) -> bool:
    """Whether a text is put together with something: f"{x}", + x, % x, .format(x), .join(x)."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return True
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_method and node.func.attr in ("format", "format_map", "join", "replace")


def beginning(node: ast.AST) -> str:
    """The constant text that one that is put together begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return beginning(node.values[0])
    if isinstance(node, ast.BinOp):
        return beginning(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return beginning(node.func.value)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def sql_built() -> Counter[str]:
    """How many texts of SQL are put together, by module."""
    found: dict[tuple[str, int, int], None] = {}
    for kind in (ast.JoinedStr, ast.BinOp, ast.Call):
        for path, node in nodes(kind):
            if built(node) and _SQL.match(beginning(node)):
                found[path, node.lineno, node.col_offset] = None
    for path, call in nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _RUNS_SQL and call.args and built(call.args[0]):
            found[path, call.args[0].lineno, call.args[0].col_offset] = None
    return Counter(path for path, _, _ in found)


def test_sql_is_put_together_by_compose_alone() -> None:
    assert sql_built() == COMPOSED_ELSEWHERE


@pytest.mark.parametrize(
    ("line", "is_built"),
    [
        ('f"SELECT * FROM {table}"', True),
        ('"SELECT * FROM " + table', True),
        ('"DELETE FROM %s" % table', True),
        ('"DROP TABLE {}".format(table)', True),
        ('f"SELECT 1"', False),
        ('"SELECT * FROM t WHERE a = ?"', False),
        ('f"{n} rows of {table}"', False),
    ],
)
def test_what_is_put_together_is_seen(line: str, is_built: bool) -> None:
    node = ast.parse(line, mode="eval").body
    assert (built(node) and bool(_SQL.match(beginning(node)))) is is_built


def test_a_template_of_sql_is_a_constant() -> None:
    """What compose fills in was never made of values."""
    wrong = [
        path
        for path, call in nodes(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == "compose" and built(call.args[0])
    ]
    assert set(wrong) == TEMPLATES_JOINED


def test_names_are_quoted_by_one_function_alone() -> None:
    doubled = {
        path
        for path, call in nodes(ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "replace" and _constants(call) in _DOUBLED
    }
    assert doubled == {"pipeline/warehouse/identifiers.py"} | QUESTIONS_PRINTED


_DOUBLED = (['"', '""'], ["'", "''"])


def _constants(call: ast.Call) -> list[object]:
    return [one.value for one in call.args if isinstance(one, ast.Constant)]


def test_nothing_runs_a_text() -> None:
    called = {(path, call.func.id) for path, call in nodes(ast.Call) if isinstance(call.func, ast.Name)}
    assert {one for one in called if one[1] in _RUNS_ANYTHING} == set()


def test_nothing_is_read_by_what_runs_it() -> None:
    imported = {(path, one.name.partition(".")[0]) for path, node in nodes(ast.Import) for one in node.names}
    imported |= {(path, (node.module or "").partition(".")[0]) for path, node in nodes(ast.ImportFrom)}
    assert {one for one in imported if one[1] in _UNSAFE_MODULES} == set()
    loose = [
        f"{path}:{call.lineno}"
        for path, call in nodes(ast.Call)
        if any(one.arg == "allow_pickle" or (one.arg == "trust_remote_code") for one in call.keywords)
    ]
    assert loose == []


def test_yaml_makes_plain_values() -> None:
    wrong = []
    for path, call in nodes(ast.Call):
        function = call.func
        if not (isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "yaml"):
            continue
        loaders = {one.attr for one in ast.walk(call) if isinstance(one, ast.Attribute) and one.attr.endswith("Loader")}
        if function.attr not in _SAFE_YAML and not (function.attr == "load" and loaders and loaders <= _SAFE_LOADERS):
            wrong.append(f"{path}:{call.lineno} {function.attr}")
        assert loaders <= _SAFE_LOADERS, path
    assert wrong == []


def test_no_command_goes_through_a_shell() -> None:
    through = [
        f"{path}:{call.lineno}" for path, call in nodes(ast.Call) if any(o.arg == "shell" for o in call.keywords)
    ]
    by_name = [
        f"{path}:{node.lineno}"
        for path, node in nodes(ast.Attribute)
        if getattr(node.value, "id", "") == "os" and node.attr in ("system", "popen")
    ]
    assert through + by_name == []


def test_keys_are_compared_in_constant_time() -> None:
    text = (PROJECT_ROOT / "pipeline" / "reports" / "access" / "keys.py").read_text(encoding="utf-8")
    compared = [
        one
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.Compare) and any("sha256" in ast.unparse(part) for part in (one.left, *one.comparators))
    ]
    assert compared == []
    assert "hmac.compare_digest(" in text


def test_every_test_that_the_threat_model_names_is_there() -> None:
    text = (PROJECT_ROOT / "pipeline" / "docs" / "security.md").read_text(encoding="utf-8")
    threats = text.partition("## Threats and defences")[2].partition("## What is not defended")[0]
    named = set(re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py)`", threats))
    there = {str(path.relative_to(PROJECT_ROOT / "pipeline_tests")) for path in _tests()}
    assert len(named) > 20
    assert {one for one in named if not any(path == one or path.endswith(f"/{one}") for path in there)} == set()


def _tests() -> list[Path]:
    return list((PROJECT_ROOT / "pipeline_tests").rglob("test_*.py"))
