"""Rows of the tables: what is declared, what runs ask, runs that wait, stages; and what an ad-hoc run belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pipeline.experiments.asked import FIRST_VERSION, is_name
from pipeline.experiments.declaration import Experiment
from pipeline.experiments.frames import frame_of_rows
from pipeline.experiments.identity import RunConfig, canonical_json, sha256_of
from pipeline.experiments.inputs import InputSpec
from pipeline.experiments.parts import Configuration, PromptSpec
from pipeline.experiments.plan import PlannedRun
from pipeline.experiments.templates import PromptError, variables_of
from pipeline.tables import EXPERIMENT_CONFIGURATIONS, EXPERIMENT_INPUTS, EXPERIMENT_PROMPTS, EXPERIMENT_STAGES

AD_HOC = "ad_hoc"
"""The prompt of runs whose text nobody declared; its version is the beginning of a hash of the text."""


def prompt_rows(experiment: Experiment) -> pd.DataFrame:
    """Declared prompts."""
    return frame_of_rows(EXPERIMENT_PROMPTS, [_prompt_row(name, one) for name, one in experiment.prompts.items()])


def undeclared_prompt_row(name: str, version: str, text: object) -> dict[str, Any]:
    """A prompt as runs have it; a text that is no template takes no variables."""
    parts = text if isinstance(text, Mapping) else {"template": text}
    template, system = str(parts.get("template", "")), parts.get("system")
    texts = [template] if system is None else [template, str(system)]
    try:
        variables = frozenset[str]().union(*map(variables_of, texts))
    except PromptError:
        variables = frozenset()
    return {
        "prompt": name,
        "version": version,
        "template": template,
        "system": None if system is None else str(system),
        "variables": ", ".join(sorted(variables)),
        "sha256": sha256_of(text),
        "is_declared": False,
    }


def input_rows(inputs: Sequence[InputSpec]) -> pd.DataFrame:
    """Declared inputs."""
    return frame_of_rows(EXPERIMENT_INPUTS, [_input_row(one.id, one.variables, one.reference, True) for one in inputs])


def undeclared_input_row(input_id: str, input_data: object) -> dict[str, Any]:
    """An input as runs have it: nobody knows what should come out."""
    return _input_row(input_id, input_data, None, False)


def configuration_rows(experiment: Experiment, others: Sequence[Configuration] = ()) -> pd.DataFrame:
    """Declared configurations, and others that runs have.

    Raises
    ------
    ValueError
        If the declared baseline fits none of them, or several.
    """
    declared = {one.id: one for one in experiment.configurations}
    listed = list({**{other.id: other for other in others}, **declared}.values())
    baseline = experiment.baseline_of(experiment.configurations or listed)
    rows = [configuration_row(one, is_baseline=one.id == baseline, is_declared=one.id in declared) for one in listed]
    return frame_of_rows(EXPERIMENT_CONFIGURATIONS, rows)


def configuration_row(one: Configuration, *, is_baseline: bool = False, is_declared: bool = False) -> dict[str, Any]:
    """A configuration."""
    return {
        "configuration": one.id,
        "title": one.title,
        "prompt": one.prompt,
        "prompt_version": one.prompt_version,
        "model": one.model,
        "parameters": canonical_json(one.parameters),
        "is_baseline": is_baseline,
        "is_declared": is_declared,
    }


def planned_row(one: PlannedRun) -> dict[str, Any]:
    """A run that is declared, and that nobody has asked for yet."""
    return {
        "run_id": one.run_id,
        "config_hash": one.config_hash,
        "repeat": one.repeat,
        "configuration": one.configuration.id,
        "input_id": one.input_id,
        "config": canonical_json(one.config.as_json),
        "status": "pending",
    }


def stage_rows(run_id: str, stages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The stages of a run.

    Parameters
    ----------
    run_id : str
    stages : sequence of mapping
        In order; times are texts of ISO 8601, in UTC where they name no zone.
    """
    columns = EXPERIMENT_STAGES.column_names
    return [
        {name: _read(name, stage.get(name)) for name in columns} | {"run_id": run_id, "number": number}
        for number, stage in enumerate(stages, start=1)
    ]


def with_former(now: pd.DataFrame, before: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Rows of what is declared now, and those of before that no longer are: their runs still name them.

    Parameters
    ----------
    now, before : DataFrame
        Of one table, with ``is_declared``.
    key : sequence of str
        What names a row.
    """
    names = pd.MultiIndex.from_frame(before[list(key)])
    former = before[~names.isin(pd.MultiIndex.from_frame(now[list(key)]))]
    return pd.concat([now, former.assign(is_declared=False)], ignore_index=True)


def configuration_of(
    config: RunConfig, experiment: Experiment, name: str | None = None, version: str | None = None
) -> Configuration:
    """The configuration of any run.

    Parameters
    ----------
    config : RunConfig
        What it asks.
    experiment : Experiment
    name, version : str, optional
        What its prompt is called. By default the declared prompt of this very text, else the text itself where it is
        a name, else an ad-hoc one.
    """
    prompt, version = prompt_called(config.prompt, experiment, name, version)
    return Configuration(
        id=config.configuration,
        prompt=prompt,
        prompt_version=version,
        model=config.model,
        parameters=dict(config.params),
    )


def prompt_called(
    text: object, experiment: Experiment, name: str | None = None, version: str | None = None
) -> tuple[str, str]:
    """The name and the version of a prompt; see :func:`configuration_of`."""
    sha256 = sha256_of(text)
    declared = {one: spec.version for one, spec in experiment.prompts.items() if spec.sha256 == sha256}
    if name is None and declared:
        return next(iter(declared.items()))
    is_its_name = is_name(text) and name in (None, text)
    called = name or (str(text) if is_its_name else AD_HOC)
    return called, version or declared.get(called) or (FIRST_VERSION if is_its_name else sha256[:8])


class InputNames:
    """The names of inputs by their variables.

    Parameters
    ----------
    inputs : iterable of InputSpec
        Declared ones.
    """

    def __init__(self, inputs: Iterable[InputSpec]) -> None:
        self._declared = {canonical_json(one.variables): one.id for one in inputs}

    def __call__(self, input_data: object) -> str:
        """The declared input with these very variables, else the text itself where it is a name, else a hash."""
        named = self._declared.get(canonical_json(input_data))
        return named or (str(input_data) if is_name(input_data) else sha256_of(input_data)[:12])


def input_of(config: RunConfig, inputs: Sequence[InputSpec]) -> str:
    """The input of any run; see :class:`InputNames`."""
    return InputNames(inputs)(config.input_data)


def _prompt_row(name: str, prompt: PromptSpec) -> dict[str, Any]:
    return {
        "prompt": name,
        "version": prompt.version,
        "template": prompt.template,
        "system": prompt.system,
        "variables": ", ".join(sorted(prompt.variables)),
        "sha256": prompt.sha256,
        "is_declared": True,
    }


def _input_row(input_id: str, variables: object, reference: object, is_declared: bool) -> dict[str, Any]:
    return {
        "input_id": input_id,
        "variables": canonical_json(variables),
        "reference": None if reference is None else canonical_json(reference),
        "is_declared": is_declared,
    }


def _read(name: str, value: Any) -> Any:
    """A cell of a stage; its times are read."""
    if value is None or not name.endswith("_at"):
        return value
    time = datetime.fromisoformat(value)
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
