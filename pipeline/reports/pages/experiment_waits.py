"""Why runs of an experiment wait, as far as this server can tell: what a person would have to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.experiments import Experiment
from pipeline.experiments.execution import LOCAL
from pipeline.reports.queries.experiment_tables import DeclaredExperiment, UnreadableExperimentError
from pipeline.reports.queries.experiment_waits import Unfinished
from pipeline.settings import Settings, provider_variable


@dataclass(frozen=True)
class Wait:
    """A model's runs that have not completed, and why those that wait do; empty where none waits."""

    runs: Unfinished
    why: str


def waits_of(declared: DeclaredExperiment, found: Sequence[Unfinished], given: Settings) -> list[Wait]:
    """Why runs wait, by model."""
    try:
        experiment = declared.experiment
    except UnreadableExperimentError:
        return [Wait(one, "") for one in found]
    return [Wait(one, _why(experiment, one.model, given) if one.n_pending else "") for one in found]


def _why(experiment: Experiment, model: str, given: Settings) -> str:
    spec = experiment.model_called(model)
    if spec.provider != LOCAL and spec.provider not in given.providers:
        return f"no address of provider {spec.provider} is set: set {provider_variable(spec.provider)}"
    has_price = spec.provider == LOCAL or (spec.input_price is not None and spec.output_price is not None)
    if experiment.execution.max_cost is not None and not has_price:
        return "its price is not declared: give input_price and output_price, or max_cost: null"
    if not experiment.execution.automatic:
        return f"they are run by hand: podium experiments run {experiment.name}"
    return f"their turn comes with podium dev, or with podium experiments run {experiment.name}"
