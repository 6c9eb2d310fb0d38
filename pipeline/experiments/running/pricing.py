"""What calls cost and can cost, and why a model cannot be called.

The most that a call can cost is worked out before it is made: its prompt has no more tokens than bytes, as every token
is made of one byte at least, but for those that frame messages; its answer has no more than ``max_tokens`` (or
``max_completion_tokens``) or the declared ``max_output_tokens`` of the model, whichever is less.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.execution import LOCAL, ModelSpec
from pipeline.experiments.running.provider import Provider, Usage
from pipeline.experiments.running.records import Kind

_FRAME_TOKENS = 32
_PER_PRICE = 1_000_000
_LIMITS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True)
class Providers:
    """Who can be asked.

    Parameters
    ----------
    made : mapping of str to Provider
        By name.
    missing : mapping of str to str
        Why others cannot, with the remedy.
    """

    made: Mapping[str, Provider]
    missing: Mapping[str, str]

    def why_not(self, name: str) -> str | None:
        """Why a provider cannot be asked; None where it can."""
        return None if name in self.made else self.missing.get(name, f"provider {name!r} is not known")


def why_not_run(experiment: Experiment, kind: Kind, providers: Providers, ceiling: float | None) -> str | None:
    """Why runs of a model with some parameters cannot be run, with the remedy; None where they can."""
    spec = experiment.model_called(kind.model)
    return why_not_called(kind.model, spec, json.loads(kind.params), providers, ceiling)


def why_not_called(
    model: str, spec: ModelSpec, params: Mapping[str, Any], providers: Providers, ceiling: float | None
) -> str | None:
    """Why a model cannot be called with some parameters, with the remedy; None where it can.

    Parameters
    ----------
    model : str
        As its provider calls it.
    spec : ModelSpec
        What is known of it.
    params : mapping
    providers : Providers
    ceiling : float or None
        What everything may cost; None for no ceiling.
    """
    why = providers.why_not(spec.provider)
    if why is not None or ceiling is None or most_cost(spec, 0, params) is not None:
        return why
    if spec.input_price is None or spec.output_price is None:
        what = "its price is not known; give input_price and output_price"
    else:
        what = "nothing limits its answers; give max_tokens, or max_output_tokens of the model"
    return f"model {model!r} may cost no more than {ceiling:g} USD, and {what}, or execution.max_cost: null"


def most_cost(spec: ModelSpec, n_bytes: int, params: Mapping[str, Any]) -> float | None:
    """The most that a call can cost, US dollars; None where nobody knows.

    Parameters
    ----------
    spec : ModelSpec
    n_bytes : int
        Of the texts that are sent, in UTF-8.
    params : mapping
    """
    if spec.provider == LOCAL:
        return 0.0
    if spec.input_price is None or spec.output_price is None:
        return None
    most_tokens = _most_tokens(spec, params)
    if most_tokens is None:
        return None
    return ((n_bytes + _FRAME_TOKENS) * spec.input_price + most_tokens * spec.output_price) / _PER_PRICE


def most_cost_of_vectors(spec: ModelSpec, n_bytes: int) -> float | None:
    """The most that embedding texts can cost, US dollars; None where nobody knows."""
    if spec.provider == LOCAL:
        return 0.0
    return None if spec.input_price is None else (n_bytes + _FRAME_TOKENS) * spec.input_price / _PER_PRICE


def cost_of(spec: ModelSpec, usage: Usage) -> float | None:
    """What a call cost, US dollars: by its provider's word, else by declared prices; None where nobody knows."""
    if usage.cost is not None:
        return usage.cost
    if spec.input_price is None or usage.tokens_in is None:
        return None
    if usage.tokens_out is None or spec.output_price is None:
        return None
    return (usage.tokens_in * spec.input_price + usage.tokens_out * spec.output_price) / _PER_PRICE


def cost_of_vectors(spec: ModelSpec, usage: Usage) -> float | None:
    """What embedding texts cost, US dollars; None where nobody knows."""
    if usage.cost is not None or spec.input_price is None or usage.tokens_in is None:
        return usage.cost
    return usage.tokens_in * spec.input_price / _PER_PRICE


def n_bytes_of(texts: Sequence[str]) -> int:
    """Bytes of texts in UTF-8, with what frames each of them."""
    return sum(len(text.encode("utf-8", "surrogatepass")) + _FRAME_TOKENS for text in texts)


def _most_tokens(spec: ModelSpec, params: Mapping[str, Any]) -> float | None:
    """Tokens of all answers of a call, at most; 0 where they cost nothing."""
    if spec.output_price == 0:
        return 0.0
    given = [params[name] for name in _LIMITS if params.get(name) is not None]
    answers = params.get("n", 1)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and one > 0 for one in [*given, answers]):
        return None
    limits = [max(given)] if given else []
    limits += [spec.max_output_tokens] if spec.max_output_tokens is not None else []
    return min(limits) * answers if limits else None
