"""What happens by itself: when a board is computed first, when files land, and what follows from what is new.

Every decision is a function here with its reason; ``pipeline_tests/components/test_automation.py`` holds each of them.
All of it is on when the daemon runs (``podium dev``).
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass

import dagster as dg
import duckdb

from pipeline.clock import utc_now
from pipeline.components.observing import health_sensor
from pipeline.landing import Delivery, pending
from pipeline.settings import settings
from pipeline.warehouse import (
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseFiles,
    WarehouseVersionError,
    current_publication,
)

INBOX_TAG = "podium/inbox"
"""The tag of runs that land files: its value is the board."""
EMBARGO_TAG = "podium/embargo"
"""The tag of runs that publish what was withheld: its value is the end of the embargo."""
_TICK_SECONDS = 10
_LONGEST_PAUSE = 3600.0
_UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def on_new_inputs() -> dg.AutomationCondition[dg.AssetKey]:
    """Compute an asset when something that it is computed from was.

    ``eager()`` alone waits until nothing upstream is missing: one declared board without data would keep the marts of
    all others from ever being built. It asks once for each change; when the run fails it is not asked for again until
    something changes.
    """
    return (
        dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()).with_label("on_new_inputs")
    )


class Automation(dg.Component):
    """What keeps all boards up to date while the daemon runs."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The sensor behind every automation condition, the one that ends embargoes, and the one that looks at runs."""
        return automation_definitions()


def automation_definitions() -> dg.Definitions:
    """The sensors that concern all boards."""
    conditions = dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_TICK_SECONDS,
        description="Computes what follows from what is new.",
    )
    return dg.Definitions(sensors=[conditions, _embargo_sensor(), health_sensor()])


