"""What forms send: texts that may be empty."""

from pipeline.reports.wrong import WrongInputError


def share(text: str, name: str) -> float | None:
    """A share of 1; None for an empty text.

    Raises
    ------
    WrongInputError
        If it is no number from 0 to 1.
    """
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1:
        raise WrongInputError(f"{name} {text!r} is no share; write a number from 0 to 1, such as 0.75")
    return number
