"""People who rate: how far they agree, and which run somebody should rate next."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pipeline.experiments.scorers import Human
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.page import Query
from pipeline.reports.queries.standings import UnknownKeyError

_AGREEMENT = """
    SELECT scorer, coefficient, level, value, n_raters, n_runs, reason FROM {agreement}
    WHERE experiment = $experiment ORDER BY scorer, coefficient, level
"""
_RATERS = "SELECT DISTINCT rater FROM {scores} WHERE experiment = ? AND rater > 0 AND starts_with(score_id, ? || '-')"
_RATED = """
    SELECT r.run_id, count(s.rater), coalesce(bool_or(list_contains($own, s.rater)), false)
    FROM {runs} AS r
    LEFT JOIN {scores} AS s ON s.experiment = r.experiment AND s.run_id = r.run_id AND s.scorer = $scorer
         AND s.rater > 0 AND s.is_latest AND s.value IS NOT NULL
    WHERE r.experiment = $experiment AND r.status = 'completed'
    GROUP BY r.run_id
"""


@dataclass(frozen=True)
class ToRate:
    """What somebody has to rate by a scorer.

    Parameters
    ----------
    experiment, scorer : str
    question : str
        What people are asked.
    scale : tuple of float
        The worst and the best rating.
    step : float or None
        Between two ratings; None for any rating.
    raters : int
        People that should rate each run.
    run_id : str or None
        The run to rate next; None when nothing is left.
    n_left : int
        Runs that this person has not rated and that fewer people than that have.
    n_own : int
        Runs that this person has rated.
    n_rated : int
        Completed runs that enough people have rated.
    n_runs : int
        Completed runs.
    """

    experiment: str
    scorer: str
    question: str
    scale: tuple[float, float]
    step: float | None
    raters: int
    run_id: str | None
    n_left: int
    n_own: int
    n_rated: int
    n_runs: int


def agreement(tables: ExperimentTables, name: str) -> Query:
    """How far people agree by scorer, by each coefficient.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    """
    tables.of(name)
    return Query(tables.sql(_AGREEMENT), {"experiment": name})


def human_scorers(tables: ExperimentTables, name: str) -> dict[str, Human]:
    """The scorers of an experiment that people rate by.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    """
    made = tables.of(name).experiment.made_scorers
    return {one: scorer for one, scorer in made.items() if isinstance(scorer, Human)}


def own_raters(tables: ExperimentTables, name: str, token: str) -> frozenset[int]:
    """The numbers that a person has as a rater, known by what the ids of the person's scores begin with."""
    found = tables.connection.execute(tables.sql(_RATERS), [name, token]).fetchall()
    return frozenset(rater for (rater,) in found)


def next_to_rate(
    tables: ExperimentTables, name: str, scorer: str, own: Collection[int], seed: str, after: Collection[str] = ()
) -> ToRate:
    """The run that somebody should rate next: those that others have begun first, in an order of one's own.

    That says nothing of who made what, so that nobody rates a configuration as a whole.

    Parameters
    ----------
    tables : ExperimentTables
    name, scorer : str
    own : collection of int
        The numbers that this person has as a rater.
    seed : str
        What the order depends on, such as the person's name.
    after : collection of str
        Runs that were skipped: they come last.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If people do not rate by that scorer.
    """
    known = human_scorers(tables, name)
    if scorer not in known:
        raise UnknownKeyError(
            f"people do not rate by {scorer!r} in experiment {name!r}; they rate by: {', '.join(known) or 'nothing'}"
        )
    human = known[scorer]
    asked: dict[str, Any] = {"experiment": name, "scorer": scorer, "own": list(own)}
    found = tables.connection.execute(tables.sql(_RATED), asked).fetchall()
    left = [(run_id, n) for run_id, n, is_own in found if not is_own and n < human.raters]
    skipped = frozenset(after)
    first = min(left, key=lambda one: (one[0] in skipped, -one[1], _place(seed, one[0])), default=(None, 0))
    return ToRate(
        experiment=name,
        scorer=scorer,
        question=human.question,
        scale=human.scale,
        step=human.step,
        raters=human.raters,
        run_id=first[0],
        n_left=len(left),
        n_own=sum(is_own for *_, is_own in found),
        n_rated=sum(n >= human.raters for _, n, _ in found),
        n_runs=len(found),
    )


def _place(seed: str, run_id: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{run_id}".encode()).digest()
