"""Parts of a contest with boards of their own, each horizon or each subject, and how they are called.

``overall`` is the whole contest; a part is called ``horizon=2`` or ``subject=AAPL``.
"""

from enum import StrEnum

from pipeline.tables import OVERALL

__all__ = ["OVERALL", "By", "divided_by"]


class By(StrEnum):
    """What a contest is divided by."""

    HORIZON = "horizon"
    """Each horizon has every metric: of the cross-sections of that horizon."""
    SUBJECT = "subject"
    """Each subject has the metrics that are sums over single predictions; the others compare subjects."""

    def category(self, value: object) -> str:
        """The name of the part that has this horizon or subject."""
        return f"{self}={value}"


def divided_by(name: str) -> By | None:
    """What divides the contest into such categories; None of the whole contest.

    Raises
    ------
    ValueError
        If no category is called so.
    """
    return None if name == OVERALL else By(name.partition("=")[0])
