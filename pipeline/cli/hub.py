"""``podium hub``: from a forecast hub, as it is cloned, to one board for each of its targets; no YAML needed."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipeline.cli.errors import InputError, RunFailedError, StoppedError
from pipeline.cli.hub_declaring import Declared, declare
from pipeline.cli.instance import require_folder
from pipeline.cli.leaderboard import parse_moment
from pipeline.cli.output import console, counted, print_json
from pipeline.settings import settings

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.cli.hub_boards import Refused
    from pipeline.competition.hub import Contest
    from pipeline.components.updating import Updated
    from pipeline.reports.queries import EvaluationBoard
    from pipeline.warehouse import WarehouseFiles

_BOARD_QUERY = (
    "SELECT evaluation, rank, model_id, round(value, 3) AS value, n FROM {board}.evaluations "
    "WHERE part = 'overall' AND rank IS NOT NULL ORDER BY ALL"
)
_REFUSED_QUERY = (
    "SELECT s.model_id, s.cycle, split_part(r.reason, ':', 1) AS rule, count(*) AS n_rows, min(r.reason) AS example "
    "FROM quarantine.rows AS r LEFT JOIN competition.submissions AS s USING (competition, file_number) "
    "WHERE s.superseded_by IS NULL GROUP BY ALL ORDER BY n_rows DESC"
)


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for."""

    path: str
    target: str | None
    evaluation: str | None
    as_of: datetime | None


