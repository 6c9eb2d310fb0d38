"""What time it is, as every table and log of Podium has it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time in UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)
