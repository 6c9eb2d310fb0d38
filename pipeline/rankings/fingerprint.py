"""What made a row of a ranking: a hash of the code and of the part of the declaration that a table depends on."""

from typing import Any

from pipeline.fingerprint import Stage, source_hash, stage_named
from pipeline.rankings.declaration import Rankings

_OF_SOURCES: dict[str, Any] = {"sources": {"__all__": {"source", "options"}}, "bundled": True}
_CHOSEN: dict[str, Any] = _OF_SOURCES | {"prices": True, "leave_out_flags": True, "speed_days": True}
_SCORED: dict[str, Any] = _OF_SOURCES | dict.fromkeys(
    ("rank_by", "ability", "weights", "scales", "quality", "renormalise", "min_coverage"), True
)
_RANKED: dict[str, Any] = _SCORED | {"min_benchmarks": True, "min_sources": True}
_SOURCES = ("pipeline.rankings",)
_WITH_KERNEL = ("pipeline.rankings", "pipeline.leaderboard")
_STAGES = {
    "catalog": Stage(),
    "fetch_status": Stage(_OF_SOURCES, _SOURCES),
    "unread": Stage(_OF_SOURCES, _SOURCES),
    "breaks": Stage(_OF_SOURCES, _SOURCES),
    "models": Stage(_OF_SOURCES, _SOURCES),
    "aliases": Stage(_OF_SOURCES, _SOURCES),
    "results": Stage(_CHOSEN, _SOURCES),
    "unmatched": Stage({}, _SOURCES),
    "benchmarks": Stage(_OF_SOURCES, _SOURCES),
    "scores": Stage(_SCORED, _WITH_KERNEL),
    "leaderboard": Stage(_RANKED, _WITH_KERNEL),
}


def stage_code(stage: str, rankings: Rankings, *also: str) -> str:
    """Hash of everything but its input rows that a table of a ranking depends on.

    Parameters
    ----------
    stage : str
        Name of the table, or ``catalog``.
    rankings : Rankings
        The declaration; modules of sources of one's own count as code.
    *also : str
        Anything else, such as the hashes of files.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    own = sorted({one.source for one in rankings.sources.values() if one.source})
    modules = [source_hash(path.rpartition(".")[0]) for path in own]
    return stage_named(stage, _STAGES).code(rankings, *modules, *also)
