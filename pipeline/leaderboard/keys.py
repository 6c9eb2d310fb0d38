"""What a board is ranked by: keys with a direction, weighted keys, tie-breakers."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from pipeline.leaderboard.arrays import FloatArray, refuse_duplicates


class Direction(StrEnum):
    """Which end of a number is the better one."""

    DESC = "desc"
    """Higher is better."""
    ASC = "asc"
    """Lower is better."""
    NONE = "none"
    """Neither: it describes, and nothing may be ranked by it."""


@dataclass(frozen=True)
class RankingKey:
    """One column to rank by.

    Parameters
    ----------
    name : str
        The column, such as ``anchor.ic``.
    direction : Direction
        ``desc`` when higher is better, ``asc`` when lower is.

    Raises
    ------
    ValueError
        If the direction is ``none`` or unknown.
    """

    name: str
    direction: Direction = Direction.DESC

    def __post_init__(self) -> None:
        if self.direction not in set(Direction):
            known = ", ".join(Direction)
            raise ValueError(f"ranking key {self.name!r} has unknown direction {self.direction!r}; known: {known}")
        if self.direction == Direction.NONE:
            raise ValueError(
                f"cannot rank by {self.name!r}: its direction is none, neither end is better; "
                f"rank by a metric whose direction is desc or asc"
            )

    @property
    def parts(self) -> tuple["RankingKey", ...]:
        """The columns that the key reads: itself."""
        return (self,)


@dataclass(frozen=True)
class WeightedKey:
    """A weighted sum of columns to rank by, such as 0.5 anchor.ic + 0.3 steady.ic + 0.2 recent.ic.

    The sum is undefined where any part is. Weights are used as given, they need not sum to 1.

    Parameters
    ----------
    parts : tuple of RankingKey
        The columns, at least one, all of one direction.
    weights : tuple of float
        One positive weight per part.

    Raises
    ------
    ValueError
        If there are no parts, a part is listed twice, weights do not match the parts or are not positive, or
        directions are mixed.
    """

    parts: tuple[RankingKey, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a weighted ranking key has no parts; name at least one column and its weight")
        refuse_duplicates([part.name for part in self.parts], "part of the weighted ranking key", "list it once")
        if len(self.weights) != len(self.parts):
            raise ValueError(
                f"a weighted ranking key has {len(self.parts)} parts but {len(self.weights)} weights; "
                f"give one weight per part"
            )
        for part, weight in zip(self.parts, self.weights, strict=True):
            if not (np.isfinite(weight) and weight > 0):
                raise ValueError(
                    f"weight of {part.name!r} is {weight!r}; weights must be positive numbers "
                    f"(leave a part out instead of giving it 0)"
                )
        if len({part.direction for part in self.parts}) > 1:
            listed = ", ".join(f"{part.name} {part.direction}" for part in self.parts)
            raise ValueError(
                f"a weighted ranking key mixes directions ({listed}); "
                f"weigh columns of one direction and put the others into tie_breakers"
            )

    @property
    def name(self) -> str:
        """The sum written out, for messages and headings."""
        return " + ".join(f"{weight:g} {part.name}" for part, weight in zip(self.parts, self.weights, strict=True))

    @property
    def direction(self) -> Direction:
        """The direction that all parts share."""
        return self.parts[0].direction


@dataclass(frozen=True)
class RankBy:
    """What a board is ranked by: a primary key, then tie-breakers in order.

    Parameters
    ----------
    primary : RankingKey or WeightedKey
        Decides first. A contestant for whom it is undefined is not ranked.
    tie_breakers : tuple of RankingKey
        Each decides where all keys before it tie; undefined comes last.

    Raises
    ------
    ValueError
        If a key is listed twice.
    """

    primary: RankingKey | WeightedKey
    tie_breakers: tuple[RankingKey, ...] = ()

    def __post_init__(self) -> None:
        refuse_duplicates([key.name for key in self.keys], "ranking key", "list it once")

    @cached_property
    def keys(self) -> tuple[RankingKey | WeightedKey, ...]:
        """All keys, primary first."""
        return (self.primary, *self.tie_breakers)

    @cached_property
    def signs(self) -> FloatArray:
        """One column per row of keys: -1 for desc, 1 for asc, so that the best sorts first; shape (keys, 1)."""
        return np.array([[-1.0 if key.direction == Direction.DESC else 1.0] for key in self.keys])
