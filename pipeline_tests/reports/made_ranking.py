"""A ranking made by the stages out of what sources publish, in a published file: its tables say what stages say."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.rankings.stages import fetch_status_rows, snapshot_rows
from pipeline.tables import (
    BOARDS,
    LLM_ALIASES,
    LLM_BENCHMARKS,
    LLM_FETCH_STATUS,
    LLM_LEADERBOARD,
    LLM_MODELS,
    LLM_RESULTS,
    LLM_SCORES,
    LLM_SNAPSHOTS,
    LLM_UNMATCHED,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Dirty
from pipeline_tests.rankings.stages.boards import LOOKED_AT, Board
from pipeline_tests.reports.served import files_in

DAY = LOOKED_AT.replace(hour=0)


def publish_board(folder: Path, made: Board, changed: Mapping[TableSpec, pd.DataFrame] | None = None) -> Path:
    """Publish the tables of a ranking, with other rows where they are given; the folder of published versions."""
    files, name = files_in(folder), made.declaration.name
    contract = made.declaration.model_dump_json()
    about = {"kind": "llm", "title": made.declaration.title, "contract": contract, "embargo_seconds": None}
    tables = {
        BOARDS: pd.DataFrame([about]),
        LLM_FETCH_STATUS: fetch_status_rows(made.published),
        LLM_MODELS: made.models,
        LLM_ALIASES: made.aliases,
        LLM_RESULTS: made.results,
        LLM_UNMATCHED: made.unmatched,
        LLM_BENCHMARKS: made.measures,
        LLM_SCORES: made.scores,
        LLM_LEADERBOARD: made.leaderboard,
    }
    with files.write("a test") as store:
        for spec, rows in (tables | dict(changed or {})).items():
            store.replace(spec, name, [Dirty(WHOLE, 0)], rows, "v1")
        store.replace(LLM_SNAPSHOTS, name, [Dirty(DAY, 0)], snapshot_rows(made.leaderboard, DAY), "v1")
    files.publish()
    return folder / "published"
