"""Tables of what arrives from outside: the files, the rows taken from them, and the rows that were refused.

A row that was taken keeps the number of its file and its place in it, so that everything computed from it can be
traced back to the original in the archive. ``landing.*`` is private to the working file: it holds predictions that may
not be read yet, so it is never published.
"""

from pipeline.tables.spec import Column, TableSpec

_COMPETITION = Column("competition", "VARCHAR", "Name of the competition.")
_FILE_NUMBER = Column("file_number", "BIGINT", "The file: its number in competition.files.")
_ROW_NUMBER = Column("row_number", "BIGINT", "Place of the row in the file, from 1, without the header.")
_RECEIVED_AT = Column("received_at", "TIMESTAMP", "When it counts as received (UTC).")
_KIND = Column(
    "kind",
    "VARCHAR",
    "What was read from the file: predictions, truth, factors, models, subjects, or a hub's model-output.",
)
_OF_ROW = ("competition", "file_number", "row_number")

FILES = TableSpec(
    schema="competition",
    name="files",
    comment="One row per file that arrived and kind of rows read from it: n_rows = n_accepted + n_rejected, always.",
    columns=(
        _COMPETITION,
        Column("file_number", "BIGINT", "Number of the file and kind, in the order of landing, from 1."),
        _KIND,
        Column("name", "VARCHAR", "Its name; not in the published file.", nullable=True, private=True),
        Column(
            "sha256",
            "VARCHAR",
            "Hash of its content, its name in the archive; not in the published file.",
            nullable=True,
            private=True,
        ),
        Column("size_bytes", "BIGINT", "Its size; not in the published file.", nullable=True, private=True),
        Column("received_at", "TIMESTAMP", "When it arrived in the inbox, or was last written in its hub (UTC)."),
        Column("landed_at", "TIMESTAMP", "When its rows were taken (UTC)."),
        Column("n_rows", "BIGINT", "Rows in it."),
        Column("n_accepted", "BIGINT", "Rows that were taken, identical ones counted each."),
        Column("n_rejected", "BIGINT", "Rows that were refused; quarantine.rows says why."),
        Column("n_late", "BIGINT", "Of the rows taken, predictions that came after their deadline."),
        Column(
            "status",
            "VARCHAR",
            "accepted, partly, rejected, gone from its hub, or unreadable: <reason> when no row could be read.",
            quotes=True,
        ),
    ),
    key=("competition", "file_number"),
)

SUBMISSIONS = TableSpec(
    schema="competition",
    name="submissions",
    comment="One row per model, cycle and file that predicts it: which submission counts, and which it replaced.",
    columns=(
        _COMPETITION,
        Column("model_id", "VARCHAR", "The model."),
        Column("cycle", "TIMESTAMP", "The round's date (UTC)."),
        _FILE_NUMBER,
        _RECEIVED_AT,
        Column("deadline", "TIMESTAMP", "Until when predictions of the cycle count (UTC)."),
        Column("is_late", "BOOLEAN", "Received after the deadline: kept, not scored."),
        Column("n_rows", "BIGINT", "Predictions in it."),
        Column("superseded_by", "BIGINT", "The file that counts instead; NULL for the one that counts.", nullable=True),
    ),
    key=("competition", "model_id", "cycle", "file_number"),
    cycle="cycle",
    embargoed=True,
)

PREDICTION_ROWS = TableSpec(
    schema="landing",
    name="prediction_rows",
    comment="One row per prediction that was accepted, superseded and late ones among them.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _ROW_NUMBER,
        _RECEIVED_AT,
        Column("model_id", "VARCHAR", "The model."),
        Column("cycle", "TIMESTAMP", "The round's date (UTC)."),
        Column("horizon", "INTEGER", "How many periods after the cycle the target lies."),
        Column("subject", "VARCHAR", "What is predicted."),
        Column("target_time", "TIMESTAMP", "End of the period that the predicted outcome describes (UTC)."),
        Column("value", "DOUBLE", "The prediction."),
        Column(
            "output_type_id", "VARCHAR", "Quantile level, category, sample number or threshold; empty for one number."
        ),
    ),
    key=_OF_ROW,
    cycle="cycle",
    private=True,
)

TRUTH_ROWS = TableSpec(
    schema="landing",
    name="truth_rows",
    comment="One row per outcome that a file gave; identical rows of one file once.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _ROW_NUMBER,
        _RECEIVED_AT,
        Column("subject", "VARCHAR", "What it is the outcome of."),
        Column("target_time", "TIMESTAMP", "End of the period that the outcome describes (UTC)."),
        Column("horizon", "INTEGER", "The horizon it is the outcome of; -1 when it serves every horizon."),
        Column("known_at", "TIMESTAMP", "When it became known, where the file says so (UTC).", nullable=True),
        Column("value", "DOUBLE", "The outcome; NULL withdraws an earlier value.", nullable=True),
    ),
    key=_OF_ROW,
    cycle="target_time",
    private=True,
)

FACTOR_ROWS = TableSpec(
    schema="landing",
    name="factor_rows",
    comment="One row per factor value that a file gave; a file's row may give several.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _ROW_NUMBER,
        _RECEIVED_AT,
        Column("cycle", "TIMESTAMP", "The cycle at which it was known (UTC)."),
        Column("subject", "VARCHAR", "What it is a property of."),
        Column("factor", "VARCHAR", "Name of the factor."),
        Column("value", "DOUBLE", "Its value."),
    ),
    key=(*_OF_ROW, "factor"),
    cycle="cycle",
    private=True,
)

MODEL_ROWS = TableSpec(
    schema="landing",
    name="model_rows",
    comment="One row per registration of a model; a later one replaces it.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _ROW_NUMBER,
        _RECEIVED_AT,
        Column("model_id", "VARCHAR", "The model."),
        Column("title", "VARCHAR", "Name to show.", nullable=True),
        Column("player", "VARCHAR", "Who runs the model.", nullable=True),
        Column("designated", "BOOLEAN", "Whether the player entered it for ranking.", nullable=True),
        Column("version", "VARCHAR", "The player's version of the model.", nullable=True),
        Column("licence", "VARCHAR", "Licence of the predictions.", nullable=True),
        Column("description", "VARCHAR", "What it does.", nullable=True),
    ),
    key=_OF_ROW,
    private=True,
)

SUBJECT_ROWS = TableSpec(
    schema="landing",
    name="subject_rows",
    comment="One row per registration of a subject; a later one replaces it.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _ROW_NUMBER,
        _RECEIVED_AT,
        Column("subject", "VARCHAR", "The subject."),
        Column("title", "VARCHAR", "Name to show.", nullable=True),
    ),
    key=_OF_ROW,
    private=True,
)

QUARANTINE = TableSpec(
    schema="quarantine",
    name="rows",
    comment="One row per row of a file that was refused, with the reason and what it said.",
    columns=(
        _COMPETITION,
        _FILE_NUMBER,
        _KIND,
        Column("row_number", "BIGINT", "Place of the row in the file, from 1; 0 for the file as a whole."),
        Column("reason", "VARCHAR", "Why it was refused.", quotes=True),
        Column("original", "VARCHAR", "What it said; not in the published file.", nullable=True, private=True),
    ),
    key=("competition", "file_number", "row_number"),
)

INBOX_TABLES = (FILES, SUBMISSIONS)
"""What readers may know of a competition's files."""

LANDING_TABLES = (PREDICTION_ROWS, TRUTH_ROWS, FACTOR_ROWS, MODEL_ROWS, SUBJECT_ROWS)
"""What files said, row by row; private to the working file."""
