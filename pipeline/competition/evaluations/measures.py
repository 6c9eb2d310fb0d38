"""The measures that evaluations average: what a scoring rule says of every single prediction."""

from collections.abc import Iterable
from types import MappingProxyType

from pipeline.competition.arrays import Floats
from pipeline.competition.panel import Panel
from pipeline.competition.scoring import RULES, score_forecasts
from pipeline.leaderboard import Direction

_DIRECTIONS = MappingProxyType(
    {
        "ae_median": Direction.ASC,
        "se_mean": Direction.ASC,
        "threshold_brier": Direction.ASC,
        "accuracy": Direction.DESC,
    }
)
"""Of measures that are no score of a rule; those that are missing have no better end."""


def direction_of(measure: str) -> Direction:
    """Which end of a measure is better: that of the rule of its name, none of a part or of a coverage."""
    if measure in RULES.available() or "." in measure:
        return RULES.get(measure).direction
    return _DIRECTIONS.get(measure, Direction.NONE)


def measured(panel: Panel, measures: Iterable[str]) -> dict[str, Floats]:
    """Measures of every prediction of a panel, shape (sections, models, subjects), NaN where there is none.

    Raises
    ------
    ValueError
        If predictions of this kind have no such measure; the message lists those that they have.
    """
    if panel.forecasts is None:
        return {name: RULES.get(name).function(panel).value for name in measures}
    found = score_forecasts(panel).measures
    unknown = [name for name in measures if name not in found]
    if unknown:
        raise ValueError(
            f"{panel.forecasts.output_type} forecasts have no measure {', '.join(unknown)}; known: {', '.join(found)}"
        )
    return {name: found[name] for name in measures}
