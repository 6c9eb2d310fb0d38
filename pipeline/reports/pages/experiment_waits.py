"""Why runs of an experiment wait, as far as this server can tell: what a person would have to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.experiments import Experiment
from pipeline.experiments.running import Money
from pipeline.experiments.running.pricing import Providers, why_not_run
from pipeline.experiments.running.records import Kind
from pipeline.intake.executing import ceiling_of, providers_of, why_no_room
from pipeline.reports.queries.experiment_tables import DeclaredExperiment, UnreadableExperimentError
from pipeline.reports.queries.experiment_waits import Unfinished
from pipeline.settings import Settings


@dataclass(frozen=True)
class Wait:
    """A model's runs that have not completed, and why those that wait do; empty where none waits."""

    runs: Unfinished
    why: str


def waits_of(
    declared: DeclaredExperiment, found: Sequence[Unfinished], money: Money | None, given: Settings
) -> list[Wait]:
    """Why runs wait, by model.

    Parameters
    ----------
    declared : DeclaredExperiment
    found : sequence of Unfinished
    money : Money or None
        What all calls came to.
    given : Settings
        Which providers there are. Whoever executes runs may have others: then they do not wait for long.
    """
    try:
        experiment = declared.experiment
    except UnreadableExperimentError:
        return [Wait(one, "") for one in found]
    providers, ceiling = providers_of(experiment, given), ceiling_of(experiment, given)
    return [Wait(one, _why(experiment, one, providers, ceiling, money) if one.n_pending else "") for one in found]


def _why(
    experiment: Experiment, waiting: Unfinished, providers: Providers, ceiling: float | None, money: Money | None
) -> str:
    for params in waiting.pending_parameters:
        kind = Kind(waiting.model, params)
        why = why_not_run(experiment, kind, providers, ceiling)
        if why is None and money is not None:
            why = why_no_room(experiment, kind, money, ceiling)
        if why is not None:
            return why
    by_hand = f"podium experiments run {experiment.name}"
    return f"{by_hand} runs them" if not experiment.execution.automatic else f"podium dev runs them, or {by_hand}"
