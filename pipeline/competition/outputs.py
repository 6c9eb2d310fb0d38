"""What a prediction may be, one number or a distribution, and how each number of a distribution is called.

Tables hold a distribution as one row for each of its numbers, told apart by ``output_type_id``: the quantile level,
the threshold, the category, the number of the sample. Add here what holds for an output type in every contest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
import pandas as pd

from pipeline.competition.arrays import Floats
from pipeline.competition.forecasts import OutputType
from pipeline.competition.labels import labels

ONE_NUMBER = ("value", "mean", "median")
"""Output types of predictions that are one number, the panel's signal."""

DECLARED = {
    "quantile": "quantile levels, such as [0.1, 0.5, 0.9]",
    "pmf": "categories in their order, such as [down, same, up]",
    "cdf": "thresholds, such as [0, 10, 20]",
}
"""Output types whose ids a contest declares, and what these are."""

_NAMED = 5


def id_text(given: object, output_type: str) -> str:
    """An ``output_type_id`` as tables hold it.

    Levels and thresholds are numbers of at most 12 digits, so that 0.010 and 0.01 are one level; samples are whole
    numbers; a category is its name, where that is a number without a needless fraction.
    """
    text = str(given).strip()
    if isinstance(given, Integral):
        return text
    if isinstance(given, Real) or output_type != "pmf":
        try:
            number = float(text)
        except ValueError:
            return text
        return str(int(number)) if output_type == "sample" and number.is_integer() else format(number + 0.0, ".12g")
    return text


@dataclass(frozen=True)
class Output:
    """The output type of a contest.

    Parameters
    ----------
    type : str
        value, mean, median, quantile, pmf, sample or cdf.
    ids : tuple of str
        Quantile levels and thresholds in rising order, categories in theirs; none of samples, which are found in the
        data, nor of one number.
    """

    type: str = "value"
    ids: tuple[str, ...] = ()

    @property
    def is_distribution(self) -> bool:
        """Whether a prediction is several numbers."""
        return self.type not in ONE_NUMBER

    @property
    def distribution(self) -> OutputType:
        """The type, of a distribution.

        Raises
        ------
        ValueError
            If a prediction is one number.
        """
        if not self.is_distribution:
            raise ValueError(f"{self.type!r} predictions are one number, no distribution")
        return cast(OutputType, self.type)

    def texts(self, given: "pd.Series[Any]") -> "pd.Series[Any]":
        """A column of ids as tables hold them.

        Raises
        ------
        ValueError
            If one is none of this contest's, or missing.
        """
        codes, distinct = pd.factorize(given)
        texts = [id_text(one, self.type) for one in distinct]
        wrong = [*(["missing"] if (codes < 0).any() else []), *map(repr, self.unknown(texts))]
        if wrong:
            told = ", ".join(wrong[:_NAMED])
            raise ValueError(f"output_type_id of a prediction is {told}; {self.type} predictions have {self.known}")
        return pd.Series(np.array(texts, dtype=object)[codes], index=given.index, dtype=object)

    def unknown(self, texts: Iterable[str]) -> list[str]:
        """Which of some ids are none of this contest's, each once."""
        if self.type == "sample":
            return [one for one in dict.fromkeys(texts) if not one.isdecimal() or int(one) < 1]
        return [one for one in dict.fromkeys(texts) if one not in self.ids]

    @property
    def known(self) -> str:
        """What its ids may be."""
        return "whole numbers from 1 up" if self.type == "sample" else ", ".join(self.ids)

    def axis(self, column: "pd.Series[Any]") -> "pd.Index[str]":
        """What the ids of some rows are places on: those declared, or the samples that there are."""
        if self.type != "sample":
            return pd.Index(self.ids, dtype=object)
        found = sorted(labels(column), key=int)
        axis: pd.Index[str] = pd.Index(found or ["1"], dtype=object)
        return axis

    def numbers(self, axis: "pd.Index[str]") -> Floats:
        """Levels, thresholds and samples as numbers; of categories their places, counted from 1."""
        if self.type == "pmf":
            return np.arange(1.0, len(axis) + 1)
        return np.array([float(one) for one in axis])


ONE_VALUE = Output()
"""What a prediction is where nothing else is declared."""
