"""The panel: a block of cross-sections as dense arrays, joined by key, NaN where absent.

Metrics and scoring rules run on it. What several of them need (who is paired, average ranks) is computed once
here and shared. Add a shared quantity here when a second metric needs it; the metrics themselves live in
``pipeline.competition.metrics``.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints, average_ranks, centred, ranks_among
from pipeline.competition.labels import distinct, labels, places, places_of_runs

MIN_SUBJECTS = 5
"""Fewest pairs of a cross-sectional metric, unless half the outcomes are more or the contract says otherwise."""

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Panel:
    """Signals and outcomes of several cross-sections.

    A cross-section is one (cycle, horizon). Absent is NaN, in signals and in outcomes.

    Parameters
    ----------
    cycles : array of datetime64, shape (sections,)
    horizons : array of int, shape (sections,)
    models, subjects : arrays of str, shapes (models,) and (subjects,)
    signals : array, shape (sections, models, subjects)
        Predictions that count: received before the deadline.
    outcomes : array, shape (sections, subjects)
    scores : array, shape (sections, models, subjects)
        The scoring rule's values; NaN where there is no score. All NaN before scoring.
    min_subjects : int or None
        Fewest pairs of a cross-sectional metric; None for max(5, half the subjects with an outcome).
    center : float
        The neutral signal, for signs.
    horizon_cycles : float
        How many cycles one horizon step lasts.
    """

    cycles: npt.NDArray[np.datetime64]
    horizons: Ints
    models: npt.NDArray[np.object_]
    subjects: npt.NDArray[np.object_]
    signals: Floats
    outcomes: Floats
    scores: Floats
    min_subjects: int | None = None
    center: float = 0.0
    horizon_cycles: float = 1.0

    def __post_init__(self) -> None:
        shape = self.shape
        expected = {"signals": shape, "scores": shape, "outcomes": (shape[0], shape[2]), "horizons": shape[:1]}
        for name, want in expected.items():
            have = getattr(self, name).shape
            if have != want:
                raise ValueError(f"panel: {name} has shape {have}, expected {want} (sections, models, subjects)")

    def part(self, sections: slice) -> "Panel":
        """Some of the cross-sections as a panel of their own."""
        per_section = ("cycles", "horizons", "signals", "outcomes", "scores")
        return replace(self, **{name: getattr(self, name)[sections] for name in per_section})

    def with_scores(self, scores: Floats) -> "Panel":
        """The same panel with these scores; ranks and pairs that are known already stay known."""
        scored = replace(self, scores=scores)
        shared = {name: value for name, value in vars(self).items() if name not in self.__dataclass_fields__}
        vars(scored).update(shared)
        return scored

    @property
    def shape(self) -> tuple[int, int, int]:
        """(sections, models, subjects)."""
        return len(self.cycles), len(self.models), len(self.subjects)

    @cached_property
    def paired(self) -> Bools:
        """Where signal and outcome are both present; shape (sections, models, subjects)."""
        return ~np.isnan(self.signals) & ~np.isnan(self.outcomes)[:, None, :]

    @cached_property
    def n_pairs(self) -> Ints:
        """Number of pairs; shape (sections, models)."""
        return np.asarray(np.count_nonzero(self.paired, axis=2), dtype=np.int64)

    @cached_property
    def n_outcomes(self) -> Ints:
        """Number of subjects with an outcome; shape (sections,)."""
        return np.asarray((~np.isnan(self.outcomes)).sum(axis=1), dtype=np.int64)

    @cached_property
    def too_few(self) -> Bools:
        """Where a cross-section has too few pairs for a cross-sectional metric; shape (sections, models)."""
        half = np.maximum(MIN_SUBJECTS, np.ceil(self.n_outcomes / 2))
        needed = half if self.min_subjects is None else np.full(self.shape[0], self.min_subjects)
        return self.n_pairs < needed[:, None]

    @cached_property
    def paired_signals(self) -> Floats:
        """The signals of pairs, NaN elsewhere."""
        return np.where(self.paired, self.signals, np.nan)

    @cached_property
    def signal_ranks(self) -> Floats:
        """Average ranks (1 is lowest) of the paired signals in their cross-section, NaN elsewhere."""
        return average_ranks(self.paired_signals)

    @cached_property
    def outcome_ranks(self) -> Floats:
        """Average ranks of the outcomes each model is paired with; shape (sections, models, subjects)."""
        return ranks_among(self.outcomes, self.paired)

    @cached_property
    def centred_signal_ranks(self) -> Floats:
        """``signal_ranks`` minus their mean in each cross-section, 0 where there is no pair."""
        return centred(self.signal_ranks)

    @cached_property
    def centred_outcome_ranks(self) -> Floats:
        """``outcome_ranks`` minus their mean in each cross-section, 0 where there is no pair."""
        return centred(self.outcome_ranks)


@dataclass(frozen=True)
class Axes:
    """The labels of a panel's axes, and how rows find their place on them."""

    sections: pd.MultiIndex
    models: pd.Index
    subjects: pd.Index

    @classmethod
    def of(cls, predictions: pd.DataFrame, truth: pd.DataFrame) -> "Axes":
        """Every (cycle, horizon) and model of the predictions, every subject of predictions and truth, sorted."""
        sections = distinct(predictions, ["cycle", "horizon"]).sort_values(["cycle", "horizon"])
        subjects = np.concatenate([labels(predictions["subject"]), labels(truth["subject"])])
        return cls(
            pd.MultiIndex.from_frame(sections),
            pd.Index(np.sort(labels(predictions["model_id"]))),
            pd.Index(np.unique(subjects)),
        )

    def cube(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, models, subjects), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        models, subjects = (
            places(self.models, rows["model_id"], "model"),
            places(self.subjects, rows["subject"], "subject"),
        )
        return _filled(
            (len(self.sections), len(self.models), len(self.subjects)),
            rows[column],
            self._sections_of(rows),
            models,
            subjects,
        )

    def matrix(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, subjects), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        subjects = places(self.subjects, rows["subject"], "subject")
        return _filled((len(self.sections), len(self.subjects)), rows[column], self._sections_of(rows), subjects)

    def _sections_of(self, rows: pd.DataFrame) -> Ints:
        return places_of_runs(self.sections, rows, "(cycle, horizon)")


def _filled(shape: tuple[int, ...], values: pd.Series, *places: Ints) -> Floats:
    """An array with the values at their places, NaN elsewhere."""
    array = np.full(shape, np.nan)
    flat, given = array.reshape(-1), values.to_numpy(dtype=float)
    for start in range(0, len(given), _ROWS_AT_ONCE):  # so that what is worked out in between stays in the cache
        rows = slice(start, start + _ROWS_AT_ONCE)
        flat[np.ravel_multi_index([place[rows] for place in places], shape)] = given[rows]
    return array
