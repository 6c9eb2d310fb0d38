"""What made a row of a track: a hash of the code and of the part of the declaration that a table depends on."""

from typing import Any

from pipeline.fingerprint import Stage, stage_named
from pipeline.judging.declaration import Track

_WHERE = ("files", "format", "topics", "qrels")
_OF_BOARDS: dict[str, Any] = {"official": set(_WHERE), "judges": {"__all__": set(_WHERE)}, "meanings": True}
_RANKED: dict[str, Any] = {
    "primary": True,
    "official": {"primary"},
    "judges": {"__all__": {"primary"}},
    "on_missing": True,
}
_SOURCES = ("pipeline.judging", "pipeline.leaderboard")
_STAGES = {
    "catalog": Stage(),
    "files": Stage(_OF_BOARDS, _SOURCES),
    "measures": Stage(_OF_BOARDS | {"measures": True, "on_missing": True}, _SOURCES),
    "leaderboard": Stage(_RANKED, _SOURCES),
    "correlations": Stage(_RANKED | {"correlations": True}, _SOURCES),
    "comparisons": Stage(_RANKED | {"comparisons": True}, _SOURCES),
}


def stage_code(stage: str, track: Track, *also: str) -> str:
    """Hash of everything but its input rows that a table of a track depends on.

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
    return stage_named(stage, _STAGES).code(track, *also)
