"""Tables of prompt experiments: what was asked of which model, what came back, what scorers say of it, who ranks where.

Pages and the report API read published files only, so prompts, inputs and outputs are published. What is not: who a
rater is (raters are numbered), and what a provider said of an error, which may quote addresses and keys.
"""

from pipeline.tables.spec import Column, Input, TableSpec

MACHINE = 0
"""What the column ``rater`` has for scorers that are no people; people are numbered from 1."""

_EXPERIMENT = Column("experiment", "VARCHAR", "Name of the experiment.")
_RUN = Column("run_id", "VARCHAR", "The run, a UUID: a hash of experiment, config_hash and repeat.")
_CONFIGURATION = Column("configuration", "VARCHAR", "The configuration: a hash of its prompt, model and parameters.")
_INPUT = Column("input_id", "VARCHAR", "The input.")
_GROUPING = Column("grouping", "VARCHAR", "What runs are grouped by: configuration, model or prompt.")
_CONTESTANT = Column("contestant", "VARCHAR", "The configuration, the model, or the prompt with its version.")
_SCORER = Column("scorer", "VARCHAR", "Name of the scorer, as the experiment calls it.")
_DURATION = Column("duration_ms", "DOUBLE", "Milliseconds that it took.", nullable=True)
_TOKENS = (
    Column("tokens_in", "BIGINT", "Tokens of the prompt; NULL where nobody says.", nullable=True),
    Column("tokens_out", "BIGINT", "Tokens of the output; NULL where nobody says.", nullable=True),
)
_COST = Column("cost", "DOUBLE", "US dollars; NULL where unknown, which is not 0.", nullable=True)
_STATUS = Column("status", "VARCHAR", "pending, running, completed, failed or cancelled.")
_ERRORS = (
    Column("error", "VARCHAR", "What went wrong, in a word or a sentence of Podium's own.", nullable=True),
    Column(
        "error_detail",
        "VARCHAR",
        "What the provider said of it; not in the published file.",
        nullable=True,
        private=True,
    ),
)
_STANDING = (
    Column("position", "INTEGER", "Place in the order of display, from 1; the unranked last."),
    Column("rank", "INTEGER", "Rank by the score; ties share it; NULL for unranked.", nullable=True),
)

EXPERIMENT_PROMPTS = TableSpec(
    schema="experiments",
    name="prompts",
    comment="One row per prompt and version that was ever declared or run.",
    columns=(
        _EXPERIMENT,
        Column("prompt", "VARCHAR", "Name of the prompt."),
        Column("version", "VARCHAR", "Its version: another text is another version."),
        Column("template", "VARCHAR", "Its text, a Jinja2 template."),
        Column("system", "VARCHAR", "The template of the system message; NULL for none.", nullable=True),
        Column("variables", "VARCHAR", "What its templates take of an input, with commas between; empty for nothing."),
        Column("sha256", "VARCHAR", "Hash of its text."),
        Column("is_declared", "BOOLEAN", "Whether the declaration has it now."),
    ),
    key=("experiment", "prompt", "version"),
)

EXPERIMENT_INPUTS = TableSpec(
    schema="experiments",
    name="inputs",
    comment="One row per input that prompts are filled with.",
    columns=(
        _EXPERIMENT,
        _INPUT,
        Column("variables", "JSON", "Its variables by name."),
        Column("reference", "JSON", "What should come out: a text, or several that will do.", nullable=True),
        Column("is_declared", "BOOLEAN", "Whether the declaration has it now."),
    ),
    key=("experiment", "input_id"),
)

EXPERIMENT_CONFIGURATIONS = TableSpec(
    schema="experiments",
    name="configurations",
    comment="One row per configuration: a version of a prompt, a model and parameters.",
    columns=(
        _EXPERIMENT,
        _CONFIGURATION,
        Column("title", "VARCHAR", "What to show it as."),
        Column("prompt", "VARCHAR", "Name of the prompt."),
        Column("prompt_version", "VARCHAR", "Version of the prompt."),
        Column("model", "VARCHAR", "The model, as its provider calls it."),
        Column("parameters", "JSON", "Its parameters by name."),
        Column("is_baseline", "BOOLEAN", "Whether others are compared with it."),
        Column("is_declared", "BOOLEAN", "Whether the declaration has it now."),
    ),
    key=("experiment", "configuration"),
    inputs=(Input("prompts"),),
)