def inbox_sensor(board: str, folders: Sequence[str]) -> dg.SensorDefinition:
    """Land the files of a board when there are any, a bounded number at once, the earliest first.

    Landed files leave the inbox, so what lies there is what is to do: a tick never skips a file, and a run that failed
    leaves its files to be tried again, after pauses that double up to an hour.
    """

    @dg.sensor(
        name=f"{board}_inbox",
        job_name=board,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_TICK_SECONDS,
        description=f"Lands the files in the inbox of {board}.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        waiting = pending(settings().inbox_dir, board, tuple(folders))
        # One that is still written to changes at every tick: it would be a new batch, and a run for nothing, each time.
        batch = [one for one in waiting if one.is_settled][: settings().files_per_run]
        if not batch:
            unfinished = f" but {len(waiting)} that are being written" if waiting else ""
            return dg.SkipReason(f"no file waits in {settings().inbox_dir / board}{unfinished}")
        running = _unfinished(context, tags={INBOX_TAG: board})
        if running:
            return dg.SkipReason(f"run {running} is landing files")
        return _tried(
            context,
            _digest(batch),
            lambda one: dg.RunRequest(run_key=f"{board}:{one.batch}:{one.number}", tags={INBOX_TAG: board}),
            lambda number: f"{len(batch)} files did not land in {number} runs",
        )

    return inbox


@dataclass(frozen=True)
class Seen:
    """Files that a board reads where they are: a digest of their state, and how many there and still written to are."""

    state: str
    n_files: int
    n_unsettled: int


@dataclass(frozen=True)
class Watched:
    """Files that are read where they are.

    Parameters
    ----------
    asset : AssetKey
        Who reads them, and says in its metadata which state it saw.
    look : function
        What is there now.
    requested : tuple of AssetKey
        What to compute when they change, the asset among it; what follows is left to automation conditions. Empty for
        the whole board.
    """

    asset: dg.AssetKey
    look: Callable[[], Seen]
    requested: tuple[dg.AssetKey, ...] = ()


def changed_files_sensor(board: str, metadata: str, every: Sequence[Watched]) -> dg.SensorDefinition:
    """Compute a board, or what reads them, when files that it reads in place were added, changed or taken away.

    They never leave their place, so what was read is compared with what is there: whoever materialized the asset said
    in its metadata what it saw. A run that failed is tried again, after pauses that double up to an hour.

    Parameters
    ----------
    board : str
        The board.
    metadata : str
        The metadata in which assets say the state that they saw.
    every : sequence of Watched
        The files, by who reads them.
    """

    @dg.sensor(
        name=f"{board}_files",
        job_name=board,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_TICK_SECONDS,
        description=f"Computes {board} anew when its files changed.",
    )
    def changed_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = [one.look() for one in every]
        n_files, n_unsettled = sum(one.n_files for one in seen), sum(one.n_unsettled for one in seen)
        if n_unsettled:
            return dg.SkipReason(f"{n_unsettled} of {n_files} files are being written")
        if not context.instance.get_runs(dg.RunsFilter(job_name=board), limit=1):
            return dg.SkipReason(f"the first run is that of {board}_first_run")
        pairs = zip(every, seen, strict=True)
        changed = [one for one, now_there in pairs if _state_read(context, one.asset, metadata) != now_there.state]
        if not changed:
            return dg.SkipReason(f"{n_files} files, none new, changed or gone")
        running = _unfinished(context, job_name=board)
        if running:
            return dg.SkipReason(f"run {running} computes it")
        is_whole = not all(one.requested for one in changed)
        requested = None if is_whole else sorted({key for one in changed for key in one.requested})
        return _tried(
            context,
            ":".join(one.state for one in seen),
            lambda one: dg.RunRequest(
                run_key=f"{board}:{one.batch}:{one.number}:{int(one.at)}", asset_selection=requested
            ),
            lambda number: f"{number} runs did not read the files",
        )

    return changed_files


def _state_read(context: dg.SensorEvaluationContext, asset: dg.AssetKey, metadata: str) -> object:
    """The state of its files that an asset saw when it was last computed; None if it never said."""
    event = context.instance.get_latest_materialization_event(asset)
    read = {} if event is None or event.asset_materialization is None else event.asset_materialization.metadata
    return read[metadata].value if metadata in read else None


@dataclass(frozen=True)
class Waiting:
    """What waits to be done: a digest that is another one when that changes, empty for nothing; and why nothing."""

    state: str
    why_not: str


def waiting_sensor(
    name: str, job: str, description: str, look: Callable[[], Waiting], tags: Mapping[str, str] | None = None
) -> dg.SensorDefinition:
    """Run a job while something waits for it; what did not change is tried again, after pauses that double to an hour.

    Parameters
    ----------
    name, job, description : str
        Of the sensor, and the job.
    look : function
        What waits now.
    tags : mapping of str to str, optional
        Of the runs.
    """

    @dg.sensor(
        name=name,
        job_name=job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=3 * _TICK_SECONDS,
        description=description,
    )
    def waiting(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        running = _unfinished(context, job_name=job)
        if running:
            return dg.SkipReason(f"run {running} goes on")
        found = look()
        if not found.state:
            return dg.SkipReason(found.why_not)
        return _tried(
            context,
            found.state,
            lambda one: dg.RunRequest(run_key=f"{name}:{one.batch}:{one.number}:{int(one.at)}", tags=dict(tags or {})),
            lambda number: f"{number} runs left it waiting",
        )

    return waiting


def first_run_sensor(board: str, job: str) -> dg.SensorDefinition:
    """Compute a board once when the warehouse knows nothing of it: no condition asks for what was never there."""

    @dg.sensor(
        name=f"{board}_first_run",
        job_name=job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=3 * _TICK_SECONDS,
        description=f"Computes {board} for the first time.",
    )
    def first_run(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        running = _unfinished(context, job_name=job)
        if running:
            return dg.SkipReason(f"run {running} computes it")
        files = WarehouseFiles(lock_timeout=0.0)
        made = ""
        if files.engine.exists:
            try:
                if _is_published(board) or _is_known(files, board):
                    return dg.SkipReason(f"{board} was computed before")
                made = files.engine.identity
            except WarehouseBusyError as error:
                return dg.SkipReason(f"another run has the warehouse: {error}")
            except (WarehouseDamagedError, WarehouseVersionError, duckdb.Error, OSError) as error:
                return dg.SkipReason(f"nothing is computed before this is mended: {error}")
        # The same key is never requested twice, so a first run that fails is not repeated for ever.
        return dg.RunRequest(run_key=f"{board}:first:{made}")

    return first_run


def _is_published(board: str) -> bool:
    """Whether a board is in the published file: then the working file, which runs need, can be left alone."""
    publication = current_publication(settings().published_dir)
    return publication is not None and board in publication.boards


def _is_known(files: WarehouseFiles, board: str) -> bool:
    """Whether the ledger knows a board.

    Where there is one writer under the lock, though it only reads: dbt, which a run starts under the lock too, cannot
    wait for this to end.
    """
    held = files.lock.hold(f"first run of {board}?") if files.engine.has_one_writer else nullcontext()
    with held, files.read() as store:
        return len(store.ledger(board)) > 0


def _embargo_sensor() -> dg.SensorDefinition:
    """Publish again when the time of something withheld has come: no data change then, so nothing else would.

    A publication that fails is tried again, after pauses that double up to an hour.
    """

    @dg.sensor(
        name="embargo",
        asset_selection=dg.AssetSelection.assets("published"),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=3 * _TICK_SECONDS,
        description="Publishes predictions whose embargo is over.",
    )
    def embargo(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        publication = current_publication(settings().published_dir)
        until = publication.withheld_until if publication is not None else None
        if publication is None or until is None:
            return dg.SkipReason("nothing is withheld")
        if utc_now() < until:
            return dg.SkipReason(f"the next embargo ends {until:%Y-%m-%d %H:%M:%S} UTC")
        tags = {EMBARGO_TAG: until.isoformat()}
        running = _unfinished(context, tags=tags)
        if running:
            return dg.SkipReason(f"run {running} publishes it")
        return _tried(
            context,
            f"{publication.seq}:{until.isoformat()}",
            lambda one: dg.RunRequest(run_key=f"embargo:{one.batch}:{one.number}", tags=tags),
            lambda number: f"{number} runs did not publish it",
        )

    return embargo


def _unfinished(
    context: dg.SensorEvaluationContext, job_name: str | None = None, tags: Mapping[str, str] | None = None
) -> str | None:
    """The id of a run that waits or goes on; None without one."""
    wanted = dg.RunsFilter(job_name=job_name, tags=tags, statuses=list(_UNFINISHED))
    return next((run.run_id for run in context.instance.get_runs(wanted, limit=1)), None)


@dataclass(frozen=True)
class _Attempt:
    """How often something was tried, such as landing a batch of files, and when last."""

    batch: str = ""
    number: int = 0
    at: float = 0.0

    @classmethod
    def read(cls, cursor: str | None) -> "_Attempt":
        """The attempt that a sensor's cursor tells of."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def next(self, batch: str, at: float) -> "_Attempt | None":
        """The attempt to make now; None while the pause after the last one of the same batch lasts.

        An attempt of the future was made by a clock that is right by now: nobody waits for it.
        """
        if batch != self.batch:
            return _Attempt(batch, 1, at)
        pause = min(_LONGEST_PAUSE, 60.0 * 2 ** (self.number - 1))
        return None if 0 <= at - self.at < pause else _Attempt(batch, self.number + 1, at)


def _tried(
    context: dg.SensorEvaluationContext,
    batch: str,
    request: Callable[[_Attempt], dg.RunRequest],
    failed: Callable[[int], str],
) -> dg.SensorResult | dg.SkipReason:
    """The next try of a batch; while the pause after the last one lasts, how many ``failed``."""
    last = _Attempt.read(context.cursor)
    attempt = last.next(batch, time.time())
    if attempt is None:
        return dg.SkipReason(f"{failed(last.number)}; the next try waits: see the runs")
    return dg.SensorResult([request(attempt)], cursor=json.dumps(asdict(attempt)))


def _digest(batch: Sequence[Delivery]) -> str:
    content = [(one.folder, one.name, one.size_bytes, one.changed_ns) for one in batch]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]
