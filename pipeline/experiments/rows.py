"""What is declared, as rows of the tables: prompts, inputs, configurations; and what an ad-hoc run belongs to."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

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


def configuration_of(config: RunConfig, experiment: Experiment) -> Configuration:
    """The configuration of any run: by the declared prompt of this very text, else an ad-hoc one."""
    sha256 = sha256_of(config.prompt)
    named = [(name, one.version) for name, one in experiment.prompts.items() if one.sha256 == sha256]
    prompt, version = named[0] if named else (AD_HOC, sha256[:8])
    return Configuration(
        id=config.configuration,
        prompt=prompt,
        prompt_version=version,
        model=config.model,
        parameters=dict(config.params),
    )


def input_of(config: RunConfig, inputs: Sequence[InputSpec]) -> str:
    """The input of any run: the declared one with these very variables, else a name out of their hash."""
    written = canonical_json(config.input_data)
    named = [one.id for one in inputs if canonical_json(one.variables) == written]
    return named[0] if named else sha256_of(config.input_data)[:12]


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