EXPERIMENT_RUNS = TableSpec(
    schema="experiments",
    name="runs",
    comment="One row per run: a configuration asked one input once, whatever came of it.",
    columns=(
        _EXPERIMENT,
        _RUN,
        Column("config_hash", "VARCHAR", "sha256 of the canonical JSON of prompt, model, params and input_data."),
        Column("repeat", "INTEGER", "Which asking of the same, from 1."),
        _CONFIGURATION,
        _INPUT,
        Column("config", "JSON", "What was hashed: prompt, model, params and input_data."),
        _STATUS,
        Column("created_at", "TIMESTAMP", "When it was asked for (UTC); NULL where only declared.", nullable=True),
        Column("started_at", "TIMESTAMP", "When it was begun (UTC).", nullable=True),
        Column("completed_at", "TIMESTAMP", "When it ended, well or not (UTC).", nullable=True),
        _DURATION,
        *_TOKENS,
        _COST,
        Column("output", "VARCHAR", "What came back.", nullable=True),
        *_ERRORS,
    ),
    key=("experiment", "run_id"),
    inputs=(Input("configurations"), Input("inputs")),
)

EXPERIMENT_STAGES = TableSpec(
    schema="experiments",
    name="stages",
    comment="One row per stage of a run, such as one call of a model.",
    columns=(
        _EXPERIMENT,
        _RUN,
        Column("number", "INTEGER", "Counts the stages of a run, from 1."),
        Column("stage", "VARCHAR", "Name of the stage."),
        _STATUS,
        Column("started_at", "TIMESTAMP", "When it was begun (UTC).", nullable=True),
        Column("completed_at", "TIMESTAMP", "When it ended (UTC).", nullable=True),
        _DURATION,
        *_TOKENS,
        _COST,
        Column("sent", "VARCHAR", "What was sent: the prompt, filled in.", nullable=True),
        Column("output", "VARCHAR", "What came back.", nullable=True),
        *_ERRORS,
    ),
    key=("experiment", "run_id", "number"),
    inputs=(Input("runs"),),
)

EXPERIMENT_SCORES = TableSpec(
    schema="experiments",
    name="scores",
    comment="One row per score of a run: what was given is never overwritten, the newest counts; what Podium computes "
    "is of the present scorer.",
    columns=(
        _EXPERIMENT,
        _RUN,
        _SCORER,
        Column("rater", "INTEGER", "Number of the person who gave it, from 1; 0 for a machine."),
        Column(
            "number", "INTEGER", "Counts the scores of a run by a scorer and a rater, from 1, in the order of time."
        ),
        Column("score_id", "VARCHAR", "A name of its own, where it was given through Podium.", nullable=True),
        Column("rater_name", "VARCHAR", "Who gave it; not in the published file.", nullable=True, private=True),
        Column("kind", "VARCHAR", "auto (computed), judge (a model's verdict) or human."),
        Column("version", "VARCHAR", "Version of the scorer."),
        Column("identity", "VARCHAR", "sha256 of scorer, options and what was scored; NULL for people.", nullable=True),
        Column("value", "DOUBLE", "The score, 0 (worst) to 1 (best); NULL where it could not be told.", nullable=True),
        Column("reason", "VARCHAR", "Why it could not be told.", nullable=True),
        Column("details", "JSON", "What the score is made of.", nullable=True),
        Column("scored_at", "TIMESTAMP", "When it was given; of a computed one when its run ended (UTC)."),
        Column("is_latest", "BOOLEAN", "Whether it is the newest by this scorer and rater: the one that counts."),
    ),
    key=("experiment", "run_id", "scorer", "rater", "number"),
    inputs=(Input("runs"),),
)

_BOARDS = (Input("runs"), Input("scores"))

