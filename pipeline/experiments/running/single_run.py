"""Executing one run: its prompt is filled in, a model is asked, and what came of it is its outcome."""

import threading
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.execution import LOCAL
from pipeline.experiments.identity import RunConfig
from pipeline.experiments.parts import PromptSpec
from pipeline.experiments.plan import messages
from pipeline.experiments.running.asking import CUT_OFF, Asked, Asker, Question
from pipeline.experiments.running.pricing import Providers, cost_of, most_cost, n_bytes_of
from pipeline.experiments.running.provider import Call, Reply
from pipeline.experiments.running.records import Outcome
from pipeline.experiments.templates import PromptError, variables_in

BAD_PROMPT = "bad_prompt"
_FILTERED = "content_filter"


def execute(
    experiment: Experiment, config: RunConfig, providers: Providers, asker: Asker, stop: threading.Event
) -> Outcome:
    """What comes of a run whose provider can be asked; errors as of :meth:`Asker.ask`."""
    try:
        filled_in = sent_messages(config)
    except (PromptError, ValidationError, ValueError) as error:
        said = f"{BAD_PROMPT}: {_told(error)}"
        stage = {"stage": "prompt", "status": "failed", "error": said}
        return Outcome("failed", cost=0.0, error=said, stages=(stage,))
    spec = experiment.model_called(config.model)
    call = Call(config.model, filled_in, config.params, experiment.execution.stream)
    provider = providers.made[spec.provider]
    question = Question(
        lambda event: provider.complete(call, event),
        most_cost(spec, n_bytes_of([one["content"] for one in filled_in]), config.params),
        lambda usage: cost_of(spec, usage),
        is_free=spec.provider == LOCAL,
    )
    prompt = {"stage": "prompt", "status": "completed", "sent": "\n\n".join(one["content"] for one in filled_in)}
    return _outcome(prompt, asker.ask(question, stop))


def sent_messages(config: RunConfig) -> tuple[Mapping[str, str], ...]:
    """What is sent for a run: its prompt, filled in with its input; an input that is a text is ``{{ input }}``.

    Raises
    ------
    ValueError
        If its prompt cannot be filled in.
    """
    prompt: Any = config.prompt if isinstance(config.prompt, Mapping) else {"template": config.prompt}
    return tuple(messages(PromptSpec.model_validate(dict(prompt)), variables_in(config.input_data)))


def _outcome(prompt: Mapping[str, Any], asked: Asked[Reply]) -> Outcome:
    failed, last = asked.tries[:-1], asked.tries[-1]
    stages = [prompt, *(one.as_stage() for one in failed)]
    if asked.answer is None:
        stages.append(last.as_stage())
        error = last.error
        detail = None if error is None else error.detail
        return Outcome("failed", cost=asked.cost, error=str(error), error_detail=detail, stages=tuple(stages))
    reply = asked.answer
    said = _warning(reply)
    stages.append(last.as_stage(output=reply.text, error=said))
    return Outcome(
        "completed",
        output=reply.text,
        tokens_in=reply.usage.tokens_in,
        tokens_out=reply.usage.tokens_out,
        cost=asked.cost,
        error=said,
        stages=tuple(stages),
    )


def _warning(reply: Reply) -> str | None:
    """What is wrong with an answer that came."""
    if reply.finish_reason == "length":
        return CUT_OFF
    return "filtered: its provider left something out" if reply.finish_reason == _FILTERED else None


def _told(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors(include_url=False))
    return str(error)
