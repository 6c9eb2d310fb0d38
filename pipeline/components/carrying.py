"""Predictions of a competition that carries submissions forward: where earlier ones are read, which changes reach far.

What stands in for what is decided in :mod:`pipeline.competition.stand_ins`; nothing here does anything for contests
with another rule for missing cycles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from typing import Protocol

import pandas as pd

from pipeline.competition import Contract
from pipeline.competition.stages import stamp_deadline
from pipeline.competition.stand_ins import Played, carry_forward, choose_stand_ins
from pipeline.competition.submissions import choose_submissions, counted_rows
from pipeline.components.recompute import Recompute
from pipeline.tables import PREDICTION_ROWS, PREDICTIONS
from pipeline.warehouse import Store, compose
from pipeline.warehouse.identifiers import Sql

_CHOSEN = Sql("(model_id, cycle) IN (SELECT unnest(?::VARCHAR[]), unnest(?::TIMESTAMP[]))")


class Submissions(Protocol):
    """What was submitted to other cycles than those in hand."""

    def played(self, cycles: Sequence[datetime]) -> Played:
        """Who was in time for which cycles up to the last of these; of these themselves it need not tell."""

    def rows(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Rows of ``predictions`` of some submissions in time, by columns model_id and from_cycle."""


def fill_in(
    rows: pd.DataFrame, cycles: Sequence[datetime], contract: Contract, submissions: Submissions
) -> pd.DataFrame:
    """The predictions of some cycles with what stands in for those that models left out.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``predictions``, all of these cycles.
    cycles : sequence of datetime
    contract : Contract
    submissions : Submissions
        Of the other cycles.
    """
    if not contract.missing.carries:
        return rows
    played = submissions.played(cycles) | Played.of_predictions(rows)
    chosen = choose_stand_ins(played, cycles, contract.missing.max_cycles)
    elsewhere = chosen.loc[~chosen["from_cycle"].isin(cycles), ["model_id", "from_cycle"]].drop_duplicates()
    earlier = rows.iloc[:0] if elsewhere.empty else submissions.rows(elsewhere)
    return carry_forward(rows, earlier, chosen)


def landed_changes(seqs: Mapping[datetime, int], contract: Contract) -> dict[datetime, int]:
    """The newest change that the predictions of each cycle depend on, given that of each cycle's landed rows.

    A submission may stand in for any later cycle; rows that come out the same move nothing further on.
    """
    if not contract.missing.carries:
        return dict(seqs)
    ordered = sorted(seqs)
    return dict(zip(ordered, accumulate((seqs[cycle] for cycle in ordered), max), strict=True))


