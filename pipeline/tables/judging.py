"""Tables of judged tracks: what files say of runs and topics, who ranks where, and how well judges predict that.

The board of the organisers is called ``official`` in the column ``judge``; every other name there is a judge's.
"""

from pipeline.tables.spec import Column, Input, TableSpec

OFFICIAL = "official"
"""What the column ``judge`` has for the board that counts as the truth."""
ALL_TOPICS_ID = "all"
"""What the column ``topic_id`` has for all topics together."""

_TRACK = Column("track", "VARCHAR", "Name of the track.")
_JUDGE = Column("judge", "VARCHAR", "Whose board: official, or the name of a judge.")
_RUN = Column("run_id", "VARCHAR", "The run.")
_MEASURE = Column("measure", "VARCHAR", "The measure, as files call it.")

TRACK_FILES = TableSpec(
    schema="judging",
    name="files",
    comment="One row per file that a board is made of, as it lay there last: what was read, or why nothing was.",
    columns=(
        _TRACK,
        _JUDGE,
        Column("name", "VARCHAR", "The file: its path from the data folder or, elsewhere, its folder and name."),
        Column("role", "VARCHAR", "results, or topics: a file of relevance judgements that names the topics."),
        Column("sha256", "VARCHAR", "Hash of its content; NULL where it cannot be opened.", nullable=True),
        Column("size_bytes", "BIGINT", "Its size.", nullable=True),
        Column("format", "VARCHAR", "Its format, told by its content or declared.", nullable=True),
        Column("n_rows", "BIGINT", "Rows of a run and a topic, all among them; 0 where it was refused."),
        Column("n_runs", "BIGINT", "Runs in it."),
        Column("n_differences", "BIGINT", "Printed aggregates that its topics do not sum up to, beyond rounding."),
        Column("status", "VARCHAR", "accepted, or refused: the board is made without it."),
        Column("reason", "VARCHAR", "Why it was refused, with the line where that is known.", nullable=True),
    ),
    key=("track", "judge", "name"),
)

MEASURE_SPECS = TableSpec(
    schema="judging",
    name="measure_specs",
    comment="One row per measure in the files of a board: what it was taken for, and whether it is used.",
    columns=(
        _TRACK,
        _JUDGE,
        _MEASURE,
        Column("direction", "VARCHAR", "desc when higher is better, asc when lower is, none when neither."),
        Column("aggregate", "VARCHAR", "How topics sum up: mean, sum, gmean, first or none."),
        Column("default_value", "DOUBLE", "What counts for a topic that a run lacks; NULL: nothing.", nullable=True),
        Column("is_text", "BOOLEAN", "Whether its values are text, which the track leaves out."),
        Column("only_in_all", "BOOLEAN", "Whether topics have no value of it."),
        Column("sums_up", "VARCHAR", "The measure whose topics it sums up: itself, or map for gm_map."),
        Column("taken_from", "VARCHAR", "Who says so: the declaration, a tool that prints it, or its values."),
        Column("is_used", "BOOLEAN", "Whether the tables of the track have it."),
    ),
    key=("track", "judge", "measure"),
    inputs=(Input("files"),),
)

MEASURES = TableSpec(
    schema="judging",
    name="measures",
    comment="One row per run, topic and measure of a board, and one for all topics together, summed up anew.",
    columns=(
        _TRACK,
        _JUDGE,
        _RUN,
        Column("topic_id", "VARCHAR", "The topic, or all."),
        _MEASURE,
        Column("value", "DOUBLE", "Its value; NULL where the run lacks the topic, or nothing sums up.", nullable=True),
    ),
    key=("track", "judge", "run_id", "topic_id", "measure"),
    inputs=(Input("files"),),
)

_BOARDS = (Input("measures"), Input("measure_specs"))

