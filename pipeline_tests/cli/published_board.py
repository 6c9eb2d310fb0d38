"""A board published from rows that a test computed, without a run."""

from pathlib import Path

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.backtest import BoardRows
from pipeline.tables import (
    BOARDS,
    CYCLE_METRICS,
    ENSEMBLE_METRICS,
    ENSEMBLE_PREDICTIONS,
    FACTORS,
    LEADERBOARD,
    MEMBER_METRICS,
    MODELS,
    PREDICTIONS,
    SNAPSHOTS,
    TRUTH,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Dirty, Store, WarehouseFiles
from pipeline_tests.competition.backtest.boards import board_of

_TABLES = (PREDICTIONS, TRUTH, FACTORS, CYCLE_METRICS, ENSEMBLE_PREDICTIONS, ENSEMBLE_METRICS, MEMBER_METRICS)


def publish_board(folder: Path, contract: Contract, rows: BoardRows) -> None:
    """Publish a board, with its snapshots, its leaderboard and models whose titles are their names in capitals."""
    files = WarehouseFiles(folder / "warehouse" / "podium.duckdb", folder / "published", lock_timeout=5)
    models = sorted({*rows.predictions["model_id"], *rows.ensemble_predictions["model_id"]})
    listed = [
        {"model_id": model, "title": model.upper(), "player": "", "kind": "real", "designated": True, "version": "1"}
        for model in models
    ]
    board = {
        "kind": "competition",
        "title": contract.title,
        "contract": contract.model_dump_json(),
        "embargo_seconds": contract.embargo.total_seconds(),
    }
    with files.write("a test") as store:
        _write(store, BOARDS, contract.name, pd.DataFrame([board]))
        _write(store, MODELS, contract.name, pd.DataFrame(listed))
        for spec in _TABLES:
            _write(store, spec, contract.name, getattr(rows, spec.name))
        if len(rows.cycle_metrics):
            snapshots, board = board_of(rows, contract)
            _write(store, SNAPSHOTS, contract.name, snapshots)
            _write(store, LEADERBOARD, contract.name, board)
    files.publish()


def _write(store: Store, spec: TableSpec, board: str, rows: pd.DataFrame) -> None:
    columns = [name for name in spec.column_names if name != spec.board]
    cycles = [WHOLE] if spec.cycle is None else [time.to_pydatetime() for time in rows[spec.cycle].unique()]
    store.replace(spec, board, [Dirty(cycle, 0) for cycle in cycles], rows.reindex(columns=columns), "by hand")
