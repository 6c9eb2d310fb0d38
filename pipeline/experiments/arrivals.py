"""Runs out of the rows of files: which run a row speaks of, which of its rows count, and what they are called.

A run is (config_hash, repeat). Numbers follow from the order of arrival alone, so a number once given never changes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.identity import RunConfig, configuration_id, run_id
from pipeline.experiments.inputs import InputSpec
from pipeline.experiments.parts import Configuration
from pipeline.experiments.rows import InputNames, configuration_of, undeclared_input_row, undeclared_prompt_row
from pipeline.experiments.scored import UNFINISHED

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
    ended = ~found["status"].isin(UNFINISHED)
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
    by_config : DataFrame
        By config_hash: configuration and input_id.
    configurations : tuple of Configuration
        Those that runs have, each once.
    prompt_rows : tuple of dict
        Rows of ``experiments.prompts``; of two texts of one name and version the first.
    input_rows : tuple of dict
        Rows of ``experiments.inputs``; of two that have one id the first.
    """

    by_config: pd.DataFrame
    configurations: tuple[Configuration, ...]
    prompt_rows: tuple[dict[str, Any], ...]
    input_rows: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, experiment: Experiment, inputs: Sequence[InputSpec]) -> "AskedRuns":
        """What the runs of rows ask.

        Parameters
        ----------
        rows : DataFrame
            config_hash, config, prompt, prompt_version, input_id, in the order of arrival; of each config the last
            counts.
        experiment : Experiment
        inputs : sequence of InputSpec
            Declared ones.
        """
        last = rows.drop_duplicates("config_hash", keep="last").reset_index(drop=True)
        configs = list(_read_configs(last["config"].tolist()))
        input_ids = list(_input_ids(_cells(last, "input_id"), configs, inputs))
        by_config = pd.DataFrame(
            {"configuration": [one.configuration for one in configs], "input_id": input_ids},
            index=pd.Index(last["config_hash"]),
            dtype="str",
        )
        called = zip(configs, _cells(last, "prompt"), _cells(last, "prompt_version"), strict=True)
        of_each = {one.configuration: (one.asked, name, version) for one, name, version in called}
        configurations = tuple(configuration_of(asked, experiment, *names) for asked, *names in of_each.values())
        texts = {name: asked.prompt for name, (asked, *_) in of_each.items()}
        return cls(by_config, configurations, _prompt_rows(configurations, texts), _input_rows(input_ids, configs))


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


def _input_ids(given: Sequence[str | None], configs: Sequence[_Config], inputs: Sequence[InputSpec]) -> Iterator[str]:
    names = InputNames(inputs)
    for name, config in zip(given, configs, strict=True):
        yield name or names(config.asked.input_data)


def _prompt_rows(configurations: Sequence[Configuration], texts: Mapping[str, object]) -> tuple[dict[str, Any], ...]:
    """Prompts, by the configurations that have them."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in configurations:
        named = one.prompt, one.prompt_version
        found.setdefault(named, undeclared_prompt_row(*named, texts[one.id]))
    return tuple(found.values())


def _input_rows(input_ids: Sequence[str], configs: Sequence[_Config]) -> tuple[dict[str, Any], ...]:
    found: dict[str, object] = {}
    for name, config in zip(input_ids, configs, strict=True):
        found.setdefault(name, config.asked.input_data)
    return tuple(undeclared_input_row(name, data) for name, data in found.items())


def _cells(rows: pd.DataFrame, name: str) -> list[Any]:
    """The cells of a column, None where there is none."""
    column = rows[name].astype(object)
    return column.where(column.notna(), None).tolist()
