"""Cron lines of declarations, read as Dagster's daemon reads them."""

from datetime import UTC, datetime


def require_cron(line: str, where: str) -> None:
    """Refuse what is no cron line.

    Raises
    ------
    ValueError
        If it is none; the message says where it stands and how one is written.
    """
    from dagster._utils.schedules import is_valid_cron_schedule

    if not is_valid_cron_schedule(line):
        raise ValueError(
            f"{where} {line!r} is no cron line; write one such as '0 22 * * 5': minute, hour, day, month, day of week"
        )


def next_tick(line: str, now: datetime) -> datetime:
    """The next moment of a cron line after another, both UTC without a zone."""
    from dagster._utils.schedules import cron_string_iterator

    ticks = cron_string_iterator(now.replace(tzinfo=UTC).timestamp(), line, "UTC")
    return next(tick for tick in (one.astimezone(UTC).replace(tzinfo=None) for one in ticks) if tick > now)
