"""What made a row of a track: a hash of the code and of the part of the declaration that a table depends on."""

from typing import Any

from pipeline.fingerprint import digest, source_hash
from pipeline.judging.declaration import Track

_WHERE = ("files", "format", "topics", "qrels")
_OF_BOARDS: dict[str, Any] = {"official": set(_WHERE), "judges": {"__all__": set(_WHERE)}, "meanings": True}
_RANKED: dict[str, Any] = {
    "primary": True,
    "official": {"primary"},
    "judges": {"__all__": {"primary"}},
    "on_missing": True,
}
_DECLARED: dict[str, dict[str, Any]] = {
    "catalog": {},
    "files": _OF_BOARDS,
    "measures": _OF_BOARDS | {"measures": True, "on_missing": True},
    "leaderboard": _RANKED,
    "correlations": _RANKED | {"correlations": True},
    "comparisons": _RANKED | {"comparisons": True},
}
_SOURCES = ("pipeline.judging", "pipeline.leaderboard")


def stage_code(stage: str, track: Track, *also: str) -> str:
    """Hash of everything but its input rows that a table depends on.

    Parameters
    ----------
    stage : str
        Name of the table, or ``catalog``.
    track : Track
        The declaration.
    *also : str
        Anything else, such as the hashes of files.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    if stage not in _DECLARED:
        raise ValueError(f"unknown stage {stage!r}; known: {', '.join(_DECLARED)}")
    declared = track.model_dump_json(include=_DECLARED[stage]) if _DECLARED[stage] else ""
    return digest(declared, *also, *(source_hash(module) for module in _SOURCES if stage != "catalog"))
