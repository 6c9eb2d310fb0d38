"""Metrics over a whole panel, a part that fits the processor's cache at a time, the parts shared between threads.

An array of a large panel does not fit a cache, so every pass of every metric would wait for memory, and for new memory.
A part of a few cross-sections keeps what its metrics share (pairs, ranks, scores) at hand; numpy lets other threads run
while it sorts and adds. The parts depend on the panel's shape only, so the values do not depend on the threads.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pipeline.competition.metrics import Metric, SectionMetric, safely
from pipeline.competition.metrics.guard import joined
from pipeline.competition.panel import Panel
from pipeline.competition.scoring import ScoringRule
from pipeline.settings import settings

CELLS_AT_ONCE = 1 << 17
"""Predictions of a part, about: an array of them has 1 MB."""


def evaluate(metrics: Sequence[Metric], panel: Panel, rule: ScoringRule | None = None) -> list[SectionMetric]:
    """Every metric of every cross-section and model.

    Parameters
    ----------
    metrics : sequence of Metric
        Computed from panels; none of a series.
    panel : Panel
    rule : ScoringRule or None
        Computes the panel's scores; None when it has them.

    Returns
    -------
    list of SectionMetric
        In the order of ``metrics``.
    """

    def of_part(part: Panel) -> list[SectionMetric]:
        scored = part if rule is None else scored_by(rule, part)
        return [safely(metric, scored) for metric in metrics]

    all_parts = list(parts(panel))
    if len(all_parts) == 1:
        return of_part(all_parts[0])
    with ThreadPoolExecutor(_threads()) as threads:
        of_parts = list(threads.map(of_part, all_parts))
    return [joined([found[place] for found in of_parts]) for place in range(len(metrics))]


def scored_by(rule: ScoringRule, panel: Panel) -> Panel:
    """A panel with what a rule says of it."""
    scored = rule.function(panel)
    return panel.with_scores(scored.value, scored.measures)


def parts(panel: Panel) -> Iterator[Panel]:
    """The panel cut into parts of a few cross-sections each."""
    sections, models, subjects = panel.shape
    numbers = 1 if panel.forecasts is None else panel.forecasts.ids.size
    size = max(1, CELLS_AT_ONCE // max(1, models * subjects * numbers))
    return (panel.part(slice(start, start + size)) for start in range(0, max(1, sections), size))


def _threads() -> int:
    return settings().threads or os.cpu_count() or 1
