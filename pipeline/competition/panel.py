"""The panel: a block of cross-sections as dense arrays, joined by key, NaN where absent.

Metrics and scoring rules run on it. What several of them need (who is paired, average ranks) is computed once
here and shared. Add a shared quantity here when a second metric needs it; the metrics themselves live in
``pipeline.competition.metrics``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints, average_ranks

MIN_SUBJECTS = 5
"""Fewest pairs of a cross-sectional metric, unless half the outcomes are more or the contract says otherwise."""


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
    stand_ins : array of bool, shape (sections, models), or None
        Where an earlier submission stands in for one that the model left out; None where nothing does.
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
    stand_ins: Bools | None = None

    def __post_init__(self) -> None:
        shape = self.shape
        expected = {"signals": shape, "scores": shape, "outcomes": (shape[0], shape[2]), "horizons": shape[:1]}
        for name, want in (expected | {"imputed": shape[:2]}).items():
            have = getattr(self, name).shape
            if have != want:
                raise ValueError(f"panel: {name} has shape {have}, expected {want} (sections, models, subjects)")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(sections, models, subjects)."""
        return len(self.cycles), len(self.models), len(self.subjects)

    @cached_property
    def imputed(self) -> Bools:
        """Where what is not the model's own submission stands in; shape (sections, models)."""
        return np.zeros(self.shape[:2], dtype=bool) if self.stand_ins is None else self.stand_ins

    @cached_property
    def paired(self) -> Bools:
        """Where signal and outcome are both present; shape (sections, models, subjects)."""
        return ~np.isnan(self.signals) & ~np.isnan(self.outcomes)[:, None, :]

    @cached_property
    def n_pairs(self) -> Ints:
        """Number of pairs; shape (sections, models)."""
        return np.asarray(self.paired.sum(axis=2), dtype=np.int64)

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
    def signal_ranks(self) -> Floats:
        """Average ranks (1 is lowest) of the paired signals in their cross-section, NaN elsewhere."""
        return average_ranks(np.where(self.paired, self.signals, np.nan))

    @cached_property
    def outcome_ranks(self) -> Floats:
        """Average ranks of the outcomes each model is paired with; shape (sections, models, subjects)."""
        return average_ranks(np.where(self.paired, self.outcomes[:, None, :], np.nan))


@dataclass(frozen=True)
class Axes:
    """The labels of a panel's axes, and how rows find their place on them."""

    sections: pd.MultiIndex
    models: pd.Index
    subjects: pd.Index

    @classmethod
    def of(cls, predictions: pd.DataFrame, truth: pd.DataFrame) -> "Axes":
        """Every (cycle, horizon) and model of the predictions, every subject of predictions and truth, sorted."""
        sections = predictions[["cycle", "horizon"]].drop_duplicates().sort_values(["cycle", "horizon"])
        subjects = pd.concat([predictions["subject"], truth["subject"]])
        return cls(
            pd.MultiIndex.from_frame(sections),
            pd.Index(np.sort(predictions["model_id"].unique().astype(object))),
            pd.Index(np.sort(subjects.unique().astype(object))),
        )

    def cube(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, models, subjects), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        cube = np.full((len(self.sections), len(self.models), len(self.subjects)), np.nan)
        places = self._sections_of(rows), self._models_of(rows), self._subjects_of(rows)
        cube[places] = rows[column].to_numpy(dtype=float)
        return cube

    def matrix(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, subjects), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        matrix = np.full((len(self.sections), len(self.subjects)), np.nan)
        matrix[self._sections_of(rows), self._subjects_of(rows)] = rows[column].to_numpy(dtype=float)
        return matrix

    def has_rows(self, rows: pd.DataFrame) -> Bools:
        """Where there is any of the rows; shape (sections, models).

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        found = np.zeros((len(self.sections), len(self.models)), dtype=bool)
        found[self._sections_of(rows), self._models_of(rows)] = True
        return found

    def _sections_of(self, rows: pd.DataFrame) -> Ints:
        return _places(self.sections, pd.MultiIndex.from_frame(rows[["cycle", "horizon"]]), "(cycle, horizon)")

    def _models_of(self, rows: pd.DataFrame) -> Ints:
        return _places(self.models, pd.Index(rows["model_id"]), "model")

    def _subjects_of(self, rows: pd.DataFrame) -> Ints:
        return _places(self.subjects, pd.Index(rows["subject"]), "subject")


def _places(axis: pd.Index, labels: pd.Index, what: str) -> Ints:
    places = np.asarray(axis.get_indexer(labels), dtype=np.int64)
    if (places < 0).any():
        raise ValueError(
            f"rows name the {what} {labels[places < 0][0]!r}, which is not among the predictions of this block; "
            f"give rows of the same cycles and models"
        )
    return places