def hub(
    path: Annotated[str, typer.Argument(help="The hub's folder, or its URL, such as s3://bucket/hub.")],
    target: Annotated[str | None, typer.Option("--target", help="Only this target of the hub.")] = None,
    evaluation: Annotated[
        str | None, typer.Option("--eval-set", help="The evaluation set to show; the first of each target.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="With the outcomes as known then: a date (its end, UTC) or a time.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    is_declared: Annotated[
        bool, typer.Option("--declare", help="Declare a board for each target, to be kept up to date.")
    ] = False,
) -> None:
    """Score a forecast hub and print its boards, one for each target; done twice, the second reads what is new."""
    moment = None if as_of is None else parse_moment(as_of, "--as-of")
    out = None if as_json else console()
    try:
        with _told_in_words():
            _hub(_Asked(path, target, evaluation, moment), out, is_declared)
    except KeyboardInterrupt:
        raise StoppedError("stopped; what is finished is kept, run again to go on") from None


@contextmanager
def _told_in_words() -> Iterator[None]:
    """What is wrong with a hub is wrong input; a table that cannot be made is a run that failed."""
    from pipeline.competition.hub import HubError
    from pipeline.components.updating import CheckFailedError

    try:
        yield
    except HubError as error:
        raise InputError(str(error)) from error
    except CheckFailedError as error:
        raise RunFailedError(str(error)) from error


def _hub(asked: _Asked, out: "Console | None", is_declared: bool) -> None:
    started = time.perf_counter()
    contests, unscored = _contests(asked)
    _check_evaluation(contests, asked.evaluation)
    folder = _folder_of(contests[0])
    files = _warehouse(folder)
    recomputed = {contest.contract.name: _update(files, contest, out) for contest in contests}
    publication = files.publish()
    declared = [declare(contest.contract) for contest in contests] if is_declared else []
    boards, refused = _read(files, contests, asked)
    done = _Done(contests, unscored, boards, refused, recomputed, publication.path, folder, declared)
    if out is None:
        print_json(done.record)
    else:
        _print(out, done, time.perf_counter() - started)


def _read(
    files: "WarehouseFiles", contests: Sequence["Contest"], asked: _Asked
) -> tuple[dict[str, "EvaluationBoard | None"], dict[str, list["Refused"]]]:
    """The board of each target, and what was refused of the hub's files, by the name of its board."""
    from pipeline.cli.hub_boards import board_of_target, refused_by_rule
    from pipeline.warehouse import open_published

    contracts = [contest.contract for contest in contests]
    with open_published(files.published_dir) as connection:
        boards = {one.name: board_of_target(connection, one, asked.evaluation, asked.as_of) for one in contracts}
    with files.read() as store:
        return boards, {one.name: refused_by_rule(store, one.name) for one in contracts}


def _contests(asked: _Asked) -> tuple[list["Contest"], dict[str, str]]:
    """A competition of every target that can be scored, and of the others why not.

    Raises
    ------
    InputError
        If there is none.
    """
    from pipeline.competition.hub import HubError, contest_of, read_hub

    found = read_hub(asked.path)
    if asked.target is not None and asked.target not in found.targets:
        raise InputError(f"{found.name} has no target {asked.target!r}; known: {', '.join(found.targets)}")
    contests, unscored = [], {}
    for target in found.targets if asked.target is None else [asked.target]:
        try:
            contests.append(contest_of(asked.path, target))
        except HubError as error:
            unscored[target] = str(error)
    if not contests:
        reasons = dict.fromkeys(unscored.values())
        raise InputError(f"no target of {found.name} can be scored: {'; '.join(reasons)}")
    return contests, unscored


def _check_evaluation(contests: Sequence["Contest"], named: str | None) -> None:
    known = dict.fromkeys(spec.name for contest in contests for spec in contest.contract.evaluations)
    if named is not None and named not in known:
        raise InputError(f"no evaluation set is called {named!r}; known: {', '.join(map(repr, known))}")


def _folder_of(contest: "Contest") -> Path:
    """The data folder of a hub, laid out like Podium's own."""
    from pipeline.competition.hub.contest import slug

    return settings().data_dir.resolve() / "hubs" / slug(contest.source.hub.name)


def _warehouse(folder: Path) -> "WarehouseFiles":
    from pipeline.warehouse import WarehouseFiles

    for name in ("warehouse", "published"):
        require_folder(folder / name, "PODIUM_DATA_DIR")
    return WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published")


def _update(files: "WarehouseFiles", contest: "Contest", out: "Console | None") -> int:
    """Bring a target's tables up to date; how many cycles, or whole tables, were computed."""
    from pipeline.components.updating import update_all

    if out is not None:
        notes = "".join(f"\n  {escape(note)}" for note in contest.notes)
        out.print(f"[bold]{escape(contest.source.target.target_id)}[/bold]{notes}", highlight=False, soft_wrap=True)
    with _reading_told(out):
        return sum(one.cycles_recomputed for one in update_all(files, contest.contract, _progress(out)))


@contextmanager
def _reading_told(out: "Console | None") -> Iterator[None]:
    """Print how far the reading of a hub's files is, while it goes on."""
    from pipeline.components.hub_tables import LOG

    handler = _Teller(out)
    before = LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(before)


class _Teller(logging.Handler):
    """Prints what is logged, where there is anybody to read it."""

    def __init__(self, out: "Console | None") -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        if self._out is not None:
            self._out.print(f"  [dim]… {escape(record.getMessage())}[/dim]", highlight=False, soft_wrap=True)


def _progress(out: "Console | None") -> Callable[["Updated"], None]:
    def told(done: "Updated") -> None:
        if out is not None and done.outcome.changes:
            rows = counted(done.rows, "row")
            line = f"{done.spec.name:22} {rows:>16}  {done.seconds:5.1f} s  {escape(done.outcome.why)}"
            out.print(f"  [green]✓[/green] {line}", highlight=False, soft_wrap=True)

    return told


@dataclass(frozen=True)
class _Done:
    """What the command did and found."""

    contests: Sequence["Contest"]
    unscored: Mapping[str, str]
    boards: Mapping[str, "EvaluationBoard | None"]
    refused: Mapping[str, Sequence["Refused"]]
    recomputed: Mapping[str, int]
    published: Path
    folder: Path
    declared: Sequence[Declared]

    @property
    def record(self) -> dict[str, object]:
        """All of it, for JSON."""
        return {
            "hub": self.contests[0].source.hub.name,
            "boards": {
                contest.source.target.target_id: self.boards[contest.contract.name] for contest in self.contests
            },
            "not_scored": self.unscored,
            "refused": self.refused,
            "recomputed": self.recomputed,
            "notes": {contest.contract.name: contest.notes for contest in self.contests if contest.notes},
            "published": str(self.published),
            "data_dir": str(self.folder),
            "declared": self.declared,
        }


def _says_nothing(board: "EvaluationBoard") -> bool:
    return all(one.value is None for row in board.rows for one in row.values.values())


def _why_nothing(contest: "Contest", board: "EvaluationBoard") -> str:
    """Why no model on a board has a value."""
    if not board.rows and board.as_of is not None:
        return f"no round with a forecast had its deadline by {board.as_of:%Y-%m-%d}"
    if not board.rows:
        return f"nobody submitted anything of target {contest.source.target.target_id!r} that the hub's rules allow"
    if board.as_of is None:
        return "no outcome of these tasks is known yet"
    seen = (
        ""
        if contest.contract.truth.known_at == "column"
        else (
            "; this hub does not say since when its outcomes are known, so they count from when Podium first saw them"
        )
    )
    return f"no outcome was known by {board.as_of:%Y-%m-%d}{seen}"


def _print(out: "Console", done: _Done, seconds: float) -> None:
    def say(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True)

    for contest in done.contests:
        out.print()
        _print_target(done, contest, say)
    for target, reason in done.unscored.items():
        say(f"Not scored: {escape(target)}: {escape(reason)}")
    what = "Done" if sum(done.recomputed.values()) else "Nothing new: 0 rounds read"
    say(f"\n{what} in {seconds:.1f} s. Published: {escape(str(done.published))}")
    queries = [_BOARD_QUERY.format(board=done.contests[0].contract.name)]
    queries += [_REFUSED_QUERY] if any(done.refused.values()) else []
    say("To try:")
    for query in queries:
        say(f'  PODIUM_DATA_DIR={escape(str(done.folder))} podium sql "{escape(query)}"')
    say(f"  PODIUM_DATA_DIR={escape(str(done.folder))} podium serve")
    for one in done.declared:
        say(f"{escape(one.told)}")
    if done.declared:
        say("`podium run` computes declared boards, `podium dev` keeps them up to date.")


def _print_target(done: _Done, contest: "Contest", say: Callable[[str], None]) -> None:
    """Print the board of a target, further sets that it has, and what was refused."""
    from pipeline.cli.evaluations import print_evaluation

    name = contest.contract.name
    board, sets = done.boards[name], [spec.name for spec in contest.contract.evaluations]
    if board is not None:
        print_evaluation(board)
        if _says_nothing(board):
            say(f"No value: {escape(_why_nothing(contest, board))}.")
    others = [one for one in sets if board is None or one != board.evaluation]
    if others:
        say(f"Further evaluation sets (--eval-set): {escape(', '.join(map(repr, others)))}.")
    for refused in done.refused[name]:
        for line in _refused_told(refused):
            say(escape(line))


def _refused_told(refused: "Refused") -> Iterator[str]:
    """What breaks a rule: how much, and where and why, file by file."""
    files = counted(refused.n_files, "file")
    yield f"Refused by rule {refused.rule}: " + (
        f"{counted(refused.n_rows, 'row')} of {files}" if refused.n_rows else files
    )
    for one in refused.examples:
        yield f"  {one.file}: {one.reason}"
    if refused.n_files > len(refused.examples):
        yield f"  and {refused.n_files - len(refused.examples):,} more"
