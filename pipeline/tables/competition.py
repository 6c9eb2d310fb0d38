"""The tables of a competition, in the order in which they are computed.

Add a column here and a migration in ``pipeline.warehouse.migrations``; nothing else restates a table's shape.
"""

from dataclasses import replace

from pipeline.tables.spec import Column, Input, TableSpec, Via

_COMPETITION = Column("competition", "VARCHAR", "Name of the competition: its defs folder and asset prefix.")
_MODEL = Column("model_id", "VARCHAR", "The model; virtual models are called `__ensemble_<name>__`.")
_CYCLE = Column("cycle", "TIMESTAMP", "The round's date (UTC), from which horizons count.")
_HORIZON = Column("horizon", "INTEGER", "How many periods after the cycle the target lies.")
_SUBJECT = Column("subject", "VARCHAR", "What is predicted: a ticker, a place, an asset.")
OVERALL = "overall"
"""The category of the whole contest."""
EXCLUDED = "excluded"
"""The method of intervals of a model that takes no part in an evaluation set."""

_CATEGORY = Column("category", "VARCHAR", f"{OVERALL}, or a part of the contest such as horizon=1.")
_METRIC = Column("metric", "VARCHAR", "Name of the metric; catalog.metrics describes it.")
_KNOWN_AT = Column("known_at", "TIMESTAMP", "When this fact became known (UTC).")
_AS_OF = Column("as_of", "TIMESTAMP", "The moment the board speaks for (UTC); it uses only what was known by then.")
_OUTPUT_TYPE = Column("output_type", "VARCHAR", "Kind of prediction: value, mean, median, quantile, pmf, sample, cdf.")
_OUTPUT_TYPE_ID = Column(
    "output_type_id", "VARCHAR", "Quantile level, category, sample number or threshold; empty for one number."
)
_IS_IMPUTED = Column(
    "is_imputed", "BOOLEAN", "The model left out the cycle; its last submission stands in (missing: carry_forward)."
)
_REASON = Column("reason", "VARCHAR", "Why the value is NULL.", nullable=True)

MODELS = TableSpec(
    schema="competition",
    name="models",
    comment="One row per model that takes part in a competition.",
    columns=(
        _COMPETITION,
        _MODEL,
        Column("title", "VARCHAR", "Name to show."),
        Column("player", "VARCHAR", "Who runs the model."),
        Column("kind", "VARCHAR", "real, or ensemble for a virtual model."),
        Column("designated", "BOOLEAN", "Whether the player entered it for ranking."),
        Column("version", "VARCHAR", "The player's version of the model."),
        Column("licence", "VARCHAR", "Licence of the predictions.", nullable=True),
        Column("description", "VARCHAR", "What it does, with its reference.", nullable=True),
        Column("first_seen", "TIMESTAMP", "Its first cycle (UTC).", nullable=True),
    ),
    key=("competition", "model_id"),
)

MODEL_VERSIONS = TableSpec(
    schema="competition",
    name="model_versions",
    comment="One row per version of a model that predicted something: its record goes on, with a visible break.",
    columns=(
        _COMPETITION,
        _MODEL,
        Column("first_cycle", "TIMESTAMP", "First cycle that it predicted (UTC)."),
        Column("version", "VARCHAR", "The player's version of the model."),
    ),
    key=("competition", "model_id", "first_cycle"),
)

SUBJECTS = TableSpec(
    schema="competition",
    name="subjects",
    comment="One row per subject of a competition.",
    columns=(
        _COMPETITION,
        _SUBJECT,
        Column("title", "VARCHAR", "Name to show."),
        Column("first_seen", "TIMESTAMP", "Its first cycle (UTC).", nullable=True),
    ),
    key=("competition", "subject"),
)

PREDICTIONS = TableSpec(
    schema="competition",
    name="predictions",
    comment="One row per prediction: the last submission received before the deadline; late ones kept and flagged.",
    columns=(
        _COMPETITION,
        _MODEL,
        _CYCLE,
        _HORIZON,
        _SUBJECT,
        _OUTPUT_TYPE,
        _OUTPUT_TYPE_ID,
        Column("target_time", "TIMESTAMP", "End of the period that the predicted outcome describes (UTC)."),
        Column("value", "DOUBLE", "The prediction."),
        Column("deadline", "TIMESTAMP", "Until when predictions of the cycle count (UTC)."),
        Column("received_at", "TIMESTAMP", "When the prediction was received (UTC)."),
        Column("is_late", "BOOLEAN", "Received after the deadline: kept, not scored."),
        _IS_IMPUTED,
    ),
    key=("competition", "model_id", "cycle", "horizon", "subject", "output_type", "output_type_id"),
    cycle="cycle",
    embargoed=True,
)

