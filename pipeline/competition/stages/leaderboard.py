"""Snapshots in, ranked boards out: picks the keys and who is eligible; the kernel does the ranking."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.competition.arrays import Floats, Ints
from pipeline.competition.categories import OVERALL
from pipeline.competition.contract import Contract
from pipeline.competition.declaration import LeaderboardSpec
from pipeline.competition.peers import are_virtual
from pipeline.competition.stages.rank_evidence import RankEvidence
from pipeline.leaderboard import Ranking, Reasons, eligibility, rank_change, rank_contestants

Column = npt.NDArray[np.generic]
COLUMNS = [
    *("as_of", "category", "model_id", "position", "rank", "rank_with_ensembles", "rank_change"),
    *("rank_lo", "rank_hi", "tie_group", "n_cycles", "n_effective", "rank_method"),
    *("rank_key", "coverage", "n", "is_ensemble", "status"),
]
CHANGE_SINCE = timedelta(hours=24)
"""A board's ``rank_change`` is against the newest board at least this much older."""


def earlier_board(as_of: datetime, as_ofs: Sequence[datetime]) -> datetime | None:
    """The newest of ``as_ofs`` (ascending) that is at least 24 hours before ``as_of``; None when there is none."""
    place = bisect_right(as_ofs, as_of - CHANGE_SINCE)
    return as_ofs[place - 1] if place else None


def compute_leaderboard(
    snapshots: pd.DataFrame,
    as_ofs: Sequence[datetime],
    known_as_ofs: Sequence[datetime],
    contract: Contract,
    evidence: RankEvidence,
) -> pd.DataFrame:
    """Rank the models at each moment.

    Parameters
    ----------
    snapshots : DataFrame
        Rows of ``snapshots`` at ``as_ofs`` and at the earlier boards they are compared with.
    as_ofs : sequence of datetime
        The moments to make boards for.
    known_as_ofs : sequence of datetime
        Every moment that has snapshots, ascending.
    contract : Contract
    evidence : RankEvidence
        Of the same contest; moves forward in time, so it must not have been asked about later moments.

    Returns
    -------
    DataFrame
        Rows of ``leaderboard``. Who is not eligible, or has no value to be ranked by, is listed last with
        ``unranked: <reason>``.
    """
    if snapshots.empty:
        return pd.DataFrame(columns=COLUMNS)
    boards = {
        category: _Boards(category, snapshots[snapshots["category"] == category], contract, evidence)
        for category in sorted(snapshots["category"].unique())
    }
    every = (
        of_category.board(np.datetime64(as_of, "us"), earlier_board(as_of, known_as_ofs))
        for as_of in sorted(as_ofs)
        for of_category in boards.values()
    )
    parts = [part for part in every if part is not None]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame({column: np.concatenate([part[column] for part in parts]) for column in COLUMNS})


def _wide(snapshots: pd.DataFrame, board: LeaderboardSpec) -> pd.DataFrame:
    """One row for each moment and model of a category: value and reason of every key, coverage and n of the first."""
    row = ["as_of", "model_id"]
    name = snapshots["window_name"] + "." + snapshots["metric"]
    keys = board.keys
    wide = snapshots[name == keys[0]].set_index(row)[["coverage", "n", "n_scored", "cycles_absent"]].copy()
    for key in keys:
        of_key = snapshots[name == key].set_index(row)
        wide[key] = of_key["value"]
        why = of_key["reason"].astype(object).reindex(wide.index)  # virtual models have no metrics of members
        wide["reason of " + key] = why.where(why.notna(), None)
    return wide.sort_index().reset_index()


@dataclass(frozen=True)
class _Board:
    """The models at one moment, by their places among all rows, and how they rank."""

    places: Ints
    ranking: Ranking


