"""Numbers, moments and names as people read them: rounded as far as they are known, with a true minus sign."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

NOTHING = "–"
"""Where there is no value."""

_MINUS = "\N{MINUS SIGN}"
_NARROW = "\N{NARROW NO-BREAK SPACE}"
_MOST_DECIMALS = 6
_SHARE = "share"
_ABBREVIATIONS = frozenset({"ic", "fnc", "mmc", "wis", "crps", "rps", "ae", "se", "rmse", "mae", "mse", "map", "ndcg"})
_COEFFICIENTS: Mapping[str, str] = {
    "kendall": "Kendall’s tau",
    "spearman": "Spearman’s rho",
    "pearson": "Pearson’s r",
    "tau_ap": "Tau AP",
    "tau_ap_a": "Tau AP (a)",
    "tau_ap_b": "Tau AP (b)",
    "tau_gap": "Tau GAP",
    "rbo": "RBO",
    "rbo_a": "RBO (a)",
}
_REASONS: Mapping[str, str] = {
    "constant_input": "every prediction of a cycle is the same",
    "error": "a function of the contest failed",
    "explained_by_factors": "known factors explain all of it",
    "inactive": "no submission lately",
    "low_coverage": "too few of the outcomes were predicted",
    "no_board_yet": "no outcome of its predictions is known yet",
    "no_downside": "no cycle was lost",
    "no_predictions": "no prediction in the window",
    "no_scores": "no prediction has a score",
    "not_designated": "its player did not enter it for ranking",
    "not_member": "it is no member of the ensemble",
    "only_member": "it is the only member of the ensemble",
    "too_few_predictions": "too few predictions have been scored",
    "too_few_cycles": "too few cycles",
    "too_few_pairs": "too few subjects in every cycle",
    "zero_outcomes": "every outcome is zero",
    "zero_variance": "it does not vary",
}


@dataclass(frozen=True)
class Scale:
    """How the numbers of a column are written: all with the same decimals, with plus signs where some are negative.

    Parameters
    ----------
    decimals : int
    signed : bool
    unit : str
        Of the metric; shares are written as percentages.
    """

    decimals: int
    signed: bool = False
    unit: str = ""

    def text(self, value: float | None) -> str:
        """A number of the column."""
        if value is None or not math.isfinite(value):
            return NOTHING
        shown = 100 * value if self.unit == _SHARE else value
        rounded = round(shown, self.decimals)
        sign = _MINUS if rounded < 0 else "+" if self.signed and rounded > 0 else ""
        return f"{sign}{abs(rounded):,.{self.decimals}f}{f'{_NARROW}%' if self.unit == _SHARE else ''}"


def scale(values: Iterable[float | None], half_widths: Iterable[float | None] = (), unit: str = "") -> Scale:
    """How to write the numbers of a column.

    Parameters
    ----------
    values : iterable of float or None
    half_widths : iterable of float or None
        Of their intervals, if they have some: the median one is written with two significant digits. Without intervals
        the median value is written with three.
    unit : str
    """
    known = [one for one in values if one is not None and math.isfinite(one)]
    widths = [one for one in half_widths if one is not None and math.isfinite(one) and one > 0]
    factor = 100 if unit == _SHARE else 1
    sizes = sorted(factor * abs(one) for one in (widths or known) if one)
    digits = 2 if widths else 3
    decimals = digits - 1 - math.floor(math.log10(sizes[len(sizes) // 2])) if sizes else 0
    return Scale(min(_MOST_DECIMALS, max(0, decimals)), any(one < 0 for one in known), unit)


def percent(share: float | None) -> str:
    """A share of 1 as a whole percentage; what is nearly all or nearly nothing is not rounded to it."""
    if share is None:
        return NOTHING
    whole = round(100 * share)
    if whole == 100 and share < 1:
        return f">99{_NARROW}%"
    if whole == 0 and share > 0:
        return f"<1{_NARROW}%"
    return f"{whole}{_NARROW}%"


def share(part: float | None) -> str:
    """A share of 1 as a percentage with one decimal."""
    return Scale(1, unit=_SHARE).text(part)


def count(number: int | float | None) -> str:
    """A whole number with separators."""
    return NOTHING if number is None else f"{round(number):,}"


def day(moment: datetime | None) -> str:
    """A moment (UTC) as a day, with the time where it is not midnight."""
    if moment is None:
        return NOTHING
    date = f"{moment.day} {moment:%b} {moment.year}"
    return f"{date} {moment:%H:%M}" if moment.time().replace(second=0, microsecond=0) != datetime.min.time() else date


def ago(moment: datetime, now: datetime) -> str:
    """How long before now a moment was, in the largest unit that fits."""
    seconds = max(0, round((now - moment).total_seconds()))
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:,} {unit} ago"
    return f"{seconds} seconds ago"


def metric_name(name: str) -> str:
    """The name of a metric in words: ``ic_sharpe`` as IC Sharpe."""
    words = name.rpartition(".")[2].split("_")
    said = [word.upper() if word in _ABBREVIATIONS else word for word in words]
    return " ".join([said[0][:1].upper() + said[0][1:], *(_proper(word) for word in said[1:])])


def _proper(word: str) -> str:
    return word.capitalize() if word in {"sharpe", "sortino", "brier"} else word


def coefficient_name(name: str) -> str:
    """The name of a correlation in words: ``tau_ap_b@10`` as Tau AP, top 10."""
    coefficient, _, top = name.partition("@")
    base, _, option = coefficient.partition("(")
    words = [_COEFFICIENTS.get(base, base), *([option.rstrip(")")] if option else []), *([f"top {top}"] if top else [])]
    return ", ".join(words)


def window_name(name: str) -> str:
    """The name of a window in words."""
    return name.replace("_", " ").capitalize()


def category_name(name: str) -> str:
    """The name of a part of a contest in words: ``horizon=2`` as Horizon 2."""
    part, _, value = name.partition("=")
    return f"{part.capitalize()} {value}".strip()


def reason(status: str) -> str:
    """Why something is not there, in words, from ``unranked: <reason>`` or the reason alone."""
    code = status.removeprefix("unranked: ")
    return _REASONS.get(code, code.replace("_", " "))


def code(status: str) -> str:
    """The reason alone, as tables have it."""
    return status.removeprefix("unranked: ")
