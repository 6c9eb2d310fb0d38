"""Small frames for the tests, made by hand: as few columns as matter, the rest filled in."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pandas as pd

from pipeline.tables import CYCLE_METRICS, PREDICTIONS, SNAPSHOTS, TRUTH, TableSpec
from pipeline.warehouse import Dirty

BOARD = "sp500"
START = datetime(2020, 1, 3, 22)
WEEK = timedelta(days=7)
PLAIN: dict[str, object] = {
    "VARCHAR": "text",
    "JSON": "{}",
    "DOUBLE": 0.0,
    "INTEGER": 0,
    "BIGINT": 0,
    "BOOLEAN": False,
    "TIMESTAMP": START,
    "DATE": START.date(),
}


def week(number: float) -> datetime:
    """The cycle of a week; fractions are moments in between."""
    return START + number * WEEK


def dirty(*weeks: float, input_seq: int = 0) -> list[Dirty]:
    return [Dirty(week(number), input_seq) for number in weeks]


def predictions(
    *weeks: float, value: float = 1.0, models: Iterable[str] = ("a", "b"), delay: float = 1
) -> pd.DataFrame:
    """One prediction per week and model; its target lies ``delay`` weeks later."""
    rows = [
        {
            "model_id": model,
            "cycle": week(number),
            "horizon": 1,
            "subject": "AAPL",
            "output_type": "value",
            "output_type_id": "",
            "target_time": week(number + delay),
            "value": value,
        }
        for number in weeks
        for model in models
    ]
    return frame(PREDICTIONS, rows)


def truth(*facts: tuple[float, float, float]) -> pd.DataFrame:
    """One outcome per (week of the target, week when known, value)."""
    rows = [
        {"subject": "AAPL", "target_time": week(target), "horizon": -1, "known_at": week(known), "value": value}
        for target, known, value in facts
    ]
    return frame(TRUTH, rows)


def cycle_metrics(*facts: tuple[float, float, float]) -> pd.DataFrame:
    """One value of one metric per (week, week when known, value)."""
    rows = [
        {
            "model_id": "a",
            "cycle": week(number),
            "category": "overall",
            "metric": "ic",
            "known_at": week(known),
            "value": value,
        }
        for number, known, value in facts
    ]
    return frame(CYCLE_METRICS, rows)


def snapshots(*facts: tuple[float, float]) -> pd.DataFrame:
    """One value per (week of the board, value)."""
    rows = [
        {
            "as_of": week(number),
            "model_id": "a",
            "category": "overall",
            "window_name": "all",
            "metric": "ic",
            "value": value,
        }
        for number, value in facts
    ]
    return frame(SNAPSHOTS, rows)


def boards(kind: str = "competition", title: str = "Test") -> pd.DataFrame:
    return pd.DataFrame({"kind": [kind], "title": [title], "contract": ['{"name": "test"}'], "embargo_seconds": [None]})


def frame(spec: TableSpec, rows: list[dict[str, object]]) -> pd.DataFrame:
    """A frame with all columns of the table but the board; what a row leaves out is NULL or a plain value."""
    columns = [column for column in spec.columns if column.name != spec.board]
    plain = {column.name: None if column.nullable else PLAIN[column.type] for column in columns}
    return pd.DataFrame([plain | row for row in rows], columns=list(plain))
