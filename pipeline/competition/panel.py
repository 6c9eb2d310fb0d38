"""The panel: a block of cross-sections as dense arrays, joined by key, NaN where absent.

Metrics and scoring rules run on it. What several of them need (who is paired, average ranks) is computed once
here and shared. Add a shared quantity here when a second metric needs it; the metrics themselves live in
``pipeline.competition.metrics``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints, centred
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.labels import distinct, labels, places, places_of_runs
from pipeline.competition.outputs import Output
from pipeline.competition.peers import Peers, unit_ranks
from pipeline.leaderboard.ranks import average_ranks, ranks_among

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
    factors : array, shape (sections, subjects, factors), or None
        Properties of the subjects known at the cycle; None when the contest has none or nothing needs them.
    previous : array, shape (sections, models, subjects), or None
        What each model submitted for the same horizon in the previous cycle of the competition; None as above.
    peers : Peers or None
        The models that others are compared with; None for those of the panel itself.
    stand_ins : array of bool, shape (sections, models), or None
        Where an earlier submission stands in for one that the model left out; None where nothing does.
    forecasts : Forecasts or None
        The distributions that the signals sum up, of shape (sections, models, subjects, ids); None where a
        prediction is one number.
    measures : mapping of str to array, shape (sections, models, subjects)
        What the scoring rule says of a distribution besides its score; NaN where undefined. Empty before scoring, and
        where the rule says nothing.
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
    factors: Floats | None = None
    previous: Floats | None = None
    peers: Peers | None = None
    stand_ins: Bools | None = None
    forecasts: Forecasts | None = None
    measures: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.shape
        expected = {"signals": shape, "scores": shape, "outcomes": (shape[0], shape[2]), "horizons": shape[:1]}
        if self.previous is not None:
            expected["previous"] = shape
        for name, want in (expected | {"imputed": shape[:2]}).items():
            have = getattr(self, name).shape
            if have != want:
                raise ValueError(f"panel: {name} has shape {have}, expected {want} (sections, models, subjects)")
        if self.factors is not None and self.factors.shape[:-1] != (shape[0], shape[2]):
            have, want = self.factors.shape, (shape[0], shape[2])
            raise ValueError(f"panel: factors have shape {have}, expected {want} (sections, subjects) and factors")
        if self.forecasts is not None and self.forecasts.values.shape[:-1] != shape:
            have = self.forecasts.values.shape
            raise ValueError(
                f"panel: forecasts have shape {have}, expected {shape} (sections, models, subjects) and ids"
            )
        if self.peers is not None:
            self.peers.fit(shape)

    def at(self, section: int) -> "Panel":
        """One cross-section as a panel of its own."""
        return self.part(slice(section, section + 1))

    def part(self, sections: slice) -> "Panel":
        """Some cross-sections as a panel of their own."""
        per_section = ("cycles", "horizons", "signals", "outcomes", "scores", "factors", "previous", "stand_ins")
        arrays = {name: array[sections] for name in per_section if (array := getattr(self, name)) is not None}
        peers = None if self.peers is None else self.peers.part(sections)
        forecasts = None if self.forecasts is None else self.forecasts.part(sections)
        measures = {name: measure[sections] for name, measure in self.measures.items()}
        return replace(self, **arrays, peers=peers, forecasts=forecasts, measures=measures)

    def of_subject(self, place: int) -> "Panel":
        """One subject as a panel of its own, whose models are compared with nobody; its scores are those it has."""
        one = slice(place, place + 1)
        per_subject = ("signals", "scores", "previous")
        arrays = {name: array[:, :, one] for name in per_subject if (array := getattr(self, name)) is not None}
        factors = None if self.factors is None else self.factors[:, one]
        forecasts = None if self.forecasts is None else self.forecasts.part((slice(None), slice(None), one))
        return replace(
            self,
            **arrays,
            subjects=self.subjects[one],
            outcomes=self.outcomes[:, one],
            factors=factors,
            peers=None,
            forecasts=forecasts,
            measures={name: measure[:, :, one] for name, measure in self.measures.items()},
        )

    def with_scores(self, scores: Floats, measures: Mapping[str, Floats] | None = None) -> "Panel":
        """The same panel with these scores and measures; ranks and pairs that are known already stay known."""
        scored = replace(self, scores=scores, measures=measures or {})
        shared = {name: value for name, value in vars(self).items() if name not in self.__dataclass_fields__}
        vars(scored).update(shared)
        return scored

    @property
    def shape(self) -> tuple[int, int, int]:
        """(sections, models, subjects)."""
        return len(self.cycles), len(self.models), len(self.subjects)

    def with_signals(
        self,
        signals: Floats,
        models: npt.NDArray[np.object_] | None = None,
        forecasts: Forecasts | None = None,
    ) -> "Panel":
        """The same sections and outcomes with other predictions alone; ``models`` where their number differs."""
        scores = np.full_like(signals, np.nan)
        models = self.models if models is None else models
        return replace(
            self,
            models=models,
            signals=signals,
            scores=scores,
            previous=None,
            peers=None,
            stand_ins=None,
            forecasts=forecasts,
            measures={},
        )

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
        return np.asarray(np.count_nonzero(self.paired, axis=2), dtype=np.int64)

    @cached_property
    def n_outcomes(self) -> Ints:
        """Number of subjects with an outcome; shape (sections,)."""
        return np.asarray((~np.isnan(self.outcomes)).sum(axis=1), dtype=np.int64)

    @cached_property
    def needed(self) -> Ints:
        """Fewest subjects of a cross-sectional metric; shape (sections,)."""
        half = np.maximum(MIN_SUBJECTS, np.ceil(self.n_outcomes / 2))
        return np.asarray(half if self.min_subjects is None else np.full(self.shape[0], self.min_subjects), np.int64)

    @cached_property
    def too_few(self) -> Bools:
        """Where a cross-section has too few pairs for a cross-sectional metric; shape (sections, models)."""
        return self.n_pairs < self.needed[:, None]

    @cached_property
    def submitted(self) -> Bools:
        """Where a model submitted a signal, its outcome known or not; shape (sections, models, subjects)."""
        return ~np.isnan(self.signals)

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

    @cached_property
    def submitted_ranks(self) -> Floats:
        """Average ranks of all signals that a model submitted in a cross-section, NaN elsewhere."""
        # As a rule every subject has an outcome in the end, and these are the ranks that most metrics need anyway.
        return self.signal_ranks if (self.paired == self.submitted).all() else average_ranks(self.signals)

    @cached_property
    def unit_ranks(self) -> Floats:
        """Centred ranks of what each model submitted, of length 1: the product of two models' is their correlation."""
        return unit_ranks(self.submitted_ranks)

    @cached_property
    def compared_with(self) -> Peers:
        """The models that others are compared with: ``peers``, or every model of the panel."""
        if self.peers is not None:
            return self.peers
        return Peers.of(self.unit_ranks, ~self.imputed)


