"""Tables of rankings of language models: what sources published, what each name means, and who ranks where."""

from pipeline.tables.spec import Column, Input, TableSpec

_RANKING = Column("ranking", "VARCHAR", "Name of the ranking.")
_SOURCE = Column("source", "VARCHAR", "Who published it: a name in llm.fetch_status.")
_RAW_NAME = Column("raw_name", "VARCHAR", "The model, as the source writes it.")
_MODEL = Column("model", "VARCHAR", "The release, vendor/model: a row of llm.models.")
_BENCHMARK = Column("benchmark", "VARCHAR", "What was measured, or the group of facts: a row of llm.benchmarks.")
_MEASURE = Column("measure", "VARCHAR", "Which measure of it.")
_DAY = Column("day", "TIMESTAMP", "The day, UTC: that of the newest look at a source.")

LLM_FETCH_STATUS = TableSpec(
    schema="llm",
    name="fetch_status",
    comment="One row per source: which of its figures are used, how old they are, and why not newer ones.",
    columns=(
        _RANKING,
        Column("source", "VARCHAR", "Name of the source."),
        Column("title", "VARCHAR", "What it calls itself."),
        Column("home", "VARCHAR", "The page that people read."),
        Column("licence", "VARCHAR", "Of its data, as far as it states one.", nullable=True),
        Column("attribution", "VARCHAR", "What has to be written where its figures are shown.", nullable=True),
        Column("status", "VARCHAR", "live, unchanged, files, kept, bundled, missing or frozen."),
        Column("checked_at", "TIMESTAMP", "When it was last tried to fetch it, with whatever result."),
        Column(
            "fetched_at",
            "TIMESTAMP",
            "When the figures that are used were fetched; of files when the source says, else when they were made.",
            nullable=True,
        ),
        Column("source_updated_at", "TIMESTAMP", "When the source was changed, where it says so.", nullable=True),
        Column("n_results", "BIGINT", "Figures that are used."),
        Column("n_models", "BIGINT", "Names of models in them."),
        Column("n_unread", "BIGINT", "Parts that could not be read: rows of llm.unread."),
        Column(
            "why",
            "VARCHAR",
            "Why it is not what was fetched now, or whence it is; NULL where there is nothing to tell.",
            nullable=True,
        ),
        Column("version", "VARCHAR", "Of an index or a release: others are on other scales.", nullable=True),
        Column("days", "INTEGER", "How often it changes as a rule: what its age is judged by."),
        Column("is_frozen", "BOOLEAN", "Whether nothing is added to it any more: its age is no fault."),
        Column("sha256", "VARCHAR", "Hash of the snapshot; NULL for bundled facts.", nullable=True),
    ),
    key=("ranking", "source"),
)

LLM_UNREAD = TableSpec(
    schema="llm",
    name="unread",
    comment="One row per part of a source's documents that could not be read.",
    columns=(
        _RANKING,
        _SOURCE,
        Column("number", "BIGINT", "Counts the rows of a source, from 1."),
        Column("document", "VARCHAR", "The document."),
        Column("place", "VARCHAR", "Which part of it: a line, a key."),
        Column("reason", "VARCHAR", "What is wrong with it, with the value."),
    ),
    key=("ranking", "source", "number"),
    inputs=(Input("fetch_status"),),
)

LLM_BENCHMARKS = TableSpec(
    schema="llm",
    name="benchmarks",
    comment="One row per measure of a benchmark, or of a group of facts, that figures are about.",
    columns=(
        _RANKING,
        Column("benchmark", "VARCHAR", "The benchmark, or the group of facts."),
        _MEASURE,
        Column("title", "VARCHAR", "Title of the benchmark."),
        Column("measure_title", "VARCHAR", "Title of the measure."),
        Column("area", "VARCHAR", "coding, general, agents, preference, speed, price or limits."),
        Column("unit", "VARCHAR", "Unit of values."),
        Column("direction", "VARCHAR", "desc when higher is better, asc when lower is."),
        Column("is_headline", "BOOLEAN", "Whether the benchmark is known by this measure."),
        Column("n_models", "BIGINT", "Models of llm.models that have a value that is used."),
    ),
    key=("ranking", "benchmark", "measure"),
    inputs=(Input("results"),),
)