@dataclass(frozen=True)
class LandedSubmissions:
    """Submissions out of landed rows."""

    store: Store
    contract: Contract

    def played(self, cycles: Sequence[datetime]) -> Played:  # noqa: ARG002
        """Who was in time for which cycles of all."""
        return self._played

    def rows(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Rows of ``predictions`` of the submissions that count."""
        statement = compose(
            "SELECT * FROM {table} WHERE competition = ? AND {chosen} ORDER BY ALL",
            table=PREDICTION_ROWS,
            chosen=_CHOSEN,
        )
        rows = self.store.query(statement, [self.contract.name, *_lists(chosen)])
        return stamp_deadline(counted_rows(rows, choose_submissions(rows, self.contract)), self.contract)

    def rows_per_cycle(self) -> int:
        """How many predictions a cycle has at most when everybody takes part, or is carried to it."""
        if not self.contract.missing.carries:
            return 1
        statement = compose(
            "SELECT coalesce(sum(most), 1)::BIGINT AS n FROM ("
            " SELECT model_id, max(n) AS most FROM ("
            "  SELECT model_id, count(*) AS n FROM {table} WHERE competition = ? GROUP BY model_id, cycle, file_number)"
            " GROUP BY model_id)",
            table=PREDICTION_ROWS,
        )
        return int(self.store.query(statement, [self.contract.name])["n"].iloc[0])

    @cached_property
    def _played(self) -> Played:
        # In time when one of a model's files for a cycle was, as choose_submissions has it.
        statement = compose(
            "SELECT model_id, list(DISTINCT cycle) AS cycles FROM ("
            " SELECT model_id, cycle FROM {table} WHERE competition = ? GROUP BY model_id, cycle, file_number"
            " HAVING max(received_at) <= cycle + to_microseconds(?)"
            ") GROUP BY model_id ORDER BY model_id",
            table=PREDICTION_ROWS,
        )
        microseconds = round(self.contract.predictions.deadline.total_seconds() * 1e6)
        found = self.store.query(statement, [self.contract.name, microseconds])
        return Played.of(found["model_id"].tolist(), found["cycles"].tolist())


@dataclass(frozen=True)
class StoredSubmissions:
    """Submissions out of stored predictions, for a source that is not to be asked for all that it ever predicted.

    Parameters
    ----------
    store : Store
    contract : Contract
    cycles : sequence of datetime
        Those that count: stored as the source has them before the cycles after them are computed.
    """

    store: Store
    contract: Contract
    cycles: Sequence[datetime]

    @classmethod
    def of(
        cls, store: Store, contract: Contract, cycles: Sequence[datetime], code: str, config: Recompute
    ) -> "StoredSubmissions":
        """Of the source's cycles those that are stored by the present code, or that this run goes through in order.

        Others, left out by hand, do not count until a run takes them in, which computes later ones again.
        """
        current = {cycle for cycle, made_by in _codes(store, contract).items() if made_by == code}
        first, last = config.first or datetime.min, config.last or datetime.max
        return cls(store, contract, [cycle for cycle in cycles if cycle in current or first <= cycle <= last])

    def changes(self, cycles: Sequence[datetime]) -> dict[datetime, int]:
        """For each of the source's cycles a number that grows whenever an earlier one begins to count or goes.

        It is how many count, those that the source does not have any more twice.
        """
        gone = _codes(self.store, self.contract).keys() - set(cycles)
        steps = dict.fromkeys(cycles, 0) | dict.fromkeys(self.cycles, 1) | dict.fromkeys(gone, 2)
        ordered = sorted(steps)
        counted = dict(zip(ordered, accumulate(steps[cycle] for cycle in ordered), strict=True))
        return {cycle: counted[cycle] for cycle in cycles}

    def played(self, cycles: Sequence[datetime]) -> Played:
        """Who was in time for which cycles before the last of these, but for these: they may be stored otherwise."""
        statement = compose(
            "SELECT model_id, list(DISTINCT cycle) AS cycles FROM {table}"
            " WHERE competition = ? AND NOT is_late AND NOT is_imputed AND cycle IN (SELECT unnest(?::TIMESTAMP[]))"
            " GROUP BY model_id ORDER BY model_id",
            table=PREDICTIONS,
        )
        before = [cycle for cycle in self.cycles if cycle < max(cycles) and cycle not in set(cycles)]
        found = self.store.query(statement, [self.contract.name, before])
        return Played.of(found["model_id"].tolist(), found["cycles"].tolist())

    def rows(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Stored rows of submissions in time."""
        statement = compose(
            "SELECT * EXCLUDE (competition) FROM {table}"
            " WHERE competition = ? AND NOT is_late AND NOT is_imputed AND {chosen} ORDER BY ALL",
            table=PREDICTIONS,
            chosen=_CHOSEN,
        )
        return self.store.query(statement, [self.contract.name, *_lists(chosen)])


def _codes(store: Store, contract: Contract) -> dict[datetime, str]:
    """What code made the stored predictions of each cycle."""
    ledger = store.ledger(contract.name)
    own = ledger[ledger["table_name"] == PREDICTIONS.name]
    return dict(zip(own["cycle"].dt.to_pydatetime(), own["code"], strict=True))


def _lists(chosen: pd.DataFrame) -> tuple[list[str], list[datetime]]:
    """Models and cycles as parameters of a statement."""
    cycles = pd.to_datetime(chosen["from_cycle"])
    return chosen["model_id"].tolist(), cycles.dt.to_pydatetime().tolist()
