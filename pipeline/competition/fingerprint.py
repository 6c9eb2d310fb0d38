"""What made a row: a hash of the code and of the part of the contract that a stage depends on.

The ledger compares it, so that a changed formula or declaration recomputes exactly what it touches. Rows that
come out the same do not count as changed, so a changed comment costs one recomputation and moves nothing.
"""

import functools
import hashlib
import importlib.util
import json
from pathlib import Path

from pipeline.competition.contract import Contract

_STAGE_FIELDS = {
    "predictions": ("predictions",),
    "truth": ("truth",),
    "scores": ("predictions", "scoring", "min_subjects", "center", "horizon_cycles"),
    "cycle_metrics": ("predictions", "scoring", "metrics", "min_subjects", "center", "horizon_cycles"),
    "snapshots": ("metrics", "windows"),
    "leaderboard": ("scoring", "metrics", "leaderboard"),
}
_STAGE_PACKAGES = {
    "scores": ("pipeline.competition",),
    "cycle_metrics": ("pipeline.competition",),
    "snapshots": ("pipeline.competition", "pipeline.leaderboard"),
    "leaderboard": ("pipeline.competition.stages", "pipeline.leaderboard"),
}


def stage_code(stage: str, contract: Contract, *also: str) -> str:
    """Hash of everything but its input rows that a stage's rows depend on.

    Parameters
    ----------
    stage : str
        Name of the table.
    contract : Contract
    *also : str
        Anything else, such as a source's fingerprint.
    """
    declared = contract.model_dump(mode="json", include=set(_STAGE_FIELDS.get(stage, ())))
    parts = [json.dumps(declared, sort_keys=True), *also]
    parts += [_source_hash(package) for package in _STAGE_PACKAGES.get(stage, ())]
    parts += [_source_hash(module) for module in _custom_modules(stage, contract)]
    return _digest(*parts)


def _custom_modules(stage: str, contract: Contract) -> list[str]:
    """Modules of the rule and metrics that the contract names by dotted path."""
    if stage not in _STAGE_PACKAGES:
        return []
    dotted = [name for name in (contract.scoring.rule, *contract.metrics) if "." in name]
    return [name.rpartition(".")[0] for name in dotted]


@functools.cache
def _source_hash(module: str) -> str:
    """Hash of the source text of a module, or of a package with everything in it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    path = Path(spec.origin)
    files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    return _digest(*(file.read_text(encoding="utf-8") for file in files))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
