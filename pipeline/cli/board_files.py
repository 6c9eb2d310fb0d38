"""What the commands of ``podium board`` share: files read as a board, and errors of files told as wrong input."""

import contextlib
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.errors import InputError
from pipeline.cli.output import console, counted, in_print

if TYPE_CHECKING:
    from pipeline.leaderboard import Layout, Leaderboard, Loaded

Paths = Annotated[list[Path], typer.Argument(help="Files of any format, or folders of them.")]
Format = Annotated[str | None, typer.Option("--format", help="Their format; without it the content tells.")]
RunId = Annotated[str | None, typer.Option("--run-id", help="The run, where a file does not name it.")]
Expect = Annotated[
    Path | None,
    typer.Option("--expect", help="The topics that every run should have: relevance judgements (qrels), or a list."),
]
LowerIsBetter = Annotated[
    list[str] | None, typer.Option("--lower-is-better", help="A measure of which less is better; repeatable.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write, or the folder.")]
To = Annotated[str | None, typer.Option("--to", help="Its format; that of the files without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_SHOWN = 10


@dataclass(frozen=True)
class Files:
    """Which files, and what was said of them."""

    paths: Sequence[Path]
    format: str | None = None
    run_id: str | None = None
    expect: Path | None = None
    lower_is_better: Sequence[str] = ()
    may_lack: bool = False
    """Whether the files need not have the measures of which less is better."""


@dataclass(frozen=True)
class Written:
    """The files that were written, and what they do not say."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def wrong_input() -> Iterator[None]:
    """Errors of files and of what is asked of a board, as wrong input; what boards warn of is shown by the commands.

    Raises
    ------
    InputError
        With the message of the error.
    """
    from pipeline.leaderboard import MissingTopicsWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingTopicsWarning)
            yield
    except FileNotFoundError as error:
        raise InputError(f"no file {error.filename}") from None
    except (ValueError, KeyError, OSError) as error:
        raise InputError(str(error.args[0]) if isinstance(error, KeyError) else str(error)) from None


def load_files(files: Files, *, drop_aggregate: bool = False, on_missing: str = "warn") -> "Loaded":
    """Read files as a board. Errors are those of :func:`pipeline.leaderboard.load`."""
    from dataclasses import replace

    from pipeline.leaderboard import Direction, MeasureSpec
    from pipeline.leaderboard.formats import put_together, read_files

    options: dict[str, Any] = {"drop_aggregate": drop_aggregate, "qrels": files.expect, "on_missing": on_missing}
    read = read_files(files.paths, format=files.format, run_id=files.run_id)
    if not files.lower_is_better:
        return put_together(read, **options)
    known = {one.measure.name: one.measure for one in put_together(read, **options).inferences}
    declared = [
        replace(known.get(name, MeasureSpec(name)), direction=Direction.ASC, default=None)
        for name in files.lower_is_better
        if name in known or not files.may_lack
    ]
    return put_together(read, **options, declared=declared)


def format_to_write(named: str | None, loaded: "Loaded") -> str:
    """The format that was named, or that of the files.

    Raises
    ------
    InputError
        If none was named, and the files are of several.
    """
    found = sorted(set(loaded.formats.values()))
    if named is not None:
        return named
    if len(found) > 1 or found == ["ranking"]:
        raise InputError(f"the files are {', '.join(found)}; name the format to write with --to")
    return str(found[0])


def write_board(
    board: "Leaderboard", output: Path, to: str, loaded: "Loaded", layout: "Layout | None" = None
) -> "Written":
    """Write a board that was made of files, with what is declared of its measures where the format holds that."""
    from pipeline.leaderboard import write

    declared = {one.measure.name for one in loaded.inferences if one.is_declared} & board.spec.name_set
    paths = write(board, output, to, layout, meanings=declared)
    return Written(paths, left_unsaid(board, declared, to))


def left_unsaid(board: "Leaderboard", declared: Collection[str], to: str) -> tuple[str, ...]:
    """What a file of a format does not say of measures, and its reader would take them for something else."""
    from pipeline.leaderboard import Direction
    from pipeline.leaderboard.formats import HOLD_MEANINGS

    lower, neither = (
        [one.name for one in board.spec.measures if one.name in declared and one.direction is direction]
        for direction in (Direction.ASC, Direction.NONE)
    )
    if to in HOLD_MEANINGS or not (lower or neither):
        return ()
    said = [f"that less is better of {', '.join(lower)}"] if lower else []
    said += [f"that {', '.join(neither)} {'has' if len(neither) == 1 else 'have'} no better end"] if neither else []
    remedy = f"read it with {' '.join(f'--lower-is-better {name}' for name in lower)}, or " if lower else ""
    return (f"{to} does not say {' nor '.join(said)}: {remedy}write {' or '.join(HOLD_MEANINGS[:2])}",)


def refuse_own_files(output: Path, loaded: "Loaded") -> None:
    """Check that nothing that was read is written over.

    Raises
    ------
    InputError
        If it would be.
    """
    for path in loaded.formats:
        if output.exists() and (path.samefile(output) or (output.is_dir() and path.parent.samefile(output))):
            raise InputError(f"{path} was read from where {output} would be written; name another place")


def board_record(board: "Leaderboard") -> dict[str, Any]:
    """What a board holds, as JSON has it."""
    return {
        "runs": list(board.run_ids),
        "topics": list(board.topic_ids),
        "measures": [
            {
                "name": one.name,
                "dtype": one.dtype.__name__,
                "direction": one.direction,
                "aggregate": one.aggregate,
                "default": one.default,
                "only_in_all": one.only_in_all,
                "of": one.source,
            }
            for one in board.spec.measures
        ],
        "expected_topics": {
            "from": board.coverage.expected_from,
            "topics": list(board.coverage.expected_topic_ids),
            "missing": board.coverage.missing,
        },
        "left_out": list(board.dropped),
    }


def loaded_record(loaded: "Loaded") -> dict[str, Any]:
    """How a board came about, as JSON has it."""
    return {
        "files": {str(path): name for path, name in loaded.formats.items()},
        "inferred": [{"measure": one.measure.name, "why": one.why} for one in loaded.inferences],
        "notes": loaded.notes,
    }


def say_about(board: "Leaderboard", loaded: "Loaded") -> None:
    """Print what a person should know of a board: what is missing, was left out, and was taken for granted."""
    lines = list(loaded.notes)
    lines += [f"{one.measure.name}: {one.why}" for one in loaded.inferences if not one.is_certain]
    if board.coverage.missing:
        lines.append(f"Missing: {_in_short(board)}")
    for line in lines + left_out(board):
        say(line)


def left_out(board: "Leaderboard") -> list[str]:
    """What a board had and does not have, in words."""
    lines = []
    for kind, what in (("measure", "measures"), ("aggregate", "aggregates"), ("run", "runs")):
        names = [one.name for one in board.dropped if one.kind == kind]
        reason = next((one.reason for one in board.dropped if one.kind == kind), "")
        if names:
            lines.append(f"Left out: {what} {', '.join(names)} ({reason})")
    return lines


def say_written(board: "Leaderboard", written: Written) -> None:
    """Print what was written where, and what its format leaves unsaid."""
    paths = written.paths
    where = str(paths[0]) if len(paths) == 1 else f"{counted(len(paths), 'file')} in {paths[0].parent}"
    say(
        f"Wrote {where}: {counted(len(board.run_ids), 'run')}, {counted(len(board.topic_ids), 'topic')}, "
        f"{counted(len(board.measures), 'measure')}"
    )
    for note in written.notes:
        say(note)


def say(line: str) -> None:
    """Print a line for a person."""
    console().print(in_print(line), soft_wrap=True, markup=False, highlight=False)


def _in_short(board: "Leaderboard") -> str:
    """Who lacks how many topics, and which, while they are few."""
    coverage = board.coverage
    said = []
    for run_id, topics in coverage.missing.items():
        shown = ", ".join(topics[:_SHOWN]) + (", ..." if len(topics) > _SHOWN else "")
        said.append(f"{run_id} lacks {counted(len(topics), 'topic')} ({shown})")
    more = f"; and {len(said) - _SHOWN} more runs" if len(said) > _SHOWN else ""
    source = {"union": "any run has", "caller": "are expected"}.get(
        coverage.expected_from, f"{coverage.expected_from} has"
    )
    return f"of {counted(len(coverage.expected_topic_ids), 'topic')} that {source}, {'; '.join(said[:_SHOWN])}{more}"
