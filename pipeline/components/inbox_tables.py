"""How the tables of a competition with an inbox are brought up to date: files land, tables follow from their rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import pandas as pd

from pipeline.competition import Contract, stage_code
from pipeline.competition.peers import are_virtual
from pipeline.competition.stages import stamp_deadline
from pipeline.competition.submissions import choose_submissions, counted_rows
from pipeline.competition.truth import truth_of_arrivals
from pipeline.components.carrying import LandedSubmissions, fill_in, landed_changes
from pipeline.components.competition_tables import versions, virtual_models
from pipeline.components.inbox import Intakes, Landing, land_waiting
from pipeline.components.readings import first_seen
from pipeline.components.recompute import Outcome, Recompute, recompute
from pipeline.intake import Known, StoreKnown, folders
from pipeline.intake.folders import IntakeOf
from pipeline.landing import Intake, Landed
from pipeline.settings import settings
from pipeline.tables import (
    FACTOR_ROWS,
    FACTORS,
    FILES,
    MODEL_ROWS,
    MODELS,
    PREDICTION_ROWS,
    PREDICTIONS,
    SUBJECT_ROWS,
    SUBJECTS,
    SUBMISSIONS,
    TRUTH,
    TRUTH_ROWS,
    WHOLE,
    TableSpec,
)
from pipeline.warehouse import Store, compose

_BYTES_PER_ROW = 1_000
"""Of a landed row while it is worked on, roughly."""


def land_inbox(store: Store, contract: Contract, config: Landing) -> list[Landed]:
    """Land the files that wait in a competition's inbox, those that arrived first, first."""
    known = StoreKnown(store, contract.name)
    intakes: Intakes = {
        folder: partial(_intakes, contract, known, intakes_of) for folder, intakes_of in folders(contract).items()
    }
    return land_waiting(store, contract.name, FILES, intakes, config)


def _intakes(contract: Contract, known: Known, intakes_of: Sequence[IntakeOf]) -> list[Intake]:
    return [intake_of(contract, known) for intake_of in intakes_of]


def update_submissions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Find out which submission counts, for the cycles that new files predict."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        return choose_submissions(store.read(PREDICTION_ROWS, contract.name, cycles), contract)

    return _by_rows(store, SUBMISSIONS, PREDICTION_ROWS, contract, config, rows_of)


def update_predictions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take the predictions that count, of the cycles that new files predict, and of those that they are carried to."""
    submissions = LandedSubmissions(store, contract)

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        rows = store.read(PREDICTION_ROWS, contract.name, cycles)
        counted = stamp_deadline(counted_rows(rows, choose_submissions(rows, contract)), contract)
        return fill_in(counted, cycles, contract, submissions)

    code = stage_code(PREDICTIONS.name, contract, stage_code("submissions", contract))
    changes = landed_changes(store.seqs(PREDICTION_ROWS, contract.name), contract)
    size = _cycles_per_block(store, PREDICTION_ROWS, contract, submissions.rows_per_cycle())
    return recompute(store, PREDICTIONS, contract.name, code, config, rows_of, cycles=changes, cycles_per_block=size)


def update_truth(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Add the outcomes and revisions that new files give; nothing is overwritten."""

    def rows_of(target_times: list[datetime]) -> pd.DataFrame:
        return truth_of_arrivals(store.read(TRUTH_ROWS, contract.name, target_times), contract.truth)

    return _by_rows(store, TRUTH, TRUTH_ROWS, contract, config, rows_of)


