"""What is declared, as rows of the tables: prompts, inputs, configurations; and what an ad-hoc run belongs to."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pipeline.experiments.asked import FIRST_VERSION, is_name
from pipeline.experiments.declaration import Configuration, Experiment, PromptSpec
from pipeline.experiments.identity import RunConfig, canonical_json, sha256_of
from pipeline.experiments.inputs import InputSpec
from pipeline.tables import EXPERIMENT_CONFIGURATIONS, EXPERIMENT_INPUTS, EXPERIMENT_PROMPTS, TableSpec

AD_HOC = "ad_hoc"
"""The prompt of runs whose text nobody declared; its version is the beginning of a hash of the text."""


def prompt_rows(experiment: Experiment) -> pd.DataFrame:
    """Declared prompts."""
    return _frame(EXPERIMENT_PROMPTS, [_prompt_row(name, one) for name, one in experiment.prompts.items()])


def input_rows(inputs: Sequence[InputSpec]) -> pd.DataFrame:
    """Declared inputs."""
    rows = [
        {
            "input_id": one.id,
            "variables": canonical_json(one.variables),
            "reference": None if one.reference is None else canonical_json(one.reference),
            "is_declared": True,
        }
        for one in inputs
    ]
    return _frame(EXPERIMENT_INPUTS, rows)


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
    rows = [
        {
            "configuration": one.id,
            "title": one.title,
            "prompt": one.prompt,
            "prompt_version": one.prompt_version,
            "model": one.model,
            "parameters": canonical_json(one.parameters),
            "is_baseline": one.id == baseline,
            "is_declared": one.id in declared,
        }
        for one in listed
    ]
    return _frame(EXPERIMENT_CONFIGURATIONS, rows)


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


def _frame(spec: TableSpec, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    kinds = {"VARCHAR": "str", "JSON": "str", "BOOLEAN": "bool"}
    return pd.DataFrame(
        {
            one.name: pd.Series([row[one.name] for row in rows], dtype=kinds[one.type])
            for one in spec.columns
            if one.name != spec.board
        }
    )
