"""The component behind ``type: pipeline.components.PostedExperiments``: experiments posted to the report API.

They are not known when Dagster loads its definitions, so all of them are one asset. What is done for each is what is
done for one that is declared in YAML, by the same functions.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
from pydantic import Field

from pipeline.components import experiment_checks, experiment_tables
from pipeline.components.automation import Waiting, waiting_sensor
from pipeline.components.experiment import ASSETS
from pipeline.components.inbox import Landing
from pipeline.components.keys import POSTED
from pipeline.components.metadata import Stopwatch
from pipeline.components.recompute import Recompute
from pipeline.experiments import Experiment
from pipeline.fingerprint import digest
from pipeline.intake.executing import execute_pending, pending_of
from pipeline.intake.posted import posted_experiments
from pipeline.landing import pending
from pipeline.settings import settings
from pipeline.tables import EXPERIMENT_FILES, TableSpec
from pipeline.warehouse import Store, current_publication
from pipeline.warehouse.resource import Warehouse

JOB = "posted"
EVERY_ONE = "every_posted_experiment_is_up_to_date"


class PostedRun(dg.Config):
    """What a run does with what was posted."""

    only_land: bool = Field(default=False, description="Run nothing that waits: land, rank and publish what ended.")


class PostedExperiments(dg.Component):
    """Everything that was posted, brought up to date while the daemon runs."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """The asset of all of them, the job that publishes them too, and the sensor that asks for it."""
        return posted_definitions()


def posted_definitions() -> dg.Definitions:
    """Definitions of all posted experiments together."""
    asset = _asset()
    for_readers = dg.AssetSelection.key_prefixes(["marts"], ["published"])
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(POSTED) | for_readers,
        description="Experiments posted to the report API: everything new, from what waits to the published boards.",
    )
    sensor = waiting_sensor(f"{JOB}_pending", JOB, "Brings posted experiments up to date.", _look)
    return dg.Definitions(assets=[asset], jobs=[job], sensors=[sensor])


def _asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=POSTED,
        group_name=POSTED.path[-1],
        kinds={"python", "duckdb"},
        description="The tables of every experiment that was posted to the report API.",
        check_specs=[
            dg.AssetCheckSpec(
                EVERY_ONE,
                asset=POSTED,
                description="Every posted experiment could be read and brought up to date (a warning: the others are).",
            )
        ],
    )
    def experiments(context: dg.AssetExecutionContext, config: PostedRun, warehouse: Warehouse) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare class
        watch = Stopwatch()
        found, wrong = posted_experiments(settings())
        faults = dict(wrong)
        for name, one in () if config.only_land else found.items():  # before the warehouse is taken
            faults |= {name: why} if (why := _executed(one)) else {}
        for name, one in found.items():
            with warehouse.write(f"{context.run.run_id}: {JOB}/{name}") as store:
                faults |= {name: why} if (why := _updated(store, one)) else {}
        metadata = {"podium/why": f"{len(found)} experiments", "experiments": ", ".join(found) or "none"}
        return watch.result(metadata, [_checked(faults)])

    return experiments


def _executed(experiment: Experiment) -> str:
    """Run what waits of an experiment; what went wrong, which is nothing to the others."""
    if not experiment.execution.automatic:
        return ""
    try:
        execute_pending(experiment, settings())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _updated(store: Store, experiment: Experiment) -> str:
    """Bring the tables of an experiment up to date; what went wrong, which is nothing to the others."""
    try:
        for said in _updating(store, experiment):
            if said:
                return said
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _updating(store: Store, experiment: Experiment) -> Iterator[str]:
    """What breaks a blocking check, table by table, in the order in which they are computed."""
    landed = False
    for spec, update, _ in ASSETS:
        update(store, experiment, Recompute())
        yield _broken(store, experiment, spec)
        if not landed:  # files come after the catalog
            experiment_tables.land_inbox(store, experiment, Landing())
            yield _broken(store, experiment, EXPERIMENT_FILES)
            landed = True


def _broken(store: Store, experiment: Experiment, spec: TableSpec) -> str:
    blocking = [check for check in experiment_checks.of_table(spec) if check.blocking]
    results = [check.run(store, experiment.name) for check in blocking]
    return "; ".join(f"{one.check_name}: {one.description}" for one in results if not one.passed)


def _look() -> Waiting:
    """Whether something was posted that is not published, waits to be run, or lies in an inbox."""
    found, wrong = posted_experiments(settings())
    publication = current_publication(settings().published_dir)
    marks = [_mark(one) for one in found.values()]
    new = sorted(set(found) - set(publication.boards if publication is not None else ()))
    if new or any(marks):
        return Waiting(digest(*new, *marks), "")
    return Waiting("", "; ".join(wrong.values()) or f"nothing waits of {len(found)} posted experiments")


def _mark(experiment: Experiment) -> str:
    """What waits of an experiment, as a digest; empty for nothing."""
    files = [one for one in pending(settings().inbox_dir, experiment.name, experiment.folders) if one.is_settled]
    dropped = digest(*(f"{one.folder}/{one.name}/{one.changed_ns}" for one in files)) if files else ""
    if not experiment.execution.automatic:
        return dropped
    try:
        waits = pending_of(experiment, settings())
    except Exception:  # the run says what is wrong
        return dropped
    return f"{dropped}{waits.mark}" if waits.is_worth_while else dropped


def _checked(faults: Mapping[str, str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=EVERY_ONE,
        passed=not faults,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name}: {why}" for name, why in faults.items()) or None,
    )
