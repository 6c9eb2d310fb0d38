"""What a scorer is: options, a version, and a number from 0 (worst) to 1 (best), or the reason why there is none.

A scorer is a class in a module of this package and one ``register`` line; one of your own is named by its dotted path.
It opens no connection: what calls models is handed to it. A scorer that cannot tell says so; it never says 0 for that.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

import numpy.typing as npt

from pipeline.declaration import Declaration
from pipeline.experiments.identity import sha256_of
from pipeline.experiments.templates import variables_in

NO_OUTPUT = "no_output"
NO_REFERENCE = "no_reference"
TOO_LONG = "too_long"
"""To be scored in a time that anybody would wait."""


class Kind(StrEnum):
    """Who scores."""

    AUTO = "auto"
    """A computation."""
    JUDGE = "judge"
    """A model."""
    HUMAN = "human"
    """People."""


@dataclass(frozen=True)
class Answer:
    """What is scored.

    Parameters
    ----------
    output : str or None
        What came back; None where nothing did.
    reference : object
        What should have come: a text, a list of texts of which any will do, or None.
    variables : mapping
        The input that the prompt was filled with.
    """

    output: str | None
    reference: object = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, output: str | None, reference: object, input_data: object) -> "Answer":
        """What a run answered to its input, be that variables or a text."""
        return cls(output, reference, variables_in(input_data))

    @property
    def references(self) -> tuple[str, ...]:
        """The reference as texts; none where there is none."""
        listed = self.reference if isinstance(self.reference, list | tuple) else (self.reference,)
        return tuple(_as_text(one) for one in listed if one is not None)


@dataclass(frozen=True)
class Scoring:
    """What a scorer says of an answer.

    Parameters
    ----------
    value : float or None
        From 0 to 1; None where it cannot tell.
    details : mapping
        What the value is made of, good for JSON.
    reason : str or None
        Why it cannot tell; None where it does.

    Raises
    ------
    ValueError
        If the value is not within 0 and 1, or there is neither value nor reason, or both.
    """

    value: float | None
    details: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(
                f"a score has a value or a reason why not, one of them; got {self.value!r}, {self.reason!r}"
            )
        if self.value is not None and not (math.isfinite(self.value) and 0 <= self.value <= 1):
            raise ValueError(f"a score of {self.value!r}; it goes from 0 (worst) to 1 (best), scale it")

    @classmethod
    def undefined(cls, reason: str, **details: Any) -> "Scoring":
        """No value, and why."""
        return cls(None, details, reason)


@dataclass(frozen=True)
class Question:
    """What a judge is asked.

    Parameters
    ----------
    prompt : str
        Filled in.
    model : str
        Who is asked; empty for the caller's own choice.
    params : mapping
        Temperature and the like.
    identity : str
        sha256 of all that the verdict depends on.
    """

    prompt: str
    model: str
    params: Mapping[str, Any]
    identity: str


@dataclass(frozen=True)
class Tools:
    """What scorers may use that reaches out of this package.

    Parameters
    ----------
    ask : callable, optional
        Sends a question to a model and gives its reply.
    embed : callable, optional
        Texts to vectors, shape (texts, dimensions).
    verdicts : mutable mapping
        Replies of judges by the identity of the question: what is there is not asked again.
    """

    ask: Callable[[Question], str] | None = None
    embed: Callable[[Sequence[str]], npt.ArrayLike] | None = None
    verdicts: MutableMapping[str, str] = field(default_factory=dict)


class Scorer(Declaration):
    """A scorer with its options, which are its fields."""

    name: ClassVar[str]
    """What declarations call it."""
    version: ClassVar[str]
    """Another one for whatever changes a score."""
    kind: ClassVar[Kind] = Kind.AUTO

    @property
    def reaches_out(self) -> bool:
        """Whether it calls a model: such scorers are asked when runs are executed, never when tables are made."""
        return False

    def score(self, answer: Answer, tools: Tools) -> Scoring:
        """Score one answer; an undefined score for what cannot be told, no exception."""
        raise NotImplementedError

    def identity(self, answer: Answer) -> str:
        """sha256 of scorer, version, options and what is scored: equal ones need not be scored again.

        Raises
        ------
        ValueError
            If something in the answer has no canonical JSON.
        """
        return sha256_of(
            {
                "scorer": f"{type(self).__module__}.{type(self).__qualname__}",
                "version": self.version,
                "options": self.model_dump(mode="json"),
                "output": answer.output,
                "reference": answer.reference,
                "input_data": dict(answer.variables),
            }
        )


def plain(text: str, *, ignore_case: bool = True) -> str:
    """A text for comparing: Unicode's composed form, one space for any space, none at the ends, in one case."""
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    return spaced.casefold() if ignore_case else spaced


def _as_text(value: object) -> str:
    """A reference that YAML or JSON took for something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
