"""The runs that an experiment asks for, in the order in which they are begun, without those that there are.

The plan is a pure function of the declaration: a run keeps its identity and its place among the others whatever is
added, so what is already done is never done again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.identity import RunConfig, run_id
from pipeline.experiments.inputs import InputSpec
from pipeline.experiments.parts import Configuration, PromptSpec
from pipeline.experiments.templates import filled


class PlanError(ValueError):
    """An experiment that cannot be run as declared; the message says what would do."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that is to be made.

    Parameters
    ----------
    run_id : str
        Its UUID.
    config_hash : str
    repeat : int
        From 1.
    configuration : Configuration
    input_id : str
    config : RunConfig
        What is asked, and hashed.
    """

    run_id: str
    config_hash: str
    repeat: int
    configuration: Configuration
    input_id: str
    config: RunConfig

    @property
    def key(self) -> tuple[str, int]:
        """What makes it the same run as another."""
        return self.config_hash, self.repeat


def plan(
    experiment: Experiment,
    inputs: Sequence[InputSpec] | None = None,
    done: Collection[tuple[str, int]] = (),
) -> list[PlannedRun]:
    """Every run that is not done: first repeats of all first, input by input, each with all configurations.

    So a plan that is stopped has compared all configurations on the same inputs, but for the last one.

    Parameters
    ----------
    experiment : Experiment
    inputs : sequence of InputSpec, optional
        Those of its file; by default those that it lists.
    done : collection of (config_hash, repeat)
        Runs that are not to be made: completed ones, and those that somebody is at.

    Raises
    ------
    PlanError
        If it has more runs than ``max_runs``, or its inputs are in a file and not given.
    ValueError
        If inputs lack what prompts take.
    """
    if inputs is None:
        if experiment.inputs_file is not None:
            raise PlanError(f"the inputs are in {experiment.inputs_file}; read them with read_inputs, and give them")
        inputs = experiment.inputs
    experiment.require_inputs(tuple(inputs))
    n = len(experiment.configurations) * len(inputs) * experiment.repeats
    if n > experiment.max_runs:
        raise PlanError(
            f"{len(experiment.configurations)} configurations on {len(inputs)} inputs, {experiment.repeats} times, are "
            f"{n:,} runs, more than max_runs ({experiment.max_runs:,}); raise it, or try less"
        )
    left_out = frozenset(done)
    once = [_planned(experiment, one, configuration) for one in inputs for configuration in experiment.configurations]
    return [
        PlannedRun(run_id(experiment.name, config_hash, repeat), config_hash, repeat, configuration, input_id, config)
        for repeat in range(1, experiment.repeats + 1)
        for configuration, input_id, config, config_hash in once
        if (config_hash, repeat) not in left_out
    ]


def messages(prompt: PromptSpec, variables: Mapping[str, object]) -> list[dict[str, str]]:
    """What is sent to a model: the system message, if there is one, and the prompt, filled in.

    Raises
    ------
    PromptError
        If a template cannot be filled in.
    """
    system = [] if prompt.system is None else [{"role": "system", "content": filled(prompt.system, variables)}]
    return [*system, {"role": "user", "content": filled(prompt.template, variables)}]


def changed_without_version(prompts: Mapping[str, PromptSpec], known: Iterable[tuple[str, str, str]]) -> list[str]:
    """Prompts whose text is another while their version is not: their runs would be taken for those of the old text.

    Parameters
    ----------
    prompts : mapping of str to PromptSpec
        As declared.
    known : iterable of (name, version, sha256)
        Rows of ``experiments.prompts``.
    """
    texts = {(name, version): sha256 for name, version, sha256 in known}
    return [
        f"prompt {name!r} is another text than version {one.version!r} was; give it another version"
        for name, one in prompts.items()
        if texts.get((name, one.version), one.sha256) != one.sha256
    ]


def _planned(
    experiment: Experiment, one: InputSpec, configuration: Configuration
) -> tuple[Configuration, str, RunConfig, str]:
    prompt = experiment.prompts[configuration.prompt]
    config = RunConfig(prompt.text, configuration.model, configuration.parameters, one.variables)
    return configuration, one.id, config, config.config_hash
