"""A block of cycles on common axes, walked through every state of knowledge: what scoring and metrics share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Bools, Floats, Ints
from pipeline.competition.contract import Contract
from pipeline.competition.forecasts import Forecasts
from pipeline.competition.outputs import Output
from pipeline.competition.panel import Axes, Panel
from pipeline.competition.peers import Peers, unit_ranks
from pipeline.competition.previous import Before
from pipeline.competition.truth import outcomes_of, versions
from pipeline.leaderboard.ranks import average_ranks


@dataclass(frozen=True)
class State:
    """What was known of some sections of a block at one time each.

    Parameters
    ----------
    sections : array of int
        Their positions on the block's axes.
    known_at : array of datetime64, shape (len(sections),)
    panel : Panel
        Of these sections; its ``scores`` are those known then.
    """

    sections: Ints
    known_at: npt.NDArray[np.datetime64]
    panel: Panel


@dataclass(frozen=True)
class Block:
    """Predictions that count, and the truth of their cross-sections, on common axes."""

    axes: Axes
    signals: Floats
    imputed: Bools
    outcomes: pd.DataFrame
    contract: Contract
    previous: Floats | None = None
    factors: Floats | None = None
    peers: Peers | None = None
    forecasts: Forecasts | None = None

    @classmethod
    def of(
        cls,
        predictions: pd.DataFrame,
        truth: pd.DataFrame,
        contract: Contract,
        earlier: pd.DataFrame | None = None,
        factors: pd.DataFrame | None = None,
        peers: pd.DataFrame | None = None,
    ) -> "Block":
        """From rows of whole cycles; predictions that came late are left out.

        Parameters
        ----------
        predictions, truth, contract
            As for :func:`pipeline.competition.stages.compute_cycle_metrics`.
        earlier : DataFrame or None
            Predictions of other cycles, so that every cycle finds the one before it there or among its own; None when
            nothing asks for the previous cycle.
        factors : DataFrame or None
            Rows of ``factors``; None when nothing asks for them.
        peers : DataFrame or None
            Predictions by other models, which these are compared with; None where they are compared with each other.
        """
        counted = _in_time(predictions)
        outcomes = outcomes_of(counted, truth)
        before = None if earlier is None else Before.of(counted, _in_time(earlier), contract.output)
        others = None if peers is None else _in_time(peers)
        more = [] if before is None else [before.rows]
        axes = Axes.of(counted, outcomes, *more, *([] if others is None else [others]))
        signals, forecasts = axes.predicted(counted, contract.output)
        return cls(
            axes,
            signals,
            axes.has_rows(counted[counted["is_imputed"].to_numpy(dtype=bool)]),
            outcomes,
            contract,
            None if before is None else before.signals(axes, signals),
            None if factors is None else axes.factors(factors),
            None if others is None else _peers(axes, others, contract.output),
            forecasts,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(sections, models, subjects)."""
        return len(self.axes.sections), len(self.axes.models), len(self.axes.subjects)

    def states(self, scores: pd.DataFrame | None = None) -> Iterator[State]:
        """Every state of knowledge of every cycle that has any, each cycle's in the order of time.

        Parameters
        ----------
        scores : DataFrame or None
            Rows of ``scores``; the panels then carry those known at each state.

        Yields
        ------
        State
        """
        cycles = self.axes.sections.get_level_values("cycle")
        for version in versions(self.outcomes):
            sections = np.flatnonzero(cycles.isin(version.known_at.index))
            known = None if scores is None else self.axes.cube(_known_scores(scores, version.known_at), "value")
            yield State(
                sections,
                version.known_at.reindex(cycles[sections]).to_numpy(),
                self._panel(sections, version.outcomes, known),
            )

    def newest(self) -> Panel:
        """Every section with the newest outcomes; NaN where none is known yet."""
        rows = self.outcomes.sort_values("known_at", kind="stable")
        latest = rows.drop_duplicates(["cycle", "horizon", "subject"], keep="last")
        return self._panel(np.arange(self.shape[0]), latest, None)

    def _panel(self, sections: Ints, outcomes: pd.DataFrame, scores: Floats | None) -> Panel:
        """Some sections with these outcomes; ``scores`` are of all sections."""
        span = _span(sections)
        return Panel(
            cycles=self.axes.sections.get_level_values("cycle")[sections].to_numpy(),
            horizons=self.axes.sections.get_level_values("horizon").to_numpy()[sections],
            models=self.axes.models.to_numpy(),
            subjects=self.axes.subjects.to_numpy(),
            signals=self.signals[span],
            outcomes=self.axes.matrix(outcomes, "value")[sections],
            scores=(np.broadcast_to(np.nan, self.shape) if scores is None else scores)[span],
            min_subjects=self.contract.min_subjects,
            center=self.contract.center,
            horizon_cycles=self.contract.horizon_cycles,
            factors=None if self.factors is None else self.factors[span],
            previous=None if self.previous is None else self.previous[span],
            peers=None if self.peers is None else self.peers.part(span),
            stand_ins=self.imputed[span],
            forecasts=None if self.forecasts is None else self.forecasts.part(span),
        )


def _span(sections: Ints) -> slice | Ints:
    """Sections without a gap as a slice, which copies nothing."""
    if not sections.size:
        return sections
    first, last = int(sections[0]), int(sections[-1])
    return slice(first, last + 1) if last - first + 1 == len(sections) else sections


def _in_time(predictions: pd.DataFrame) -> pd.DataFrame:
    is_late = predictions["is_late"].to_numpy(dtype=bool)
    return predictions[~is_late] if is_late.any() else predictions


def _peers(axes: Axes, rows: pd.DataFrame, output: Output) -> Peers:
    """The sums over other models, for the models of the axes."""
    here = pd.MultiIndex.from_frame(rows[["cycle", "horizon"]]).isin(axes.sections)
    models = pd.Index(np.sort(rows["model_id"].unique().astype(object)))
    signals, _ = replace(axes, models=models).predicted(rows[here], output)
    units = unit_ranks(average_ranks(signals))
    return Peers.of(units, np.ones(units.shape[:2], dtype=bool)).for_others(len(axes.models))


def _known_scores(scores: pd.DataFrame, known_at: pd.Series) -> pd.DataFrame:
    """The latest score of every prediction of the cycles in ``known_at``, as known then."""
    rows = scores[scores["known_at"] <= scores["cycle"].map(known_at)]
    rows = rows.sort_values("known_at", kind="stable")
    return rows.drop_duplicates(["model_id", "cycle", "horizon", "subject"], keep="last")


class LastKnown:
    """The latest value of arrays at every place of a block; tells what a new state changes."""

    def __init__(self) -> None:
        self._last: dict[str, Floats] = {}

    def update(self, places: int, rows: Ints, **arrays: Floats) -> Bools:
        """Take in the new values of some rows and say where any of them differs from before.

        Parameters
        ----------
        places : int
            Length of the whole first axis.
        rows : array of int
            Which places of the first axis the arrays are for.
        **arrays : array, shape (len(rows), ...)
            Named arrays of one shape; NaN equals NaN, and everything is NaN at first.

        Returns
        -------
        bool array, shape (len(rows), ...)
        """
        changed = np.zeros(next(iter(arrays.values())).shape, dtype=bool)
        for name, new in arrays.items():
            last = self._last.setdefault(name, np.full((places, *new.shape[1:]), np.nan))
            old = last[rows]
            changed |= ~((new == old) | (np.isnan(new) & np.isnan(old)))
            last[rows] = new
        return changed