EXPERIMENT_RUN_BOARD = TableSpec(
    schema="experiments",
    name="run_board",
    comment="One row per run: its weighted score, what that rests on, and its rank among all runs.",
    columns=(
        _EXPERIMENT,
        _RUN,
        *_STANDING,
        Column("score", "DOUBLE", "Weighted mean of its scorers' values, 0 to 1; NULL without any.", nullable=True),
        Column("coverage", "DOUBLE", "Share of the weights whose scorers it has, 0 to 1."),
        Column("n_scorers", "INTEGER", "Scorers that its score is made of."),
        Column("weighting", "VARCHAR", "declared, or equal: none that it has is weighted.", nullable=True),
        Column("missing_scorers", "VARCHAR", "Weighted scorers that it lacks, with commas between.", nullable=True),
        Column("unweighted_scorers", "VARCHAR", "Scorers that it has and that have no weight.", nullable=True),
        Column("mean_of_scorers", "DOUBLE", "Plain mean over all scorers it has, weighted or not.", nullable=True),
        Column("status", "VARCHAR", "ranked, or unranked: <reason>."),
    ),
    key=("experiment", "run_id"),
    inputs=_BOARDS,
)

EXPERIMENT_LEADERBOARD = TableSpec(
    schema="experiments",
    name="leaderboard",
    comment="One row per grouping and contestant: its rank, its mean score over inputs and repeats, and what it cost.",
    columns=(
        _EXPERIMENT,
        _GROUPING,
        _CONTESTANT,
        Column("title", "VARCHAR", "What to show it as."),
        *_STANDING,
        Column("rank_lo", "INTEGER", "Best rank it could have, at 95 % for all together.", nullable=True),
        Column("rank_hi", "INTEGER", "Worst rank it could have, at 95 % for all together.", nullable=True),
        Column("tie_group", "INTEGER", "Who share it have as many above them that are surely better.", nullable=True),
        Column("rank_method", "VARCHAR", "How rank_lo and rank_hi were made, or why there are none."),
        Column("score", "DOUBLE", "Mean score of its runs, 0 to 1.", nullable=True),
        Column("sd", "DOUBLE", "Standard deviation of its runs' scores (n - 1).", nullable=True),
        Column("median", "DOUBLE", "Median score of its runs.", nullable=True),
        Column("se", "DOUBLE", "Standard error of the mean.", nullable=True),
        Column("ci_low", "DOUBLE", "Lower end of the 95 % interval.", nullable=True),
        Column("ci_high", "DOUBLE", "Upper end.", nullable=True),
        Column(
            "ci_method", "VARCHAR", "over_inputs, over_repeats (of these inputs only), or why there is no interval."
        ),
        Column("n_zero", "BIGINT", "Runs that score 0."),
        Column("n_full", "BIGINT", "Runs that score 1."),
        Column("n_scored", "BIGINT", "Runs that its score rests on."),
        Column("n_runs", "BIGINT", "Its runs, whatever came of them, that are not replaced by newer repeats."),
        Column("n_failed", "BIGINT", "Of these, failed ones."),
        Column("n_cancelled", "BIGINT", "Of these, cancelled ones."),
        Column("n_unfinished", "BIGINT", "Of these, pending and running ones."),
        Column("n_inputs", "BIGINT", "Inputs that its score rests on."),
        Column("n_inputs_missing", "BIGINT", "Inputs of the experiment without a run that counts."),
        Column("coverage", "DOUBLE", "Mean over the experiment's inputs of the share of its runs that count."),
        Column("cost", "DOUBLE", "Mean US dollars of its runs of known cost; NULL without any.", nullable=True),
        Column("total_cost", "DOUBLE", "Sum of known costs; NULL without any.", nullable=True),
        Column("n_cost", "BIGINT", "Runs of known cost."),
        Column("duration_ms", "DOUBLE", "Mean milliseconds of its runs that say so.", nullable=True),
        Column("median_duration_ms", "DOUBLE", "Median milliseconds of these.", nullable=True),
        Column("tokens_in", "DOUBLE", "Mean tokens of prompts, of runs that say so.", nullable=True),
        Column("tokens_out", "DOUBLE", "Mean tokens of outputs, of runs that say so.", nullable=True),
        Column("status", "VARCHAR", "ranked, or unranked: <reason>."),
    ),
    key=("experiment", "grouping", "contestant"),
    inputs=_BOARDS,
)

