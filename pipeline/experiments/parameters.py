"""Sets of parameters to try: a grid, draws at random, or every combination of the two.

A draw depends on the seed, the parameter's name and the number of the draw alone: another parameter, value or a larger
budget changes no draw that was there before.
"""

import hashlib
import itertools
import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from pipeline.declaration import Declaration, some
from pipeline.experiments.identity import canonical_json

_TRIES_PER_DRAW = 50
_DIGITS = 6


class Distribution(Declaration):
    """What a parameter is drawn from: one of its fields."""

    choice: Annotated[tuple[Any, ...], some("[0, 1]")] | None = Field(
        default=None, description="Values, all as likely."
    )
    uniform: tuple[float, float] | None = Field(default=None, description="Least and greatest number.")
    log_uniform: tuple[float, float] | None = Field(
        default=None, description="The same, every order of magnitude being as likely; above 0."
    )
    integer: tuple[int, int] | None = Field(default=None, description="Least and greatest whole number, both included.")

    @model_validator(mode="after")
    def _is_one(self) -> "Distribution":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{len(given)} distributions are given ({', '.join(given) or 'none'}); give one of "
                f"{', '.join(type(self).model_fields)}"
            )
        for name in ("uniform", "log_uniform", "integer"):
            ends = getattr(self, name)
            if ends is not None and not ends[0] < ends[1]:
                raise ValueError(f"{name} {list(ends)} does not rise; write [least, greatest]")
        if self.log_uniform is not None and self.log_uniform[0] <= 0:
            raise ValueError(f"log_uniform {list(self.log_uniform)} starts at 0 or below; start above 0")
        return self

    def at(self, share: float) -> Any:
        """The value that so large a share of the draws are below, 0 <= share < 1; numbers to 6 digits."""
        if self.choice is not None:
            return self.choice[int(share * len(self.choice))]
        if self.integer is not None:
            least, greatest = self.integer
            return least + int(share * (greatest - least + 1))
        if self.log_uniform is not None:
            low, high = (math.log(end) for end in self.log_uniform)
            return _rounded(math.exp(low + share * (high - low)))
        low, high = self.uniform or (0.0, 1.0)
        return _rounded(low + share * (high - low))


class Parameters(Declaration):
    """Sets of parameters that every prompt and model is tried with; one empty set where nothing is given."""

    grid: dict[str, Annotated[tuple[Any, ...], some("[0, 0.7]")]] = Field(
        default_factory=dict,
        description="By parameter the values to try, in every combination.",
        examples=[{"temperature": [0, 0.7], "max_tokens": [256]}],
    )
    random: dict[str, Distribution] = Field(
        default_factory=dict,
        description="By parameter what it is drawn from.",
        examples=[{"temperature": {"uniform": [0, 1]}, "top_p": {"choice": [0.9, 1]}}],
    )
    budget: int | None = Field(default=None, ge=1, le=10_000, description="Sets to draw, each other than the others.")
    seed: int = Field(default=0, description="What draws start from.")

    @field_validator("grid")
    @classmethod
    def _values_are_told_apart(cls, grid: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for name, values in grid.items():
            written = [canonical_json(value) for value in values]
            twice = sorted({one for one in written if written.count(one) > 1})
            if twice:
                raise ValueError(f"{name} lists {', '.join(twice)} more than once; keep one")
        return grid

    @model_validator(mode="after")
    def _draws_can_be_made(self) -> "Parameters":
        if bool(self.random) != (self.budget is not None):
            raise ValueError(
                "random and budget belong together: what to draw from, and how many sets; give both or none"
            )
        both = sorted(set(self.grid) & set(self.random))
        if both:
            raise ValueError(f"{', '.join(both)} is in the grid and drawn at random; keep one")
        for one in self.random.values():
            canonical_json(list(one.choice or ()))
        return self

    @property
    def names(self) -> frozenset[str]:
        """The parameters that vary."""
        return frozenset(self.grid) | frozenset(self.random)

    def sets(self) -> list[dict[str, Any]]:
        """Every set, in order: the draws of the first combination of the grid, then those of the next.

        Fewer draws than the budget where there are no more to be had.
        """
        combinations = itertools.product(*([(name, value) for value in values] for name, values in self.grid.items()))
        draws = list(self._draws())
        return [{**dict(fixed), **drawn} for fixed in combinations for drawn in draws]

    def _draws(self) -> Iterator[dict[str, Any]]:
        if self.budget is None:
            yield {}
            return
        seen: set[str] = set()
        for number in range(self.budget * _TRIES_PER_DRAW):
            drawn = {name: one.at(_share(self.seed, name, number)) for name, one in self.random.items()}
            written = canonical_json(drawn)
            if written not in seen:
                seen.add(written)
                yield drawn
            if len(seen) == self.budget:
                return


def _share(seed: int, name: str, number: int) -> float:
    """A number in [0, 1) out of what identifies a draw."""
    digest = hashlib.sha256(canonical_json([str(seed), name, number]).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * (1 - 2**-53)


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
