"""Tables of what arrives for experiments: files, the runs and scores taken from them, and what was refused.

As with those of competitions, ``landing.*`` is private to the working file; ``experiments.*`` follows from it.
"""

from pipeline.tables.landing import FILES, QUARANTINE
from pipeline.tables.spec import Column, TableSpec

_EXPERIMENT = Column("experiment", "VARCHAR", "Name of the experiment.")
_FILE_NUMBER = Column("file_number", "BIGINT", "The file: its number in experiments.files.")
_KIND = Column("kind", "VARCHAR", "What was read from the file: runs or scores.")
_OF_ROW = (
    _EXPERIMENT,
    _FILE_NUMBER,
    Column("row_number", "BIGINT", "Place of the row in the file, from 1, without the header."),
    Column("received_at", "TIMESTAMP", "When it counts as received (UTC)."),
)
_KEY = ("experiment", "file_number", "row_number")


def _with(spec: TableSpec, *columns: Column) -> tuple[Column, ...]:
    """The columns of a competition's table, those of these names replaced."""
    other = {"competition": _EXPERIMENT} | {one.name: one for one in columns}
    return tuple(other.get(one.name, one) for one in spec.columns)


EXPERIMENT_FILES = TableSpec(
    schema="experiments",
    name="files",
    comment="One row per file of runs or scores that arrived: n_rows = n_accepted + n_rejected, always.",
    columns=_with(
        FILES,
        _KIND,
        Column("received_at", "TIMESTAMP", "When it arrived in the inbox (UTC)."),
        Column("n_late", "BIGINT", "0: runs and scores have no deadline."),
    ),
    key=("experiment", "file_number"),
)

EXPERIMENT_QUARANTINE = TableSpec(
    schema="quarantine",
    name="experiment_rows",
    comment="One row per row of an experiment's file that was refused, with the reason and what it said.",
    columns=_with(QUARANTINE, _KIND, _FILE_NUMBER),
    key=_KEY,
)

RUN_ROWS = TableSpec(
    schema="landing",
    name="run_rows",
    comment="One row per run that a file tells of; a later row of the same run replaces it.",
    columns=(
        *_OF_ROW,
        Column("config_hash", "VARCHAR", "sha256 of the canonical JSON of prompt, model, params and input_data."),
        Column("repeat", "INTEGER", "Which asking of the same, from 1; NULL to be counted.", nullable=True),
        Column("config", "JSON", "What was hashed."),
        Column("prompt", "VARCHAR", "Name of the prompt, where the file says.", nullable=True),
        Column("prompt_version", "VARCHAR", "Version of the prompt, where the file says.", nullable=True),
        Column("input_id", "VARCHAR", "Name of the input, where the file says.", nullable=True),
        Column("status", "VARCHAR", "pending, running, completed, failed or cancelled."),
        Column("created_at", "TIMESTAMP", "When it was asked for (UTC).", nullable=True),
        Column("started_at", "TIMESTAMP", "When it was begun (UTC).", nullable=True),
        Column("completed_at", "TIMESTAMP", "When it ended (UTC).", nullable=True),
        Column("duration_ms", "DOUBLE", "Milliseconds that it took.", nullable=True),
        Column("tokens_in", "BIGINT", "Tokens of the prompt.", nullable=True),
        Column("tokens_out", "BIGINT", "Tokens of the output.", nullable=True),
        Column("cost", "DOUBLE", "US dollars; NULL where unknown.", nullable=True),
        Column("output", "VARCHAR", "What came back.", nullable=True),
        Column("error", "VARCHAR", "What went wrong.", nullable=True),
        Column("error_detail", "VARCHAR", "What the provider said of it.", nullable=True),
        Column("stages", "JSON", "Its stages, in order.", nullable=True),
        Column("scores", "JSON", "Values of scorers that come with it, by name, 0 to 1.", nullable=True),
    ),
    key=_KEY,
    private=True,
)

SCORE_ROWS = TableSpec(
    schema="landing",
    name="score_rows",
    comment="One row per score that a file gives to a run.",
    columns=(
        *_OF_ROW,
        Column("score_id", "VARCHAR", "A name of its own, where it has one.", nullable=True),
        Column("run_id", "VARCHAR", "The run."),
        Column("scorer", "VARCHAR", "Name of the scorer, as the experiment calls it."),
        Column("kind", "VARCHAR", "auto, judge or human."),
        Column("rater_name", "VARCHAR", "Who gave it; NULL for a machine.", nullable=True),
        Column("version", "VARCHAR", "Version of the scorer."),
        Column("identity", "VARCHAR", "sha256 of scorer, options and what was scored.", nullable=True),
        Column("value", "DOUBLE", "The score, 0 (worst) to 1 (best); NULL where it could not be told.", nullable=True),
        Column("reason", "VARCHAR", "Why it could not be told.", nullable=True),
        Column("details", "JSON", "What the score is made of.", nullable=True),
        Column("scored_at", "TIMESTAMP", "When it was given (UTC)."),
    ),
    key=_KEY,
    private=True,
)

RUN_LANDING_TABLES = (EXPERIMENT_FILES, EXPERIMENT_QUARANTINE, RUN_ROWS, SCORE_ROWS)
"""What files of runs and scores said, and what readers may know of them."""
