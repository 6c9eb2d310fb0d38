"""Scores, statuses and sums of prompt experiments as people read them."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pipeline import texts
from pipeline.reports.pages.figures import NOTHING, Scale, scale
from pipeline.reports.pages.figures import reason as reason_of

_LEAST_DECIMALS, _MOST_DECIMALS = 2, 3
_MS_OF_A_SECOND, _SECONDS_OF_A_MINUTE = 1_000, 60
_SHORTEST, _LINE = 60, 80
_REASONS: Mapping[str, str] = {
    "awaits_rating": "nobody has rated it yet",
    "low_coverage": "too few of the inputs have a run that counts",
    "missing_scorers": "scorers that count are missing",
    "no_output": "nothing came back",
    "no_reference": "the input has no reference",
    "no_scores": "nothing has scored it",
    "not_completed": "it has not completed",
}
_AGREEMENT = {
    "cohen_kappa": "Cohen’s kappa",
    "fleiss_kappa": "Fleiss’ kappa",
    "krippendorff_alpha": "Krippendorff’s alpha",
}
_KINDS = {"auto": "computed", "judge": "a model judges", "human": "people rate", "imported": "imported"}


def score_scale(values: Iterable[float | None], half_widths: Iterable[float | None] = ()) -> Scale:
    """How the scores of a column are written: two decimals, or three where they are that well known."""
    found = scale(values, half_widths)
    return Scale(min(_MOST_DECIMALS, max(_LEAST_DECIMALS, found.decimals)), found.signed)


def points(score: float | None) -> str:
    """One score with three decimals; without the last where it is 0."""
    if score is None:
        return NOTHING
    written = Scale(_MOST_DECIMALS).text(score)
    return written.removesuffix("0")


def dollars(value: float | None) -> str:
    """US dollars: cents from ten cents on, three digits below; a dash where unknown, which is not 0."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.3g}" if value >= 0.0001 else f"{value:.1e}"


def took(milliseconds: float | None) -> str:
    """How long something took, with its unit."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < _MS_OF_A_SECOND:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _MS_OF_A_SECOND
    if seconds < _SECONDS_OF_A_MINUTE:
        return f"{Scale(2 if seconds < 10 else 1).text(seconds)} s"
    return f"{int(seconds // _SECONDS_OF_A_MINUTE)} min {int(seconds % _SECONDS_OF_A_MINUTE)} s"


def moment(at: datetime | None) -> str:
    """A moment to the second, with its zone."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def why(status: str) -> str:
    """Why a run or a contestant is not ranked, or a scorer has no value, in words."""
    code = status.removeprefix("unranked: ")
    return _REASONS.get(code, reason_of(code))


def kind_of_scorer(kind: str) -> str:
    """The kind of a scorer in words."""
    return _KINDS.get(kind, kind)


def agreement_name(name: str) -> str:
    """The name of a coefficient of agreement in words."""
    return _AGREEMENT.get(name, name)


def as_text(value: Any) -> str:
    """A value out of JSON as text: texts as they are, anything else as JSON, on one line where it fits on one."""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _LINE else json.dumps(value, ensure_ascii=False, indent=2)


def shortened(text: str | None, most: int = _SHORTEST) -> str:
    """The beginning of a text on one line."""
    return texts.shortened(texts.on_one_line(text or ""), most)
