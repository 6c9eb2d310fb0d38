"""Executing experiments with what the settings say: queues, providers and keys, published results, the inbox.

The asset of an experiment, the command line and the sensor of posted experiments all call :func:`execute_pending`;
whoever wants to know whether that is worth while asks :func:`pending_of`.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock

from pipeline.clock import utc_now
from pipeline.experiments import (
    LOCAL,
    OPENAI,
    Experiment,
    InputsError,
    InputSpec,
    PlanError,
)
from pipeline.experiments.running import (
    Asker,
    Kind,
    LocalProvider,
    Missing,
    Money,
    OpenAIClient,
    Providers,
    Queue,
    Runner,
    Tally,
    missing_scores,
    most_cost,
    reaching_out,
    why_not_asked,
    why_not_run,
)
from pipeline.intake.experiments import declared_inputs
from pipeline.intake.posted import is_posted
from pipeline.intake.queueing import bring_up_to_date, catch_up, open_queue, queue_path
from pipeline.intake.results import (
    Published,
    deliver_results,
    published_answers,
    published_of,
    queued_answers,
)
from pipeline.settings import Settings, provider_variable, secret_variable

_NO_MONEY = Money(0.0, 0.0, 0.0, 0)


@dataclass(frozen=True)
class Pending:
    """What waits of an experiment, and what keeps it waiting.

    Parameters
    ----------
    counts : dict of str to int
        Runs in the queue by status.
    n_ready : int
        Waiting runs that can be run now.
    n_scores_ready : int
        Scores that models can be asked for now.
    n_undelivered : int
        Results that no file of the inbox has.
    why : tuple of str
        Why others wait, with remedies.
    money : Money
    ceiling : float or None
        US dollars that everything may cost.
    mark : str
        Equal ones: nothing has changed since, and it is the same hour.
    is_automatic : bool
        Whether what waits is run without anybody's command.
    """

    counts: dict[str, int]
    n_ready: int
    n_scores_ready: int
    n_undelivered: int
    why: tuple[str, ...]
    money: Money
    ceiling: float | None
    mark: str
    is_automatic: bool = True

    @property
    def n_waiting(self) -> int:
        """Runs that wait, whether they can be run or not."""
        return self.counts.get("pending", 0)

    @property
    def is_worth_while(self) -> bool:
        """Whether there is something to do that needs nobody's command: to deliver, or to execute."""
        return bool(self.n_undelivered or (self.is_automatic and (self.n_ready or self.n_scores_ready)))


@dataclass(frozen=True)
class Execution:
    """What was executed.

    Parameters
    ----------
    tally : Tally
    files : tuple of Path
        Delivered to the inbox.
    n_waiting : int
        Runs that wait still.
    money : Money
    ceiling : float or None
        US dollars that everything may cost.
    """

    tally: Tally
    files: tuple[Path, ...]
    n_waiting: int
    money: Money
    ceiling: float | None


def ceiling_of(experiment: Experiment, given: Settings, max_cost: float | None = None) -> float | None:
    """US dollars that everything of an experiment may cost; None for no ceiling.

    Parameters
    ----------
    experiment : Experiment
    given : Settings
    max_cost : float, optional
        In place of the declared ceiling.
    """
    declared = experiment.execution.max_cost if max_cost is None else max_cost
    if not is_posted(experiment.name, given):
        return declared
    return given.posted_cost if declared is None else min(declared, given.posted_cost)


def providers_of(experiment: Experiment, given: Settings) -> Providers:
    """Who can be asked for an experiment's models, and why others cannot."""
    timeout = experiment.execution.timeout_seconds
    specs = (*experiment.models.values(), *experiment.execution.models.values())
    names = {OPENAI, *given.providers, *(one.provider for one in specs)} - {LOCAL}
    if is_posted(experiment.name, given) and not given.posted_cost:
        why = "an experiment that was posted runs on the local provider only; PODIUM_POSTED_COST allows others to cost"
        return Providers({LOCAL: LocalProvider()}, dict.fromkeys(names, why))
    made = {name: OpenAIClient(address, given.secrets.get(name), timeout) for name, address in given.providers.items()}
    missing = {
        name: f"provider {name!r} has no address; set {provider_variable(name)}, and {secret_variable(name)} where it "
        f"wants a key"
        for name in names - set(made)
    }
    return Providers({**made, LOCAL: LocalProvider()}, missing)


def has_queue(experiment: Experiment, given: Settings) -> bool:
    """Whether an experiment has a queue, or needs one: not one whose runs are all imported and scored by nobody."""
    return bool(experiment.prompts or reaching_out(experiment)) or queue_path(experiment.name, given).exists()


def pending_of(experiment: Experiment, given: Settings) -> Pending:
    """What waits of an experiment; its queue is brought up to its declaration first.

    Raises
    ------
    QueueError
        If its queue cannot be used.
    """
    if not has_queue(experiment, given):
        return Pending({}, 0, 0, 0, (), _NO_MONEY, ceiling_of(experiment, given), "")
    with open_queue(experiment.name, given) as queue:
        queue.recover()
        why: dict[str, None] = {}
        inputs: Sequence[InputSpec] = ()
        try:
            inputs = catch_up(experiment, queue, given)
        except (InputsError, PlanError, ValueError) as error:
            why[str(error)] = None
        return _pending(experiment, queue, inputs, given, why)


