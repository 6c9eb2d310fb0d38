"""The imported scorer: scores that others computed, which come with files of runs or scores."""

import math
from typing import ClassVar

from pydantic import Field, model_validator

from pipeline.experiments.scorers.scorer import Answer, Scorer, Scoring, Tools

AWAITS_IMPORT = "awaits_import"


class Imported(Scorer):
    """A value that files have, as a share of its scale; it scores nothing by itself."""

    name: ClassVar[str] = "imported"
    version: ClassVar[str] = "1"

    scale: tuple[float, float] = Field(
        default=(0.0, 1.0), description="The worst and the best value; the worst may be the greater one."
    )

    @model_validator(mode="after")
    def _scale_has_two_ends(self) -> "Imported":
        if self.scale[0] == self.scale[1]:
            raise ValueError(f"scale {list(self.scale)} has one end; write [worst, best]")
        return self

    def score(self, answer: Answer, tools: Tools) -> Scoring:  # noqa: ARG002  (the signature of all)
        """No score but that of a file."""
        return Scoring.undefined(AWAITS_IMPORT)

    def scaled(self, value: float) -> Scoring:
        """A value as a share of the scale.

        Raises
        ------
        ValueError
            If it is not on the scale.
        """
        worst, best = self.scale
        if not (math.isfinite(value) and min(worst, best) <= value <= max(worst, best)):
            raise ValueError(f"score {value!r} is not on the scale from {worst:g} to {best:g}; declare the right scale")
        return Scoring((value - worst) / (best - worst))
