"""Charts of models over time as JSON, from what queries give: rows for the specifications of ``pipeline.charts``."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.charts import drawdown_chart, lines_chart, rank_chart
from pipeline.reports.queries.curves import Curve
from pipeline.reports.queries.profiles import RankThen

Versions = Sequence[tuple[datetime, str]]

_DECIMALS = 6


def drawdown(curve: Curve, versions: Versions, title: str) -> str:
    """A sum with its drawdown shaded, as far as two cycles have values; otherwise nothing."""
    if len(curve.values) < 2:
        return ""
    starts = np.array([first for first, _ in versions], dtype="datetime64[us]")
    runs = np.searchsorted(starts, curve.cycles, side="right")
    peaks = curve.values - curve.drawdown
    rows = [
        {"time": time, "value": round(value, _DECIMALS), "peak": round(peak, _DECIMALS), "run": run}
        for time, value, peak, run in zip(
            _iso(curve.cycles), curve.values.tolist(), peaks.tolist(), runs.tolist(), strict=True
        )
    ]
    first = curve.cycles[0].astype(datetime)
    return json.dumps(drawdown_chart(rows, _breaks(versions, first), title))


def ranks(found: Sequence[RankThen], versions: Versions, first: datetime, *, is_ensemble: bool) -> str:
    """Ranks from a moment on with what they could have been; nothing without two of them."""
    rows: list[dict[str, Any]] = []
    run = 0
    for one in found:
        rank = one.rank_with_ensembles if is_ensemble else one.rank
        if one.as_of < first or rank is None:
            run += rank is None
            continue
        rows.append(
            {
                "time": one.as_of.isoformat(),
                "rank": rank,
                "best": None if is_ensemble else one.rank_lo,
                "worst": None if is_ensemble else one.rank_hi,
                "run": run,
            }
        )
    if len(rows) < 2:
        return ""
    last = max(row["worst"] or row["rank"] for row in rows)
    return json.dumps(rank_chart(_changes(rows), last, _breaks(versions, first)))


def sums(curves: Mapping[str, Curve], title: str) -> str:
    """Sums of several series in one chart, by label; nothing where none has two values."""
    rows = [
        {"time": time, "label": label, "value": round(value, _DECIMALS)}
        for label, curve in curves.items()
        for time, value in zip(_iso(curve.cycles), curve.values.tolist(), strict=True)
    ]
    if all(len(curve.values) < 2 for curve in curves.values()):
        return ""
    return json.dumps(lines_chart(rows, list(curves), title))


def summed(values: Iterable[tuple[datetime, float]]) -> Curve:
    """Values of cycles, summed."""
    cycles, of_cycles = zip(*values, strict=True)
    return Curve(np.array(cycles, dtype="datetime64[us]"), np.array(list(accumulate(of_cycles)), dtype=np.float64))


def _changes(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that differ from the one before, and the last of every run: what a line in steps needs."""
    kept = [rows[0]]
    for before, row in pairwise(rows):
        if row["run"] != before["run"] and kept[-1] is not before:
            kept.append(before)
        if any(row[name] != before[name] for name in ("rank", "best", "worst", "run")):
            kept.append(row)
    return kept if kept[-1] is rows[-1] else [*kept, rows[-1]]


def _breaks(versions: Versions, first: datetime) -> list[dict[str, str]]:
    """The changes of version after the beginning of a chart."""
    return [
        {"time": cycle.isoformat(), "label": f"version {version}"} for cycle, version in versions[1:] if cycle > first
    ]


def _iso(times: npt.NDArray[np.datetime64]) -> list[str]:
    return [str(time) for time in times.astype("datetime64[s]")]
