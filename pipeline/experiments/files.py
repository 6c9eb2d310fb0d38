"""Files of an experiment: the folders of its inbox, and the columns that files in them may have."""

RUNS, SCORES = "runs", "scores"
"""The folders of the inbox: runs, and scores of runs."""

OF_CONFIG = ("prompt", "model", "params", "input_data")
"""What a run's config has, and what columns may have instead."""

RUN_COLUMNS = (
    *("config", *OF_CONFIG, "prompt_name", "prompt_version", "input_id", "repeat", "status", "created_at"),
    *("started_at", "completed_at", "duration_ms", "tokens_in", "tokens_out", "cost", "output", "error"),
    *("error_detail", "stages"),
)
"""Columns of files of runs, besides those of imported scorers."""

SCORE_COLUMNS = (
    *("run_id", "config_hash", "repeat", "scorer", "value", "rating", "rater", "scored_at", "comment", "details"),
    *("kind", "version", "identity", "reason", "score_id"),
)
"""Columns of files of scores."""