def execute_pending(
    experiment: Experiment,
    given: Settings,
    *,
    limit: int | None = None,
    max_cost: float | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[Tally], object] = lambda _: None,
    asker: Callable[[Queue, float | None], Asker] | None = None,
) -> Execution:
    """Run what waits, ask for scores that only models give, and deliver both; the warehouse is not touched.

    Parameters
    ----------
    experiment : Experiment
    given : Settings
    limit : int, optional
        So many runs at most.
    max_cost : float, optional
        US dollars that the whole experiment may cost, in place of the declared ceiling.
    stop : Event, optional
        Set by whoever wants it to end early: what runs may end, what waits goes on waiting.
    progress : callable
        Told how it stands whenever a run has ended.
    asker : callable, optional
        How providers are asked, from the queue and the ceiling.

    Raises
    ------
    QueueError
        If its queue cannot be used.
    InputsError, PlanError
        If it cannot be run as it is declared.
    """
    stop = stop or threading.Event()
    ceiling = ceiling_of(experiment, given, max_cost)
    if not has_queue(experiment, given):
        return Execution(Tally(), (), 0, _NO_MONEY, ceiling)
    files: list[Path] = []
    with open_queue(experiment.name, given) as queue:
        published = published_of(experiment.name, given)
        queue.forget(published.runs, published.score_ids)
        queue.recover()
        queue.withdraw_answered(published.completed)
        inputs = declared_inputs(experiment, given)
        bring_up_to_date(experiment, queue, inputs, published, given)
        runner = Runner(
            experiment,
            queue,
            providers_of(experiment, given),
            ceiling,
            limit=limit,
            asker=None if asker is None else asker(queue, ceiling),
            deliver=lambda: files.extend(deliver_results(experiment, queue, given)),
            progress=progress,
        )
        try:
            runner.run(stop)
            _ask_for_scores(experiment, queue, runner, inputs, published, given, stop)
        finally:
            files.extend(deliver_results(experiment, queue, given))
        waiting = queue.counts.get("pending", 0)
        return Execution(runner.tally, tuple(files), waiting, queue.ledger.money, ceiling)


def deliver_waiting(experiment: Experiment, given: Settings) -> list[Path]:
    """Deliver what people, and runs that ended, left in the queue, without running anything; the files.

    Raises
    ------
    QueueError
        If its queue cannot be used.
    """
    if not queue_path(experiment.name, given).exists():
        return []
    with open_queue(experiment.name, given, make=False) as queue:
        published = published_of(experiment.name, given)
        queue.forget(published.runs, published.score_ids)
        return deliver_results(experiment, queue, given)


def _pending(
    experiment: Experiment, queue: Queue, inputs: Sequence[InputSpec], given: Settings, why: dict[str, None]
) -> Pending:
    ceiling, providers, money = ceiling_of(experiment, given), providers_of(experiment, given), queue.ledger.money
    n_ready = 0
    for kind, n in queue.waiting.items():
        said = why_not_run(experiment, kind, providers, ceiling) or why_no_room(experiment, kind, money, ceiling)
        if said is None:
            n_ready += n
        else:
            why.setdefault(said)
    counts, n_undelivered = queue.counts, queue.n_undelivered
    n_scores = _scores_ready(experiment, queue, inputs, providers, given, why)
    state = [counts, n_ready, n_scores, n_undelivered, queue.planned, money.at_most, f"{utc_now():%Y-%m-%dT%H}"]
    mark = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
    is_automatic = experiment.execution.automatic
    return Pending(counts, n_ready, n_scores, n_undelivered, tuple(why), money, ceiling, mark, is_automatic)


def why_no_room(experiment: Experiment, kind: Kind, money: Money, ceiling: float | None) -> str | None:
    """Why not even the shortest prompt could be sent any more; None where it could."""
    least = most_cost(experiment.model_called(kind.model), 0, json.loads(kind.params))
    if ceiling is None or not least or money.at_most + least <= ceiling:
        return None
    return (
        f"{money.at_most:.4g} of {ceiling:g} USD are spent or may have been, which leaves no room for another call of "
        f"{kind.model!r}; raise execution.max_cost"
    )


def _scores_ready(
    experiment: Experiment,
    queue: Queue,
    inputs: Sequence[InputSpec],
    providers: Providers,
    given: Settings,
    why: dict[str, None],
) -> int:
    """Missing scores that models can be asked for; why others cannot is added to ``why``."""
    scorers = reaching_out(experiment)
    if not scorers:
        return 0
    ceiling = ceiling_of(experiment, given)
    said = {name: why_not_asked(experiment, name, one, providers, ceiling) for name, one in scorers.items()}
    missing = _missing(experiment, queue, inputs, published_of(experiment.name, given), given)
    for one in missing:
        if (reason := said[one.scorer]) is not None:
            why.setdefault(reason)
    return sum(1 for one in missing if said[one.scorer] is None)


def _missing(
    experiment: Experiment, queue: Queue, inputs: Sequence[InputSpec], published: Published, given: Settings
) -> list[Missing]:
    answers = dict(published_answers(experiment, inputs, given)) | dict(queued_answers(queue, inputs))
    return missing_scores(experiment, answers.items(), _known(queue, published))


def _known(queue: Queue, published: Published) -> frozenset[tuple[str, str, str]]:
    queued = {(one.run_id, one.scorer, one.identity) for one in queue.scores.all() if one.identity is not None}
    return published.known | queued


def _ask_for_scores(
    experiment: Experiment,
    queue: Queue,
    runner: Runner,
    inputs: Sequence[InputSpec],
    published: Published,
    given: Settings,
    stop: threading.Event,
) -> None:
    """Ask for what is missing, unless another process does: a question is paid for once."""
    if not reaching_out(experiment):
        return
    try:
        with filelock.FileLock(queue.path.with_name(f".{queue.path.stem}.scoring.lock"), timeout=0):
            answers = dict(published_answers(experiment, inputs, given)) | dict(queued_answers(queue, inputs))
            runner.score(answers.items(), _known(queue, published), stop)
    except filelock.Timeout:
        runner.tally.why.setdefault("another process is asking for scores now")
