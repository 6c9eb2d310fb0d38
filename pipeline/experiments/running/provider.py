"""What a provider of models is asked and gives back, and how it fails; one call is one try."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Call:
    """One question to a model.

    Parameters
    ----------
    model : str
        As its provider calls it.
    messages : tuple of mapping
        ``role`` and ``content`` of each.
    params : mapping
        Temperature and the like.
    stream : bool
        Whether the answer is to come piece by piece.
    """

    model: str
    messages: tuple[Mapping[str, str], ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False


@dataclass(frozen=True)
class Usage:
    """What a call took; None where the provider does not say.

    Parameters
    ----------
    tokens_in, tokens_out : int or None
    cost : float or None
        US dollars, in the provider's own words.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Reply:
    """An answer.

    Parameters
    ----------
    text : str
    usage : Usage
    finish_reason : str or None
        Why it ends, in the provider's words: ``stop``, or ``length`` where it was cut off.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None


@dataclass(frozen=True)
class Vectors:
    """Embeddings, one for each text in order."""

    vectors: Sequence[Sequence[float]]
    usage: Usage = field(default_factory=Usage)


class ProviderError(RuntimeError):
    """A call without an answer.

    Parameters
    ----------
    error : str
        A word for the cause, such as ``too_many_requests``.
    said : str
        What happened, in Podium's words.
    detail : str or None
        What the provider said of it, without keys.
    may_pass : bool
        Whether the same call may succeed a little later.
    retry_after : float or None
        Seconds that the provider asks to wait.
    is_free : bool
        Whether it surely cost nothing: the provider refused it, or never got it.
    usage : Usage
        What it took, where the provider says so all the same.
    """

    def __init__(
        self,
        error: str,
        said: str,
        *,
        detail: str | None = None,
        may_pass: bool = False,
        retry_after: float | None = None,
        is_free: bool = False,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(f"{error}: {said}")
        self.error = error
        self.detail = detail
        self.may_pass = may_pass
        self.retry_after = retry_after
        self.is_free = is_free
        self.usage = usage or Usage()


class StoppedError(RuntimeError):
    """A call that was broken off because nobody waits for it any more."""


class Provider(Protocol):
    """Whoever answers: once, without trying again."""

    def complete(self, call: Call, stop: threading.Event) -> Reply:
        """Answer.

        Parameters
        ----------
        call : Call
        stop : Event
            Breaks the call off as soon as it is set.

        Raises
        ------
        ProviderError
            If there is no answer.
        StoppedError
            If it was broken off.
        """

    def embed(self, model: str, texts: Sequence[str], stop: threading.Event) -> Vectors:
        """Vectors of texts; errors as of :meth:`complete`."""