class _Boards:
    """Ranks the models of a category at any moment, each moment once."""

    def __init__(self, category: str, snapshots: pd.DataFrame, contract: Contract, evidence: RankEvidence) -> None:
        self._category = category
        self._evidence = evidence
        self._contract = contract
        spec = contract.board(category)
        wide = _wide(snapshots, spec)
        self._models = wide["model_id"].to_numpy(dtype=object)
        self._is_ensemble = are_virtual(self._models)
        self._numbers = {
            key: wide[key].to_numpy(dtype=float) for key in (*spec.keys, "coverage", "n", "n_scored", "cycles_absent")
        }
        self._undefined = {key: wide["reason of " + key].to_numpy(dtype=object) for key in spec.weights}
        codes, moments = pd.factorize(wide["as_of"])
        places = np.split(np.arange(len(wide)), np.flatnonzero(np.diff(codes)) + 1)
        self._places = {np.datetime64(moment, "us"): rows for moment, rows in zip(moments, places, strict=True)}
        self._ranked: dict[np.datetime64, _Board | None] = {}

    def board(self, as_of: np.datetime64, earlier: datetime | None) -> dict[str, Column] | None:
        """Columns of ``leaderboard``, compared with the board at ``earlier``; None when there are no models."""
        now = self._rank(as_of)
        if now is None:
            return None
        before = None if earlier is None else self._rank(np.datetime64(earlier, "us"))
        ranking, models = now.ranking, self._models[now.places]
        return {
            "as_of": np.full(len(models), as_of),
            "category": np.full(len(models), self._category, dtype=object),
            "model_id": models,
            "position": ranking.position,
            "rank": _or_null(ranking.rank),
            "rank_with_ensembles": _or_null(ranking.rank_with_ensembles),
            "rank_change": rank_change(ranking.rank, self._ranks_of(models, before)),
            **self._uncertainty(as_of, now),
            "rank_key": ranking.key,
            "coverage": self._numbers["coverage"][now.places],
            "n": self._numbers["n"][now.places].astype(np.int64),
            "is_ensemble": self._is_ensemble[now.places],
            "status": ranking.status,
        }

    def _uncertainty(self, as_of: np.datetime64, board: _Board) -> dict[str, Column]:
        """Rank intervals among the ranked real models; virtual ones are made of these, so they are in no comparison."""
        ranking = board.ranking
        models = self._models[board.places]
        found = self._evidence.intervals(as_of, self._category, models, ranking.key, ranking.rank > 0)
        is_virtual = (ranking.rank_with_ensembles > 0) & self._is_ensemble[board.places]
        return {
            "rank_lo": _or_null(found.rank_lo),
            "rank_hi": _or_null(found.rank_hi),
            "tie_group": _or_null(found.tie_group),
            "n_cycles": np.where(ranking.rank > 0, found.n_cycles, np.nan),
            "n_effective": found.n_effective,
            "rank_method": np.where(is_virtual, "virtual", found.method),
        }

    def _ranks_of(self, models: npt.NDArray[np.object_], board: _Board | None) -> Ints:
        """The ranks that models had on a board, 0 where they had none."""
        if board is None:
            return np.zeros(len(models), dtype=np.int64)
        ranks = dict(zip(self._models[board.places], board.ranking.rank, strict=True))
        return np.array([ranks.get(model, 0) for model in models], dtype=np.int64)

    def _rank(self, as_of: np.datetime64) -> _Board | None:
        if as_of not in self._ranked:
            places = self._places.get(as_of)
            self._ranked[as_of] = None if places is None else self._rank_places(places)
        return self._ranked[as_of]

    def _rank_places(self, places: Ints) -> _Board:
        columns = {name: values[places] for name, values in self._numbers.items()}
        undefined = {key: why[places].tolist() for key, why in self._undefined.items()}
        ranking = rank_models(self._models[places], columns, self._contract, undefined, category=self._category)
        return _Board(places, ranking)


def rank_models(
    models: npt.NDArray[np.object_],
    columns: Mapping[str, Floats],
    contract: Contract,
    undefined: Mapping[str, Reasons] | None = None,
    *,
    category: str = OVERALL,
) -> Ranking:
    """Rank models as a contest declares.

    Parameters
    ----------
    models : object array of str, shape (models,)
    columns : mapping of str to array
        Values of every key, coverage, n_scored and cycles_absent in the window ranked by; shape (models,).
    contract : Contract
    undefined : mapping of str to reasons, optional
        Why values of a key are undefined.
    category : str
        Whose board it is.
    """
    spec = contract.board(category)
    limit = spec.inactive_after
    reasons = eligibility(
        columns["coverage"],
        columns["n_scored"],
        min_coverage=spec.min_coverage,
        min_predictions=spec.min_predictions,
        inactive=None if limit is None else columns["cycles_absent"] >= limit,
    )
    for key in spec.weights:
        # Why a value is undefined says more than the low coverage that often comes with it.
        reasons[np.isnan(columns[key])] = None
    return rank_contestants(
        models.tolist(),
        columns,
        contract.rank_by(category),
        virtual=are_virtual(models),
        ineligible=reasons.tolist(),
        undefined=undefined,
    )


def _or_null(ranks: npt.NDArray[np.int64]) -> Floats:
    """Ranks with NaN where there is none."""
    return np.where(ranks > 0, ranks, np.nan)
