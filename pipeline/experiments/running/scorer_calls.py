"""Scores that a model must be asked for: which runs lack them, and how they are asked."""

import threading
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.execution import LOCAL
from pipeline.experiments.running.asking import Asker, CeilingError, LaterError, Question
from pipeline.experiments.running.crew import Task
from pipeline.experiments.running.pricing import (
    Providers,
    cost_of,
    cost_of_vectors,
    most_cost,
    most_cost_of_vectors,
    n_bytes_of,
    why_not_called,
)
from pipeline.experiments.running.provider import Call, ProviderError, StoppedError
from pipeline.experiments.running.queue import Queue
from pipeline.experiments.scorers import Answer, EmbeddingSimilarity, Judge, Scorer, Tools
from pipeline.experiments.scorers import Question as Judging
from pipeline.experiments.scoring import RunScore, lacking_scores, score_runs


def reaching_out(experiment: Experiment) -> dict[str, Scorer]:
    """The scorers that call a model, by name."""
    return {name: one for name, one in experiment.made_scorers.items() if one.reaches_out}


def why_not_asked(
    experiment: Experiment, name: str, scorer: Scorer, providers: Providers, ceiling: float | None
) -> str | None:
    """Why a scorer cannot be asked, with the remedy; None where it can."""
    if not isinstance(scorer, Judge | EmbeddingSimilarity):
        return None
    if not scorer.model:
        return f"scorer {name!r} names no model to ask; give its option model"
    spec = experiment.model_called(scorer.model)
    if isinstance(scorer, Judge):
        if spec.provider == LOCAL:
            return f"scorer {name!r} asks the local provider, which cannot judge; name a model of another one"
        return why_not_called(scorer.model, spec, scorer.parameters, providers, ceiling)
    why = providers.why_not(spec.provider)
    if why is None and ceiling is not None and most_cost_of_vectors(spec, 0) is None:
        return (
            f"model {scorer.model!r} may cost no more than {ceiling:g} USD, and its price is not known; give "
            f"input_price in execution.models, or execution.max_cost: null"
        )
    return why


@dataclass(frozen=True)
class Missing:
    """A score that a run lacks."""

    run_id: str
    scorer: str
    answer: Answer


def missing_scores(
    experiment: Experiment, answers: Iterable[tuple[str, Answer]], known: Collection[tuple[str, str, str]]
) -> list[Missing]:
    """Scores of the present scorers that completed runs lack.

    Parameters
    ----------
    experiment : Experiment
    answers : iterable of (run_id, Answer)
        Completed runs.
    known : collection of (run_id, scorer, identity)
        Scores that there are.
    """
    lacking = lacking_scores(reaching_out(experiment), answers, known)
    return [Missing(run_id, name, answer) for run_id, name, answer, _ in lacking]


@dataclass(frozen=True)
class ScorerAsked:
    """What came of asking for a score; ``trouble`` is what kept it from being asked, if anything did."""

    missing: Missing
    score: RunScore | None
    trouble: Exception | None