FACTORS = TableSpec(
    schema="competition",
    name="factors",
    comment="One row per known property of a subject at a cycle, such as its market beta.",
    columns=(
        _COMPETITION,
        _CYCLE,
        _SUBJECT,
        Column("factor", "VARCHAR", "Name of the factor."),
        Column("value", "DOUBLE", "Its value, known at the cycle."),
    ),
    key=("competition", "cycle", "subject", "factor"),
    cycle="cycle",
)

TRUTH = TableSpec(
    schema="competition",
    name="truth",
    comment="One row per outcome and time it became known; a revision adds a row, nothing is overwritten.",
    columns=(
        _COMPETITION,
        _SUBJECT,
        Column("target_time", "TIMESTAMP", "End of the period that the outcome describes (UTC)."),
        Column("horizon", "INTEGER", "The horizon it is the outcome of; -1 when it serves every horizon."),
        _KNOWN_AT,
        Column("value", "DOUBLE", "The outcome; NULL withdraws an earlier value.", nullable=True),
    ),
    key=("competition", "subject", "target_time", "horizon", "known_at"),
    cycle="target_time",
    known_at="known_at",
)

SCORES = TableSpec(
    schema="competition",
    name="scores",
    comment="One row per resolved prediction and time its score became known or changed.",
    columns=(
        _COMPETITION,
        _MODEL,
        _CYCLE,
        _HORIZON,
        _SUBJECT,
        _OUTPUT_TYPE,
        _KNOWN_AT,
        Column(
            "prediction", "DOUBLE", "The prediction; of a distribution its point: median, or mean place.", nullable=True
        ),
        Column("outcome", "DOUBLE", "The outcome as known then.", nullable=True),
        Column("value", "DOUBLE", "The scoring rule's value.", nullable=True),
        Column("success", "BOOLEAN", "Whether there is a score."),
        Column("failed_reason", "VARCHAR", "Why there is none.", nullable=True),
        _IS_IMPUTED,
    ),
    key=("competition", "model_id", "cycle", "horizon", "subject", "output_type", "known_at"),
    cycle="cycle",
    known_at="known_at",
    inputs=(Input("predictions"), Input("truth", Via.TARGET_TIME)),
    embargoed=True,
)

CYCLE_METRICS = TableSpec(
    schema="competition",
    name="cycle_metrics",
    comment="One row per model, cycle, metric and time its value became known or changed.",
    columns=(
        _COMPETITION,
        _MODEL,
        _CYCLE,
        _CATEGORY,
        _METRIC,
        _KNOWN_AT,
        Column("value", "DOUBLE", "The metric over the cycle.", nullable=True),
        Column("n", "BIGINT", "Predictions that the value rests on."),
        Column("numerator", "DOUBLE", "For metrics pooled over tasks: value = numerator / denominator.", nullable=True),
        Column("denominator", "DOUBLE", "See numerator.", nullable=True),
        _REASON,
        _IS_IMPUTED,
    ),
    key=("competition", "model_id", "cycle", "category", "metric", "known_at"),
    cycle="cycle",
    known_at="known_at",
    inputs=(
        Input("scores"),
        Input("predictions"),
        Input("truth", Via.TARGET_TIME),
        Input("predictions", Via.PREVIOUS),
        Input("factors", Via.ALONGSIDE),
    ),
    embargoed=True,
)

_ENSEMBLE = Column("ensemble", "VARCHAR", "Name of the ensemble in the competition's declaration.")

ENSEMBLE_WEIGHTS = TableSpec(
    schema="competition",
    name="ensemble_weights",
    comment="One row per ensemble, cross-section and member: its weight, from what was known at the deadline.",
    columns=(
        _COMPETITION,
        _ENSEMBLE,
        _CYCLE,
        _HORIZON,
        _MODEL,
        Column("weight", "DOUBLE", "Share of the member; the weights of a cross-section sum to 1."),
        Column("n_history", "BIGINT", "Cycles that the weight rests on."),
        Column("fallback", "VARCHAR", "Why the weight is not the strategy's own.", nullable=True),
    ),
    key=("competition", "ensemble", "cycle", "horizon", "model_id"),
    cycle="cycle",
    inputs=(Input("predictions"), Input("cycle_metrics", Via.KNOWN_BY_DEADLINE)),
    embargoed=True,
)

