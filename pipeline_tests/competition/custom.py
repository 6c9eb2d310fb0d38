"""A scoring rule and metrics of an operator's own, as a dotted path names them."""

import numpy as np

from pipeline.competition import Panel
from pipeline.competition.metrics import Metric, Pool, SectionMetric, information_coefficient
from pipeline.competition.scoring import ScoringRule, squared_error
from pipeline.leaderboard import Direction


def without_parts(panel: Panel) -> SectionMetric:
    """A metric pooled over tasks that forgets what it is made of."""
    return information_coefficient(panel)


def forward(panel: Panel) -> SectionMetric:
    """Not documented by its name."""
    found = information_coefficient(panel)
    return SectionMetric(-found.value, found.n, found.reason)


REVERSED_IC = Metric("reversed", Pool.CYCLES, Direction.ASC, "correlation", forward)
DESCRIBES = Metric("describes", Pool.CYCLES, Direction.NONE, "correlation", forward)
FORGETFUL = Metric("forgetful", Pool.TASKS, Direction.DESC, "share", without_parts)
HALF_SQUARED_ERROR = ScoringRule("half_squared_error", Direction.ASC, squared_error)
QUANTILES_ONLY = ScoringRule("quantiles_only", Direction.ASC, squared_error, ("quantile", "sample"))
NOT_A_METRIC = np.pi
