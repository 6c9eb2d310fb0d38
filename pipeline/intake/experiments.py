"""What an experiment's inbox holds, how the files in each folder are read, and the inputs that it declares."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import duckdb
import pandas as pd

from pipeline.experiments import RUNS, SCORES, Experiment, InputSpec, read_inputs
from pipeline.experiments.arrivals import numbered_runs
from pipeline.experiments.declaration import RUN_COLUMNS, SCORE_COLUMNS
from pipeline.experiments.intake import SCORER_COLUMN, run_rows, score_rows
from pipeline.intake.reading import Reading
from pipeline.landing import FileField, Intake
from pipeline.settings import Settings, settings
from pipeline.tables import (
    BOARDS,
    EXPERIMENT_FILES,
    EXPERIMENT_QUARANTINE,
    EXPERIMENT_RUNS,
    RUN_ROWS,
    SCORE_ROWS,
)
from pipeline.warehouse import (
    NotPublishedError,
    Store,
    WarehouseBusyError,
    WarehouseFiles,
    WarehouseVersionError,
    compose,
    open_published,
)

Runs = Callable[[], frozenset[str] | None]
"""The ids of the runs that are known; None where that cannot be told."""

_TYPES = {
    **dict.fromkeys(("config", "params", "stages", "details"), "JSON"),
    **dict.fromkeys(("prompt", "input_data", "output"), "DOCUMENT"),
    **dict.fromkeys(("error", "error_detail", "comment"), "TEXT"),
    **dict.fromkeys(("created_at", "started_at", "completed_at", "scored_at"), "TIMESTAMP"),
    **dict.fromkeys(("duration_ms", "cost", "value", "rating"), "DOUBLE"),
    **dict.fromkeys(("tokens_in", "tokens_out"), "BIGINT"),
    **dict.fromkeys(("prompt_name", "prompt_version", "input_id"), "LABEL"),
    "repeat": "INTEGER",
}
"""Types of the columns of files; others are short texts."""

_ALWAYS = frozenset({"scorer"})
_UNKNOWN = "Whether the runs are known cannot be checked: nothing of {} ran yet, or its working file is in use."


def declared_inputs(experiment: Experiment, given: Settings | None = None) -> tuple[InputSpec, ...]:
    """The inputs that an experiment lists, or those of its file.

    Parameters
    ----------
    experiment : Experiment
    given : Settings, optional
        Those of this process by default.

    Raises
    ------
    InputsError
        If its file cannot be read, or a row of it is no input.
    """
    if experiment.inputs_file is None:
        return experiment.inputs
    return read_inputs((given or settings()).data_dir / experiment.inputs_file)


def experiment_intakes(experiment: Experiment, runs: Runs) -> Mapping[str, Callable[[], Sequence[Intake]]]:
    """How the files of each folder of an experiment's inbox are read, runs first: scores are given to runs.

    Parameters
    ----------
    experiment : Experiment
    runs : function
        The runs that are known by then.
    """
    return {RUNS: lambda: [_runs(experiment)], SCORES: lambda: [_scores(experiment, runs())]}


def experiment_reading(experiment: Experiment, folder: str) -> Reading:
    """How files of a folder are read, by what the working file or else the published file knows.

    Parameters
    ----------
    experiment : Experiment
    folder : str
        Folder of its inbox.
    """
    if folder == RUNS:
        return Reading((_runs(experiment),))
    known = _runs_of_working_file(experiment)
    if known is None:
        known = _runs_of_published_file(experiment)
    notes = (_UNKNOWN.format(experiment.name),) if known is None else ()
    return Reading((_scores(experiment, known),), notes)


class LandedRuns:
    """Runs of the files that were landed, counted again only after another one was.

    Parameters
    ----------
    store : Store
        The open warehouse.
    board : str
        The experiment.
    """

    def __init__(self, store: Store, board: str) -> None:
        self._store, self._board = store, board
        self._of: dict[Any, int] = {}
        self._numbered: pd.DataFrame | None = None

    def numbered(self) -> pd.DataFrame:
        """Every row of a file of runs with its run; see :func:`pipeline.experiments.arrivals.numbered_runs`."""
        seqs = self._store.seqs(RUN_ROWS, self._board)
        if self._numbered is None or seqs != self._of:
            self._of, self._numbered = seqs, numbered_runs(self._rows(), self._board)
        return self._numbered

    def ids(self) -> frozenset[str]:
        """The ids of the runs."""
        return frozenset(self.numbered()["run_id"])

    def _rows(self) -> pd.DataFrame:
        said = [name for name in RUN_ROWS.column_names if name not in RUN_ROWS.key and name != "received_at"]
        statement = compose(
            "SELECT file_number, row_number, config_hash, repeat, status, created_at, started_at, completed_at,"
            " CASE WHEN coalesce(created_at, started_at, completed_at) IS NULL THEN hash({said}) ELSE 0 END AS content"
            " FROM {rows} WHERE {board} = ?",
            said=said,
            rows=RUN_ROWS,
            board=RUN_ROWS.board,
        )
        return self._store.query(statement, [self._board])


def _runs(experiment: Experiment) -> Intake:
    """How files of runs are read."""
    own = tuple(
        FileField(SCORER_COLUMN + name, "DOUBLE", experiment.columns.get(name, name), required=False, nullable=True)
        for name in experiment.imported
    )
    variables = {one.id: one.variables for one in declared_inputs(experiment)}
    return Intake(
        kind=RUNS,
        table=RUN_ROWS,
        fields=(*_fields(experiment, RUN_COLUMNS), *own),
        rules=partial(run_rows, experiment=experiment, variables=variables),
        unique=("row_number",),
        files=EXPERIMENT_FILES,
        refused=EXPERIMENT_QUARANTINE,
    )


def _scores(experiment: Experiment, runs: frozenset[str] | None) -> Intake:
    """How files of scores are read."""
    return Intake(
        kind=SCORES,
        table=SCORE_ROWS,
        fields=_fields(experiment, SCORE_COLUMNS),
        rules=partial(score_rows, experiment=experiment, runs=runs),
        unique=("row_number",),
        files=EXPERIMENT_FILES,
        refused=EXPERIMENT_QUARANTINE,
    )


def _fields(experiment: Experiment, names: Sequence[str]) -> tuple[FileField, ...]:
    return tuple(
        FileField(
            name,
            _TYPES.get(name, "VARCHAR"),
            experiment.columns.get(name, name),
            required=name in _ALWAYS,
            nullable=name not in (*_ALWAYS, "status"),
            default="completed" if name == "status" else None,
        )
        for name in names
    )


def _runs_of_working_file(experiment: Experiment) -> frozenset[str] | None:
    try:
        with WarehouseFiles(lock_timeout=0).read() as store:
            return LandedRuns(store, experiment.name).ids() if _has_run(store.connection, experiment) else None
    except (FileNotFoundError, WarehouseBusyError, WarehouseVersionError, duckdb.CatalogException):
        return None


def _runs_of_published_file(experiment: Experiment) -> frozenset[str] | None:
    statement = compose(
        "SELECT run_id FROM {runs} WHERE experiment = ? AND created_at IS NOT NULL", runs=EXPERIMENT_RUNS
    )
    try:
        with open_published(settings().published_dir) as connection:
            if not _has_run(connection, experiment):
                return None
            return frozenset(row[0] for row in connection.execute(statement, [experiment.name]).fetchall())
    except (NotPublishedError, duckdb.CatalogException):
        return None


def _has_run(connection: duckdb.DuckDBPyConnection, experiment: Experiment) -> bool:
    statement = compose("SELECT count(*) FROM {boards} WHERE board = ?", boards=BOARDS)
    found = connection.execute(statement, [experiment.name]).fetchone()
    return bool(found and found[0])
