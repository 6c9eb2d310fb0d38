"""Execution of experiments in the graph: the asset that runs what waits, and when that is done by itself.

Executing writes queues and files of the inbox, and no table: it comes before everything of its board that does, so that
nobody waits for a model with the warehouse in hand.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipeline.components.automation import Waiting, waiting_sensor
from pipeline.components.metadata import Stopwatch
from pipeline.experiments import Experiment, InputsError, PlanError
from pipeline.experiments.running import QueueError
from pipeline.intake.executing import Execution, deliver_waiting, execute_pending, pending_of
from pipeline.intake.queueing import ask_once_more
from pipeline.settings import settings

NOTHING_KEPT_IT = "nothing_kept_runs_waiting"
_FAULTS = (QueueError, InputsError, PlanError, ValueError)
"""What is wrong with a queue, a file of inputs or a declaration."""
Metadata = Mapping[str, dg.MetadataValue[Any]]


def execution_key(board: str) -> dg.AssetKey:
    """``<board>/execution``."""
    return dg.AssetKey([board, "execution"])


def execution_asset(experiment: Experiment) -> dg.AssetsDefinition:
    """The asset that runs what waits of an experiment; it succeeds whatever comes of that, and a check tells of it.

    So files land although a provider is gone, and runs that people import need none.
    """
    key = execution_key(experiment.name)

    @dg.asset(
        key=key,
        group_name=experiment.name,
        kinds={"python", "sqlite"},
        description="Runs what waits in the queue of the experiment; results are files of its inbox.",
        check_specs=[
            dg.AssetCheckSpec(
                NOTHING_KEPT_IT,
                asset=key,
                description="Whatever waited could be run: no provider, price or room below the ceiling of costs is "
                "missing, and no fault in what is declared (a warning).",
            )
        ],
    )
    def execution(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        watch = Stopwatch()
        metadata, kept_waiting = _executed(context, experiment)
        return watch.result(metadata, [_checked(kept_waiting)])

    return execution


def pending_sensor(experiment: Experiment) -> dg.SensorDefinition:
    """Run an experiment when something waits that can be run."""

    def look() -> Waiting:
        try:
            pending = pending_of(experiment, settings())
        except _FAULTS as error:
            return Waiting("", str(error))
        return Waiting(
            pending.mark if pending.is_worth_while else "", "; ".join(pending.why) or "nothing waits to be run"
        )

    return waiting_sensor(f"{experiment.name}_pending", experiment.name, "Runs what waits in the queue.", look)


def recurring_schedule(experiment: Experiment, cron: str) -> dg.ScheduleDefinition:
    """Ask every configuration every input once more at each tick."""

    @dg.schedule(
        name=f"{experiment.name}_recurring",
        job_name=experiment.name,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Asks every configuration of {experiment.name} once more.",
    )
    def schedule() -> dg.RunRequest | dg.SkipReason:
        try:
            n = ask_once_more(experiment, settings())
        except _FAULTS as error:
            return dg.SkipReason(str(error))
        return dg.RunRequest() if n else dg.SkipReason("nothing is declared that could be run")

    return schedule


def _executed(context: dg.AssetExecutionContext, experiment: Experiment) -> tuple[Metadata, str]:
    """Run what waits, where that is declared; what there is to tell of it, and what kept anything waiting."""
    if not experiment.execution.automatic:
        return _delivered(experiment)
    try:
        done = execute_pending(experiment, settings())
    except _FAULTS as error:
        return {"podium/why": dg.MetadataValue.text("nothing was run")}, str(error)
    context.log.info(_said(done))
    return _metadata(done), "; ".join(done.tally.why)


def _delivered(experiment: Experiment) -> tuple[Metadata, str]:
    """Bring what people gave, and what a command ran, to the inbox, and run nothing."""
    try:
        files = deliver_waiting(experiment, settings())
    except _FAULTS as error:
        return {"podium/why": dg.MetadataValue.text("nothing was delivered")}, str(error)
    remedy = f"execution.automatic is false; `podium experiments run {experiment.name}` runs what waits"
    metadata = {"podium/why": dg.MetadataValue.text(remedy), "podium/files_delivered": dg.MetadataValue.int(len(files))}
    return metadata, ""


def _said(done: Execution) -> str:
    tally = done.tally
    ended = f"{tally.n_completed} completed, {tally.n_failed} failed, {tally.n_cancelled} cancelled"
    scores = f", {tally.n_scores} scores asked for" if tally.n_scores else ""
    return f"{ended}{scores}; {done.n_waiting} wait"


def _metadata(done: Execution) -> Metadata:
    spent = "" if done.ceiling is None else f" of {done.ceiling:g}"
    return {
        "podium/why": dg.MetadataValue.text(_said(done)),
        "podium/runs_completed": dg.MetadataValue.int(done.tally.n_completed),
        "podium/runs_failed": dg.MetadataValue.int(done.tally.n_failed),
        "podium/runs_waiting": dg.MetadataValue.int(done.n_waiting),
        "podium/files_delivered": dg.MetadataValue.int(len(done.files)),
        "podium/spent": dg.MetadataValue.text(f"{done.money.at_most:.4g}{spent} USD at most"),
    }


def _checked(kept_waiting: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=NOTHING_KEPT_IT,
        passed=not kept_waiting,
        severity=dg.AssetCheckSeverity.WARN,
        description=kept_waiting or None,
    )
