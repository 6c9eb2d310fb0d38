"""``podium board``: evaluation results in files, without a warehouse: shown, converted, merged, filtered, verified."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.board_files import (
    AsJson,
    Expect,
    Files,
    Format,
    LowerIsBetter,
    Output,
    Paths,
    RunId,
    To,
    Written,
    board_record,
    format_to_write,
    load_files,
    loaded_record,
    refuse_own_files,
    say,
    say_about,
    say_written,
    write_board,
    wrong_input,
)
from pipeline.cli.errors import Exit, InputError
from pipeline.cli.output import MISSING, Column, cell, counted, print_json, print_table

if TYPE_CHECKING:
    from pipeline.leaderboard import Leaderboard, Loaded, Violation

board = typer.Typer(
    help="Evaluation results in files (trec_eval, ir_measures, JSON lines, CSV, Parquet): no warehouse needed.",
    no_args_is_help=True,
)
OnMissing = Annotated[
    str, typer.Option("--on-missing", help="A run without an expected topic: error, warn, default or fix_aggregate.")
]
_SHOWN = 20


@board.callback()
def group() -> None:
    """Evaluation results in files (trec_eval, ir_measures, JSON lines, CSV, Parquet): no warehouse needed."""


@board.command("show")
def show(
    paths: Paths,
    by: Annotated[str | None, typer.Option("--by", help="Rank by this measure.")] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute aggregates from topics instead of showing what is printed.")
    ] = False,
    on_missing: OnMissing = "warn",
    expect: Expect = None,
    lower_is_better: LowerIsBetter = None,
    format: Format = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Rank the runs; say what measures were taken for, who lacks which topics, and which aggregates do not add up."""
    from pipeline.leaderboard import aggregate_differences

    files = Files(paths, format, run_id, expect, lower_is_better or ())
    with wrong_input():
        loaded = load_files(files, drop_aggregate=recompute, on_missing=_known(on_missing))
        if not recompute and loaded.board.topic_ids and not loaded.board.rows.is_aggregate.any():
            loaded = _summed_up(loaded, on_missing)
        key = by or _first_to_rank_by(loaded.board)
        ranking = None if key is None else loaded.board.get_aggregate_ranking(key)
        differences = () if recompute else aggregate_differences(loaded.board, _n_expected(loaded, expect))
    order = range(len(loaded.board.run_ids)) if ranking is None else ranking.order.tolist()
    rank = {run: None if ranking is None else int(ranking.rank[run]) or None for run in order}
    status = {run: None if ranking is None else str(ranking.status[run]) for run in order}
    if as_json:
        records = _run_records(loaded.board)
        runs = [{"rank": rank[run], "status": status[run]} | records[run] for run in order]
        about = {"ranked_by": key, "runs": runs, "aggregates_that_differ": list(differences)}
        print_json(board_record(loaded.board) | about | loaded_record(loaded))
        return
    _print_runs(loaded.board, key, [(run, rank[run]) for run in order])
    say_about(loaded.board, loaded)
    if unprinted := [run for run, _ in enumerate(loaded.board.run_ids) if run not in _printed(loaded.board)]:
        say(f"Without an all row: {', '.join(loaded.board.run_ids[run] for run in unprinted)}; --recompute makes them")
    if differences:
        say(
            f"{counted(len(differences), 'printed aggregate')} {'is' if len(differences) == 1 else 'are'} not what the "
            f"topics sum up to, beyond rounding: podium board verify lists them"
        )


