"""What a row of a file asks: its config out of columns, what that is hashed to, and what prompt and input are called.

A file need not have the text of a prompt, nor the variables of an input: then names stand for them, as they are
declared or, where nobody declares them, as texts.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.files import OF_CONFIG
from pipeline.experiments.identity import RunConfig, canonical_json

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,62}", re.ASCII)
FIRST_VERSION = "1"
"""Of a prompt whose text is its name."""


class Asked(NamedTuple):
    """What a run asks.

    Parameters
    ----------
    config_hash, config : str
        The canonical JSON of prompt, model, params and input_data, and its sha256.
    prompt, prompt_version, input_id : str or None
        What they are called; None where nobody says, so that variables, or a hash, name them.
    """

    config_hash: str
    config: str
    prompt: str | None
    prompt_version: str | None
    input_id: str | None


def is_name(text: object) -> bool:
    """Whether a text is short and plain enough to stand for a prompt or an input, as its name."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


class Asking:
    """From the cells of rows to what they ask; equal cells are read once.

    Parameters
    ----------
    experiment : Experiment
    variables : mapping of str to mapping
        Variables of declared inputs by their ids.
    """

    def __init__(self, experiment: Experiment, variables: Mapping[str, Mapping[str, Any]]) -> None:
        self._prompts = experiment.prompts
        self._declared = {canonical_json(one.text): (name, one.version) for name, one in experiment.prompts.items()}
        self._variables = variables
        self._prompt = cache(self._read_prompt)
        self._params = cache(_read_params)
        self._input = cache(self._read_input)
        self._model = cache(canonical_json)

    def __call__(
        self,
        config: str | None,
        prompt: str | None,
        model: str | None,
        params: str | None,
        input_data: str | None,
        name: str | None,
        version: str | None,
        input_id: str | None,
    ) -> Asked:
        """What a row asks.

        Raises
        ------
        ValueError
            If that cannot be told; the message says what is missing or wrong.
        """
        if config is not None:
            beside = [one for one, cell in zip(OF_CONFIG, (prompt, model, params, input_data), strict=True) if cell]
            if beside:
                raise ValueError(f"config is given, and {', '.join(beside)} beside it; give it in one way")
            asked, text = _read_config(config)
            return Asked(_sha256(asked), asked, *self._called(text, name, version), input_id)
        if not model:
            raise ValueError("model is missing; name it, or give config")
        text, name, version = self._prompt(prompt, name, version)
        data, input_id = self._input(input_data, input_id)
        written = (
            f'{{"input_data":{data},"model":{self._model(model)},"params":{self._params(params)},"prompt":{text}}}'
        )
        return Asked(_sha256(written), written, name, version, input_id)

    def _read_prompt(
        self, given: str | None, name: str | None, version: str | None
    ) -> tuple[str, str | None, str | None]:
        """The JSON of a prompt's text, its name and its version."""
        prompt: object = given if given is not None else name
        if prompt is None:
            raise ValueError("prompt is missing; give its text, its name, or config")
        declared = self._prompts.get(str(prompt))
        if declared is not None and version in (None, declared.version):
            return canonical_json(declared.text), str(prompt), declared.version
        if is_name(prompt) and name in (None, prompt):
            named, version = str(prompt), version or FIRST_VERSION
            return canonical_json(named if version == FIRST_VERSION else f"{named}@{version}"), named, version
        text = canonical_json(_with_system(str(prompt)))
        return text, *self._called(text, name, version)

    def _called(self, text: str, name: str | None, version: str | None) -> tuple[str | None, str | None]:
        """The name and version of a prompt's JSON: as they are given, or declared by now."""
        declared = self._declared.get(text)
        return (name, version) if name is not None or declared is None else declared

    def _read_input(self, given: str | None, input_id: str | None) -> tuple[str, str | None]:
        """The JSON of an input's variables, or of the text that stands for it, and its id."""
        if given is None and input_id is not None:
            return canonical_json(self._variables.get(input_id, input_id)), input_id
        data = _object(given) if given is not None else None
        if data is not None:
            return canonical_json(data), input_id
        return canonical_json(given or ""), input_id or (given if is_name(given) else None)


def _read_config(text: str) -> tuple[str, str]:
    """The canonical JSON of a config's four parts, and that of its prompt."""
    config = _object(text)
    if config is None:
        raise ValueError("config is no JSON object; write {prompt, model, params, input_data}")
    asked = RunConfig.of(config)
    return canonical_json(asked.as_json), canonical_json(asked.prompt)


def _read_params(text: str | None) -> str:
    params = {} if text is None else _object(text)
    if params is None:
        raise ValueError("params is no JSON object; write {name: value}")
    return canonical_json(params)


def _with_system(text: str) -> object:
    """A prompt's text, or the two texts that it has with a system message."""
    parts = _object(text)
    is_pair = parts is not None and set(parts) == {"system", "template"}
    return parts if is_pair and all(isinstance(one, str) for one in (parts or {}).values()) else text


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _sha256(written: str) -> str:
    return hashlib.sha256(written.encode()).hexdigest()
