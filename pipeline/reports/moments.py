"""Times as people write them, and as reports do: UTC, without a zone inside Podium and with it outside."""

import contextlib
from datetime import UTC, date, datetime, time


def parse_moment(text: str, name: str, time_of_day: time = time.max) -> datetime:
    """A date or an ISO time as a time in UTC, without a zone.

    Parameters
    ----------
    text : str
        A date, or a time with or without its zone; without one it is UTC.
    name : str
        What it was given as, for the error message.
    time_of_day : time
        What a date alone means: its end by default.

    Raises
    ------
    ValueError
        If it is neither.
    """
    with contextlib.suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), time_of_day)
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} {text!r} is no date or time; write 2022-12-23 or 2022-12-23T21:00 (UTC)") from None