@board.command("convert")
def convert(
    paths: Paths,
    to: Annotated[str, typer.Option("--to", help="The format to write.")],
    output: Output,
    format: Format = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Write files in another format, or as one; every value and aggregate stays as it is printed."""
    with wrong_input():
        loaded = load_files(Files(paths, format, run_id))
        refuse_own_files(output, loaded)
        written = write_board(loaded.board, output, to, loaded, loaded.layout)
    _report(loaded.board, loaded, written, as_json)


@board.command("merge")
def merge(
    paths: Paths,
    output: Output,
    to: To = None,
    on_missing: OnMissing = "warn",
    expect: Expect = None,
    lower_is_better: LowerIsBetter = None,
    format: Format = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Write the runs, topics and measures of several files as one board, its aggregates computed anew."""
    files = Files(paths, format, run_id, expect, lower_is_better or ())
    with wrong_input():
        loaded = load_files(files, drop_aggregate=True, on_missing=_known(on_missing))
        refuse_own_files(output, loaded)
        written = write_board(loaded.board, output, format_to_write(to, loaded), loaded)
    _report(loaded.board, loaded, written, as_json)


@board.command("filter")
def filter_board(
    paths: Paths,
    output: Output,
    run: Annotated[list[str] | None, typer.Option("--run", help="Keep this run; repeatable.")] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Keep this topic; repeatable.")] = None,
    topics: Annotated[
        Path | None, typer.Option("--topics", help="Keep the topics of this file: relevance judgements, or a list.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=0, help="Keep the best runs.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="The best by this measure.")] = None,
    to: To = None,
    on_missing: OnMissing = "fix_aggregate",
    expect: Expect = None,
    lower_is_better: LowerIsBetter = None,
    format: Format = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """Write some runs and topics, aggregates computed anew of what is kept; a run that lacks a topic counts with 0."""
    from pipeline.leaderboard import topics_of_qrels

    files = Files(paths, format, run_id, expect, lower_is_better or ())
    with wrong_input():
        loaded = load_files(files)
        refuse_own_files(output, loaded)
        kept = [*(topic or ()), *(topics_of_qrels(topics) if topics else ())]
        found = loaded.board.filter_and_recompute(run, kept or None, _known(on_missing))
        if top is not None:
            found = found.top_k(top, by or _first_to_rank_by(found))
        written = write_board(found, output, format_to_write(to, loaded), loaded)
    _report(found, loaded, written, as_json)


@board.command("verify")
def verify_board(
    paths: Paths,
    check: Annotated[list[str] | None, typer.Option("--check", help="Only this check; repeatable.")] = None,
    expect: Expect = None,
    format: Format = None,
    run_id: RunId = None,
    as_json: AsJson = False,
) -> None:
    """List all that is wrong: gaps, topics that nobody expects, aggregates that do not add up. Exit code 2 then."""
    from pipeline.leaderboard import Check, topics_of_qrels, verify

    with wrong_input():
        loaded = load_files(Files(paths, format, run_id))
        expected = None if expect is None else topics_of_qrels(expect)
        found = verify(loaded.board, expected_topic_ids=expected, checks=check or tuple(Check))
    if as_json:
        print_json({"checks": check or list(Check), "violations": list(found)} | loaded_record(loaded))
    else:
        _print_violations(found, check or list(Check), loaded)
    if found:
        raise typer.Exit(Exit.WRONG_INPUT)


def _summed_up(loaded: "Loaded", on_missing: str) -> "Loaded":
    """A board without any ``all`` row, and so without anything to show, with those that its topics make."""
    from dataclasses import replace

    note = "no all row is printed: aggregates are computed from topics, as --recompute does"
    return replace(loaded, board=loaded.board.filter_and_recompute(on_missing=on_missing), notes=(*loaded.notes, note))


def _known(on_missing: str) -> str:
    from pipeline.leaderboard import OnMissing

    if on_missing not in tuple(OnMissing):
        raise InputError(f"--on-missing {on_missing!r} is unknown; known: {', '.join(OnMissing)}")
    return on_missing


def _n_expected(loaded: "Loaded", expect: Path | None) -> int:
    return 0 if expect is None else len(loaded.board.coverage.expected_topic_ids)


def _first_to_rank_by(found: "Leaderboard") -> str | None:
    """The first measure with a better end that is averaged over topics or, without one, that ``all`` rows have."""
    from pipeline.leaderboard import Aggregate, Direction

    ends = [one for one in found.spec.measures if one.direction is not Direction.NONE]
    averaged = [one.name for one in ends if one.aggregate is Aggregate.MEAN and not one.only_in_all]
    printed = (one.name for one in ends if (found.aggregates(one.name) == found.aggregates(one.name)).any())
    return averaged[0] if averaged else next(printed, None)


def _printed(found: "Leaderboard") -> set[int]:
    """The runs that have an ``all`` row, by place."""
    return set(found.rows.run[found.rows.is_aggregate].tolist())


def _run_records(found: "Leaderboard") -> list[dict[str, Any]]:
    """Every run with its aggregates, and how many of the expected topics it has."""
    row_of = {int(found.rows.run[row]): int(row) for row in found.rows.is_aggregate.nonzero()[0]}
    n_expected = len(found.coverage.expected_topic_ids)
    return [
        {
            "run_id": run_id,
            "n_topics": n_expected - len(found.coverage.missing.get(run_id, ())),
            "aggregates": found.entries[row_of[run]].values if run in row_of else {},
        }
        for run, run_id in enumerate(found.run_ids)
    ]


def _print_runs(found: "Leaderboard", key: str | None, ranked: list[tuple[int, int | None]]) -> None:
    """The runs, best first, with the aggregates of every measure that is a number."""
    expected = len(found.coverage.expected_topic_ids)
    title = f"{counted(len(found.run_ids), 'run')}, {counted(len(found.topic_ids), 'topic')}, "
    title += counted(len(found.measures), "measure")
    if key is not None:
        title += f"; ranked by {key}, {'higher' if found.spec[key].direction == 'desc' else 'lower'} is better"
    runs = [run for run, _ in ranked]
    lacking = [len(found.coverage.missing.get(found.run_ids[run], ())) for run in runs]
    columns = [
        Column("rank", [MISSING if rank is None else str(rank) for _, rank in ranked], rank=0),
        Column("run", [found.run_ids[run] for run in runs], is_text=True, rank=0),
    ]
    names = [one.name for one in found.spec.measures if one.dtype is float]
    for name in sorted(names, key=lambda one: one != key):
        values = found.aggregates(name)
        cells = [cell(None if values[run] != values[run] else float(values[run])) for run in runs]
        columns.append(Column(name, cells, rank=0 if name == key else 3))
    columns.insert(3, Column("topics", [f"{expected - n}/{expected}" for n in lacking], rank=1))
    say(title)
    print_table(columns, dim=[rank is None for _, rank in ranked])


def _print_violations(found: "tuple[Violation, ...]", checks: list[Any], loaded: "Loaded") -> None:
    for check in checks:
        of_check = [one for one in found if one.check == check]
        say(f"{check}: {counted(len(of_check), 'violation') if of_check else 'nothing wrong'}")
        for one in of_check[:_SHOWN]:
            say(f"  {one.message}")
        if len(of_check) > _SHOWN:
            say(f"  ... and {len(of_check) - _SHOWN:,} more; --json lists all")
    for note in loaded.notes:
        say(note)


def _report(found: "Leaderboard", loaded: "Loaded", written: Written, as_json: bool) -> None:
    """Say what was written."""
    if as_json:
        record = {"written": written.paths, "left_unsaid": written.notes}
        print_json(record | board_record(found) | loaded_record(loaded))
        return
    say_written(found, written)
    say_about(found, loaded)
