"""The keyword scorer: which words an output has, and which it should not have."""

import re
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from pipeline.experiments.scorers.scorer import NO_OUTPUT, NO_REFERENCE, Answer, Scorer, Scoring, Tools, plain


def _listed(words: object) -> object:
    return (words,) if isinstance(words, str) else words


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class Keywords(Scorer):
    """Share of the words that are asked for; 0 where a forbidden one occurs.

    Each of ``all_of`` counts once, ``any_of`` once together.
    """

    name: ClassVar[str] = "keyword"
    version: ClassVar[str] = "1"

    all_of: Words = Field(default=(), description="Words or phrases that should all occur.")
    any_of: Words = Field(default=(), description="Words or phrases of which one should occur.")
    none_of: Words = Field(default=(), description="Words or phrases that must not occur.")
    from_reference: bool = Field(default=False, description="Whether the input's reference is among all_of.")
    whole_words: bool = Field(default=True, description="Whether 'art' is not found in 'party'.")
    ignore_case: bool = Field(default=True, description="Whether capitals are no difference.")

    @model_validator(mode="after")
    def _something_is_asked_for(self) -> "Keywords":
        if not (self.all_of or self.any_of or self.none_of or self.from_reference):
            raise ValueError("no words; give all_of, any_of or none_of, or set from_reference")
        blank = [repr(one) for one in (*self.all_of, *self.any_of, *self.none_of) if not plain(one)]
        if blank:
            raise ValueError(f"{', '.join(blank)} is no word; leave it out")
        return self

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """Look for every word."""
        if answer.output is None:
            return Scoring.undefined(NO_OUTPUT)
        referred = tuple(one for one in answer.references if plain(one)) if self.from_reference else ()
        if self.from_reference and not referred:
            return Scoring.undefined(NO_REFERENCE)
        text = plain(answer.output, ignore_case=self.ignore_case)
        wanted = (*self.all_of, *referred)
        missing = [one for one in wanted if not self._has(text, one)]
        forbidden = [one for one in self.none_of if self._has(text, one)]
        found = [one for one in self.any_of if self._has(text, one)]
        asked = len(wanted) + bool(self.any_of)
        met = len(wanted) - len(missing) + bool(found)
        value = 0.0 if forbidden else met / asked if asked else 1.0
        return Scoring(value, {"missing": missing, "forbidden": forbidden, "any_of": found})

    def _has(self, text: str, word: str) -> bool:
        sought = re.escape(plain(word, ignore_case=self.ignore_case))
        return re.search(rf"(?<!\w){sought}(?!\w)" if self.whole_words else sought, text) is not None
