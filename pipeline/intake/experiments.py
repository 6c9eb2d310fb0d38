"""What an experiment's inbox holds, how the files in each folder are read, and the inputs that it declares."""

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import duckdb
import pandas as pd

from pipeline.experiments import RUNS, SCORES, Experiment, InputSpec, read_inputs
from pipeline.experiments.arrivals import AskedRuns, numbered_runs
from pipeline.experiments.files import RUN_COLUMNS, SCORE_COLUMNS
from pipeline.experiments.intake import SCORER_COLUMN, run_rows, score_rows
from pipeline.fingerprint import digest
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
    Memory,
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

_OF_RUNS = """
    file_number, row_number, config_hash, repeat, status, created_at, started_at, completed_at,
    CASE WHEN coalesce(created_at, started_at, completed_at) IS NULL THEN hash({said}) ELSE 0 END AS content
"""
_NUMBERED = "SELECT {columns} FROM {rows} WHERE {board} = ?"
_ASKED = """
    SELECT config_hash, config, prompt, prompt_version, input_id FROM {rows} WHERE {board} = ?
    ORDER BY file_number, row_number
"""
_CONTENT = """
    SELECT count(*), bit_xor(hash(landed)) FROM (
        SELECT {columns}, prompt, prompt_version, input_id FROM {rows} WHERE {board} = ?
    ) AS landed
"""
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
    """Runs of the files that were landed, which many tables are made of: worked out again only where rows changed.

    Parameters
    ----------
    store : Store
        The open warehouse.
    experiment : Experiment
    """

    def __init__(self, store: Store, experiment: Experiment) -> None:
        self._store, self._experiment = store, experiment

    def numbered(self) -> pd.DataFrame:
        """Every row of a file of runs with its run; see :func:`pipeline.experiments.arrivals.numbered_runs`.

        Others are given the same frame, so it is not to be changed.
        """
        name = self._experiment.name
        return _kept().of(("numbered", *self._content()), lambda: numbered_runs(self._query(_NUMBERED), name))

    def ids(self) -> frozenset[str]:
        """The ids of the runs."""
        return frozenset(self.numbered()["run_id"])

    def asked(self) -> AskedRuns:
        """What the runs ask; not to be changed either."""
        experiment, inputs = self._experiment, declared_inputs(self._experiment)
        prompts = experiment.model_dump_json(include={"prompts"})
        declared = digest(prompts, *(one.model_dump_json(include={"id", "variables"}) for one in inputs))
        key = ("asked", *self._content(), declared)
        return _kept().of(key, lambda: AskedRuns.of(self._query(_ASKED), experiment, inputs))

    def _content(self) -> tuple[str, int, int | None]:
        """Equal where both are made of the same rows, in whatever warehouse."""
        ((n, content),) = self._query(_CONTENT).itertuples(index=False, name=None)
        return self._experiment.name, int(n), None if pd.isna(content) else int(content)

    def _query(self, template: str) -> pd.DataFrame:
        said = [name for name in RUN_ROWS.column_names if name not in RUN_ROWS.key and name != "received_at"]
        columns = compose(_OF_RUNS, said=said)
        statement = compose(template, columns=columns, rows=RUN_ROWS, board=RUN_ROWS.board)
        return self._store.query(statement, [self._experiment.name])


@functools.cache
def _kept() -> Memory:
    """What was worked out last, for the tables of one run of an experiment."""
    return Memory(4)


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
            return LandedRuns(store, experiment).ids() if _has_run(store.connection, experiment) else None
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