LLM_MODELS = TableSpec(
    schema="llm",
    name="models",
    comment="One row per release of a model that any source has a figure or a name of.",
    columns=(
        _RANKING,
        Column("model", "VARCHAR", "The release, vendor/model."),
        Column("title", "VARCHAR", "What a catalogue shows it as; its id without the maker where none does."),
        Column("organisation", "VARCHAR", "The maker; NULL where nobody says.", nullable=True),
        Column("family", "VARCHAR", "vendor/family: what releases of other dates and variants share."),
        Column("released_on", "DATE", "When it was released.", nullable=True),
        Column(
            "open_weights",
            "BOOLEAN",
            "Whether its weights are open; NULL where nobody says, or they disagree.",
            nullable=True,
        ),
        Column("hugging_face_id", "VARCHAR", "Its repository there.", nullable=True),
        Column("openrouter_id", "VARCHAR", "Its id there.", nullable=True),
        Column("models_dev_id", "VARCHAR", "Its id there.", nullable=True),
        Column("is_made", "BOOLEAN", "No catalogue lists it: several sources name it alike, or a person decided."),
        Column("released_evidence", "VARCHAR", "Who states that day, and who states another one.", nullable=True),
        Column("weights_evidence", "VARCHAR", "Who states that of its weights, and who otherwise.", nullable=True),
    ),
    key=("ranking", "model"),
    inputs=(Input("fetch_status"),),
)

LLM_ALIASES = TableSpec(
    schema="llm",
    name="aliases",
    comment="One row per source and name of a model: which release it means, how that was decided, and on what.",
    columns=(
        _RANKING,
        _SOURCE,
        _RAW_NAME,
        Column("title", "VARCHAR", "The name that the source shows.", nullable=True),
        Column("organisation", "VARCHAR", "Who made the model, as the source writes it.", nullable=True),
        Column("model", "VARCHAR", "The release; NULL unless accepted.", nullable=True),
        Column("family", "VARCHAR", "vendor/family, where only one is possible.", nullable=True),
        Column("config", "VARCHAR", "The configuration that the name states.", nullable=True),
        Column("method", "VARCHAR", "How it was decided: decision, a published link, a name, or none."),
        Column("status", "VARCHAR", "accepted, rejected, pending or unmatched."),
        Column("evidence", "VARCHAR", "A URL or a sentence.", nullable=True),
        Column("candidates", "VARCHAR", "What a pending one could mean, the likeliest first.", nullable=True),
        Column("decided_at", "TIMESTAMP", "When a person decided; NULL for what was computed.", nullable=True),
        Column("is_system", "BOOLEAN", "An agent system, or several models together: no model's score."),
        Column("url", "VARCHAR", "The page of the model there.", nullable=True),
    ),
    key=("ranking", "source", "raw_name"),
    inputs=(Input("fetch_status"),),
)

LLM_UNMATCHED = TableSpec(
    schema="llm",
    name="unmatched",
    comment="One row per name of a single model that means no release yet: what a person may decide.",
    columns=(
        _RANKING,
        _SOURCE,
        _RAW_NAME,
        Column("status", "VARCHAR", "pending, rejected or unmatched."),
        Column("why", "VARCHAR", "Why no release was found.", nullable=True),
        Column("candidates", "VARCHAR", "What it could mean, the likeliest first.", nullable=True),
        Column("n_results", "BIGINT", "Figures that rank nobody for want of a decision."),
    ),
    key=("ranking", "source", "raw_name"),
    inputs=(Input("aliases"), Input("results")),
)