ENSEMBLE_PREDICTIONS = replace(
    PREDICTIONS,
    name="ensemble_predictions",
    comment="One row per prediction of a virtual model: what its members predict together.",
    inputs=(Input("predictions"), Input("ensemble_weights")),
)

ENSEMBLE_SCORES = replace(
    SCORES,
    name="ensemble_scores",
    comment="One row per resolved prediction of a virtual model and time its score became known or changed.",
    inputs=(Input("ensemble_predictions"), Input("truth", Via.TARGET_TIME)),
)

ENSEMBLE_METRICS = replace(
    CYCLE_METRICS,
    name="ensemble_metrics",
    comment="One row per virtual model, cycle, metric and time its value became known or changed.",
    inputs=(
        Input("ensemble_scores"),
        Input("ensemble_predictions"),
        Input("predictions"),
        Input("truth", Via.TARGET_TIME),
        Input("ensemble_predictions", Via.PREVIOUS),
        Input("factors", Via.ALONGSIDE),
    ),
)

MEMBER_METRICS = TableSpec(
    schema="competition",
    name="member_metrics",
    comment="One row per ensemble, real model, cycle, metric and time its value became known or changed.",
    columns=(_COMPETITION, _ENSEMBLE, *CYCLE_METRICS.columns[1:]),
    key=("competition", "ensemble", "model_id", "cycle", "category", "metric", "known_at"),
    cycle="cycle",
    known_at="known_at",
    inputs=(
        Input("predictions"),
        Input("truth", Via.TARGET_TIME),
        Input("cycle_metrics", Via.KNOWN_BY_DEADLINE),
    ),
    embargoed=True,
)

ENSEMBLE_TABLES = (ENSEMBLE_WEIGHTS, ENSEMBLE_PREDICTIONS, ENSEMBLE_SCORES, ENSEMBLE_METRICS, MEMBER_METRICS)
"""The tables of a competition that has ensembles."""

SNAPSHOTS = TableSpec(
    schema="competition",
    name="snapshots",
    comment="One row per moment, model, rolling window and metric.",
    columns=(
        _COMPETITION,
        _AS_OF,
        _MODEL,
        _CATEGORY,
        Column("window_name", "VARCHAR", "Name of the window in the competition's declaration."),
        _METRIC,
        Column("value", "DOUBLE", "The metric over the window.", nullable=True),
        Column("n", "BIGINT", "Cycles in the value, or predictions for metrics pooled over tasks."),
        Column("n_imputed", "BIGINT", "Cycles in the value that the contest's rule for missing ones filled in."),
        Column("n_scored", "BIGINT", "Scored predictions in the window."),
        Column("cycles_absent", "BIGINT", "Resolved cycles that the model left out since its last one."),
        Column("coverage", "DOUBLE", "n_scored / outcomes known in the window.", nullable=True),
        Column("coverage_since_first", "DOUBLE", "The same, from the model's first cycle on.", nullable=True),
        Column("se", "DOUBLE", "Standard error of the value, allowing for dependence of cycles.", nullable=True),
        Column(
            "ci_low",
            "DOUBLE",
            "Lower end of the 95 % confidence interval, cut to the least that the metric can be.",
            nullable=True,
        ),
        Column(
            "ci_high",
            "DOUBLE",
            "Upper end of the 95 % confidence interval, cut to the most that the metric can be.",
            nullable=True,
        ),
        Column("ci_method", "VARCHAR", "How the interval was made, or why there is none."),
        _REASON,
        Column(
            "is_final",
            "BOOLEAN",
            "Whether every cross-section of the window that the model predicted has outcomes; else it is provisional.",
        ),
    ),
    key=("competition", "as_of", "model_id", "category", "window_name", "metric"),
    cycle="as_of",
    inputs=(
        Input("cycle_metrics", Via.KNOWN_BY),
        Input("ensemble_metrics", Via.KNOWN_BY),
        Input("member_metrics", Via.KNOWN_BY),
    ),
)

