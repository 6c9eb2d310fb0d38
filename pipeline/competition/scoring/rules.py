"""Scoring rules by name, and those of predictions that are one number: a value, a mean, a median.

A rule scores every prediction of a panel by itself; averages over predictions are metrics. One rule is one
function and one ``register`` line.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.competition.arrays import Bools, Floats
from pipeline.competition.outputs import ONE_NUMBER
from pipeline.competition.panel import Panel
from pipeline.competition.reasons import undefined
from pipeline.competition.scoring.scored import Scored
from pipeline.leaderboard import Direction
from pipeline.registry import Registry


@dataclass(frozen=True)
class ScoringRule:
    """A named rule, with the way in which it is better and the output types it scores.

    ``is_scale_free`` says that it looks at order or sign only, so that predictions need no unit.
    """

    name: str
    direction: Direction
    function: Callable[[Panel], Scored]
    output_types: tuple[str, ...] = ONE_NUMBER
    is_scale_free: bool = False


RULES: Registry[ScoringRule] = Registry("scoring rule", ScoringRule)
"""Every scoring rule by name."""


def rank_product(panel: Panel) -> Scored:
    """Product of the standardised ranks of signal and outcome, population standard deviation.

    Its mean over the subjects of a cross-section is the information coefficient, so it says which subjects a
    model's rank correlation comes from. Undefined with ``too_few_pairs`` or ``constant_input``.
    """
    signal, outcome = panel.centred_signal_ranks, panel.centred_outcome_ranks
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.vecdot(signal, signal) * np.vecdot(outcome, outcome)) / panel.n_pairs
        spread = spread[:, :, None]
        value = signal * outcome / spread
    too_few = np.broadcast_to(panel.too_few[:, :, None], value.shape)
    constant = np.broadcast_to(~(spread > 0), value.shape)
    return Scored(
        *undefined(value, (~panel.paired, "no_predictions"), (too_few, "too_few_pairs"), (constant, "constant_input"))
    )


def absolute_error(panel: Panel) -> Scored:
    """|prediction - outcome|, in the outcome's unit; best in expectation at the median."""
    return _each_pair(panel, np.abs(panel.signals - panel.outcomes[:, None, :]))


def squared_error(panel: Panel) -> Scored:
    """(prediction - outcome) squared, in the outcome's unit squared; best in expectation at the mean."""
    return _each_pair(panel, (panel.signals - panel.outcomes[:, None, :]) ** 2)


def directional(panel: Panel) -> Scored:
    """1 when signal - center and outcome have the same sign, 0 when opposite; ``zero_outcomes`` when either is 0."""
    signal, outcome = np.sign(panel.signals - panel.center), np.sign(panel.outcomes)[:, None, :]
    neutral = panel.paired & ((signal == 0) | (outcome == 0))
    return _each_pair(panel, (signal == outcome).astype(float), (neutral, "zero_outcomes"))


def _each_pair(panel: Panel, value: Floats, *causes: tuple[Bools, str]) -> Scored:
    return Scored(*undefined(value, (~panel.paired, "no_predictions"), *causes))


RULES.register("rank_product", ScoringRule("rank_product", Direction.DESC, rank_product, is_scale_free=True))
RULES.register("absolute_error", ScoringRule("absolute_error", Direction.ASC, absolute_error))
RULES.register("squared_error", ScoringRule("squared_error", Direction.ASC, squared_error))
RULES.register("directional", ScoringRule("directional", Direction.DESC, directional, is_scale_free=True))
