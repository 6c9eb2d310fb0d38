"""Boards made by hand, as small as they can be and tell: every row of them is written below.

``weekly`` has two boards, ``blend`` is ranked by weights, ``sp500`` is declared and has no rows yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import yaml

from pipeline.settings import PROJECT_ROOT
from pipeline.tables import BOARDS, LEADERBOARD, MODELS, SNAPSHOTS, TRUTH, WHOLE, TableSpec
from pipeline.warehouse import Dirty, Publication, Store, WarehouseFiles
from pipeline_tests.toy_contest import contract

FIRST = datetime(2020, 1, 10, 22)
SECOND = datetime(2020, 1, 17, 22)
REVISED = datetime(2020, 1, 24, 9, 30)
ENSEMBLE = "__ensemble_mean__"
TITLES = {
    "alpha": "Alpha",
    "beta": "Beta [/b] [bold]",
    "gamma": "Gamma",
    "silent": "Silent",
    ENSEMBLE: "Mean of all",
}
"""Titles by model; one has what a terminal library might take for its own markup."""


@dataclass(frozen=True)
class Row:
    """A model on a board: its value of every key, in the order of the declaration; None is NULL."""

    model: str
    rank: int | None
    rank_with_ensembles: int | None
    values: tuple[float | None, ...]
    change: int | None = None
    status: str = "ranked"
    could_be: tuple[int, int] | None = None


FIRST_BOARD = (
    Row("alpha", 1, 1, (0.05, 0.04)),
    Row(ENSEMBLE, None, 2, (0.04, 0.01)),
    Row("beta", 2, 3, (0.03, 0.02)),
    Row("silent", None, None, (None, None), status="unranked: low_coverage"),
)
SECOND_BOARD = (
    Row(ENSEMBLE, None, 1, (0.07, 0.06)),
    Row("beta", 1, 2, (0.06, 0.05), change=1, could_be=(1, 2)),
    Row("alpha", 2, 3, (0.02, 0.01), change=-1, could_be=(1, 3)),
    Row("gamma", 2, 3, (0.02, 0.01), could_be=(2, 3)),
    Row("silent", None, None, (None, None), status="unranked: low_coverage"),
)
REVISED_BOARD = (
    Row("alpha", 1, 1, (0.08, 0.01), change=1),
    Row(ENSEMBLE, None, 2, (0.07, 0.06)),
    Row("beta", 2, 3, (0.01, 0.05), change=-1),
    Row("gamma", 3, 4, (-0.02, 0.01), change=-1),
    Row("silent", None, None, (None, None), status="unranked: low_coverage"),
)
BLEND_BOARD = (Row("beta", 1, 1, (0.03, 0.05, 0.5)), Row("alpha", 2, 2, (0.05, 0.01, 0.6)))
BLEND_WEIGHTS = {"quarter.ic": 0.75, "recent.ic": 0.25}


def write_boards(folder: Path) -> WarehouseFiles:
    """A warehouse with the boards of the first two weeks, their models and their catalog; not published."""
    files = WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published", lock_timeout=5)
    blended = {"rank_by": BLEND_WEIGHTS, "tie_breakers": ["all.hit_rate"]}
    with files.write("boards by hand") as store:
        for name, changes in {"weekly": {}, "blend": {"leaderboard": blended}, "sp500": {}}.items():
            declared = contract(name, **changes)
            row = {
                "kind": "competition",
                "title": f"The {name} contest",
                "contract": declared.model_dump_json(),
                "embargo_seconds": 0.0,
            }
            _replace_whole(store, BOARDS, name, [row])
        _replace_whole(store, MODELS, "weekly", [_model(model) for model in TITLES])
        write_board(store, "weekly", FIRST, FIRST_BOARD)
        write_board(store, "weekly", SECOND, SECOND_BOARD)
        write_board(store, "blend", SECOND, BLEND_BOARD, keys=(*BLEND_WEIGHTS, "all.hit_rate"))
        _write_truth(store, [(FIRST, 0.01)])
    return files


def revise(files: WarehouseFiles) -> Publication:
    """An outcome turns out to be another: a row of truth known later, a board as of then, and a new publication."""
    with files.write("a revision by hand") as store:
        _write_truth(store, [(FIRST, 0.01), (REVISED, -0.02)])
        write_board(store, "weekly", REVISED, REVISED_BOARD)
    return files.publish()


def write_board(
    store: Store,
    name: str,
    as_of: datetime,
    rows: Sequence[Row],
    keys: Sequence[str] = ("quarter.ic", "recent.ic"),
) -> None:
    """One board and the snapshots that its values come from."""
    board = [
        {
            "as_of": as_of,
            "category": "overall",
            "model_id": row.model,
            "position": position,
            "rank": row.rank,
            "rank_with_ensembles": row.rank_with_ensembles,
            "rank_change": row.change,
            **_rank_interval(row),
            "rank_key": _rank_key(name, row),
            "coverage": 0.0 if row.values[0] is None else 0.875,
            "n": 0 if row.values[0] is None else 1234,
            "is_ensemble": row.model == ENSEMBLE,
            "status": row.status,
        }
        for position, row in enumerate(rows, start=1)
    ]
    snapshots = [
        _snapshot(as_of, row.model, key, value) for row in rows for key, value in zip(keys, row.values, strict=True)
    ]
    store.replace(LEADERBOARD, name, [Dirty(as_of, 0)], _frame(LEADERBOARD, board), "by hand")
    store.replace(SNAPSHOTS, name, [Dirty(as_of, 0)], _frame(SNAPSHOTS, snapshots), "by hand")


def create_marts(files: WarehouseFiles) -> None:
    """The marts, empty, with the columns that their dbt contracts enforce."""
    declared = yaml.safe_load((PROJECT_ROOT / "dbt_project/models/marts/_marts.yml").read_text(encoding="utf-8"))
    with files.write("empty marts") as store:
        store.connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
        for model in declared["models"]:
            columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in model["columns"])
            store.connection.execute(f"CREATE TABLE marts.{model['name']} ({columns})")


def _rank_interval(row: Row) -> dict[str, object]:
    if row.could_be is None:
        method = "unranked" if row.status != "ranked" else "virtual" if row.model == ENSEMBLE else "not_smooth"
        return {"rank_method": method}
    low, high = row.could_be
    judged_on = {"n_cycles": 12, "n_effective": {"beta": 9.6, "alpha": 8.1, "gamma": 12.0}[row.model]}
    return {"rank_lo": low, "rank_hi": high, "tie_group": low, "rank_method": "holm", **judged_on}


def _rank_key(name: str, row: Row) -> float | None:
    if name == "blend":
        return sum(weight * (value or 0) for weight, value in zip(BLEND_WEIGHTS.values(), row.values, strict=False))
    return row.values[0]


def _snapshot(as_of: datetime, model: str, key: str, value: float | None) -> dict[str, object]:
    window, _, metric = key.partition(".")
    return {
        "as_of": as_of,
        "model_id": model,
        "category": "overall",
        "window_name": window,
        "metric": metric,
        "value": value,
        "n": 0 if value is None else 12,
        "n_imputed": 0,
        "n_scored": 0 if value is None else 96,
        "cycles_absent": 0,
        "ci_low": None if value is None else value - 0.01,
        "ci_high": None if value is None else value + 0.01,
        "ci_method": "undefined" if value is None else "ewc",
        "reason": "no_scores" if value is None else None,
        "is_final": True,
    }


def _model(model: str) -> dict[str, object]:
    kind = "ensemble" if model == ENSEMBLE else "real"
    return {
        "model_id": model,
        "title": TITLES[model],
        "player": "tests",
        "kind": kind,
        "designated": True,
        "version": "1",
        "first_seen": FIRST,
    }


def _write_truth(store: Store, vintages: Sequence[tuple[datetime, float]]) -> None:
    rows = [
        {"subject": "AAPL", "target_time": FIRST, "horizon": 1, "known_at": known_at, "value": value}
        for known_at, value in vintages
    ]
    store.replace(TRUTH, "weekly", [Dirty(FIRST, 0)], _frame(TRUTH, rows), "by hand")


def _replace_whole(store: Store, spec: TableSpec, board: str, rows: list[dict[str, object]]) -> None:
    store.replace(spec, board, [Dirty(WHOLE, 0)], _frame(spec, rows), "by hand")


def _frame(spec: TableSpec, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows with every column of the table but the board's; NULL where nothing is given."""
    return pd.DataFrame(rows, columns=[name for name in spec.column_names if name != spec.board])
