"""How the tables of a competition are brought up to date whose predictions are a forecast hub's.

Files stay where they are. What was read of each is a line in ``competition.files``; a round is read again when one of
its files was added, changed or taken away. What the hub's rules refuse is in ``quarantine.rows``.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from pipeline.clock import utc_now
from pipeline.competition import Contract, stage_code
from pipeline.competition.hub import HubSource, hub_source
from pipeline.competition.hub.files import Submission
from pipeline.competition.hub.listing import HubFile, outcomes_state, state_of
from pipeline.competition.hub.reading import Judged
from pipeline.competition.hub.source import ReadFile, joined
from pipeline.competition.labels import times
from pipeline.competition.truth import news, stamp
from pipeline.components.recompute import NOTHING_NEW, Outcome, Recompute, recompute
from pipeline.fingerprint import digest
from pipeline.landing.land import Verdict
from pipeline.settings import settings
from pipeline.tables import FILES, PREDICTIONS, QUARANTINE, SUBMISSIONS, TRUTH, TableSpec
from pipeline.warehouse import Dirty, Store, compose, relation
from pipeline.warehouse.frames import to_arrow

LOG = logging.getLogger(__name__)

KIND = "model-output"
"""What lines in ``competition.files`` say was read from a hub's file."""
FILES_SEEN = "podium/hub"
"""The metadata that says in which state the hub was."""
GONE = "gone"
"""The status of a file that the hub does not have any more."""
_BYTES_OF_A_ROW = {".csv": 40, ".parquet": 3}
"""Of a submission, roughly; by what its name ends in."""
_BYTES_IN_MEMORY = 450
"""Of a row of predictions while a round is read and written."""


def hub_state(source: HubSource) -> str:
    """A digest that is another one when anything in the hub changed that a board is made of."""
    return digest(state_of(source.files), outcomes_state(source.hub), source.rules_fingerprint())


