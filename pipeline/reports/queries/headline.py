"""What is said above a board: how many models, how sure their order is, and the boards before and after it."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipeline.tables import LEADERBOARD

_AROUND = """
    SELECT min(cycle), max(cycle) FILTER (cycle < $at), min(cycle) FILTER (cycle > $at), max(cycle), count(*)
    FROM meta.cycles WHERE competition = $board AND table_name = $table
"""

_COUNTS = """
    SELECT count(rank), count(*) FILTER (rank IS NULL AND NOT is_ensemble), count(*) FILTER (is_ensemble),
           count(rank_lo) FILTER (rank IS NOT NULL), sum(rank_lo - 1) FILTER (rank IS NOT NULL),
           max(n_cycles), min(n_effective), max(n_effective)
    FROM competition.leaderboard WHERE competition = $board AND category = $category AND as_of = $at
"""


@dataclass(frozen=True)
class Around:
    """Moments of boards: the first, those beside one, the newest, and how many there are; None where there is none."""

    first: datetime | None
    earlier: datetime | None
    later: datetime | None
    newest: datetime | None
    n: int


@dataclass(frozen=True)
class Counts:
    """How many models a board has, and how many pairs of them differ for sure.

    Parameters
    ----------
    ranked, unranked, ensembles : int
        Models; ranked and unranked are real ones.
    compared : int
        Ranked models that have a rank interval.
    apart : int or None
        Pairs of which one is significantly better; None where no pair was compared.
    n_cycles : int or None
        Cycles that models are compared on, at most.
    n_effective_lo, n_effective_hi : float or None
        How many independent ones these count as, from the least to the most of all pairs.
    """

    ranked: int
    unranked: int
    ensembles: int
    compared: int
    apart: int | None
    n_cycles: int | None
    n_effective_lo: float | None
    n_effective_hi: float | None

    @property
    def pairs(self) -> int:
        """Pairs of models that were compared."""
        return self.compared * (self.compared - 1) // 2


def around(connection: duckdb.DuckDBPyConnection, name: str, as_of: datetime) -> Around:
    """The moments beside that of a board."""
    values = {"at": as_of, "board": name, "table": LEADERBOARD.name}
    return Around(*connection.execute(_AROUND, values).fetchall()[0])


def counts(connection: duckdb.DuckDBPyConnection, name: str, category: str, as_of: datetime) -> Counts:
    """How many models a board has, and how many pairs of them differ for sure."""
    values = {"at": as_of, "board": name, "category": category}
    return Counts(*connection.execute(_COUNTS, values).fetchall()[0])
