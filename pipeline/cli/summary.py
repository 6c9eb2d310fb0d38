"""What ``podium run`` says at its end: the boards, what was done, where the published file is, and what to ask it."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.markup import escape

from pipeline.cli.errors import InputError
from pipeline.cli.failures import told_of
from pipeline.cli.leaderboard import print_board
from pipeline.cli.output import counted
from pipeline.cli.published import published
from pipeline.cli.rankings_shown import model_board, print_model_board, sources_told
from pipeline.cli.tracks import print_track_board, refusals_told
from pipeline.clock import utc_now
from pipeline.reports.queries import (
    Board,
    UnknownBoardError,
    board,
    board_files,
    board_names,
    failed_functions,
    is_experiment,
    is_ranking,
    is_track,
    track_board,
)
from pipeline.reports.queries.ranking_sources import ranking_sources
from pipeline.settings import settings
from pipeline.warehouse import NotPublishedError, WarehouseBusyError, current_publication, quote

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.cli.progress import Watch

QUERIES = (
    "SELECT rank, title, round(rank_key, 4) AS score, coverage, status FROM marts.leaderboard_current "
    "WHERE competition = '{name}' AND category = 'overall' ORDER BY position",
    "SELECT year(cycle) AS year, round(avg(value), 4) AS mean FROM ("
    "SELECT cycle, last(value ORDER BY known_at) AS value FROM {schema}.cycle_metrics "
    "WHERE model_id = '{model}' AND metric = '{metric}' AND category = 'overall' GROUP BY 1) GROUP BY 1 ORDER BY 1",
    "SELECT subject, round(avg(value), 3) AS score FROM {schema}.scores "
    "WHERE model_id = '{model}' GROUP BY 1 ORDER BY {best_first} LIMIT 5",
)
"""Questions to try on a competition that was just published; the last is where its first model is best."""

TRACK_QUERIES = (
    "SELECT rank, rank_lo, rank_hi, run_id, round(value, 4) AS value FROM {schema}.leaderboard "
    "WHERE judge = 'official' ORDER BY position",
    "SELECT judge, truth_measure, judge_measure, round(value, 3) AS {method} FROM {schema}.correlations "
    "WHERE topic_id = 'all' AND method = '{method}' ORDER BY value DESC LIMIT 10",
    "SELECT run_id, other_run_id, round(difference, 4) AS difference, wins, losses FROM {schema}.comparisons "
    "WHERE judge = 'official' AND better IS NOT NULL ORDER BY abs(difference) DESC LIMIT 10",
)
"""The same on a judged track."""

RANKING_QUERIES = (
    "SELECT rank, rank_lo, rank_hi, title, round({score}, 1) AS {score}, price_input FROM {schema}.leaderboard "
    "WHERE rank IS NOT NULL ORDER BY position LIMIT 10",
    "SELECT source, benchmark, measure, value, config, url FROM {schema}.results "
    "WHERE model = '{model}' AND is_used ORDER BY ALL",
    "SELECT source, status, fetched_at, n_results, why FROM {schema}.fetch_status ORDER BY source",
)
"""The same on a ranking of language models; the second is what its first model's scores rest on."""

EXPERIMENT_QUERIES = (
    "SELECT rank, rank_lo, rank_hi, title, round(score, 3) AS score, n_scored, round(cost, 6) AS cost "
    "FROM {schema}.leaderboard WHERE grouping = 'model' ORDER BY position LIMIT 10",
    "SELECT r.input_id, round(avg(b.score), 3) AS score, count(*) AS runs FROM {schema}.runs AS r "
    "JOIN {schema}.run_board AS b USING (run_id) WHERE b.status = 'ranked' GROUP BY 1 ORDER BY 2 LIMIT 10",
    "SELECT c.title, o.difference, o.wins, o.losses, o.p_adjusted, o.verdict FROM {schema}.comparisons AS o "
    "JOIN {schema}.configurations AS c USING (configuration) ORDER BY o.difference DESC LIMIT 10",
)
"""The same on an experiment: who is best, which inputs are hard, and who beats the baseline."""

_REFUSED = "SELECT reason, count(*) AS n FROM quarantine.experiment_rows WHERE experiment = '{name}' GROUP BY ALL"
_FAILED = "SELECT error, count(*) AS n FROM {schema}.runs WHERE status = 'failed' GROUP BY ALL"

_TOP = 10
"""Models of a ranking, or contestants of an experiment, that are printed."""


_Show = Callable[[duckdb.DuckDBPyConnection, str], list[str]]


def print_summary(out: "Console", name: str | None, watch: "Watch", seconds: float) -> None:
    """Print what there is to say of a run that succeeded.

    Parameters
    ----------
    out : Console
        Where to.
    name : str or None
        The board that was run; None for all.
    watch : Watch
        What the run did.
    seconds : float
        How long it took.
    """
    publication = current_publication(settings().published_dir)
    if publication is None:
        out.print("Nothing is published yet.")
        return
    queries, warnings = _print_boards(out, name)
    for warning in warnings:
        out.print(f"\n[red]✗[/red] {escape(warning)}", soft_wrap=True, highlight=False)
    done = f"{_what_was_done(watch)} in {seconds:.1f} s. Published: {publication.path}"
    out.print(f"\n{done}", soft_wrap=True, highlight=False, markup=False)
    if queries:
        out.print("\nThree questions to try (or open that file in any DuckDB client):")
    for query in queries:
        out.print(f"  {_podium()} sql {_in_shell(query)}", soft_wrap=True, highlight=False, markup=False)
    out.print(
        f"\nThe board and its models as web pages:  {_podium()} serve", soft_wrap=True, highlight=False, markup=False
    )
    out.print("The graph, its runs and checks in the Dagster UI:  make dev", highlight=False)


