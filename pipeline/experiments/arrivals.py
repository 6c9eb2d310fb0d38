"""Runs out of the rows of files: which run a row speaks of, which of its rows count, and what they are called.

A run is (config_hash, repeat). Numbers follow from the order of arrival alone, so a number once given never changes.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline.experiments.board import STATUSES
from pipeline.experiments.declaration import Configuration, Experiment
from pipeline.experiments.identity import RunConfig, canonical_json, configuration_id, run_id, sha256_of
from pipeline.experiments.inputs import InputSpec
from pipeline.experiments.rows import InputNames, prompt_called
from pipeline.experiments.templates import PromptError, variables_of

_UNFINISHED = STATUSES[:2]
_OF_ARRIVAL = ["file_number", "row_number"]
_MOMENTS = ("created_at", "started_at", "completed_at")


def numbered_runs(rows: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Rows of files with the run that each speaks of.

    Rows without ``repeat`` of one config are the same run if they are of the same time (created, else started, else
    completed); those without any time if they say the same, as often as one file says it. Others are counted in the
    order of first arrival, behind the numbers that there are.

    Parameters
    ----------
    rows : DataFrame
        file_number, row_number, config_hash, repeat, status, created_at, started_at, completed_at, and ``content``,
        which is equal where rows say the same.
    experiment : str
        Its name.

    Returns
    -------
    DataFrame
        In the order of arrival: file_number, row_number, config_hash, repeat (int), run_id, and ``counts``: whether no
        other row replaces it. A later row does, but what is pending or running never replaces what has ended.
    """
    found = rows.sort_values(_OF_ARRIVAL, ignore_index=True)
    found["repeat"] = _repeats(found)
    ended = ~found["status"].isin(_UNFINISHED)
    in_force = found.assign(has_ended=ended).sort_values(["has_ended", *_OF_ARRIVAL], kind="stable")
    found["counts"] = ~in_force.duplicated(["config_hash", "repeat"], keep="last").sort_index()
    keys = found[["config_hash", "repeat"]].drop_duplicates()
    ids = [run_id(experiment, config_hash, repeat) for config_hash, repeat in keys.itertuples(index=False, name=None)]
    named = found.merge(keys.assign(run_id=pd.Series(ids, keys.index, dtype="str")), how="left")
    return named[[*_OF_ARRIVAL, "config_hash", "repeat", "run_id", "counts"]]


def _repeats(rows: pd.DataFrame) -> "pd.Series[int]":
    """The number of each row's run among those of its config; rows in the order of arrival."""
    told = rows["repeat"].notna()
    key = rows[["config_hash"]].assign(moment=_moment(rows))
    timeless = key["moment"].isna()
    key["content"] = rows["content"].where(timeless, 0)
    key["again"] = (
        key.assign(file_number=rows["file_number"])
        .groupby(["file_number", "config_hash", "content"], sort=False)
        .cumcount()
        .where(timeless, 0)
    )
    same = key.groupby(list(key), dropna=False, sort=False).ngroup()
    first = ~same.duplicated()
    counted = first.groupby(rows["config_hash"]).cumsum()[first].set_axis(same[first])
    repeat = same.map(counted).where(~told, rows["repeat"]).astype(np.int64)
    of_both = rows["config_hash"].isin(rows.loc[told, "config_hash"]) & rows["config_hash"].isin(
        rows.loc[~told, "config_hash"]
    )
    for _, of_config in rows[of_both].groupby("config_hash", sort=False):
        in_turn = list(_in_turn(same[of_config.index].tolist(), of_config["repeat"].tolist()))
        repeat.loc[of_config.index] = np.array(in_turn)
    return repeat


def _moment(rows: pd.DataFrame) -> "pd.Series[Any]":
    created, started, completed = (rows[name] for name in _MOMENTS)
    return created.fillna(started).fillna(completed)


def _in_turn(same: Sequence[int], told: Sequence[Any]) -> Iterator[int]:
    """Numbers of one config's runs, some of which are told."""
    numbers: dict[int, int] = {}
    most = 0
    for run, repeat in zip(same, told, strict=True):
        number = numbers.setdefault(run, most + 1 if pd.isna(repeat) else int(repeat))
        if not pd.isna(repeat):
            number = int(repeat)
        most = max(most, number)
        yield number


