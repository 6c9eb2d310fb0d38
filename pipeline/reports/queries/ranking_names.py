"""How many models a published ranking of language models ranks, and what names of models mean there."""

from dataclasses import dataclass

import duckdb

_NAMES = """
    SELECT a.source, a.raw_name, nullif(a.title, ''), a.model, a.status, a.method, a.evidence, a.candidates,
           coalesce(u.n_results, 0)
    FROM llm.aliases AS a
    LEFT JOIN llm.unmatched AS u USING (ranking, source, raw_name)
    WHERE a.ranking = ? AND NOT a.is_system
    ORDER BY coalesce(u.n_results, 0) DESC, a.source, a.raw_name
"""
_MODELS = "SELECT model FROM llm.models WHERE ranking = ? ORDER BY model"


@dataclass(frozen=True)
class NamedModel:
    """A name that a source gives a single model, what it means, and how many figures wait for a decision.

    ``title`` is the name that the source shows to people; None where it has none besides.
    """

    source: str
    raw_name: str
    title: str | None
    model: str | None
    status: str
    method: str
    evidence: str | None
    candidates: str | None
    n_results: int


def n_ranked(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many models a ranking ranks; 0 where it is not published."""
    counted = connection.execute("SELECT count(rank) FROM llm.leaderboard WHERE ranking = ?", [name]).fetchone()
    return int(counted[0]) if counted else 0


def named_models(connection: duckdb.DuckDBPyConnection, name: str) -> list[NamedModel]:
    """Every name of a single model in a ranking's sources; those for which most figures wait first."""
    return [NamedModel(*row) for row in connection.execute(_NAMES, [name]).fetchall()]


def model_ids(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The ids of all models that any source of a ranking has a name of."""
    return [row[0] for row in connection.execute(_MODELS, [name]).fetchall()]