class ScorerCalls:
    """Asks for missing scores, task by task.

    Parameters
    ----------
    experiment : Experiment
    queue : Queue
        Keeps scores and verdicts.
    providers : Providers
    asker : Asker
    missing : sequence of Missing
        Of scorers that can be asked.

    Attributes
    ----------
    n_given : int
        Scores that were given.
    why : dict of str to str
        By scorer, why the last one was not.
    """

    def __init__(
        self, experiment: Experiment, queue: Queue, providers: Providers, asker: Asker, missing: Sequence[Missing]
    ) -> None:
        self._experiment = experiment
        self._queue = queue
        self._providers = providers
        self._asker = asker
        self._todo = deque(missing)
        self._short: list[Missing] = []
        self._guard = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._replies: dict[str, str] = {}
        self.n_given = 0
        self.why: dict[str, str] = {}

    def more(self, wanted: int, n_running: int) -> list[Task[ScorerAsked]]:
        """The next tasks; what the ceiling had no room for once more, when something else has ended."""
        del n_running
        found = [self._todo.popleft() for _ in range(min(wanted, len(self._todo)))]
        return [Task(lambda stop, one=one: self._ask(one, stop)) for one in found]  # type: ignore[misc]

    def took(self, asked: ScorerAsked) -> None:
        """Keep a score, or why there is none."""
        name, trouble = asked.missing.scorer, asked.trouble
        if isinstance(trouble, CeilingError):
            self._short.append(asked.missing)
            self.why[name] = str(trouble)
            return
        if isinstance(trouble, LaterError):
            self._todo = deque(one for one in self._todo if one.scorer != name)
        self._todo.extend(self._short)
        self._short = []
        score = asked.score
        if score is None or score.identity is None:
            said = trouble or (score and score.scoring.details.get("error")) or (score and score.scoring.reason)
            self.why[name] = str(said)
            return
        self.n_given += 1
        self._queue.scores.give(
            score.run_id,
            score.scorer,
            kind=str(score.kind),
            version=score.version,
            identity=score.identity,
            value=score.scoring.value,
            reason=score.scoring.reason,
            details=dict(score.scoring.details),
        )

    def _ask(self, missing: Missing, stop: threading.Event) -> ScorerAsked:
        trouble: list[Exception] = []
        tools = self._tools(missing.scorer, stop, trouble)
        (score,) = score_runs(self._experiment, [(missing.run_id, missing.answer)], tools=tools, names=[missing.scorer])
        return ScorerAsked(missing, score, trouble[0] if trouble else None)

    def _tools(self, name: str, stop: threading.Event, trouble: list[Exception]) -> Tools:
        """What a scorer may use; what it does not get to know of failures is put into ``trouble``."""

        def ask(judging: Judging) -> str:
            return _or_trouble(lambda: self._reply_once(judging, stop), trouble)  # type: ignore[no-any-return]

        def embed(texts: Sequence[str]) -> npt.ArrayLike:
            return _or_trouble(lambda: self._vectors(name, texts, stop), trouble)  # type: ignore[no-any-return]

        return Tools(ask, embed, self._queue.verdicts)

    def _reply_once(self, judging: Judging, stop: threading.Event) -> str:
        """The reply to a question; whoever asks the same meanwhile, or later, gets the same reply."""
        with self._guard:
            asking = self._asking.setdefault(judging.identity, threading.Lock())
        with asking:
            if judging.identity not in self._replies:
                self._replies[judging.identity] = self._reply(judging, stop)
            return self._replies[judging.identity]

    def _reply(self, judging: Judging, stop: threading.Event) -> str:
        spec = self._experiment.model_called(judging.model)
        provider = self._providers.made[spec.provider]
        sent = ({"role": "user", "content": judging.prompt},)
        call = Call(judging.model, sent, judging.params, self._experiment.execution.stream)
        most = most_cost(spec, n_bytes_of([judging.prompt]), judging.params)
        asked = self._asker.ask(
            Question(lambda event: provider.complete(call, event), most, lambda usage: cost_of(spec, usage)), stop
        )
        if asked.answer is None:
            raise asked.tries[-1].error or ProviderError("no_answer", "there is no answer")
        return asked.answer.text

    def _vectors(self, name: str, texts: Sequence[str], stop: threading.Event) -> Any:
        model = getattr(self._experiment.made_scorers[name], "model", "")
        spec = self._experiment.model_called(model)
        provider = self._providers.made[spec.provider]
        asked = self._asker.ask(
            Question(
                lambda event: provider.embed(model, texts, event),
                most_cost_of_vectors(spec, n_bytes_of(texts)),
                lambda usage: cost_of_vectors(spec, usage),
                is_free=spec.provider == LOCAL,
            ),
            stop,
        )
        if asked.answer is None:
            raise asked.tries[-1].error or ProviderError("no_answer", "there is no answer")
        return asked.answer.vectors


def _or_trouble(call: Any, trouble: list[Exception]) -> Any:
    try:
        return call()
    except (CeilingError, LaterError, StoppedError, ProviderError) as error:
        trouble.append(error)
        raise
