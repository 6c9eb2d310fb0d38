"""Asking a provider until it answers: as often as makes sense, each try within the ceiling and written down."""

import secrets as randomness
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pipeline.clock import utc_now
from pipeline.experiments.running.ledger import Ledger
from pipeline.experiments.running.provider import ProviderError, StoppedError, Usage
from pipeline.experiments.running.times import as_text

CUT_OFF = "cut_off: the answer ended at its length limit"
_chance = randomness.SystemRandom()


class Answered(Protocol):
    """What comes back: whatever it is, with what it took."""

    @property
    def usage(self) -> Usage:
        """What the call took."""


A = TypeVar("A", bound=Answered)


class CeilingError(RuntimeError):
    """A call that the ceiling has no room for now."""


class LaterError(RuntimeError):
    """A provider asks to wait longer than anybody does."""


@dataclass(frozen=True)
class Patience:
    """How often and how long is tried.

    Parameters
    ----------
    tries : int
        Of one question, when what went wrong may pass.
    first_wait : float
        Seconds after the first try, about; each further wait is twice as long, and up to half of each is left to
        chance, so that many who failed together do not come back together.
    longest_wait : float
        Between two tries.
    """

    tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 60.0


@dataclass(frozen=True)
class Try:
    """One call.

    Parameters
    ----------
    started_at, completed_at : datetime
        UTC, without a zone.
    usage : Usage
    cost : float or None
        US dollars; None where unknown.
    error : ProviderError or None
        Why there is no answer.
    """

    started_at: datetime
    completed_at: datetime
    usage: Usage
    cost: float | None
    error: ProviderError | None = None

    def as_stage(self, **more: Any) -> dict[str, Any]:
        """The same as a stage of a run."""
        return {
            "stage": "call",
            "status": "completed" if self.error is None else "failed",
            "started_at": as_text(self.started_at),
            "completed_at": as_text(self.completed_at),
            "duration_ms": (self.completed_at - self.started_at).total_seconds() * 1000,
            "tokens_in": self.usage.tokens_in,
            "tokens_out": self.usage.tokens_out,
            "cost": self.cost,
            "error": None if self.error is None else str(self.error),
            "error_detail": None if self.error is None else self.error.detail,
            **more,
        }


@dataclass(frozen=True)
class Question(Generic[A]):
    """What is asked, as often as need be.

    Parameters
    ----------
    call : callable
        Asks once.
    most : float or None
        US dollars that one call can cost; None where nobody knows.
    cost_of : callable
        From what a call took to what it cost; None where nobody knows.
    is_free : bool
        Whether it surely costs nothing, so that no money need be held for it.
    """

    call: Callable[[threading.Event], A]
    most: float | None
    cost_of: Callable[[Usage], float | None]
    is_free: bool = False


@dataclass(frozen=True)
class Asked(Generic[A]):
    """What came of a question.

    Parameters
    ----------
    answer : object or None
        None where there is none.
    tries : tuple of Try
        One at least; without an answer, the last one's error says why.
    """

    answer: A | None
    tries: tuple[Try, ...]

    @property
    def cost(self) -> float | None:
        """What all tries cost, as far as it is known; None where that of the answer, or of a failure, is not."""
        known = [one.cost for one in self.tries if one.cost is not None]
        is_known = self.tries[-1].cost is not None if self.answer is not None else len(known) == len(self.tries)
        return sum(known) if is_known else None


class Asker:
    """Asks, within a ceiling.

    Parameters
    ----------
    ledger : Ledger
    ceiling : float or None
        US dollars that everything may cost.
    patience : Patience
    wait, now, jitter : callable
        Waiting for some seconds or until an event, the time (UTC, without a zone) and chance (from 0 to 1), for tests
        to replace.
    """

    def __init__(
        self,
        ledger: Ledger,
        ceiling: float | None,
        patience: Patience | None = None,
        *,
        wait: Callable[[float, threading.Event], object] = lambda seconds, stop: stop.wait(seconds),
        now: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = _chance.random,
    ) -> None:
        self._ledger = ledger
        self._ceiling = ceiling
        self._patience = patience or Patience()
        self._wait = wait
        self._now = now
        self._jitter = jitter

    def ask(self, question: Question[A], stop: threading.Event) -> Asked[A]:
        """Ask until there is an answer, or no point in asking again.

        Raises
        ------
        CeilingError
            If the ceiling has no room for the call.
        LaterError
            If the provider asks to wait longer than :attr:`Patience.longest_wait`.
        StoppedError
            If ``stop`` was set before there was an answer.
        """
        tries: list[Try] = []
        while True:
            answer, one = self._once(question, stop)
            tries.append(one)
            if one.error is None or not one.error.may_pass:
                return Asked(answer, tuple(tries))
            seconds = self._seconds_after(one.error, len(tries))
            if len(tries) >= self._patience.tries:
                return Asked(answer, tuple(tries))
            self._wait(seconds, stop)

    def _once(self, question: Question[A], stop: threading.Event) -> tuple[A | None, Try]:
        if stop.is_set():
            raise StoppedError("nobody waits for it any more")
        held = None if question.is_free else self._ledger.hold(question.most, self._ceiling)
        if held is None and not question.is_free:
            most = "" if question.most is None else f" that may cost {question.most:.4g}"
            raise CeilingError(
                f"the ceiling of {self._ceiling or 0:g} USD has no room for a call{most}; raise execution.max_cost"
            )
        cost, began = None, self._now()
        try:
            answer = question.call(stop)
            cost = question.cost_of(answer.usage)
            return answer, Try(began, self._now(), answer.usage, cost)
        except ProviderError as error:
            cost = question.cost_of(error.usage)
            cost = 0.0 if cost is None and (error.is_free or question.is_free) else cost
            return None, Try(began, self._now(), error.usage, cost, error)
        finally:
            if held is not None:
                self._ledger.settle(held, cost)

    def _seconds_after(self, error: ProviderError, n_tries: int) -> float:
        asked = error.retry_after or 0.0
        if asked > self._patience.longest_wait:
            raise LaterError(f"{error}, and asks to wait {asked:,.0f} s") from error
        usual = min(self._patience.longest_wait, self._patience.first_wait * 2 ** (n_tries - 1))
        return float(max(asked, usual * (1 + self._jitter()) / 2))