LLM_RESULTS = TableSpec(
    schema="llm",
    name="results",
    comment="One row per published figure: what it says of which model, and whether scores rest on it.",
    columns=(
        _RANKING,
        _SOURCE,
        _RAW_NAME,
        Column("model", "VARCHAR", "The release that the name means; NULL while it means none.", nullable=True),
        _BENCHMARK,
        _MEASURE,
        Column("value", "DOUBLE", "The figure; NULL with a reason.", nullable=True),
        Column("reason", "VARCHAR", "Why there is no value, such as zero_means_missing.", nullable=True),
        Column("unit", "VARCHAR", "Unit of the value."),
        Column("n", "BIGINT", "Items or votes that it rests on.", nullable=True),
        Column("se", "DOUBLE", "Its standard error, in the same unit.", nullable=True),
        Column("config", "VARCHAR", "How it was measured, as the source says; empty for its default."),
        Column("channel", "VARCHAR", "By which way it came, where that is not the source itself; else empty."),
        Column("measured_on", "DATE", "When it was measured, where the source says so.", nullable=True),
        Column("source_updated_at", "TIMESTAMP", "When the source was changed, where it says so.", nullable=True),
        Column(
            "fetched_at",
            "TIMESTAMP",
            "When it was fetched, or taken down as a bundled fact; of files as in llm.fetch_status.",
        ),
        Column("settings", "VARCHAR", "The configuration that the name states.", nullable=True),
        Column("url", "VARCHAR", "The page of this very figure, or of the source."),
        Column("flags", "VARCHAR", "What is said against it, with commas between; empty for nothing."),
        Column("is_used", "BOOLEAN", "Whether scores of the model rest on it."),
        Column("left_out", "VARCHAR", "Why not; NULL where they do.", nullable=True),
    ),
    key=("ranking", "source", "raw_name", "benchmark", "measure", "config", "channel"),
    inputs=(Input("aliases"),),
)

LLM_SCORES = TableSpec(
    schema="llm",
    name="scores",
    comment="One row per model and score: ability, coding, performance, value and overall.",
    columns=(
        _RANKING,
        _MODEL,
        Column("score", "VARCHAR", "ability, coding, performance, value or overall."),
        Column(
            "value",
            "DOUBLE",
            "The score; NULL where undefined. Ability on its own scale, others 0 to 100.",
            nullable=True,
        ),
        Column("ci_low", "DOUBLE", "Lower end of the 95 % interval, of ability.", nullable=True),
        Column("ci_high", "DOUBLE", "Upper end.", nullable=True),
        Column("coverage", "DOUBLE", "Share of the weights whose parts are there, 0 to 1; of ability of benchmarks."),
        Column("is_partial", "BOOLEAN", "Made of the parts that are there, their weights raised to sum to 1."),
        Column("missing", "VARCHAR", "The parts that are not there, with commas between.", nullable=True),
        Column("n_benchmarks", "INTEGER", "Benchmarks that it rests on."),
        Column("n_sources", "INTEGER", "Sources that it rests on."),
        Column("reason", "VARCHAR", "Why it is undefined.", nullable=True),
        Column(
            "is_converged",
            "BOOLEAN",
            "Whether the fit came to rest, of ability; one that did not has no intervals. NULL: nothing was fitted.",
            nullable=True,
        ),
    ),
    key=("ranking", "model", "score"),
    inputs=(Input("results"),),
)

_SCORES = (
    Column("ability", "DOUBLE", "Latent ability over all benchmarks.", nullable=True),
    Column("coding", "DOUBLE", "Coding score, 0 to 100.", nullable=True),
    Column("performance", "DOUBLE", "Score of speed and quality, 0 to 100.", nullable=True),
    Column("value", "DOUBLE", "Score of price and context, 0 to 100.", nullable=True),
    Column("overall", "DOUBLE", "Score of all three, 0 to 100.", nullable=True),
)
_STANDING = (
    Column("rank", "INTEGER", "Rank by the declared score; ties share it; NULL for unranked.", nullable=True),
    Column("rank_lo", "INTEGER", "Best rank when only sure differences between two models count.", nullable=True),
    Column("rank_hi", "INTEGER", "Worst rank then.", nullable=True),
    Column(
        "loo_rank_lo",
        "INTEGER",
        "Best rank when any one source is left out; NULL where only one tells of the model, or a fit is not at rest.",
        nullable=True,
    ),
    Column("loo_rank_hi", "INTEGER", "Worst rank then.", nullable=True),
    Column("coverage", "DOUBLE", "Share of the parts of the declared score that are there, 0 to 1."),
    Column("n_benchmarks", "INTEGER", "Benchmarks that the declared score rests on."),
    Column("n_sources", "INTEGER", "Sources that it rests on."),
    Column("is_partial", "BOOLEAN", "Whether the declared score is made of the parts that are there."),
    Column("status", "VARCHAR", "ranked, or unranked: <reason>."),
)

