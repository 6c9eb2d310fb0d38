"""Scorers that compare an output with what should have come: exactly, nearly, or in meaning."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from pipeline.experiments.scorers.scorer import NO_OUTPUT, NO_REFERENCE, TOO_LONG, Answer, Scorer, Scoring, Tools, plain
from pipeline.registry import resolve_dotted_path

NO_EMBEDDER = "no_embedder"
BAD_EMBEDDING = "bad_embedding"

_RATIOS: dict[str, Callable[[str, str], float]] = {
    "levenshtein": lambda output, reference: 100 * Levenshtein.normalized_similarity(output, reference),
    "ratio": fuzz.ratio,
    "partial": fuzz.partial_ratio,
    "token_sort": fuzz.token_sort_ratio,
    "token_set": fuzz.token_set_ratio,
}
_MOST_PAIRS = 10**10
"""Letters of an output times letters of a reference, at most: about a second."""
_MOST_OF_A_PART = 2_000
"""Letters of the shorter of the two where the best part of the longer is sought, which takes far more; 50,000 of the
longer."""
_DIMENSIONS = 4096
_LENGTHS = (3, 4, 5)


class ExactMatch(Scorer):
    """1 where the output is the reference, or one of several, else 0; case and spaces count only where told."""

    name: ClassVar[str] = "exact"
    version: ClassVar[str] = "1"

    ignore_case: bool = Field(default=True, description="Whether capitals are no difference.")
    ignore_punctuation: bool = Field(default=False, description="Whether anything but letters and digits is left out.")

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """Compare with each reference."""
        undefined = _incomparable(answer)
        if undefined is not None:
            return undefined
        output = self._bare(answer.output or "")
        matched = next((one for one in answer.references if self._bare(one) == output), None)
        return Scoring(float(matched is not None), {"matched": matched})

    def _bare(self, text: str) -> str:
        if self.ignore_punctuation:
            text = "".join(one if one.isalnum() else " " for one in text)
        return plain(text, ignore_case=self.ignore_case)


class FuzzyMatch(Scorer):
    """How much the output resembles the nearest reference, by letters or by words."""

    name: ClassVar[str] = "fuzzy"
    version: ClassVar[str] = "2"

    method: Literal["levenshtein", "ratio", "partial", "token_sort", "token_set"] = Field(
        default="levenshtein",
        description="levenshtein: 1 less edits per letter of the longer; ratio: by insertions and deletions; partial: "
        "the best part of the longer; token_sort, token_set: words in any order, and however often.",
    )
    ignore_case: bool = Field(default=True, description="Whether capitals are no difference.")

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """Compare with each reference; the nearest counts."""
        undefined = _incomparable(answer)
        if undefined is not None:
            return undefined
        output = plain(answer.output or "", ignore_case=self.ignore_case)
        references = {one: plain(one, ignore_case=self.ignore_case) for one in answer.references}
        if any(self._is_too_long(output, one) for one in references.values()):
            return Scoring.undefined(TOO_LONG, method=self.method)
        resembles = _RATIOS[self.method]
        found = {one: resembles(output, bare) / 100 for one, bare in references.items()}
        nearest = max(found, key=found.__getitem__)
        return Scoring(found[nearest], {"nearest": nearest, "method": self.method})

    def _is_too_long(self, output: str, reference: str) -> bool:
        shorter, longer = sorted(map(len, (output, reference)))
        if self.method == "partial":
            return shorter > _MOST_OF_A_PART or shorter * longer > 25 * _MOST_OF_A_PART**2
        return shorter * longer > _MOST_PAIRS


class EmbeddingSimilarity(Scorer):
    """Cosine of the angle between the vectors of output and nearest reference; what points apart is 0."""

    name: ClassVar[str] = "embedding"
    version: ClassVar[str] = "1"

    embedder: str | None = Field(
        default=None,
        description="Dotted path of a function from a list of texts to vectors; character_ngrams for letters in "
        "common, which needs no model and knows no meaning. By default a model is asked.",
    )
    model: str = Field(default="", description="The model that is asked for vectors, where no embedder is named.")

    @property
    def reaches_out(self) -> bool:
        """It asks a model, unless a function is named."""
        return self.embedder is None

    @model_validator(mode="after")
    def _embedder_is_there(self) -> "EmbeddingSimilarity":
        if self._declared() is not None and self.model:
            raise ValueError(f"embedder {self.embedder!r} and model {self.model!r} are given; keep one of the two")
        return self

    def score(self, answer: Answer, tools: Tools) -> Scoring:
        """Embed the output and all references together, and compare."""
        undefined = _incomparable(answer)
        if undefined is not None:
            return undefined
        embed = self._declared() or tools.embed
        if embed is None:
            return Scoring.undefined(NO_EMBEDDER)
        texts = [answer.output or "", *answer.references]
        vectors = np.asarray(embed(texts), dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            return Scoring.undefined(BAD_EMBEDDING, shape=list(vectors.shape), texts=len(texts))
        lengths = np.linalg.norm(vectors, axis=1)
        if lengths[0] == 0 or not lengths[1:].any():
            return Scoring.undefined(BAD_EMBEDDING, zero_vectors=int(np.count_nonzero(lengths == 0)))
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines = np.where(lengths[1:] > 0, vectors[1:] @ vectors[0] / (lengths[1:] * lengths[0]), -1.0)
        best = int(np.argmax(cosines))
        value = float(np.clip(cosines[best], 0.0, 1.0))
        return Scoring(value, {"cosine": float(cosines[best]), "nearest": answer.references[best]})

    def _declared(self) -> Callable[[Sequence[str]], Any] | None:
        if self.embedder is None:
            return None
        if self.embedder == "character_ngrams":
            return character_ngrams
        found = resolve_dotted_path(self.embedder, "embedder")
        if not callable(found):
            raise ValueError(f"embedder {self.embedder!r} is a {type(found).__name__}; name a function of texts")
        return found  # type: ignore[no-any-return]


def character_ngrams(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Counts of 3, 4 and 5 letters in a row, each at one of 4,096 places by its hash.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    float array, shape (texts, 4096)
        The same on every machine.
    """
    vectors = np.zeros((len(texts), _DIMENSIONS))
    for row, text in enumerate(texts):
        padded = f" {plain(text)} "
        for length in _LENGTHS:
            for start in range(len(padded) - length + 1):
                digest = hashlib.blake2b(padded[start : start + length].encode(), digest_size=4).digest()
                vectors[row, int.from_bytes(digest, "big") % _DIMENSIONS] += 1
    return vectors


def _incomparable(answer: Answer) -> Scoring | None:
    """Why there is nothing to compare; None where there is."""
    if answer.output is None:
        return Scoring.undefined(NO_OUTPUT)
    return None if answer.references else Scoring.undefined(NO_REFERENCE)
