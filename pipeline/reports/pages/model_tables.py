"""The tables of a model's page: metrics by window, subjects, models like it, its predictions; numbers as texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.leaderboard import Direction
from pipeline.reports.pages import drawings
from pipeline.reports.pages.drawings import INTERVAL_WIDTH, Axis, Interval
from pipeline.reports.pages.figures import NOTHING, Scale, percent, scale
from pipeline.reports.pages.measures import between, half_width, meaning_of, unit_of, value_of
from pipeline.reports.queries.correlations import Correlations, ModelCorrelation
from pipeline.reports.queries.metrics import Described
from pipeline.reports.queries.models import SubjectScore
from pipeline.reports.queries.profiles import Predicted
from pipeline.reports.queries.standings import Contest, Measured

_CORRELATION = Scale(2, signed=True)
_MANY_NUMBERS = frozenset({"quantile", "sample"})


@dataclass(frozen=True)
class Cell:
    """A metric over a window: the value, its interval, or why there is none, and whether it may still change."""

    value: str
    between: str
    reason: str | None
    is_final: bool


@dataclass(frozen=True)
class MetricRow:
    """A metric over every window."""

    metric: str
    description: str
    better: str
    cells: tuple[Cell, ...]

    @property
    def reason(self) -> str | None:
        """Why it has no value in any window, if that is the same for all."""
        reasons = {one.reason for one in self.cells}
        has_values = any(one.value != NOTHING for one in self.cells)
        return None if has_values or len(reasons) > 1 else next(iter(reasons))


@dataclass(frozen=True)
class SubjectRow:
    """How the predictions of a subject did."""

    found: SubjectScore
    title: str
    score: str
    place: Interval | None


@dataclass(frozen=True)
class LikeRow:
    """Another model, and how alike its signals are."""

    found: ModelCorrelation
    value: str
    place: Interval | None


@dataclass(frozen=True)
class PredictionRow:
    """A prediction with what became of it; ``between`` is how far a distribution reaches."""

    found: Predicted
    prediction: str
    between: str
    outcome: str
    score: str


def metric_rows(
    of: Contest,
    metrics: Sequence[str],
    measured: Mapping[tuple[str, str], Measured],
    means: Mapping[str, Described],
) -> tuple[MetricRow, ...]:
    """Metrics that a model has any value or reason of, over the contest's windows."""
    rows = []
    for metric in metrics:
        found = [measured.get((window, metric)) for window in of.windows]
        if any(one is not None for one in found):
            written = scale(map(value_of, found), map(half_width, found), unit_of(means, metric))
            better = "lower is better" if of.directions[metric] == Direction.ASC else ""
            cells = tuple(_cell(one, written) for one in found)
            rows.append(MetricRow(metric, meaning_of(means, metric), better, cells))
    return tuple(rows)


def _cell(measured: Measured | None, written: Scale) -> Cell:
    if measured is None:
        return Cell(NOTHING, "", None, True)
    return Cell(written.text(measured.value), between(measured, written), measured.reason, measured.is_final)


@dataclass(frozen=True)
class Subjects:
    """Subjects, the best first and those without a score last.

    Parameters
    ----------
    rows : tuple of SubjectRow
        The first of them.
    total : int
        How many there are.
    axis : Axis or None
        Of mean scores.
    failure : str or None
        Why predictions failed, if that is the same for all subjects.
    """

    rows: tuple[SubjectRow, ...]
    total: int
    axis: Axis | None
    failure: str | None


def subjects(
    found: Sequence[SubjectScore], titles: Mapping[str, str], lower_is_better: bool, most: int | None
) -> Subjects:
    """How the predictions of every subject did; at most so many rows, None for all."""
    sign = 1 if lower_is_better else -1
    ordered = sorted(found, key=lambda one: (one.mean_score is None, sign * (one.mean_score or 0.0), one.subject))
    scores = [one.mean_score for one in ordered]
    written, axis = scale(scores), drawings.axis(scores)
    rows = tuple(
        SubjectRow(
            one,
            titles.get(one.subject, one.subject),
            written.text(one.mean_score),
            drawings.interval(axis, one.mean_score, None, None),
        )
        for one in ordered[:most]
    )
    failures = {one.failed_reason for one in found if one.n_failed}
    return Subjects(rows, len(ordered), axis, failures.pop() if len(failures) == 1 else None)


@dataclass(frozen=True)
class ModelsLike:
    """Other models, the most alike first; ``n_without`` have no correlation, over ``n_cycles`` cycles."""

    rows: tuple[LikeRow, ...]
    total: int
    n_without: int
    n_cycles: int
    axis: Axis


def models_like(found: Correlations, most: int | None) -> ModelsLike:
    """Other models by how alike their signals are; at most so many rows, None for all."""
    axis = Axis(-1.0, 1.0, INTERVAL_WIDTH)
    known = [one for one in found.rows if one.correlation is not None]
    rows = tuple(
        LikeRow(one, _CORRELATION.text(one.correlation), drawings.interval(axis, one.correlation, None, None))
        for one in known[:most]
    )
    return ModelsLike(rows, len(known), len(found.rows) - len(known), found.n_cycles, axis)


def prediction_rows(found: Sequence[Predicted]) -> tuple[PredictionRow, ...]:
    """Predictions of a cycle; numbers of a column with the same decimals."""
    points = [_point(one) for one in found]
    predicted = scale([*points, *(value for one in found if one.output_type in _MANY_NUMBERS for value in one.values)])
    outcome, score = scale([one.outcome for one in found]), scale([one.score for one in found])
    return tuple(
        PredictionRow(
            one,
            _likeliest(one) or predicted.text(point),
            _reach(one, predicted),
            outcome.text(one.outcome),
            score.text(one.score),
        )
        for one, point in zip(found, points, strict=True)
    )


def _point(one: Predicted) -> float | None:
    """The one number that stands for a prediction: itself, or the median of a distribution."""
    if one.point is not None:
        return one.point
    if one.output_type == "quantile":
        return next((value for level, value in zip(one.ids, one.values, strict=True) if float(level) == 0.5), None)
    return one.values[0] if len(one.values) == 1 else None


def _likeliest(one: Predicted) -> str:
    """The likeliest category of a distribution over categories; empty of other predictions."""
    if one.output_type != "pmf":
        return ""
    probability, category = max(zip(one.values, one.ids, strict=True))
    return f"{category} ({percent(probability)})"


def _reach(one: Predicted, written: Scale) -> str:
    """From where to where a distribution reaches; empty of one number."""
    if one.output_type not in _MANY_NUMBERS or len(one.values) < 2:
        return ""
    return f"{written.text(min(one.values))} to {written.text(max(one.values))}"
