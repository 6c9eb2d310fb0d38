"""The result of a backtest as commands give it: for a person, as JSON, as a chart."""

from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from pipeline.charts import cumulative_chart
from pipeline.cli.candidate import Candidate
from pipeline.cli.check import print_verdict
from pipeline.cli.output import MISSING, Column, counted, day, percent, print_table, signed
from pipeline.competition.backtest import Backtest
from pipeline.competition.categories import OVERALL
from pipeline.competition.metrics import COVERAGE
from pipeline.intake import verdict_record

_STANDING = (
    *("position", "rank", "rank_with_ensembles", "rank_change", "rank_lo", "rank_hi", "tie_group"),
    *("n_cycles", "n_effective", "rank_method", "rank_key", "coverage", "n", "status"),
)
_WHOLE = ("position", "rank", "rank_with_ensembles", "rank_change", "rank_lo", "rank_hi", "tie_group", "n_cycles", "n")
_CANDIDATE = "→ "

Titles = dict[str, str]


def as_record(given: Candidate, result: Backtest, titles: Titles, chart: Path | None) -> dict[str, Any]:
    """A backtest as JSON has it."""
    windows = result.windows.drop(columns=["as_of", "model_id"])
    cycles = result.own_metrics.drop(columns="model_id")
    return {
        "board": result.contract.name,
        "model_id": result.model_id,
        "as_of": result.as_of,
        "replaces": result.replaces,
        "cycles": {
            "n": len(result.cycles),
            "first": result.cycles[0],
            "last": result.cycles[-1],
            "resolved": len(result.resolved),
        },
        "rank_by": result.contract.leaderboard.weights,
        "standing": {"of": result.n_ranked} | _records(result.row.to_frame().T[list(_STANDING)])[0],
        "neighbours": [
            {"model_id": row["model_id"], "title": _title(result, titles, row["model_id"])}
            | {name: row[name] for name in _STANDING}
            for row in _records(result.neighbours())
        ],
        "windows": _records(windows),
        "cycle_metrics": _records(cycles),
        "file": None if given.verdict is None else verdict_record(given.verdict),
        "notes": [*given.notes, *result.notes],
        "chart": None if chart is None else str(chart),
    }


def print_standing(out: Console, given: Candidate, result: Backtest, titles: Titles, chart: Path | None) -> None:
    """Print a backtest: where the model would stand, who is next to it, metrics by window, and what limits it."""
    out.print(Text(f"{result.model_id} {in_words(result)}.", style="bold"), soft_wrap=True)
    _print_neighbours(result, titles)
    if given.verdict is not None and given.verdict.n_rejected:
        print_verdict(out, given.verdict)
    _print_windows(result)
    for note in (*given.notes, *result.notes, *_provisional(result)):
        out.print(Text(note))
    primary = result.contract.scoring.primary
    told = f"Chart: {chart}" if chart else f"A chart of cumulative {primary} beside the board's first: --chart FILE.svg"
    out.print(Text(told), soft_wrap=True)


def in_words(result: Backtest) -> str:
    """Where the model would stand, such as ``would rank 3 of 14 (could be 1-9) by anchor.ic, as of 2022-12-23``."""
    row, ranked_by = result.row, _ranked_by(result)
    then = f"as of {day(result.as_of)}"
    if pd.isna(row["rank"]):
        why = str(row["status"]).removeprefix("unranked: ")
        return f"would not be ranked by {ranked_by}, {then}: {why} (coverage {percent(_number(row['coverage']))})"
    could_be = "" if pd.isna(row["rank_lo"]) else f" (could be {int(row['rank_lo'])}-{int(row['rank_hi'])})"
    return f"would rank {int(row['rank'])} of {result.n_ranked}{could_be} by {ranked_by}, {then}"


def chart_of(result: Backtest, titles: Titles) -> dict[str, Any]:
    """The model's cumulative primary metric beside those of the board's first models and its first ensemble."""
    primary = result.contract.scoring.primary
    summed = result.cumulative()
    rows = [
        {"time": f"{cycle:%Y-%m-%d}", "label": _title(result, titles, model), "value": value}
        for model, cycle, value in zip(summed["model_id"], summed["cycle"], summed["value"], strict=True)
    ]
    return cumulative_chart(
        rows,
        f"{result.model_id} on {result.contract.title}: cumulative {primary}",
        in_words(result),
        f"sum of {primary}",
        highlight=_title(result, titles, result.model_id),
    )