def update_predictions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Read the rounds whose files are new, changed or gone; keep what became of every file."""
    source = hub_source(contract)
    state = hub_state(source)
    code = stage_code(PREDICTIONS.name, contract, source.rules_fingerprint())
    files = _Files(store, contract, source)
    outcome = recompute(
        store,
        PREDICTIONS,
        contract.name,
        code,
        config,
        files.rows_of,
        cycles=source.cycles(),
        also=files.changed_cycles(),
        cycles_per_block=_rounds_per_block(source),
    )
    files.finish()
    return Outcome(outcome.changes, outcome.why, {FILES_SEEN: state, **files.told})


def _rounds_per_block(source: HubSource) -> int:
    """How many rounds fill the memory that settings allow for a block, guessed by the size of the largest."""
    rows = [sum(map(_rows_in, files)) for files in source.by_cycle.values()]
    size = _BYTES_IN_MEMORY * max(1.0, max(rows, default=0.0))
    return max(1, int(settings().block_megabytes * 1_000_000 / size))


def _rows_in(file: HubFile) -> float:
    """How many rows a file may have."""
    ending = PurePosixPath(file.name).suffix.lower()
    return file.size_bytes / _BYTES_OF_A_ROW.get(ending, min(_BYTES_OF_A_ROW.values()))


@dataclass(frozen=True)
class _Line:
    """What ``competition.files`` says last of a file."""

    number: int
    sha256: str
    size_bytes: int
    received_at: datetime
    counts: Sequence[int | str]

    @property
    def status(self) -> str:
        return str(self.counts[-1])


class _Files:
    """The files of a hub beside what is known of them; what is read is written after the predictions made of it.

    Killed in between, the rounds are read again: nothing is known of their files yet.
    """

    def __init__(self, store: Store, contract: Contract, source: HubSource) -> None:
        self.store, self.contract, self.source = store, contract, source
        self._read: list[tuple[HubFile, Judged]] = []
        self._rounds: list[datetime] = []
        self._counts = {"files": 0, "accepted": 0, "refused": 0}

    @cached_property
    def known(self) -> dict[str, _Line]:
        """The newest line of each file, by name."""
        statement = compose(
            "SELECT name, file_number, sha256, size_bytes, received_at, n_rows, n_accepted, n_rejected, status"
            " FROM {files} WHERE competition = ? AND kind = ? ORDER BY file_number",
            files=FILES,
        )
        rows = self.store.connection.execute(statement, [self.contract.name, KIND]).fetchall()
        return {row[0]: _Line(row[1], row[2], row[3], row[4], row[5:]) for row in rows}

    def changed_cycles(self) -> list[datetime]:
        """The rounds of which a file is new, changed or gone."""
        changed = [cycle for cycle, files in self.source.by_cycle.items() if any(map(self._is_new, files))]
        gone = {str(number) for number in self._gone()}
        stored = self.store.read(SUBMISSIONS, self.contract.name, columns=["cycle", "file_number"])
        lost = times(stored.loc[stored["file_number"].astype(str).isin(gone), "cycle"])
        return sorted({*changed, *lost} & set(self.source.by_cycle))

    def _is_new(self, file: HubFile) -> bool:
        line = self.known.get(file.name)
        if line is None or line.status == GONE or file.changed_at is None:
            return True
        return (line.size_bytes, line.received_at) != (file.size_bytes, file.changed_at)

    def _gone(self) -> list[int]:
        """The numbers of files that are not there any more."""
        there = {file.name for file in self.source.files}
        return [line.number for name, line in self.known.items() if name not in there and line.status != GONE]

    def rows_of(self, cycles: Sequence[datetime]) -> pd.DataFrame:
        """Predictions of some rounds. What became of the files read before is written: their predictions are."""
        self._write()
        parts = []
        for cycle in cycles:
            read = [self._noted(one) for one in self.source.read(cycle)]
            parts.append(self.source.rows_of(cycle, read))
        self._rounds = list(cycles)
        LOG.info("%s: read up to round %s", self._told_in_words(), cycles[-1].date())
        some = [part for part in parts if len(part)]
        rows = joined(some) if some else pd.concat(parts)
        return rows.assign(
            output_type=self.contract.predictions.output_type,
            is_late=False,
            is_imputed=False,
        )

    def _noted(self, read: ReadFile) -> ReadFile:
        judged = read.judged
        self._read.append((read.file, Judged(judged.n_rows, judged.accepted.iloc[:0], *_kept(judged))))
        self._counts["files"] += 1
        self._counts["accepted"] += len(judged.accepted)
        self._counts["refused"] += len(judged.refused)
        return read

    def finish(self) -> None:
        """Write what became of the last files, of those that are no submissions, and of those that are gone."""
        self._write()
        for file in self.source.files:
            if not isinstance(file.what, Submission) and self._is_new(file):
                unreadable = Judged(0, pd.DataFrame(), unreadable=f"file: {file.what.reason}")
                self._read.append((file, unreadable))
        self._write()
        with self.store.transaction():
            for number in self._gone():
                self.store.connection.execute(
                    compose("UPDATE {files} SET status = ? WHERE competition = ? AND file_number = ?", files=FILES),
                    [GONE, self.contract.name, number],
                )

    def _told_in_words(self) -> str:
        files, accepted, refused = self._counts.values()
        return f"{files:,} files, {accepted:,} rows taken, {refused:,} refused"

    @property
    def told(self) -> dict[str, str]:
        """What was read, for the asset's metadata."""
        return {f"podium/hub_{name}": f"{count:,}" for name, count in self._counts.items()}

    def _write(self) -> None:
        """Write the lines of files that were read, what was refused of them, and which submission counts."""
        written, refused = [], []
        number = max((line.number for line in self.known.values()), default=0)
        with self.store.transaction():
            for file, judged in self._read:
                line = self.known.get(file.name)
                if line is not None and line.status != GONE and _says_the_same(line, judged):
                    self._touch(line, file)
                    continue
                number += 1
                written.append(_line(number, file, judged))
                refused.append(_refused(number, judged))
            self._add(QUARANTINE, refused)
            self._add(FILES, written)
        self._read = []
        self.__dict__.pop("known", None)
        self._write_submissions()

    def _touch(self, line: _Line, file: HubFile) -> None:
        """A file with the same content as before, written again: so that it is not read once more."""
        self.store.connection.execute(
            compose(
                "UPDATE {files} SET received_at = ?, size_bytes = ? WHERE competition = ? AND file_number = ?",
                files=FILES,
            ),
            [file.changed_at or line.received_at, file.size_bytes, self.contract.name, line.number],
        )

    def _add(self, spec: TableSpec, parts: Iterable[pd.DataFrame]) -> None:
        some = [part for part in parts if len(part)]
        if some:
            table = to_arrow(spec, self.contract.name, pd.concat(some, ignore_index=True))
            with relation(self.store.connection, table) as rows:
                self.store.add(spec, self.contract.name, rows)

    def _write_submissions(self) -> None:
        if not self._rounds:
            return
        rounds, self._rounds = self._rounds, []
        names = {file.name: (cycle, file) for cycle in rounds for file in self.source.by_cycle.get(cycle, [])}
        lines = self.store.read(FILES, self.contract.name)
        lines = lines[(lines["kind"] == KIND) & lines["name"].isin(list(names))].sort_values("file_number")
        newest = lines.groupby("name")["file_number"].transform("max")
        model_ids = {name: file.what.model_id for name, (_, file) in names.items() if isinstance(file.what, Submission)}
        cycles = pd.to_datetime(pd.Series({name: cycle for name, (cycle, _) in names.items()}, dtype="datetime64[us]"))
        deadlines = {name: self.source.deadline(cycle) for name, (cycle, _) in names.items()}
        due = lines["name"].map(deadlines).astype("datetime64[us]")
        rows = pd.DataFrame(
            {
                "model_id": lines["name"].map(model_ids),
                "cycle": lines["name"].map(cycles),
                "file_number": lines["file_number"],
                "received_at": due,
                "deadline": due,
                "is_late": False,
                "n_rows": lines["n_accepted"],
                "superseded_by": newest.where(newest != lines["file_number"]).astype("Int64"),
            }
        )
        code = stage_code("submissions", self.contract)
        seq = self.store.max_seq()
        self.store.replace(SUBMISSIONS, self.contract.name, [Dirty(cycle, seq) for cycle in rounds], rows, code)