EXPERIMENT_SCORERS = TableSpec(
    schema="experiments",
    name="scorer_summary",
    comment="One row per grouping, contestant and scorer: what the scorer says of its runs.",
    columns=(
        _EXPERIMENT,
        _GROUPING,
        _CONTESTANT,
        _SCORER,
        Column("weight", "DOUBLE", "Its weight in the score; NULL where it does not count.", nullable=True),
        Column("value", "DOUBLE", "Mean over runs that it scored, 0 to 1.", nullable=True),
        Column("sd", "DOUBLE", "Standard deviation of these (n - 1).", nullable=True),
        Column("n_scored", "BIGINT", "Completed runs that it scored."),
        Column("n_unscored", "BIGINT", "Completed runs without a value of it."),
    ),
    key=("experiment", "grouping", "contestant", "scorer"),
    inputs=_BOARDS,
)

EXPERIMENT_COMPARISONS = TableSpec(
    schema="experiments",
    name="comparisons",
    comment="One row per configuration: how it does against the baseline on the inputs that both have.",
    columns=(
        _EXPERIMENT,
        _CONFIGURATION,
        Column("baseline", "VARCHAR", "The configuration that it is compared with."),
        Column("n_inputs", "BIGINT", "Inputs that both have; repeats of an input are averaged first."),
        Column("n_left_out", "BIGINT", "Inputs that one of them has only: what is missing is no 0."),
        Column("difference", "DOUBLE", "Mean score less that of the baseline, over these inputs.", nullable=True),
        Column("ci_low", "DOUBLE", "Lower end of its 95 % interval.", nullable=True),
        Column("ci_high", "DOUBLE", "Upper end.", nullable=True),
        Column("wins", "BIGINT", "Inputs on which it is better."),
        Column("ties", "BIGINT", "Inputs on which they are equal to 12 digits."),
        Column("losses", "BIGINT", "Inputs on which the baseline is better."),
        Column("statistic", "DOUBLE", "Of the test.", nullable=True),
        Column("p", "DOUBLE", "Two-sided p value.", nullable=True),
        Column("p_adjusted", "DOUBLE", "The same, allowing for all that are compared.", nullable=True),
        Column("verdict", "VARCHAR", "better, worse or undecided."),
        Column("test", "VARCHAR", "The test: t, wilcoxon or fisher."),
        Column("correction", "VARCHAR", "How p_adjusted allows for their number."),
        Column("reason", "VARCHAR", "Why p is undefined.", nullable=True),
    ),
    key=("experiment", "configuration"),
    inputs=_BOARDS,
)

EXPERIMENT_AGREEMENT = TableSpec(
    schema="experiments",
    name="agreement",
    comment="One row per scorer that several people rate by, and coefficient: how far they agree.",
    columns=(
        _EXPERIMENT,
        _SCORER,
        Column("coefficient", "VARCHAR", "cohen_kappa, fleiss_kappa or krippendorff_alpha."),
        Column("level", "VARCHAR", "What ratings are taken for: nominal, ordinal or interval."),
        Column("value", "DOUBLE", "1 for full agreement, 0 for that of chance.", nullable=True),
        Column("n_raters", "INTEGER", "People who rated."),
        Column("n_runs", "BIGINT", "Runs that it rests on: those that two or more rated, or all of them."),
        Column("reason", "VARCHAR", "Why it is undefined.", nullable=True),
    ),
    key=("experiment", "scorer", "coefficient", "level"),
    inputs=(Input("scores"),),
)

EXPERIMENT_TABLES = (
    EXPERIMENT_PROMPTS,
    EXPERIMENT_INPUTS,
    EXPERIMENT_CONFIGURATIONS,
    EXPERIMENT_RUNS,
    EXPERIMENT_STAGES,
    EXPERIMENT_SCORES,
    EXPERIMENT_RUN_BOARD,
    EXPERIMENT_LEADERBOARD,
    EXPERIMENT_SCORERS,
    EXPERIMENT_COMPARISONS,
    EXPERIMENT_AGREEMENT,
)
"""The tables of prompt experiments."""
