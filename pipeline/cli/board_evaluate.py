"""``podium board evaluate``: how well judges' boards predict a board that counts as the truth."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.board_files import AsJson, Files, Format, LowerIsBetter, load_files, loaded_record, say, wrong_input
from pipeline.cli.output import MISSING, Column, counted, print_json, print_table

if TYPE_CHECKING:
    from pipeline.leaderboard import BoardEvaluation, CorrelationRow, Leaderboard, Loaded

Evaluations = Sequence[tuple[str, "Loaded", "BoardEvaluation"]]
"""Each judge: what it is called, its board, and how it did."""

_SHOWN = 5


def evaluate(
    judges: Annotated[list[Path], typer.Argument(help="Boards of judges: each a file, or a folder.")],
    truth: Annotated[Path, typer.Option("--truth", help="The board that counts as the truth: a file, or a folder.")],
    correlation: Annotated[
        list[str] | None,
        typer.Option("--correlation", help="Such as kendall, tau_ap_b@10 or rbo(p=0.8); repeatable."),
    ] = None,
    truth_measure: Annotated[
        list[str] | None, typer.Option("--truth-measure", help="Measure of the truth; repeatable.")
    ] = None,
    judge_measure: Annotated[
        list[str] | None, typer.Option("--judge-measure", help="Measure of the judges; repeatable.")
    ] = None,
    on_missing: Annotated[
        str,
        typer.Option("--on-missing", help="A run without a common topic: fix_aggregate, default, warn or error."),
    ] = "fix_aggregate",
    resamples: Annotated[int, typer.Option("--resamples", help="Draws of topics for intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="What their generator starts from.")] = 0,
    per_topic: Annotated[bool, typer.Option("--per-topic", help="Print every topic too.")] = False,
    truth_format: Annotated[str | None, typer.Option("--truth-format", help="The format of the truth.")] = None,
    format: Format = None,
    lower_is_better: LowerIsBetter = None,
    as_json: AsJson = False,
) -> None:
    """Correlate how judges rank runs with how the truth does, on the runs and topics that both have.

    All measures of the one are correlated with all of the other. Intervals are over topics.
    """
    from pipeline.leaderboard import LeaderboardEvaluator
    from pipeline.leaderboard.evaluation import DEFAULT_METHODS

    with wrong_input():
        official = _loaded(truth, truth_format, lower_is_better or ())
        evaluator = LeaderboardEvaluator(
            official.board,
            methods=correlation or DEFAULT_METHODS,
            truth_measures=truth_measure,
            judge_measures=judge_measure,
            on_missing=on_missing,
            resamples=resamples,
            seed=seed,
        )
        boards = [(path.name, _loaded(path, format, lower_is_better or ())) for path in judges]
        _require_measures([official.board, *(one.board for _, one in boards)], lower_is_better or ())
        found = [(name, loaded, evaluator.evaluate(loaded.board)) for name, loaded in boards]
    if as_json:
        print_json(_record(official, found, per_topic))
        return
    _print(found, per_topic)
    for name, _, evaluation in found:
        say(f"{name}: {_described(evaluation, on_missing)}")


def _loaded(path: Path, format: str | None, lower_is_better: Sequence[str]) -> "Loaded":
    """A board, with those of the measures turned round that it has."""
    return load_files(Files([path], format, lower_is_better=lower_is_better, may_lack=True))


def _require_measures(boards: Sequence["Leaderboard"], names: Sequence[str]) -> None:
    for name in names:
        if not any(name in board.spec.name_set for board in boards):
            raise ValueError(f"--lower-is-better {name!r}: no board has this measure")


def _print(found: Evaluations, per_topic: bool) -> None:
    """A row for each judge, pair of measures and topic, with all correlations and the first one's interval."""
    rows = [(name, list(same)) for name, _, one in found for same in _side_by_side(one, per_topic)]
    methods = [str(method) for method in found[0][2].methods]
    columns = [
        Column("judge", [name for name, _ in rows], is_text=True, rank=0 if len(found) > 1 else 4),
        Column("topic", [row[0].topic_id for _, row in rows], rank=0 if per_topic else 5),
        Column("truth", [row[0].truth_measure for _, row in rows], is_text=True, rank=0),
        Column("judged by", [row[0].judge_measure for _, row in rows], is_text=True, rank=0),
    ]
    for place, method in enumerate(methods):
        columns.append(Column(method, [_value(row[place]) for _, row in rows], rank=3 if place else 0))
        if place == 0:
            columns.append(Column("95 % interval", [_interval(row[0]) for _, row in rows], rank=1))
    columns.append(Column("runs", [str(row[0].n_runs) for _, row in rows], rank=2))
    if any(reasons := [_why_not(row) for _, row in rows]):
        columns.append(Column("why not", reasons, rank=1))
    print_table(columns)


def _side_by_side(found: "BoardEvaluation", per_topic: bool) -> Iterator[tuple["CorrelationRow", ...]]:
    """The correlations of the same topic and measures by every method."""
    for _, of_topic in itertools.groupby(found.rows(per_topic), key=lambda row: row.topic_id):
        by_method = [list(rows) for _, rows in itertools.groupby(of_topic, key=lambda row: row.method)]
        yield from zip(*by_method, strict=True)


def _record(official: "Loaded", found: Evaluations, per_topic: bool) -> dict[str, Any]:
    return {
        "truth": loaded_record(official),
        "judges": [
            {
                "judge": name,
                "runs": one.run_ids,
                "topics": one.topic_ids,
                "left_out": asdict(one.left_out),
                "correlations": list(one.rows(per_topic)),
            }
            | loaded_record(loaded)
            for name, loaded, one in found
        ],
    }


def _described(found: "BoardEvaluation", how: str) -> str:
    """What was compared, what was not, and how missing topics count."""
    left_out = found.left_out
    topics = counted(len(found.topic_ids), "topic") if found.topic_ids else "aggregates as they are printed"
    said = [f"{counted(len(found.run_ids), 'run')} and {topics} on both boards"]
    for board, what, ids in (
        ("truth", "run", left_out.truth_runs),
        ("judge", "run", left_out.judge_runs),
        ("truth", "topic", left_out.truth_topics),
        ("judge", "topic", left_out.judge_topics),
    ):
        if ids:
            more = ", ..." if len(ids) > _SHOWN else ""
            said.append(f"only the {board} has {counted(len(ids), what)} ({', '.join(ids[:_SHOWN])}{more})")
    for board, n in (("truth", left_out.truth_missing), ("judge", left_out.judge_missing)):
        if n:
            said.append(
                f"the {board} has no row for {counted(n, 'pair')} of these runs and topics (--on-missing {how})"
            )
    for board in ("truth", "judge"):
        if unranked := [f"{one.measure} ({one.reason})" for one in left_out.measures if one.board == board]:
            said.append(f"no runs are ranked by {', '.join(unranked)} of the {board}")
    return "; ".join(said)


def _why_not(row: Sequence["CorrelationRow"]) -> str:
    """Why correlations are undefined, or else why the first has no interval."""
    reasons = [one.reason for one in row if one.reason]
    no_interval = row[0].ci_low is None and row[0].ci_method not in ("one_topic", "not_asked")
    return ", ".join(dict.fromkeys(reasons or ([f"interval: {row[0].ci_method}"] if no_interval else [])))


def _value(row: "CorrelationRow") -> str:
    return MISSING if row.value is None else f"{row.value:.3f}"


def _interval(row: "CorrelationRow") -> str:
    return MISSING if row.ci_low is None or row.ci_high is None else f"{row.ci_low:.3f} … {row.ci_high:.3f}"