def _kept(judged: Judged) -> tuple[pd.DataFrame, str, str | None]:
    return judged.refused, judged.sha256, judged.unreadable


def _status(judged: Judged) -> str:
    refused = len(judged.refused)
    return Verdict(KIND, judged.n_rows, judged.n_rows - refused, refused, unreadable=judged.unreadable).status


def _says_the_same(line: _Line, judged: Judged) -> bool:
    refused = len(judged.refused)
    counts = [judged.n_rows, judged.n_rows - refused, refused, _status(judged)]
    return line.sha256 == judged.sha256 and list(line.counts) == counts


def _line(number: int, file: HubFile, judged: Judged) -> pd.DataFrame:
    moment, refused = utc_now(), len(judged.refused)
    line: dict[str, Any] = {
        "file_number": number,
        "kind": KIND,
        "name": file.name,
        "sha256": judged.sha256,
        "size_bytes": file.size_bytes,
        "received_at": pd.Timestamp(file.changed_at or moment),
        "landed_at": pd.Timestamp(moment),
        "n_rows": judged.n_rows,
        "n_accepted": judged.n_rows - refused,
        "n_rejected": refused,
        "n_late": 0,
        "status": _status(judged),
    }
    return pd.DataFrame([line])


def _refused(number: int, judged: Judged) -> pd.DataFrame:
    rows = judged.refused
    if judged.unreadable is not None:
        rows = pd.DataFrame([{"row_number": 0, "reason": judged.unreadable, "original": None}])
    return rows.assign(file_number=number, kind=KIND)


def update_truth(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Add the outcomes that are new in the hub, and the revisions of those known; nothing is overwritten."""
    source = hub_source(contract)
    code = stage_code("truth", contract, source.outcomes_fingerprint())
    ledger = store.ledger(contract.name)
    own = ledger[ledger["table_name"] == TRUTH.name]
    if len(own) and (own["code"] == code).all() and not config.force:
        return Outcome((), NOTHING_NEW)
    arrived = utc_now()
    given = source.truth()
    given = given.assign(known_at=given["known_at"].fillna(pd.Timestamp(arrived)))
    columns = ["subject", "target_time", "horizon", "known_at", "value"]
    stored = store.read(TRUTH, contract.name, columns=columns)
    found = news(stored, stamp(given, contract.truth, arrived), arrived)
    rows = pd.concat([one for one in (stored, found) if len(one)] or [stored], ignore_index=True)

    def rows_of(target_times: list[datetime]) -> pd.DataFrame:
        return rows[rows["target_time"].isin(target_times)]

    return recompute(store, TRUTH, contract.name, code, config, rows_of, cycles=times(rows["target_time"]))
