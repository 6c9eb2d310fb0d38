"""What forms send: texts that may be empty."""

from pipeline.reports.wrong import WrongInputError


def share(text: str, name: str) -> float | None:
    """A share of 1; None for an empty text.

    Raises
    ------
    WrongInputError
        If it is no number from 0 to 1.
    """
    number = _number(text)
    if number is not None and not 0 <= number <= 1:
        raise WrongInputError(f"{name} {text!r} is no share; write a number from 0 to 1, such as 0.75")
    return number


def number_up_to(text: str, name: str, most: float) -> float | None:
    """A number from 0 to another; None for an empty text.

    Raises
    ------
    WrongInputError
        If it is none.
    """
    number = _number(text)
    if number is not None and not 0 <= number <= most:
        raise WrongInputError(f"{name} {text!r} is no number from 0 to {most:g}; write one, such as 2.5")
    return number


def yes_or_no(text: str, name: str) -> bool | None:
    """Whether something is wanted or the opposite; None for an empty text: both.

    Raises
    ------
    WrongInputError
        If it is neither true nor false.
    """
    if not text.strip():
        return None
    if text not in ("true", "false"):
        raise WrongInputError(f"{name} {text!r} is neither true nor false")
    return text == "true"


def _number(text: str) -> float | None:
    """A number, NaN where it is none; None for an empty text."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return float("nan")
