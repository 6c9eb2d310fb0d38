"""What every kind of board with an inbox has in common: landing what waits there, and the asset that does it."""

import time
from collections.abc import Callable, Mapping, Sequence

import dagster as dg
from pydantic import Field

from pipeline.components.checks import Check
from pipeline.components.keys import asset_key
from pipeline.components.metadata import Stopwatch, definition_metadata, landing_metadata, row_count
from pipeline.landing import Delivery, Intake, Landed, arrivals, land_again, land_file, pending
from pipeline.settings import settings
from pipeline.tables import BOARDS, TableSpec
from pipeline.warehouse import Store, compose
from pipeline.warehouse.resource import Warehouse

_LONGEST_WAIT = 10.0
"""Seconds that one run waits, in all, for files that were dropped while it began."""

Intakes = Mapping[str, Callable[[], Sequence[Intake]]]
"""By folder of the inbox, in the order in which they are landed: how its files are read, asked for each file anew,
since what is known grows with every file."""


class Landing(dg.Config):
    """How many files to land at once."""

    max_files: int | None = Field(default=None, description="At most so many files; PODIUM_FILES_PER_RUN by default.")


def land_waiting(store: Store, board: str, files: TableSpec, intakes: Intakes, config: Landing) -> list[Landed]:
    """Land the files that wait in a board's inbox, those that arrived first, first.

    Parameters
    ----------
    store : Store
        The open warehouse.
    board : str
        The board.
    files : TableSpec
        The table of the files' lines.
    intakes : mapping of str to function
        How the files of each folder are read.
    config : Landing
        How many to land.
    """
    at_most = settings().files_per_run if config.max_files is None else config.max_files
    patience = time.monotonic() + _LONGEST_WAIT
    landed = _land_lost(store, board, files, intakes)
    for delivery in pending(settings().inbox_dir, board, tuple(intakes)):
        if len(landed) >= at_most:
            break
        if not _settles(delivery, patience):
            continue
        try:
            done = land_file(store, delivery, intakes[delivery.folder](), settings().archive_dir)
        except PermissionError as error:
            dg.get_dagster_logger().warning(f"{delivery.path} waits until it may be read: {error}")
            continue
        if done is not None:
            landed.append(done)
    return landed


def files_asset(
    board: str, files: TableSpec, land: Callable[[Store, Landing], list[Landed]], held: Sequence[Check]
) -> dg.AssetsDefinition:
    """The asset that lands what waits in a board's inbox.

    Parameters
    ----------
    board : str
        The board.
    files : TableSpec
        The table of the files' lines.
    land : function
        What lands them.
    held : sequence of Check
        What must hold of that table.
    """
    key = asset_key(board, files)
    held = (*held, _arrived_in_the_past(files))

    @dg.asset(
        key=key,
        deps=[asset_key(board, BOARDS)],
        group_name=board,
        kinds={"python", "duckdb", "file"},
        description=files.comment,
        metadata=definition_metadata(files),
        check_specs=[check.spec(key) for check in held],
    )
    def landed_files(context: dg.AssetExecutionContext, config: Landing, warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        part = f"{board}/{files.name}"
        with warehouse.write(f"{context.run.run_id}: {part}", part) as store:
            watch = Stopwatch()
            metadata = landing_metadata(land(store, config), row_count(store, files, board))
            results = [check.run(store, board) for check in held]
            return watch.result(metadata, results)

    return landed_files


def _arrived_in_the_past(files: TableSpec) -> Check:
    return Check(
        "arrived_in_the_past",
        "No file arrived more than five minutes later than now: a clock was, or is, wrong then, and "
        "pipeline/docs/operation.md says how to right what it stamped (a warning).",
        compose(
            "SELECT file_number, name, received_at, now() AT TIME ZONE 'UTC' AS now FROM {files}"
            " WHERE {board} = ? AND received_at > now() AT TIME ZONE 'UTC' + INTERVAL '5 minutes'",
            files=files,
            board=files.board,
        ),
        blocking=False,
    )


def _land_lost(store: Store, board: str, files: TableSpec, intakes: Intakes) -> list[Landed]:
    """Land the files of the archive that the warehouse does not know: it was lost, or is an older copy."""
    statement = compose(
        "SELECT file_number, kind, sha256 FROM {files} WHERE {board} = ?", files=files, board=files.board
    )
    have = set(store.query(statement, [board]).itertuples(index=False, name=None))
    contents = {sha256 for _, _, sha256 in have}
    landed: list[Landed] = []
    for arrival in arrivals(settings().archive_dir, board):
        delivery = arrival.delivery
        is_there = have.issuperset((number, kind, arrival.sha256) for kind, number in arrival.numbers.items())
        if not arrival.numbers:
            # The log did not say under which numbers. After the first that is missing all are landed again, so that
            # one sent a second time replaces those between.
            is_there = arrival.sha256 in contents and not landed
        if is_there or delivery.folder not in intakes:
            continue
        done = land_again(store, arrival, intakes[delivery.folder]())
        if done is None:
            dg.get_dagster_logger().warning(
                f"{delivery.path} is not what arrived as {delivery.name!r}: not landed again"
            )
        else:
            landed.append(done)
    return landed


def _settles(delivery: Delivery, patience: float) -> bool:
    """Whether a file is whole, after waiting a moment for one that was dropped just now."""
    while not delivery.is_settled and time.monotonic() < patience:
        time.sleep(0.1)
    return delivery.is_settled and delivery.is_unchanged
