"""Which correlation: the names, their options, and the strings that name both, such as ``rbo(p=0.8)@10``."""

import re
from dataclasses import dataclass

COEFFICIENTS = {
    "kendall": "Kendall's tau-b: pairs of runs that both boards order alike, less those they order differently",
    "spearman": "Spearman's rho: Pearson's correlation of average ranks",
    "pearson": "Pearson's correlation of the values themselves",
    "tau_ap": "AP correlation: pairs near the top of the judge's ranking weigh more; not defined with ties",
    "tau_ap_a": "AP correlation, mean over all orders of runs that the judge ties; the truth has no ties",
    "tau_ap_b": "AP correlation, symmetric, with ties on either side",
    "tau_gap": "AP correlation in which a pair weighs as much as the truth sets its runs apart",
    "rbo": "rank-biased overlap of the two rankings, 0 to 1, corrected for ties (variant b)",
    "rbo_a": "rank-biased overlap, mean over all orders of tied runs (variant a)",
}
"""Name and meaning of every coefficient."""

DEFAULT_PERSISTENCE = 0.9
MIN_RUNS = 3
"""Runs needed for a correlation: two are ordered alike or not, which says nothing about a ranking."""

_WRITTEN = re.compile(r"(?P<name>\w+)(?:\(p=(?P<p>[0-9.eE+-]+)\))?(?:@(?P<k>\d+))?")


@dataclass(frozen=True)
class CorrelationMethod:
    """One way to correlate two rankings of the same runs.

    Parameters
    ----------
    name : str
        One of :data:`COEFFICIENTS`.
    top_k : int, optional
        Correlate only the runs that the truth ranks among its best ``top_k``, with all that tie with the last of
        them (so perhaps more than ``top_k``); the judge's ranking is that of the same runs. All by default.
    persistence : float
        Of ``rbo`` and ``rbo_a``: the chance to look one rank deeper, in (0, 1).

    Raises
    ------
    ValueError
        If the name is unknown, ``top_k`` is below 3, or ``persistence`` is out of range or given to another method.

    Examples
    --------
    >>> CorrelationMethod.parse("rbo(p=0.8)@10")
    CorrelationMethod(name='rbo', top_k=10, persistence=0.8)
    >>> str(CorrelationMethod("kendall", top_k=10))
    'kendall@10'
    """

    name: str
    top_k: int | None = None
    persistence: float = DEFAULT_PERSISTENCE

    def __post_init__(self) -> None:
        if self.name not in COEFFICIENTS:
            raise ValueError(f"unknown correlation {self.name!r}; known: {', '.join(COEFFICIENTS)}")
        if self.top_k is not None and self.top_k < MIN_RUNS:
            raise ValueError(
                f"correlation {self.name}@{self.top_k} is of {self.top_k} runs; "
                f"fewer than {MIN_RUNS} make no ranking, give @{MIN_RUNS} or more"
            )
        if not self.is_overlap and self.persistence != DEFAULT_PERSISTENCE:
            raise ValueError(f"correlation {self.name!r} has no option p; only rbo and rbo_a have")
        if not 0 < self.persistence < 1:
            raise ValueError(f"option p of {self.name!r} is {self.persistence!r}; give a number between 0 and 1")

    @classmethod
    def parse(cls, text: str) -> "CorrelationMethod":
        """The method that a string names: ``name``, ``name@k``, ``rbo(p=0.8)``, ``rbo(p=0.8)@k``.

        Raises
        ------
        ValueError
            If the string is not of this form, or names nothing that is known.
        """
        written = _WRITTEN.fullmatch(text.strip())
        if written is None:
            raise ValueError(
                f"correlation {text!r} cannot be read; write a name, such as kendall, kendall@10 or rbo(p=0.8)@10; "
                f"known: {', '.join(COEFFICIENTS)}"
            )
        top_k = None if written["k"] is None else int(written["k"])
        return cls(written["name"], top_k, _number(text, written["p"]))

    @property
    def is_overlap(self) -> bool:
        """Whether it is an overlap, from 0 to 1, rather than a correlation, from -1 to 1."""
        return self.name in ("rbo", "rbo_a")

    @property
    def lowest(self) -> float:
        """The least value that it can take."""
        return 0.0 if self.is_overlap else -1.0

    def __str__(self) -> str:
        option = "" if self.persistence == DEFAULT_PERSISTENCE else f"(p={self.persistence!r})"
        depth = "" if self.top_k is None else f"@{self.top_k}"
        return f"{self.name}{option}{depth}"


def _number(text: str, p: str | None) -> float:
    try:
        return DEFAULT_PERSISTENCE if p is None else float(p)
    except ValueError as error:
        raise ValueError(f"correlation {text!r}: p is {p!r}; give a number between 0 and 1") from error
