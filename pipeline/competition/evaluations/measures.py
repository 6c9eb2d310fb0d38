"""The measures that evaluations average: what a scoring rule says of every single prediction."""

from pipeline.competition.metrics import METRICS
from pipeline.competition.scoring import RULES
from pipeline.leaderboard import Direction


def direction_of(measure: str) -> Direction:
    """Which end of a measure is better: that of the rule or of the metric of its name; none where there is neither."""
    if measure in RULES or "." in measure:
        return RULES.get(measure).direction
    return (METRICS.get(measure).direction if measure in METRICS else None) or Direction.NONE