TRACK_LEADERBOARD = TableSpec(
    schema="judging",
    name="leaderboard",
    comment="One row per run of a board: its rank by the board's primary measure, and which topics it lacks.",
    columns=(
        _TRACK,
        _JUDGE,
        _RUN,
        Column("position", "INTEGER", "Place in the order of display, from 1; unranked runs last."),
        Column("rank", "INTEGER", "Rank; ties share it.", nullable=True),
        Column("rank_lo", "INTEGER", "Best rank it could have, at 95 % for all runs together.", nullable=True),
        Column("rank_hi", "INTEGER", "Worst rank it could have, at 95 % for all runs together.", nullable=True),
        Column("tie_group", "INTEGER", "Runs that share it have as many above that are surely better.", nullable=True),
        Column("rank_method", "VARCHAR", "How rank_lo and rank_hi were made (holm), or why there are none."),
        _MEASURE,
        Column("value", "DOUBLE", "Its value over all topics; NULL where undefined.", nullable=True),
        Column("n_topics", "INTEGER", "Topics that it has a value of."),
        Column("n_missing", "INTEGER", "Topics that it lacks of those that it should have."),
        Column("missing_topics", "VARCHAR", "Which these are, with commas between.", nullable=True),
        Column("status", "VARCHAR", "ranked, or unranked: <reason>."),
    ),
    key=("track", "judge", "run_id"),
    inputs=_BOARDS,
)

CORRELATIONS = TableSpec(
    schema="judging",
    name="correlations",
    comment="One row per judge, pair of measures, method and topic, or all: how well the judge predicts the ranking.",
    columns=(
        _TRACK,
        _JUDGE,
        Column("truth_measure", "VARCHAR", "Measure of the official board."),
        Column("judge_measure", "VARCHAR", "Measure of the judge's board."),
        Column("method", "VARCHAR", "The coefficient, such as kendall or tau_ap_b@10."),
        Column("topic_id", "VARCHAR", "The topic, or all."),
        Column("value", "DOUBLE", "The correlation; NULL where undefined.", nullable=True),
        Column("n_runs", "INTEGER", "Runs that were correlated: those on both boards."),
        Column("n_topics", "INTEGER", "Topics that were summed up: those on both boards; 0 where boards have none."),
        Column("se", "DOUBLE", "Standard error.", nullable=True),
        Column("ci_low", "DOUBLE", "Lower end of the 95 % interval.", nullable=True),
        Column("ci_high", "DOUBLE", "Upper end.", nullable=True),
        Column("ci_method", "VARCHAR", "How the interval was made, or why there is none."),
        Column("reason", "VARCHAR", "Why the value is undefined.", nullable=True),
    ),
    key=("track", "judge", "truth_measure", "judge_measure", "method", "topic_id"),
    inputs=_BOARDS,
)

COMPARISONS = TableSpec(
    schema="judging",
    name="comparisons",
    comment="One row per board, measure and pair of runs: who is better, on how many topics, and whether by chance.",
    columns=(
        _TRACK,
        _JUDGE,
        _MEASURE,
        _RUN,
        Column("other_run_id", "VARCHAR", "The run that it is compared with; each pair is there once."),
        Column("n_topics", "INTEGER", "Topics that both have."),
        Column("n_left_out", "INTEGER", "Topics that one of them has only: what a run lacks is no 0."),
        Column("difference", "DOUBLE", "Mean of run_id less other_run_id over these topics.", nullable=True),
        Column("wins", "INTEGER", "Topics on which run_id is better."),
        Column("ties", "INTEGER", "Topics on which they are equal."),
        Column("losses", "INTEGER", "Topics on which other_run_id is better."),
        Column("statistic", "DOUBLE", "Of the test.", nullable=True),
        Column("p", "DOUBLE", "Two-sided p value of the test.", nullable=True),
        Column("p_adjusted", "DOUBLE", "The same, allowing for all pairs of the measure.", nullable=True),
        Column("better", "VARCHAR", "The run that is significantly better; NULL where neither is.", nullable=True),
        Column("test", "VARCHAR", "The test: t, wilcoxon, fisher or tukey."),
        Column("correction", "VARCHAR", "How p_adjusted allows for the number of pairs."),
        Column("reason", "VARCHAR", "Why p is undefined.", nullable=True),
    ),
    key=("track", "judge", "measure", "run_id", "other_run_id"),
    inputs=_BOARDS,
)

JUDGING_TABLES = (TRACK_FILES, MEASURE_SPECS, MEASURES, TRACK_LEADERBOARD, CORRELATIONS, COMPARISONS)
