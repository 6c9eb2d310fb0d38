"""``podium board compare``: which runs of a board are better than which, and whether that is more than chance."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.board_files import (
    AsJson,
    Expect,
    Files,
    Format,
    LowerIsBetter,
    Paths,
    RunId,
    load_files,
    loaded_record,
    say,
    say_about,
    wrong_input,
)
from pipeline.cli.errors import InputError
from pipeline.cli.output import MISSING, Column, print_json, print_table

if TYPE_CHECKING:
    from pipeline.leaderboard import BoardComparison
    from pipeline.leaderboard.significance import RunRow


def compare(
    paths: Paths,
    measure: Annotated[list[str] | None, typer.Option("--measure", help="Compare by this; repeatable.")] = None,
    test: Annotated[str, typer.Option("--test", help="t, wilcoxon, fisher or tukey.")] = "t",
    correction: Annotated[
        str | None,
        typer.Option("--correction", help="holm (default), bonferroni, benjamini_hochberg or none; tukey has its own."),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Chance of a false finding.")] = 0.05,
    baseline: Annotated[str | None, typer.Option("--baseline", help="Compare only with this run.")] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="Draws of the randomisation tests.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="What their generator starts from.")] = 0,
    expect: Expect = None,
    lower_is_better: LowerIsBetter = None,
    format: Format = None,
    run_id: RunId = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for Markdown.")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="Print a table for LaTeX.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every two runs on the topics that both have: who is better, and is it more than chance.

    A topic that a run lacks takes no part in its comparisons, and is counted; it is no 0.
    """
    from pipeline.leaderboard import Comparing, SignificanceTable, compare_runs

    if as_markdown + as_latex + as_json > 1:
        raise InputError("--markdown, --latex and --json are three ways to print one result; give one of them")
    files = Files(paths, format, run_id, expect, lower_is_better or ())
    with wrong_input():
        how = Comparing.named(test, correction, level=level, resamples=resamples, seed=seed)
        loaded = load_files(files)
        found = compare_runs(loaded.board, how, measures=measure, baseline=baseline)
    if as_json:
        print_json(_record(found) | loaded_record(loaded))
    elif as_markdown or as_latex:
        table = SignificanceTable(found)
        sys.stdout.write(table.to_markdown() if as_markdown else table.to_latex())
    else:
        _print(found)
        say_about(loaded.board, loaded)


def _print(found: "BoardComparison") -> None:
    """The runs, best first by the first measure: ranks, and of every measure the mean and who is worse."""
    from pipeline.leaderboard import SignificanceTable

    table = SignificanceTable(found)
    first = {row.run_id: row for row in found.runs() if row.measure == found.measures[0].measure.name}
    rows = [first[found.run_ids[run]] for run in table.order]
    columns = [
        Column("rank", [MISSING if row.rank is None else str(row.rank) for row in rows], rank=0),
        Column("could be", [_could_be(row) for row in rows], rank=2),
        Column("", table.letters, rank=0),
        Column("run", [row.run_id for row in rows], is_text=True, rank=0),
    ]
    for place, one in enumerate(found.measures):
        cells = [table.plain_cell(place, run) for run in table.order]
        columns.append(Column(one.measure.name, cells, rank=3 if place else 0))
    columns.append(Column("topics", [str(row.n_topics) for row in rows], rank=2))
    say(table.caption)
    print_table(columns, dim=[row.rank is None for row in rows])


def _record(found: "BoardComparison") -> dict[str, Any]:
    return {
        "test": found.how.test,
        "correction": found.how.correction,
        "level": found.how.level,
        "baseline": found.baseline,
        "n_topics": len(found.topic_ids),
        "runs": list(found.runs()),
        "pairs": list(found.pairs()),
    }


def _could_be(row: "RunRow") -> str:
    return MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}"
