"""A judged track as commands show it: a board of runs, how well judges predict it, and files that were refused."""

from collections.abc import Iterable

from rich.text import Text

from pipeline.cli.output import MISSING, Column, counted, print_table, signed
from pipeline.reports.queries import Agreement, BoardFile, RunRank, TrackBoard
from pipeline.tables import OFFICIAL
from pipeline.texts import shortened

_LONGEST = 200
"""Characters of a reason, at most."""


def print_track_board(found: TrackBoard, limit: int | None = None) -> None:
    """Print one board of a track and, below the official one, how well each judge predicts it."""
    rows = found.rows[:limit]
    topics = max((row.n_topics + row.n_missing for row in found.rows), default=0)
    over = f", {counted(topics, 'topic')}" if topics else ""
    lacks = [f"{row.n_missing:,}" if row.n_missing else "" for row in rows]
    columns = [
        Column("rank", [MISSING if row.rank is None else str(row.rank) for row in rows], rank=0),
        Column("could be", [_could_be(row) for row in rows], rank=1),
        Column("run", [_run(row) for row in rows], is_text=True, rank=0),
        Column(found.measure, [_value(row.value) for row in rows], rank=0),
        *([Column("topics missing", lacks, rank=2)] if any(lacks) else []),
    ]
    title = Text(f"{found.title}\n{found.judge} board by {found.measure}{over}")
    print_table(columns, title, dim=[row.status != "ranked" for row in rows])
    if found.agreements and found.judge == OFFICIAL:
        _print_agreements(found)


def refusals_told(name: str, files: Iterable[BoardFile]) -> list[str]:
    """A line for each file that was refused: whose, which, and why."""
    return [
        f"board {name}: {one.judge} is made without {one.name}: {shortened(one.reason or '', _LONGEST)}"
        for one in files
        if one.is_refused
    ]


def _print_agreements(found: TrackBoard) -> None:
    methods = list(dict.fromkeys(one.method for one in found.agreements))
    judges = list(dict.fromkeys((one.judge, one.measure) for one in found.agreements))
    by_cell = {(one.judge, one.method): one for one in found.agreements}
    of_first = [by_cell[judge, methods[0]] for judge, _ in judges]
    columns = [
        Column("judge", [judge for judge, _ in judges], is_text=True, rank=0),
        Column("ranked by", [measure for _, measure in judges], is_text=True, rank=2),
        *(
            Column(method, [_agreement(by_cell[judge, method]) for judge, _ in judges], rank=0 if place == 0 else 1)
            for place, method in enumerate(methods)
        ),
        Column("runs", [f"{one.n_runs:,}" for one in of_first], rank=3),
        Column("topics", [f"{one.n_topics:,}" for one in of_first], rank=3),
    ]
    print_table(columns, Text("How well each judge predicts this ranking, with 95 % intervals"))


def _agreement(one: Agreement) -> str:
    if one.value is None:
        return MISSING
    interval = "" if one.ci_low is None else f" ({signed(one.ci_low)} … {signed(one.ci_high)})"
    return f"{signed(one.value)}{interval}"


def _value(value: float | None) -> str:
    """To as many decimals as evaluation tools print."""
    return MISSING if value is None else f"{value:.4f}"


def _could_be(row: RunRank) -> str:
    return MISSING if row.rank_lo is None else f"{row.rank_lo}-{row.rank_hi}"


def _run(row: RunRank) -> str:
    return row.run_id if row.status == "ranked" else f"{row.run_id} ({row.status})"