@dataclass(frozen=True, eq=False)
class AskedRuns:
    """What runs of files ask, and what that is called.

    Parameters
    ----------
    rows : DataFrame
        config_hash, config, prompt, prompt_version, input_id, in the order of arrival; of each config the last counts.
    experiment : Experiment
    inputs : sequence of InputSpec
        Declared ones.
    """

    rows: pd.DataFrame
    experiment: Experiment
    inputs: Sequence[InputSpec]

    @cached_property
    def by_config(self) -> pd.DataFrame:
        """By config_hash: configuration and input_id."""
        last = self._last
        return pd.DataFrame(
            {"configuration": [one.configuration for one in self._configs], "input_id": self._input_ids},
            index=pd.Index(last["config_hash"]),
            dtype="str",
        )

    @cached_property
    def configurations(self) -> list[Configuration]:
        """Those that runs have, each once."""
        names = dict(
            zip(
                self.by_config["configuration"],
                zip(self._configs, _cells(self._last, "prompt"), _cells(self._last, "prompt_version"), strict=True),
                strict=True,
            )
        )
        return [self._configuration(*one) for one in names.values()]

    def prompt_rows(self) -> list[dict[str, Any]]:
        """Rows of ``experiments.prompts``; of two texts of one name and version the first."""
        texts = {one.configuration: one.asked.prompt for one in self._configs}
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for one in self.configurations:
            found.setdefault((one.prompt, one.prompt_version), _prompt_row(one, texts[one.id]))
        return list(found.values())

    def input_rows(self) -> list[dict[str, Any]]:
        """Rows of ``experiments.inputs``; of two that have one id the first."""
        found: dict[str, dict[str, Any]] = {}
        for input_id, config in zip(self._input_ids, self._configs, strict=True):
            if input_id not in found:
                variables = canonical_json(config.asked.input_data)
                found[input_id] = {
                    "input_id": input_id,
                    "variables": variables,
                    "reference": None,
                    "is_declared": False,
                }
        return list(found.values())

    def _configuration(self, config: "_Config", name: str | None, version: str | None) -> Configuration:
        prompt, version = prompt_called(config.asked.prompt, self.experiment, name, version)
        return Configuration(
            id=config.configuration,
            prompt=prompt,
            prompt_version=version,
            model=config.asked.model,
            parameters=dict(config.asked.params),
        )

    @cached_property
    def _last(self) -> pd.DataFrame:
        return self.rows.drop_duplicates("config_hash", keep="last").reset_index(drop=True)

    @cached_property
    def _configs(self) -> list["_Config"]:
        return list(_read_configs(self._last["config"].tolist()))

    @cached_property
    def _input_ids(self) -> list[str]:
        names = InputNames(self.inputs)
        given = _cells(self._last, "input_id")
        return [one or names(config.asked.input_data) for one, config in zip(given, self._configs, strict=True)]


@dataclass(frozen=True)
class _Config:
    """What a run asks, and its configuration, which many share and which is hashed once."""

    asked: RunConfig
    configuration: str


def _read_configs(texts: Sequence[str]) -> Iterator[_Config]:
    for text in texts:
        asked = RunConfig.of(json.loads(text))
        yield _Config(asked, _configuration_id(json.dumps([asked.prompt, asked.model, asked.params])))


@lru_cache(maxsize=4096)
def _configuration_id(shared: str) -> str:
    return configuration_id(*json.loads(shared))


def _cells(rows: pd.DataFrame, name: str) -> list[Any]:
    """The cells of a column, None where there is none."""
    column = rows[name].astype(object)
    return column.where(column.notna(), None).tolist()


def _prompt_row(configuration: Configuration, text: object) -> dict[str, Any]:
    """A prompt as runs have it; a text that is no template takes no variables."""
    parts = text if isinstance(text, dict) else {"system": None, "template": str(text)}
    try:
        variables = frozenset[str]().union(*(variables_of(one) for one in parts.values() if one is not None))
    except PromptError:
        variables = frozenset()
    return {
        "prompt": configuration.prompt,
        "version": configuration.prompt_version,
        "template": parts["template"],
        "system": parts["system"],
        "variables": ", ".join(sorted(variables)),
        "sha256": sha256_of(text),
        "is_declared": False,
    }
