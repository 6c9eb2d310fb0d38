"""Reading what OpenAI-compatible endpoints send: an answer as one document, or as a stream of events."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.experiments.identity import LARGEST_INTEGER
from pipeline.experiments.running.provider import ProviderError, Reply, Usage, Vectors

DONE = "[DONE]"
_MOST_SHOWN = 500
_FINAL_QUOTA = ("insufficient_quota", "billing_hard_limit_reached")


def reply_of(document: Any) -> Reply:
    """The answer in a whole document.

    Raises
    ------
    ProviderError
        If there is none.
    """
    usage = usage_of(document.get("usage"))
    refuse_errors(document)
    choice = _first_choice(document)
    if choice is None:
        raise ProviderError("no_choices", "its answer has no choices", usage=usage)
    message = choice.get("message")
    text = _text(message.get("content")) if isinstance(message, dict) else None
    if text is None:
        refusal = message.get("refusal") if isinstance(message, dict) else None
        reason = choice.get("finish_reason")
        raise ProviderError(
            "no_text", f"its answer has no text (finish_reason {reason!r})", detail=_shown(refusal), usage=usage
        )
    return Reply(text, usage, _word(choice.get("finish_reason")))


def vectors_of(document: Any, n_texts: int) -> Vectors:
    """The embeddings in a document, in the order of the texts.

    Raises
    ------
    ProviderError
        If there are not as many.
    """
    usage = usage_of(document.get("usage"))
    refuse_errors(document)
    listed = document.get("data")
    by_index = {
        one.get("index", place): one.get("embedding")
        for place, one in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    }
    vectors = [by_index.get(place) for place in range(n_texts)]
    if not all(isinstance(one, list) and one for one in vectors):
        raise ProviderError("garbled", f"it gave no vectors for {n_texts} texts", may_pass=True, usage=usage)
    return Vectors([one for one in vectors if one is not None], usage)


class Events:
    """An answer that comes as server-sent events, put together as it comes."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._texts: list[str] = []
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._has_choice = False
        self._is_done = False

    @property
    def is_done(self) -> bool:
        """Whether it says that nothing follows; then some keep the connection open all the same."""
        return self._is_done

    def feed(self, piece: bytes) -> None:
        """Take in what came; errors as of :func:`reply_of`."""
        # Lines end at line feeds alone: other separators of Unicode are part of texts.
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line.removesuffix(b"\r"))

    def reply(self) -> Reply:
        """What came, all in all.

        Raises
        ------
        ProviderError
            If it broke off, or had no choices.
        """
        self._take(self._rest.removesuffix(b"\r"))
        self._take(b"")
        if not self._is_done and self._finish_reason is None:
            raise ProviderError("truncated", "its stream broke off", may_pass=True, usage=self._usage)
        if not self._has_choice:
            raise ProviderError("no_choices", "its stream has no choices", usage=self._usage)
        return Reply("".join(self._texts), self._usage, self._finish_reason)

    def _take(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(_decoded(line[5:]).removeprefix(" "))
        elif not line and self._data:
            data, self._data = "\n".join(self._data), []
            self._event(data)

    def _event(self, data: str) -> None:
        if data.strip() == DONE:
            self._is_done = True
            return
        document = object_in(data)
        if document.get("usage"):
            self._usage = usage_of(document["usage"])
        refuse_errors(document)
        choice = _first_choice(document)
        if choice is not None:
            self._has_choice = True
            delta = choice.get("delta")
            self._texts.append((_text(delta.get("content")) if isinstance(delta, dict) else None) or "")
            self._finish_reason = _word(choice.get("finish_reason")) or self._finish_reason


def object_in(text: str) -> dict[str, Any]:
    """A JSON object.

    Raises
    ------
    ProviderError
        If it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProviderError(
            "garbled", "its answer is no JSON", detail=f"{error}: {text[:_MOST_SHOWN]}", may_pass=True
        ) from error
    if not isinstance(found, dict):
        raise ProviderError("garbled", "its answer is no JSON object", detail=text[:_MOST_SHOWN], may_pass=True)
    return found


def refuse_errors(document: Mapping[str, Any]) -> None:
    """Raise what a document that came as an answer says went wrong.

    Raises
    ------
    ProviderError
        If it has an ``error``.
    """
    error = document.get("error")
    if not error:
        return
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int | str) and str(code).isdecimal() else 0
    may_pass = status in (408, 429) or 500 <= status < 600
    raise ProviderError("provider_error", "it answered with an error", detail=words_of(document), may_pass=may_pass)


def words_of(document: object) -> str | None:
    """What a provider says of an error, in its own words."""
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error, ensure_ascii=False)
    return _shown(error)


def is_out_of_money(document: object) -> bool:
    """Whether a provider refuses for want of money, which waiting does not mend."""
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and bool({error.get("code"), error.get("type")} & {*_FINAL_QUOTA})


def usage_of(usage: object) -> Usage:
    """What a call took; what makes no sense is unknown."""
    if not isinstance(usage, dict):
        return Usage()
    tokens_in = _count(usage.get("prompt_tokens"))
    cost = usage.get("cost")
    is_number = isinstance(cost, int | float) and not isinstance(cost, bool) and math.isfinite(cost) and cost >= 0
    return Usage(
        tokens_in, _count(usage.get("completion_tokens")), float(cost) if cost is not None and is_number else None
    )


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INTEGER:
        return value
    return None


def _first_choice(document: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _text(content: object) -> str | None:
    """The text of a message, whose content is one or consists of parts."""
    if isinstance(content, list):
        return "".join(_parts(content))
    return content if isinstance(content, str) else None


def _parts(content: list[Any]) -> Iterator[str]:
    for part in content:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ProviderError("garbled", "its stream is no UTF-8", detail=str(error), may_pass=True) from error


def _word(value: object) -> str | None:
    return value[:_MOST_SHOWN] if isinstance(value, str) else None


def _shown(value: object) -> str | None:
    return None if value is None else str(value)[:_MOST_SHOWN]