@dataclass(frozen=True)
class Axes:
    """The labels of a panel's axes, and how rows find their place on them."""

    sections: pd.MultiIndex
    models: pd.Index
    subjects: pd.Index

    @classmethod
    def of(cls, predictions: pd.DataFrame, *others: pd.DataFrame) -> "Axes":
        """Every (cycle, horizon) and model of the predictions, every subject of these and other rows, sorted."""
        sections = distinct(predictions, ["cycle", "horizon"]).sort_values(["cycle", "horizon"])
        subjects = np.concatenate([labels(rows["subject"]) for rows in (predictions, *others)])
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
        cube = np.full((len(self.sections), len(self.models), len(self.subjects)), np.nan)
        self.fill(cube, rows, column)
        return cube

    def predicted(self, rows: pd.DataFrame, output: Output) -> tuple[Floats, Forecasts | None]:
        """What the rows predict: one number each, and the distributions that it sums up, if they are some.

        Parameters
        ----------
        rows : DataFrame
            model_id, cycle, horizon, subject and value; of distributions also output_type_id, as tables hold it.
        output : Output

        Returns
        -------
        signals : array, shape (sections, models, subjects)
        forecasts : Forecasts or None
            Of shape (sections, models, subjects, ids).

        Raises
        ------
        ValueError
            If a row has no place on the axes, or an id is not among those declared.
        """
        if not output.is_distribution:
            return self.cube(rows, "value"), None
        ids = output.axis(rows["output_type_id"])
        values = np.full((len(self.sections), len(self.models), len(self.subjects), len(ids)), np.nan)
        models, subjects = (
            places(self.models, rows["model_id"], "model"),
            places(self.subjects, rows["subject"], "subject"),
        )
        of_id = places(ids, rows["output_type_id"], "output_type_id")
        _put(values, rows["value"], self._sections_of(rows), models, subjects, of_id)
        forecasts = Forecasts(output.distribution, output.numbers(ids), values)
        return forecasts.points(), forecasts

    def fill(self, cube: Floats, rows: pd.DataFrame, column: str) -> None:
        """Put ``column`` of the rows at their places in an array of shape (sections, models, subjects).

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        models = places(self.models, rows["model_id"], "model")
        _put(cube, rows[column], self._sections_of(rows), models, places(self.subjects, rows["subject"], "subject"))

    def matrix(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, subjects), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        matrix = np.full((len(self.sections), len(self.subjects)), np.nan)
        _put(matrix, rows[column], self._sections_of(rows), places(self.subjects, rows["subject"], "subject"))
        return matrix

    def matrix_of_models(self, rows: pd.DataFrame, column: str) -> Floats:
        """``column`` of the rows as an array of shape (sections, models), NaN where there is no row.

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        matrix = np.full((len(self.sections), len(self.models)), np.nan)
        _put(matrix, rows[column], self._sections_of(rows), places(self.models, rows["model_id"], "model"))
        return matrix

    def has_rows(self, rows: pd.DataFrame) -> Bools:
        """Where there is any of the rows; shape (sections, models).

        Raises
        ------
        ValueError
            If a row has no place on the axes.
        """
        found = np.zeros((len(self.sections), len(self.models)), dtype=bool)
        found[self._sections_of(rows), places(self.models, rows["model_id"], "model")] = True
        return found

    def factors(self, rows: pd.DataFrame) -> Floats:
        """Factors of each section's cycle, shape (sections, subjects, factors), NaN where there is no row.

        Factors are in the order of their names. Rows of other cycles and subjects are left out: a factor may be known
        of more than is predicted.

        Parameters
        ----------
        rows : DataFrame
            cycle, subject, factor, value.
        """
        cycles, of_section = np.unique(self.sections.get_level_values("cycle").to_numpy(), return_inverse=True)
        names = pd.Index(np.sort(rows["factor"].unique().astype(object)))
        places = (
            pd.Index(cycles).get_indexer(pd.Index(rows["cycle"])),
            self.subjects.get_indexer(pd.Index(rows["subject"])),
            names.get_indexer(pd.Index(rows["factor"])),
        )
        here = (places[0] >= 0) & (places[1] >= 0)
        cube = np.full((len(cycles), len(self.subjects), len(names)), np.nan)
        cube[tuple(place[here] for place in places)] = rows["value"].to_numpy(dtype=float)[here]
        return cube[of_section]

    def _sections_of(self, rows: pd.DataFrame) -> Ints:
        return places_of_runs(self.sections, rows, "(cycle, horizon)")


def _put(array: Floats, values: pd.Series, *places: Ints) -> None:
    """Put values at their places."""
    flat, given = array.reshape(-1), values.to_numpy(dtype=float)
    for start in range(0, len(given), _ROWS_AT_ONCE):  # so that what is worked out in between stays in the cache
        rows = slice(start, start + _ROWS_AT_ONCE)
        flat[np.ravel_multi_index([place[rows] for place in places], array.shape)] = given[rows]
