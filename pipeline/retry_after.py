"""What an HTTP answer says with ``Retry-After``; for every client of Podium."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_to_wait(value: str, now: datetime) -> float | None:
    """Seconds that an answer asks to wait: 0 or more; None where it says nothing that can be read.

    Parameters
    ----------
    value : str
        Of the header: a number of seconds, or a date.
    now : datetime
        UTC, without a zone.

    References
    ----------
    RFC 9110, section 10.2.3.

    Examples
    --------
    >>> seconds_to_wait("Thu, 02 Apr 2026 06:04:13 GMT", datetime(2026, 4, 2, 6, 4))
    13.0
    """
    value = value.strip()
    if value.isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        until = until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - now).total_seconds())