def update_factors(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Take the factors of the cycles that new files give; of several values the one that arrived last."""

    def rows_of(cycles: list[datetime]) -> pd.DataFrame:
        rows = _last(store.read(FACTOR_ROWS, contract.name, cycles), ["cycle", "subject", "factor"])
        return rows[["cycle", "subject", "factor", "value"]]

    return _by_rows(store, FACTORS, FACTOR_ROWS, contract, config, rows_of)


def update_models(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the models that take part: those registered, and where registration is open, those that predict."""

    def rows_of(seen: pd.DataFrame) -> pd.DataFrame:
        real = seen[~are_virtual(seen["model_id"])]
        rows = _registered(store, MODEL_ROWS, contract, real, "model_id")
        rows = rows.assign(
            title=rows["title"].fillna(rows["model_id"]),
            player=rows["player"].fillna(""),
            designated=rows["designated"].fillna(True).astype(bool),
            version=rows["version"].fillna("1"),
            kind="real",
        )
        virtual = virtual_models(contract).merge(seen, on="model_id", how="left")
        return pd.concat([rows, virtual], ignore_index=True)

    return _registry(store, MODELS, MODEL_ROWS, contract, config, rows_of)


def update_versions(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write from which cycle on each model is of which version."""
    rows = store.read(MODEL_ROWS, contract.name).sort_values(["received_at", "file_number", "row_number"])
    return versions(store, contract, config, rows.dropna(subset=["version"]))


def update_subjects(store: Store, contract: Contract, config: Recompute) -> Outcome:
    """Write the subjects there are: those registered, and where registration is open, those that are predicted."""

    def rows_of(seen: pd.DataFrame) -> pd.DataFrame:
        rows = _registered(store, SUBJECT_ROWS, contract, seen, "subject")
        return rows.assign(title=rows["title"].fillna(rows["subject"]))

    return _registry(store, SUBJECTS, SUBJECT_ROWS, contract, config, rows_of)


def _by_rows(
    store: Store,
    spec: TableSpec,
    landed: TableSpec,
    contract: Contract,
    config: Recompute,
    rows_of: Callable[[list[datetime]], pd.DataFrame],
) -> Outcome:
    """A table whose cycles follow from landed rows of the same cycles."""
    code = stage_code(spec.name, contract)
    seqs = store.seqs(landed, contract.name)
    size = _cycles_per_block(store, landed, contract)
    return recompute(store, spec, contract.name, code, config, rows_of, cycles=seqs, cycles_per_block=size)


def _cycles_per_block(store: Store, landed: TableSpec, contract: Contract, at_least: int = 1) -> int:
    """How many cycles of landed rows, or of so many more, fill the memory that settings allow for a block."""
    counted = compose(
        "SELECT coalesce(max(n), 1) AS n FROM"
        " (SELECT count(*) AS n FROM {table} WHERE competition = ? GROUP BY {cycle})",
        table=landed,
        cycle=[landed.cycle or ""],
    )
    rows = max(at_least, int(store.query(counted, [contract.name])["n"].iloc[0]))
    return max(1, settings().block_megabytes * 1_000_000 // (_BYTES_PER_ROW * rows))


def _registry(
    store: Store,
    spec: TableSpec,
    landed: TableSpec,
    contract: Contract,
    config: Recompute,
    rows_of: Callable[[pd.DataFrame], pd.DataFrame],
) -> Outcome:
    """A table of who or what takes part, out of registrations and the predictions."""
    seen = first_seen(store, contract, spec.key[1])
    code = stage_code(spec.name, contract, seen.to_csv())
    by_hand = Recompute(force=config.force)
    newest = {WHOLE: store.seqs(landed, contract.name).get(WHOLE, 0)}
    return recompute(store, spec, contract.name, code, by_hand, lambda _: rows_of(seen), cycles=newest)


def _registered(store: Store, landed: TableSpec, contract: Contract, seen: pd.DataFrame, name: str) -> pd.DataFrame:
    """The last registration of each, and those that take part without one."""
    rows = _last(store.read(landed, contract.name), [name])
    rows = rows.drop(columns=["competition", "file_number", "row_number", "received_at"])
    return rows.merge(seen, on=name, how="outer").sort_values(name, ignore_index=True)


def _last(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The row of each key that arrived last."""
    return rows.sort_values(["received_at", "file_number", "row_number"]).drop_duplicates(key, keep="last")
