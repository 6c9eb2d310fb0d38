"""What fails and what is well again, told to a hook that a setting names; a hook that fails never fails a run."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

import filelock

from pipeline.health.journal import Journal
from pipeline.health.states import Failure, to_tell, told
from pipeline.registry import UnknownNameError, resolve_dotted_path, takes
from pipeline.settings import Settings

_TRIES = 3
_PAUSE = 0.5
"""Seconds before the second try, doubled before the third."""
_SECONDS = 5.0
"""For one try."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """What a hook is told.

    Parameters
    ----------
    state : str
        ``failed`` or ``recovered``.
    what : str
        ``asset``, ``check``, or ``run`` where a run failed as a whole.
    board : str
        The first part of the asset's key; the job, of a run.
    asset : str
        Its key, such as ``sp500/scores``; the job, of a run.
    cause : str
        The class of the error, or the name of the check.
    severity : str
        ``ERROR`` or ``WARN``.
    run_id : str
        The run in which it failed first.
    message : str
        What it says; it may show rows, and so what is under embargo.
    time : datetime
        When it failed first, or was seen well again (UTC, without a zone).
    """

    state: Literal["failed", "recovered"]
    what: str
    board: str
    asset: str
    cause: str
    severity: str
    run_id: str
    message: str
    time: datetime

    @classmethod
    def of(cls, one: Failure) -> "Alert":
        """The alert of a failure, or of its end."""
        return cls(
            state="failed" if one.recovered_at is None else "recovered",
            what=one.what,
            board=one.asset.partition("/")[0],
            asset=one.asset,
            cause=one.cause,
            severity=one.severity,
            run_id=one.run_id,
            message=one.message,
            time=one.recovered_at or one.at,
        )

    def as_json(self) -> dict[str, Any]:
        """Its fields, the time as ISO 8601 with its zone, and ``text``, a sentence as chat services show it."""
        where = f"{self.asset}: {self.cause}" if self.what != "run" else f"run of {self.asset}: {self.cause}"
        return {
            **asdict(self),
            "time": f"{self.time.isoformat(timespec='seconds')}Z",
            "text": f"Podium: {self.state}: {where}" + (f": {self.message}" if self.state == "failed" else ""),
        }


Hook = Callable[[Alert], None]
"""Is told of one thing that failed or recovered; what it raises is logged, and it is told again later."""


class AlertError(RuntimeError):
    """An address that did not take an alert; the message does not name it, since it may hold a key."""


def hook_of(given: Settings) -> Hook | None:
    """The hook that the setting ``PODIUM_ALERT`` names; None without it.

    Raises
    ------
    UnknownNameError
        If a path names no function of one argument.
    """
    named = given.alert.get_secret_value() if given.alert else ""
    if not named:
        return None
    if "://" in named:
        return partial(webhook, address=named)
    hook = resolve_dotted_path(named, "alert hook")
    if not takes(hook, 1):
        raise UnknownNameError(f"alert hook {named!r} cannot be called with an Alert; name a function of one argument")
    return hook  # type: ignore[no-any-return]


def webhook(alert: Alert, address: str) -> None:
    """Send an alert to an address as JSON; what may pass is tried again, three times in all.

    Raises
    ------
    AlertError
        If it was not taken.
    """
    import httpx

    why = ""
    for attempt in range(_TRIES):
        time.sleep(_PAUSE * attempt)
        try:
            answer = httpx.post(address, json=alert.as_json(), timeout=_SECONDS, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = type(error).__name__
            continue
        if answer.is_success:
            return
        why = f"status {answer.status_code}"
        if answer.status_code < 500 and answer.status_code != 429:
            break
    raise AlertError(f"the address of PODIUM_ALERT did not take an alert: {why}")


def tell(journal: Journal, hook: Hook) -> int:
    """Tell a hook all that it does not know; how much that was.

    It ends with the first that the hook does not take, which is told again the next time; nothing is told twice by
    several processes at once.
    """
    n = 0
    try:
        with journal.telling():
            for one in to_tell(journal.read()):
                hook(Alert.of(one))
                journal.change(partial(told, one=one))
                n += 1
    except filelock.Timeout:
        pass  # another process tells
    except Exception as error:  # of code that is not ours
        _log.error("an alert could not be told, it is tried again: %s: %s", type(error).__name__, error)
    return n
