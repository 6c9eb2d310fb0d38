"""The runner: claims runs that can be run, executes some at once within the ceiling, and asks for missing scores."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.experiments.declaration import Experiment
from pipeline.experiments.execution import LOCAL
from pipeline.experiments.running.asking import Asker, CeilingError, LaterError, Patience
from pipeline.experiments.running.crew import Crew, Task
from pipeline.experiments.running.pricing import Providers, why_not_run
from pipeline.experiments.running.provider import StoppedError
from pipeline.experiments.running.queue import Queue
from pipeline.experiments.running.queue_file import QueueError
from pipeline.experiments.running.records import Kind, Outcome, QueuedRun
from pipeline.experiments.running.scorer_calls import (
    ScorerAsked,
    ScorerCalls,
    missing_scores,
    reaching_out,
    why_not_asked,
)
from pipeline.experiments.running.single_run import execute
from pipeline.experiments.scorers import Answer

EXECUTION_FAILED = "execution_failed"
DELIVER_EVERY_RUNS, DELIVER_EVERY_SECONDS = 1000, 30.0
"""What has ended is delivered so often, so that boards can be made while a long experiment goes on."""
_LOOK_SECONDS, _BEAT_SECONDS = 1.0, 60.0
_CEILING, _LATER, _STOPPED = "ceiling", "later", "stopped"


@dataclass
class Tally:
    """What was done.

    Parameters
    ----------
    n_completed, n_failed, n_cancelled : int
        Runs that ended.
    n_given_back : int
        Runs that were claimed and wait again.
    n_scores : int
        Scores that models were asked for.
    why : dict of str to None
        Why runs wait and scores are missing, each sentence once, in order.
    """

    n_completed: int = 0
    n_failed: int = 0
    n_cancelled: int = 0
    n_given_back: int = 0
    n_scores: int = 0
    why: dict[str, None] = field(default_factory=dict)

    @property
    def n_ended(self) -> int:
        """Runs that ended, well or not."""
        return self.n_completed + self.n_failed + self.n_cancelled


@dataclass(frozen=True)
class _Ended:
    """What became of a claimed run: a status, or why it waits again."""

    claimed: QueuedRun
    what: str
    said: str = ""


class Runner:
    """Runs what waits in a queue.

    Parameters
    ----------
    experiment : Experiment
    queue : Queue
    providers : Providers
    ceiling : float or None
        US dollars that the whole experiment may cost; None for no ceiling.
    limit : int, optional
        So many runs at most.
    asker : Asker, optional
        How providers are asked; by default as the experiment declares.
    deliver : callable
        Brings to the inbox what has ended; called in between.
    progress : callable
        Told how it stands whenever a run has ended.
    clock : callable
        Seconds that only rise.
    """

    def __init__(
        self,
        experiment: Experiment,
        queue: Queue,
        providers: Providers,
        ceiling: float | None,
        *,
        limit: int | None = None,
        asker: Asker | None = None,
        deliver: Callable[[], object] = lambda: None,
        progress: Callable[[Tally], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._experiment = experiment
        self._queue = queue
        self._providers = providers
        self._ceiling = ceiling
        self._left = limit
        self._asker = asker or Asker(queue.ledger, ceiling, Patience(experiment.execution.tries))
        self._deliver = deliver
        self._progress = progress
        self._clock = clock
        self._claimed: dict[Task[_Ended], QueuedRun] = {}
        self._short: set[Kind] = set()
        self._blocked: dict[Kind, str] = {}
        self._kinds: list[Kind] = []
        self._kinds_at = self._delivered_at = self._looked_at = self._beat_at = clock()
        self._n_delivered = 0
        self.tally = Tally()

    def run(self, stop: threading.Event) -> Tally:
        """Run what waits and can be run, until nothing is left, the limit is reached, or ``stop`` is set.

        Whatever interrupts this thread is raised again once all runs that it had have ended or wait again.
        """
        Crew(self._experiment.execution.concurrency, stop, self._look, self._clock).work(self._more, self._took)
        for kind in self._queue.waiting:
            why = self._why_not(kind)
            if why is not None:
                self.tally.why.setdefault(why)
        return self.tally

    def score(
        self, answers: Iterable[tuple[str, Answer]], known: Collection[tuple[str, str, str]], stop: threading.Event
    ) -> Tally:
        """Ask for the scores that completed runs lack, by scorers that call a model.

        Parameters
        ----------
        answers : iterable of (run_id, Answer)
            Completed runs.
        known : collection of (run_id, scorer, identity)
            Scores that there are.
        stop : Event
        """
        why = {
            name: said
            for name, one in reaching_out(self._experiment).items()
            if (said := why_not_asked(self._experiment, name, one, self._providers, self._ceiling)) is not None
        }
        missing = missing_scores(self._experiment, answers, known)
        can_be = [one for one in missing if one.scorer not in why]
        calls = ScorerCalls(self._experiment, self._queue, self._providers, self._asker, can_be)
        crew: Crew[ScorerAsked] = Crew(
            self._experiment.execution.concurrency, stop, lambda _: self._keep_up(), self._clock
        )
        try:
            crew.work(calls.more, calls.took)
        finally:
            self.tally.n_scores += calls.n_given
        lacking = {one.scorer for one in missing}
        for name, said in {**why, **calls.why}.items():
            if name in lacking:
                self.tally.why.setdefault(f"scorer {name!r}: {said}" if name in calls.why else said)
        return self.tally

    def _why_not(self, kind: Kind) -> str | None:
        if kind in self._blocked:
            return self._blocked[kind]
        if kind in self._short:
            money = self._queue.ledger.money
            return (
                f"the ceiling of {self._ceiling or 0:g} USD has no room for another call of {kind.model!r}: "
                f"{money.at_most:.4g} USD are spent or may have been; raise execution.max_cost"
            )
        return why_not_run(self._experiment, kind, self._providers, self._ceiling)

    def _more(self, wanted: int, n_running: int) -> list[Task[_Ended]]:
        del n_running
        wanted = wanted if self._left is None else min(wanted, self._left)
        if wanted <= 0:
            return []
        claimed = self._claim(wanted)
        if self._left is not None:
            self._left -= len(claimed)
        tasks = {Task(lambda stop, one=one: self._one(one, stop)): one for one in claimed}  # type: ignore[misc]
        self._claimed |= tasks
        return list(tasks)

    def _claim(self, wanted: int) -> list[QueuedRun]:
        """Runs that can be run; which kinds wait is looked up again when it may have changed, as that is not cheap."""
        if self._clock() - self._kinds_at < _LOOK_SECONDS and (claimed := self._claimed_of_known(wanted)):
            return claimed
        self._kinds, self._kinds_at = list(self._queue.waiting), self._clock()
        return self._claimed_of_known(wanted)

    def _claimed_of_known(self, wanted: int) -> list[QueuedRun]:
        ready = [kind for kind in self._kinds if self._why_not(kind) is None]
        return self._queue.claim(wanted, ready) if ready else []

    def _one(self, claimed: QueuedRun, stop: threading.Event) -> _Ended:
        """Execute a claimed run; whatever happens, it has ended or waits again afterwards."""
        try:
            outcome = execute(self._experiment, claimed.config, self._providers, self._asker, stop)
        except (CeilingError, LaterError, StoppedError) as error:
            self._queue.give_back(claimed)
            kinds: dict[type[Exception], str] = {CeilingError: _CEILING, LaterError: _LATER}
            return _Ended(claimed, kinds.get(type(error), _STOPPED), str(error))
        except QueueError:
            raise
        except Exception as error:  # what a provider of one's own raises must not keep all others from running
            outcome = Outcome("failed", error=f"{EXECUTION_FAILED}: {type(error).__name__}: {error}")
        is_its_own = self._queue.finish(claimed, outcome)
        return _Ended(claimed, outcome.status if is_its_own else "cancelled")

    def _took(self, ended: _Ended) -> None:
        kind = _kind_of(ended.claimed)
        self._claimed = {task: one for task, one in self._claimed.items() if one is not ended.claimed}
        if ended.what in (_CEILING, _LATER, _STOPPED):
            self.tally.n_given_back += 1
            self._left = None if self._left is None else self._left + 1
            if ended.what == _CEILING:
                self._short.add(kind)
            elif ended.what == _LATER:
                self._blocked[kind] = ended.said
            return
        name = f"n_{ended.what}"
        setattr(self.tally, name, getattr(self.tally, name) + 1)
        if self._experiment.model_called(kind.model).provider != LOCAL:
            self._short.clear()  # it may have cost less than was held for it
        self._progress(self.tally)
        self._keep_up()

    def _look(self, running: Sequence[Task[_Ended]]) -> None:
        """Break off what was cancelled."""
        self._keep_up()
        if self._clock() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = self._clock()
        for task in running:
            if not self._queue.is_mine(self._claimed[task]):
                task.stop.set()

    def _keep_up(self) -> None:
        """Give a sign of life, and deliver what has ended, when it is time."""
        now = self._clock()
        if now - self._beat_at >= _BEAT_SECONDS:
            self._beat_at = now
            self._queue.beat()
        n_new = self.tally.n_ended - self._n_delivered
        if n_new >= DELIVER_EVERY_RUNS or (n_new and now - self._delivered_at >= DELIVER_EVERY_SECONDS):
            self._deliver()
            self._delivered_at, self._n_delivered = now, self.tally.n_ended


def _kind_of(run: QueuedRun) -> Kind:
    return Kind(run.config.model, run.params)