def _print_windows(result: Backtest) -> None:
    windows = result.windows[result.windows["category"] == OVERALL]
    cells = {(row.window_name, row.metric): row for row in windows.itertuples()}
    metrics = [metric for metric in result.contract.metrics if metric != COVERAGE.name]  # it is a row of its own
    ranked_by = {key.partition(".")[0] for key in result.contract.leaderboard.weights}
    columns = [Column("metric", [*metrics, COVERAGE.name], is_text=True, rank=0)]
    for window in result.contract.windows:
        told = [_cell(cells[window, metric]) for metric in metrics]
        first = cells[window, result.contract.metrics[0]]
        covered = f"{percent(_number(first.coverage))}\nn = {first.n_scored:,}"
        columns.append(Column(window, [*told, covered], rank=0 if window in ranked_by else 1))
    span = f"{day(result.resolved[0])} to {day(result.resolved[-1])}"
    title = f"{result.model_id} on board {result.contract.name}: {counted(len(result.resolved), 'cycle')}, {span}"
    print_table(columns, Text(f"{title}\nvalue, with its 95 % interval or why there is none"))


def _cell(row: Any) -> str:
    """The value of a metric over a window, and below it its interval, or why there is no value or interval."""
    value, low, high = (_number(one) for one in (row.value, row.ci_low, row.ci_high))
    if value is None:
        return f"{MISSING}\n{row.reason}"
    return f"{signed(value)}\n{row.ci_method if low is None else f'{signed(low)} … {signed(high)}'}"


def _print_neighbours(result: Backtest, titles: Titles) -> None:
    rows = result.neighbours()
    keys = list(dict.fromkeys([*result.contract.leaderboard.weights, *result.contract.leaderboard.tie_breakers]))
    names = result.snapshots["window_name"] + "." + result.snapshots["metric"]
    overall = result.snapshots[result.snapshots["category"] == OVERALL].assign(key=names)
    values = overall.set_index(["model_id", "key"])["value"].to_dict()
    ids = rows["model_id"].tolist()
    called = [
        (_CANDIDATE if model == result.model_id else "")
        + _title(result, titles, model)
        + ("" if status == "ranked" else f" ({status})")
        for model, status in zip(ids, rows["status"], strict=True)
    ]
    columns = [
        Column("rank", [_whole(rank) for rank in rows["rank"]], rank=0),
        Column("could be", [_could_be(low, high) for low, high in zip(rows["rank_lo"], rows["rank_hi"], strict=True)]),
        Column("model", called, is_text=True, rank=0),
        *(
            Column(key, [signed(_number(values.get((model, key)))) for model in ids], rank=0 if place == 0 else 2)
            for place, key in enumerate(keys)
        ),
        Column("coverage", [percent(_number(share)) for share in rows["coverage"]], rank=2),
        Column("n", [f"{n:,}" for n in rows["n"]], rank=3),
    ]
    print_table(columns, dim=[status != "ranked" for status in rows["status"]])


def _could_be(low: float, high: float) -> str:
    return MISSING if pd.isna(low) else f"{int(low)}-{int(high)}"


def _whole(value: float) -> str:
    return MISSING if pd.isna(value) else str(int(value))


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _title(result: Backtest, titles: Titles, model: str) -> str:
    return model if model == result.model_id else titles.get(model, model)


def _ranked_by(result: Backtest) -> str:
    key = result.contract.rank_by().primary
    return key.name if len(key.parts) > 1 else key.parts[0].name


def _provisional(result: Backtest) -> list[str]:
    windows = result.windows
    names = windows.loc[~windows["is_final"].astype(bool), "window_name"].unique()
    return [f"Provisional, since outcomes are missing: {', '.join(names)}."] if len(names) else []


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: NULL is None, and what counts is whole."""
    found = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{str(name): _plain(str(name), value) for name, value in row.items()} for row in found]


def _plain(name: str, value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if name in _WHOLE and value is not None else value
