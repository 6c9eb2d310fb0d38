"""The metrics of evaluation sets on pages: what they are called, what they are read against, how values are shaded."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.competition.evaluations import Column, EvaluationSpec, Kind, direction_of
from pipeline.leaderboard import Direction
from pipeline.reports.pages.figures import Scale, metric_name, percent, scale
from pipeline.reports.queries.metrics import Described

_COVERAGE = re.compile(r"interval_coverage_(\d+(?:\.\d+)?)")
_SHARE = "share"
_RATIOS = (1.05, 1.2, 1.5)
"""From where on a value is shaded lightly, more and most: how many times better or worse than the reference."""
_SHARES = (0.03, 0.08, 0.15)
"""The same for coverages, as differences."""


@dataclass(frozen=True)
class Metric:
    """A column of an evaluation set.

    Parameters
    ----------
    name, label, description : str
    direction : str
        Which end is better: desc, asc or none.
    unit : str
        Shares are written as percentages.
    reference : float or None
        What values are read against: 1 of relative skill, the nominal level of a coverage, None of others.
    reference_name : str
        What that is; empty without.
    """

    name: str
    label: str
    description: str
    direction: str
    unit: str
    reference: float | None
    reference_name: str

    @property
    def is_relative(self) -> bool:
        """Whether it is relative skill."""
        return self.reference is not None and self.unit != _SHARE

    @property
    def better(self) -> str:
        """Which end is better, in words."""
        if self.direction == Direction.NONE:
            return f"Best is {self.reference_text}." if self.reference is not None else ""
        return "Lower is better." if self.direction == Direction.ASC else "Higher is better."

    @property
    def reference_text(self) -> str:
        """What values are read against, as text."""
        return f"{self.reference:g}" if self.is_relative else percent(self.reference)

    def drawn(self, value: float | None) -> float | None:
        """Where a value is drawn: ratios by their logarithm, for a half is as far from 1 as a double."""
        if value is None or not self.is_relative:
            return value
        return math.log(value) if value > 0 else None

    def scale(self, values: Iterable[float | None], half_widths: Iterable[float | None] = ()) -> Scale:
        """How to write values of the column."""
        return Scale(2) if self.is_relative else scale(values, half_widths, self.unit)

    def short_scale(self, values: Iterable[float | None]) -> Scale:
        """How to write values of the column where many stand side by side: shares without decimals."""
        return Scale(0, unit=_SHARE) if self.unit == _SHARE else self.scale(values)

    def is_sure(self, low: float | None, high: float | None) -> bool:
        """Whether a 95 % interval leaves out the reference."""
        if self.reference is None or low is None or high is None:
            return False
        return not low <= self.reference <= high

    def shade(self, value: float | None, reference: float | None) -> str:
        """How much better (b1 to b3) or worse (w1 to w3) a value is than a reference; of coverages, above or below."""
        if value is None or reference is None:
            return ""
        if self.direction == Direction.NONE:
            return _step(value - reference, _SHARES) if self.reference is not None else ""
        if value <= 0 or reference <= 0:
            return ""
        better = reference / value if self.direction == Direction.ASC else value / reference
        return _step(math.log(better), map(math.log, _RATIOS))


def metrics_of(spec: EvaluationSpec, means: Mapping[str, Described]) -> dict[str, Metric]:
    """The columns of an evaluation set by name, in order.

    Parameters
    ----------
    spec : EvaluationSpec
    means : mapping
        What measures mean.
    """
    return {column.name: _metric(column, spec.baseline, means.get(column.measure)) for column in spec.columns}


def _metric(column: Column, baseline: str | None, described: Described | None) -> Metric:
    description = described.description if described else ""
    label = metric_name(column.measure)
    if column.is_relative:
        beside = f"that of {baseline}" if column.kind is Kind.SCALED else "that of the other models"
        meaning = f"{label} relative to {beside}, on the tasks that both did: 1 is as good. {description}".strip()
        name = baseline if column.kind is Kind.SCALED and baseline else "the field"
        return Metric(column.name, f"Relative {_within(label)}", meaning, str(Direction.ASC), "", 1.0, name)
    nominal = _COVERAGE.fullmatch(column.measure)
    direction = str(direction_of(column.measure))
    if nominal:
        level = nominal[1]
        return Metric(column.name, f"{level} % coverage", description, direction, _SHARE, float(level) / 100, "nominal")
    return Metric(column.name, label, description, direction, described.unit if described else "", None, "")


def _within(label: str) -> str:
    """A label within a sentence: with a small letter, unless it is an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _step(size: float, limits: Iterable[float]) -> str:
    level = sum(abs(size) >= limit for limit in limits)
    return f"{'b' if size > 0 else 'w'}{level}" if level else ""