_RANK_INTERVAL = (
    Column("rank_lo", "INTEGER", "Best rank it could have: 1 + the models significantly better.", nullable=True),
    Column(
        "rank_hi", "INTEGER", "Worst rank it could have: ranked models less those significantly worse.", nullable=True
    ),
    Column("tie_group", "INTEGER", "Models that share it have as many above that are surely better.", nullable=True),
)

LEADERBOARD = TableSpec(
    schema="competition",
    name="leaderboard",
    comment="One row per moment and model: the board as it stood then.",
    columns=(
        _COMPETITION,
        _AS_OF,
        _CATEGORY,
        _MODEL,
        Column("position", "INTEGER", "Place in the order of display, from 1; no two rows share one."),
        Column(
            "rank", "INTEGER", "Rank among real models; ties share it. NULL when unranked or virtual.", nullable=True
        ),
        Column("rank_with_ensembles", "INTEGER", "Rank among all models.", nullable=True),
        Column("rank_change", "INTEGER", "Places gained (+) or lost (-) since the earlier board.", nullable=True),
        *_RANK_INTERVAL,
        Column("n_cycles", "BIGINT", "Cycles on which it is compared with others.", nullable=True),
        Column("n_effective", "DOUBLE", "How many independent cycles these count as.", nullable=True),
        Column("rank_method", "VARCHAR", "How rank_lo and rank_hi were made, or why there are none."),
        Column("rank_key", "DOUBLE", "The value ranked by.", nullable=True),
        Column("coverage", "DOUBLE", "Coverage in the window ranked by.", nullable=True),
        Column("n", "BIGINT", "Cycles or predictions that the value ranked by rests on."),
        Column("is_ensemble", "BOOLEAN", "Whether the model is virtual."),
        Column("status", "VARCHAR", "ranked, or unranked: <reason>."),
    ),
    key=("competition", "as_of", "category", "model_id"),
    cycle="as_of",
    inputs=(Input("snapshots"), Input("snapshots", Via.DAY_BEFORE), Input("cycle_metrics", Via.KNOWN_BY)),
)

EVALUATIONS = TableSpec(
    schema="competition",
    name="evaluations",
    comment="One row per evaluation set, part, model and column: the boards of chosen tasks, from all that is known.",
    columns=(
        _COMPETITION,
        Column("evaluation", "VARCHAR", "Name of the evaluation set in the competition's declaration."),
        Column("by", "VARCHAR", f"{OVERALL}, or what divides the set: subject, cycle, horizon, target_time."),
        Column("part", "VARCHAR", f"{OVERALL}, or the subject, cycle, horizon or target time."),
        _MODEL,
        Column("metric", "VARCHAR", "Mean of a measure (wis), or its relative skill (wis_scaled_relative_skill)."),
        Column("value", "DOUBLE", "The metric over the tasks of the part.", nullable=True),
        Column("n", "BIGINT", "Tasks that the value rests on."),
        Column("n_submitted", "BIGINT", "Tasks of the part that the model submitted, outcome known or not."),
        Column("n_tasks", "BIGINT", "Tasks of the part: those that any model submitted."),
        Column("se", "DOUBLE", "Standard error of the value, allowing for dependence of cycles.", nullable=True),
        Column("ci_low", "DOUBLE", "Lower end of the 95 % confidence interval.", nullable=True),
        Column("ci_high", "DOUBLE", "Upper end of the 95 % confidence interval.", nullable=True),
        Column("ci_method", "VARCHAR", "How the interval was made, or why there is none; excluded of excluded models."),
        Column("reason", "VARCHAR", "Why the value is NULL; of excluded models, why they are.", nullable=True),
        Column("is_ensemble", "BOOLEAN", "Whether the model is virtual; it is compared with the real ones."),
        Column("rank", "INTEGER", "Of the metric that ranks: rank among real models.", nullable=True),
        Column("rank_with_ensembles", "INTEGER", "Rank among all models.", nullable=True),
        *_RANK_INTERVAL,
    ),
    key=("competition", "evaluation", "by", "part", "model_id", "metric"),
    inputs=(Input("predictions"), Input("truth"), Input("ensemble_predictions")),
)

COMPETITION_TABLES = (
    MODELS,
    MODEL_VERSIONS,
    SUBJECTS,
    PREDICTIONS,
    FACTORS,
    TRUTH,
    SCORES,
    CYCLE_METRICS,
    *ENSEMBLE_TABLES,
    SNAPSHOTS,
    LEADERBOARD,
    EVALUATIONS,
)
