"""Scoring rules by name."""

from pipeline.competition.scoring.rules import (
    RULES,
    Scored,
    ScoringRule,
    absolute_error,
    directional,
    rank_product,
    squared_error,
)

__all__ = [
    "RULES",
    "Scored",
    "ScoringRule",
    "absolute_error",
    "directional",
    "rank_product",
    "squared_error",
]
