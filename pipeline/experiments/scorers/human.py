"""The human scorer: people rate on a scale, and what they gave becomes a share of that scale."""

import math
from typing import ClassVar

from pydantic import Field, model_validator

from pipeline.experiments.scorers.scorer import Answer, Kind, Scorer, Scoring, Tools

AWAITS_RATING = "awaits_rating"


class Human(Scorer):
    """What people say of an answer; it scores nothing by itself."""

    name: ClassVar[str] = "human"
    version: ClassVar[str] = "1"
    kind: ClassVar[Kind] = Kind.HUMAN

    question: str = Field(default="How good is this answer?", description="What people are asked.")
    scale: tuple[float, float] = Field(default=(0.0, 1.0), description="The worst and the best rating.")
    step: float | None = Field(
        default=None, gt=0, description="Between two ratings, such as 1 for stars; any rating by default."
    )
    raters: int = Field(default=1, ge=1, description="People that should rate each run.")

    @model_validator(mode="after")
    def _scale_rises(self) -> "Human":
        least, most = self.scale
        if not least < most:
            raise ValueError(f"scale {list(self.scale)} does not rise; write [worst, best]")
        if self.step is not None and not _is_whole((most - least) / self.step):
            raise ValueError(f"steps of {self.step:g} do not lead from {least:g} to {most:g}; give one that does")
        return self

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """No score before somebody rates."""
        return Scoring.undefined(AWAITS_RATING)

    def rating(self, given: float) -> Scoring:
        """What somebody gave, as a share of the scale.

        Raises
        ------
        ValueError
            If it is not on the scale, or between two steps.
        """
        least, most = self.scale
        if not (math.isfinite(given) and least <= given <= most):
            raise ValueError(f"rating {given!r} is not on the scale; give a number from {least:g} to {most:g}")
        if self.step is not None and not _is_whole((given - least) / self.step):
            raise ValueError(f"rating {given:g} is between two steps of {self.step:g} from {least:g}")
        return Scoring((given - least) / (most - least), {"rating": given, "scale": [least, most]})


def _is_whole(number: float) -> bool:
    return math.isclose(number, round(number), abs_tol=1e-9)