def _what_was_done(watch: "Watch") -> str:
    cycles, tables = counted(watch.cycles_recomputed, "cycle"), watch.whole_tables_recomputed
    if watch.cycles_recomputed:
        return f"{cycles} recomputed"
    return (
        f"{cycles} and {counted(tables, 'whole table')} recomputed" if tables else f"Nothing new: {cycles} recomputed"
    )


def _print_boards(out: "Console", name: str | None) -> tuple[list[str], list[str]]:
    """Print the board of that name, or all, and return questions about the first, and which functions failed.

    One without rows is named only. A run that is done stays so when its board cannot be shown: the reason is printed.
    """
    queries: list[str] = []
    warnings: list[str] = []
    try:
        with published() as connection:
            for each in [name] if name else board_names(connection):
                out.print()
                try:
                    show, told = _shown_as(connection, each)
                    warnings += told(connection, each)
                    asked = show(connection, each)
                except UnknownBoardError as error:
                    out.print(str(error), soft_wrap=True, markup=False)
                else:
                    queries = queries or asked
    except (InputError, NotPublishedError, WarehouseBusyError, duckdb.Error) as error:
        why = " ".join(str(error).split())
        out.print(f"\nThe board cannot be shown: {why}", soft_wrap=True, highlight=False, markup=False)
    return queries, warnings


def _shown_as(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[_Show, _Show]:
    """How a board of its kind is printed, and what its operator is told of."""
    if is_ranking(connection, name):
        return _show_ranking, _told_of_ranking
    if is_experiment(connection, name):
        return _show_experiment, _told_of_experiment
    return (_show_track, _told_of_track) if is_track(connection, name) else (_show, _told)


def _show(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Print the board of a competition and return questions about it."""
    found = board(connection, name)
    print_board(found)
    return _queries(connection, found)


def _told(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return told_of(name, failed_functions(connection, name))


def _show_track(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Print the official board of a track and return questions about it."""
    found = track_board(connection, name)
    print_track_board(found)
    schema = _as_name(connection, name)
    method = found.agreements[0].method if found.agreements else "kendall"
    return [query.format(schema=schema, method=method) for query in TRACK_QUERIES]


def _told_of_track(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return refusals_told(name, board_files(connection, name))


def _show_ranking(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Print the first models of a ranking and its sources, and return questions about them."""
    found = model_board(connection, name, utc_now())
    print_model_board(found, _TOP)
    if not found.rows:
        return []
    schema, model = _as_name(connection, name), found.rows[0].model.replace("'", "''")
    return [query.format(schema=schema, model=model, score=found.rank_by) for query in RANKING_QUERIES]


def _told_of_ranking(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return sources_told(name, ranking_sources(connection, name, utc_now()))


def _show_experiment(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Print the first contestants of an experiment and return questions about it."""
    from pipeline.cli.experiments_shown import experiment_board, print_experiment_board

    found = experiment_board(connection, name)
    print_experiment_board(found, _TOP)
    return [query.format(schema=_as_name(connection, name)) for query in EXPERIMENT_QUERIES] if found.rows else []


def _told_of_experiment(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    from pipeline.cli.experiments_shown import experiment_files, experiment_runs

    files, failed = experiment_files(connection, name), experiment_runs(connection, name).get("failed", 0)
    told = []
    if files.rows_rejected or files.unreadable:
        refused = f"{counted(files.rows_rejected, 'row')} refused, {counted(files.unreadable, 'file')} unreadable"
        told.append(f"board {name}: {refused}; why: podium sql {_in_shell(_REFUSED.format(name=name))}")
    if failed:
        query = _in_shell(_FAILED.format(schema=_as_name(connection, name)))
        told.append(f"board {name}: {counted(failed, 'run')} failed; why: podium sql {query}")
    return told


def _queries(connection: duckdb.DuckDBPyConnection, found: Board) -> list[str]:
    """The questions to try, about the first model of a board."""
    from pipeline.reports.queries.standings import contest

    if not found.rows:
        return []
    names = (found.name, found.rows[0].model_id, found.keys[0].partition(".")[2])
    name, model, metric = (text.replace("'", "''") for text in names)
    schema = _as_name(connection, found.name)
    best_first = "2" if contest(connection, found.name).is_loss else "2 DESC"
    values = {"name": name, "schema": schema, "model": model, "metric": metric, "best_first": best_first}
    return [query.format(**values) for query in QUERIES]


def _as_name(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """A name as SQL needs it: quoted only where it must be, so that what people read stays readable."""
    keyword = "SELECT 1 FROM duckdb_keywords() WHERE keyword_name = ? AND keyword_category <> 'unreserved'"
    is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and connection.execute(keyword, [name]).fetchone() is None
    return name if is_plain else quote(name)


def _in_shell(query: str) -> str:
    """A query as one argument in double quotes."""
    return '"' + re.sub(r'([\\"$`])', r"\\\1", query) + '"'


def _podium() -> str:
    """How to call the command from here: by its name, or by its path when its environment is not activated."""
    return "podium" if shutil.which("podium") else os.path.relpath(Path(sys.executable).with_name("podium"))