LLM_LEADERBOARD = TableSpec(
    schema="llm",
    name="leaderboard",
    comment="One row per model that has a figure: its rank, its scores, and the facts that people choose by.",
    columns=(
        _RANKING,
        _MODEL,
        Column("position", "INTEGER", "Place in the order of display, from 1; unranked models last."),
        Column("rank_by", "VARCHAR", "The score that ranks: as declared."),
        *_STANDING,
        Column(
            "tie_group",
            "INTEGER",
            "Models that share it have as many above that are surely better.",
            nullable=True,
        ),
        *_SCORES,
        Column("ability_low", "DOUBLE", "Lower end of the 95 % interval of ability.", nullable=True),
        Column("ability_high", "DOUBLE", "Upper end.", nullable=True),
        Column("title", "VARCHAR", "What to show it as."),
        Column("organisation", "VARCHAR", "The maker.", nullable=True),
        Column("released_on", "DATE", "When it was released.", nullable=True),
        Column("open_weights", "BOOLEAN", "Whether its weights are open.", nullable=True),
        Column(
            "is_free",
            "BOOLEAN",
            "Whether it is offered for nothing, if only for trying; NULL where no price is known.",
            nullable=True,
        ),
        Column("price_input", "DOUBLE", "USD per million tokens of input.", nullable=True),
        Column("price_output", "DOUBLE", "USD per million tokens of output.", nullable=True),
        Column("context", "BIGINT", "Tokens of context.", nullable=True),
        Column("ttft", "DOUBLE", "Median seconds to the first token.", nullable=True),
        Column("throughput", "DOUBLE", "Median tokens a second.", nullable=True),
        Column("quality", "DOUBLE", "The quality index that the performance score uses.", nullable=True),
        Column("benchmarks_at", "TIMESTAMP", "When the newest of its benchmark figures was fetched.", nullable=True),
        Column("performance_at", "TIMESTAMP", "When the newest of its speeds was fetched.", nullable=True),
        Column("prices_at", "TIMESTAMP", "When the newest of its prices was fetched.", nullable=True),
    ),
    key=("ranking", "model"),
    inputs=(Input("scores"), Input("models"), Input("results")),
)

LLM_SNAPSHOTS = TableSpec(
    schema="llm",
    name="snapshots",
    comment="One row per model and day: where it stood.",
    columns=(_RANKING, _DAY, _MODEL, *_STANDING, *_SCORES),
    key=("ranking", "day", "model"),
    cycle="day",
)

LLM_BREAKS = TableSpec(
    schema="llm",
    name="breaks",
    comment="One row per time from which on figures of a source are on another scale: history is not compared across.",
    columns=(
        _RANKING,
        _SOURCE,
        Column("at", "TIMESTAMP", "When the figures that are on another scale were fetched."),
        Column("benchmark", "VARCHAR", "The benchmark; empty for all of the source."),
        Column("measure", "VARCHAR", "The measure; empty for all."),
        Column("sentence", "VARCHAR", "What changed, with numbers."),
    ),
    key=("ranking", "source", "at", "benchmark", "measure"),
    inputs=(Input("fetch_status"),),
)

LLM_TABLES = (
    LLM_FETCH_STATUS,
    LLM_UNREAD,
    LLM_BREAKS,
    LLM_MODELS,
    LLM_ALIASES,
    LLM_RESULTS,
    LLM_UNMATCHED,
    LLM_BENCHMARKS,
    LLM_SCORES,
    LLM_LEADERBOARD,
    LLM_SNAPSHOTS,
)
"""The tables of rankings of language models."""
