"""Tables about the boards and about the warehouse itself: the catalog and the ledger."""

from pipeline.tables.spec import Column, TableSpec

BOARDS = TableSpec(
    schema="catalog",
    name="boards",
    comment="One row per declared board, with its contract.",
    columns=(
        Column("board", "VARCHAR", "Name of the board."),
        Column("kind", "VARCHAR", "competition, judging, llm or experiments."),
        Column("title", "VARCHAR", "Title to show."),
        Column("contract", "JSON", "The declaration, complete with its defaults."),
        Column(
            "embargo_seconds",
            "DOUBLE",
            "Predictions of a cycle are published when so many seconds have passed since it; NULL for at once.",
            nullable=True,
        ),
    ),
    key=("board",),
)

METRICS = TableSpec(
    schema="catalog",
    name="metrics",
    comment="One row per metric that a board lists.",
    columns=(
        Column("board", "VARCHAR", "Name of the board, of whatever kind, as in catalog.boards."),
        Column("metric", "VARCHAR", "Name of the metric."),
        Column("direction", "VARCHAR", "desc when higher is better, asc when lower is, none when neither."),
        Column("pool", "VARCHAR", "How cycles make a window: cycles, tasks or series."),
        Column("unit", "VARCHAR", "Unit of its value."),
        Column("description", "VARCHAR", "What it measures."),
    ),
    key=("board", "metric"),
)

LEDGER = TableSpec(
    schema="meta",
    name="cycles",
    comment="One row per board, table and cycle: when its rows last changed, and from which state of its inputs.",
    columns=(
        Column("competition", "VARCHAR", "Name of the board."),
        Column("table_name", "VARCHAR", "The table."),
        Column("cycle", "TIMESTAMP", "The cycle; 1970-01-01 for a table that changes as one."),
        Column("seq", "BIGINT", "Number of the last change of its rows; one counter for the whole warehouse."),
        Column("input_seq", "BIGINT", "The newest change of its inputs that the rows take in."),
        Column("code", "VARCHAR", "Hash of the code and declaration that made the rows."),
    ),
    key=("competition", "table_name", "cycle"),
)

CHANGES = TableSpec(
    schema="meta",
    name="changes",
    comment="One row per change of a cycle's rows: what changed when, and from which time of knowledge on.",
    columns=(
        Column("competition", "VARCHAR", "Name of the board."),
        Column("table_name", "VARCHAR", "The table."),
        Column("cycle", "TIMESTAMP", "The cycle."),
        Column("seq", "BIGINT", "Number of the change."),
        Column("known_from", "TIMESTAMP", "Earliest known_at among the rows that changed.", nullable=True),
        Column("changed_at", "TIMESTAMP", "When it was written (UTC)."),
    ),
    key=("competition", "table_name", "cycle", "seq"),
)

SCHEMA_VERSION = TableSpec(
    schema="meta",
    name="schema_version",
    comment="One row: which version of the tables this file holds.",
    columns=(
        Column("version", "INTEGER", "Number of migrations applied."),
        Column("migrated_at", "TIMESTAMP", "When the last was applied (UTC)."),
    ),
    key=("version",),
)

BUILDS = TableSpec(
    schema="meta",
    name="builds",
    comment="One row per thing built out of the whole warehouse, such as the marts: from which state, and when.",
    columns=(
        Column("build", "VARCHAR", "What was built."),
        Column("input_seq", "BIGINT", "The newest change in the warehouse that it takes in."),
        Column("code", "VARCHAR", "Hash of what built it."),
        Column("built_at", "TIMESTAMP", "When (UTC)."),
    ),
    key=("build",),
)

SYSTEM_TABLES = (BOARDS, METRICS, LEDGER, CHANGES, SCHEMA_VERSION, BUILDS)
