"""Evaluation sets part by part: their rows for the report API, and one metric of all models on all parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from pipeline.reports.natural import natural_key
from pipeline.reports.queries.catalog import UnknownBoardError
from pipeline.reports.queries.page import Query
from pipeline.reports.queries.profiles import subject_titles
from pipeline.tables import EXCLUDED, OVERALL
from pipeline.warehouse import Sql

_SETS = Sql("""
    SELECT evaluation, any_value(metric) FILTER (rank_with_ensembles IS NOT NULL) AS rank_by,
           list_sort(list(DISTINCT metric) FILTER (ci_method <> $excluded)) AS metrics,
           coalesce(list_sort(list(DISTINCT "by") FILTER ("by" <> $overall)), []) AS breakdowns,
           max(n_tasks) FILTER ("by" = $overall) AS n_tasks,
           count(DISTINCT model_id) FILTER (ci_method <> $excluded) AS n_models,
           count(DISTINCT model_id) FILTER (ci_method = $excluded) AS n_excluded
    FROM competition.evaluations WHERE competition = $competition GROUP BY evaluation ORDER BY evaluation
""")

_ROWS = Sql("""
    SELECT e.evaluation, e."by", e.part, e.model_id, coalesce(m.title, e.model_id) AS model_name, e.is_ensemble,
           e.metric, e.value, e.ci_low, e.ci_high, e.ci_method, e.reason, e.n, e.n_submitted, e.n_tasks,
           e.rank, e.rank_with_ensembles, e.rank_lo, e.rank_hi, e.tie_group
    FROM competition.evaluations AS e LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE e.competition = $competition AND e.evaluation = $evaluation AND ($by IS NULL OR e."by" = $by)
    AND ($parts IS NULL OR list_contains($parts, e.part)) AND ($models IS NULL OR list_contains($models, e.model_id))
    AND ($metrics IS NULL OR list_contains($metrics, e.metric)) AND ($ensembles OR NOT e.is_ensemble)
    ORDER BY e."by" <> $overall, e."by", e.part, e.model_id, e.metric
""")

_CELLS = """
    SELECT part, model_id, value, ci_low, ci_high, n, n_submitted, n_tasks, reason FROM competition.evaluations
    WHERE competition = $competition AND evaluation = $evaluation AND "by" = $by AND metric = $metric
    AND ci_method <> $excluded
"""

_MODELS = """
    SELECT e.model_id, coalesce(m.title, e.model_id) AS title, e.is_ensemble, min(e.rank_with_ensembles) AS place
    FROM competition.evaluations AS e LEFT JOIN competition.models AS m USING (competition, model_id)
    WHERE e.competition = $competition AND e.evaluation = $evaluation AND e."by" = $overall
    AND e.ci_method <> $excluded GROUP BY ALL ORDER BY place NULLS LAST, e.model_id
"""


@dataclass(frozen=True)
class EvaluationSelection:
    """Which rows of an evaluation set; all where None.

    Parameters
    ----------
    competition, evaluation : str
    by : str or None
        ``overall``, or what divides the set.
    parts, model_ids, metrics : sequence of str or None
    include_ensembles : bool
    """

    competition: str
    evaluation: str
    by: str | None = None
    parts: Sequence[str] | None = None
    model_ids: Sequence[str] | None = None
    metrics: Sequence[str] | None = None
    include_ensembles: bool = False


@dataclass(frozen=True)
class Cell:
    """A metric of a model on a part, with its 95 % interval; None is NULL, with the reason."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_submitted: int
    n_tasks: int
    reason: str | None


@dataclass(frozen=True)
class Listed:
    """A model that takes part in an evaluation set."""

    model_id: str
    title: str
    is_ensemble: bool


@dataclass(frozen=True)
class Breakdown:
    """One metric of all models on all parts of an evaluation set.

    Parameters
    ----------
    by, metric : str
    parts : mapping of str to str
        What parts are called, by their name in tables, in order.
    models : tuple of Listed
        The best of the whole set first.
    cells : mapping
        By model and part, as far as there are some.
    """

    by: str
    metric: str
    parts: Mapping[str, str]
    models: tuple[Listed, ...]
    cells: Mapping[tuple[str, str], Cell]


def evaluation_sets(competition: str) -> Query:
    """The evaluation sets of a competition, with what there is in them."""
    return Query(_SETS, {"competition": competition, "overall": OVERALL, "excluded": EXCLUDED})


def part_rows(selected: EvaluationSelection) -> Query:
    """Rows of an evaluation set: the whole first, then its parts."""
    lists = {"parts": selected.parts, "models": selected.model_ids, "metrics": selected.metrics}
    values = {
        "competition": selected.competition,
        "evaluation": selected.evaluation,
        "by": selected.by,
        "ensembles": selected.include_ensembles,
        "overall": OVERALL,
    }
    return Query(_ROWS, values | {name: None if one is None else list(one) for name, one in lists.items()})


def breakdown(
    connection: duckdb.DuckDBPyConnection, competition: str, evaluation: str, by: str, metric: str
) -> Breakdown:
    """One metric of all models on all parts of an evaluation set.

    Raises
    ------
    UnknownBoardError
        If the set is not divided so, or has no such metric on its parts.
    """
    of_set = {"competition": competition, "evaluation": evaluation, "excluded": EXCLUDED}
    rows = connection.execute(_CELLS, {**of_set, "by": by, "metric": metric}).fetchall()
    if not rows:
        raise UnknownBoardError(f"evaluation set {evaluation!r} has no {metric} by {by} yet")
    models = connection.execute(_MODELS, {**of_set, "overall": OVERALL}).fetchall()
    titles = subject_titles(connection, competition) if by == "subject" else {}
    parts = sorted({row[0] for row in rows}, key=natural_key)
    return Breakdown(
        by,
        metric,
        {part: titles.get(part) or part for part in parts},
        tuple(Listed(model, title, is_ensemble) for model, title, is_ensemble, _ in models),
        {(model, part): Cell(*rest) for part, model, *rest in rows},
    )
