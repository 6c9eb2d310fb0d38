"""Times as the queue keeps them: UTC without a zone, as texts that sort in the order of time."""

from datetime import datetime


def as_text(time: datetime | None) -> str | None:
    """A time as text, always with six digits of a second; None stays None."""
    return None if time is None else time.isoformat(timespec="microseconds")


def as_time(text: str | None) -> datetime | None:
    """The time that a text of :func:`as_text` stands for."""
    return None if text is None else datetime.fromisoformat(text)
