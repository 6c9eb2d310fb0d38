"""Configurations beside each other: all against the baseline, and any two input by input.

Only inputs that both have scores on are compared; the others are counted, and nothing that is missing is a 0.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.experiments import compared_columns
from pipeline.leaderboard import decimal_codes
from pipeline.reports.queries.experiment_boards import kept_runs, kept_values
from pipeline.reports.queries.experiment_tables import ExperimentTables
from pipeline.reports.queries.page import Query
from pipeline.reports.queries.standings import UnknownKeyError

_AGAINST_BASELINE = """
    SELECT p.configuration, c.title, p.baseline, o.title AS baseline_title, p.n_inputs, p.n_left_out, p.difference,
           p.ci_low, p.ci_high, p.wins, p.ties, p.losses, p.statistic, p.p, p.p_adjusted, p.verdict, p.test,
           p.correction, p.reason
    FROM {comparisons} AS p
    LEFT JOIN {configurations} AS c USING (experiment, configuration)
    LEFT JOIN {configurations} AS o ON o.experiment = p.experiment AND o.configuration = p.baseline
    WHERE p.experiment = $experiment
    ORDER BY p.difference DESC NULLS LAST, p.configuration
"""
_PAIRED = """
    WITH {kept}
    SELECT input_id, contestant, run_id, repeat, status, score, output, error
    FROM kept WHERE contestant IN ($first, $second) ORDER BY input_id, repeat, run_id
"""
_TITLES = "SELECT configuration, title FROM {configurations} WHERE experiment = ?"

Outcome = Literal["win", "tie", "loss"]


@dataclass(frozen=True)
class PairedRun:
    """A run of one of two configurations; ``score`` is None where it does not count."""

    run_id: str
    repeat: int
    status: str
    score: float | None
    output: str | None
    error: str | None


@dataclass(frozen=True)
class PairedInput:
    """An input with what both configurations made of it.

    Parameters
    ----------
    input_id : str
    first, second : tuple of PairedRun
        Empty where one was not asked.
    first_score, second_score : float or None
        Means over repeats that count; None without any.
    difference : float or None
        The first less the second; None unless both have scores.
    outcome : str or None
        Of the first: win, tie (equal to 12 digits) or loss; None where there is no difference.
    """

    input_id: str
    first: tuple[PairedRun, ...]
    second: tuple[PairedRun, ...]
    first_score: float | None
    second_score: float | None
    difference: float | None
    outcome: Outcome | None


@dataclass(frozen=True)
class PairComparison:
    """Two configurations on the inputs of either.

    Parameters
    ----------
    experiment, first, first_title, second, second_title : str
    n_inputs : int
        Inputs that both have scores on.
    n_left_out : int
        Inputs that one of them has scores on only.
    n_unscored : int
        Inputs that were asked and that neither has scores on.
    difference, ci_low, ci_high : float or None
        Mean score of the first less that of the second over these inputs, and its 95 % interval.
    wins, ties, losses : int
        Of the first.
    statistic, p : float or None
    verdict, test : str
        better, worse or undecided, of the first; by which test.
    reason : str or None
        Why p is undefined.
    inputs : tuple of PairedInput
    """

    experiment: str
    first: str
    first_title: str
    second: str
    second_title: str
    n_inputs: int
    n_left_out: int
    n_unscored: int
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    wins: int
    ties: int
    losses: int
    statistic: float | None
    p: float | None
    verdict: str
    test: str
    reason: str | None
    inputs: tuple[PairedInput, ...]


def against_baseline(tables: ExperimentTables, name: str) -> Query:
    """Configurations against the baseline, the best first; no rows where none is declared.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    """
    tables.of(name)
    return Query(tables.sql(_AGAINST_BASELINE), {"experiment": name})


def compared(tables: ExperimentTables, name: str, first: str, second: str) -> PairComparison:
    """Two configurations input by input, by the test that the experiment declares.

    Raises
    ------
    UnknownBoardError
        If there is no such experiment.
    UnknownKeyError
        If it has no such configuration, or both are the same.
    """
    of = tables.of(name)
    titles: dict[str, str] = dict(tables.connection.execute(tables.sql(_TITLES), [name]).fetchall())
    _require_two(name, first, second, titles)
    asked: dict[str, Any] = {**kept_values(tables, name), "first": first, "second": second}
    statement = tables.sql(_PAIRED, kept=kept_runs(tables, "configuration"))
    by_input: dict[str, dict[str, list[PairedRun]]] = {}
    for input_id, contestant, *row in tables.connection.execute(statement, asked).fetchall():
        by_input.setdefault(input_id, {first: [], second: []})[contestant].append(PairedRun(*row))
    inputs = tuple(_paired(input_id, runs[first], runs[second]) for input_id, runs in by_input.items())
    means = np.array([[_number(one.second_score), _number(one.first_score)] for one in inputs]).reshape(-1, 2)
    (pair,) = compared_columns(means, of.experiment.comparisons.how)
    plain = {key: _plain(pair[key]) for key in _OF_PAIR}
    unscored = sum(one.first_score is None and one.second_score is None for one in inputs)
    return PairComparison(
        name, first, titles[first], second, titles[second], n_unscored=unscored, inputs=inputs, **plain
    )


_OF_PAIR = (
    *("n_inputs", "n_left_out", "difference", "ci_low", "ci_high", "wins", "ties", "losses", "statistic", "p"),
    *("verdict", "test", "reason"),
)


def _require_two(name: str, first: str, second: str, titles: dict[str, str]) -> None:
    for one in (first, second):
        if one not in titles:
            known = "; ".join(f"{key} ({title})" for key, title in list(titles.items())[:10]) or "none yet"
            raise UnknownKeyError(f"experiment {name!r} has no configuration {one!r}; known: {known}")
    if first == second:
        raise UnknownKeyError(f"configuration {first!r} is compared with itself; name two that differ")


def _paired(input_id: str, first: list[PairedRun], second: list[PairedRun]) -> PairedInput:
    ours, theirs = _mean(first), _mean(second)
    difference = None if ours is None or theirs is None else ours - theirs
    return PairedInput(input_id, tuple(first), tuple(second), ours, theirs, difference, _outcome(ours, theirs))


def _outcome(ours: float | None, theirs: float | None) -> Outcome | None:
    if ours is None or theirs is None:
        return None
    first, second = decimal_codes(np.array([ours, theirs]))
    return "tie" if first == second else "win" if ours > theirs else "loss"


def _mean(runs: list[PairedRun]) -> float | None:
    scores = [one.score for one in runs if one.score is not None]
    return math.fsum(scores) / len(scores) if scores else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _plain(value: Any) -> Any:
    """A value of an array as Python has it; NaN is None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value
