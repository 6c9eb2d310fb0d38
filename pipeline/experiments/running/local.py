"""The provider that is built in: it answers with sentences, or words, of the text that it is given.

It is no language model. It knows nothing but what stands in the prompt, follows no instructions, and says the same to
the same prompt on every machine. It is there so that an experiment can be set up, run and scored without a network, a
key or money; its scores say how far extraction gets, nothing of models.
"""

import math
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.experiments.running.provider import Call, ProviderError, Reply, Usage, Vectors
from pipeline.experiments.scorers import character_ngrams

NO_ANSWER = "No answer in the text."
"""What it says where no sentence shares a word with the question."""

_METHODS = ("overlap", "rare_words", "first")
_ANSWERS = ("sentences", "span")
_IGNORED = ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty", "stop")
_KNOWN = ("method", "answer", "sentences", "max_tokens")
_BETWEEN = re.compile(r"(?<=[.!?。？！])\s+")
_LABEL = re.compile(r"^\s*[^\W\d_][\w ]{0,30}:\s+")
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_COMMON_TEXT = """
a an and are as at be been but by can did do does for from had has have he her his how i if in into is it its may me my
no not of on or our she so that the their them then there these they this to was we were what when where which who whom
whose why will with would you your
"""
_COMMON = frozenset(_COMMON_TEXT.split())


class LocalProvider:
    """Answers out of the prompt.

    The question is the last sentence with a question mark, or the last one; the text is everything else that the
    messages of users say. Parameters of a configuration:

    ``method``
        How sentences are chosen. ``overlap``: by the share of the question's words in them; ``rare_words``: by the
        same words, each counting ln(1 + sentences / sentences with it); ``first``: from the beginning.
    ``sentences``
        How many, in the order of the text; 1 by default.
    ``answer``
        ``sentences``: all of them; ``span``: the longest run of words in them that are neither the question's nor
        common ones.
    ``max_tokens``
        Words of the answer, at most; a longer one is cut off.

    What other models take (temperature, top_p, seed, penalties, stop) is taken and changes nothing.
    """

    def complete(self, call: Call, stop: threading.Event) -> Reply:  # noqa: ARG002  (the signature of all)
        """Answer a question by the text around it.

        Raises
        ------
        ProviderError
            If a parameter is unknown or wrong.
        """
        params = _checked(call.params)
        said = "\n".join(one["content"] for one in call.messages if one["role"] == "user")
        text, is_cut = _cut(_answer(said, params), params["max_tokens"])
        usage = Usage(sum(_n_words(one["content"]) for one in call.messages), _n_words(text), 0.0)
        return Reply(text, usage, "length" if is_cut else "stop")

    def embed(self, model: str, texts: Sequence[str], stop: threading.Event) -> Vectors:  # noqa: ARG002  (the same)
        """Counts of letters in a row, as of the embedder ``character_ngrams``: no meaning in them."""
        return Vectors(character_ngrams(texts).tolist(), Usage(sum(map(_n_words, texts)), None, 0.0))


def _checked(params: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {"method": "overlap", "answer": "sentences", "sentences": 1, "max_tokens": None} | dict(params)
    unknown = [repr(name) for name in chosen if name not in (*_KNOWN, *_IGNORED)]
    if unknown:
        raise _wrong(f"unknown parameter {', '.join(unknown)}; known: {', '.join((*_KNOWN, *_IGNORED))}")
    for name, known in (("method", _METHODS), ("answer", _ANSWERS)):
        if chosen[name] not in known:
            raise _wrong(f"{name} {chosen[name]!r}; known: {', '.join(known)}")
    for name in ("sentences", "max_tokens"):
        number = chosen[name]
        is_whole = isinstance(number, int | float) and not isinstance(number, bool) and number == int(number) >= 1
        if not (is_whole or (name == "max_tokens" and number is None)):
            raise _wrong(f"{name} is {number!r}; give a whole number from 1")
    return chosen


def _wrong(said: str) -> ProviderError:
    return ProviderError("bad_request", f"the local provider was given {said}", is_free=True)


def _answer(said: str, params: Mapping[str, Any]) -> str:
    sentences = [one.strip() for line in said.splitlines() for one in _BETWEEN.split(line) if one.strip()]
    question, text = _question_and_text(sentences)
    asked = _content_words(question)
    numbered = [(place, _bare(one)) for place, one in enumerate(text) if not one.endswith(":")]
    scored = [(value, place, one) for place, one in numbered if (value := _value(one, asked, text, params)) > 0]
    best = sorted(scored, key=lambda one: (-one[0], one[1]))[: int(params["sentences"])]
    if not best:
        return NO_ANSWER
    chosen = [one for _, _, one in sorted(best, key=lambda one: one[1])]
    return " ".join(chosen) if params["answer"] == "sentences" else _span(chosen, asked)


def _question_and_text(sentences: Sequence[str]) -> tuple[str, list[str]]:
    if not sentences:
        return "", []
    asking = [place for place, one in enumerate(sentences) if one.endswith(("?", "？"))]
    at = asking[-1] if asking else len(sentences) - 1
    return sentences[at], [one for place, one in enumerate(sentences) if place != at]


def _value(sentence: str, asked: Sequence[str], text: Sequence[str], params: Mapping[str, Any]) -> float:
    """How well a sentence answers; 0 for not at all."""
    if params["method"] == "first":
        return 1.0
    words = set(_words(sentence))
    shared = [word for word in asked if word in words]
    if params["method"] == "overlap":
        return len(shared) / len(asked) if asked else 0.0
    within = Counter(word for one in text for word in set(_words(one)))
    return sum(math.log(1 + len(text) / within[word]) for word in shared)


def _span(sentences: Sequence[str], asked: Sequence[str]) -> str:
    known = _COMMON | set(asked)
    runs = []
    for sentence in sentences:
        run: list[str] = []
        for found in _WORD.finditer(sentence):
            run = [] if found.group().casefold() in known else [*run, found.group()]
            runs.append(run)
    longest = max(runs, key=len, default=[])
    return " ".join(longest) or " ".join(sentences)


def _cut(text: str, most: int | None) -> tuple[str, bool]:
    words = text.split()
    return (text, False) if most is None or len(words) <= most else (" ".join(words[: int(most)]), True)


def _bare(sentence: str) -> str:
    """A sentence without a label such as ``Context:``."""
    return _LABEL.sub("", sentence)


def _content_words(question: str) -> list[str]:
    return list(dict.fromkeys(word for word in _words(_bare(question)) if word not in _COMMON))


def _words(text: str) -> list[str]:
    return [found.group().casefold() for found in _WORD.finditer(text)]


def _n_words(text: str) -> int:
    return len(text.split())
